#include "storage/mysql_outside_books.h"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "kessai/mysql/error.h"
#include "kessai/mysql/query.h"
#include "kessai/mysql/transaction.h"
#include "kessai/result/check.h"
#include "storage/outside_rows.h"
#include "storage/row_mapping.h"

namespace kessai::reconciliation::storage {
namespace {

using domain::OutsideItemId;
using domain::OutsideMatchId;
using domain::OutsideMatchRecord;
using domain::OutsideMatchState;

constexpr std::size_t kKeysPerStatement = 500;
constexpr std::size_t kRowsPerStatement = 1'000;
constexpr std::size_t kRowBytesPerStatement = std::size_t{4} << 20;
constexpr std::size_t kMessageBytesMax = 1'000;
constexpr std::size_t kNameBytesMax = 255;

// Of statement_import_part.checks.
constexpr int kCountsChecked = 1;
constexpr int kSumsChecked = 2;
constexpr int kBalanceChecked = 4;

constexpr mysql::Query kLatestText{"outside_text.latest", R"sql(
    SELECT version, yaml, put_by, put_at_us
    FROM outside_text
    WHERE kind = ? AND name = ?
    ORDER BY version DESC
    LIMIT 1)sql"};
constexpr mysql::Query kInsertText{"outside_text.insert", R"sql(
    INSERT INTO outside_text (kind, name, version, yaml, put_by, put_at_us)
    VALUES (?, ?, ?, ?, ?, ?))sql"};

constexpr mysql::Query kLockImports{"statement_gate.lock", R"sql(
    SELECT id FROM statement_gate WHERE id = 1 FOR UPDATE)sql"};
constexpr mysql::Query kFindImportOf{"statement_import.find_file", R"sql(
    SELECT )sql" KESSAI_STATEMENT_IMPORT_COLUMNS R"sql(
    FROM statement_import
    WHERE sha256 = ?)sql"};
constexpr mysql::Query kFindImport{"statement_import.find", R"sql(
    SELECT )sql" KESSAI_STATEMENT_IMPORT_COLUMNS R"sql(
    FROM statement_import
    WHERE import_id = ?)sql"};
constexpr mysql::Query kListImports{"statement_import.list", R"sql(
    SELECT )sql" KESSAI_STATEMENT_IMPORT_COLUMNS R"sql(
    FROM statement_import
    WHERE import_id < ?
    ORDER BY import_id DESC
    LIMIT ?)sql"};
constexpr mysql::Query kInsertImport{"statement_import.insert", R"sql(
    INSERT INTO statement_import ()sql" KESSAI_STATEMENT_IMPORT_COLUMNS R"sql()
    VALUES {rows})sql"};
constexpr mysql::Query kNotes{"statement_import_note.list", R"sql(
    SELECT kind, line, reason, message
    FROM statement_import_note
    WHERE import_id = ?
    ORDER BY number)sql"};
constexpr mysql::Query kInsertNotes{"statement_import_note.insert", R"sql(
    INSERT INTO statement_import_note (import_id, number, kind, line, reason, message)
    VALUES {rows})sql"};
constexpr mysql::Query kParts{"statement_import_part.list", R"sql(
    SELECT account, statement_id, first_date, last_date, currency, opening, closing, credit_count,
           credits, debit_count, debits, unread, checks
    FROM statement_import_part
    WHERE import_id = ?
    ORDER BY number)sql"};
constexpr mysql::Query kInsertParts{"statement_import_part.insert", R"sql(
    INSERT INTO statement_import_part (import_id, number, account, statement_id, first_date,
                                       last_date, currency, opening, closing, credit_count, credits,
                                       debit_count, debits, unread, checks)
    VALUES {rows})sql"};

constexpr mysql::Query kKnownEntries{"outside_item.known_entries", R"sql(
    SELECT identity
    FROM outside_item FORCE INDEX (outside_item_identity)
    WHERE side = 2 AND identity IN ({keys}))sql"};
constexpr mysql::Query kFindExpected{"outside_item.find_expected", R"sql(
    SELECT event_object, event_version, event_content
    FROM outside_item FORCE INDEX (outside_item_identity)
    WHERE side = 1 AND identity IN ({keys}))sql"};
constexpr mysql::Query kInsertItems{"outside_item.insert", R"sql(
    INSERT INTO outside_item ()sql" KESSAI_OUTSIDE_ITEM_COLUMNS R"sql(, state, identity)
    VALUES {rows})sql"};
constexpr mysql::Query kFindItems{"outside_item.find", R"sql(
    SELECT )sql" KESSAI_OUTSIDE_ITEM_COLUMNS R"sql(
    FROM outside_item
    WHERE item_id IN ({keys})
    ORDER BY item_id)sql"};
constexpr mysql::Query kCountUnmatched{"outside_item.count_unmatched", R"sql(
    SELECT side, COUNT(*)
    FROM outside_item FORCE INDEX (outside_item_by_state)
    WHERE state = 1 AND account = ? AND side IN (1, 2) AND item_date BETWEEN ? AND ?
    GROUP BY side)sql"};
constexpr mysql::Query kLoadUnmatched{"outside_item.load_unmatched", R"sql(
    SELECT )sql" KESSAI_OUTSIDE_ITEM_COLUMNS R"sql(
    FROM outside_item FORCE INDEX (outside_item_by_state)
    WHERE state = 1 AND account = ? AND side = ? AND item_date BETWEEN ? AND ?
    ORDER BY item_id)sql"};
constexpr mysql::Query kListUnmatched{"outside_item.list_unmatched", R"sql(
    SELECT )sql" KESSAI_OUTSIDE_ITEM_COLUMNS R"sql(
    FROM outside_item FORCE INDEX (outside_item_by_state)
    WHERE state = 1 AND account = ? AND side = ? AND item_date >= ?
      AND (item_date > ? OR item_id > ?)
    ORDER BY item_date, item_id
    LIMIT ?)sql"};
constexpr mysql::Query kUnmatchedDays{"outside_item.unmatched_days", R"sql(
    SELECT account, side, item_date, COUNT(*), SUM(ABS(amount))
    FROM outside_item FORCE INDEX (outside_item_by_state)
    WHERE state = 1
    GROUP BY account, side, item_date)sql"};
// What is taken already is not counted, by which it is noticed. From the members to their items:
// the other way round each statement looks through all that is unmatched.
constexpr mysql::Query kTakeItems{"outside_item.take", R"sql(
    UPDATE outside_match_item AS m FORCE INDEX (PRIMARY)
    STRAIGHT_JOIN outside_item AS i FORCE INDEX (PRIMARY) ON i.item_id = m.item_id
    SET i.state = 2, i.match_id = m.match_id
    WHERE m.match_id IN ({keys}) AND i.state = 1)sql"};
constexpr mysql::Query kGiveItemsBack{"outside_item.give_back", R"sql(
    UPDATE outside_match_item AS m FORCE INDEX (PRIMARY)
    STRAIGHT_JOIN outside_item AS i FORCE INDEX (PRIMARY)
           ON i.item_id = m.item_id AND i.match_id = m.match_id
    SET i.state = 1, i.match_id = 0
    WHERE m.match_id IN ({keys}))sql"};

// The upsert of nothing locks the row, whether it was there or not.
constexpr mysql::Query kLockAccount{"outside_account.lock", R"sql(
    INSERT INTO outside_account (account, revision, added, seen)
    VALUES (?, 0, 0, 0)
    ON DUPLICATE KEY UPDATE account = VALUES(account))sql"};
constexpr mysql::Query kFindAccount{"outside_account.find", R"sql(
    SELECT revision, added, seen FROM outside_account WHERE account = ?)sql"};
constexpr mysql::Query kUpdateAccount{"outside_account.update", R"sql(
    UPDATE outside_account SET revision = ?, added = ?, seen = ? WHERE account = ?)sql"};
constexpr mysql::Query kMarkDue{"outside_account.mark_due", R"sql(
    INSERT INTO outside_account (account, revision, added, seen)
    VALUES (?, 0, 1, 0)
    ON DUPLICATE KEY UPDATE added = added + 1)sql"};
constexpr mysql::Query kListDue{"outside_account.list_due", R"sql(
    SELECT account FROM outside_account WHERE added <> seen ORDER BY account)sql"};

constexpr mysql::Query kInsertMatches{"outside_match.insert", R"sql(
    INSERT INTO outside_match ()sql" KESSAI_OUTSIDE_MATCH_COLUMNS R"sql(, members)
    VALUES {rows})sql"};
constexpr mysql::Query kUpdateMatches{"outside_match.update", R"sql(
    INSERT INTO outside_match ()sql" KESSAI_OUTSIDE_MATCH_COLUMNS R"sql(, members)
    VALUES {rows}
    ON DUPLICATE KEY UPDATE state = VALUES(state),
                            rules_version = VALUES(rules_version),
                            rule = VALUES(rule),
                            score = VALUES(score),
                            why = VALUES(why),
                            step_count = VALUES(step_count),
                            changed_at_us = VALUES(changed_at_us))sql"};
constexpr mysql::Query kInsertMembers{"outside_match_item.insert", R"sql(
    INSERT INTO outside_match_item (match_id, item_id, side)
    VALUES {rows})sql"};
constexpr mysql::Query kMembers{"outside_match_item.list", R"sql(
    SELECT match_id, item_id, side
    FROM outside_match_item FORCE INDEX (PRIMARY)
    WHERE match_id IN ({keys})
    ORDER BY match_id, item_id)sql"};
constexpr mysql::Query kApart{"outside_match_item.list_apart", R"sql(
    SELECT m.match_id, i.item_id, i.side, i.state
    FROM outside_match AS m FORCE INDEX (outside_match_by_state)
    JOIN outside_match_item AS x ON x.match_id = m.match_id
    JOIN outside_item AS i ON i.item_id = x.item_id
    WHERE m.account = ? AND m.state IN (3, 4)
    ORDER BY m.match_id, i.item_id)sql"};
constexpr mysql::Query kInsertSteps{"outside_match_step.insert", R"sql(
    INSERT INTO outside_match_step (match_id, number, state, actor, note, at_us)
    VALUES {rows})sql"};
constexpr mysql::Query kSteps{"outside_match_step.list", R"sql(
    SELECT number, state, actor, note, at_us
    FROM outside_match_step
    WHERE match_id = ?
    ORDER BY number)sql"};

constexpr mysql::Query kListOf{"outside_match.list_of", R"sql(
    SELECT )sql" KESSAI_OUTSIDE_MATCH_COLUMNS R"sql(
    FROM outside_match FORCE INDEX (outside_match_by_state)
    WHERE account = ? AND state = ?
    ORDER BY match_id)sql"};
constexpr mysql::Query kFindSets{"outside_match.find_sets", R"sql(
    SELECT )sql" KESSAI_OUTSIDE_MATCH_COLUMNS R"sql(
    FROM outside_match FORCE INDEX (outside_match_set)
    WHERE account = ? AND members IN ({keys}))sql"};
constexpr mysql::Query kFindMatch{"outside_match.find", R"sql(
    SELECT )sql" KESSAI_OUTSIDE_MATCH_COLUMNS R"sql(
    FROM outside_match
    WHERE match_id = ?)sql"};
constexpr mysql::Query kSuggestionsOf{"outside_match.suggestions_of", R"sql(
    SELECT DISTINCT m.match_id, m.account, m.state, m.rules_version, m.rule, m.score, m.why,
           m.currency, m.difference, m.step_count, m.changed_at_us
    FROM outside_match_item AS x FORCE INDEX (outside_match_of_item)
    JOIN outside_match AS m ON m.match_id = x.match_id
    WHERE x.item_id IN ({keys}) AND m.state = 1
    ORDER BY m.match_id)sql"};
constexpr mysql::Query kList{"outside_match.list", R"sql(
    SELECT )sql" KESSAI_OUTSIDE_MATCH_COLUMNS R"sql(
    FROM outside_match FORCE INDEX (PRIMARY)
    WHERE match_id < ?
    ORDER BY match_id DESC
    LIMIT ?)sql"};
constexpr mysql::Query kListByAccount{"outside_match.list_by_account", R"sql(
    SELECT )sql" KESSAI_OUTSIDE_MATCH_COLUMNS R"sql(
    FROM outside_match FORCE INDEX (PRIMARY)
    WHERE match_id < ? AND account = ?
    ORDER BY match_id DESC
    LIMIT ?)sql"};
constexpr mysql::Query kListByState{"outside_match.list_by_state", R"sql(
    SELECT )sql" KESSAI_OUTSIDE_MATCH_COLUMNS R"sql(
    FROM outside_match FORCE INDEX (PRIMARY)
    WHERE match_id < ? AND state = ?
    ORDER BY match_id DESC
    LIMIT ?)sql"};
constexpr mysql::Query kListByAccountAndState{"outside_match.list_by_account_and_state", R"sql(
    SELECT )sql" KESSAI_OUTSIDE_MATCH_COLUMNS R"sql(
    FROM outside_match FORCE INDEX (outside_match_by_state)
    WHERE match_id < ? AND account = ? AND state = ?
    ORDER BY match_id DESC
    LIMIT ?)sql"};

/// Gathers rows, and sends them a statement at a time. `Finish` sends the rest.
class ChunkedInsert {
 public:
    ChunkedInsert(mysql::Session& session, const mysql::Query& query)
        : session_(session), query_(query) {}

