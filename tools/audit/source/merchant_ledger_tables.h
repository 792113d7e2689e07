#pragma once

#include "kessai/mysql/session.h"
#include "kessai/result/result.h"
#include "model/merchant_ledger_rows.h"

// The tables of the merchants' ledger, as `Paged` reads them.
namespace kessai::audit {

/// By (object, kind).
struct MerchantJournalTable {
    using Row = MerchantJournalRow;
    Result<mysql::Rows> Fetch(mysql::Session& session, const Row* after, int limit) const;
    void Read(const mysql::Rows& from, Row& row) const;
};

/// By (payout, attempt).
struct AttemptTable {
    using Row = TransferRow;
    Result<mysql::Rows> Fetch(mysql::Session& session, const Row* after, int limit) const;
    void Read(const mysql::Rows& from, Row& row) const;
};

/// By transfer.
struct TransferTable {
    using Row = TransferRow;
    Result<mysql::Rows> Fetch(mysql::Session& session, const Row* after, int limit) const;
    void Read(const mysql::Rows& from, Row& row) const;
};

/// By adjustment.
struct AdjustmentTable {
    using Row = AdjustmentRow;
    Result<mysql::Rows> Fetch(mysql::Session& session, const Row* after, int limit) const;
    void Read(const mysql::Rows& from, Row& row) const;
};

/// By merchant.
struct MerchantAccountTable {
    using Row = MerchantAccountRow;
    Result<mysql::Rows> Fetch(mysql::Session& session, const Row* after, int limit) const;
    void Read(const mysql::Rows& from, Row& row) const;
};

/// Open ones, by (merchant, hold).
struct OpenHoldTable {
    using Row = OpenHoldRow;
    Result<mysql::Rows> Fetch(mysql::Session& session, const Row* after, int limit) const;
    void Read(const mysql::Rows& from, Row& row) const;
};

/// By batch.
struct TransferBatchTable {
    using Row = TransferBatchRow;
    Result<mysql::Rows> Fetch(mysql::Session& session, const Row* after, int limit) const;
    void Read(const mysql::Rows& from, Row& row) const;
};

/// By journal.
struct JournalDayTable {
    using Row = JournalDayRow;
    Result<mysql::Rows> Fetch(mysql::Session& session, const Row* after, int limit) const;
    void Read(const mysql::Rows& from, Row& row) const;
};

/// The number that the last journal has by the gate, and how many there are.
struct JournalNumbers {
    std::int64_t last = 0;
    std::int64_t highest = 0;
    std::int64_t count = 0;
};
Result<JournalNumbers> ReadJournalNumbers(mysql::Session& session);

/// What all result files said that was new.
Result<ResultsByOutcome> ReadResultFiles(mysql::Session& session);

}  // namespace kessai::audit
