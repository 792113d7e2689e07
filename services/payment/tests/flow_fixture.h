#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "app/day_closer.h"
#include "kessai/event/bucket.h"
#include "kessai/event/envelope.h"
#include "kessai/event/mark.h"
#include "kessai/inbox/consumer.h"
#include "kessai/kafka/topic_admin.h"
#include "kessai/kafka/topic_reader.h"
#include "kessai/metrics/registry.h"
#include "kessai/outbox/relay.h"
#include "kessai/testing/eventually.h"
#include "kessai/testing/kafka_broker.h"
#include "kessai/testing/temp_dir.h"
#include "tests/ledger_fixture.h"
#include "transport/day_service.h"
#include "transport/event_encoder.h"
#include "transport/published_digests.h"

namespace kessai::payment {

inline constexpr int kPartitions = 4;

/// Where a test's events go.
struct FlowTopics {
    std::string brokers;
    std::string events;
    std::string dead_letters;
};

/// As main.cc wires it, with shorter waits.
inline outbox::RelayOptions RelayOptions(const FlowTopics& topics) {
    outbox::RelayOptions options;
    options.topics = {{topics.events, kPartitions}, {topics.dead_letters, kPartitions}};
    options.producer.connection.brokers = topics.brokers;
    options.producer.linger = std::chrono::milliseconds(1);
    options.lease_duration = std::chrono::seconds(2);
    options.lease_renew_every = std::chrono::milliseconds(200);
    options.lease_margin = std::chrono::milliseconds(500);
    options.poll_every = std::chrono::milliseconds(20);
    options.gather = std::chrono::milliseconds(5);
    options.delete_every = std::chrono::milliseconds(10);
    return options;
}

inline outbox::DeleteHook AddToDigests(const digest::RowHasher& hasher) {
    return [&hasher](mysql::Session& session, std::span<const outbox::Published> published) {
        return transport::AddPublishedToDigests(session, published, hasher);
    };
}

/// A ledger whose events are the service's own, and go through the service's relay to topics of the
/// test's own on a real broker.
class FlowTest : public LedgerTest {
 protected:
    FlowTest() {
        auto session = pool_.Acquire(std::chrono::seconds(5)).value();
        const mysql::MigrationSet inbox[] = {inbox::Migrations()};
        EXPECT_OK(mysql::Migrate(*session, inbox));
        connection_.brokers = topics_.brokers;
        for (const std::string& topic : {topics_.events, topics_.dead_letters}) MakeTopic(topic);
    }

    const app::EventEncoder& encoder() const override { return sealed_; }

    void MakeTopic(const std::string& topic) {
        EXPECT_OK(kafka::CreateTopic(connection_, {.name = topic, .partitions = kPartitions},
                                     std::chrono::seconds(30)));
    }

    std::unique_ptr<outbox::Relay> StartRelay(mysql::Pool& pool) {
        auto relay = std::make_unique<outbox::Relay>(RelayOptions(topics_), pool, registry_,
                                                     AddToDigests(hasher_));
        relay->Start();
        return relay;
    }
    std::unique_ptr<outbox::Relay> StartRelay() { return StartRelay(pool_); }
    std::int64_t OutboxRows() { return Number("SELECT COUNT(*) FROM outbox"); }
    /// By a relay of its own.
    void PublishAll() {
        const auto relay = StartRelay();
        ASSERT_EVENTUALLY(OutboxRows() == 0);
    }
    /// As if Kafka had it all.
    void DrainOutbox() { Run("DELETE FROM outbox"); }

    BusinessDate OpenDay() { return days_.Read().value().open_date; }
    /// A number of a day: `sql` ends where the date belongs.
    std::int64_t NumberOf(std::string sql, BusinessDate day) {
        return Number(sql += "'" + day.ToString() + "'");
    }
    std::int64_t JournalsOf(BusinessDate day) {
        return NumberOf("SELECT COUNT(*) FROM journal WHERE business_date = ", day);
    }

    static app::DayCloserOptions CloserOptions() {
        return {.scheduled = false,
                .poll_every = std::chrono::milliseconds(20),
                .partition_count = kPartitions};
    }

    struct Message {
        int partition = 0;
        std::string key;
        std::string value;
    };
    /// All that a topic holds now, each partition's in order.
    std::vector<Message> Read(const std::string& topic) {
        constexpr Duration kWithin = std::chrono::seconds(30);
        std::vector<Message> messages;
        const auto reader = kafka::TopicReader::Open(connection_, topic, kWithin).value();
        const auto ranges = reader->QueryRanges(kWithin).value();
        EXPECT_OK(reader->Read(ranges, kWithin, [&](const kafka::TopicRecord& record) {
            messages.push_back(
                {record.partition, std::string(record.key), std::string(record.value)});
        }));
        return messages;
    }
    /// The events among them (marks too), opened.
    struct Event {
        int partition = 0;
        event::Envelope envelope;
    };
    std::vector<Event> ReadEvents() {
        std::vector<Event> events;
        for (const Message& message : Read(topics_.events)) {
            events.push_back({message.partition, event::Open(message.value).value()});
        }
        return events;
    }
    /// How often each partition has the day's mark, by (day, partition).
    std::map<std::pair<BusinessDate, int>, int> ReadMarks() {
        std::map<std::pair<BusinessDate, int>, int> marks;
        for (const Event& event : ReadEvents()) {
            if (!event::IsMark(event.envelope)) continue;
            const auto mark = event::OpenMark(event.envelope).value();
            EXPECT_EQ(mark.service, "payment");
            EXPECT_EQ(mark.partition_count, kPartitions);
            ++marks[{mark.business_date, event.partition}];
        }
        return marks;
    }
    /// Every partition has the mark of each of the days, once.
    static std::map<std::pair<BusinessDate, int>, int> MarkedOnce(
        const std::vector<BusinessDate>& days) {
        std::map<std::pair<BusinessDate, int>, int> marks;
        for (const BusinessDate day : days) {
            for (int partition = 0; partition < kPartitions; ++partition) {
                marks[{day, partition}] = 1;
            }
        }
        return marks;
    }

    /// Pays `amount` by codes that are made for it, one order each.
    std::vector<domain::Payment> GivenPayments(app::BatchExecutor& executor, domain::UserId user,
                                               int count, std::int64_t amount) {
        std::vector<domain::Command> commands;
        for (int i = 0; i < count; ++i) {
            commands.push_back(Order("given-" + std::to_string(orders_++), amount));
        }
        std::vector<domain::Command> pays;
        for (const auto& created : Execute(executor, std::move(commands))) {
            pays.push_back(Pay(PaymentOf(created), user));
        }
        std::vector<domain::Payment> payments;
        for (const auto& paid : Execute(executor, std::move(pays))) {
            payments.push_back(PaymentOf(paid));
        }
        return payments;
    }

    const FlowTopics topics_{testing::KafkaBroker::Shared().address(),
                             testing::UniqueName("payment_events"),
                             testing::UniqueName("dead_letters")};
    kafka::ConnectionOptions connection_;
    const transport::ProtoEventEncoder sealed_;
    metrics::Registry registry_;
    int orders_ = 0;
};

}  // namespace kessai::payment