    template <class Add>
    Status Take(Add add) {
        add(rows_);
        if (rows_.size() < kRowsPerStatement && rows_.bytes() < kRowBytesPerStatement) {
            return OkStatus();
        }
        return Finish();
    }
    Status Finish() {
        if (rows_.empty()) return OkStatus();
        const Status sent = session_.Execute(query_, rows_).status();
        rows_.Clear();
        return sent;
    }

 private:
    mysql::Session& session_;
    const mysql::Query& query_;
    mysql::RowList rows_;
};

/// Calls `ask` with some hundred keys at a time.
template <class Range, class ToValue, class Ask>
Status InChunks(const Range& range, ToValue to_value, Ask ask) {
    mysql::KeyList keys;
    for (const auto& one : range) {
        const auto value = to_value(one);
        if constexpr (std::is_same_v<std::remove_cvref_t<decltype(value)>, std::string>) {
            keys.Add(mysql::Bytes{value});
        } else {
            keys.Add(value);
        }
        if (keys.size() < kKeysPerStatement) continue;
        KESSAI_RETURN_IF_ERROR(ask(keys));
        keys.Clear();
    }
    return keys.empty() ? OkStatus() : ask(keys);
}

std::vector<OutsideMatchRecord> ReadMatches(mysql::Rows& rows) {
    std::vector<OutsideMatchRecord> records;
    while (rows.Next()) records.push_back(ReadOutsideMatch(rows));
    return records;
}

std::vector<domain::OutsideRecord> ReadItems(mysql::Rows& rows) {
    std::vector<domain::OutsideRecord> records;
    while (rows.Next()) records.push_back(ReadItem(rows));
    return records;
}

std::string IdentityOf(const domain::ExpectedKey& key) {
    return Sha256(std::to_string(key.object) + "/" + std::to_string(key.version));
}

template <class Id>
std::int64_t Before(Id before) {
    return before.is_none() ? std::numeric_limits<std::int64_t>::max() : before.value();
}

}  // namespace

Result<app::StoredText> MysqlOutsideBooks::PutText(app::TextKind kind, std::string_view name,
                                                   std::string_view yaml, std::string_view actor,
                                                   Instant now) {
    KESSAI_ASSIGN_OR_RETURN(auto latest, LatestText(kind, name));
    if (latest && latest->yaml == yaml) return *std::move(latest);
    app::StoredText text{.kind = kind,
                         .name = std::string(name),
                         .version = latest ? latest->version + 1 : 1,
                         .yaml = std::string(yaml),
                         .put_by = std::string(actor),
                         .put_at = now};
    const auto stored =
        session_.Execute(kInsertText, static_cast<int>(kind), name, text.version, yaml, actor, now);
    if (stored.status().reason() == mysql::reason::kDuplicateKey) {
        // Somebody else put one meanwhile: look again.
        return Status(Code::kAborted, mysql::reason::kWriteConflict,
                      std::string(stored.status().message()));
    }
    KESSAI_RETURN_IF_ERROR(stored.status());
    return text;
}

Result<std::optional<app::StoredText>> MysqlOutsideBooks::LatestText(app::TextKind kind,
                                                                     std::string_view name) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kLatestText, static_cast<int>(kind), name));
    if (!rows.Next()) return std::optional<app::StoredText>();
    return std::optional(app::StoredText{.kind = kind,
                                         .name = std::string(name),
                                         .version = static_cast<std::uint32_t>(rows.Uint(0)),
                                         .yaml = rows.Text(1),
                                         .put_by = rows.Text(2),
                                         .put_at = rows.At(3)});
}

