#include "kessai/inbox/consumer.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "consumer_metrics.h"
#include "kessai/log/log.h"
#include "kessai/result/check.h"
#include "partition_reader.h"

namespace kessai::inbox {
namespace {

constexpr Duration kPollTimeout = std::chrono::milliseconds(100);
constexpr SteadyInstant kNever = SteadyInstant::max();

}  // namespace

// One thread takes part in the group; each worker applies its own partitions, one step at a time.
struct Consumer::Impl final : kafka::AssignmentListener {
    // What is known of a partition. `reader` belongs to the worker while `busy`; all else is under
    // the mutex.
    struct Slot {
        bool assigned = false;
        // Rises with every change of assignment: a reader is of one generation.
        std::uint64_t generation = 0;
        std::uint64_t reader_generation = 0;
        std::shared_ptr<kafka::ConsumerClient> client;
        std::unique_ptr<PartitionReader> reader;
        bool busy = false;
        bool readable = false;
        SteadyInstant due = kNever;
        Status stopped;
    };

    Impl(ConsumerOptions given, mysql::Pool& sessions, Handler& applies,
         metrics::Registry& registry, const Clock& time)
        : options(std::move(given)),
          pool(sessions),
          handler(applies),
          clock(time),
          metrics(registry, options.client.topic, options.partitions),
          slots(static_cast<std::size_t>(options.partitions)),
          wakers(static_cast<std::size_t>(options.workers)) {
        KESSAI_CHECK(options.partitions > 0 && options.workers > 0 &&
                         options.batch_events_max > 0 && options.dead_letter_partitions > 0,
                     "a consumer has partitions, workers and bounds");
    }

    ReaderContext Context() { return {options, pool, handler, metrics, clock}; }

    // --- Assignment, within Poll and Close of the group's thread.

    void OnAssigned(std::span<const int> partitions) override {
        const std::lock_guard lock(mutex);
        for (const int partition : partitions) {
            if (partition >= options.partitions) {
                log::Error("inbox.partition_undeclared",
                           {{"topic", options.client.topic}, {"partition", partition}});
                continue;
            }
            Slot& slot = slots[static_cast<std::size_t>(partition)];
            slot.assigned = true;
            ++slot.generation;
            slot.client = client;
            slot.due = clock.SteadyNow();
        }
        ShowSlots();
        WakeAll();
    }

    void OnRevoked(std::span<const int> partitions, bool lost) override {
        log::Info(
            "inbox.partitions_revoked",
            {{"topic", options.client.topic}, {"partitions", partitions.size()}, {"lost", lost}});
        std::unique_lock lock(mutex);
        for (const int partition : partitions) {
            if (partition >= options.partitions) continue;
            Slot& slot = slots[static_cast<std::size_t>(partition)];
            slot.assigned = false;
            ++slot.generation;
            slot.client.reset();
            slot.stopped = OkStatus();
            metrics.lag.At(static_cast<std::size_t>(partition)).Set(0);
        }
        ShowSlots();
        WakeAll();
        cleaned.wait_for(lock, options.revoke_wait, [&] {
            return std::ranges::all_of(partitions, [&](int partition) {
                if (partition >= options.partitions) return true;
                const Slot& slot = slots[static_cast<std::size_t>(partition)];
                return !slot.busy && slot.reader == nullptr;
            });
        });
    }

    void OnReadable(int partition) override {
        if (partition >= options.partitions) return;
        const std::lock_guard lock(mutex);
        slots[static_cast<std::size_t>(partition)].readable = true;
        wakers[WorkerOf(partition)].notify_one();
    }

    std::size_t WorkerOf(int partition) const {
        return static_cast<std::size_t>(partition % options.workers);
    }
    void WakeAll() {
        for (auto& waker : wakers) waker.notify_one();
    }
    void ShowSlots() {
        metrics.assigned.Set(std::ranges::count_if(slots, &Slot::assigned));
        metrics.stopped.Set(
            std::ranges::count_if(slots, [](const Slot& slot) { return !slot.stopped.ok(); }));
    }

    // --- The group's thread.

    Status Connect() {
        KESSAI_ASSIGN_OR_RETURN(client, kafka::ConsumerClient::Create(options.client, *this));
        return OkStatus();
    }

    void Disconnect() {
        if (client == nullptr) return;
        client->Close();
        client.reset();
    }

    void TakePart(const std::stop_token& stop) {
        log::Limit limit(std::chrono::seconds(10), clock);
        while (!stop.stop_requested()) {
            const Status status = client == nullptr ? Connect() : client->Poll(kPollTimeout);
            if (!status.ok() && limit.Allow()) {
                log::Warn("inbox.group", {{"topic", options.client.topic},
                                          {"group", options.client.group},
                                          {"status", status}});
            }
            if (TakeRestart() || status.reason() == kafka::reason::kFatal) Disconnect();
            if (client == nullptr) {
                std::unique_lock lock(mutex);
                restarted.wait_for(lock, stop, options.backoff_first, [] { return false; });
            }
        }
        Disconnect();
    }

