#pragma once

#include <functional>
#include <map>
#include <vector>

#include "app/day_store.h"
#include "domain/trial_balance.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"

namespace kessai::payment::app {

/// Into how many parts a day's journals are cut, by their buckets.
inline constexpr int kDayParts = 64;

/// Sums over days of the customer ledger. Thread safe. Errors beside the named ones are those of
/// the database.
class BookReader {
 public:
    virtual ~BookReader() = default;

    /// Days before `day` that were open once, rising: with the open one if it is before.
    virtual Result<std::vector<BusinessDate>> DaysBefore(BusinessDate day) = 0;
    /// What a part of the day moves, by its journals; `part` below kDayParts.
    virtual Result<domain::TrialBalance> SumPart(BusinessDate day, int part) = 0;
    using Parts = std::map<int, domain::TrialBalance>;
    /// What was kept of days up to `day`.
    virtual Result<std::map<BusinessDate, Parts>> KeptThrough(BusinessDate day) = 0;
    /// Keeps it, unless it is kept. Precondition: no change can be dated to the day any more.
    virtual Status Keep(BusinessDate day, int part, const domain::TrialBalance& moved) = 0;
};

/// The customer ledger's accounts on a day.
struct DayBalance {
    BusinessDate day;
    /// All days before.
    domain::TrialBalance opening;
    domain::TrialBalance moved;
    domain::TrialBalance closing;
    /// No change can be dated to the day any more.
    bool is_final = false;
};

/// Makes a day's trial balance from the journals' headers, whose postings they imply (that these
/// are the postings that were stored is the audit's affair). Parts of ended days are kept, so each
/// is read once, by whoever asks first for its day or a later one. Takes no lock. Thread safe.
class BalanceBooks {
 public:
    /// Both must outlive it.
    BalanceBooks(BookReader& books, DayStore& days) : books_(books), days_(days) {}

    /// Asked between parts: what this refuses with ends it; what was kept by then stays, and the
    /// next call goes on there.
    using GoOn = std::function<Status()>;
    /// Refusals: those of `go_on`; OUT_OF_RANGE AMOUNT_OUT_OF_RANGE.
    Result<DayBalance> Run(BusinessDate day, const GoOn& go_on = OkStatus);

 private:
    Result<domain::TrialBalance> Sum(BusinessDate day, const BookReader::Parts& kept, bool is_final,
                                     const GoOn& go_on);

    BookReader& books_;
    DayStore& days_;
};

}  // namespace kessai::payment::app
