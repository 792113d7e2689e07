// Goal: events of payment and payout are matched exactly once, whatever order, repetition, damage
// and loss they meet on the way, and a day is compared after the last of them. Method: a real
// broker, a real MariaDB, the service's own consumers, relay and runs; in-process peers for the
// books of payment and payout; a proxy that cuts database connections.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "app/compare_day.h"
#include "app/import_statement.h"
#include "app/match_outside.h"
#include "app/outside_enquiries.h"
#include "kessai/event/bucket.h"
#include "kessai/event/envelope.h"
#include "kessai/event/mark.h"
#include "kessai/inbox/consumer.h"
#include "kessai/kafka/producer.h"
#include "kessai/kafka/topic_admin.h"
#include "kessai/metrics/registry.h"
#include "kessai/mysql/transaction.h"
#include "kessai/outbox/relay.h"
#include "kessai/payment/v1/payment_event.pb.h"
#include "kessai/payout/v1/payout_event.pb.h"
#include "kessai/testing/kafka_broker.h"
#include "kessai/testing/tcp_proxy.h"
#include "kessai/testing/temp_dir.h"
#include "storage/mysql_outside_books.h"
#include "tests/fake_books.h"
#include "tests/reconciliation_fixture.h"
#include "transport/claim_consumer.h"
#include "transport/day_run_worker.h"

