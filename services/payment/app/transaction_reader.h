#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "domain/ids.h"
#include "domain/ledger.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"
#include "kessai/time/clock.h"

namespace kessai::payment::app {

/// Where a change stands among those of a range. The default is before all.
struct TransactionPosition {
    /// 0: of the range's ids, by (object, version). 1: of other ids, by (date, bucket, object,
    /// version). Of one merchant there is only pass 1, of all ids, without buckets.
    int pass = 0;
    BusinessDate date = {};
    int bucket = 0;
    std::int64_t object = 0;
    std::uint32_t version = 0;

    bool operator==(const TransactionPosition&) const = default;
};

/// Changes of payments: those of a day or some, within a time, of a part of the objects.
struct TransactionRange {
    /// Both inclusive.
    BusinessDate first_date;
    BusinessDate last_date;
    /// From `from` to before `to`.
    Instant from;
    Instant to;
    /// One day, and all times: neither has to be looked at row by row.
    bool is_whole_day = false;
    /// None: of all. Of one merchant all changes are read by its index, whatever their ids.
    domain::MerchantId merchant;

    /// Ids that were made about the days (first to before last), where nearly all of their changes
    /// are, and the part of them that is wanted: it is read in the order of its ids, so each page
    /// of the table once. Changes of other objects are found by the days' index, of the buckets
    /// from `bucket_first` to `bucket_last`.
    std::int64_t ids_first = 0;
    std::int64_t ids_last = 0;
    std::int64_t part_first = 0;
    std::int64_t part_last = 0;
    int bucket_first = 0;
    int bucket_last = 0;

    TransactionPosition after;
};

/// A change of a payment. Texts are good during the call that gives it.
struct TransactionRow {
    std::int64_t object = 0;
    std::uint32_t version = 0;
    domain::ChangeKind kind{};
    BusinessDate business_date;
    std::int64_t occurred_us = 0;
    std::int64_t merchant = 0;
    std::string_view currency;
    std::int64_t amount = 0;
    std::string_view merchant_payment_id;
    std::string_view store_id;
    std::string_view terminal_id;
    std::string_view order_receipt_number;
    std::string_view merchant_refund_id;

    TransactionPosition position;
};

/// A day that left the gates, and when.
struct EndedDay {
    BusinessDate date;
    Instant ended_at;
};

/// Changes of payments in bulk, from committed rows, on a connection of its own a read. Thread
/// safe. Errors are the database's, and DATA_LOSS CHANGE_KIND_UNKNOWN.
class TransactionReader {
 public:
    virtual ~TransactionReader() = default;

    /// The range's changes behind its position, each once, page by page: no statement is open while
    /// `take` runs. Returning false ends it.
    virtual Status Read(const TransactionRange& range,
                        const std::function<bool(const TransactionRow&)>& take) = 0;
    /// Oldest first.
    virtual Result<std::vector<EndedDay>> EndedDays() = 0;
    /// After it no change is accepted before `time`, and all that were are committed: each gate has
    /// been visited, and its time is no earlier. Precondition: the database's clock has passed it.
    virtual Status FenceGates(Instant time) = 0;
};

}  // namespace kessai::payment::app
