#include "model/day_digests.h"

#include "kessai/event/bucket.h"
#include "kessai/time/business_date.h"
#include "report.h"

namespace kessai::audit {

std::string ToText(const DigestCell& cell) {
    return std::to_string(cell.count) + " changes, " + ToText(cell.signed_gross) + ", hash " +
           cell.hash_sum.ToHex();
}

void DayDigests::Add(const DigestedRow& row) {
    if (last_ == nullptr || last_day_ != row.business_date) {
        last_day_ = row.business_date;
        last_ = &days_.try_emplace(row.business_date, event::kBuckets).first->second;
    }
    DigestCell& cell = (*last_)[static_cast<std::size_t>(event::BucketOf(row.key.object))];
    ++cell.count;
    cell.signed_gross += row.signed_gross;
    const auto date = BusinessDate::FromNumber(row.business_date);
    if (!date.ok()) return;
    cell.hash_sum +=
        hasher_->Hash({row.key.object, row.key.version, *date, row.merchant_id, row.signed_gross});
}

const DigestDay& DayDigests::Of(DayNumber day) const {
    static const DigestDay kEmpty(event::kBuckets);
    const auto found = days_.find(day);
    return found == days_.end() ? kEmpty : found->second;
}

}  // namespace kessai::audit
