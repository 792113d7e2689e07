#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <sstream>

#include "app/day_keeper.h"
#include "kessai/event/bucket.h"
#include "kessai/event/envelope.h"
#include "kessai/event/mark.h"
#include "kessai/inbox/consumer.h"
#include "kessai/inbox/dead_letters.h"
#include "kessai/kafka/producer.h"
#include "kessai/kafka/topic_admin.h"
#include "kessai/outbox/relay.h"
#include "kessai/payout/v1/payout_event.pb.h"
#include "kessai/testing/eventually.h"
#include "kessai/testing/kafka_broker.h"
#include "kessai/testing/tcp_proxy.h"
#include "kessai/testing/temp_dir.h"
#include "tests/payout_fixture.h"
#include "tests/reference.h"

namespace kessai::payout {
namespace {

using namespace std::chrono_literals;
using domain::MerchantId;
using testing::Eventually;
using testing::IsOk;

const BusinessDate kDay = Day(20261122);
constexpr int kDeadLetterPartitions = 3;

/// The value of a metric in the text that a scrape gets, over all its labels.
double Sum(const metrics::Registry& registry, const std::string& name) {
    std::istringstream text(registry.Expose());
    double sum = 0;
    for (std::string line; std::getline(text, line);) {
        if (line.rfind(name, 0) == 0 && line.find(' ') != std::string::npos) {
            sum += std::stod(line.substr(line.rfind(' ')));
        }
    }
    return sum;
}

/// Runs another handler, and lets a test in before it applies a batch and after it committed one.
class HookedHandler final : public inbox::Handler {
 public:
    HookedHandler(
        inbox::Handler& inner, std::function<void()> before_apply,
        std::function<void()> after_commit = [] {})
        : inner_(inner),
          before_apply_(std::move(before_apply)),
          after_commit_(std::move(after_commit)) {}

    bool RefusesRepeats() const override { return inner_.RefusesRepeats(); }
    Status FindEffects(mysql::Session& session, std::span<const inbox::EffectKey> keys,
                       inbox::Effects& effects) override {
        return inner_.FindEffects(session, keys, effects);
    }
    Status Apply(mysql::Session& session, const inbox::Batch& batch,
                 inbox::Rejections& rejections) override {
        before_apply_();
        return inner_.Apply(session, batch, rejections);
    }
    Status ApplyMark(mysql::Session& session, const inbox::Mark& mark) override {
        return inner_.ApplyMark(session, mark);
    }
    Status PublishDeadLetters(mysql::Session& session,
                              std::span<const outbox::Entry> entries) override {
        return inner_.PublishDeadLetters(session, entries);
    }
    void OnCommitted(const inbox::Batch& batch) override {
        inner_.OnCommitted(batch);
        after_commit_();
    }

 private:
    inbox::Handler& inner_;
    const std::function<void()> before_apply_;
    const std::function<void()> after_commit_;
};

/// Keeps what is in a topic, by partition, in order. Marks are kept as events of object 0.
class KeepingHandler final : public inbox::Handler {
 public:
    Status FindEffects(mysql::Session&, std::span<const inbox::EffectKey>,
                       inbox::Effects&) override {
        return OkStatus();
    }
    // Within the transaction, because a mark of the same batch is applied before it commits; what
    // is kept twice when one is run again does no harm here.
    Status Apply(mysql::Session&, const inbox::Batch& batch, inbox::Rejections&) override {
        const std::lock_guard lock(mutex_);
        for (const auto& delivery : batch.deliveries) {
            kept_[batch.partition].push_back(delivery.event);
        }
        return OkStatus();
    }
    Status ApplyMark(mysql::Session&, const inbox::Mark& mark) override {
        const std::lock_guard lock(mutex_);
        event::Envelope envelope;
        envelope.type = event::kBusinessDayClosedType;
        envelope.business_date = mark.day.business_date;
        kept_[mark.partition].push_back(envelope);
        return OkStatus();
    }
    Status PublishDeadLetters(mysql::Session&, std::span<const outbox::Entry>) override {
        return Status(Code::kInternal, "UNEXPECTED", "a result event that cannot be read");
    }
    std::map<int, std::vector<event::Envelope>> kept() const {
        const std::lock_guard lock(mutex_);
        return kept_;
    }
    std::size_t Count(std::string_view type) const {
        std::size_t count = 0;
        for (const auto& [partition, events] : kept()) {
            count += static_cast<std::size_t>(
                std::count_if(events.begin(), events.end(),
                              [&](const event::Envelope& event) { return event.type == type; }));
        }
        return count;
    }

