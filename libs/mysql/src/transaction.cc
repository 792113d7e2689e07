#include "kessai/mysql/transaction.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <random>
#include <utility>

#include "kessai/mysql/error.h"
#include "kessai/result/check.h"
#include "session_impl.h"

namespace kessai::mysql {

Result<Transaction> Transaction::Begin(Session& session) {
    Session::Impl& impl = *session.impl_;
    KESSAI_CHECK(!impl.in_transaction, "a session has one transaction at a time");
    KESSAI_CHECK(!impl.streaming, "a session reads its streamed rows to their end first");
    if (!impl.failure.ok()) {
        return Status(Code::kUnavailable, reason::kConnectionLost,
                      "the session failed before: " + std::string(impl.failure.message()));
    }
    impl.in_transaction = true;
    return Transaction(session);
}

Transaction::Transaction(Transaction&& other) noexcept
    : session_(std::exchange(other.session_, nullptr)) {}

Transaction& Transaction::operator=(Transaction&& other) noexcept {
    if (this != &other) {
        Rollback();
        session_ = std::exchange(other.session_, nullptr);
    }
    return *this;
}

Transaction::~Transaction() {
    Rollback();
}

Status Transaction::Commit() {
    KESSAI_CHECK(session_ != nullptr, "a transaction is committed once");
    Session::Impl& impl = *session_->impl_;
    if (impl.doomed.ok() && !impl.transaction_begun) {
        // Nothing was sent, so there is nothing to commit.
        impl.in_transaction = false;
        session_ = nullptr;
        return {};
    }
    return CommitWith(StatementBatch("transaction.commit"));
}

Status Transaction::CommitWith(const StatementBatch& batch) {
    KESSAI_CHECK(session_ != nullptr, "a transaction is committed once");
    Session::Impl& impl = *session_->impl_;
    Status status = impl.RunBatch(batch, /*commit=*/true);
    if (status.ok()) {
        impl.in_transaction = false;
        impl.transaction_begun = false;
        session_ = nullptr;
    } else {
        Rollback();
    }
    return status;
}

void Transaction::Rollback() {
    if (session_ == nullptr) return;
    session_->impl_->Rollback();
    session_ = nullptr;
}

namespace {

/// Differs between threads and processes, which is all that jitter needs.
double RandomFraction() {
    thread_local std::minstd_rand generator(std::random_device{}());
    return std::uniform_real_distribution<double>(0.0, 1.0)(generator);
}

}  // namespace

Backoff::Backoff(const RetryPolicy& policy) : policy_(policy), next_(policy.backoff_first) {}

bool Backoff::Wait(const Clock& clock) {
    if (attempts_ >= policy_.attempts_max || policy_.stop.stop_requested()) return false;
    ++attempts_;
    Duration wait(static_cast<Duration::rep>(static_cast<double>(next_.count()) *
                                             (1.0 - RandomFraction() / 2.0)));
    next_ = std::min(2 * next_, policy_.backoff_max);
    if (policy_.deadline.has_value() && clock.SteadyNow() + wait >= *policy_.deadline) return false;

    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock lock(mutex);
    stopped.wait_for(lock, policy_.stop, wait, [] { return false; });
    return !policy_.stop.stop_requested();
}

Status InTransaction(Pool& pool, const RetryPolicy& policy,
                     const std::function<Status(Session&)>& work) {
    const auto once = [&]() -> Status {
        Duration wait = policy.acquire_timeout;
        if (policy.deadline.has_value()) {
            wait = std::clamp<Duration>(
                std::chrono::floor<Duration>(*policy.deadline - pool.clock().SteadyNow()),
                Duration::zero(), wait);
        }
        KESSAI_ASSIGN_OR_RETURN(const Lease session, pool.Acquire(wait));
        KESSAI_ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(*session));
        KESSAI_RETURN_IF_ERROR(work(*session));
        return transaction.Commit();
    };
    Backoff backoff(policy);
    for (;;) {
        Status status = once();
        const bool again = IsRetryable(status) ||
                           (policy.rerun_unknown && status.reason() == reason::kCommitUnknown);
        if (!again || !backoff.Wait(pool.clock())) return status;
    }
}

}  // namespace kessai::mysql
