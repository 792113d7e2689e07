#include "load/stack_watch.h"

#include <mutex>
#include <utility>

#include "load/client.h"
#include "load/metrics_text.h"
#include "load/on_loop.h"
#include "load/requests.h"

namespace kessai::load {

namespace {
constexpr Duration kEvery = std::chrono::seconds(1);
constexpr Duration kTimeout = std::chrono::milliseconds(900);
}  // namespace

ServiceReading ReadServiceMetrics(const std::string& text) {
    ServiceReading reading;
    VisitMetrics(text, "kessai_", [&](const MetricSample& sample) {
        if (sample.name == "kessai_outbox_oldest_age_seconds") {
            reading.has_outbox = true;
            reading.outbox_age_s = std::max(reading.outbox_age_s, sample.value);
        } else if (sample.name == "kessai_outbox_in_flight_rows") {
            reading.outbox_in_flight_rows += sample.value;
        } else if (sample.name == "kessai_inbox_lag_messages") {
            reading.lag_messages[std::string(sample.Label("topic"))] += sample.value;
        } else if (sample.name == "kessai_build_info") {
            reading.commit = sample.Label("commit");
        }
    });
    return reading;
}

struct StackWatch::Impl {
    Impl(const Stack& watched, const Clock& time) : stack(watched), clock(time) {}

    const Stack stack;
    const Clock& clock;
    net::Loop loop{"watch"};
    std::map<std::string, std::unique_ptr<Client>> clients;
    bool stopping = false;
    std::unique_ptr<net::Arrival<bool>> stopped;

    mutable std::mutex mutex;
    // Guarded by mutex:
    std::map<std::string, Queue> queues;
    std::map<std::string, ServiceReading> latest;  // of the last round only
    std::map<std::string, std::uint64_t> failures;
    SteadyInstant read_at{};
    std::string commit;

    net::Task<void> Run() {
        const RequestWriter writer("localhost", 1, clock);
        SteadyInstant next = clock.SteadyNow();
        while (!stopping) {
            std::map<std::string, ServiceReading> round;
            for (auto& [service, client] : clients) {
                std::string request = writer.Plain("GET", "/metrics", "", "");
                const Client::Reply reply =
                    co_await client->Ask(std::move(request), clock.SteadyNow() + kTimeout);
                if (reply.fate == Answer::Fate::kAnswered && reply.status == 200) {
                    round[service] = ReadServiceMetrics(reply.body);
                }
            }
            Keep(std::move(round));
            next += kEvery;
            const SteadyInstant now = clock.SteadyNow();
            if (next < now) next = now;
            // In short steps, so that Stop need not wait.
            while (!stopping && clock.SteadyNow() < next) {
                co_await loop.Sleep(std::chrono::milliseconds(50));
            }
        }
        for (auto& [service, client] : clients) co_await client->Close();
        clients.clear();
        stopped->Set(true);
    }

    void Keep(std::map<std::string, ServiceReading> round) {
        const std::lock_guard lock(mutex);
        const SteadyInstant now = clock.SteadyNow();
        for (const auto& [service, endpoint] : stack.admin) {
            const auto found = round.find(service);
            if (found == round.end()) {
                ++failures[service];
                continue;
            }
            const ServiceReading& reading = found->second;
            if (!reading.commit.empty()) commit = reading.commit;
            if (reading.has_outbox) {
                Add(Kind::kOutboxAge, service + " outbox", now, reading.outbox_age_s);
            }
            for (const auto& [topic, lag] : reading.lag_messages) {
                Add(Kind::kLag, service + " " + topic, now, lag);
            }
        }
        latest = std::move(round);
        read_at = now;
    }
    void Add(Kind kind, const std::string& name, SteadyInstant when, double value) {
        Queue& queue = queues[name];
        queue.kind = kind;
        queue.name = name;
        queue.series.Add(when, value);
    }
};

StackWatch::StackWatch(const Stack& stack, const Clock& clock)
    : impl_(std::make_unique<Impl>(stack, clock)) {
    Impl& impl = *impl_;
    impl.stopped = std::make_unique<net::Arrival<bool>>();
    impl.loop.Start();
    impl.loop.Post([&impl] {
        for (const auto& [service, endpoint] : impl.stack.admin) {
            Client::Options options;
            options.host = endpoint.host;
            options.port = endpoint.port;
            options.connections = 1;
            impl.clients[service] = std::make_unique<Client>(impl.loop, options, impl.clock);
        }
        net::Spawn(impl.Run());
    });
}

StackWatch::~StackWatch() {
    AwaitOn(impl_->loop, [this]() -> net::Task<void> {
        impl_->stopping = true;
        (void)co_await *impl_->stopped;
    });
    impl_->loop.Stop();
}

std::vector<StackWatch::Queue> StackWatch::Queues() const {
    const std::lock_guard lock(impl_->mutex);
    std::vector<Queue> all;
    for (const auto& [name, queue] : impl_->queues) all.push_back(queue);
    return all;
}

bool StackWatch::Drained(std::string* why) const {
    const std::lock_guard lock(impl_->mutex);
    for (const auto& [service, endpoint] : impl_->stack.admin) {
        const auto found = impl_->latest.find(service);
        if (found == impl_->latest.end()) {
            *why = service + " was not read";
            return false;
        }
        const ServiceReading& reading = found->second;
        if (reading.outbox_in_flight_rows > 0 || reading.outbox_age_s > 0) {
            *why = service + " has outbox rows";
            return false;
        }
        for (const auto& [topic, lag] : reading.lag_messages) {
            if (lag <= 0) continue;
            *why = service + " lags on " + topic;
            return false;
        }
    }
    return true;
}

std::map<std::string, std::uint64_t> StackWatch::Failures() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->failures;
}

std::string StackWatch::Commit() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->commit;
}

}  // namespace kessai::load
