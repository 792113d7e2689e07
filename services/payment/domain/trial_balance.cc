#include "domain/trial_balance.h"

#include "kessai/money/money.h"

namespace kessai::payment::domain {

Status TrialBalance::Add(std::span<const Posting> journal) {
    for (const Posting& posting : journal) {
        std::int64_t& sum = sums_[PlaceOf(posting.account)];
        KESSAI_ASSIGN_OR_RETURN(sum, CheckedAdd(sum, posting.amount));
    }
    return OkStatus();
}

Status TrialBalance::Add(const TrialBalance& other) {
    for (std::size_t account = 0; account < sums_.size(); ++account) {
        KESSAI_ASSIGN_OR_RETURN(sums_[account], CheckedAdd(sums_[account], other.sums_[account]));
    }
    return OkStatus();
}

Result<std::int64_t> TrialBalance::Total() const {
    std::int64_t total = 0;
    for (const std::int64_t sum : sums_) {
        KESSAI_ASSIGN_OR_RETURN(total, CheckedAdd(total, sum));
    }
    return total;
}

}  // namespace kessai::payment::domain
