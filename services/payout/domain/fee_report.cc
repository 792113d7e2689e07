#include "domain/fee_report.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "domain/day_part.h"
#include "kessai/money/money.h"

namespace kessai::payout::domain {
namespace {

bool IsReturn(ChangeKind kind) {
    Accrual moving;
    moving.kind = kind;
    moving.gross = -1;
    return PartOf(moving) == DayPartKind::kReturns;
}

PlanOwner OwnerOf(PlanId id, const FeePlan* plan) {
    if (id.is_none()) return PlanOwner::kNobody;
    if (plan == nullptr) return PlanOwner::kUnknown;
    if (plan->merchant.is_none()) return PlanOwner::kDefault;
    return plan->merchant == kSharedPlan ? PlanOwner::kShared : PlanOwner::kMerchant;
}

int Place(PlanOwner owner) {
    switch (owner) {
        case PlanOwner::kDefault:
            return 0;
        case PlanOwner::kShared:
            return 1;
        case PlanOwner::kMerchant:
            return 2;
        case PlanOwner::kUnknown:
            return 3;
        case PlanOwner::kNobody:
            return 4;
    }
    return 5;
}

std::int64_t Weight(const FeeLine& line) {
    return line.sums.charged - line.sums.given_back;
}

/// Joins the lightest lines of own plans, so that `lines_max` are left, or none can be joined.
Status JoinLightest(std::vector<FeeLine>& lines, std::size_t lines_max) {
    const auto is_own = [](const FeeLine& line) { return line.owner == PlanOwner::kMerchant; };
    const auto own = std::stable_partition(lines.begin(), lines.end(),
                                           [&](const FeeLine& line) { return !is_own(line); });
    std::stable_sort(own, lines.end(),
                     [](const FeeLine& a, const FeeLine& b) { return Weight(a) > Weight(b); });
    const auto others = static_cast<std::size_t>(own - lines.begin());
    const std::size_t kept = std::max(others, std::min(lines_max, lines.size()));
    std::map<TaxClass, FeeLine> joined;
    for (std::size_t i = kept; i < lines.size(); ++i) {
        FeeLine& line = joined[lines[i].tax_class];
        line.owner = PlanOwner::kMerchant;
        line.tax_class = lines[i].tax_class;
        ++line.plan_count;
        KESSAI_ASSIGN_OR_RETURN(line.sums, Add(line.sums, lines[i].sums));
    }
    lines.resize(kept);
    for (auto& [tax_class, line] : joined) lines.push_back(line);
    return OkStatus();
}

}  // namespace

Result<FeeSums> Add(const FeeSums& a, const FeeSums& b) {
    FeeSums sums;
    sums.accrual_count = a.accrual_count + b.accrual_count;
    sums.return_count = a.return_count + b.return_count;
    KESSAI_ASSIGN_OR_RETURN(sums.gross, CheckedAdd(a.gross, b.gross));
    KESSAI_ASSIGN_OR_RETURN(sums.charged, CheckedAdd(a.charged, b.charged));
    KESSAI_ASSIGN_OR_RETURN(sums.given_back, CheckedAdd(a.given_back, b.given_back));
    return sums;
}

Result<FeeSums> SumsOf(const FeeGroup& group) {
    FeeSums sums;
    sums.accrual_count = group.accrual_count;
    sums.gross = group.gross;
    if (IsChangeKind(static_cast<std::int64_t>(group.kind)) && IsReturn(group.kind)) {
        sums.return_count = group.moving_count;
        sums.given_back = group.fee;
    } else {
        sums.charged = group.fee;
    }
    return sums;
}

Status FeeTally::Add(const FeeGroup& group) {
    KESSAI_ASSIGN_OR_RETURN(const FeeSums more, SumsOf(group));
    FeeSums& sums = sums_[{group.plan, group.plan_version, group.tax_class}];
    KESSAI_ASSIGN_OR_RETURN(sums, domain::Add(sums, more));
    return OkStatus();
}

Result<std::vector<FeeLine>> FeeTally::Lines(const PlanBook& plans, std::size_t lines_max) const {
    std::vector<FeeLine> lines;
    for (const auto& [key, sums] : sums_) {
        const auto& [id, version, tax_class] = key;
        const FeePlan* plan = plans.Version(id, version);
        FeeLine line{OwnerOf(id, plan), {}, id, version, id.is_none() ? 0 : 1, tax_class, sums};
        if (line.owner == PlanOwner::kMerchant) line.merchant = plan->merchant;
        lines.push_back(line);
    }
    if (lines.size() > lines_max) KESSAI_RETURN_IF_ERROR(JoinLightest(lines, lines_max));
    const auto place = [](const FeeLine& line) {
        return std::tuple(Place(line.owner), line.plan.is_none(), line.plan, line.plan_version,
                          line.tax_class);
    };
    std::sort(lines.begin(), lines.end(),
              [&](const FeeLine& a, const FeeLine& b) { return place(a) < place(b); });
    return lines;
}

Result<std::map<TaxClass, FeeSums>> FeeTally::ByTaxClass() const {
    std::map<TaxClass, FeeSums> found;
    for (const auto& [key, sums] : sums_) {
        FeeSums& sum = found[std::get<TaxClass>(key)];
        KESSAI_ASSIGN_OR_RETURN(sum, domain::Add(sum, sums));
    }
    return found;
}

}  // namespace kessai::payout::domain
