#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <string_view>

#include "app/file_books.h"
#include "domain/merchant_files.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::reconciliation::app {

/// Use cases: begin runs that make files, asked for or due. Whoever works on them is RunFiles.
/// Thread safe.
class OrderFiles {
 public:
    /// All must outlive it. `keep_records`: of the files of older days nothing may be known any
    /// more, so none are made.
    OrderFiles(FileTransactions& transactions, MerchantDirectory& merchants, const Clock& clock,
               std::chrono::hours keep_records)
        : transactions_(transactions),
          merchants_(merchants),
          clock_(clock),
          keep_records_(keep_records) {}

    /// A new run, or the one that does the same and has not ended: if that failed, it is tried
    /// again at once. To make files again for the same reason as the latest run of the day gives
    /// that run, for its reply may have been lost. Refusals: INVALID_ARGUMENT FIELD_INVALID (no
    /// reason, or a long one); NOT_FOUND TEMPLATE_UNKNOWN, MERCHANT_UNKNOWN; FAILED_PRECONDITION
    /// DAY_NOT_CLOSED, DAY_NOT_KEPT, FILES_NOT_ASSIGNED, FILES_NOT_MADE; ABORTED FILE_RUN_RUNNING;
    /// UNAVAILABLE.
    Result<domain::FileRun> Order(domain::FileRunOrder order);

    /// Gives a run up that has not ended: what it made stays, and the template and day are free for
    /// another one. Of one that was cancelled: that run. Refusals: INVALID_ARGUMENT FIELD_INVALID;
    /// NOT_FOUND FILE_RUN_UNKNOWN; FAILED_PRECONDITION FILE_RUN_ENDED (it is done).
    Result<domain::FileRun> Cancel(domain::FileRunId id, const std::string& reason,
                                   std::string_view by);

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
    MerchantDirectory& merchants_;
    const Clock& clock_;
    const std::chrono::hours keep_records_;
};

}  // namespace kessai::reconciliation::app
