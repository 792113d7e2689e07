#include "kessai/log/log.h"
#include "parts.h"

namespace kessai::runtime {

void EndRequest::Ask(Ending ending, const Status& reason) {
    // Told even when the end is asked for already: it may be why a drain goes wrong.
    if (ending == Ending::kFailure) log::Error("service.failed", {{"reason", reason}});
    {
        const std::lock_guard lock(mutex_);
        if (ending_ != Ending::kNone) return;
        ending_ = ending;
        reason_ = reason;
    }
    changed_.notify_all();
}

Ending EndRequest::WaitUntil(SteadyInstant until) {
    std::unique_lock lock(mutex_);
    changed_.wait_until(lock, until, [&] { return ending_ != Ending::kNone; });
    return ending_;
}

Ending EndRequest::ending() const {
    const std::lock_guard lock(mutex_);
    return ending_;
}

Status EndRequest::reason() const {
    const std::lock_guard lock(mutex_);
    return reason_;
}

const std::string& Context::service_name() const {
    return parts_.options.service.name;
}
const std::string& Context::version() const {
    return parts_.version;
}
metrics::Registry& Context::metrics() {
    return parts_.metrics;
}
tracing::Tracer& Context::tracer() {
    return parts_.tracer;
}
const Clock& Context::clock() const {
    return parts_.clock;
}
void Context::Add(Component component) {
    parts_.components.push_back(std::move(component));
}
void Context::Keep(std::shared_ptr<void> object) {
    parts_.kept.push_back(std::move(object));
}
void Context::Fail(const Status& reason) {
    parts_.end.Ask(Ending::kFailure, reason);
}

}  // namespace kessai::runtime
