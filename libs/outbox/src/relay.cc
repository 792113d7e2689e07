#include "kessai/outbox/relay.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "kessai/event/bucket.h"
#include "kessai/faults/fault_point.h"
#include "kessai/lease/lease.h"
#include "kessai/log/log.h"
#include "kessai/mysql/pool.h"
#include "kessai/outbox/outbox_table.h"
#include "outbox_rows.h"
#include "packed_row.h"
#include "relay_metrics.h"

namespace kessai::outbox {
namespace {

using std::chrono::milliseconds;

constexpr unsigned kAllShards = (1u << kShards) - 1;
constexpr Duration kMetadataTimeout = std::chrono::seconds(2);
constexpr Duration kSessionTimeout = std::chrono::seconds(1);

unsigned BitOf(int shard) {
    return 1u << shard;
}

std::size_t IndexOf(int shard) {
    return static_cast<std::size_t>(shard);
}

// Waits that double, for one thing that fails.
class Pause {
 public:
    Pause(Duration first, Duration max) : first_(first), max_(max), next_(first) {}
    Duration Take() {
        const Duration taken = next_;
        next_ = std::min(2 * next_, max_);
        return taken;
    }
    void Reset() { next_ = first_; }

 private:
    const Duration first_;
    const Duration max_;
    Duration next_;
};

}  // namespace

// One thread reads, produces and deletes; the producer's thread only reports what was delivered.
//
// Why the first occurrences of an object's events are in order in the topic, whatever happens, is
// argued in README.md. It needs of this code:
//  - a read gives the lowest rows of a shard that are not on their way, in one statement (so from
//    one snapshot), and they are produced in that order;
//  - a row counts as on its way until its deletion has committed;
//  - a row is deleted only when Kafka has all of it;
//  - after a delivery that failed, nothing of this producer is sent any more, and everything that
//    was on its way is forgotten and read again.
struct Relay::Impl final : kafka::DeliveryListener, kafka::StatisticsListener {
    Impl(RelayOptions given, mysql::Pool& sessions, metrics::Registry& registry, DeleteHook after,
         const Clock& time)
        : options(std::move(given)),
          pool(sessions),
          hook(std::move(after)),
          clock(time),
          metrics(registry),
          leases(sessions,
                 {.group = options.lease_group,
                  .owner = {},
                  .size = kShards,
                  .duration = options.lease_duration,
                  .renew_every = options.lease_renew_every,
                  .margin = options.lease_margin},
                 time),
          database_pause(options.backoff_first, options.backoff_max) {
        leases.OnChange([this](int shard, bool held) { OnLease(shard, held); });
    }

    // --- Signals, from any thread.

    void Signal(unsigned shards) {
        // Whoever finds bits set already was told by the one that set them.
        if (notified.fetch_or(shards) != 0) return;
        { const std::lock_guard lock(mutex); }
        changed.notify_one();
    }

    void OnLease(int shard, bool held) {
        log::Info("outbox.shard", {{"shard", shard}, {"held", held}});
        metrics.shards_held.Set(leases.HeldNumbers().size());
        {
            const std::lock_guard lock(mutex);
            leases_changed = true;
        }
        changed.notify_one();
    }

    void OnDeliveries(std::span<const kafka::Delivery> deliveries) override {
        std::size_t confirmed = 0;
        {
            const std::lock_guard lock(mutex);
            for (const kafka::Delivery& delivery : deliveries) {
                auto* row = reinterpret_cast<Row*>(static_cast<std::uintptr_t>(delivery.token));
                if (!delivery.status.ok()) {
                    if (failure.ok()) failure = delivery.status;
                    continue;
                }
                ++confirmed;
                if (--row->undelivered == 0) newly_delivered.push_back(row);
            }
            progress = true;
        }
        metrics.published.Add(confirmed);
        changed.notify_one();
    }

    void OnStatistics(const kafka::Statistics& statistics) override {
        metrics.queued_messages.Set(statistics.queued_messages);
        metrics.round_trip.Set(statistics.round_trip_p99);
    }

    void SetHealth(const Status& status) {
        const std::lock_guard lock(mutex);
        health = status;
    }

    // --- The relay's thread.