 private:
    mutable std::mutex mutex_;
    std::map<int, std::vector<event::Envelope>> kept_;
};

class IgnoreDeliveries final : public kafka::DeliveryListener {
 public:
    void OnDeliveries(std::span<const kafka::Delivery> deliveries) override {
        for (const auto& delivery : deliveries) EXPECT_THAT(delivery.status, IsOk());
    }
};

/// The service's parts between a real broker and a real database.
class StreamTest : public PayoutTest {
 protected:
    StreamTest() {
        connection_.brokers = testing::KafkaBroker::Shared().address();
        connection_.statistics_every = 200ms;
        for (const auto& [topic, partitions] :
             {std::pair(payment_topic_, kPartitions), std::pair(payout_topic_, kPartitions),
              std::pair(dead_topic_, kDeadLetterPartitions)}) {
            EXPECT_OK(
                kafka::CreateTopic(connection_, {.name = topic, .partitions = partitions}, 30s));
        }
        kafka::ProducerOptions producer;
        producer.connection = connection_;
        producer.linger = 1ms;
        producer_ = kafka::Producer::Create(producer, deliveries_).value();

        outbox::RelayOptions relay;
        relay.topics = {{payout_topic_, kPartitions}, {dead_topic_, kDeadLetterPartitions}};
        relay.producer.connection = connection_;
        payout_ = std::make_unique<Payout>(schema_->options(), Inbox(), [this] { Notify(); });
        relay_ = std::make_unique<outbox::Relay>(relay, payout_->pool, relay_metrics_);
        relay_->Start();
    }
    ~StreamTest() override {
        relay_->Stop();
        relay_ = nullptr;
    }

    storage::InboxName Inbox() const { return {group_, payment_topic_}; }
    void Notify() {
        if (relay_) relay_->Notify((1u << outbox::kShards) - 1);
    }

    inbox::ConsumerOptions ConsumerOptions() const {
        inbox::ConsumerOptions options;
        options.client.connection = connection_;
        options.client.group = group_;
        options.client.topic = payment_topic_;
        options.client.session_timeout = 6s;
        options.client.heartbeat_every = 500ms;
        options.partitions = kPartitions;
        options.dead_letter_partitions = kDeadLetterPartitions;
        options.batch_every = 2ms;
        options.backoff_max = 500ms;
        return options;
    }
    static std::unique_ptr<inbox::Consumer> Consume(const inbox::ConsumerOptions& options,
                                                    mysql::Pool& pool, inbox::Handler& handler,
                                                    metrics::Registry& registry) {
        auto consumer = std::make_unique<inbox::Consumer>(options, pool, handler, registry);
        EXPECT_OK(consumer->Start());
        return consumer;
    }
    std::unique_ptr<inbox::Consumer> Consume(const inbox::ConsumerOptions& options,
                                             inbox::Handler& handler, metrics::Registry& registry) {
        return Consume(options, payout_->pool, handler, registry);
    }
    std::unique_ptr<inbox::Consumer> Consume() {
        return Consume(ConsumerOptions(), payout_->handler, payout_->metrics);
    }

    void Produce(int partition, const std::string& key, const std::string& value) {
        EXPECT_OK(producer_->Produce({.topic = payment_topic_,
                                      .partition = partition,
                                      .key = key,
                                      .value = value,
                                      .traceparent = {}}));
    }
    void Publish(std::vector<domain::PaymentChange> changes) {
        for (domain::PaymentChange& change : changes) {
            const std::string sealed = SealPaymentEvent(change);
            Produce(PartitionOf(change), change.key.payment.ToString(), sealed);
        }
        EXPECT_OK(producer_->Flush(30s));
    }
    void PublishMarks(BusinessDate day) {
        const std::string mark =
            event::SealMark({day, kPartitions, "payment"}, day.ToNumber(), FromMicros(1)).value();
        for (int partition = 0; partition < kPartitions; ++partition) Produce(partition, "", mark);
        EXPECT_OK(producer_->Flush(30s));
    }

