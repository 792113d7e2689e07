#include "app/recount_day.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "app/parallel.h"
#include "kessai/digest/accumulator.h"

namespace kessai::payout::app {

namespace {

/// A damaged count must not take the machine's memory.
constexpr std::int64_t kMerchantsExpectedMax = 16'000'000;

}  // namespace

struct RecountDay::Part {
    domain::SegmentSums sums;
    std::map<domain::MerchantId, std::string> faults;
    std::int64_t rows = 0;
};

Result<DayRecount> RecountDay::Run(BusinessDate day, bool deep, const std::stop_token& stop) {
    if (deep) {
        // Any process may be asked, also one that has accrued nothing yet.
        KESSAI_ASSIGN_OR_RETURN(const auto plans, store_.PlansAfter(plans_.revision()));
        plans_.Add(plans);
    }
    KESSAI_ASSIGN_OR_RETURN(const std::int64_t merchants, store_.MerchantCount(day));
    std::vector<Part> parts(static_cast<std::size_t>(options_.threads));
    for (Part& part : parts) {
        // As a rule every worker sees nearly every merchant.
        part.sums = domain::SegmentSums(static_cast<std::size_t>(
            std::clamp<std::int64_t>(merchants, 0, kMerchantsExpectedMax)));
    }
    std::vector<std::vector<domain::MerchantSums>> sorted(parts.size());
    KESSAI_RETURN_IF_ERROR(
        RunInParallel(options_.segments, options_.threads, [&](int segment, int thread) {
            if (stop.stop_requested()) return Stopping();
            return ScanSegment(day, segment, deep, parts[static_cast<std::size_t>(thread)]);
        }));
    KESSAI_RETURN_IF_ERROR(
        RunInParallel(options_.threads, options_.threads, [&](int part, int) -> Status {
            const auto i = static_cast<std::size_t>(part);
            sorted[i] = parts[i].sums.TakeSorted();
            return OkStatus();
        }));

    DayRecount recount{domain::Recount(std::move(sorted)), {}, 0};
    for (Part& part : parts) {
        recount.faults.merge(part.faults);
        recount.rows += part.rows;
    }
    return recount;
}

Status RecountDay::ScanSegment(BusinessDate day, int segment, bool deep, Part& part) {
    const int first = digest::kBuckets * segment / options_.segments;
    const int last = digest::kBuckets * (segment + 1) / options_.segments - 1;
    if (!deep) {
        return store_.ScanAmounts(day, first, last,
                                  [&](std::span<const domain::AccruedAmount> rows) {
                                      part.sums.Add(rows);
                                      part.rows += static_cast<std::int64_t>(rows.size());
                                  });
    }
    return plans_.Read([&](const domain::PlanBook& book) {
        return store_.ScanAccruals(day, first, last, [&](const domain::Accrual& accrual) {
            part.sums.Add({accrual.merchant, accrual.tax_class, accrual.gross, accrual.fee});
            ++part.rows;
            if (auto fault = domain::FindFault(accrual, book, taxes_)) {
                part.faults.try_emplace(accrual.merchant,
                                        "payment " + accrual.key.payment.ToString() + " version " +
                                            std::to_string(accrual.key.version) + ": " + *fault);
            }
        });
    });
}

}  // namespace kessai::payout::app