    void Run(const std::stop_token& stop) {
        Pause pause(options.backoff_first, options.backoff_max);
        while (!stop.stop_requested()) {
            const SteadyInstant began = clock.SteadyNow();
            const Status status = Publish(stop);
            if (stop.stop_requested()) break;
            SetHealth(status);
            metrics.restarts.Add();
            log::Warn("outbox.relay_begins_again", {{"status", status}});
            // It went well for a while: what failed is new.
            if (clock.SteadyNow() - began > options.backoff_max) pause.Reset();
            std::unique_lock lock(mutex);
            changed.wait_for(lock, stop, pause.Take(), [] { return false; });
        }
    }

    // Publishes with one producer, until it fails or the relay stops.
    Status Publish(const std::stop_token& stop) {
        KESSAI_ASSIGN_OR_RETURN(producer, kafka::Producer::Create(options.producer, *this, this));
        metrics.producer_acks.Set(producer->acks());
        Status status = CheckTopics(stop);
        if (status.ok()) {
            SetHealth(status);
            dirty = kAllShards;
            blocked.fill(OkStatus());
            status = Work(stop);
        } else {
            ShowOldestRow();
        }
        // Reports everything that is still on its way, so that no delivery comes after this.
        producer.reset();
        (void)Collect();
        if (!delivered.empty()) (void)DeleteDelivered();
        Forget();
        return status;
    }

    Status CheckTopics(const std::stop_token& stop) {
        for (const Topic& topic : options.topics) {
            if (stop.stop_requested()) break;
            KESSAI_ASSIGN_OR_RETURN(const int partitions,
                                    producer->PartitionCount(topic.name, kMetadataTimeout));
            if (partitions != topic.partitions) {
                return Status(Code::kFailedPrecondition, "KAFKA_TOPIC_DIFFERS",
                              topic.name + " has " + std::to_string(partitions) +
                                  " partitions, declared are " + std::to_string(topic.partitions));
            }
        }
        return OkStatus();
    }

    Status Work(const std::stop_token& stop) {
        next_poll = clock.SteadyNow();
        while (!stop.stop_requested()) {
            KESSAI_RETURN_IF_ERROR(Collect());
            const SteadyInstant now = clock.SteadyNow();
            if (now >= next_poll) {
                dirty = kAllShards;
                next_poll = now + options.poll_every;
            }
            if (now >= database_at) {
                const Status status = UseDatabase(now, stop);
                if (!status.ok()) KESSAI_RETURN_IF_ERROR(AfterRefusal(status));
            }
            ShowInFlight();
            Wait(stop);
        }
        return Drain();
    }

    Status UseDatabase(SteadyInstant now, const std::stop_token& stop) {
        if (DeleteDue(now)) KESSAI_RETURN_IF_ERROR(DeleteDelivered());
        for (int shard = 0; shard < kShards && !stop.stop_requested(); ++shard) {
            if (ReadDue(shard, now)) KESSAI_RETURN_IF_ERROR(ReadShard(shard, stop));
        }
        if (database_refused) {
            database_refused = false;
            database_pause.Reset();
            ShowBlocked();
        }
        return OkStatus();
    }

    // The database's refusals are waited out, with the rows that are on their way; a producer that
    // takes nothing any more is not.
    Status AfterRefusal(const Status& status) {
        {
            const std::lock_guard lock(mutex);
            if (!failure.ok()) return failure;
        }
        if (producer_refusal.has_value()) return *producer_refusal;
        metrics.database_errors.Add();
        database_refused = true;
        SetHealth(status);
        log::Warn("outbox.database_refuses", {{"status", status}});
        reader.reset();
        deleter.reset();
        database_at = clock.SteadyNow() + database_pause.Take();
        return OkStatus();
    }

    // After a stop: waits for what is on its way, and deletes it.
    Status Drain() {
        const SteadyInstant end = clock.SteadyNow() + drain;
        while (rows_in_flight > delivered.size()) {
            const Duration left = std::chrono::ceil<Duration>(end - clock.SteadyNow());
            if (left <= Duration::zero()) break;
            {
                std::unique_lock lock(mutex);
                changed.wait_for(lock, left, [this] { return progress || !failure.ok(); });
            }
            KESSAI_RETURN_IF_ERROR(Collect());
        }
        return OkStatus();
    }

