#include "source/statement_tables.h"

#include "kessai/mysql/query.h"
#include "source/columns.h"

namespace kessai::audit {
namespace {

constexpr DayNumber kBeforeAll = 0;

constexpr mysql::Query kAny{"merchant_statement.any", R"sql(
    SELECT 1 FROM merchant_statement UNION ALL SELECT 1 FROM merchant_statement_file LIMIT 1)sql"};
constexpr mysql::Query kStatements{"merchant_statement.page", R"sql(
    SELECT s.cycle_start + 0, s.merchant_id, s.version, s.issued_on + 0, s.opening, s.closing,
           s.correction_reason <> '', p.merchant_id IS NOT NULL
    FROM merchant_statement s FORCE INDEX (PRIMARY)
    LEFT JOIN merchant_profile p ON p.merchant_id = s.merchant_id AND p.version = s.profile
    WHERE s.cycle_start > ? OR (s.cycle_start = ? AND s.merchant_id > ?)
       OR (s.cycle_start = ? AND s.merchant_id = ? AND s.version > ?)
    ORDER BY s.cycle_start, s.merchant_id, s.version LIMIT ?)sql"};

// "202611-7", of a correction "202611-7-2": the last cell of its line; what is corrected is named
// with the day on which it was issued (services/payout/README.md, "Statements").
#define KESSAI_AUDIT_NUMBER(of)                                              \
    "CONCAT(',', DATE_FORMAT(" of ".cycle_start, '%Y%m'), '-', " of          \
    ".merchant_id, IF(" of ".version > 1, CONCAT('-', " of ".version), '')," \
    " "
constexpr mysql::Query kFiles{"merchant_statement_file.page", R"sql(
    SELECT f.cycle_start + 0, f.merchant_id, f.version, f.format, f.file_hash,
           UNHEX(SHA2(f.content, 256)),
           f.format <> 'csv' OR LOCATE()sql" KESSAI_AUDIT_NUMBER("f") R"sql(CHAR(13, 10)),
                                       f.content) > 0,
           f.format <> 'csv' OR b.version IS NULL
               OR LOCATE()sql" KESSAI_AUDIT_NUMBER("b") R"sql('（発行日 ', b.issued_on, '）'),
                         f.content) > 0
    FROM merchant_statement_file f FORCE INDEX (PRIMARY)
    LEFT JOIN merchant_statement b ON b.cycle_start = f.cycle_start
        AND b.merchant_id = f.merchant_id AND b.version = f.version - 1
    WHERE f.cycle_start > ? OR (f.cycle_start = ? AND f.merchant_id > ?)
       OR (f.cycle_start = ? AND f.merchant_id = ? AND f.version > ?)
       OR (f.cycle_start = ? AND f.merchant_id = ? AND f.version = ? AND f.format > ?)
    ORDER BY f.cycle_start, f.merchant_id, f.version, f.format LIMIT ?)sql"};

}  // namespace

Result<mysql::Rows> StatementTable::Fetch(mysql::Session& session, const Row* after,
                                          int limit) const {
    const DayNumber cycle = after == nullptr ? kBeforeAll : after->cycle_start;
    const std::int64_t merchant = after == nullptr ? 0 : after->merchant_id;
    const std::int32_t version = after == nullptr ? 0 : after->version;
    return session.Select(kStatements, cycle, cycle, merchant, cycle, merchant, version, limit);
}

void StatementTable::Read(const mysql::Rows& from, Row& row) const {
    row.cycle_start = Day(from, 0);
    row.merchant_id = from.Int(1);
    row.version = SmallInt(from, 2);
    row.issued_on = Day(from, 3);
    row.opening = from.Int(4);
    row.closing = from.Int(5);
    row.has_reason = from.Bool(6);
    row.profile_is_there = from.Bool(7);
}

Result<mysql::Rows> StatementFileTable::Fetch(mysql::Session& session, const Row* after,
                                              int limit) const {
    const DayNumber cycle = after == nullptr ? kBeforeAll : after->cycle_start;
    const std::int64_t merchant = after == nullptr ? 0 : after->merchant_id;
    const std::int32_t version = after == nullptr ? 0 : after->version;
    const std::string_view format = after == nullptr ? std::string_view() : after->format;
    return session.Select(kFiles, cycle, cycle, merchant, cycle, merchant, version, cycle, merchant,
                          version, format, limit);
}

void StatementFileTable::Read(const mysql::Rows& from, Row& row) const {
    row.cycle_start = Day(from, 0);
    row.merchant_id = from.Int(1);
    row.version = SmallInt(from, 2);
    row.format = from.Text(3);
    row.file_hash = Hash32Of(from.Bytes(4));
    row.content_hash = Hash32Of(from.Bytes(5));
    row.says_number = from.Bool(6);
    row.says_corrected = from.Bool(7);
}

Result<bool> HasStatements(mysql::Session& session) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kAny));
    return rows.Next();
}

}  // namespace kessai::audit
