#include "app/check_fees.h"

#include <algorithm>
#include <iterator>
#include <optional>

#include "app/parallel.h"
#include "domain/reason.h"
#include "kessai/digest/accumulator.h"

namespace kessai::payout::app {

Result<std::vector<domain::WrongFee>> CheckFees::Run(BusinessDate day,
                                                     const std::stop_token& stop) {
    KESSAI_ASSIGN_OR_RETURN(const domain::DayState state, store_.StateOf(day));
    if (state == domain::DayState::kOpen) {
        return Status(Code::kFailedPrecondition, domain::reason::kDayOpen,
                      day.ToString() + " is not closed");
    }
    // Any process may be asked, also one that has accrued nothing yet.
    KESSAI_ASSIGN_OR_RETURN(const auto plans, store_.PlansAfter(plans_.revision()));
    plans_.Add(plans);

    std::vector<std::vector<domain::WrongFee>> parts(static_cast<std::size_t>(options_.threads));
    KESSAI_RETURN_IF_ERROR(
        RunInParallel(options_.segments, options_.threads, [&](int segment, int thread) -> Status {
            if (stop.stop_requested()) return Stopping();
            auto& found = parts[static_cast<std::size_t>(thread)];
            const int first = digest::kBuckets * segment / options_.segments;
            const int last = digest::kBuckets * (segment + 1) / options_.segments - 1;
            return plans_.Read([&](const domain::PlanBook& book) {
                return store_.ScanAccruals(day, first, last, [&](const domain::Accrual& accrual) {
                    if (found.size() >= kNamedMax) return;
                    if (auto wrong = domain::FindWrongFee(accrual, book, taxes_)) {
                        found.push_back(*std::move(wrong));
                    }
                });
            });
        }));
    std::vector<domain::WrongFee> all;
    for (auto& part : parts) std::ranges::move(part, std::back_inserter(all));
    std::ranges::sort(all, {}, [](const domain::WrongFee& wrong) { return wrong.accrual.key; });
    if (all.size() > kNamedMax) all.resize(kNamedMax);
    return all;
}

}  // namespace kessai::payout::app
