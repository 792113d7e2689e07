#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "domain/ids.h"
#include "kessai/filetemplate/template.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"

namespace kessai::reconciliation::app {

/// Which rows are wanted.
struct FileQuery {
    /// A schema's name (domain/file_sources.h).
    std::string source;
    /// Set: the rows of this date of the books, whatever their time. Else: those that were accepted
    /// in `period`, whatever their date.
    std::optional<BusinessDate> business_date;
    filetemplate::Period period;
    /// None: those of all merchants.
    std::optional<domain::MerchantId> merchant;
    /// By the schema's field: whether anybody reads it. The others come empty.
    std::vector<bool> fields;
};

/// A row, and its place in its merchant's file: rows rise by (accepted_us, id, step), which no two
/// rows of a merchant share.
struct FileRow {
    domain::MerchantId merchant;
    /// Microseconds since 1970.
    std::int64_t accepted_us = 0;
    /// Of the payment, the release or the transfer.
    std::int64_t id = 0;
    /// Which of its changes.
    std::uint32_t step = 0;
    /// By the schema's fields.
    filetemplate::Row values;
};

/// The port to the rows of payment and payout. Thread safe.
class FileRows {
 public:
    virtual ~FileRows() = default;

    /// A refusal ends the read and is returned. A row and its texts are good during the call.
    using Take = std::function<Status(const FileRow&)>;
    /// All rows of the query, each once, in no order, each to any one of `takes`. A take is called
    /// from one thread at a time, different ones at the same time: as many parts are read side by
    /// side. After a refusal some rows may have been taken. Refusals: FAILED_PRECONDITION DAY_OPEN
    /// or DAY_NOT_OVER (rows may still come), DAY_NOT_CURRENT (the books had no such day),
    /// INVALID_ARGUMENT SOURCE_UNKNOWN, UNAVAILABLE, DEADLINE_EXCEEDED, DATA_LOSS
    /// PEER_ANSWER_INVALID, and those of `takes`.
    virtual Status Read(const FileQuery& query, std::span<const Take> takes) = 0;
};

}  // namespace kessai::reconciliation::app
