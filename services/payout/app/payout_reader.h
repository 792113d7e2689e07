#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "domain/accrual.h"
#include "domain/release.h"
#include "domain/seal.h"
#include "kessai/digest/accumulator.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::payout::app {

struct RecordedAccrual {
    domain::Accrual accrual;
    Instant recorded_at;
};

struct MerchantBalance {
    Currency currency;
    /// Of days not released to the merchant yet, net of the tax they will have.
    std::int64_t pending = 0;
    /// Free to be paid out; negative: a debt.
    std::int64_t available = 0;
    /// On its way to the merchant's bank.
    std::int64_t in_transit = 0;
};

struct MerchantDay {
    Currency currency;
    domain::Sums sums;
    /// As released; until then, what it would be if it were released next.
    std::int64_t tax = 0;
    std::int64_t net = 0;
    bool released = false;
    std::optional<domain::HoldReason> held_back;
};

/// When something was put, and by whom.
struct Put {
    Instant at;
    std::string by;
};

/// What was put for a merchant (or for all, or as shared), in the order of revisions: a page.
struct MerchantPlans {
    std::vector<std::pair<domain::FeePlan, Put>> plans;
    std::vector<std::pair<domain::PlanAssignment, Put>> assignments;
    std::vector<domain::MonthVolume> volumes;
    /// The revision that the page ends with; nothing: there is nothing more.
    std::optional<std::int64_t> last;
};

struct DayView {
    domain::DayState state = domain::DayState::kOpen;
    std::optional<domain::Seal> seal;
    std::int64_t held_back_count = 0;
};

/// How far a round of release is.
struct ReleaseProgress {
    struct Chunk {
        int number = 0;
        /// Sealed in it.
        std::int64_t merchant_count = 0;
        bool done = false;
        /// What the round released of it.
        std::int64_t released_count = 0;
        std::int64_t gross = 0;
        std::int64_t net = 0;
    };
    domain::DayState state = domain::DayState::kOpen;
    int round = 0;
    bool deep = false;
    Instant started_at;
    std::optional<Instant> finished_at;
    /// When it was read, by the database's clock.
    Instant read_at;
    /// Of the round, in order; empty: the day had none yet.
    std::vector<Chunk> chunks;
};

struct DayRow {
    domain::EffectKey key;
    domain::MerchantId merchant;
    std::int64_t gross = 0;
    /// Of a row that is listed.
    std::int64_t fee = 0;
    domain::TaxClass tax_class = domain::TaxClass::kNone;
};

/// Questions to the database, each answered from one moment's committed state. Thread safe.
class PayoutReader {
 public:
    virtual ~PayoutReader() = default;

    /// NOT_FOUND ACCRUAL_UNKNOWN.
    virtual Result<RecordedAccrual> FindAccrual(domain::EffectKey key) = 0;
    /// NOT_FOUND MERCHANT_UNKNOWN: nothing was ever accrued for it.
    virtual Result<MerchantBalance> FindBalance(domain::MerchantId merchant) = 0;
    /// NOT_FOUND MERCHANT_UNKNOWN: nothing was accrued for it on that day.
    virtual Result<MerchantDay> FindMerchantDay(domain::MerchantId merchant, BusinessDate day) = 0;
    /// What was put above the revision `after`: some `limit` of each, and whole revisions. Of none:
    /// of the default plan; of kSharedPlan: of the shared ones.
    virtual Result<MerchantPlans> ListPlans(domain::MerchantId merchant, std::int64_t after,
                                            int limit) = 0;
    /// NOT_FOUND DAY_UNKNOWN: neither open nor ever was.
    virtual Result<DayView> FindDay(BusinessDate day) = 0;
    /// Of the day's last round, if it had one. NOT_FOUND DAY_UNKNOWN.
    virtual Result<ReleaseProgress> FindProgress(BusinessDate day) = 0;
    /// Merchants held back still, by merchant.
    virtual Result<std::vector<domain::HeldBack>> ListHeldBack(BusinessDate day) = 0;

    /// FAILED_PRECONDITION DAY_OPEN. As kept, or (`deep`) computed from the accrual rows. Buckets
    /// out of `range`, which is valid, are empty.
    virtual Result<digest::DayDigest> Digests(BusinessDate day, bool deep,
                                              digest::BucketRange range) = 0;
    /// The rows of a closed day's bucket, by payment and version; `take` returning false ends it.
    /// FAILED_PRECONDITION DAY_OPEN.
    virtual Status StreamRows(BusinessDate day, int bucket,
                              const std::function<bool(const DayRow&)>& take) = 0;
};

}  // namespace kessai::payout::app
