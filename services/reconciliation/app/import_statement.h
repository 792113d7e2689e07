#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "app/outside_books.h"
#include "domain/outside_record.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"
#include "kessai/zengin/account_statement.h"

namespace kessai::reconciliation::app {

/// A file that somebody hands in.
struct StatementFile {
    StatementFormat format = StatementFormat::kCsv;
    /// Of CSV.
    std::string template_name = {};
    /// Of the Bankers Association's formats.
    zengin::StatementYears years = zengin::StatementYears::kReiwa;
    /// Our name of the account that it is to be of; empty: of whichever it says.
    std::string account = {};
    std::string_view content = {};
};

struct ImportOutcome {
    StatementImport import = {};
    /// The same file was taken in before; nothing was changed, and this is what became of it then.
    bool repeated = false;
};

/// Use case: a statement file is taken in, in one transaction: all of it or nothing. Thread safe.
///
/// The file is read twice: first for what is wrong with all of it, and for whose it is, before
/// anything is stored; then into the books. So memory does not grow with it, but for its bytes and
/// 32 bytes a line.
///
/// The same file, by its SHA-256, is taken in once. An entry that an earlier file had is known by
/// what the bank calls it where the format has that (camt.053's AcctSvcrRef, 照会番号), beside its
/// account, day, amount and direction. Where it has none, a bank may book the same twice on a day:
/// then it is the n-th of its day that says the same of account, days, amount and texts. That
/// counts right as long as each file has whole days. Entries that are taken for known are noted.
class ImportStatement {
 public:
    struct Options {
        std::size_t file_bytes_max = std::size_t{3} << 20;
    };

    /// All must outlive it.
    ImportStatement(Options options, OutsideTransactions& transactions,
                    const domain::OutsideAccounts& accounts, const Clock& clock)
        : options_(options), transactions_(transactions), accounts_(accounts), clock_(clock) {}

    /// Refuses with STATEMENT_FILE_TOO_LARGE, STATEMENT_TEMPLATE_UNKNOWN, STATEMENT_ACCOUNT_WRONG,
    /// OUTSIDE_ACCOUNT_UNKNOWN, and the reasons of whole files (statement_item.h).
    Result<ImportOutcome> Run(const StatementFile& file, std::string_view actor);

 private:
    const Options options_;
    OutsideTransactions& transactions_;
    const domain::OutsideAccounts& accounts_;
    const Clock& clock_;
};

}  // namespace kessai::reconciliation::app