Status MysqlOutsideBooks::LockImports() {
    return session_.Select(kLockImports).status();
}

Result<std::optional<app::StatementImport>> MysqlOutsideBooks::FindImportOf(
    std::string_view sha256) {
    const std::string bytes = FromHexadecimal(sha256);
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kFindImportOf, mysql::Bytes{bytes}));
    if (!rows.Next()) return std::optional<app::StatementImport>();
    app::StatementImport import = ReadImport(rows);
    KESSAI_RETURN_IF_ERROR(ReadImportDetails(import));
    return std::optional(std::move(import));
}

Result<app::StatementImport> MysqlOutsideBooks::FindImport(domain::StatementImportId id) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kFindImport, id));
    if (!rows.Next()) {
        return Status(Code::kNotFound, app::reason::kImportUnknown, "no import " + id.ToString());
    }
    app::StatementImport import = ReadImport(rows);
    KESSAI_RETURN_IF_ERROR(ReadImportDetails(import));
    return import;
}

Status MysqlOutsideBooks::ReadImportDetails(app::StatementImport& import) {
    KESSAI_ASSIGN_OR_RETURN(auto notes, session_.Select(kNotes, import.id));
    while (notes.Next()) {
        import.notes.push_back({.kind = static_cast<app::ImportNote::Kind>(notes.Int(0)),
                                .line = notes.Int(1),
                                .reason = notes.Text(2),
                                .message = notes.Text(3)});
    }
    KESSAI_ASSIGN_OR_RETURN(auto parts, session_.Select(kParts, import.id));
    while (parts.Next()) {
        const auto currency = Currency::Parse(parts.Text(4));
        KESSAI_CHECK(currency.ok(), "a currency that was stored is one that parses");
        const auto money = [&](int column) -> std::optional<Money> {
            const auto amount = parts.OptionalInt(column);
            return amount ? std::optional(Money(*amount, *currency)) : std::nullopt;
        };
        statementfile::StatementSummary part;
        part.account = parts.Text(0);
        part.id = parts.Text(1);
        if (!parts.IsNull(2)) part.first = parts.Date(2);
        if (!parts.IsNull(3)) part.last = parts.Date(3);
        part.opening = money(5);
        part.closing = money(6);
        part.movements = {.credit_count = parts.Int(7),
                          .credits = Money(parts.Int(8), *currency),
                          .debit_count = parts.Int(9),
                          .debits = Money(parts.Int(10), *currency)};
        part.unread = parts.Int(11);
        part.counts_checked = (parts.Int(12) & kCountsChecked) != 0;
        part.sums_checked = (parts.Int(12) & kSumsChecked) != 0;
        part.balance_checked = (parts.Int(12) & kBalanceChecked) != 0;
        import.statements.push_back(std::move(part));
    }
    return OkStatus();
}

