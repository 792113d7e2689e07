#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "domain/ledger.h"
#include "domain/trial_balance.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"
#include "kessai/time/clock.h"

namespace kessai::payment::app {

/// The changes of one kind, together.
struct KindSum {
    domain::ChangeKind kind{};
    std::int64_t change_count = 0;
    /// Minor units; see Change::amount.
    std::int64_t amount = 0;
};

/// Payout's releases of a day that were cleared here, on whatever day that was.
struct ClearedReleases {
    /// One a round of the release.
    std::int64_t count = 0;
    std::int64_t gross = 0;
};

/// Where a change stands in its day: by the bucket of its row (libs/event), object and version. The
/// default is before all.
struct JournalPosition {
    int bucket = 0;
    std::int64_t object = 0;
    std::uint32_t version = 0;
};

/// A change, the header of a journal.
struct JournalLine {
    domain::Change change;
    JournalPosition position;
};

/// The ledger's journals for accounting, each query answered from committed rows. It takes no lock,
/// and nothing waits for it. Thread safe. Errors are the database's, and DATA_LOSS
/// CHANGE_KIND_UNKNOWN where a row has no kind.
class BookReader {
 public:
    virtual ~BookReader() = default;

    /// The day's changes of objects with a bucket from `first` to `last`. Reads each row once.
    virtual Result<std::vector<KindSum>> SumBuckets(BusinessDate day, int first, int last) = 0;
    virtual Result<ClearedReleases> ClearedOf(BusinessDate day) = 0;

    /// Days before `day` that were open here, rising: all have ended.
    virtual Result<std::vector<BusinessDate>> DaysBefore(BusinessDate day) = 0;
    /// What was kept of days up to `day`.
    virtual Result<std::map<BusinessDate, domain::TrialBalance>> KeptThrough(BusinessDate day) = 0;
    /// Keeps what a day moved, unless it is kept. Precondition: the day has ended.
    virtual Status Keep(BusinessDate day, const domain::TrialBalance& moved, Instant at) = 0;

    /// The day's journals behind `from`, by position. Bounded memory, and `take` may take long;
    /// returning false ends it.
    virtual Status StreamJournal(BusinessDate day, JournalPosition from,
                                 const std::function<bool(const JournalLine&)>& take) = 0;
};

/// The movement that sums are. OUT_OF_RANGE AMOUNT_OVERFLOW.
Result<domain::TrialBalance> MovedBy(const std::vector<KindSum>& sums);

}  // namespace kessai::payment::app
