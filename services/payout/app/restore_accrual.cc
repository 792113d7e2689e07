#include "app/restore_accrual.h"

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "domain/reason.h"
#include "kessai/event/envelope.h"

namespace kessai::payout::app {
namespace {

// As libs/inbox refuses it.
constexpr std::string_view kEffectConflict = "EFFECT_CONFLICT";
/// A change is accrued soon after it was made; so far behind it its time is looked for.
constexpr Duration kAccruedWithin = std::chrono::seconds(5);

std::string NameOf(domain::EffectKey key) {
    return "change " + key.payment.ToString() + "/" + std::to_string(key.version);
}

Status Conflict(std::string why) {
    return Status(Code::kAlreadyExists, kEffectConflict, std::move(why));
}

digest::Row RowOf(const domain::Accrual& accrual) {
    return {accrual.key.payment.value(), accrual.key.version, accrual.business_date,
            accrual.merchant.value(), accrual.gross};
}

}  // namespace

Result<RestoreAccrual::Need> RestoreAccrual::Find(RestoringTransaction& transaction,
                                                  const domain::PaymentChange& change) {
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

    KESSAI_ASSIGN_OR_RETURN(const auto stored, accruals.FindEffects(std::array{change.key}));
    if (!stored.empty()) {
        if (stored.front().content_hash == change.content_hash) return need;
        return Conflict(NameOf(change.key) + " is accrued with another content");
    }
    const int bucket = digest::BucketOf(change.key.payment.value());
    KESSAI_ASSIGN_OR_RETURN(const digest::RecomputedBucket digests,
                            transaction.DigestsOfBucket(change.business_date, bucket));
    const std::int64_t missing = digests.before.count - digests.after.count;
    if (missing >= 1) {
        digest::Accumulator one(hasher_);
        one.Add(RowOf(need.accrual));
        digest::BucketDigest with = digests.after;
        with.Add(one.Day(change.business_date)[static_cast<std::size_t>(bucket)]);
        // Of several that are missing, the last one shows whether they were these.
        if (missing == 1 && !(with == digests.before)) {
            return Conflict("what the digest of bucket " + std::to_string(bucket) +
                            " misses is not " + NameOf(change.key) + " as payment has it");
        }
        need.what = Need::What::kRow;
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

// The event has the time, and nothing else of the row is unknown: so it is the time that gives the
// event that was told.
Result<std::optional<Instant>> RestoreAccrual::RecordedAt(const domain::Accrual& accrual,
                                                          Instant happened_at,
                                                          const domain::ContentHash& told) const {
    KESSAI_ASSIGN_OR_RETURN(const std::string sealed,
                            events_.AccrualRecorded(accrual, happened_at));
    KESSAI_ASSIGN_OR_RETURN(const event::Envelope envelope, event::Open(sealed));
    event::Fields fields = envelope.fields();
    const std::int64_t first = ToMicros(happened_at);
    const std::int64_t last = ToMicros(happened_at + kAccruedWithin);
    for (std::int64_t micros = first; micros <= last; ++micros) {
        fields.occurred_at = FromMicros(micros);
        if (event::HashOf(fields) == told) return std::optional(fields.occurred_at);
    }
    return std::optional<Instant>();
}

Result<RestoredAccrual> RestoreAccrual::Run(const domain::PaymentChange& change,
                                            Instant happened_at,
                                            const std::optional<domain::ContentHash>& told,
                                            bool dry_run) {
    Need need;
    KESSAI_RETURN_IF_ERROR(store_.InPartitionOf(
        change.key.payment, [&](RestoringTransaction& transaction) -> Status {
            KESSAI_ASSIGN_OR_RETURN(need, Find(transaction, change));
            return OkStatus();
        }));
    if (dry_run || need.what == Need::What::kNothing) {
        return RestoredAccrual{std::move(need.accrual), false};
    }
    Instant recorded_at = clock_.Now();
    if (need.what == Need::What::kRow && told) {
        // Not while the partition waits for it.
        KESSAI_ASSIGN_OR_RETURN(const auto found, RecordedAt(need.accrual, happened_at, *told));
        if (found) recorded_at = *found;
    }
    KESSAI_RETURN_IF_ERROR(store_.InPartitionOf(
        change.key.payment, [&](RestoringTransaction& transaction) -> Status {
            KESSAI_ASSIGN_OR_RETURN(need, Find(transaction, change));
            switch (need.what) {
                case Need::What::kNothing:
                    return OkStatus();
                case Need::What::kRow:
                    return transaction.StoreRow(need.accrual, recorded_at);
                case Need::What::kAll: {
                    const IncomingChange incoming{change, {}};
                    KESSAI_ASSIGN_OR_RETURN(const auto refused,
                                            accrue_.Run(transaction.accruals(), {&incoming, 1},
                                                        recorded_at));
                    return refused.empty() ? OkStatus() : refused.begin()->second;
                }
            }
            return OkStatus();
        }));
    return RestoredAccrual{std::move(need.accrual), need.what != Need::What::kNothing};
}

}  // namespace kessai::payout::app