Result<std::vector<app::StatementImport>> MysqlOutsideBooks::ListImports(
    domain::StatementImportId before, int limit) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kListImports, Before(before), limit));
    std::vector<app::StatementImport> imports;
    while (rows.Next()) imports.push_back(ReadImport(rows));
    return imports;
}

Result<domain::StatementImportId> MysqlOutsideBooks::NextImportId() {
    KESSAI_ASSIGN_OR_RETURN(const std::int64_t id, ids_.Next());
    return domain::StatementImportId(id);
}

Status MysqlOutsideBooks::InsertImport(const app::StatementImport& import) {
    mysql::RowList rows;
    AddImport(import, rows);
    const auto inserted = session_.Execute(kInsertImport, rows);
    KESSAI_RETURN_IF_ERROR(inserted.status());
    ChunkedInsert notes(session_, kInsertNotes);
    int number = 0;
    for (const app::ImportNote& note : import.notes) {
        KESSAI_RETURN_IF_ERROR(notes.Take([&](mysql::RowList& into) {
            into.Add(import.id, number++, static_cast<int>(note.kind), note.line, note.reason,
                     CutTo(note.message, kMessageBytesMax));
        }));
    }
    KESSAI_RETURN_IF_ERROR(notes.Finish());
    ChunkedInsert parts(session_, kInsertParts);
    number = 0;
    for (const statementfile::StatementSummary& part : import.statements) {
        const auto minor = [](const std::optional<Money>& money) {
            return money ? std::optional(money->minor()) : std::nullopt;
        };
        const int checks = (part.counts_checked ? kCountsChecked : 0) |
                           (part.sums_checked ? kSumsChecked : 0) |
                           (part.balance_checked ? kBalanceChecked : 0);
        KESSAI_RETURN_IF_ERROR(parts.Take([&](mysql::RowList& into) {
            into.Add(import.id, number++, CutTo(part.account, kNameBytesMax),
                     CutTo(part.id, kNameBytesMax), part.first, part.last,
                     part.movements.credits.currency().code(), minor(part.opening),
                     minor(part.closing), part.movements.credit_count,
                     part.movements.credits.minor(), part.movements.debit_count,
                     part.movements.debits.minor(), part.unread, checks);
        }));
    }
    return parts.Finish();
}

