#pragma once

#include <functional>
#include <stop_token>

#include "app/file_books.h"
#include "domain/merchant_files.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::reconciliation::app {

/// Use cases: begin runs that make files, asked for or due. Whoever works on them is RunFiles.
/// Thread safe.
class OrderFiles {
 public:
    /// Both must outlive it.
    OrderFiles(FileTransactions& transactions, const Clock& clock)
        : transactions_(transactions), clock_(clock) {}

    /// A new run, or the one that does the same and has not ended: if that failed, it is tried
    /// again at once. To make files again for the same reason as the latest run of the day gives
    /// that run, for its reply may have been lost. Refusals: INVALID_ARGUMENT FIELD_INVALID (no
    /// reason, or a long one); NOT_FOUND TEMPLATE_UNKNOWN; FAILED_PRECONDITION DAY_NOT_CLOSED,
    /// FILES_NOT_ASSIGNED, FILES_NOT_MADE; ABORTED FILE_RUN_RUNNING.
    Result<domain::FileRun> Order(domain::FileRunOrder order);

    /// Begins runs of all days that are due, each once: closed, past the template's time, and not
    /// before its assignments. Notes the merchants of closed days first.
    Status OrderDue(const std::stop_token& stop);

 private:
    Status NoteMerchants(const std::stop_token& stop);
    /// Whether there may be another one.
    Result<bool> OrderNextDay(std::string_view name);
    Result<domain::FileRun> Insert(FileBooks& books, const domain::FileTemplate& latest,
                                   domain::FileRunOrder order);

    FileTransactions& transactions_;
    const Clock& clock_;
};

}  // namespace kessai::reconciliation::app
