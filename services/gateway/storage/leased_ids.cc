#include "storage/leased_ids.h"

#include <utility>

namespace kessai::gateway::storage {

namespace {
constexpr Duration kRetryEvery = std::chrono::seconds(1);
}  // namespace

LeasedIds::LeasedIds(mysql::Pool& pool, const Clock& clock,
                     std::function<void(const Status&)> on_error)
    : lease_(pool, lease::WorkerNumberOptions(), clock), on_error_(std::move(on_error)) {}

LeasedIds::~LeasedIds() {
    Stop();
}

void LeasedIds::Start() {
    starter_ = std::jthread([this](std::stop_token stop) {
        while (!stop.stop_requested()) {
            const Status status = lease_.Start();
            if (status.ok()) return;
            on_error_(status);
            std::unique_lock lock(mutex_);
            retry_.wait_for(lock, stop, kRetryEvery, [] { return false; });
        }
    });
}

void LeasedIds::Stop() {
    if (!starter_.joinable()) return;
    starter_.request_stop();
    starter_.join();
    lease_.Stop();
}

Result<std::int64_t> LeasedIds::Next() {
    const auto generator = lease_.generator();
    if (!generator) {
        return Status(Code::kUnavailable, "WORKER_NUMBER_NOT_HELD", "no worker number yet");
    }
    const std::int64_t id = generator->Next();
    KESSAI_RETURN_IF_ERROR(lease_.Confirm(*generator));
    return id;
}

}  // namespace kessai::gateway::storage