Result<std::set<std::string>> MysqlOutsideBooks::KnownEntries(
    std::span<const std::string> identities) {
    std::map<std::string, const std::string*> by_hash;
    for (const std::string& identity : identities) by_hash[Sha256(identity)] = &identity;
    std::set<std::string> known;
    KESSAI_RETURN_IF_ERROR(InChunks(
        by_hash, [](const auto& one) { return one.first; },
        [&](const mysql::KeyList& keys) -> Status {
            KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kKnownEntries, keys));
            while (rows.Next()) known.insert(*by_hash.at(rows.Bytes(0)));
            return OkStatus();
        }));
    return known;
}

Status MysqlOutsideBooks::InsertItems(std::span<const app::NewOutsideItem> items) {
    if (items.empty()) return OkStatus();
    KESSAI_ASSIGN_OR_RETURN(const auto ids, ids_.Current());
    ChunkedInsert insert(session_, kInsertItems);
    for (const app::NewOutsideItem& item : items) {
        KESSAI_RETURN_IF_ERROR(insert.Take(
            [&](mysql::RowList& rows) { AddItem(item, OutsideItemId(ids->Next()), rows); }));
    }
    KESSAI_RETURN_IF_ERROR(insert.Finish());
    return ids_.Confirm(*ids);
}

