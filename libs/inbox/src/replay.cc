#include <algorithm>
#include <map>

#include "batch_work.h"
#include "inbox_tables.h"
#include "kessai/inbox/dead_letters.h"
#include "kessai/inbox/policy.h"
#include "kessai/mysql/error.h"
#include "kessai/mysql/pool.h"
#include "kessai/mysql/transaction.h"

namespace kessai::inbox {
namespace {

constexpr Duration kSessionTimeout = std::chrono::seconds(5);

/// Works a blocked object off, transaction by transaction. Between two of them, and after a crash,
/// the tables say where it stands: the dead letter is open, or it is settled and still blocking
/// while parked events are left.
class Replayer {
 public:
    Replayer(mysql::Pool& pool, Handler& handler, const ReplayContext& context,
             const DeadLetterId& id, DeadLetterState settle_as, const Clock& clock)
        : pool_(pool),
          handler_(handler),
          context_(context),
          id_(id),
          settle_as_(settle_as),
          clock_(clock),
          limit_(std::max(1, context.batch_events_max)) {}

    Result<ReplayOutcome> Run() {
        mysql::Backoff backoff({});
        while (!done_) {
            const Status status = Step();
            if (status.ok()) continue;
            const bool unknown = status.reason() == mysql::reason::kCommitUnknown;
            // The tables know whether it was committed.
            began_ = began_ || unknown;
            if (!(unknown || mysql::IsRetryable(status)) || !backoff.Wait(clock_)) return status;
        }
        return outcome_;
    }

 private:
    PartitionKey Key() const {
        return {.group = context_.group, .topic = context_.topic, .partition = id_.partition};
    }

    Status Step() {
        KESSAI_ASSIGN_OR_RETURN(const mysql::Lease session, pool_.Acquire(kSessionTimeout));
        std::map<std::int64_t, Status> rejected;
        // Each round rejects one event more or takes fewer.
        for (bool again = true; again;) {
            again = false;
            KESSAI_RETURN_IF_ERROR(RunOnce(*session, rejected, again));
        }
        return OkStatus();
    }

    Status RunOnce(mysql::Session& session, std::map<std::int64_t, Status>& rejected, bool& again) {
        KESSAI_ASSIGN_OR_RETURN(auto transaction, mysql::Transaction::Begin(session));
        KESSAI_ASSIGN_OR_RETURN(const bool known, LockOffset(session, Key()));
        std::optional<Head> head;
        if (known) {
            KESSAI_ASSIGN_OR_RETURN(head, ReadHead(session, Key(), id_.offset));
        }
        if (!head) {
            return Status(Code::kNotFound, reason::kDeadLetterUnknown, id_.ToString());
        }
        if (head->state != DeadLetterState::kOpen && !head->blocking) {
            if (began_) {
                done_ = true;
                return OkStatus();
            }
            return Status(Code::kFailedPrecondition, reason::kDeadLetterSettled, id_.ToString());
        }

        // What is to be applied now, in order.
        std::vector<Kept> kept;
        const bool open = head->state == DeadLetterState::kOpen;
        const bool apply_head = open && settle_as_ == DeadLetterState::kReplayed;
        if (apply_head) kept.push_back(head->message);
        if (head->object_id != 0) {
            KESSAI_ASSIGN_OR_RETURN(auto parked,
                                    ReadParked(session, Key(), head->object_id, limit_));
            std::ranges::move(parked, std::back_inserter(kept));
        }
        if (kept.size() > static_cast<std::size_t>(limit_))
            kept.resize(static_cast<std::size_t>(limit_));
        std::vector<Item> items;
        items.reserve(kept.size());
        for (const Kept& one : kept) {
            items.push_back(ReadItem(one.offset, one.key, one.value, one.traceparent));
        }
        std::vector<const Item*> pointers;
        for (const Item& item : items) pointers.push_back(&item);

        const Instant now = clock_.Now();
        BatchWork work(handler_, Key(),
                       {context_.dead_letter_topic, context_.dead_letter_partitions},
                       EffectCheck::kLookUp, now);
        KESSAI_ASSIGN_OR_RETURN(Plan plan, work.MakePlan(session, pointers, rejected, {}));
        const std::size_t rejected_before = rejected.size();
        const Status applied = work.Apply(session, plan, rejected);
        if (!applied.ok()) {
            // What is down is not the event's fault; everything else is found by halving.
            if (ActionFor(applied.code()) == Action::kRetry) return applied;
            if (items.size() > 1) {
                limit_ = static_cast<int>(items.size() / 2);
            } else {
                rejected.emplace(items.front().offset, applied);
            }
            again = true;
            return OkStatus();
        }
        if (rejected.size() > rejected_before) {
            again = true;
            return OkStatus();
        }
        return Store(session, transaction, *head, pointers, plan, work, now);
    }