    // Takes over what the other threads left.
    Status Collect() {
        dirty |= notified.exchange(0);
        const std::lock_guard lock(mutex);
        progress = false;
        if (std::exchange(leases_changed, false)) dirty = kAllShards;
        if (!newly_delivered.empty()) {
            if (delivered.empty()) first_delivered = clock.SteadyNow();
            delivered.insert(delivered.end(), newly_delivered.begin(), newly_delivered.end());
            newly_delivered.clear();
        }
        return failure;
    }

    void Wait(const std::stop_token& stop) {
        const SteadyInstant now = clock.SteadyNow();
        SteadyInstant wake = next_poll;
        for (int shard = 0; shard < kShards; ++shard) {
            if ((dirty & BitOf(shard)) != 0 && HasRoom(shard) && Held(shard)) {
                wake = std::min(wake, next_read[IndexOf(shard)]);
            }
        }
        if (!delivered.empty()) {
            wake = std::min(wake, AtBound() ? now : first_delivered + options.delete_every);
        }
        wake = std::max(wake, database_at);
        if (wake <= now) return;
        std::unique_lock lock(mutex);
        // The first delivered row sets the time of the next deletion; further ones are no reason to
        // wake before it, until there are enough.
        changed.wait_for(lock, stop, wake - now, [this] {
            return (notified.load() & ~dirty) != 0 || leases_changed || !failure.ok() ||
                   (delivered.empty() && !newly_delivered.empty()) ||
                   newly_delivered.size() + delivered.size() >= DeleteAtOnce();
        });
    }

    // --- Reading and producing.

    bool Held(int shard) const { return leases.Current(shard).has_value(); }

    bool HasRoom(int shard) const {
        return bytes_in_flight < options.bytes_in_flight_max &&
               in_flight[IndexOf(shard)].size() <
                   static_cast<std::size_t>(options.rows_in_flight_max);
    }

    bool ReadDue(int shard, SteadyInstant now) const {
        return (dirty & BitOf(shard)) != 0 && now >= next_read[IndexOf(shard)] && HasRoom(shard) &&
               Held(shard);
    }

    // Rows are fetched whole: fewer at a time when they are large.
    int ReadLimit(int shard) const {
        const std::size_t by_bytes = (options.bytes_in_flight_max - bytes_in_flight) / row_bytes;
        const std::size_t by_rows =
            static_cast<std::size_t>(options.rows_in_flight_max) - in_flight[IndexOf(shard)].size();
        const auto limit =
            std::min({by_bytes, by_rows, static_cast<std::size_t>(options.rows_per_read)});
        return static_cast<int>(std::max<std::size_t>(1, limit));
    }

    Status ReadShard(int shard, const std::stop_token& stop) {
        KESSAI_RETURN_IF_ERROR(Acquire(reader));
        const int limit = ReadLimit(shard);
        std::vector<std::int64_t> except;
        for (const auto& [row_id, row] : in_flight[IndexOf(shard)]) except.push_back(row_id);
        Result<std::vector<std::unique_ptr<Row>>> rows = [&] {
            const metrics::Timer timer(metrics.read, clock);
            return ReadLowestRows(**reader, shard, except, limit);
        }();
        KESSAI_RETURN_IF_ERROR(rows);
        const SteadyInstant now = clock.SteadyNow();
        if (rows->size() < static_cast<std::size_t>(limit)) {
            dirty &= ~BitOf(shard);
            next_read[IndexOf(shard)] = now + options.gather;
        } else {
            next_read[IndexOf(shard)] = now;
        }
        row_bytes = std::max<std::size_t>(1024, row_bytes - row_bytes / 8);
        for (std::unique_ptr<Row>& row : *rows) {
            row_bytes = std::max(row_bytes, row->packed.size());
            const Status status = CheckRow(*row);
            if (!status.ok()) {
                Block(shard, status.WithContext("row " + std::to_string(row->row_id)));
                break;
            }
            KESSAI_RETURN_IF_ERROR(ProduceRow(std::move(row), stop));
            if (!blocked[IndexOf(shard)].ok()) {
                blocked[IndexOf(shard)] = OkStatus();
                ShowBlocked();
            }
        }
        return OkStatus();
    }

