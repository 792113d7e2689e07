#pragma once

#include "domain/commands.h"
#include "domain/working_set.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"

namespace kessai::payment::domain {

/// Where ids come from: 64 bit, time ordered, each larger than those given or observed before.
class IdSource {
 public:
    virtual ~IdSource() = default;
    virtual std::int64_t Next() = 0;
};

/// What a batch's commands share.
struct BatchContext {
    /// The database's clock when the batch began, never below an earlier batch's of its gate. Money
    /// rules use no other clock.
    Instant now;
    /// From the gate row: the day of the books that this batch belongs to.
    BusinessDate business_date;
    IdSource& ids;
    const Policy& policy;
};

/// Runs one command on the working set. Either all of its effects are in the set afterwards (rows,
/// and for a change of money a journal whose postings sum to zero), or it is refused and the set is
/// as before. Precondition: Validate(command) is ok, and the rows that RowsNeeded names are loaded.
/// A repeat of a command that succeeded gives its first outcome and changes nothing.
Result<Outcome> Apply(const Command& command, WorkingSet& rows, const BatchContext& batch);

/// Cancelling is possible until this instant: 00:15:00 JST of the day after the payment.
Instant CancelWindowEnd(Instant accepted_at);
/// Refunding is possible until this instant: the end of day 365 after the payment, JST.
Instant RefundWindowEnd(Instant accepted_at);

}  // namespace kessai::payment::domain
