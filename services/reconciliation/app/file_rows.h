#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
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

/// A row as bytes, until it is its turn: short ones, since all of a day's rows are held, sorted and
/// perhaps kept on a disk meanwhile. They are no format for anybody but the RowUnpacker of the same
/// query in the same process.
struct PackedRow {
    domain::MerchantId merchant;
    std::int64_t accepted_us = 0;
    std::int64_t id = 0;
    std::uint32_t step = 0;
    std::string_view bytes = {};
};

/// Makes values of packed rows again. One thread at a time.
class RowUnpacker {
 public:
    virtual ~RowUnpacker() = default;
    /// By the schema's fields; texts are those in the row's bytes, or good until the next call.
    /// Damaged bytes are DATA_LOSS ROW_DAMAGED.
    virtual Result<filetemplate::Row> Unpack(const PackedRow& row) = 0;
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

    using TakePacked = std::function<Status(const PackedRow&)>;
    /// As Read, but rows packed, as UnpackerOf the query knows them. A source that is read by the
    /// million has a way of its own; any other packs the values (row_codec.h).
    virtual Status ReadPacked(const FileQuery& query, std::span<const TakePacked> takes);
    /// Precondition: the source of `query` is one of ours.
    virtual std::unique_ptr<RowUnpacker> UnpackerOf(const FileQuery& query);
};

}  // namespace kessai::reconciliation::app
