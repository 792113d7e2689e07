#include "app/preview_fee_plan.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>

#include "domain/reason.h"
#include "domain/tax.h"
#include "kessai/digest/accumulator.h"

namespace kessai::payout::app {
namespace {

// A day is read in so many parts, and between them it is asked whether to go on.
constexpr int kSegments = 64;

Status Invalid(const char* message) {
    return Status(Code::kInvalidArgument, domain::reason::kFieldInvalid, message);
}

struct Days {
    BusinessDate from;
    BusinessDate to;
};

Result<Days> DaysOf(const PreviewFeePlan::Wish& wish, Instant now) {
    if (!wish.from && !wish.to) {
        const BusinessDate month = domain::CycleStart(BusinessDate::OfJst(now));
        return Days{domain::CycleStart(month.Previous()), month.Previous()};
    }
    if (!wish.from || !wish.to) return Invalid("the days have a beginning or an end only");
    if (*wish.to < *wish.from) return Invalid("the days end before they begin");
    if (wish.from->PlusDays(PreviewFeePlan::kDaysMax) <= *wish.to) {
        return Invalid("the days are more than 31");
    }
    return Days{*wish.from, *wish.to};
}

}  // namespace

/// Sums accruals as they come; those whose volume has to be looked up wait until it was.
class PreviewFeePlan::Previewer {
 public:
    /// A merchant, and the month that its tier follows.
    using VolumeKey = std::pair<domain::MerchantId, BusinessDate>;

    Previewer(const PreviewFeePlan::Wish& wish, BusinessDate first_day)
        : wish_(wish),
          first_day_(first_day),
          has_stores_(domain::HasStores(wish.plan)),
          has_tiers_(domain::HasTiers(wish.plan)) {}

    void Add(const domain::Accrual& accrual, const domain::PlanBook& plans) {
        ++rows_;
        Sum(accrual, plans);
    }
    const std::set<VolumeKey>& lacking() const { return lacking_; }
    void NoteVolume(const VolumeKey& key, std::int64_t volume) { volumes_[key] = volume; }
    /// Sums those that waited. Precondition: all that lacked was noted.
    void SumWaiting(const domain::PlanBook& plans) {
        lacking_.clear();
        for (const domain::Accrual& accrual : std::exchange(waiting_, {})) Sum(accrual, plans);
    }
    std::int64_t rows() const { return rows_; }

    FeePlanPreview Take(const Days& days, std::size_t merchants_max) {
        FeePlanPreview preview;
        preview.from = days.from;
        preview.to = days.to;
        preview.merchant_count = static_cast<std::int64_t>(merchants_.size());
        preview.without_store_count = without_store_count_;
        preview.merchants.assign(merchants_.begin(), merchants_.end());
        for (const auto& [merchant, sums] : preview.merchants) {
            preview.total.accrual_count += sums.accrual_count;
            preview.total.gross += sums.gross;
            preview.total.fee_then += sums.fee_then;
            preview.total.fee_now += sums.fee_now;
        }
        const auto place = [](const auto& entry) {
            const PreviewSums& sums = entry.second;
            return std::pair(-std::abs(sums.fee_now - sums.fee_then), entry.first);
        };
        std::sort(preview.merchants.begin(), preview.merchants.end(),
                  [&](const auto& a, const auto& b) { return place(a) < place(b); });
        if (preview.merchants.size() > merchants_max) preview.merchants.resize(merchants_max);
        return preview;
    }

 private:
    void Sum(const domain::Accrual& accrual, const domain::PlanBook& plans) {
        if (accrual.gross == 0 || !domain::IsChangeKind(static_cast<int>(accrual.kind))) return;
        const domain::FeePlan* then = plans.Version(accrual.plan, accrual.plan_version);
        if (then == nullptr || !Concerns(accrual, *then)) return;
        const domain::PaymentChange change = domain::ChangeOf(accrual);
        // A damaged row is the recount's affair.
        if (!domain::Validate(change).ok()) return;
        const auto volume = VolumeOf(accrual, *then, plans);
        if (!volume) {
            waiting_.push_back(accrual);
            return;
        }
        if (has_stores_ && !domain::HasStores(*then)) ++without_store_count_;

        const domain::PlanInForce in_force = plans.Find(accrual.merchant, accrual.payment_date);
        const bool same = in_force.plan != nullptr && in_force.plan->id == wish_.plan.id;
        const domain::FeeCase fee_case{change.store, change.payment_date,
                                       same ? in_force.since : first_day_, *volume};
        PreviewSums& sums = merchants_[accrual.merchant];
        ++sums.accrual_count;
        sums.gross += accrual.gross;
        sums.fee_then += accrual.fee;
        sums.fee_now += domain::SignedFee(wish_.plan, fee_case, change);
    }
    /// Nothing if it has to be looked up.
    std::optional<std::int64_t> VolumeOf(const domain::Accrual& accrual,
                                         const domain::FeePlan& then,
                                         const domain::PlanBook& plans) {
        if (!has_tiers_) return 0;
        const auto fixed = plans.FixedVolumeOn(accrual.merchant, accrual.payment_date);
        if (fixed || domain::HasTiers(then)) return fixed.value_or(0);
        const BusinessDate month = domain::CycleStart(accrual.payment_date);
        const VolumeKey key(accrual.merchant, domain::CycleStart(month.Previous()));
        if (const auto known = volumes_.find(key); known != volumes_.end()) return known->second;
        lacking_.insert(key);
        return std::nullopt;
    }
    bool Concerns(const domain::Accrual& accrual, const domain::FeePlan& then) const {
        if (!wish_.merchants.empty()) return wish_.merchants.contains(accrual.merchant);
        if (!wish_.plan.id.is_none()) return accrual.plan == wish_.plan.id;
        if (!wish_.plan.merchant.is_none()) return accrual.merchant == wish_.plan.merchant;
        return then.merchant.is_none();
    }

