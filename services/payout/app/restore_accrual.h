#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "app/accrual_transaction.h"
#include "app/accrue_payments.h"
#include "app/event_encoder.h"
#include "app/payout_reader.h"
#include "app/plan_cache.h"
#include "domain/payment_change.h"
#include "kessai/digest/accumulator.h"
#include "kessai/digest/row_hash.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::payout::app {

/// A transaction of a payment's partition, in which an accrual may be put back.
class RestoringTransaction {
 public:
    virtual ~RestoringTransaction() = default;
    virtual AccrualTransaction& accruals() = 0;
    /// What is kept of a bucket of the day, and what its rows sum to. Precondition: the gate is
    /// locked, so neither moves.
    virtual Result<digest::RecomputedBucket> DigestsOfBucket(BusinessDate day, int bucket) = 0;
    /// The accrual as its row is now; nothing: there is none.
    virtual Result<std::optional<RecordedAccrual>> FindRow(domain::EffectKey key) = 0;
    /// When the other accruals of the bucket were recorded, each time once: rows of one batch share
    /// it, and the events of a bucket are of one partition, so they come in the same batches.
    virtual Result<std::vector<Instant>> TimesOfBucket(BusinessDate day, int bucket) = 0;
    /// Stores the row and what is kept apart of it, in the place of what is there, and nothing
    /// else.
    virtual Status StoreRow(const domain::Accrual& accrual, Instant recorded_at) = 0;
};

/// An accrual as reconciliation compares it, and the day that it is dated to.
struct DatedRow {
    domain::EffectKey key;
    domain::MerchantId merchant;
    std::int64_t gross = 0;
    BusinessDate business_date;
    std::int64_t fee = 0;
    domain::TaxClass tax_class = domain::TaxClass::kNone;
};

/// What repairs need of accruals, in the database. Thread safe.
class RestoringStore {
 public:
    virtual ~RestoringStore() = default;
    /// Runs `work` in a transaction of the payment's partition, again if the database asks for it.
    virtual Status InPartitionOf(domain::PaymentId payment,
                                 const std::function<Status(RestoringTransaction&)>& work) = 0;
    /// Publishes the events of accruals again, behind what was told of their payments before.
    /// NOT_FOUND EVENT_UNKNOWN, and none is published, when one is not there.
    virtual Status Republish(std::span<const domain::EffectKey> keys) = 0;
    /// The rows of these changes that there are, whatever their day. In no order.
    virtual Result<std::vector<DatedRow>> FindRows(std::span<const domain::EffectKey> keys) = 0;
    /// Computes the kept digest of a bucket again from its accruals (digest::RecomputeBucket).
    virtual Result<digest::RecomputedBucket> RecomputeDigest(BusinessDate day, int bucket,
                                                             std::string_view key) = 0;
};

struct RestoredAccrual {
    domain::Accrual accrual;
    /// False: it was there as it should be. Of a dry run: whether it would be restored.
    bool restored = false;
};

/// Use case: a change was accrued, and its row is gone or was changed: put it back as it was. What
/// the day keeps of it (totals, digest, seal) was stored with it, and is not touched, whether the
/// day is open, sealed or released. A change that the day's digest does not have either is accrued
/// like any event while the day is open, and refused afterwards. Thread safe.
class RestoreAccrual {
 public:
    /// All must outlive it.
    RestoreAccrual(RestoringStore& store, PlanCache& plans, const domain::TaxTable& taxes,
                   const EventEncoder& events, const digest::RowHasher& hasher, const Clock& clock)
        : store_(store),
          plans_(plans),
          taxes_(taxes),
          events_(events),
          hasher_(hasher),
          clock_(clock),
          accrue_(plans, taxes) {}

    /// `told`: the content of the AccrualRecorded that others were told, so that the row tells the
    /// same again; nothing: nobody was. `happened_at`: when the change was made. `heard_at`: when
    /// it was heard by whoever was told it; the epoch: not known. Refuses as domain::Accrue;
    /// FAILED_PRECONDITION DAY_CLOSED; ALREADY_EXISTS EFFECT_CONFLICT (it is there with another
    /// content, or neither the day's digest nor what was told has it so). What was told proves an
    /// accrual that neither the rows nor the digest have any more: whoever took both away left the
    /// merchant's totals, and giving it to the merchant again would be once too often.
    Result<RestoredAccrual> Run(const domain::PaymentChange& change, Instant happened_at,
                                const std::optional<domain::ContentHash>& told, Instant heard_at,
                                bool dry_run);

 private:
    /// What there is to do, within a transaction.
    struct Need {
        domain::Accrual accrual;
        enum class What { kNothing, kRow, kAll } what = What::kNothing;
        /// When the row that is there says it was recorded.
        std::optional<Instant> recorded_at{};
        /// When others of its bucket were.
        std::vector<Instant> times{};
        /// What the day keeps does not show that it was accrued so: only what was told may.
        bool in_doubt = false;
    };
    /// `was_told`: whether somebody was told that it was accrued.
    Result<Need> Find(RestoringTransaction& transaction, const domain::PaymentChange& change,
                      bool was_told);
    Result<Need> FindInTransaction(const domain::PaymentChange& change, bool was_told);
    digest::BucketDigest DigestOf(const domain::Accrual& accrual) const;
    /// When the accrual was recorded, as what was told of it has it; nothing: it cannot be found.
    Result<std::optional<Instant>> RecordedAt(const Need& need, Instant happened_at,
                                              Instant heard_at,
                                              const domain::ContentHash& told) const;

    RestoringStore& store_;
    PlanCache& plans_;
    const domain::TaxTable& taxes_;
    const EventEncoder& events_;
    const digest::RowHasher& hasher_;
    const Clock& clock_;
    AccruePayments accrue_;
};

}  // namespace kessai::payout::app
