#pragma once

#include <vector>

#include "model/statement_rows.h"
#include "report.h"

// What must be of statements that were issued: services/payout/README.md, "Statements".
namespace kessai::audit {

/// A version of a statement, the one before it (of the same merchant and cycle, if there is one)
/// and its files by format: M4, versions are 1, 2, …; a correction says why and in its file what it
/// corrects; each has its files, which say its number, and the name that it was addressed to; M9,
/// it was issued after its month, no earlier than what it corrects, and its files are as they were
/// then.
void CheckStatement(const StatementRow* before, const StatementRow& statement,
                    const std::vector<StatementFileRow>& files, Report& report);

/// M4: a file of a statement that there is not.
void CheckStrayFile(const StatementFileRow& file, Report& report);

/// M2: the statement opens with what months before it made of the merchant's available money, and
/// closes with what its own made of that.
void CheckStatementBalances(const StatementRow& statement, Wide opening, Wide closing,
                            Report& report);

}  // namespace kessai::audit
