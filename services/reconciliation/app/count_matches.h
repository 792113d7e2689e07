#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <set>

#include "app/books.h"
#include "domain/ids.h"
#include "domain/merchant_day.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"
#include "kessai/time/clock.h"

namespace kessai::reconciliation::app {

/// What a merchant's day sums to, by tax class.
using ClassSums = std::map<domain::TaxClass, domain::LineSums>;

/// A merchant's day as our totals keep it, and as the rows of what was matched sum up to.
struct CountedMerchant {
    ClassSums kept{};
    ClassSums of_rows{};
};

/// Use case: count the matches of a merchant's day again, from their rows.
///
/// A match is stored with what it adds to the totals, in one transaction. So if a merchant's totals
/// are the same before its rows are read and after, the rows are those that belong to these totals,
/// though they are read some buckets at a time; and however many matches come later, what the
/// totals have too much of or too little stays the same.
///
/// The whole day is read once for all its merchants, and what was counted is good for a while, as
/// long as the merchant's totals do not move. Thread safe; who asks meanwhile waits.
class CountMatches {
 public:
    /// Both must outlive it.
    CountMatches(Transactions& transactions, const Clock& clock)
        : transactions_(transactions), clock_(clock) {}

    /// ABORTED TOTALS_MOVED when matches of the merchant kept coming.
    Result<CountedMerchant> Run(BusinessDate business_date, domain::MerchantId merchant);

 private:
    struct Counted {
        BusinessDate business_date{};
        SteadyInstant until{};
        std::map<domain::MerchantId, CountedMerchant> merchants{};
        /// Those whose totals moved meanwhile: what was counted of them is none.
        std::set<domain::MerchantId> moved{};
    };

    Result<Counted> CountDay(BusinessDate business_date);
    Result<std::map<domain::MerchantId, ClassSums>> KeptOfAll(BusinessDate business_date);

    Transactions& transactions_;
    const Clock& clock_;
    std::mutex mutex_;
    std::optional<Counted> counted_;
};

/// What is kept of a merchant's day. In a transaction.
Result<ClassSums> KeptTotals(Books& books, BusinessDate business_date, domain::MerchantId merchant);

}  // namespace kessai::reconciliation::app
