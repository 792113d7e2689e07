#pragma once

#include <map>
#include <vector>

#include "kessai/mysql/session.h"
#include "kessai/result/result.h"
#include "model/payment_rows.h"
#include "source/paged.h"

// The tables of the payment schema, as `Paged` reads them.
namespace kessai::audit {

/// By (object, version).
struct JournalTable {
    using Row = Change;
    Result<mysql::Rows> Fetch(mysql::Session& session, const Row* after, int limit) const;
    void Read(const mysql::Rows& from, Row& row) const;
};

/// By payment.
struct PaymentTable {
    using Row = PaymentRow;
    Result<mysql::Rows> Fetch(mysql::Session& session, const Row* after, int limit) const;
    void Read(const mysql::Rows& from, Row& row) const;
};

/// By order key.
struct OrderTable {
    using Row = OrderRow;
    Result<mysql::Rows> Fetch(mysql::Session& session, const Row* after, int limit) const;
    void Read(const mysql::Rows& from, Row& row) const;
};

/// By (payment, refund).
struct RefundTable {
    using Row = RefundRow;
    Result<mysql::Rows> Fetch(mysql::Session& session, const Row* after, int limit) const;
    void Read(const mysql::Rows& from, Row& row) const;
};

/// By top-up key.
struct TopUpTable {
    using Row = TopUpRow;
    Result<mysql::Rows> Fetch(mysql::Session& session, const Row* after, int limit) const;
    void Read(const mysql::Rows& from, Row& row) const;
};

/// By (object, version).
struct ClearingTable {
    using Row = ClearingRow;
    Result<mysql::Rows> Fetch(mysql::Session& session, const Row* after, int limit) const;
    void Read(const mysql::Rows& from, Row& row) const;
};

/// By (owner, kind).
struct AccountTable {
    using Row = AccountRow;
    Result<mysql::Rows> Fetch(mysql::Session& session, const Row* after, int limit) const;
    void Read(const mysql::Rows& from, Row& row) const;
};

/// By (owner, kind, event).
struct PostingTable {
    using Row = PostingRow;
    Result<mysql::Rows> Fetch(mysql::Session& session, const Row* after, int limit) const;
    void Read(const mysql::Rows& from, Row& row) const;
};

/// The changes of these objects, in no order. At most some hundred objects.
Result<std::vector<Change>> ChangesOf(mysql::Session& session,
                                      const std::vector<std::int64_t>& objects);

/// The journals of cleared releases (their objects are dates) and their effect keys. Few.
Result<std::vector<Change>> ReadClearedReleases(mysql::Session& session);
Result<std::vector<ClearingRow>> ReadClearings(mysql::Session& session);

/// What the payment service says of the days of its books.
struct PaymentDays {
    struct Day {
        int state = 0;
        std::int64_t closing_at_us = 0;
    };
    /// Days that have ended.
    std::map<DayNumber, Day> ended;
    /// What the gate rows say: one day, with how many rows.
    std::map<DayNumber, int> gates;
};
Result<PaymentDays> ReadPaymentDays(mysql::Session& session);

}  // namespace kessai::audit
