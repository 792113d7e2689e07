#pragma once

#include "model/payment_rows.h"
#include "report.h"
#include "source/payment_tables.h"

namespace kessai::audit {

/// M9 of one change: its day was open when it was made. A day opens when the one before it begins
/// to close, and takes nothing more when it begins to close itself.
void CheckDayOfChange(const Change& change, const PaymentDays& days, Report& report);

/// M9 of the gates: they all have the one open day, which is after every day that has ended.
void CheckGates(const PaymentDays& days, Report& report);

}  // namespace kessai::audit