    Status Store(mysql::Session& session, mysql::Transaction& transaction, const Head& head,
                 std::span<const Item* const> items, Plan& plan, BatchWork& work, Instant now) {
        const bool open = head.state == DeadLetterState::kOpen;
        Failed* const failed = plan.failed.empty() ? nullptr : &plan.failed.front();
        const bool head_failed = failed != nullptr && failed->item->offset == head.message.offset &&
                                 open && settle_as_ == DeadLetterState::kReplayed;
        if (head_failed) {
            failed->attempt = head.attempts + 1;
            KESSAI_RETURN_IF_ERROR(CountFailure(session, Key(), *failed, now));
            KESSAI_RETURN_IF_ERROR(work.PublishFailed(session, plan.failed));
        } else {
            KESSAI_RETURN_IF_ERROR(work.StoreFailed(session, plan.failed));
            if (open) {
                KESSAI_RETURN_IF_ERROR(Settle(session, Key(), head.message.offset, settle_as_,
                                              context_.operator_name, context_.note));
            }
            KESSAI_RETURN_IF_ERROR(DeleteParked(session, Key(), Finished(items, plan)));
        }
        KESSAI_ASSIGN_OR_RETURN(const std::int64_t left,
                                head.object_id == 0 ? Result<std::int64_t>(0)
                                                    : CountParked(session, Key(), head.object_id));
        // A parked event that failed blocks in the dead letter's place.
        if (!head_failed && (failed != nullptr || left == 0)) {
            KESSAI_RETURN_IF_ERROR(Unblock(session, Key(), head.message.offset));
        }
        std::optional<DeadLetter> stopped_by;
        if (failed != nullptr) {
            KESSAI_ASSIGN_OR_RETURN(stopped_by, Find(session, failed->item->offset));
        }
        const DeadLetterAction action{
            .kind = settle_as_,
            .operator_name = context_.operator_name,
            .note = context_.note,
            .applied = static_cast<int>(plan.apply.size() + plan.marks.size()),
            .repeated = plan.repeated,
            .parked = left,
            .refusal = failed == nullptr ? std::string() : std::string(failed->why.reason()),
            .at = now};
        KESSAI_RETURN_IF_ERROR(RecordAction(session, Key(), head.message.offset, action));
        KESSAI_RETURN_IF_ERROR(transaction.Commit());

        began_ = true;
        outcome_.applied += action.applied;
        outcome_.repeated += action.repeated;
        outcome_.parked = left;
        outcome_.stopped_by = std::move(stopped_by);
        done_ = failed != nullptr || left == 0;
        handler_.OnCommitted(
            {.topic = Key().topic, .partition = id_.partition, .deliveries = work.applied()});
        return OkStatus();
    }

    // The parked events that are parked no longer.
    static std::vector<std::int64_t> Finished(std::span<const Item* const> items,
                                              const Plan& plan) {
        std::vector<std::int64_t> offsets;
        for (const Item* item : items) {
            if (std::ranges::find(plan.parked, item) == plan.parked.end()) {
                offsets.push_back(item->offset);
            }
        }
        return offsets;
    }

    Result<std::optional<DeadLetter>> Find(mysql::Session& session, std::int64_t offset) const {
        DeadLetterFilter filter;
        filter.group = context_.group;
        filter.topic = context_.topic;
        filter.limit = 1;
        filter.after =
            DeadLetterId{.topic = context_.topic, .partition = id_.partition, .offset = offset - 1};
        KESSAI_ASSIGN_OR_RETURN(auto letters, ListDeadLetters(session, filter));
        if (letters.empty()) return std::optional<DeadLetter>();
        return std::optional<DeadLetter>(std::move(letters.front()));
    }

    mysql::Pool& pool_;
    Handler& handler_;
    const ReplayContext& context_;
    const DeadLetterId& id_;
    const DeadLetterState settle_as_;
    const Clock& clock_;
    int limit_;
    // A transaction of ours has committed, or may have.
    bool began_ = false;
    bool done_ = false;
    ReplayOutcome outcome_;
};

Status CheckTopic(const ReplayContext& context, const DeadLetterId& id) {
    if (id.topic == context.topic) return OkStatus();
    return Status(Code::kNotFound, reason::kDeadLetterUnknown,
                  id.ToString() + " is not of " + context.topic);
}

}  // namespace

Result<ReplayOutcome> Replay(mysql::Pool& pool, Handler& handler, const ReplayContext& context,
                             const DeadLetterId& id, const Clock& clock) {
    KESSAI_RETURN_IF_ERROR(CheckTopic(context, id));
    return Replayer(pool, handler, context, id, DeadLetterState::kReplayed, clock).Run();
}

Result<ReplayOutcome> ReplayObject(mysql::Pool& pool, Handler& handler,
                                   const ReplayContext& context, std::int64_t object_id,
                                   const Clock& clock) {
    std::optional<DeadLetterId> id;
    {
        KESSAI_ASSIGN_OR_RETURN(const mysql::Lease session, pool.Acquire(kSessionTimeout));
        KESSAI_ASSIGN_OR_RETURN(id,
                                FindBlocking(*session, context.group, context.topic, object_id));
    }
    if (!id) {
        return Status(Code::kNotFound, reason::kDeadLetterUnknown,
                      "nothing blocks object " + std::to_string(object_id));
    }
    return Replay(pool, handler, context, *id, clock);
}

Result<ReplayOutcome> Discard(mysql::Pool& pool, Handler& handler, const ReplayContext& context,
                              const DeadLetterId& id, const Clock& clock) {
    KESSAI_RETURN_IF_ERROR(CheckTopic(context, id));
    if (context.operator_name.empty() || context.note.empty()) {
        return Status(Code::kInvalidArgument, reason::kDeadLetterNoteMissing,
                      "say who discards it, and why");
    }
    return Replayer(pool, handler, context, id, DeadLetterState::kDiscarded, clock).Run();
}

}  // namespace kessai::inbox
