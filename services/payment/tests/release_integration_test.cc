// Goal: each release that payout publishes is cleared by exactly one journal, whatever is repeated,
// damaged or lost on the way; what cannot be cleared is set aside with its reason, holds back what
// comes later of its date alone, and is cleared when it is replayed.
// Method: the service's consumer, relay and dead-letter desk over a real MariaDB and a real broker;
// a topic that the test writes as payout does; a proxy that cuts connections and loses the replies
// to commits; a constraint that only the test adds, for what is repaired later.

#include <algorithm>
#include <array>
#include <limits>
#include <sstream>

#include "kessai/event/v1/dead_letter.pb.h"
#include "kessai/inbox/dead_letter_desk.h"
#include "kessai/kafka/producer.h"
#include "kessai/payment/v1/payment_event.pb.h"
#include "kessai/payout/v1/payout_event.pb.h"
#include "kessai/testing/tcp_proxy.h"
#include "storage/mysql_release_ledger.h"
#include "tests/flow_fixture.h"
#include "transport/release_consumer.h"

namespace kessai::payment {
namespace {

using namespace std::chrono_literals;

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::Refuses;
using ::testing::SizeIs;

const BusinessDate kDay = BusinessDate::FromNumber(20261122).value();
constexpr std::string_view kDayReleased = "kessai.payout.v1.DayReleased";

class Deliveries final : public kafka::DeliveryListener {
 public:
    void OnDeliveries(std::span<const kafka::Delivery> deliveries) override {
        for (const auto& delivery : deliveries) EXPECT_THAT(delivery.status, IsOk());
    }
};

payout::v1::DayReleased PayloadOf(BusinessDate day, std::int64_t gross, std::uint32_t round = 0) {
    payout::v1::DayReleased message;
    message.set_business_date(day.ToNumber());
    message.set_currency("JPY");
    message.set_merchant_count(1);
    message.set_gross(gross);
    message.set_net(gross);
    message.set_round(round);
    return message;
}

/// Sealed as payout seals it.
std::string Seal(std::string_view type, std::int64_t object, std::uint32_t version,
                 const std::string& payload) {
    return event::Seal({.type = type,
                        .object_id = object,
                        .version = version,
                        .event_id = object * 10 + version,
                        .business_date = kDay,
                        .occurred_at = FromMicros(1'800'000'000'000'000),
                        .payload = payload})
        .value();
}
std::string SealRelease(BusinessDate day, std::int64_t gross, std::uint32_t round = 0) {
    return Seal(kDayReleased, day.ToNumber(), round + 1,
                PayloadOf(day, gross, round).SerializeAsString());
}

class ReleaseTest : public FlowTest {
 protected:
    /// What a process of the service has for payout's events.
    class Replica {
     public:
        Replica(ReleaseTest& test, const mysql::ConnectOptions& database)
            : pool_({.connect = database, .sessions_max = 4}),
              handler_(test.ledger_, test.Services()),
              consumer_(test.ConsumerOptions(), pool_, handler_, registry_) {
            EXPECT_OK(consumer_.Start());
        }
        void Stop() { consumer_.Stop(); }
        const metrics::Registry& registry() const { return registry_; }

     private:
        mysql::Pool pool_;
        metrics::Registry registry_;
        transport::ReleaseConsumer handler_;
        inbox::Consumer consumer_;
    };

    ReleaseTest() {
        MakeTopic(payout_topic_);
        kafka::ProducerOptions producer;
        producer.connection = connection_;
        producer.linger = 1ms;
        producer_ = kafka::Producer::Create(producer, deliveries_).value();
        desk_.Add(ConsumerOptions(), handler_);
    }
    ~ReleaseTest() override {
        for (auto& replica : replicas_) replica->Stop();
    }

    inbox::ConsumerOptions ConsumerOptions() const {
        inbox::ConsumerOptions options;
        options.client.connection = connection_;
        options.client.group = group_;
        options.client.topic = payout_topic_;
        options.client.session_timeout = 6s;
        options.client.heartbeat_every = 500ms;
        options.partitions = kPartitions;
        options.dead_letter_topic = 1;
        options.dead_letter_partitions = kPartitions;
        options.workers = 1;
        options.batch_every = 2ms;
        options.backoff_max = 200ms;
        return options;
    }
    Replica& StartReplica(const mysql::ConnectOptions& database) {
        return *replicas_.emplace_back(std::make_unique<Replica>(*this, database));
    }
    Replica& StartReplica() { return StartReplica(schema_->options()); }

    void Publish(int partition, const std::string& key, const std::string& value) {
        ASSERT_OK(producer_->Produce(
            {.topic = payout_topic_, .partition = partition, .key = key, .value = value}));
        ++published_[static_cast<std::size_t>(partition)];
    }
    void Publish(std::int64_t object, const std::string& value) {
        Publish(event::PartitionOf(object, kPartitions), std::to_string(object), value);
    }
    void PublishRelease(BusinessDate day, std::int64_t gross, std::uint32_t round = 0) {
        Publish(day.ToNumber(), SealRelease(day, gross, round));
    }
    /// Whether all that was published was applied, set aside or parked.
    bool AllRead() {
        auto session = pool_.Acquire(5s).value();
        const auto offsets = inbox::LoadOffsets(*session, group_, payout_topic_).value();
        std::int64_t read = 0;
        for (const inbox::PartitionOffset& offset : offsets) {
            const auto at = static_cast<std::size_t>(offset.partition);
            EXPECT_LE(offset.next_offset, published_[at]);
            read += offset.next_offset;
        }
        std::int64_t all = 0;
        for (const std::int64_t count : published_) all += count;
        return read == all;
    }

    std::int64_t ClearingsOf(BusinessDate day) {
        return Number("SELECT COUNT(*) FROM journal WHERE kind = 5 AND object_id = " +
                      std::to_string(day.ToNumber()));
    }
    std::int64_t ClearedGrossOf(BusinessDate day) {
        return Number("SELECT SUM(amount) FROM journal WHERE kind = 5 AND object_id = " +
                      std::to_string(day.ToNumber()));
    }
    /// The sum of the postings of an account that nobody owns.
    std::int64_t BalanceOf(domain::AccountKind account) {
        return Number("SELECT SUM(amount) FROM posting WHERE owner_id = 0 AND kind = " +
                      std::to_string(static_cast<int>(account)));
    }
    /// Every journal of a release has its effect's key, and the other way round.
    void ExpectEffectsOfJournals() {
        EXPECT_EQ(Number("SELECT COUNT(*) FROM journal JOIN release_clearing "
                         "USING (object_id, version) WHERE kind = 5"),
                  Number("SELECT COUNT(*) FROM release_clearing"));
        EXPECT_EQ(Number("SELECT COUNT(*) FROM journal WHERE kind = 5"),
                  Number("SELECT COUNT(*) FROM release_clearing"));
        ExpectBooksBalance();
    }

    std::vector<inbox::v1::DeadLetter> OpenLetters() {
        inbox::v1::ListDeadLettersRequest request;
        request.set_page_size(200);
        const auto page = desk_.List(request);
        EXPECT_OK(page);
        return {page->dead_letters().begin(), page->dead_letters().end()};
    }
    /// What the dead-letter topic holds, once the relay has published all.
    std::vector<event::v1::DeadLetter> PublishedLetters() {
        PublishAll();
        std::vector<event::v1::DeadLetter> letters;
        for (const Message& message : Read(topics_.dead_letters)) {
            event::v1::DeadLetter letter;
            EXPECT_TRUE(letter.ParseFromString(message.value));
            EXPECT_EQ(letter.key(), message.key);
            EXPECT_EQ(letter.consumer_group(), group_);
            EXPECT_EQ(letter.topic(), payout_topic_);
            letters.push_back(std::move(letter));
        }
        return letters;
    }
    static inbox::v1::SettleDeadLetterRequest Settle(const inbox::v1::DeadLetter& letter) {
        inbox::v1::SettleDeadLetterRequest request;
        request.set_dead_letter(letter.dead_letter());
        request.set_note("looked into");
        return request;
    }
    static std::int64_t Metric(const metrics::Registry& registry, const std::string& name) {
        std::istringstream lines(registry.Expose());
        double sum = 0;
        for (std::string line; std::getline(lines, line);) {
            if (line.starts_with(name + "{") || line.starts_with(name + " ")) {
                sum += std::stod(line.substr(line.rfind(' ')));
            }
        }
        return static_cast<std::int64_t>(sum);
    }

    const std::string payout_topic_ = testing::UniqueName("payout_events");
    const std::string group_ = testing::UniqueName("payment");
    storage::MysqlReleaseLedger ledger_{store_, storage::kGateSlots - 1};
    transport::ReleaseConsumer handler_{ledger_, Services()};
    inbox::DeadLetterDesk desk_{pool_, SystemClock()};
    Deliveries deliveries_;
    std::unique_ptr<kafka::Producer> producer_;
    std::array<std::int64_t, kPartitions> published_{};
    std::vector<std::unique_ptr<Replica>> replicas_;
};

// Goal: a release makes one journal of two postings, dated by the gate, and one event; each round
// of a date makes its own; repeats make nothing.
TEST_F(ReleaseTest, AReleaseIsClearedByOneJournal) {
    const BusinessDate today = OpenDay();
    const Replica& replica = StartReplica();
    for (int i = 0; i < 3; ++i) PublishRelease(kDay, 12'345);
    ASSERT_EVENTUALLY(AllRead());
    EXPECT_EQ(ClearingsOf(kDay), 1);
    EXPECT_EQ(BalanceOf(domain::AccountKind::kPayableReleased), -12'345);
    EXPECT_EQ(BalanceOf(domain::AccountKind::kPayoutClearing), 12'345);
    EXPECT_EQ(JournalsOf(today), 1);

    // What was held back comes in a later round, on a later day; on it there were more refunds.
    ASSERT_OK(days_.MoveGates(today));
    PublishRelease(kDay, -50, 1);
    PublishRelease(kDay, 12'345);
    PublishRelease(kDay, -50, 1);
    ASSERT_EVENTUALLY(AllRead());
    EXPECT_EQ(ClearingsOf(kDay), 2);
    EXPECT_EQ(JournalsOf(today), 1);
    EXPECT_EQ(JournalsOf(today.Next()), 1);
    EXPECT_EQ(BalanceOf(domain::AccountKind::kPayableReleased), -12'295);
    EXPECT_EQ(BalanceOf(domain::AccountKind::kPayoutClearing), 12'295);
    // Counted behind the commit that AllRead sees.
    EXPECT_EVENTUALLY(Metric(replica.registry(), "kessai_inbox_repeated_total") == 4);
    ExpectEffectsOfJournals();
    EXPECT_THAT(OpenLetters(), IsEmpty());

    EXPECT_THAT(PublishedLetters(), IsEmpty());
    std::vector<std::int64_t> gross;
    for (const Event& event : ReadEvents()) {
        EXPECT_EQ(event.envelope.type, "kessai.payment.v1.ReleaseCleared");
        EXPECT_EQ(event.envelope.object_id, kDay.ToNumber());
        EXPECT_EQ(event.envelope.version, gross.size() + 1);
        EXPECT_EQ(event.envelope.business_date, gross.empty() ? today : today.Next());
        v1::ReleaseCleared cleared;
        ASSERT_TRUE(cleared.ParseFromString(event.envelope.payload));
        EXPECT_EQ(cleared.released_date(), kDay.ToNumber());
        EXPECT_EQ(cleared.currency(), "JPY");
        gross.push_back(cleared.gross());
    }
    EXPECT_THAT(gross, ElementsAre(12'345, -50));
}

// Goal: lost connections, lost replies to commits, and a replica that joins or leaves in mid-flow
// neither lose a release nor clear one twice.
// Method: two replicas over a proxy that cuts connections; all releases are published twice.
TEST_F(ReleaseTest, LossAndRebalanceClearOnce) {
    const auto& database = schema_->options();
    testing::TcpProxy proxy(database.host, database.port);
    auto over_proxy = database;
    over_proxy.host = "127.0.0.1";
    over_proxy.port = proxy.port();
    StartReplica(over_proxy);

    constexpr int kReleases = 120;
    constexpr int kChunk = 20;
    std::int64_t gross = 0;
    for (int i = 0; i < 2 * kReleases; ++i) {
        const int number = i % kReleases;
        PublishRelease(kDay.PlusDays(number), 100 + number);
        if (i < kReleases) gross += 100 + number;
        if (i % kChunk != kChunk - 1) continue;
        const int before = proxy.cuts();
        proxy.LoseReplyTo("COMMIT");
        ASSERT_OK(producer_->Flush(30s));
        ASSERT_EVENTUALLY(proxy.cuts() > before || AllRead());
        proxy.CutAll();
        if (i == 3 * kChunk - 1) StartReplica(over_proxy);
        if (i == 8 * kChunk - 1) replicas_.front()->Stop();
    }
    EXPECT_GT(proxy.cuts(), 0);
    ASSERT_EVENTUALLY(AllRead());
    EXPECT_EQ(Number("SELECT COUNT(*) FROM journal WHERE kind = 5"), kReleases);
    EXPECT_EQ(Number("SELECT SUM(entry_count) FROM outbox"), kReleases);
    EXPECT_EQ(BalanceOf(domain::AccountKind::kPayoutClearing), gross);
    EXPECT_THAT(OpenLetters(), IsEmpty());
    ExpectEffectsOfJournals();
}

// Goal: the other events of payout's topic pass by, and leave nothing: neither those whose object
// looks like a date, nor types that nobody knows yet, nor payout's marks.
TEST_F(ReleaseTest, EventsOfOthersPassBy) {
    StartReplica();
    payout::v1::AccrualRecorded accrual;
    accrual.set_merchant_id(7);
    accrual.set_currency("JPY");
    accrual.set_gross(100);
    const std::string payload = accrual.SerializeAsString();
    for (const std::int64_t object : {std::int64_t{1}, std::int64_t{kDay.ToNumber()},
                                      std::int64_t{kDay.ToNumber()} + (std::int64_t{1} << 32),
                                      std::numeric_limits<std::int64_t>::max() / 100}) {
        Publish(object, Seal("kessai.payout.v1.AccrualRecorded", object, 1, payload));
        Publish(object, Seal("kessai.payout.v1.FromTheFuture", object, 2, "\xff\xff"));
    }
    // Of the transfer whose number is the date's.
    const std::int64_t transfer = (std::int64_t{1} << 40) + kDay.ToNumber();
    const auto publish_transfer = [&](std::uint32_t version, std::string_view type) {
        Publish(transfer, Seal(type, transfer, version, ""));
    };
    publish_transfer(1, payout::v1::TransferCreated::descriptor()->full_name());
    publish_transfer(2, payout::v1::TransferSent::descriptor()->full_name());
    const auto mark =
        event::SealMark({kDay, kPartitions, "payout"}, 1, FromMicros(1'800'000'000'000'000))
            .value();
    for (int partition = 0; partition < kPartitions; ++partition) Publish(partition, "", mark);
    ASSERT_EVENTUALLY(AllRead());
    EXPECT_EQ(Number("SELECT COUNT(*) FROM release_clearing"), 0);
    EXPECT_EQ(Number("SELECT COUNT(*) FROM journal"), 0);
    EXPECT_EQ(OutboxRows(), 0);

    // The date's release is no repeat of another event of that key.
    PublishRelease(kDay, 100);
    ASSERT_EVENTUALLY(AllRead());
    EXPECT_EQ(ClearingsOf(kDay), 1);
    // Nor is a transfer's event one of the release's.
    publish_transfer(1, payout::v1::TransferCreated::descriptor()->full_name());
    publish_transfer(3, payout::v1::TransferFailed::descriptor()->full_name());
    publish_transfer(4, payout::v1::TransferReturned::descriptor()->full_name());
    // Nor that of one that was cancelled, which gives the merchant its money back in payout only.
    payout::v1::TransferCancelled cancelled;
    cancelled.set_merchant_id(7);
    cancelled.set_payout_id(8);
    cancelled.set_attempt(1);
    cancelled.set_currency("JPY");
    cancelled.set_amount(100);
    cancelled.set_reason("typed twice");
    Publish(transfer + 1, Seal(cancelled.GetDescriptor()->full_name(), transfer + 1, 2,
                               cancelled.SerializeAsString()));
    ASSERT_EVENTUALLY(AllRead());
    EXPECT_EQ(ClearingsOf(kDay), 1);
    EXPECT_THAT(OpenLetters(), IsEmpty());
    ExpectEffectsOfJournals();
}

// Goal: the same release with other content is never cleared and never dropped: an operator sees
// it.
TEST_F(ReleaseTest, OtherContentUnderTheSameKeyIsSetAside) {
    StartReplica();
    PublishRelease(kDay, 1'000);
    ASSERT_EVENTUALLY(AllRead());
    PublishRelease(kDay, 1'001);
    PublishRelease(kDay, 1'000);
    PublishRelease(kDay, 5, 1);
    PublishRelease(kDay.Next(), 70);
    ASSERT_EVENTUALLY(AllRead());
    EXPECT_EQ(ClearedGrossOf(kDay), 1'000);
    EXPECT_EQ(ClearingsOf(kDay), 1) << "the later round waits";
    EXPECT_EQ(ClearedGrossOf(kDay.Next()), 70);

    const auto letters = OpenLetters();
    ASSERT_THAT(letters, SizeIs(1));
    EXPECT_EQ(letters[0].reason(), "EFFECT_CONFLICT");
    EXPECT_EQ(letters[0].object_id(), kDay.ToNumber());
    EXPECT_EQ(letters[0].parked(), 2);
    const auto published = PublishedLetters();
    ASSERT_THAT(published, SizeIs(1));
    EXPECT_EQ(published[0].reason(), "EFFECT_CONFLICT");
    EXPECT_EQ(published[0].value(), SealRelease(kDay, 1'001));

    // It can only be settled by hand; what waited behind it then goes on.
    ASSERT_OK_AND_ASSIGN(const auto again, desk_.Replay(Settle(letters[0]), "operator"));
    EXPECT_EQ(again.stopped_by().reason(), "EFFECT_CONFLICT");
    ASSERT_OK_AND_ASSIGN(const auto settled, desk_.Discard(Settle(letters[0]), "operator"));
    EXPECT_EQ(settled.applied(), 1u);
    EXPECT_EQ(settled.repeated(), 1u);
    EXPECT_EQ(ClearingsOf(kDay), 2);
    EXPECT_EQ(ClearedGrossOf(kDay), 1'005);
    EXPECT_THAT(OpenLetters(), IsEmpty());
    ExpectEffectsOfJournals();
}

// Goal: what can never be cleared lands in the service's dead-letter topic as it was, each with its
// reason; later releases of its date wait behind it, and all others go on.
TEST_F(ReleaseTest, PoisonIsSetAsideWithItsReason) {
    StartReplica();
    std::map<std::int64_t, std::pair<std::string, std::string>> poison;  // object: reason, value
    const auto bad = [&](std::int64_t object, const std::string& reason, const std::string& value) {
        poison[object] = {reason, value};
        Publish(object, value);
    };
    int next = 0;
    const auto changed = [&](const std::string& reason, const auto& change) {
        const BusinessDate day = kDay.PlusDays(next++);
        auto message = PayloadOf(day, 100);
        change(message);
        bad(day.ToNumber(), reason,
            Seal(kDayReleased, day.ToNumber(), 1, message.SerializeAsString()));
    };
    bad(kDay.Previous().ToNumber(), "PAYLOAD_MALFORMED",
        Seal(kDayReleased, kDay.Previous().ToNumber(), 1, "\xff\xff\xff"));
    changed("CURRENCY_UNKNOWN", [](auto& message) { message.set_currency("XXX"); });
    changed("CURRENCY_UNKNOWN", [](auto& message) { message.clear_currency(); });
    changed("DATE_MALFORMED", [](auto& message) { message.set_business_date(20261399); });
    // The envelope speaks of another date or round than the message.
    changed("PAYLOAD_MALFORMED", [](auto& message) { message.set_business_date(20261121); });
    changed("PAYLOAD_MALFORMED", [](auto& message) { message.set_round(1); });
    changed("PAYLOAD_MALFORMED",
            [](auto& message) { message.set_round(std::numeric_limits<std::uint32_t>::max()); });
    // Its other posting would be out of range.
    changed("AMOUNT_OVERFLOW",
            [](auto& message) { message.set_gross(std::numeric_limits<std::int64_t>::min()); });
    bad(20261399, "DATE_MALFORMED", Seal(kDayReleased, 20261399, 1, [] {
            auto message = PayloadOf(kDay, 100);
            message.set_business_date(20261399);
            return message.SerializeAsString();
        }()));
    const BusinessDate unreadable = kDay.PlusDays(next++);
    bad(unreadable.ToNumber(), "EVENT_MALFORMED", "no envelope");
    const BusinessDate misplaced = kDay.PlusDays(next++);
    bad(misplaced.ToNumber(), "EVENT_KEY_MISMATCH", SealRelease(kDay.PlusDays(300), 100));

    // Good ones of the same dates behind them, and of dates of their own.
    for (int i = 0; i < next; ++i) PublishRelease(kDay.PlusDays(i), 7, 1);
    for (int i = 100; i < 110; ++i) PublishRelease(kDay.PlusDays(i), 1);
    ASSERT_EVENTUALLY(AllRead());
    EXPECT_EQ(Number("SELECT COUNT(*) FROM journal"), 10);
    EXPECT_EQ(BalanceOf(domain::AccountKind::kPayoutClearing), 10);
    EXPECT_EQ(Number("SELECT COUNT(*) FROM parked_event"), next);

    const auto published = PublishedLetters();
    EXPECT_EQ(published.size(), poison.size());
    for (const auto& letter : published) {
        SCOPED_TRACE(letter.object_id());
        EXPECT_EQ(letter.reason(), poison[letter.object_id()].first);
        EXPECT_EQ(letter.value(), poison[letter.object_id()].second);
        EXPECT_EQ(letter.key(), std::to_string(letter.object_id()));
    }
    // Discarding one lets go what waited behind it.
    for (const auto& letter : OpenLetters()) {
        ASSERT_OK(desk_.Discard(Settle(letter), "operator"));
    }
    EXPECT_EQ(Number("SELECT COUNT(*) FROM parked_event"), 0);
    EXPECT_EQ(Number("SELECT COUNT(*) FROM journal"), 10 + next);
    EXPECT_EQ(BalanceOf(domain::AccountKind::kPayoutClearing), 10 + 7 * next);
    ExpectEffectsOfJournals();
}

// Goal: a dead letter is cleared by its replay, once, and then what waited behind it, in order.
// Method: a constraint that only the test adds refuses an amount, and is taken away.
TEST_F(ReleaseTest, ADeadLetterIsReplayed) {
    Run("ALTER TABLE journal ADD CONSTRAINT poison CHECK (amount <> 13)");
    StartReplica();
    PublishRelease(kDay, 12);
    PublishRelease(kDay, 13, 1);
    PublishRelease(kDay.Next(), 40);
    PublishRelease(kDay, 14, 2);
    PublishRelease(kDay, 15, 3);
    ASSERT_EVENTUALLY(AllRead());
    EXPECT_EQ(ClearedGrossOf(kDay), 12);
    EXPECT_EQ(ClearedGrossOf(kDay.Next()), 40);
    auto letters = OpenLetters();
    ASSERT_THAT(letters, SizeIs(1));
    EXPECT_EQ(letters[0].reason(), "CONSTRAINT_VIOLATED");
    EXPECT_EQ(letters[0].version(), 2u);
    EXPECT_EQ(letters[0].parked(), 2);

    // Nothing is repaired yet.
    ASSERT_OK_AND_ASSIGN(const auto refused, desk_.Replay(Settle(letters[0]), "operator"));
    EXPECT_EQ(refused.applied(), 0u);
    EXPECT_EQ(refused.stopped_by().reason(), "CONSTRAINT_VIOLATED");
    EXPECT_EQ(refused.parked(), 2);
    EXPECT_EQ(ClearingsOf(kDay), 1);

    Run("ALTER TABLE journal DROP CONSTRAINT poison");
    ASSERT_OK_AND_ASSIGN(const auto replayed, desk_.Replay(Settle(letters[0]), "operator"));
    EXPECT_EQ(replayed.applied(), 3u);
    EXPECT_FALSE(replayed.has_stopped_by());
    EXPECT_EQ(ClearingsOf(kDay), 4);
    EXPECT_EQ(ClearedGrossOf(kDay), 12 + 13 + 14 + 15);
    EXPECT_EQ(Number("SELECT COUNT(*) FROM parked_event"), 0);
    EXPECT_THAT(OpenLetters(), IsEmpty());
    EXPECT_THAT(desk_.Replay(Settle(letters[0]), "operator"),
                Refuses(Code::kFailedPrecondition, inbox::reason::kDeadLetterSettled));

    // It goes on as if nothing had been, and a late repeat is one.
    PublishRelease(kDay, 13, 1);
    PublishRelease(kDay, 16, 4);
    ASSERT_EVENTUALLY(AllRead());
    EXPECT_EQ(ClearingsOf(kDay), 5);
    ExpectEffectsOfJournals();

    // Both attempts are in the dead-letter topic; the rounds' events are in their order.
    std::vector<int> attempts;
    for (const auto& letter : PublishedLetters()) {
        EXPECT_EQ(letter.reason(), "CONSTRAINT_VIOLATED");
        EXPECT_EQ(letter.value(), SealRelease(kDay, 13, 1));
        attempts.push_back(letter.attempt());
    }
    EXPECT_THAT(attempts, ElementsAre(1, 2));
    std::vector<std::uint32_t> versions;
    for (const Event& event : ReadEvents()) {
        if (event.envelope.object_id == kDay.ToNumber()) {
            versions.push_back(event.envelope.version);
        }
    }
    EXPECT_THAT(versions, ElementsAre(1u, 2u, 3u, 4u, 5u));
}

}  // namespace
}  // namespace kessai::payment