Result<std::vector<app::KnownExpected>> MysqlOutsideBooks::FindExpected(
    std::span<const domain::ExpectedKey> keys) {
    std::vector<app::KnownExpected> known;
    KESSAI_RETURN_IF_ERROR(InChunks(keys, IdentityOf, [&](const mysql::KeyList& hashes) -> Status {
        KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kFindExpected, hashes));
        while (rows.Next()) {
            known.push_back(
                {{rows.Int(0), static_cast<std::uint32_t>(rows.Uint(1))}, ReadHash(rows, 2)});
        }
        return OkStatus();
    }));
    return known;
}

Status MysqlOutsideBooks::MarkDue(std::string_view account) {
    return session_.Execute(kMarkDue, account).status();
}

Result<std::vector<std::string>> MysqlOutsideBooks::ListDue() {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kListDue));
    std::vector<std::string> accounts;
    while (rows.Next()) accounts.push_back(rows.Text(0));
    return accounts;
}

Result<app::AccountState> MysqlOutsideBooks::FindAccount(std::string_view account) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kFindAccount, account));
    if (!rows.Next()) return app::AccountState{};
    return app::AccountState{.revision = rows.Int(0), .added = rows.Int(1), .seen = rows.Int(2)};
}

Result<app::AccountState> MysqlOutsideBooks::LockAccount(std::string_view account) {
    KESSAI_RETURN_IF_ERROR(session_.Execute(kLockAccount, account).status());
    return FindAccount(account);
}

Status MysqlOutsideBooks::UpdateAccount(std::string_view account, const app::AccountState& state) {
    return session_.Execute(kUpdateAccount, state.revision, state.added, state.seen, account)
        .status();
}

Result<app::UnmatchedCounts> MysqlOutsideBooks::CountUnmatched(std::string_view account,
                                                               const app::DayRange& days) {
    KESSAI_ASSIGN_OR_RETURN(auto rows,
                            session_.Select(kCountUnmatched, account, days.first, days.last));
    app::UnmatchedCounts counts;
    while (rows.Next()) (rows.Int(0) == 1 ? counts.expected : counts.booked) = rows.Int(1);
    return counts;
}

Result<std::vector<domain::OutsideItem>> MysqlOutsideBooks::LoadUnmatched(
    std::string_view account, domain::OutsideSide side, const app::DayRange& days) {
    KESSAI_ASSIGN_OR_RETURN(auto rows,
                            session_.SelectStreamed(kLoadUnmatched, account, static_cast<int>(side),
                                                    days.first, days.last));
    std::vector<domain::OutsideItem> items;
    while (rows.Next()) {
        domain::OutsideRecord record = ReadItem(rows);
        domain::OutsideItem item{.id = record.id,
                                 .account = std::move(record.account),
                                 .amount = record.amount,
                                 .date = record.date};
        for (auto& [kind, value] : record.references) {
            if (domain::MayBeOurs(kind)) item.references.push_back(std::move(value));
        }
        items.push_back(std::move(item));
    }
    KESSAI_RETURN_IF_ERROR(Status(rows.status()));
    return items;
}

Result<std::vector<domain::OutsideApart>> MysqlOutsideBooks::ListApart(std::string_view account) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kApart, account));
    std::vector<domain::OutsideApart> sets;
    std::int64_t match = 0;
    bool is_whole = false;
    while (rows.Next()) {
        if (rows.Int(0) != match) {
            if (match != 0 && !is_whole) sets.pop_back();
            match = rows.Int(0);
            is_whole = true;
            sets.emplace_back();
        }
        constexpr std::int64_t kUnmatched = 1;
        is_whole = is_whole && rows.Int(3) == kUnmatched;
        const bool is_expected = rows.Int(2) == static_cast<int>(domain::OutsideSide::kExpected);
        (is_expected ? sets.back().expected : sets.back().booked)
            .push_back(OutsideItemId(rows.Int(1)));
    }
    if (match != 0 && !is_whole) sets.pop_back();
    return sets;
}

Status MysqlOutsideBooks::ReadMembers(std::vector<OutsideMatchRecord>& records) {
    std::map<OutsideMatchId, OutsideMatchRecord*> by_id;
    for (OutsideMatchRecord& record : records) by_id[record.id] = &record;
    return InChunks(
        by_id, [](const auto& one) { return one.first.value(); },
        [&](const mysql::KeyList& keys) -> Status {
            KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kMembers, keys));
            while (rows.Next()) {
                OutsideMatchRecord& record = *by_id.at(OutsideMatchId(rows.Int(0)));
                const bool is_expected =
                    rows.Int(2) == static_cast<int>(domain::OutsideSide::kExpected);
                (is_expected ? record.expected : record.booked)
                    .push_back(OutsideItemId(rows.Int(1)));
            }
            return OkStatus();
        });
}