    std::int64_t Accruals() { return payout_->Number("SELECT COUNT(*) FROM accrual"); }
    domain::DayState StateOf(BusinessDate day) {
        const auto view = payout_->reader.FindDay(day);
        return view.ok() ? view->state : domain::DayState::kOpen;
    }
    std::vector<inbox::DeadLetter> DeadLetters() {
        auto session = payout_->pool.Acquire(5s);
        EXPECT_OK(session.status());
        inbox::DeadLetterFilter filter;
        filter.group = group_;
        filter.topic = payment_topic_;
        auto letters = inbox::ListDeadLetters(**session, filter);
        EXPECT_OK(letters.status());
        return *std::move(letters);
    }
    inbox::ReplayContext Replaying() const {
        inbox::ReplayContext context;
        context.group = group_;
        context.topic = payment_topic_;
        context.operator_name = "tester";
        context.note = "repaired";
        return context;
    }

    const std::string group_ = testing::UniqueName("payout");
    const std::string payment_topic_ = testing::UniqueName("payment_events");
    const std::string payout_topic_ = testing::UniqueName("payout_events");
    const std::string dead_topic_ = testing::UniqueName("payout_dlq");
    kafka::ConnectionOptions connection_;
    IgnoreDeliveries deliveries_;
    std::unique_ptr<kafka::Producer> producer_;
    metrics::Registry relay_metrics_;
    std::unique_ptr<outbox::Relay> relay_;
};

// Goal: the whole way. Payment's events become accruals, totals and result events; its marks close
// and release the day, our own marks stand behind all of the day's results, and DayReleased tells
// of it.
// Method: a random trade over two days and its marks, some events twice, through a real broker;
// what comes out is read back from the result topic.
TEST_F(StreamTest, DayGoesFromEventsToRelease) {
    Seeded random;
    auto changes = RandomTrade(random, 400, 12, 50'000, kDay, 2);
    std::stable_sort(changes.begin(), changes.end(), [](const auto& a, const auto& b) {
        return a.business_date < b.business_date;
    });
    std::vector<domain::PaymentChange> first_day;
    std::vector<domain::PaymentChange> second_day;
    for (const auto& change : changes) {
        (change.business_date == kDay ? first_day : second_day).push_back(change);
    }

    app::DayKeeper keeper(
        {.release_automatically = true, .poll_every = 20ms}, payout_->close_day,
        payout_->fix_month_volumes, payout_->release_day, payout_->day_store, SystemClock(),
        {.on_error = [](const Status& why) { ADD_FAILURE() << why.ToString(); }, .on_late = {}});
    keeper.Start();
    const auto consumer = Consume();
    Publish(first_day);
    Publish({first_day[0], first_day[1]});
    PublishMarks(kDay);
    Publish(second_day);
    ASSERT_EVENTUALLY(StateOf(kDay) == domain::DayState::kReleased);
    ASSERT_EVENTUALLY(Accruals() == static_cast<std::int64_t>(changes.size()));
    EXPECT_EQ(StateOf(kDay.Next()), domain::DayState::kOpen);
    EXPECT_TRUE(DeadLetters().empty());

    KeepingHandler results;
    inbox::ConsumerOptions reading = ConsumerOptions();
    reading.client.group = testing::UniqueName("reader");
    reading.client.topic = payout_topic_;
    metrics::Registry registry;
    const auto reader = Consume(reading, results, registry);
    ASSERT_EVENTUALLY(results.Count(event::kBusinessDayClosedType) ==
                      static_cast<std::size_t>(kPartitions));
    ASSERT_EVENTUALLY(results.Count("kessai.payout.v1.AccrualRecorded") >= changes.size());
    ASSERT_EVENTUALLY(results.Count("kessai.payout.v1.DayReleased") == 1);

    domain::PlanBook plans;
    const auto default_plans = payout_->reader.ListPlans(MerchantId(), 0, 100).value();
    for (const auto& [plan, put] : default_plans.plans) plans.Add(plan);
    const auto expected = ReferenceAccruals(changes, plans);
    std::map<domain::EffectKey, int> seen;
    domain::ReleaseSums released;
    for (const auto& [partition, events] : results.kept()) {
        bool marked = false;
        for (const event::Envelope& event : events) {
            if (event.type == event::kBusinessDayClosedType) {
                EXPECT_EQ(event.business_date, kDay);
                marked = true;
                continue;
            }
            EXPECT_EQ(event::PartitionOf(event.object_id, kPartitions), partition);
            if (event.type == "kessai.payout.v1.DayReleased") {
                v1::DayReleased message;
                ASSERT_TRUE(message.ParseFromString(event.payload));
                EXPECT_EQ(message.business_date(), kDay.ToNumber());
                EXPECT_EQ(event.object_id, kDay.ToNumber());
                EXPECT_EQ(event.version, message.round() + 1);
                EXPECT_GT(event.business_date, kDay);
                released = {message.merchant_count(),
                            message.held_back_count(),
                            message.gross(),
                            message.fee(),
                            message.tax(),
                            message.net()};
                continue;
            }
            EXPECT_FALSE(marked && event.business_date == kDay) << "a result behind its day's mark";
            v1::AccrualRecorded message;
            ASSERT_TRUE(message.ParseFromString(event.payload));
            const domain::EffectKey key{domain::PaymentId(event.object_id), event.version};
            ASSERT_TRUE(expected.contains(key));
            const domain::Accrual& accrual = expected.at(key);
            EXPECT_EQ(event.business_date, accrual.business_date);
            EXPECT_EQ(message.merchant_id(), accrual.merchant.value());
            EXPECT_EQ(message.gross(), accrual.gross);
            EXPECT_EQ(message.fee(), accrual.fee);
            EXPECT_EQ(message.payment_event_id(), accrual.event.value());
            EXPECT_EQ(message.payment_content_hash().size(), 16u);
            ++seen[key];
        }
        EXPECT_TRUE(marked);
    }
    EXPECT_EQ(seen.size(), expected.size());
    ASSERT_OK_AND_ASSIGN(const auto sums, payout_->release_day.Run(kDay, true));
    EXPECT_EQ(released, sums);
    reader->Stop();
    consumer->Stop();
    keeper.Stop();
}

domain::FeePlan Plan(std::int64_t merchant) {
    domain::FeePlan plan;
    plan.merchant = MerchantId(merchant);
    plan.effective_from = Day(20200101);
    plan.terms.rate_basis_points = 198;
    return plan;
}

// Goal: a poisoned event becomes a dead letter with its reason, later events of its payment wait,
// its merchant's day stays open and is held back while the others close and are released; replayed,
// the merchant is released in a further round, and its day is closed too.
// Method: a merchant without a plan, which then gets its first.
TEST_F(StreamTest, ParkedEventHoldsItsMerchantOnly) {
    payout_->Run("DELETE FROM fee_plan");
    ASSERT_OK(payout_->put_fee_plan.Run(Plan(8), "tester").status());
    const auto consumer = Consume();
    const auto sale = Sale(101, 7, kDay, 1'000);
    Publish({sale, Refund(sale, 2, kDay, 300, 0), Sale(102, 8, kDay, 2'000)});
    PublishMarks(kDay);
    ASSERT_EVENTUALLY(Accruals() == 1 && DeadLetters().size() == 1 && DeadLetters()[0].parked == 1);
    const auto letters = DeadLetters();
    EXPECT_EQ(letters[0].reason, "PLAN_MISSING");
    EXPECT_EQ(letters[0].object_id, 101);
    ASSERT_EVENTUALLY(payout_->close_day.RunOnce().ok() &&
                      StateOf(kDay) == domain::DayState::kClosed);

    ASSERT_OK_AND_ASSIGN(auto sums, payout_->release_day.Run(kDay, false));
    EXPECT_EQ(sums.merchant_count, 1);
    EXPECT_EQ(sums.held_back_count, 1);
    EXPECT_EQ(sums.gross, 2'000);
    ASSERT_OK_AND_ASSIGN(const auto held, payout_->reader.ListHeldBack(kDay));
    ASSERT_EQ(held.size(), 1u);
    EXPECT_EQ(held[0].merchant, MerchantId(7));
    EXPECT_EQ(held[0].reason, domain::HoldReason::kEventParked);
    ASSERT_OK_AND_ASSIGN(const auto same, payout_->release_day.Run(kDay, false));
    EXPECT_EQ(same, sums);

    // The day is closed for everybody else.
    Publish({Sale(103, 8, kDay, 1)});
    ASSERT_EVENTUALLY(DeadLetters().size() == 2);

    ASSERT_OK(payout_->put_fee_plan.Run(Plan(7), "tester").status());
    ASSERT_OK_AND_ASSIGN(const auto replayed, inbox::Replay(payout_->pool, payout_->handler,
                                                            Replaying(), letters[0].id));
    EXPECT_EQ(replayed.applied, 2);
    ASSERT_OK_AND_ASSIGN(sums, payout_->release_day.Run(kDay, true));
    EXPECT_EQ(sums.merchant_count, 2);
    EXPECT_EQ(sums.held_back_count, 0);
    EXPECT_EQ(sums.gross, 2'700);
    EXPECT_EQ(payout_->Number("SELECT COUNT(*) FROM merchant_hold WHERE seal IS NOT NULL"), 1);
    EXPECT_EQ(payout_->Number("SELECT COUNT(*) FROM release_round"), 2);

    // Now it is closed for merchant 7 too.
    Publish({Sale(104, 7, kDay, 1)});
    ASSERT_EVENTUALLY(DeadLetters().size() == 2 && DeadLetters()[0].reason == "DAY_CLOSED" &&
                      DeadLetters()[1].reason == "DAY_CLOSED");
    EXPECT_EQ(Accruals(), 3);
}

// Goal: an event that nobody can read holds nobody's money back, and is shown; settled, it goes.
TEST_F(StreamTest, UnreadableEventIsShownAndHoldsNobody) {
    const auto consumer = Consume();
    Publish({Sale(102, 8, kDay, 2'000)});
    Produce(event::PartitionOf(555, kPartitions), "555", "no event at all");
    PublishMarks(kDay);
    ASSERT_EVENTUALLY(Accruals() == 1 && DeadLetters().size() == 1);
    ASSERT_EVENTUALLY(payout_->close_day.RunOnce().ok() &&
                      StateOf(kDay) == domain::DayState::kClosed);
    ASSERT_OK_AND_ASSIGN(const auto sums, payout_->release_day.Run(kDay, false));
    EXPECT_EQ(sums.merchant_count, 1);
    EXPECT_EQ(sums.held_back_count, 0);
    ASSERT_OK_AND_ASSIGN(auto held, payout_->reader.ListHeldBack(kDay));
    ASSERT_EQ(held.size(), 1u);
    EXPECT_TRUE(held[0].merchant.is_none());

    ASSERT_OK(
        inbox::Discard(payout_->pool, payout_->handler, Replaying(), DeadLetters()[0].id).status());
    ASSERT_OK(payout_->release_day.Run(kDay, false).status());
    ASSERT_OK_AND_ASSIGN(held, payout_->reader.ListHeldBack(kDay));
    EXPECT_TRUE(held.empty());
}

// Goal: the same change with other content is never dropped and never accrued twice.
TEST_F(StreamTest, ConflictingContentBecomesADeadLetter) {
    const auto consumer = Consume();
    Publish({Sale(201, 7, kDay, 1'000)});
    ASSERT_EVENTUALLY(Accruals() == 1);
    Publish({Sale(201, 7, kDay, 1'001), Sale(202, 7, kDay.Next(), 5)});
    ASSERT_EVENTUALLY(Accruals() == 2 && DeadLetters().size() == 1);
    EXPECT_EQ(DeadLetters()[0].reason, "EFFECT_CONFLICT");
    EXPECT_EQ(payout_->Number("SELECT SUM(gross) FROM merchant_day_total"), 1'005);
    // The dead letter is on its way to its topic too.
    ASSERT_EVENTUALLY(payout_->Number("SELECT COUNT(*) FROM outbox") == 0);
}

// Goal: new payments are accrued without a look-up, and a repeat is still dropped: also one of a
// day that is closed by now, which as a new event would be refused.
TEST_F(StreamTest, RepeatIsDroppedThoughNewEventsAreNotLookedUp) {
    const auto consumer = Consume();
    const auto sale = Sale(201, 7, kDay, 1'000);
    Publish({sale});
    PublishMarks(kDay);
    ASSERT_EVENTUALLY(payout_->Number("SELECT COUNT(closed_through) FROM slot_gate") ==
                      kPartitions);
    EXPECT_EQ(Sum(payout_->metrics, "kessai_inbox_assumptions_refused_total"), 0);
    std::int64_t neighbour = 202;
    while (PartitionOf(Sale(neighbour, 7, kDay, 1)) != PartitionOf(sale)) ++neighbour;
    Publish({Sale(neighbour, 7, kDay.Next(), 5), sale, Sale(neighbour + 1, 7, kDay.Next(), 6)});
    ASSERT_EVENTUALLY(Accruals() == 3);
    ASSERT_EVENTUALLY(Sum(payout_->metrics, "kessai_inbox_repeated_total") == 1);
    EXPECT_EQ(Sum(payout_->metrics, "kessai_inbox_assumptions_refused_total"), 1);
    EXPECT_EQ(Sum(payout_->metrics, "kessai_payout_events_refused_total"), 0);
    EXPECT_TRUE(DeadLetters().empty());
    EXPECT_EQ(payout_->Number("SELECT SUM(gross) FROM merchant_day_total"), 1'011);
    EXPECT_EQ(payout_->Number("SELECT SUM(row_count) FROM day_digest"), 3);
}

class RebalanceTest : public StreamTest, public ::testing::WithParamInterface<bool> {
 protected:
    static constexpr int kSales = 600;

    void PublishSales() {
        std::vector<domain::PaymentChange> changes;
        for (std::int64_t i = 0; i < kSales; ++i) {
            changes.push_back(Sale(10'000 + i, 1 + i % 5, kDay, 1'000));
        }
        Publish(changes);
    }
    inbox::ConsumerOptions SmallBatches() const {
        inbox::ConsumerOptions options = ConsumerOptions();
        options.ignore_effect_keys_for_test = GetParam();
        options.batch_events_max = 10;
        // The longest of a group's members is how long a rebalance waits for each of them.
        options.client.poll_interval_max = 7s;
        return options;
    }
    void ExpectEachAccruedOnce() {
        EXPECT_TRUE(DeadLetters().empty());
        EXPECT_EQ(Accruals(), kSales);
        EXPECT_EQ(payout_->Number("SELECT COUNT(DISTINCT payment_id) FROM accrual"), kSales);
        EXPECT_EQ(payout_->Number("SELECT SUM(item_count) FROM merchant_day_total"), kSales);
        EXPECT_EQ(payout_->Number("SELECT SUM(gross) FROM merchant_day_total"), kSales * 1'000);
        EXPECT_EQ(payout_->Number("SELECT SUM(fee) FROM merchant_day_total"),
                  payout_->Number("SELECT SUM(fee) FROM accrual"));
        EXPECT_EQ(payout_->Number("SELECT SUM(row_count) FROM day_digest"), kSales);
        EXPECT_EQ(payout_->Number("SELECT SUM(next_offset) FROM consumer_offset"), kSales);
    }
};

// Goal: a partition that changes hands in mid-batch is accrued once; with the effects' look-up off
// it is the offset's compare-and-set alone that shows it.
// Method: the first member stays in a batch of each partition until the second, to whom half of
// them went, has tried the same batches; then the first commits. What the second had is refused by
// the offset, and counted.
TEST_P(RebalanceTest, PartitionChangingHandsIsAccruedOnce) {
    PublishSales();
    inbox::ConsumerOptions options = SmallBatches();
    options.workers = kPartitions;
    options.revoke_wait = 0s;

    metrics::Registry second_metrics;
    std::atomic<int> in_batch{0};
    std::atomic<bool> go{false};
    Payout holding(schema_->options(), Inbox());
    HookedHandler stalls(holding.handler, [&] {
        ++in_batch;
        EXPECT_EVENTUALLY(go);
    });
    const auto first = Consume(options, holding.pool, stalls, holding.metrics);
    ASSERT_EVENTUALLY(in_batch == kPartitions);
    Payout other(schema_->options(), Inbox());
    const auto second = Consume(options, other.pool, other.handler, second_metrics);
    // It waits for the rows that those transactions have locked, until the database gives up on it;
    // then it tries again.
    EXPECT_EVENTUALLY(Sum(second_metrics, "kessai_inbox_batch_retries_total") > 0);
    go = true;
    ASSERT_EVENTUALLY(Accruals() == kSales);
    first->Stop();
    second->Stop();
    EXPECT_GE(Sum(second_metrics, "kessai_inbox_offset_refusals_total"), 1);
    ExpectEachAccruedOnce();
}

// Goal: a member that goes on with its batches after it was put out of the group, and others have
// applied them, changes nothing; each such batch is refused by the offset, and counted.
// Method: the first member's way to the database stops moving when each partition has committed a
// batch and is about to begin its next. It does not answer the rebalance within its time-out, so
// that the second gets all partitions and applies what there is. Then the first's statements
// arrive.
TEST_P(RebalanceTest, MemberThatWasPutOutIsRefused) {
    PublishSales();
    testing::TcpProxy proxy(schema_->options().host, schema_->options().port);
    mysql::ConnectOptions stalling = schema_->options();
    stalling.port = proxy.port();
    stalling.read_timeout = 120s;
    Payout stalled(stalling, Inbox());
    inbox::ConsumerOptions options = SmallBatches();
    options.workers = kPartitions;
    options.revoke_wait = 60s;

    std::atomic<int> committed{0};
    std::atomic<bool> frozen{false};
    HookedHandler stops(
        stalled.handler, [] {},
        [&] {
            if (frozen) return;
            // No transaction is open any more when the last of them gets here.
            if (++committed == kPartitions) {
                proxy.Freeze(true);
                frozen = true;
            }
            EXPECT_EVENTUALLY(frozen);
        });
    metrics::Registry second_metrics;
    Payout other(schema_->options(), Inbox());
    const auto first = Consume(options, stalled.pool, stops, stalled.metrics);
    const struct Thaw {
        testing::TcpProxy& proxy;
        ~Thaw() { proxy.Freeze(false); }
    } thaw{proxy};
    ASSERT_EVENTUALLY(frozen);
    const auto begun = static_cast<double>(Accruals());
    EXPECT_LT(begun, kSales);

    const auto second = Consume(SmallBatches(), other.pool, other.handler, second_metrics);
    ASSERT_EVENTUALLY(Accruals() == kSales);
    EXPECT_EQ(Sum(second_metrics, "kessai_inbox_partitions_assigned"), kPartitions);
    EXPECT_EVENTUALLY(Sum(second_metrics, "kessai_inbox_applied_total") == kSales - begun);
    EXPECT_EQ(Sum(stalled.metrics, "kessai_inbox_offset_refusals_total"), 0);

    proxy.Freeze(false);
    ASSERT_EVENTUALLY(Sum(stalled.metrics, "kessai_inbox_offset_refusals_total") == kPartitions);
    first->Stop();
    second->Stop();
    EXPECT_EQ(Sum(stalled.metrics, "kessai_inbox_applied_total"), begun);
    ExpectEachAccruedOnce();
}

INSTANTIATE_TEST_SUITE_P(Effects, RebalanceTest, ::testing::Values(false, true),
                         [](const auto& param) {
                             return param.param ? "NotLookedAt" : "LookedAt";
                         });

}  // namespace
}  // namespace kessai::payout