    Status CheckRow(Row& row) const {
        KESSAI_ASSIGN_OR_RETURN(row.entries, ReadEntries(row.packed));
        for (const Entry& entry : row.entries) {
            if (IndexOf(entry.topic) >= options.topics.size() ||
                (entry.partition &&
                 *entry.partition >= options.topics[IndexOf(entry.topic)].partitions)) {
                return Status(Code::kFailedPrecondition, "OUTBOX_TOPIC_UNKNOWN",
                              "topic " + std::to_string(entry.topic) + ", partition " +
                                  std::to_string(entry.partition.value_or(-1)));
            }
        }
        return OkStatus();
    }

    void ShowBlocked() {
        const auto first = std::ranges::find_if(blocked, [](const Status& s) { return !s.ok(); });
        SetHealth(first == blocked.end() ? OkStatus() : *first);
    }

    // A row that cannot be published holds up its shard until somebody repairs it: what is behind
    // it must not overtake it.
    void Block(int shard, const Status& status) {
        blocked[IndexOf(shard)] = status;
        ShowBlocked();
        log::Error("outbox.row_cannot_be_published", {{"shard", shard}, {"status", status}});
        next_read[IndexOf(shard)] = clock.SteadyNow() + options.backoff_max;
    }

    Status ProduceRow(std::unique_ptr<Row> owned, const std::stop_token& stop) {
        Row& row = *owned;
        row.undelivered = row.entries.size();
        bytes_in_flight += row.packed.size();
        ++rows_in_flight;
        in_flight[IndexOf(row.shard)].emplace(row.row_id, std::move(owned));
        for (const Entry& entry : row.entries) {
            Status status = Produce(row, entry);
            while (status.reason() == kafka::reason::kQueueFull && !stop.stop_requested()) {
                WaitForProgress(stop);
                KESSAI_RETURN_IF_ERROR(Collect());
                status = Produce(row, entry);
            }
            if (!status.ok()) {
                producer_refusal = status;
                return status;
            }
        }
        return OkStatus();
    }

    Status Produce(Row& row, const Entry& entry) {
        const Topic& topic = options.topics[IndexOf(entry.topic)];
        std::array<char, 24> key{};
        std::size_t key_size = 0;
        if (entry.object_id != 0) {
            key_size = static_cast<std::size_t>(
                std::to_chars(key.data(), key.data() + key.size(), entry.object_id).ptr -
                key.data());
        }
        return producer->Produce(
            {.topic = topic.name,
             .partition =
                 entry.partition.value_or(event::PartitionOf(entry.object_id, topic.partitions)),
             .key = {key.data(), key_size},
             .value = entry.envelope,
             .traceparent = entry.traceparent,
             .token = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(&row))});
    }

    void WaitForProgress(const std::stop_token& stop) {
        std::unique_lock lock(mutex);
        changed.wait_for(lock, stop, milliseconds(100),
                         [this] { return progress || !failure.ok(); });
    }

    // --- Deleting.

    std::size_t DeleteAtOnce() const { return static_cast<std::size_t>(options.rows_per_delete); }

    bool AtBound() const {
        return bytes_in_flight >= options.bytes_in_flight_max ||
               std::ranges::any_of(in_flight, [this](const auto& rows) {
                   return rows.size() >= static_cast<std::size_t>(options.rows_in_flight_max);
               });
    }

    bool DeleteDue(SteadyInstant now) const {
        return !delivered.empty() && (delivered.size() >= DeleteAtOnce() || AtBound() ||
                                      now >= first_delivered + options.delete_every);
    }

    Status DeleteDelivered() {
        KESSAI_FAULT_POINT("outbox.after_publish");
        while (!delivered.empty()) {
            KESSAI_RETURN_IF_ERROR(Acquire(deleter));
            const std::size_t count = std::min(delivered.size(), DeleteAtOnce());
            const std::span<const Row* const> rows(delivered.data(), count);
            std::size_t deleted = 0;
            {
                const metrics::Timer timer(metrics.deletion, clock);
                KESSAI_ASSIGN_OR_RETURN(deleted, DeleteRows(**deleter, rows, hook));
            }
            metrics.rows_deleted.Add(deleted);
            metrics.rows_gone.Add(count - deleted);
            metrics.rows_per_delete.Observe(deleted);
            for (const Row* row : rows) Remove(*row);
            delivered.erase(delivered.begin(),
                            delivered.begin() + static_cast<std::ptrdiff_t>(count));
        }
        return OkStatus();
    }

