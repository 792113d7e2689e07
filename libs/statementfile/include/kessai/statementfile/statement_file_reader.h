#pragma once

#include <memory>
#include <string_view>

#include "kessai/result/result.h"
#include "kessai/statementfile/csv_template.h"
#include "kessai/statementfile/statement_item.h"
#include "kessai/zengin/account_statement.h"

namespace kessai::statementfile {

/// Reads a file that comes in pieces of any size, and tells each item and each broken line as soon
/// as it is complete. Memory does not grow with the file, but for one sum an account. What was told
/// is worth something only when Finish() gives a summary: the totals stand at the end. Not thread
/// safe.
class StatementFileReader {
 public:
    virtual ~StatementFileReader();
    StatementFileReader(const StatementFileReader&) = delete;
    StatementFileReader& operator=(const StatementFileReader&) = delete;

    /// Refuses with a reason of a whole file, or what the sink refused with; then the reader is
    /// closed.
    Status Take(std::string_view bytes);
    Result<FileSummary> Finish();

 protected:
    explicit StatementFileReader(StatementSink sink);

    virtual Status TakeBytes(std::string_view bytes) = 0;
    /// All bytes were taken.
    virtual Result<std::vector<StatementSummary>> End() = 0;

    Status TellItem(StatementItem&& item);
    Status TellBroken(BrokenLine&& broken);
    void CountNotBooked() { ++summary_.not_booked; }

 private:
    struct Hash;

    const StatementSink sink_;
    std::unique_ptr<Hash> hash_;
    FileSummary summary_;
    bool closed_ = false;
};

/// By a template that a person wrote.
std::unique_ptr<StatementFileReader> MakeCsvReader(CsvTemplate layout, StatementSink sink);

/// 入出金取引明細 and 振込入金通知 of the Bankers Association's record format; the file says which.
std::unique_ptr<StatementFileReader> MakeZenginReader(zengin::StatementYears years,
                                                      StatementSink sink);

/// ISO 20022 camt.053 (BankToCustomerStatement), versions 001.02 to 001.08, in UTF-8.
std::unique_ptr<StatementFileReader> MakeCamtReader(StatementSink sink);

}  // namespace kessai::statementfile
