#include "app/batch_executor.h"

#include <algorithm>
#include <optional>
#include <unordered_set>
#include <utility>

#include "app/load_plan.h"
#include "domain/refusal.h"

namespace kessai::payment::app {
namespace {

/// A transaction that fails like this left nothing behind and may succeed when run again.
bool WorthRunningAgain(const Status& status) {
    return status.code() == Code::kAborted || status.code() == Code::kUnavailable ||
           status.code() == Code::kUnknown || status.code() == Code::kAlreadyExists;
}

class Ids final : public domain::IdSource {
 public:
    explicit Ids(IdGenerator& generator) : generator_(generator) {}
    std::int64_t Next() override { return generator_.Next(); }

 private:
    IdGenerator& generator_;
};

/// The next ids exceed every event of the rows that the batch may change, whoever made those: so
/// events, and the outbox rows that carry them, keep their order per object.
void ObserveEvents(const domain::WorkingSet& rows, IdGenerator& ids) {
    std::int64_t highest = 0;
    for (const auto& [id, tracked] : rows.payments.all()) {
        highest = std::max(highest, tracked.row.last_event.value());
    }
    for (const auto& [id, tracked] : rows.wallets.all()) {
        highest = std::max(highest, tracked.row.last_event.value());
    }
    if (highest > 0) ids.Observe(highest);
}

template <class Rows>
bool AnyDirty(const Rows& rows) {
    return std::any_of(rows.all().begin(), rows.all().end(),
                       [](const auto& entry) { return entry.second.dirty; });
}

bool ChangedAnything(const domain::WorkingSet& rows) {
    return !rows.journals.empty() || AnyDirty(rows.orders) || AnyDirty(rows.payments) ||
           AnyDirty(rows.wallets);
}

}  // namespace

struct BatchExecutor::Pending {
    Submission submission;
    /// A commit that held this command may have happened though its reply was lost.
    bool maybe_committed = false;
    std::optional<Result<domain::Outcome>> outcome;
};

struct BatchExecutor::BatchResult {
    std::vector<Result<domain::Outcome>> outcomes;
    std::size_t changes = 0;
    bool commit_tried = false;
};

BatchExecutor::BatchExecutor(ExecutorOptions options, LedgerStore& store, MerchantCache& merchants,
                             IdGenerator& ids, const EventEncoder& encoder,
                             const domain::Policy& policy, const Clock& clock,
                             ExecutorObserver& observer)
    : options_(options),
      store_(store),
      merchants_(merchants),
      ids_(ids),
      encoder_(encoder),
      policy_(policy),
      clock_(clock),
      observer_(observer) {
    KESSAI_CHECK(options_.executors > 0 && options_.batch_max > 0 && options_.queue_max > 0,
                 "executor options are positive");
}

BatchExecutor::~BatchExecutor() {
    Stop();
}

void BatchExecutor::Start() {
    {
        const std::lock_guard lock(mutex_);
        KESSAI_CHECK(threads_.empty(), "started once");
        accepting_ = true;
    }
    for (int i = 0; i < options_.executors; ++i) {
        threads_.emplace_back([this, slot = options_.first_gate_slot + i](std::stop_token stop) {
            Loop(stop, slot);
        });
    }
}

void BatchExecutor::Stop() {
    {
        const std::lock_guard lock(mutex_);
        accepting_ = false;
    }
    for (std::jthread& thread : threads_) thread.request_stop();
    arrived_.notify_all();
    threads_.clear();
}

std::size_t BatchExecutor::queue_depth() const {
    const std::lock_guard lock(mutex_);
    return queue_.size();
}

void BatchExecutor::Submit(Submission submission) {
    Submit({&submission, 1});
}

void BatchExecutor::Submit(std::span<Submission> submissions) {
    std::vector<std::pair<Submission*, Status>> refused;
    for (Submission& submission : submissions) {
        Status valid = domain::Validate(submission.command, policy_);
        if (!valid.ok()) refused.emplace_back(&submission, std::move(valid));
    }
    std::size_t next_refused = 0;
    {
        const std::lock_guard lock(mutex_);
        const std::size_t invalid = refused.size();
        for (Submission& submission : submissions) {
            if (next_refused < invalid && refused[next_refused].first == &submission) {
                ++next_refused;
                continue;
            }
            if (!accepting_) {
                refused.emplace_back(&submission, Status(Code::kUnavailable, "SHUTTING_DOWN",
                                                         "the service is shutting down"));
            } else if (queue_.size() >= static_cast<std::size_t>(options_.queue_max)) {
                refused.emplace_back(&submission, domain::Refuse(domain::Refusal::kQueueFull,
                                                                 "too many commands are waiting"));
            } else {
                queue_.push_back(Pending{std::move(submission), false, std::nullopt});
            }
        }
    }
    arrived_.notify_one();
    for (auto& [submission, why] : refused) {
        submission->reply->Deliver(submission->tag, std::move(why));
    }
}

void BatchExecutor::Loop(std::stop_token stop, int slot) {
    while (true) {
        std::vector<Pending> batch = TakeBatch(stop);
        if (batch.empty()) return;
        std::vector<Pending*> open;
        open.reserve(batch.size());
        for (Pending& pending : batch) open.push_back(&pending);
        Run(std::move(open), slot);

        std::unordered_set<ReplySink*> sinks;
        for (Pending& pending : batch) {
            Submission& submission = pending.submission;
            submission.reply->Deliver(submission.tag, std::move(*pending.outcome));
            sinks.insert(submission.reply.get());
        }
        for (ReplySink* sink : sinks) sink->Flush();
        const std::lock_guard lock(mutex_);
        --busy_;
    }
}

std::vector<BatchExecutor::Pending> BatchExecutor::TakeBatch(std::stop_token stop) {
    const auto batch_max = static_cast<std::size_t>(options_.batch_max);
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, stop, [this] { return !queue_.empty(); });
    if (queue_.empty()) return {};  // Stopped, and all that was accepted is done.
    if (busy_ > 0 && options_.gather.count() > 0 && queue_.size() < batch_max) {
        // Another batch is on its way: what arrives until then is cheaper to take along.
        arrived_.wait_for(lock, stop, options_.gather,
                          [&] { return queue_.size() >= batch_max || busy_ == 0; });
    }
    std::vector<Pending> batch;
    batch.reserve(std::min(queue_.size(), batch_max));
    while (!queue_.empty() && batch.size() < batch_max) {
        batch.push_back(std::move(queue_.front()));
        queue_.pop_front();
    }
    // While gathering, the other executor may have taken all.
    if (batch.empty()) {
        lock.unlock();
        return TakeBatch(stop);
    }
    ++busy_;
    return batch;
}

