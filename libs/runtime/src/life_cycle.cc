#include "life_cycle.h"

#include <condition_variable>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "kessai/log/log.h"

namespace kessai::runtime {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kObserveEvery{500};
/// What a component gets beyond the deadline it was told, before it is left behind.
constexpr milliseconds kGrace{500};

/// Runs `call` on a thread of its own; false when it has not returned by `deadline`. The thread is
/// left then: there is no way to end it but to end the process.
bool RunUntil(std::function<void()> call, SteadyInstant deadline) {
    struct Shared {
        std::mutex mutex;
        std::condition_variable done_changed;
        bool done = false;
    };
    const auto shared = std::make_shared<Shared>();
    std::thread runner([shared, call = std::move(call)] {
        call();
        const std::lock_guard lock(shared->mutex);
        shared->done = true;
        shared->done_changed.notify_all();
    });
    bool done = false;
    {
        std::unique_lock lock(shared->mutex);
        done = shared->done_changed.wait_until(lock, deadline, [&] { return shared->done; });
    }
    if (done) {
        runner.join();
    } else {
        runner.detach();
    }
    return done;
}

}  // namespace

LifeCycle::LifeCycle(Context::Parts& parts)
    : parts_(parts),
      ready_gauge_(parts.metrics.AddGauge(
          {.name = "kessai_ready", .help = "Whether this process should get traffic"})) {
    Publish(State::kStarting, {});
}

int LifeCycle::Run() {
    seen_.resize(parts_.components.size());
    const Status started = StartAll();
    if (started.ok()) {
        Serve();
    } else {
        parts_.end.Ask(Ending::kFailure, started);
    }
    DrainAll();
    StopAll();
    const bool failed = parts_.end.ending() == Ending::kFailure;
    const int code = failed             ? kExitFailed
                     : stop_timed_out_  ? kExitStopTimeout
                     : drain_timed_out_ ? kExitDrainTimeout
                                        : kExitOk;
    log::Info("service.stopped", {{"exit_code", code}});
    return code;
}

Status LifeCycle::StartAll() {
    for (Component& component : parts_.components) {
        if (parts_.end.ending() != Ending::kNone) return {};
        if (component.start) {
            const SteadyInstant began = parts_.clock.SteadyNow();
            const Status status = component.start();
            if (!status.ok()) return status.WithContext(component.name + " did not start");
            log::Debug("component.started",
                       {{"component", component.name}, {"took", parts_.clock.SteadyNow() - began}});
        }
        ++started_;
        Publish(State::kStarting, seen_);
    }
    return {};
}

void LifeCycle::Serve() {
    log::Info("service.serving");
    do {
        Observe();
    } while (parts_.end.WaitUntil(parts_.clock.SteadyNow() + kObserveEvery) == Ending::kNone);
}

void LifeCycle::Observe() {
    for (std::size_t i = 0; i < parts_.components.size(); ++i) {
        const Component& component = parts_.components[i];
        if (seen_[i].ready && component.ready_latches) continue;
        const Status status = component.ready ? component.ready() : Status();
        const std::string reason = status.ok() ? std::string() : status.ToString();
        const bool changed = status.ok() != seen_[i].ready || reason != seen_[i].reason;
        seen_[i] = {status.ok(), reason};
        if (!changed || !component.ready) continue;
        if (status.ok()) {
            log::Info("component.ready", {{"component", component.name}});
        } else {
            log::Warn("component.not_ready", {{"component", component.name}, {"reason", reason}});
        }
    }
    Publish(State::kServing, seen_);
}

void LifeCycle::Publish(State state, const std::vector<Seen>& seen) {
    constexpr std::string_view kStateNames[] = {"starting", "serving", "draining"};
    nlohmann::json components = nlohmann::json::array();
    bool ready = state == State::kServing;
    for (std::size_t i = 0; i < seen.size(); ++i) {
        // One that nobody asks is not said to be ready: its dependency may well be down.
        if (!parts_.components[i].ready && seen[i].ready) continue;
        nlohmann::json entry = {{"name", parts_.components[i].name}, {"ready", seen[i].ready}};
        if (!seen[i].reason.empty()) entry["reason"] = seen[i].reason;
        components.push_back(std::move(entry));
        ready = ready && seen[i].ready;
    }
    const nlohmann::json body = {{"ready", ready},
                                 {"state", kStateNames[static_cast<std::size_t>(state)]},
                                 {"components", std::move(components)}};
    AdminReply reply;
    reply.status = ready ? 200 : 503;
    reply.body = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
    bool changed = false;
    {
        const std::lock_guard lock(mutex_);
        readiness_ = std::move(reply);
        changed = ready != ready_;
        ready_ = ready;
    }
    ready_gauge_.Set(ready ? 1 : 0);
    if (changed) log::Info(ready ? "service.ready" : "service.not_ready");
}

AdminReply LifeCycle::Readiness() const {
    const std::lock_guard lock(mutex_);
    return readiness_;
}

bool LifeCycle::Bounded(std::string_view what, const std::string& component,
                        std::function<void()> call, SteadyInstant deadline) {
    const SteadyInstant began = parts_.clock.SteadyNow();
    const bool done = RunUntil(std::move(call), std::max(deadline, began + kGrace));
    const auto took = parts_.clock.SteadyNow() - began;
    if (done) {
        log::Debug("component.done", {{"component", component}, {"what", what}, {"took", took}});
    } else {
        left_running_ = true;
        log::Error("component.timed_out",
                   {{"component", component}, {"what", what}, {"took", took}});
    }
    return done;
}

void LifeCycle::DrainAll() {
    Publish(State::kDraining, seen_);
    log::Info("service.draining", {{"delay", parts_.options.service.drain_delay}});
    // A process that failed is of no use to its clients: they had better be gone soon.
    if (parts_.end.ending() == Ending::kSignal && started_ == parts_.components.size()) {
        EndRequest never;
        (void)never.WaitUntil(parts_.clock.SteadyNow() + parts_.options.service.drain_delay);
    }
    const SteadyInstant deadline = parts_.clock.SteadyNow() + parts_.options.service.drain_timeout;
    for (std::size_t i = started_; i-- > 0;) {
        const Component& component = parts_.components[i];
        if (!component.drain) continue;
        const bool done = Bounded(
            "drain", component.name, [&component, deadline] { component.drain(deadline); },
            deadline + kGrace);
        drain_timed_out_ = drain_timed_out_ || !done || parts_.clock.SteadyNow() > deadline;
    }
}

void LifeCycle::StopAll() {
    const SteadyInstant deadline = parts_.clock.SteadyNow() + parts_.options.service.stop_timeout;
    for (std::size_t i = started_; i-- > 0;) {
        const Component& component = parts_.components[i];
        if (!component.stop) continue;
        if (!Bounded(
                "stop", component.name, [&component] { component.stop(); }, deadline)) {
            stop_timed_out_ = true;
        }
    }
    if (left_running_) return;
    Bounded(
        "destroy", "all",
        [this] {
            while (!parts_.kept.empty()) parts_.kept.pop_back();
        },
        deadline);
    stop_timed_out_ = stop_timed_out_ || left_running_;
}

}  // namespace kessai::runtime