Result<std::vector<OutsideMatchRecord>> MysqlOutsideBooks::ListOf(std::string_view account,
                                                                  OutsideMatchState state) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kListOf, account, static_cast<int>(state)));
    auto records = ReadMatches(rows);
    KESSAI_RETURN_IF_ERROR(ReadMembers(records));
    return records;
}

Result<std::vector<OutsideMatchRecord>> MysqlOutsideBooks::FindSets(
    std::string_view account, std::span<const OutsideMatchRecord> sets) {
    std::vector<std::string> hashes;
    for (const OutsideMatchRecord& set : sets) hashes.push_back(MembersOf(set));
    std::ranges::sort(hashes);
    std::vector<OutsideMatchRecord> found;
    KESSAI_RETURN_IF_ERROR(InChunks(
        hashes, [](const std::string& hash) { return hash; },
        [&](const mysql::KeyList& keys) -> Status {
            KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kFindSets, account, keys));
            std::ranges::move(ReadMatches(rows), std::back_inserter(found));
            return OkStatus();
        }));
    KESSAI_RETURN_IF_ERROR(ReadMembers(found));
    return found;
}

Status MysqlOutsideBooks::Store(std::span<const app::MatchChange> changes) {
    KESSAI_ASSIGN_OR_RETURN(const auto ids, ids_.Current());
    ChunkedInsert inserted(session_, kInsertMatches);
    ChunkedInsert updated(session_, kUpdateMatches);
    ChunkedInsert members(session_, kInsertMembers);
    ChunkedInsert steps(session_, kInsertSteps);
    std::vector<OutsideMatchId> taking;
    std::vector<OutsideMatchId> giving_back;
    std::uint64_t items_to_take = 0;
    for (const app::MatchChange& change : changes) {
        OutsideMatchRecord record = change.record;
        const bool is_new = record.id.is_none();
        if (is_new) record.id = OutsideMatchId(ids->Next());
        const auto add = [&](mysql::RowList& rows) { AddOutsideMatch(record, rows); };
        KESSAI_RETURN_IF_ERROR(is_new ? inserted.Take(add) : updated.Take(add));
        if (is_new) {
            for (const auto& [side, items] :
                 {std::pair{domain::OutsideSide::kExpected, &record.expected},
                  std::pair{domain::OutsideSide::kBooked, &record.booked}}) {
                for (const OutsideItemId item : *items) {
                    KESSAI_RETURN_IF_ERROR(members.Take([&](mysql::RowList& rows) {
                        rows.Add(record.id, item, static_cast<int>(side));
                    }));
                }
            }
        }
        const domain::OutsideStep& step = change.step;
        KESSAI_RETURN_IF_ERROR(steps.Take([&](mysql::RowList& rows) {
            rows.Add(record.id, step.number, static_cast<int>(step.state), step.actor,
                     CutTo(step.note, kMessageBytesMax), step.at);
        }));
        if (record.state == OutsideMatchState::kMatched) {
            taking.push_back(record.id);
            items_to_take += record.expected.size() + record.booked.size();
        } else if (record.state == OutsideMatchState::kTakenApart) {
            giving_back.push_back(record.id);
        }
    }
    for (ChunkedInsert* insert : {&inserted, &updated, &members, &steps}) {
        KESSAI_RETURN_IF_ERROR(insert->Finish());
    }
    std::uint64_t taken = 0;
    KESSAI_RETURN_IF_ERROR(InChunks(
        taking, [](OutsideMatchId id) { return id.value(); },
        [&](const mysql::KeyList& keys) -> Status {
            KESSAI_ASSIGN_OR_RETURN(const auto count, session_.Execute(kTakeItems, keys));
            taken += count;
            return OkStatus();
        }));
    if (taken != items_to_take) {
        return Status(Code::kFailedPrecondition, app::reason::kItemMatched,
                      std::to_string(items_to_take - taken) +
                          " of the items are in another match: ./kessai recon outside show tells");
    }
    KESSAI_RETURN_IF_ERROR(InChunks(
        giving_back, [](OutsideMatchId id) { return id.value(); },
        [&](const mysql::KeyList& keys) {
            return session_.Execute(kGiveItemsBack, keys).status();
        }));
    return ids_.Confirm(*ids);
}