void BatchExecutor::DropExpired(std::vector<Pending*>& open) {
    const SteadyInstant now = clock_.SteadyNow();
    std::erase_if(open, [&](Pending* pending) {
        if (pending->submission.deadline > now) return false;
        observer_.OnDropped();
        pending->outcome =
            pending->maybe_committed
                ? Status(Code::kUnknown, "OUTCOME_UNKNOWN", "the commit's reply was lost")
                : Status(Code::kDeadlineExceeded, "DEADLINE_EXCEEDED",
                         "the command's time was over before it was applied");
        return true;
    });
}

void BatchExecutor::BackOff(Duration& wait) {
    // Jitter keeps replicas that collided from colliding again; any fast-moving number will do.
    const auto jitter_percent = clock_.SteadyNow().time_since_epoch().count() / 64 % 100;
    clock_.SleepFor(wait / 2 + wait * jitter_percent / 200);
    wait = std::min(wait * 2, options_.retry_backoff_max);
}

void BatchExecutor::Run(std::vector<Pending*> open, int slot) {
    Duration wait = options_.retry_backoff;
    while (true) {
        DropExpired(open);
        if (open.empty()) return;
        BatchResult result;
        const Status status = RunOnce(open, slot, result);
        if (status.ok()) {
            for (std::size_t i = 0; i < open.size(); ++i) {
                open[i]->outcome.emplace(std::move(result.outcomes[i]));
            }
            return;
        }
        if (status.code() == Code::kUnknown) {
            for (Pending* pending : open) pending->maybe_committed = true;
        }
        if (!WorthRunningAgain(status)) {
            if (open.size() > 1) break;
            open.front()->outcome.emplace(status);
            return;
        }
        // Shutting down, what was accepted still gets its retries: they end with its deadlines.
        observer_.OnRetry(status);
        BackOff(wait);
    }
    // A permanent error: one command is at fault, and the others need not fail with it.
    observer_.OnSplit();
    const auto middle = open.begin() + static_cast<std::ptrdiff_t>(open.size() / 2);
    Run({open.begin(), middle}, slot);
    Run({middle, open.end()}, slot);
}

Status BatchExecutor::RunOnce(std::span<Pending* const> batch, int slot, BatchResult& result) {
    const SteadyInstant began = clock_.SteadyNow();
    std::vector<const domain::Command*> commands;
    commands.reserve(batch.size());
    for (const Pending* pending : batch) commands.push_back(&pending->submission.command);

    KESSAI_ASSIGN_OR_RETURN(const auto transaction, store_.Begin(slot));
    domain::WorkingSet rows;
    KESSAI_RETURN_IF_ERROR(transaction->LoadKeys(KeysNeeded(commands), rows));
    KESSAI_RETURN_IF_ERROR(transaction->LoadPayments(PaymentsNeeded(commands, rows), rows));
    KESSAI_RETURN_IF_ERROR(transaction->LoadWallets(WalletsNeeded(commands, rows), rows));
    std::vector<domain::MerchantId> unknown;
    for (const domain::MerchantId id : MerchantsNeeded(commands, rows)) {
        if (auto known = merchants_.Find(id)) {
            rows.merchants.Load(id, *std::move(known));
        } else {
            unknown.push_back(id);
        }
    }
    if (!unknown.empty()) {
        KESSAI_ASSIGN_OR_RETURN(const auto found, transaction->ReadMerchants(unknown));
        for (const domain::Merchant& merchant : found) {
            merchants_.Put(merchant);
            rows.merchants.Load(merchant.id, merchant);
        }
    }

    ObserveEvents(rows, ids_);
    const std::int64_t outbox_row_id = ids_.Next();
    Ids ids(ids_);
    const domain::BatchContext context{transaction->gate().now, transaction->gate().business_date,
                                       ids, policy_};
    std::vector<StoredEvent> events;
    result.outcomes.reserve(batch.size());
    for (const Pending* pending : batch) {
        const std::size_t journals_before = rows.journals.size();
        result.outcomes.push_back(domain::Apply(pending->submission.command, rows, context));
        for (std::size_t i = journals_before; i < rows.journals.size(); ++i) {
            const domain::Change& change = rows.journals[i].change;
            events.push_back(
                {change.object, encoder_.Encode(change), pending->submission.traceparent});
        }
    }
    if (ChangedAnything(rows)) {
        KESSAI_RETURN_IF_ERROR(transaction->Store(rows, events, outbox_row_id));
        KESSAI_RETURN_IF_ERROR(transaction->Commit());
        result.changes = events.size();
        if (!events.empty()) wake_();
    }
    observer_.OnBatch(batch.size(), result.changes,
                      std::chrono::duration_cast<Duration>(clock_.SteadyNow() - began));
    return OkStatus();
}

}  // namespace kessai::payment::app
