#include "app/recount_day.h"

#include <utility>
#include <vector>

#include "app/parallel.h"
#include "kessai/digest/accumulator.h"

namespace kessai::payout::app {

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
    std::vector<Part> parts(static_cast<std::size_t>(options_.threads));
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
        return store_.ScanSums(day, first, last,
                               [&](domain::MerchantId merchant, domain::TaxClass tax_class,
                                   std::int64_t gross, std::int64_t fee) {
                                   part.sums.Add(merchant, tax_class, gross, fee);
                                   ++part.rows;
                               });
    }
    return plans_.Read([&](const domain::PlanBook& book) {
        return store_.ScanAccruals(day, first, last, [&](const domain::Accrual& accrual) {
            part.sums.Add(accrual.merchant, accrual.tax_class, accrual.gross, accrual.fee);
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