    void Remove(const Row& row) {
        bytes_in_flight -= row.packed.size();
        --rows_in_flight;
        in_flight[IndexOf(row.shard)].erase(row.row_id);
    }

    // Precondition: no delivery can come any more.
    void Forget() {
        for (auto& rows : in_flight) rows.clear();
        delivered.clear();
        bytes_in_flight = 0;
        rows_in_flight = 0;
        producer_refusal.reset();
        const std::lock_guard lock(mutex);
        newly_delivered.clear();
        failure = OkStatus();
    }

    Status Acquire(std::optional<mysql::Lease>& session) {
        if (session.has_value() && (*session)->usable()) return OkStatus();
        session.reset();
        KESSAI_ASSIGN_OR_RETURN(session, pool.Acquire(kSessionTimeout));
        return OkStatus();
    }

    void ShowInFlight() {
        metrics.rows_in_flight.Set(rows_in_flight);
        metrics.bytes_in_flight.Set(bytes_in_flight);
        std::optional<Instant> oldest;
        {
            // What Kafka has waits for its deletion only.
            const std::lock_guard lock(mutex);
            for (const auto& rows : in_flight) {
                const auto waiting = std::ranges::find_if(
                    rows, [](const auto& entry) { return entry.second->undelivered > 0; });
                if (waiting == rows.end()) continue;
                const Instant created = waiting->second->created_at;
                oldest = std::min(oldest.value_or(created), created);
            }
        }
        metrics.oldest_age.Set(oldest ? std::max(Duration::zero(), clock.Now() - *oldest)
                                      : Duration::zero());
    }

    // While the brokers cannot be reached nothing is read, but the outbox grows.
    void ShowOldestRow() {
        if (!Acquire(reader).ok()) return;
        const Result<Duration> age = OldestAge(**reader);
        if (age.ok()) metrics.oldest_age.Set(*age);
    }

    const RelayOptions options;
    mysql::Pool& pool;
    const DeleteHook hook;
    const Clock& clock;
    RelayMetrics metrics;
    lease::LeaseGroup leases;

    // Shared with the threads that signal.
    std::atomic<unsigned> notified{0};
    std::mutex mutex;
    std::condition_variable_any changed;
    std::vector<Row*> newly_delivered;
    Status failure;
    Status health{Code::kUnavailable, kafka::reason::kUnavailable, "the relay has not begun"};
    bool progress = false;
    bool leases_changed = false;

    // The relay's thread's own.
    std::unique_ptr<kafka::Producer> producer;
    std::optional<Status> producer_refusal;
    std::optional<mysql::Lease> reader;
    std::optional<mysql::Lease> deleter;
    std::array<std::map<std::int64_t, std::unique_ptr<Row>>, kShards> in_flight;
    std::size_t rows_in_flight = 0;
    std::size_t bytes_in_flight = 0;
    std::size_t row_bytes = std::size_t{1} << 20;
    std::vector<const Row*> delivered;
    SteadyInstant first_delivered{};
    unsigned dirty = 0;
    std::array<SteadyInstant, kShards> next_read{};
    SteadyInstant next_poll{};
    SteadyInstant database_at{};
    bool database_refused = false;
    std::array<Status, kShards> blocked;
    Pause database_pause;
    Duration drain{};

    std::jthread thread;
};

Relay::Relay(RelayOptions options, mysql::Pool& pool, metrics::Registry& metrics, DeleteHook hook,
             const Clock& clock)
    : impl_(std::make_unique<Impl>(std::move(options), pool, metrics, std::move(hook), clock)) {}

Relay::~Relay() {
    Stop(Duration::zero());
}

void Relay::Start() {
    impl_->leases.Start();
    impl_->thread =
        std::jthread([impl = impl_.get()](const std::stop_token& stop) { impl->Run(stop); });
}

void Relay::Stop(Duration drain) {
    if (!impl_->thread.joinable()) return;
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->drain = drain;
    }
    impl_->thread.request_stop();
    impl_->thread.join();
    impl_->reader.reset();
    impl_->deleter.reset();
    impl_->leases.Stop();
}

void Relay::Notify(unsigned shards) {
    impl_->Signal(shards & kAllShards);
}

Status Relay::Health() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->health;
}

}  // namespace kessai::outbox
