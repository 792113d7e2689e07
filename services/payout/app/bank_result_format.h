#pragma once

#include <string_view>
#include <vector>

#include "app/transfer_records.h"
#include "domain/transfer.h"

namespace kessai::payout::app {

/// What a result file says, with the totals that it gives for itself.
struct ResultFile {
    std::vector<domain::BankResult> results;
    ImportedResults::Sums settled;
    ImportedResults::Sums failed;
    ImportedResults::Sums returned;
};

/// How one bank tells what became of transfers. Stateless, thread safe.
class BankResultFormat {
 public:
    virtual ~BankResultFormat() = default;
    /// What operators call it.
    virtual std::string_view name() const = 0;
    /// All of a file, or a refusal that names the line: INVALID_ARGUMENT RESULT_LINE_INVALID.
    virtual Result<ResultFile> Read(std::string_view bytes) const = 0;
};

}  // namespace kessai::payout::app
