#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "app/bank_result_format.h"
#include "app/ledger_store.h"

namespace kessai::payout::app {

struct ImportResultsOptions {
    std::size_t file_bytes_max = std::size_t{3} << 20;
};

/// Takes in what a bank says of transfers, all of a file or nothing of it: settled money leaves
/// transit, money that failed or came back is available again, and its merchant is held until the
/// payout is made again or the hold lifted. Thread safe.
class ImportResults {
 public:
    /// `formats` must outlive it.
    ImportResults(ImportResultsOptions options, LedgerStore& store,
                  std::vector<const BankResultFormat*> formats)
        : options_(options), store_(store), formats_(std::move(formats)) {}

    /// Refusals, each with nothing done: INVALID_ARGUMENT RESULT_FORMAT_UNKNOWN,
    /// RESULT_FILE_TOO_LARGE, RESULT_LINE_INVALID, RESULT_TOTALS_DIFFER, RESULT_REPEATED (a
    /// transfer twice in the file); ALREADY_EXISTS RESULT_FILE_IMPORTED (the same bytes before: the
    /// message tells their outcome again); NOT_FOUND TRANSFER_UNKNOWN; those of domain::Take.
    Result<ImportedResults> Run(std::string_view format, std::string_view bytes,
                                std::string_view imported_by);

 private:
    Status Apply(LedgerTransaction& transaction, const ResultFile& file,
                 ImportedResults& imported) const;

    const ImportResultsOptions options_;
    LedgerStore& store_;
    const std::vector<const BankResultFormat*> formats_;
};

}  // namespace kessai::payout::app