Result<OutsideMatchRecord> MysqlOutsideBooks::FindMatch(OutsideMatchId id) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kFindMatch, id));
    auto records = ReadMatches(rows);
    if (records.empty()) {
        return Status(Code::kNotFound, app::reason::kMatchUnknown,
                      "no match or suggestion " + id.ToString());
    }
    KESSAI_RETURN_IF_ERROR(ReadMembers(records));
    return std::move(records.front());
}

Result<std::vector<domain::OutsideStep>> MysqlOutsideBooks::Steps(OutsideMatchId id) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kSteps, id));
    std::vector<domain::OutsideStep> steps;
    while (rows.Next()) {
        steps.push_back({.number = static_cast<std::uint32_t>(rows.Uint(0)),
                         .state = static_cast<OutsideMatchState>(rows.Int(1)),
                         .actor = rows.Text(2),
                         .note = rows.Text(3),
                         .at = rows.At(4)});
    }
    return steps;
}

Result<std::vector<OutsideMatchRecord>> MysqlOutsideBooks::ListMatches(
    const app::MatchFilter& filter) {
    const std::int64_t before = Before(filter.before);
    const auto select = [&]() -> Result<mysql::Rows> {
        if (!filter.account.empty() && filter.state) {
            return session_.Select(kListByAccountAndState, before, filter.account,
                                   static_cast<int>(*filter.state), filter.limit);
        }
        if (!filter.account.empty()) {
            return session_.Select(kListByAccount, before, filter.account, filter.limit);
        }
        if (filter.state) {
            return session_.Select(kListByState, before, static_cast<int>(*filter.state),
                                   filter.limit);
        }
        return session_.Select(kList, before, filter.limit);
    };
    KESSAI_ASSIGN_OR_RETURN(auto rows, select());
    auto records = ReadMatches(rows);
    KESSAI_RETURN_IF_ERROR(ReadMembers(records));
    return records;
}

Result<std::vector<OutsideMatchRecord>> MysqlOutsideBooks::SuggestionsOf(
    std::span<const OutsideItemId> items) {
    std::map<OutsideMatchId, OutsideMatchRecord> by_id;
    KESSAI_RETURN_IF_ERROR(InChunks(
        items, [](OutsideItemId id) { return id.value(); },
        [&](const mysql::KeyList& keys) -> Status {
            KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kSuggestionsOf, keys));
            for (OutsideMatchRecord& record : ReadMatches(rows)) {
                const OutsideMatchId id = record.id;
                by_id.emplace(id, std::move(record));
            }
            return OkStatus();
        }));
    std::vector<OutsideMatchRecord> found;
    for (auto& [id, record] : by_id) found.push_back(std::move(record));
    KESSAI_RETURN_IF_ERROR(ReadMembers(found));
    return found;
}

Result<std::vector<domain::OutsideRecord>> MysqlOutsideBooks::FindItems(
    std::span<const OutsideItemId> ids) {
    std::vector<OutsideItemId> sorted(ids.begin(), ids.end());
    std::ranges::sort(sorted);
    std::vector<domain::OutsideRecord> found;
    KESSAI_RETURN_IF_ERROR(InChunks(
        sorted, [](OutsideItemId id) { return id.value(); },
        [&](const mysql::KeyList& keys) -> Status {
            KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kFindItems, keys));
            std::ranges::move(ReadItems(rows), std::back_inserter(found));
            return OkStatus();
        }));
    return found;
}

Result<std::vector<domain::OutsideRecord>> MysqlOutsideBooks::ListUnmatched(
    const app::UnmatchedFilter& filter) {
    KESSAI_ASSIGN_OR_RETURN(
        auto rows,
        session_.Select(kListUnmatched, filter.account, static_cast<int>(filter.side),
                        filter.after_date, filter.after_date, filter.after, filter.limit));
    return ReadItems(rows);
}

Result<std::vector<app::UnmatchedDay>> MysqlOutsideBooks::UnmatchedDays() {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kUnmatchedDays));
    std::vector<app::UnmatchedDay> days;
    while (rows.Next()) {
        days.push_back({.account = rows.Text(0),
                        .side = static_cast<domain::OutsideSide>(rows.Int(1)),
                        .date = rows.Date(2),
                        .count = rows.Int(3),
                        .value = rows.Int(4)});
    }
    return days;
}

Status MysqlOutsideTransactions::Run(const std::function<Status(app::OutsideBooks&)>& work) {
    mysql::RetryPolicy policy;
    policy.rerun_unknown = true;
    return mysql::InTransaction(pool_, policy, [&](mysql::Session& session) {
        MysqlOutsideBooks books(session, ids_);
        return work(books);
    });
}

}  // namespace kessai::reconciliation::storage
