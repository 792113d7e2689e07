#include "app/restore_accrual.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "domain/reason.h"
#include "kessai/event/envelope.h"

namespace kessai::payout::app {
namespace {

// As libs/inbox refuses it.
constexpr std::string_view kEffectConflict = "EFFECT_CONFLICT";
/// A change is accrued soon after it was made, and heard of soon after it was accrued: so far
/// behind the one and before the other its time is looked for, microsecond by microsecond.
constexpr Duration kAccruedWithin = std::chrono::seconds(5);

std::string NameOf(domain::EffectKey key) {
    return "change " + key.payment.ToString() + "/" + std::to_string(key.version);
}

Status Conflict(std::string why) {
    return Status(Code::kAlreadyExists, kEffectConflict, std::move(why));
}

/// Whether the row is what the change makes of it. Of nothing what was captured is not kept.
bool SaysTheSame(domain::Accrual row, const domain::Accrual& accrual) {
    if (accrual.gross == 0) row.captured_total = accrual.captured_total;
    return row == accrual;
}

digest::Row RowOf(const domain::Accrual& accrual) {
    return {accrual.key.payment.value(), accrual.key.version, accrual.business_date,
            accrual.merchant.value(), accrual.gross};
}

}  // namespace

Result<RestoreAccrual::Need> RestoreAccrual::Find(RestoringTransaction& transaction,
                                                  const domain::PaymentChange& change,
                                                  bool was_told) {
    AccrualTransaction& accruals = transaction.accruals();
    KESSAI_ASSIGN_OR_RETURN(const SlotGate gate, accruals.LockGate());
    if (const std::int64_t known = plans_.revision(); gate.plan_revision > known) {
        KESSAI_ASSIGN_OR_RETURN(const auto plans, accruals.PlansAfter(known));
        plans_.Add(plans);
    }
    Need need;
    Result<domain::Accrual> accrual = plans_.Read(
        [&](const domain::PlanBook& book) { return domain::Accrue(change, book, taxes_); });
    KESSAI_RETURN_IF_ERROR(accrual.status());
    need.accrual = *std::move(accrual);

    KESSAI_ASSIGN_OR_RETURN(const auto stored, transaction.FindRow(change.key));
    if (stored && stored->accrual.content_hash != change.content_hash) {
        return Conflict(NameOf(change.key) + " is accrued with another content");
    }
    if (stored && SaysTheSame(stored->accrual, need.accrual)) return need;
    const int bucket = digest::BucketOf(change.key.payment.value());
    KESSAI_ASSIGN_OR_RETURN(const digest::RecomputedBucket digests,
                            transaction.DigestsOfBucket(change.business_date, bucket));
    if (was_told) {
        KESSAI_ASSIGN_OR_RETURN(need.times,
                                transaction.TimesOfBucket(change.business_date, bucket));
    }
    // What is there in its place counts as it is now.
    digest::BucketDigest kept = digests.before;
    digest::BucketDigest restored = digests.after;
    restored.Add(DigestOf(need.accrual));
    if (stored && stored->accrual.business_date == change.business_date) {
        kept.Add(DigestOf(stored->accrual));
    }
    if (stored || digests.before.count > digests.after.count) {
        need.what = Need::What::kRow;
        if (stored) need.recorded_at = stored->recorded_at;
        // Other rows of the bucket may be gone or changed too.
        need.in_doubt = !(kept == restored);
        return need;
    }
    // The digest was changed with the row: what was told was counted in the merchant's totals too.
    if (was_told) {
        need.what = Need::What::kRow;
        need.in_doubt = true;
        return need;
    }
    KESSAI_ASSIGN_OR_RETURN(const bool open,
                            accruals.IsStillOpen(change.business_date, change.merchant));
    if (!open) {
        return Status(Code::kFailedPrecondition, domain::reason::kDayClosed,
                      change.business_date.ToString() + " was closed and sealed without " +
                          NameOf(change.key));
    }
    need.what = Need::What::kAll;
    return need;
}

digest::BucketDigest RestoreAccrual::DigestOf(const domain::Accrual& accrual) const {
    digest::Accumulator one(hasher_);
    one.Add(RowOf(accrual));
    return one.cells().begin()->second;
}

// The event has the time, and nothing else of the row is unknown: so it is the time that gives the
// event that was told. When payout is behind, its batches are large, and others of the bucket were
// in the same one; when it is not, the time is close to the change, or to when it was heard.
Result<std::optional<Instant>> RestoreAccrual::RecordedAt(const Need& need, Instant happened_at,
                                                          Instant heard_at,
                                                          const domain::ContentHash& told) const {
    KESSAI_ASSIGN_OR_RETURN(const std::string sealed,
                            events_.AccrualRecorded(need.accrual, happened_at));
    KESSAI_ASSIGN_OR_RETURN(const event::Envelope envelope, event::Open(sealed));
    event::Fields fields = envelope.fields();
    const auto is_it = [&](Instant at) {
        fields.occurred_at = at;
        return event::HashOf(fields) == told;
    };
    if (need.recorded_at && is_it(*need.recorded_at)) return need.recorded_at;
    for (const Instant at : need.times) {
        if (is_it(at)) return std::optional(at);
    }
    const auto within = [&](Instant first, Instant last) {
        for (std::int64_t micros = ToMicros(first); micros <= ToMicros(last); ++micros) {
            if (is_it(FromMicros(micros))) return true;
        }
        return false;
    };
    const Instant soon = happened_at + kAccruedWithin;
    if (within(happened_at, soon)) return std::optional(fields.occurred_at);
    if (heard_at > soon && within(std::max(soon, heard_at - kAccruedWithin), heard_at)) {
        return std::optional(fields.occurred_at);
    }
    return std::optional<Instant>();
}

Result<RestoreAccrual::Need> RestoreAccrual::FindInTransaction(const domain::PaymentChange& change,
                                                               bool was_told) {
    Need need;
    KESSAI_RETURN_IF_ERROR(
        store_.InPartitionOf(change.key.payment, [&](RestoringTransaction& transaction) -> Status {
            KESSAI_ASSIGN_OR_RETURN(need, Find(transaction, change, was_told));
            return OkStatus();
        }));
    return need;
}

Result<RestoredAccrual> RestoreAccrual::Run(const domain::PaymentChange& change,
                                            Instant happened_at,
                                            const std::optional<domain::ContentHash>& told,
                                            Instant heard_at, bool dry_run) {
    KESSAI_ASSIGN_OR_RETURN(Need need, FindInTransaction(change, told.has_value()));
    std::optional<Instant> recorded_at;
    if (need.what == Need::What::kRow && told && (need.in_doubt || !dry_run)) {
        // Not while the partition waits for it. What was told is told of such an accrual only.
        KESSAI_ASSIGN_OR_RETURN(recorded_at, RecordedAt(need, happened_at, heard_at, *told));
    }
    if (need.in_doubt && !recorded_at) {
        return Conflict("neither what is kept of " + change.business_date.ToString() +
                        " nor what was told has " + NameOf(change.key) +
                        " as payment's event has it");
    }
    if (dry_run || need.what == Need::What::kNothing) {
        return RestoredAccrual{std::move(need.accrual), need.what != Need::What::kNothing};
    }
    if (!recorded_at) recorded_at = need.recorded_at.value_or(clock_.Now());
    const domain::Accrual proven = need.accrual;
    KESSAI_RETURN_IF_ERROR(
        store_.InPartitionOf(change.key.payment, [&](RestoringTransaction& transaction) -> Status {
            KESSAI_ASSIGN_OR_RETURN(need, Find(transaction, change, told.has_value()));
            switch (need.what) {
                case Need::What::kNothing:
                    return OkStatus();
                case Need::What::kRow:
                    return transaction.StoreRow(proven, *recorded_at);
                case Need::What::kAll: {
                    const IncomingChange incoming{change, {}};
                    KESSAI_ASSIGN_OR_RETURN(
                        const auto refused,
                        accrue_.Run(transaction.accruals(), {&incoming, 1}, *recorded_at));
                    return refused.empty() ? OkStatus() : refused.begin()->second;
                }
            }
            return OkStatus();
        }));
    return RestoredAccrual{std::move(need.accrual), need.what != Need::What::kNothing};
}

}  // namespace kessai::payout::app
