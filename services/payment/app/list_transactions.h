#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>

#include "app/day_store.h"
#include "app/transaction_reader.h"

namespace kessai::payment::app {

inline constexpr int kTransactionPartsMax = 1'024;

/// A part of the changes of a day of the books, or of a time.
struct TransactionQuery {
    /// None: by time, from `from` to before `to`.
    std::optional<BusinessDate> business_date = {};
    Instant from = {};
    Instant to = {};
    /// None: of all.
    domain::MerchantId merchant = {};
    /// 0 ≤ part < parts ≤ kTransactionPartsMax.
    int part = 0;
    int parts = 1;
    TransactionPosition after = {};
};

/// Lists what merchants see of a day, for their files, once nothing can be added to it. Thread
/// safe.
class ListTransactions {
 public:
    ListTransactions(TransactionReader& reader, DayStore& days) : reader_(reader), days_(days) {}

    /// FAILED_PRECONDITION DAY_OPEN, DAY_NOT_OVER, DAY_NOT_CURRENT; else as the reader.
    Status Run(const TransactionQuery& query,
               const std::function<bool(const TransactionRow&)>& take);

 private:
    Result<TransactionRange> RangeOfDay(BusinessDate date);
    Result<TransactionRange> RangeOfTime(Instant from, Instant to);

    TransactionReader& reader_;
    DayStore& days_;
    /// The gates were fenced up to here by this process: in microseconds.
    std::atomic<std::int64_t> fenced_us_{0};
};

}  // namespace kessai::payment::app
