#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "kessai/kafka/consumer_client.h"
#include "kessai/kafka/producer.h"
#include "kessai/kafka/topic_admin.h"
#include "kessai/testing/kafka_broker.h"
#include "kessai/testing/matchers.h"
#include "kessai/testing/temp_dir.h"

namespace kessai::kafka {

inline ConnectionOptions Connection(const testing::KafkaBroker& broker) {
    ConnectionOptions connection;
    connection.brokers = broker.address();
    return connection;
}

inline std::string MakeTopic(const testing::KafkaBroker& broker, int partitions) {
    const std::string name = testing::UniqueName("kafka");
    const Status status = CreateTopic(Connection(broker), {.name = name, .partitions = partitions},
                                      std::chrono::seconds(30));
    EXPECT_THAT(status, testing::IsOk());
    return name;
}

/// Keeps what became of each token, in order.
class KeepDeliveries final : public DeliveryListener {
 public:
    void OnDeliveries(std::span<const Delivery> deliveries) override {
        const std::lock_guard lock(mutex_);
        kept_.insert(kept_.end(), deliveries.begin(), deliveries.end());
    }
    std::vector<Delivery> kept() const {
        const std::lock_guard lock(mutex_);
        return kept_;
    }
    std::size_t size() const {
        const std::lock_guard lock(mutex_);
        return kept_.size();
    }

 private:
    mutable std::mutex mutex_;
    std::vector<Delivery> kept_;
};

/// A member of a group with its poll thread. `Read` takes what came of a partition.
class Member final : public AssignmentListener {
 public:
    explicit Member(const ConsumerClientOptions& options) {
        auto created = ConsumerClient::Create(options, *this);
        EXPECT_THAT(created, testing::IsOk());
        client_ = std::move(created).value();
        poller_ = std::jthread([this](const std::stop_token& stop) {
            while (!stop.stop_requested()) {
                (void)client_->Poll(std::chrono::milliseconds(50));
            }
            client_->Close();
        });
    }
    ~Member() override {
        poller_.request_stop();
        poller_.join();
    }

    void OnAssigned(std::span<const int> partitions) override {
        const std::lock_guard lock(mutex_);
        assigned_.insert(partitions.begin(), partitions.end());
    }
    void OnRevoked(std::span<const int> partitions, bool) override {
        const std::lock_guard lock(mutex_);
        for (const int partition : partitions) assigned_.erase(partition);
    }
    void OnReadable(int) override { ++wakes_; }

    ConsumerClient& client() { return *client_; }
    std::set<int> assigned() const {
        const std::lock_guard lock(mutex_);
        return assigned_;
    }
    int wakes() const { return wakes_; }

    /// Appends the values read of a partition; the refusal if there was one.
    Status Read(int partition, std::vector<std::string>& values, int records_max = 1000) {
        const auto batch = client_->Take(partition, records_max);
        if (!batch.ok()) return batch.status();
        for (const Record& record : batch->records()) values.emplace_back(record.value);
        return OkStatus();
    }

 private:
    mutable std::mutex mutex_;
    std::set<int> assigned_;
    std::atomic<int> wakes_{0};
    std::unique_ptr<ConsumerClient> client_;
    std::jthread poller_;
};

}  // namespace kessai::kafka