namespace kessai::reconciliation::transport {
namespace {

using namespace std::chrono_literals;

using domain::PaymentClaim;
using domain::PayoutClaim;
using domain::testing::Day;
using domain::testing::PaymentSays;
using kessai::testing::IsOk;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int kPartitions = 4;

class Deliveries final : public kafka::DeliveryListener {
 public:
    void OnDeliveries(std::span<const kafka::Delivery> deliveries) override {
        for (const auto& delivery : deliveries) EXPECT_THAT(delivery.status, IsOk());
    }
};

/// Sealed as payment seals it, with its content hash.
struct SealedEvent {
    std::string bytes;
    event::ContentHash content;
};

SealedEvent Seal(std::string_view type, const domain::ChangeKey& key, domain::EventId id,
                 BusinessDate date, const std::string& payload) {
    const event::Fields fields{.type = type,
                               .object_id = key.payment.value(),
                               .version = key.version,
                               .event_id = id.value(),
                               .business_date = date,
                               .occurred_at = FromMicros(1'800'000'000'000'000),
                               .payload = payload};
    return {event::Seal(fields).value(), event::HashOf(fields)};
}

payment::v1::PaymentChanged PayloadOf(const PaymentClaim& claim) {
    payment::v1::PaymentChanged message;
    const std::int64_t gross = claim.terms.gross.minor();
    // What may follow: only the first change of a payment completes it.
    message.set_kind(gross < 0 ? payment::v1::PaymentChanged::REFUNDED
                     : claim.key.version == 1
                         ? payment::v1::PaymentChanged::COMPLETED
                         : payment::v1::PaymentChanged::MERCHANT_CASHBACK_RETURNED);
    message.set_payment_id(claim.key.payment.value());
    message.set_merchant_id(claim.terms.merchant.value());
    message.set_currency("JPY");
    message.set_amount(std::abs(gross));
    return message;
}

SealedEvent Seal(const PaymentClaim& claim) {
    return Seal("kessai.payment.v1.PaymentChanged", claim.key, claim.event,
                claim.terms.business_date, PayloadOf(claim).SerializeAsString());
}

/// Payout's answer to a payment's event; `by` is added to the gross.
SealedEvent SealAnswer(const PaymentClaim& claim, std::int64_t by = 0) {
    payout::v1::AccrualRecorded message;
    message.set_merchant_id(claim.terms.merchant.value());
    message.set_currency("JPY");
    message.set_gross(claim.terms.gross.minor() + by);
    message.set_tax_class("standard_10");
    message.set_payment_event_id(claim.event.value());
    const auto content = Seal(claim).content;
    message.set_payment_content_hash(std::string(content.begin(), content.end()));
    return Seal("kessai.payout.v1.AccrualRecorded", claim.key,
                domain::EventId(claim.event.value() + 5), claim.terms.business_date,
                message.SerializeAsString());
}

constexpr std::int64_t kHolds = std::int64_t{1} << 41;

/// As payout tells of a merchant that it holds back: nothing to release it.
SealedEvent SealHold(std::int64_t merchant, std::uint32_t version, const std::string& reason) {
    const domain::ChangeKey key{domain::PaymentId(kHolds + merchant), version};
    const domain::EventId id(key.payment.value() * 8 + version);
    if (reason.empty()) {
        payout::v1::MerchantReleased message;
        message.set_merchant_id(merchant);
        message.set_round(1);
        return Seal(message.GetTypeName(), key, id, Day(), message.SerializeAsString());
    }
    payout::v1::MerchantHeldBack message;
    message.set_merchant_id(merchant);
    message.set_currency("JPY");
    message.set_reason(reason);
    message.set_note("it differs");
    message.mutable_totals()->set_gross(1'000);
    message.mutable_totals()->set_item_count(2);
    message.mutable_recounted()->set_gross(900);
    return Seal(message.GetTypeName(), key, id, Day(), message.SerializeAsString());
}

constexpr std::int64_t kTransfers = std::int64_t{1} << 40;

/// As payout tells of a transfer: version 2 sent, 3 failed.
SealedEvent SealTransfer(std::int64_t transfer, std::uint32_t version, std::int64_t amount) {
    const domain::ChangeKey key{domain::PaymentId(kTransfers + transfer), version};
    const domain::EventId id(key.payment.value() * 8 + version);
    const auto fill = [&](auto& message) {
        message.set_merchant_id(77);
        message.set_payout_id(transfer);
        message.set_attempt(1);
        message.set_currency("JPY");
        message.set_amount(amount);
    };
    if (version == 3) {
        payout::v1::TransferFailed message;
        fill(message);
        return Seal(message.GetTypeName(), key, id, Day(), message.SerializeAsString());
    }
    payout::v1::TransferSent message;
    fill(message);
    message.set_transfer_date(Day().Next().ToNumber());
    return Seal(message.GetTypeName(), key, id, Day(), message.SerializeAsString());
}

SealedEvent SealTopUp(std::int64_t top_up, std::int64_t amount, const std::string& source) {
    payment::v1::WalletChanged message;
    message.set_kind(payment::v1::WalletChanged::TOPPED_UP);
    message.set_user_id(5);
    message.set_currency("JPY");
    message.set_amount(amount);
    message.set_source(source);
    return Seal(message.GetTypeName(), {domain::PaymentId(top_up), 1}, domain::EventId(top_up + 1),
                Day(), message.SerializeAsString());
}

/// Counts the look-ups of matches.
class LookUps final : public mysql::QueryObserver {
 public:
    void OnQuery(std::string_view name, Duration, const Status&) override {
        if (name == "change_match.lock") ++count;
    }
    std::atomic<int> count{0};
};

class EventFlowTest : public ::testing::Test {
 protected:
    EventFlowTest() {
        auto session = schema_.pool().Acquire(5s);
        KESSAI_CHECK(session.ok(), session.status().ToString());
        const std::array sets{inbox::Migrations()};
        EXPECT_THAT(mysql::Migrate(**session, sets), IsOk());
        connection_.brokers = kessai::testing::KafkaBroker::Shared().address();
        for (const auto& topic : {payment_topic_, payout_topic_, own_topic_, dead_letters_}) {
            EXPECT_THAT(
                kafka::CreateTopic(connection_, {.name = topic, .partitions = kPartitions}, 30s),
                IsOk());
        }
        kafka::ProducerOptions producer;
        producer.connection = connection_;
        producer.linger = 1ms;
        producer_ = kafka::Producer::Create(producer, deliveries_).value();
    }
    ~EventFlowTest() override {
        runs_.Stop();
        for (auto& replica : replicas_) replica->Stop();
    }

    /// One process of the service, as far as its consumers go.
    class Replica {
     public:
        Replica(EventFlowTest& test, const mysql::ConnectOptions& database)
            : pool_({.connect = database, .sessions_max = 8}, SystemClock(), &look_ups_),
              services_{.on_books =
                            [&test](mysql::Session& session, const auto& work) {
                                storage::MysqlBooks books(session, test.schema_.ids(),
                                                          SystemClock(), test.schema_.chain());
                                return work(books.books());
                            },
                        .store_dead_letters =
                            [&test](mysql::Session& session, auto entries) {
                                return storage::StoreDeadLetters(session, entries,
                                                                 test.schema_.ids(), SystemClock());
                            },
                        .match = test.match_,
                        .note_holds = test.note_holds_,
                        .note_transfers = test.note_transfers_,
                        .record_conflicts = test.record_conflicts_,
                        .metrics = test.metrics_,
                        .outside_accounts = &test.outside_accounts_,
                        .on_outside =
                            [&test](mysql::Session& session, const auto& work) {
                                storage::MysqlOutsideBooks books(session, test.schema_.ids());
                                return work(books);
                            }},
              payment_handler_(services_),
              payout_handler_(services_),
              payment_(test.OptionsFor(test.payment_topic_), pool_, payment_handler_, registry_),
              payout_(test.OptionsFor(test.payout_topic_), pool_, payout_handler_, registry_) {
            EXPECT_THAT(payment_.Start(), IsOk());
            EXPECT_THAT(payout_.Start(), IsOk());
        }
        void Stop() {
            payment_.Stop();
            payout_.Stop();
        }
        inbox::Handler& payment_handler() { return payment_handler_; }
        mysql::Pool& pool() { return pool_; }
        int look_ups() const { return look_ups_.count; }
        /// Over all topics, or of one.
        double Metric(const std::string& name, const std::string& topic = {}) const {
            const std::string start = name + "{" + (topic.empty() ? "" : "topic=\"" + topic + "\"");
            std::istringstream lines(registry_.Expose());
            double sum = 0;
            for (std::string line; std::getline(lines, line);) {
                if (line.starts_with(start)) sum += std::stod(line.substr(line.rfind(' ')));
            }
            return sum;
        }

     private:
        LookUps look_ups_;
        mysql::Pool pool_;
        metrics::Registry registry_;
        ConsumerServices services_;
        PaymentEventConsumer payment_handler_;
        PayoutEventConsumer payout_handler_;
        inbox::Consumer payment_;
        inbox::Consumer payout_;
    };

    inbox::ConsumerOptions OptionsFor(const std::string& topic) {
        inbox::ConsumerOptions options;
        options.client.connection = connection_;
        options.client.group = group_;
        options.client.topic = topic;
        options.client.session_timeout = 6s;
        options.client.heartbeat_every = 500ms;
        options.partitions = kPartitions;
        options.dead_letter_topic = 1;
        options.dead_letter_partitions = kPartitions;
        options.workers = 1;
        options.batch_events_max = 50;
        options.batch_every = 2ms;
        options.backoff_max = 200ms;
        options.ignore_effect_keys_for_test = ignore_effect_keys_;
        return options;
    }
    Replica& StartReplica() { return StartReplica(schema_.options()); }
    Replica& StartReplica(const mysql::ConnectOptions& database) {
        return *replicas_.emplace_back(std::make_unique<Replica>(*this, database));
    }

    void Publish(const std::string& topic, std::int64_t payment, const std::string& bytes) {
        const std::string key = std::to_string(payment);
        ASSERT_THAT(producer_->Produce({.topic = topic,
                                        .partition = event::PartitionOf(payment, kPartitions),
                                        .key = key,
                                        .value = bytes,
                                        .traceparent = {}}),
                    IsOk());
    }
    void Publish(const PaymentClaim& claim) {
        Publish(payment_topic_, claim.key.payment.value(), Seal(claim).bytes);
    }
    template <class Message>
    void PublishTransfer(std::int64_t transfer, std::uint32_t version, std::int64_t amount = 500) {
        Message message;
        message.set_merchant_id(7);
        message.set_payout_id(8);
        message.set_attempt(1);
        message.set_currency("JPY");
        message.set_amount(amount);
        if constexpr (requires { message.set_transfer_date(0); }) {
            message.set_transfer_date(Day(1).ToNumber());
        }
        const std::int64_t object = (std::int64_t{1} << 40) + transfer;
        Publish(payout_topic_, object,
                Seal(message.GetTypeName(), {domain::PaymentId(object), version},
                     domain::EventId(object << 3 | version), Day(), message.SerializeAsString())
                    .bytes);
    }
    void PublishAnswer(const PaymentClaim& claim, std::int64_t by = 0) {
        Publish(payout_topic_, claim.key.payment.value(), SealAnswer(claim, by).bytes);
    }
    void PublishHold(std::int64_t merchant, std::uint32_t version, const std::string& reason) {
        Publish(payout_topic_, kHolds + merchant, SealHold(merchant, version, reason).bytes);
    }
    void PublishMarks(const std::string& topic, const std::string& service) {
        const auto mark =
            event::SealMark({Day(), kPartitions, service}, 1, FromMicros(1'800'000'000'000'000))
                .value();
        for (int partition = 0; partition < kPartitions; ++partition) {
            ASSERT_THAT(producer_->Produce({.topic = topic,
                                            .partition = partition,
                                            .key = {},
                                            .value = mark,
                                            .traceparent = {}}),
                        IsOk());
        }
    }
    std::int64_t Matched() {
        return schema_.Count("SELECT COUNT(*) FROM change_match WHERE state = 3");
    }
    std::int64_t Summed() {
        return schema_.Count("SELECT COALESCE(SUM(item_count), 0) FROM matched_day_total");
    }
    std::int64_t Digested() {
        return schema_.Count("SELECT COALESCE(SUM(row_count), 0) FROM day_digest");
    }
    struct DeadLetter {
        std::int64_t object_id = 0;
        std::string reason{};
    };
    std::vector<DeadLetter> DeadLetters(const std::string& topic) {
        auto session = schema_.pool().Acquire(5s);
        KESSAI_CHECK(session.ok(), session.status().ToString());
        auto rows = (*session)->Select(
            mysql::Query{"test.dead_letters",
                         "SELECT object_id, reason FROM dead_letter WHERE topic = ?"},
            topic);
        KESSAI_CHECK(rows.ok(), rows.status().ToString());
        std::vector<DeadLetter> letters;
        while (rows->Next()) letters.push_back({rows->Int(0), rows->Text(1)});
        return letters;
    }
    static domain::BookRow RowOf(const PaymentClaim& claim) {
        return {claim.key, claim.terms.merchant, claim.terms.gross.minor()};
    }

    const digest::RowHasher hasher_{digest::RowHasher::Key{1, 2, 3}};
    testing::ReconciliationSchema schema_;
    kafka::ConnectionOptions connection_;
    const std::string payment_topic_ = kessai::testing::UniqueName("payment_events");
    const std::string payout_topic_ = kessai::testing::UniqueName("payout_events");
    const std::string own_topic_ = kessai::testing::UniqueName("reconciliation_events");
    const std::string dead_letters_ = kessai::testing::UniqueName("dead_letters");
    const std::string group_ = kessai::testing::UniqueName("reconciliation");
    bool ignore_effect_keys_ = false;
    Deliveries deliveries_;
    std::unique_ptr<kafka::Producer> producer_;
    metrics::Registry registry_;
    ReconciliationMetrics metrics_{registry_};
    app::MatchChanges match_{hasher_, SystemClock()};
    app::NoteHolds note_holds_{SystemClock()};
    app::NoteTransfers note_transfers_{SystemClock()};
    app::RecordConflicts record_conflicts_{SystemClock()};
    const domain::OutsideAccounts outside_accounts_ =
        domain::OutsideAccounts::Make({{.name = "main-bank", .number = "1", .transfers = true},
                                       {.name = "atm", .number = "2", .top_up_sources = {"atm"}}})
            .value();
    testing::FakePeerBook payment_book_{hasher_};
    testing::FakePeerBook payout_book_{hasher_};
    app::CompareDay compare_{{schema_.transactions(), schema_.leases(), payment_book_, payout_book_,
                              hasher_, SystemClock()}};
    DayRunWorker runs_{{.poll_every = 20ms, .retry = {.retry_first = 50ms}},
                       schema_.transactions(),
                       compare_,
                       metrics_,
                       SystemClock()};
    std::vector<std::unique_ptr<Replica>> replicas_;
};

// Goal: what events say must move outside is expected once, however often they come, and is matched
// with a bank's statement; one that says something else becomes a dead letter, and the rest goes
// on.
TEST_F(EventFlowTest, TransfersAndTopUpsAreExpectedOutsideAndMatched) {
    StartReplica();
    const auto items = [&] { return schema_.Count("SELECT COUNT(*) FROM outside_item"); };
    for (int again = 0; again < 2; ++again) {
        Publish(payout_topic_, kTransfers + 7, SealTransfer(7, 2, 9'000).bytes);
        Publish(payout_topic_, kTransfers + 8, SealTransfer(8, 2, 4'000).bytes);
        Publish(payout_topic_, kTransfers + 8, SealTransfer(8, 3, 4'000).bytes);
        Publish(payment_topic_, 4'000'001, SealTopUp(4'000'001, 10'000, "atm").bytes);
        Publish(payment_topic_, 4'000'002, SealTopUp(4'000'002, 11'000, "development").bytes);
    }
    Publish(PaymentSays(1));
    PublishAnswer(PaymentSays(1));
    EXPECT_EVENTUALLY(items() == 4);
    // The same key again with another content, behind which nothing of that object is applied.
    Publish(payout_topic_, kTransfers + 7, SealTransfer(7, 2, 9'001).bytes);
    EXPECT_EVENTUALLY(DeadLetters(payout_topic_).size() == 1);
    // And one that makes no sense.
    Publish(payout_topic_, kTransfers + 10, SealTransfer(10, 2, 0).bytes);
    EXPECT_EVENTUALLY(DeadLetters(payout_topic_).size() == 2);
    std::map<std::int64_t, std::string> reasons;
    for (const DeadLetter& letter : DeadLetters(payout_topic_)) {
        reasons[letter.object_id - kTransfers] = letter.reason;
    }
    EXPECT_EQ(reasons, (std::map<std::int64_t, std::string>{{7, "EFFECT_CONFLICT"},
                                                            {10, "PAYLOAD_MALFORMED"}}));
    Publish(payout_topic_, kTransfers + 9, SealTransfer(9, 2, 6'000).bytes);
    EXPECT_EVENTUALLY(items() == 5);
    EXPECT_EVENTUALLY(Matched() == 1);
    EXPECT_EQ(schema_.Count("SELECT SUM(amount) FROM outside_item WHERE account = 'main-bank'"),
              -9'000 - 4'000 + 4'000 - 6'000);

    storage::MysqlOutsideTransactions transactions(schema_.pool(), schema_.ids());
    const auto& clock = SystemClock();
    app::OutsideEnquiries enquiries(transactions, outside_accounts_, clock);
    app::ImportStatement import({}, transactions, outside_accounts_, clock);
    app::MatchOutside match({}, transactions, outside_accounts_, clock);
    ASSERT_OK(
        enquiries.PutTemplate("bank",
                              "name: bank\nencoding: utf_8\naccount: \"1\"\ndate: yyyy-MM-dd\n"
                              "columns: {booked: day, amount: amount, references: [edi]}\n",
                              "aiko"));
    ASSERT_OK(enquiries.PutRules("main-bank",
                                 "rules: [{name: reference, action: match, reference_equal: true, "
                                 "days_before: 1, days_after: 5}]",
                                 "aiko"));
    const std::string day = Day().Next().ToString();
    const std::string content = "day,amount,edi\n" + day + ",-9000,00000000000000000007\n" + day +
                                ",4000,00000000000000000008\n" + day + ",-1,\n";
    ASSERT_OK(import.Run(
        {.format = app::StatementFormat::kCsv, .template_name = "bank", .content = content},
        "aiko"));
    const auto run = match.Run("main-bank", app::DayRange::All(), "aiko");
    ASSERT_OK(run);
    EXPECT_EQ(run->matches_made, 2);
    EXPECT_EQ(run->looked_at.expected, 4);
    const auto left = enquiries.ListUnmatched(
        {.account = "main-bank", .side = domain::OutsideSide::kExpected, .limit = 10});
    ASSERT_OK(left);
    EXPECT_THAT(*left, SizeIs(2));
}

// Goal: a merchant that payout holds back is a discrepancy until payout says that it is released,
// however often that is told, and stays what it is when an old notice comes again.
TEST_F(EventFlowTest, MerchantsHeldBackAreDiscrepanciesUntilReleased) {
    StartReplica();
    for (std::int64_t merchant = 1; merchant <= 40; ++merchant) {
        PublishHold(merchant, 1, "RECOUNT_DIFFERS");
        PublishHold(merchant, 1, "RECOUNT_DIFFERS");
    }
    PublishHold(7, 2, "FEE_DIFFERS");
    PublishHold(7, 3, "");
    PublishHold(8, 2, "");
    PublishHold(7, 1, "RECOUNT_DIFFERS");
    // Of the same change something else.
    Publish(payout_topic_, kHolds + 9, SealHold(9, 1, "SEAL_BROKEN").bytes);
    // Of nobody knows whom.
    PublishHold(0, 1, "EVENT_PARKED");
    const auto open = [&] {
        return schema_.Count("SELECT COUNT(*) FROM discrepancy WHERE kind = 12 AND state = 1");
    };
    const auto repaired = [&] {
        return schema_.Count("SELECT COUNT(*) FROM discrepancy WHERE kind = 12 AND state = 4");
    };
    ASSERT_EVENTUALLY(open() == 39 && repaired() == 2);
    ASSERT_EVENTUALLY(DeadLetters(payout_topic_).size() == 1);
    EXPECT_EQ(DeadLetters(payout_topic_)[0].object_id, kHolds + 9);
    EXPECT_EQ(schema_.Count("SELECT COUNT(*) FROM noted_hold"), 44);
    EXPECT_EQ(schema_.Count("SELECT COUNT(*) FROM discrepancy"), 41);
    EXPECT_EQ(schema_.Count("SELECT step_count FROM discrepancy WHERE held_merchant = 7"), 3);
    EXPECT_EQ(schema_.Count("SELECT COUNT(*) FROM discrepancy WHERE merchant_id = held_merchant"),
              41);
    EXPECT_EQ(schema_.Count("SELECT COUNT(*) FROM discrepancy WHERE held_merchant = 3 AND "
                            "evidence LIKE 'RECOUNT_DIFFERS: it differs; totals: gross 1000%900%'"),
              1);
    // A run of the day neither finds nor settles them.
    runs_.Start();
    PublishMarks(payment_topic_, "payment");
    PublishMarks(payout_topic_, "payout");
    ASSERT_EVENTUALLY(schema_.Count("SELECT COUNT(*) FROM day_run WHERE state = 2") == 1);
    EXPECT_EQ(open(), 39);
}

// Goal: both orders of arrival and any repetition give one match, summed once.
TEST_F(EventFlowTest, EitherOrderAndRepeatsMatchOnce) {
    const auto first = PaymentSays(1, 1, 1'000);
    const auto refund = PaymentSays(1, 2, -300);
    const auto second = PaymentSays(2, 1, 500);
    StartReplica();
    Publish(first);
    Publish(first);
    Publish(refund);
    PublishAnswer(second);
    PublishAnswer(second);
    ASSERT_EVENTUALLY(schema_.Count("SELECT COUNT(*) FROM change_match") == 3);
    PublishAnswer(first);
    PublishAnswer(refund);
    PublishAnswer(first);
    Publish(second);
    Publish(second);
    ASSERT_EVENTUALLY(Matched() == 3);
    // Repeats that come later still.
    Publish(first);
    PublishAnswer(refund);
    const auto last = PaymentSays(1, 3, 7);
    Publish(last);
    PublishAnswer(last);
    ASSERT_EVENTUALLY(Matched() == 4);
    EXPECT_EQ(Summed(), 4);
    EXPECT_EQ(Digested(), 4);
    EXPECT_EQ(schema_.Count("SELECT SUM(gross) FROM matched_day_total"), 1'207);
    EXPECT_THAT(DeadLetters(payment_topic_), IsEmpty());
    EXPECT_THAT(DeadLetters(payout_topic_), IsEmpty());
    EXPECT_EQ(schema_.Count("SELECT COUNT(*) FROM discrepancy"), 0);
}

// Goal: changes of payment that are new cost no look-up and answers one a batch; where answers came
// first, payment's are found all the same, and repeats of either are dropped.
TEST_F(EventFlowTest, EachBatchLooksUpOnceAtMost) {
    Replica& replica = StartReplica();
    constexpr int kPayments = 200;
    for (int payment = 1; payment <= kPayments; ++payment) Publish(PaymentSays(payment));
    ASSERT_EVENTUALLY(schema_.Count("SELECT COUNT(*) FROM change_match") == kPayments);
    EXPECT_EQ(replica.look_ups(), 0);

    for (int payment = 1; payment <= kPayments; ++payment) PublishAnswer(PaymentSays(payment));
    ASSERT_EVENTUALLY(Matched() == kPayments);
    EXPECT_GT(replica.look_ups(), 0);
    EXPECT_EVENTUALLY(replica.Metric("kessai_inbox_batch_events_count", payout_topic_) ==
                      replica.look_ups());
    EXPECT_EQ(replica.Metric("kessai_inbox_assumptions_refused_total"), 0);

    // Answers first, and everything again.
    for (int payment = 1; payment <= kPayments; ++payment) {
        PublishAnswer(PaymentSays(payment, 2));
        PublishAnswer(PaymentSays(payment));
    }
    ASSERT_EVENTUALLY(schema_.Count("SELECT COUNT(*) FROM change_match WHERE state = 2") ==
                      kPayments);
    for (int payment = 1; payment <= kPayments; ++payment) {
        Publish(PaymentSays(payment));
        Publish(PaymentSays(payment, 2));
    }
    ASSERT_EVENTUALLY(Matched() == 2 * kPayments);
    ASSERT_EVENTUALLY(replica.Metric("kessai_inbox_repeated_total") == 2 * kPayments);
    // In each partition once at least.
    EXPECT_GE(replica.Metric("kessai_inbox_assumptions_refused_total"), kPartitions);
    EXPECT_EQ(Summed(), 2 * kPayments);
    EXPECT_EQ(Digested(), 2 * kPayments);
    EXPECT_THAT(DeadLetters(payment_topic_), IsEmpty());
    EXPECT_THAT(DeadLetters(payout_topic_), IsEmpty());
}

// Goal: what was applied and rolled back is not counted with what is committed after it.
TEST_F(EventFlowTest, OnlyWhatIsCommittedIsCounted) {
    Replica& replica = StartReplica();
    inbox::Handler& handler = replica.payment_handler();
    const std::vector<inbox::Delivery> deliveries{
        {.event = event::Open(Seal(PaymentSays(1)).bytes).value(), .traceparent = {}}};
    const inbox::Batch batch{.topic = payment_topic_, .partition = 0, .deliveries = deliveries};
    const inbox::Batch of_repeats{.topic = payment_topic_, .partition = 0, .deliveries = {}};
    const auto roll_back = [&] {
        ASSERT_OK_AND_ASSIGN(const auto session, replica.pool().Acquire(5s));
        ASSERT_OK_AND_ASSIGN(const auto transaction, mysql::Transaction::Begin(*session));
        inbox::Rejections rejections;
        ASSERT_THAT(handler.Apply(*session, batch, rejections), IsOk());
        EXPECT_TRUE(rejections.empty());
    };
    const auto counted = [&](int changes) {
        return ::testing::HasSubstr(
            "\nkessai_reconciliation_begun_changes_total{side=\"payment\"} " +
            std::to_string(changes) + "\n");
    };
    roll_back();
    handler.OnCommitted(of_repeats);
    EXPECT_THAT(registry_.Expose(), counted(0));
    roll_back();
    handler.OnDropped(payment_topic_, 0);
    handler.OnCommitted(batch);
    EXPECT_THAT(registry_.Expose(), counted(0));
    Publish(PaymentSays(1));
    EXPECT_EVENTUALLY(registry_.Expose().find("begun_changes_total{side=\"payment\"} 1\n") !=
                      std::string::npos);
}

// Goal: with the look-up for repeats switched off for a test, both sides still meet at their rows.
TEST_F(EventFlowTest, SidesMeetWithoutTheLookUpForRepeats) {
    ignore_effect_keys_ = true;
    StartReplica();
    for (int payment = 1; payment <= 50; ++payment) {
        const auto claim = PaymentSays(payment);
        if (payment % 2 == 0) PublishAnswer(claim);
        Publish(claim);
        if (payment % 2 == 1) PublishAnswer(claim);
    }
    ASSERT_EVENTUALLY(Matched() == 50);
    EXPECT_EQ(Summed(), 50);
    EXPECT_THAT(DeadLetters(payment_topic_), IsEmpty());
    EXPECT_THAT(DeadLetters(payout_topic_), IsEmpty());
}

// Goal: what is not for reconciliation passes by; what differs is recorded with both sides.
TEST_F(EventFlowTest, DifferencesAndEventsOfOthers) {
    StartReplica();
    payment::v1::WalletChanged wallet;
    wallet.set_kind(payment::v1::WalletChanged::TOPPED_UP);
    Publish(payment_topic_, 8,
            Seal("kessai.payment.v1.WalletChanged", {domain::PaymentId(8), 1}, domain::EventId(90),
                 Day(), wallet.SerializeAsString())
                .bytes);
    Publish(payment_topic_, 8,
            Seal("kessai.payment.v1.FromTheFuture", {domain::PaymentId(8), 2}, domain::EventId(91),
                 Day(), "anything")
                .bytes);
    // A hold moves nothing, and payout answers it all the same.
    auto held = PayloadOf(PaymentSays(9, 1));
    held.set_kind(payment::v1::PaymentChanged::AUTHORIZED);
    Publish(payment_topic_, 9,
            Seal("kessai.payment.v1.PaymentChanged", {domain::PaymentId(9), 1}, domain::EventId(93),
                 Day(), held.SerializeAsString())
                .bytes);
    const auto claim = PaymentSays(9, 2);
    Publish(claim);
    PublishAnswer(claim, 1);
    ASSERT_EVENTUALLY(schema_.Count("SELECT COUNT(*) FROM change_match WHERE state = 4") == 1);
    EXPECT_EQ(schema_.Count("SELECT COUNT(*) FROM change_match"), 2);
    EXPECT_EQ(schema_.Count("SELECT gross FROM change_match WHERE version = 1"), 0);
    EXPECT_EQ(schema_.Count("SELECT payout_gross - payment_gross FROM discrepancy"), 1);
    EXPECT_EQ(Summed(), 0);
    EXPECT_THAT(DeadLetters(payment_topic_), IsEmpty());
    EXPECT_THAT(DeadLetters(payout_topic_), IsEmpty());
}

// Goal: what becomes of transfers and the release of a day are noted once, however often they are
// told, and what cannot follow is a discrepancy.
TEST_F(EventFlowTest, TransfersAndReleasesAreNoted) {
    StartReplica();
    PublishTransfer<payout::v1::TransferCreated>(9, 1);
    PublishTransfer<payout::v1::TransferCreated>(9, 1);
    PublishTransfer<payout::v1::TransferSent>(9, 2);
    PublishTransfer<payout::v1::TransferSettled>(9, 3);
    PublishTransfer<payout::v1::TransferReturned>(9, 4);
    PublishTransfer<payout::v1::TransferCreated>(10, 1);
    PublishTransfer<payout::v1::TransferCancelled>(10, 2);
    payout::v1::DayReleased released;
    released.set_business_date(Day().ToNumber());
    released.set_currency("JPY");
    released.set_merchant_count(2);
    released.set_gross(1'000);
    released.set_net(1'000);
    for (int times = 0; times < 2; ++times) {
        Publish(payout_topic_, Day().ToNumber(),
                Seal(released.GetTypeName(), {domain::PaymentId(Day().ToNumber()), 1},
                     domain::EventId(5), Day(1), released.SerializeAsString())
                    .bytes);
    }
    ASSERT_EVENTUALLY(schema_.Count("SELECT COUNT(*) FROM noted_transfer_step") == 6);
    ASSERT_EVENTUALLY(schema_.Count("SELECT COUNT(*) FROM noted_release") == 1);
    EXPECT_EQ(schema_.Count("SELECT asked FROM due_payout_check"), 1);
    EXPECT_EQ(schema_.Count("SELECT COUNT(*) FROM discrepancy"), 0);

    // Nobody told that it was made, and one is told again with another amount.
    PublishTransfer<payout::v1::TransferSettled>(11, 3);
    PublishTransfer<payout::v1::TransferSettled>(9, 3, 501);
    ASSERT_EVENTUALLY(schema_.Count("SELECT COUNT(*) FROM discrepancy WHERE kind = 25") == 1);
    ASSERT_EVENTUALLY(schema_.Count("SELECT COUNT(*) FROM discrepancy WHERE kind = 23") == 1);
    EXPECT_EQ(schema_.Count("SELECT held_merchant FROM discrepancy WHERE kind = 23"), 9);
    ASSERT_EVENTUALLY(DeadLetters(payout_topic_).size() == 1);
}

// Goal: a change that is told again and otherwise, by either side, is a dead letter and a
// discrepancy with the value of what was not applied.
TEST_F(EventFlowTest, DuplicatesAreDiscrepancies) {
    StartReplica();
    const auto claim = PaymentSays(1, 1, 1'000);
    Publish(claim);
    PublishAnswer(claim);
    ASSERT_EVENTUALLY(Matched() == 1);
    auto again = claim;
    again.terms.gross = Yen(900);
    Publish(again);
    // The same, but for its event id.
    const auto other = PaymentSays(2, 1, 50);
    Publish(other);
    PublishAnswer(other);
    ASSERT_EVENTUALLY(Matched() == 2);
    PublishAnswer(other, 5);
    ASSERT_EVENTUALLY(schema_.Count("SELECT COUNT(*) FROM discrepancy WHERE kind = 15") == 2);
    EXPECT_EQ(schema_.Count("SELECT payment_gross FROM discrepancy WHERE payment_id = 1"), 900);
    EXPECT_EQ(schema_.Count("SELECT payout_gross FROM discrepancy WHERE payment_id = 2"), 55);
    EXPECT_EQ(schema_.Count("SELECT gross FROM change_match WHERE payment_id = 1"), 1'000);
    EXPECT_THAT(DeadLetters(payment_topic_), SizeIs(1));
    EXPECT_THAT(DeadLetters(payout_topic_), SizeIs(1));
}

// Goal: a poisoned event becomes a dead letter with its reason; later events of its payment wait
// behind it, all others go on.
TEST_F(EventFlowTest, PoisonIsSetAside) {
    StartReplica();
    const auto bad = [&](std::int64_t payment, const std::string& payload) {
        Publish(payment_topic_, payment,
                Seal("kessai.payment.v1.PaymentChanged", {domain::PaymentId(payment), 1},
                     domain::EventId(payment * 10 + 1), Day(), payload)
                    .bytes);
    };
    const auto changed = [&](std::int64_t payment, auto change) {
        auto message = PayloadOf(PaymentSays(payment));
        change(message);
        bad(payment, message.SerializeAsString());
    };
    bad(1, "\xff\xff\xff");
    changed(2, [](auto& message) { message.set_amount(-5); });
    changed(3, [](auto& message) { message.set_currency("XXX"); });
    changed(4, [](auto& message) { message.set_payment_id(44); });
    changed(5, [](auto& message) { message.set_amount(std::int64_t{1} << 62); });
    changed(6, [](auto& message) { message.set_merchant_id(0); });
    changed(7, [](auto& message) {
        message.set_kind(static_cast<payment::v1::PaymentChanged::Kind>(99));
    });
    Publish(payment_topic_, 8, "no envelope");
    Publish(PaymentSays(1, 2));
    Publish(PaymentSays(100));
    auto other = PaymentSays(100);
    other.terms.gross = Yen(1);
    Publish(other);
    Publish(PaymentSays(100, 2));
    Publish(PaymentSays(200));

    ASSERT_EVENTUALLY(DeadLetters(payment_topic_).size() == 9);
    std::map<std::int64_t, std::string> reasons;
    for (const auto& letter : DeadLetters(payment_topic_)) {
        reasons[letter.object_id] = letter.reason;
    }
    EXPECT_EQ(reasons[1], "PAYLOAD_MALFORMED");
    EXPECT_EQ(reasons[2], "AMOUNT_NEGATIVE");
    EXPECT_EQ(reasons[3], "CURRENCY_UNKNOWN");
    EXPECT_EQ(reasons[4], "PAYLOAD_MALFORMED");
    EXPECT_EQ(reasons[5], "CLAIM_INVALID");
    EXPECT_EQ(reasons[6], "CLAIM_INVALID");
    EXPECT_EQ(reasons[7], "KIND_UNKNOWN");
    EXPECT_EQ(reasons[100], "EFFECT_CONFLICT");
    ASSERT_EVENTUALLY(schema_.Count("SELECT COUNT(*) FROM parked_event") == 2);
    ASSERT_EVENTUALLY(schema_.Count("SELECT COUNT(*) FROM change_match") == 2);
    EXPECT_EQ(schema_.Count("SELECT COUNT(*) FROM change_match WHERE payment_id = 200"), 1);
    EXPECT_EQ(schema_.Count("SELECT gross FROM change_match WHERE payment_id = 100"), 1'000);
}

// Goal: what is missing when both sides have closed the day is found by itself, is published, and
// is settled by its late answer.
TEST_F(EventFlowTest, MissingSideAtTheClose) {
    outbox::RelayOptions relay_options;
    relay_options.topics = {{own_topic_, kPartitions}, {dead_letters_, kPartitions}};
    relay_options.producer.connection = connection_;
    outbox::Relay relay(relay_options, schema_.pool(), registry_);
    relay.Start();
    StartReplica();
    runs_.Start();
    std::vector<PaymentClaim> claims;
    for (int payment = 1; payment <= 300; ++payment) {
        claims.push_back(PaymentSays(payment, 1, payment));
        payment_book_.Put(Day(), RowOf(claims.back()));
        // The third misses in payout altogether, of the seventh the event was lost.
        if (payment != 3) payout_book_.Put(Day(), RowOf(claims.back()));
    }
    payment_book_.KeepDigests();
    payout_book_.KeepDigests();
    for (const auto& claim : claims) {
        Publish(claim);
        if (claim.key.payment.value() != 3 && claim.key.payment.value() != 7) PublishAnswer(claim);
    }
    PublishMarks(payment_topic_, "payment");
    PublishMarks(payout_topic_, "payout");
    PublishMarks(payout_topic_, "payout");

    ASSERT_EVENTUALLY(schema_.Count("SELECT COUNT(*) FROM day_run WHERE state = 3") == 1);
    EXPECT_EQ(Matched(), 298);
    EXPECT_EQ(schema_.Count("SELECT COUNT(*) FROM discrepancy"), 2);
    EXPECT_EQ(schema_.Count("SELECT COUNT(*) FROM discrepancy WHERE payment_id = 3 AND kind = 1"),
              1);
    EXPECT_EQ(schema_.Count("SELECT COUNT(*) FROM discrepancy WHERE payment_id = 7 AND kind = 9"),
              1);
    EXPECT_EQ(schema_.Count("SELECT COUNT(*) FROM change_match WHERE overdue = 1"), 2);

    PublishAnswer(claims[6]);
    ASSERT_EVENTUALLY(schema_.Count("SELECT state FROM discrepancy WHERE payment_id = 7") == 4);
    EXPECT_EQ(schema_.Count("SELECT state FROM discrepancy WHERE payment_id = 3"), 1);
    // Two findings, one settlement, one run.
    ASSERT_EVENTUALLY(schema_.Count("SELECT COUNT(*) FROM outbox") == 0);
    relay.Stop();
    EXPECT_EQ(schema_.Count("SELECT COUNT(*) FROM discrepancy_step"), 3);
}

// Goal: marks that are not this source's, or of no partition of it, open no day.
TEST_F(EventFlowTest, MisplacedMarksAreSetAside) {
    StartReplica();
    PublishMarks(payment_topic_, "payout");
    Publish(PaymentSays(1));
    ASSERT_EVENTUALLY(schema_.Count("SELECT COUNT(*) FROM change_match") == 1);
    ASSERT_EVENTUALLY(DeadLetters(payment_topic_).size() == 4);
    for (const auto& letter : DeadLetters(payment_topic_)) EXPECT_EQ(letter.reason, "MARK_INVALID");
    EXPECT_EQ(schema_.Count("SELECT COUNT(*) FROM day_mark"), 0);
}

// Goal: lost connections, lost commit replies and a replica that joins and dies in mid-flow change
// nothing: everything is matched and summed exactly once.
// Method: two replicas over proxies that cut connections at random, and replies to COMMIT; one of
// them is stopped and another one joins; all events are published twice.
TEST_F(EventFlowTest, LossAndRebalanceChangeNothing) {
    const auto seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    const auto& database = schema_.options();
    kessai::testing::TcpProxy proxy(database.host, database.port);
    auto over_proxy = database;
    over_proxy.port = proxy.port();
    StartReplica(over_proxy);

    constexpr int kPayments = 3'000;
    std::vector<PaymentClaim> claims;
    for (int payment = 1; payment <= kPayments; ++payment) {
        claims.push_back(PaymentSays(payment, 1, 1, 1 + payment % 20));
    }
    constexpr int kChunks = 12;
    for (int chunk = 0; chunk < 2 * kChunks; ++chunk) {
        for (int i = 0; i < kPayments / kChunks; ++i) {
            const auto at = static_cast<std::size_t>((chunk % kChunks) * (kPayments / kChunks) + i);
            Publish(claims[at]);
            PublishAnswer(claims[at]);
        }
        proxy.LoseReplyTo("COMMIT");
        const int before = proxy.cuts();
        (void)kessai::testing::Eventually([&] { return proxy.cuts() > before; }, 300ms);
        if (random() % 3 == 0) proxy.CutAll();
        if (chunk == 4) StartReplica(over_proxy);
        if (chunk == 12) replicas_.front()->Stop();
    }
    EXPECT_GT(proxy.cuts(), 0);
    ASSERT_EVENTUALLY(Matched() == kPayments);
    EXPECT_EQ(schema_.Count("SELECT COUNT(*) FROM change_match"), kPayments);
    EXPECT_EQ(Summed(), kPayments);
    EXPECT_EQ(Digested(), kPayments);
    EXPECT_EQ(schema_.Count("SELECT COUNT(*) FROM discrepancy"), 0);
    EXPECT_THAT(DeadLetters(payment_topic_), IsEmpty());
    EXPECT_THAT(DeadLetters(payout_topic_), IsEmpty());
}

}  // namespace
}  // namespace kessai::reconciliation::transport