    bool TakeRestart() {
        const std::lock_guard lock(mutex);
        return std::exchange(restart, false);
    }

    // --- The workers.

    // The partition of this worker that is due first, or nullptr and when one will be.
    Slot* Choose(std::size_t worker, SteadyInstant now, int& partition, SteadyInstant& wake) {
        Slot* chosen = nullptr;
        wake = kNever;
        for (auto i = worker; i < slots.size(); i += wakers.size()) {
            Slot& slot = slots[i];
            const bool revoked = !slot.assigned && slot.reader != nullptr;
            if (!revoked && !slot.assigned) continue;
            const SteadyInstant due = revoked || slot.readable ? SteadyInstant::min() : slot.due;
            if (due <= now && (chosen == nullptr || slot.due < chosen->due)) {
                chosen = &slot;
                partition = static_cast<int>(i);
            }
            wake = std::min(wake, due);
        }
        return chosen;
    }

    void Work(std::size_t worker, const std::stop_token& stop) {
        std::unique_lock lock(mutex);
        while (!stop.stop_requested()) {
            int partition = 0;
            SteadyInstant wake{};
            const SteadyInstant now = clock.SteadyNow();
            Slot* slot = Choose(worker, now, partition, wake);
            if (slot == nullptr) {
                const Duration wait = wake == kNever ? std::chrono::hours(1)
                                                     : std::chrono::ceil<Duration>(wake - now);
                wakers[worker].wait_for(lock, stop, wait, [&] {
                    return Choose(worker, clock.SteadyNow(), partition, wake) != nullptr;
                });
                continue;
            }
            ServeSlot(*slot, partition, lock);
        }
    }

    void ServeSlot(Slot& slot, int partition, std::unique_lock<std::mutex>& lock) {
        slot.busy = true;
        slot.readable = false;
        const bool assigned = slot.assigned;
        const std::uint64_t generation = slot.generation;
        const auto of_client = slot.client;
        std::unique_ptr<PartitionReader> reader = std::move(slot.reader);
        const bool outdated =
            reader != nullptr && (!assigned || slot.reader_generation != generation);
        lock.unlock();
        if (outdated) {
            reader.reset();
            handler.OnDropped(options.client.topic, partition);
        }
        SteadyInstant due = kNever;
        if (assigned) {
            if (reader == nullptr) {
                reader = std::make_unique<PartitionReader>(Context(), partition, of_client);
            }
            due = reader->Step();
        }
        lock.lock();
        slot.busy = false;
        slot.reader = std::move(reader);
        slot.reader_generation = generation;
        slot.due = due;
        if (slot.reader != nullptr && slot.generation == generation) {
            slot.stopped = slot.reader->stopped();
            restart = restart || slot.reader->wants_new_client();
        }
        ShowSlots();
        cleaned.notify_all();
    }

    const ConsumerOptions options;
    mysql::Pool& pool;
    Handler& handler;
    const Clock& clock;
    ConsumerMetrics metrics;

    mutable std::mutex mutex;
    std::vector<Slot> slots;
    std::vector<std::condition_variable_any> wakers;
    std::condition_variable_any cleaned;
    std::condition_variable_any restarted;
    bool restart = false;

    // Of the group's thread, once it runs.
    std::shared_ptr<kafka::ConsumerClient> client;
    std::vector<std::jthread> workers;
    std::jthread group;
};

Consumer::Consumer(ConsumerOptions options, mysql::Pool& pool, Handler& handler,
                   metrics::Registry& metrics, const Clock& clock)
    : impl_(std::make_unique<Impl>(std::move(options), pool, handler, metrics, clock)) {}

Consumer::~Consumer() {
    Stop();
}

Status Consumer::Start() {
    Impl* impl = impl_.get();
    KESSAI_RETURN_IF_ERROR(impl->Connect());
    for (std::size_t i = 0; i < impl->wakers.size(); ++i) {
        impl->workers.emplace_back([impl, i](const std::stop_token& stop) { impl->Work(i, stop); });
    }
    impl->group = std::jthread([impl](const std::stop_token& stop) { impl->TakePart(stop); });
    return OkStatus();
}

void Consumer::Stop() {
    if (!impl_->group.joinable()) return;
    // Leaving the group takes the partitions away, so the workers finish first.
    impl_->group.request_stop();
    impl_->group.join();
    for (std::jthread& worker : impl_->workers) worker.request_stop();
    impl_->workers.clear();
    for (Impl::Slot& slot : impl_->slots) slot.reader.reset();
}

Status Consumer::Health() const {
    const std::lock_guard lock(impl_->mutex);
    for (const Impl::Slot& slot : impl_->slots) KESSAI_RETURN_IF_ERROR(Status(slot.stopped));
    return OkStatus();
}

}  // namespace kessai::inbox
