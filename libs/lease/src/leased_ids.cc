#include "kessai/lease/leased_ids.h"

#include <stop_token>
#include <utility>

#include "kessai/lease/lease_table.h"

namespace kessai::lease {
namespace {

constexpr Duration kRetryEvery = std::chrono::seconds(1);

}  // namespace

LeasedIds::LeasedIds(mysql::Pool& pool, const Clock& clock,
                     std::function<void(const Status&)> on_error, WorkerNumberOptions options)
    : lease_(pool, std::move(options), clock), on_error_(std::move(on_error)) {}

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

Status LeasedIds::Ready() const {
    if (lease_.Held()) return OkStatus();
    return Status(Code::kUnavailable, kNumberNotHeld,
                  "waits for the database to give a worker number");
}

Result<std::shared_ptr<IdGenerator>> LeasedIds::Current() const {
    auto generator = lease_.generator();
    if (generator == nullptr) {
        return Status(Code::kUnavailable, kNumberNotHeld, "no worker number leased yet");
    }
    return generator;
}

Result<std::int64_t> LeasedIds::Next() const {
    KESSAI_ASSIGN_OR_RETURN(const auto generator, Current());
    const std::int64_t id = generator->Next();
    KESSAI_RETURN_IF_ERROR(lease_.Confirm(*generator));
    return id;
}

}  // namespace kessai::lease
