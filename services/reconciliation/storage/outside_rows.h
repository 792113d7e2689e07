#pragma once

#include <string>
#include <string_view>

#include "app/outside_books.h"
#include "domain/outside_record.h"
#include "kessai/mysql/query.h"
#include "kessai/mysql/rows.h"

namespace kessai::reconciliation::storage {

// Column lists that the readers and adders below take, in their order.
#define KESSAI_OUTSIDE_ITEM_COLUMNS                                                                \
    "item_id, side, account, item_date, amount, currency, match_id, kind, event_object, "          \
    "event_version, event_content, import_id, line, value_date, is_reversal, counterparty, text, " \
    "reference_list"
#define KESSAI_OUTSIDE_MATCH_COLUMNS                                                    \
    "match_id, account, state, rules_version, rule, score, why, currency, difference, " \
    "step_count, "                                                                      \
    "changed_at_us"
#define KESSAI_STATEMENT_IMPORT_COLUMNS                                                      \
    "import_id, format, template_name, template_version, sha256, byte_count, added, known, " \
    "broken, "                                                                               \
    "not_booked, accounts, imported_by, imported_at_us"

domain::OutsideRecord ReadItem(const mysql::Rows& row);
/// The columns, then state and identity; `id` instead of the record's.
void AddItem(const app::NewOutsideItem& item, domain::OutsideItemId id, mysql::RowList& rows);

/// Without its items.
domain::OutsideMatchRecord ReadOutsideMatch(const mysql::Rows& row);
/// The columns and `members` behind them.
void AddOutsideMatch(const domain::OutsideMatchRecord& record, mysql::RowList& rows);

/// Without notes and statements.
app::StatementImport ReadImport(const mysql::Rows& row);
void AddImport(const app::StatementImport& import, mysql::RowList& rows);

/// The 32 bytes of SHA-256.
std::string Sha256(std::string_view text);
/// What a set of items is known by.
std::string MembersOf(const domain::OutsideMatchRecord& record);
/// 64 hexadecimal digits as 32 bytes; empty if they are none.
std::string FromHexadecimal(std::string_view digits);

/// At most `bytes_max` bytes of it, cut between characters. Precondition: UTF-8.
std::string_view CutTo(std::string_view text, std::size_t bytes_max);

}  // namespace kessai::reconciliation::storage