    const PreviewFeePlan::Wish& wish_;
    const BusinessDate first_day_;
    const bool has_stores_;
    const bool has_tiers_;
    std::map<VolumeKey, std::int64_t> volumes_;
    std::set<VolumeKey> lacking_;
    std::vector<domain::Accrual> waiting_;
    std::unordered_map<domain::MerchantId, PreviewSums> merchants_;
    std::int64_t without_store_count_ = 0;
    std::int64_t rows_ = 0;
};

Result<FeePlanPreview> PreviewFeePlan::Run(const Wish& wish, const GoOn& go_on) {
    KESSAI_RETURN_IF_ERROR(domain::Validate(wish.plan));
    if (wish.plan.merchant == domain::kSharedPlan && wish.plan.id.is_none() &&
        wish.merchants.empty()) {
        return Invalid("a new shared plan is nobody's: name merchants");
    }
    KESSAI_ASSIGN_OR_RETURN(const Days days, DaysOf(wish, clock_.Now()));
    std::vector<BusinessDate> with_rows;
    for (BusinessDate day = days.from; day <= days.to; day = day.Next()) {
        const auto state = store_.StateOf(day);
        if (!state.ok() && state.status().reason() == domain::reason::kDayUnknown) continue;
        KESSAI_RETURN_IF_ERROR(state.status());
        if (*state == domain::DayState::kOpen) {
            return Status(Code::kFailedPrecondition, domain::reason::kDayOpen,
                          day.ToString() + " is not closed");
        }
        with_rows.push_back(day);
    }
    KESSAI_ASSIGN_OR_RETURN(const auto updates, store_.PlansAfter(plans_.revision()));
    plans_.Add(updates);
    if (!wish.plan.id.is_none() && !IsKnown(wish.plan)) {
        return Status(Code::kNotFound, domain::reason::kPlanUnknown,
                      "there is no plan " + wish.plan.id.ToString() + " of that merchant");
    }
    Previewer previewer(wish, days.from);
    for (const BusinessDate day : with_rows) {
        for (int segment = 0; segment < kSegments; ++segment) {
            KESSAI_RETURN_IF_ERROR(go_on());
            KESSAI_RETURN_IF_ERROR(AddSegment(day, segment, go_on, previewer));
            if (previewer.rows() > options_.rows_max) {
                return Status(Code::kResourceExhausted, domain::reason::kPreviewTooLarge,
                              "the days up to " + day.ToString() + " have more than " +
                                  std::to_string(options_.rows_max) + " accruals: ask for fewer");
            }
        }
    }
    return previewer.Take(days, options_.merchants_max);
}

bool PreviewFeePlan::IsKnown(const domain::FeePlan& plan) const {
    return plans_.Read([&](const domain::PlanBook& book) {
        const domain::FeePlan* known = book.Version(plan.id, 1);
        return known != nullptr && known->merchant == plan.merchant;
    });
}

// The plans are held only so long, so that whoever accrues does not wait for us to read new ones.
Status PreviewFeePlan::AddSegment(BusinessDate day, int segment, const GoOn& go_on,
                                  Previewer& previewer) {
    const int first = digest::kBuckets * segment / kSegments;
    const int last = digest::kBuckets * (segment + 1) / kSegments - 1;
    KESSAI_RETURN_IF_ERROR(plans_.Read([&](const domain::PlanBook& book) {
        return store_.ScanAccruals(day, first, last, [&](const domain::Accrual& accrual) {
            previewer.Add(accrual, book);
        });
    }));
    if (previewer.lacking().empty()) return OkStatus();
    for (const auto& [merchant, month] : previewer.lacking()) {
        KESSAI_RETURN_IF_ERROR(go_on());
        KESSAI_ASSIGN_OR_RETURN(const std::int64_t volume, volumes_.GrossOf(merchant, month));
        previewer.NoteVolume({merchant, month}, volume);
    }
    plans_.Read([&](const domain::PlanBook& book) { previewer.SumWaiting(book); });
    return OkStatus();
}

}  // namespace kessai::payout::app
