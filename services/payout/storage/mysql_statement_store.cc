#include "storage/mysql_statement_store.h"

#include <algorithm>

#include "domain/ledger.h"
#include "domain/statement_reason.h"
#include "kessai/money/money.h"
#include "kessai/mysql/query.h"
#include "kessai/mysql/transaction.h"
#include "storage/mysql_merchant_records.h"
#include "storage/row_mapping.h"
#include "storage/transfer_rows.h"

namespace kessai::payout::storage {
namespace {

using domain::DayState;
using domain::MerchantId;

constexpr Duration kAcquireTimeout = std::chrono::seconds(1);
constexpr std::size_t kTextMax = 255;
// Some hundred pages.
constexpr int kMovesMax = 5'000;
// Some milliseconds, when nearly all have their statement.
constexpr int kMerchantsLookedThrough = 5'000;

// Days are some hundreds a year, and each is a look-up by key in the larger tables.
constexpr mysql::Query kClosedThrough{"payout_day.closed_through", R"sql(
    SELECT MAX(business_date) FROM payout_day WHERE state <> ?)sql"};
constexpr mysql::Query kFirstOpen{"payout_day.first_open", R"sql(
    SELECT MIN(business_date) FROM payout_day WHERE state = ? AND business_date <= ?)sql"};
constexpr mysql::Query kFirstUnreleased{"merchant_day_total.first_unreleased", R"sql(
    SELECT MIN(d.business_date)
    FROM payout_day d
    JOIN merchant_day_total t ON t.business_date = d.business_date AND t.merchant_id = ?
    LEFT JOIN merchant_release r ON r.business_date = d.business_date AND r.merchant_id = ?
        AND r.tax_class = t.tax_class
    WHERE d.business_date <= ? AND r.merchant_id IS NULL)sql"};
constexpr mysql::Query kFirstHeld{"merchant_hold.first_of_merchant", R"sql(
    SELECT MIN(d.business_date)
    FROM payout_day d
    JOIN merchant_hold h ON h.business_date = d.business_date AND h.merchant_id = ?
    WHERE d.business_date <= ? AND h.released_round IS NULL)sql"};

constexpr mysql::Query kReleasedBefore{"merchant_release.sum_before", R"sql(
    SELECT COALESCE(SUM(r.net), 0)
    FROM payout_day d
    JOIN merchant_release r ON r.business_date = d.business_date AND r.merchant_id = ?
    WHERE d.business_date < ?)sql"};
constexpr mysql::Query kMovedBefore{"merchant_journal.sum_before", R"sql(
    SELECT kind, SUM(amount), SUM(fee), SUM(tax)
    FROM merchant_journal FORCE INDEX (merchant_journal_merchant)
    WHERE merchant_id = ? AND business_date < ? GROUP BY kind ORDER BY kind)sql"};
constexpr mysql::Query kReleases{"merchant_release.of_cycle", R"sql(
    SELECT r.business_date, r.tax_class, r.gross, r.fee, r.tax, r.net, r.item_count
    FROM payout_day d
    JOIN merchant_release r ON r.business_date = d.business_date AND r.merchant_id = ?
    WHERE d.business_date >= ? AND d.business_date <= ?
    ORDER BY r.business_date, r.tax_class)sql"};
constexpr mysql::Query kParts{"merchant_day_part.of_cycle", R"sql(
    SELECT p.business_date, p.tax_class, p.part, SUM(p.gross), SUM(p.fee), SUM(p.item_count),
           MIN(p.payment_first), MAX(p.payment_last)
    FROM payout_day d
    JOIN merchant_day_part p ON p.business_date = d.business_date AND p.merchant_id = ?
    WHERE d.business_date >= ? AND d.business_date <= ?
    GROUP BY p.business_date, p.tax_class, p.part
    ORDER BY p.business_date, p.tax_class, p.part)sql"};
constexpr mysql::Query kMoves{"merchant_journal.of_cycle", R"sql(
    SELECT j.journal_id, j.business_date, j.kind, j.object_id, j.amount, j.fee, j.tax,
           COALESCE(t.payout_id, 0), COALESCE(t.attempt, 0),
           COALESCE(t.transfer_date, j.business_date), COALESCE(t.reason, a.reason, ''),
           COALESCE(c.business_date, j.business_date)
    FROM merchant_journal j FORCE INDEX (merchant_journal_merchant)
    LEFT JOIN transfer t ON t.transfer_id = j.object_id AND j.kind <> ?
    LEFT JOIN adjustment a ON a.adjustment_id = j.object_id AND j.kind = ?
    LEFT JOIN merchant_journal c ON c.object_id = j.object_id AND c.kind = ? AND j.kind = ?
    WHERE j.merchant_id = ? AND j.business_date >= ? AND j.business_date <= ?
    ORDER BY j.journal_id LIMIT ?)sql"};

constexpr mysql::Query kFindProfile{"merchant_profile.find_version",
                                    "SELECT " KESSAI_PROFILE_COLUMNS R"sql(
    FROM merchant_profile WHERE merchant_id = ? AND version = ?)sql"};
constexpr mysql::Query kUnissued{"merchant_statement.unissued", R"sql(
    SELECT p.merchant_id, s.merchant_id IS NULL
    FROM merchant_profile p FORCE INDEX (PRIMARY)
    LEFT JOIN merchant_statement s ON s.cycle_start = ? AND s.merchant_id = p.merchant_id
        AND s.version = 1
    WHERE p.merchant_id > ? AND p.version = 1
    ORDER BY p.merchant_id LIMIT ?)sql"};
constexpr mysql::Query kFindIssued{"merchant_statement.find", R"sql(
    SELECT profile, issued_on, opening, closing, issued_by, version, correction_reason
    FROM merchant_statement WHERE cycle_start = ? AND merchant_id = ? AND version = ?)sql"};
constexpr mysql::Query kFindLatest{"merchant_statement.find_latest", R"sql(
    SELECT profile, issued_on, opening, closing, issued_by, version, correction_reason
    FROM merchant_statement WHERE cycle_start = ? AND merchant_id = ?
    ORDER BY version DESC LIMIT 1)sql"};
constexpr mysql::Query kFindHashes{"merchant_statement_file.hashes", R"sql(
    SELECT format, file_hash FROM merchant_statement_file
    WHERE cycle_start = ? AND merchant_id = ? AND version = ? ORDER BY format)sql"};
constexpr mysql::Query kFindFile{"merchant_statement_file.find", R"sql(
    SELECT file_hash, content FROM merchant_statement_file
    WHERE cycle_start = ? AND merchant_id = ? AND version = ? AND format = ?)sql"};
constexpr mysql::Query kInsertStatement{"merchant_statement.insert", R"sql(
    INSERT INTO merchant_statement (cycle_start, merchant_id, profile, issued_on, opening, closing,
                                    issued_by, issued_at_us, version, correction_reason)
    VALUES {rows})sql"};
constexpr mysql::Query kInsertFiles{"merchant_statement_file.insert", R"sql(
    INSERT INTO merchant_statement_file (cycle_start, merchant_id, version, format, file_hash,
                                         content)
    VALUES {rows})sql"};

Result<std::optional<BusinessDate>> FirstDate(Result<mysql::Rows> selected) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, std::move(selected));
    if (!rows.Next() || rows.IsNull(0)) return std::optional<BusinessDate>();
    return std::optional(rows.Date(0));
}

domain::FileHash ReadHash(const mysql::Rows& row, int column) {
    domain::FileHash hash{};
    const std::string bytes = row.Bytes(column);
    std::copy_n(bytes.begin(), std::min(bytes.size(), hash.size()), hash.begin());
    return hash;
}

domain::MerchantJournal ReadJournal(const mysql::Rows& row, MerchantId merchant) {
    return {.kind = static_cast<domain::JournalKind>(row.Int(2)),
            .merchant = merchant,
            .object = row.Int(3),
            .amount = row.Int(4),
            .fee = row.Int(5),
            .tax = row.Int(6)};
}

/// What the merchant had before a day.
Result<domain::MerchantFunds> LoadFunds(mysql::Session& session, MerchantId merchant,
                                        BusinessDate before) {
    domain::MerchantFunds funds{.merchant = merchant};
    KESSAI_ASSIGN_OR_RETURN(auto released, session.Select(kReleasedBefore, merchant, before));
    if (released.Next()) funds.released = released.Int(0);
    KESSAI_ASSIGN_OR_RETURN(auto moved, session.Select(kMovedBefore, merchant, before));
    while (moved.Next()) {
        const domain::MerchantJournal sum{
            .kind = static_cast<domain::JournalKind>(moved.Int(0)),
            .merchant = merchant,
            .amount = moved.Int(1),
            .fee = moved.Int(2),
            .tax = moved.Int(3),
        };
        for (const domain::Posting& posting : domain::PostingsOf(sum)) {
            if (posting.account == domain::Account::kAvailable) {
                KESSAI_ASSIGN_OR_RETURN(funds.moved, CheckedAdd(funds.moved, posting.amount));
            } else if (posting.account == domain::Account::kInTransit) {
                KESSAI_ASSIGN_OR_RETURN(funds.in_transit,
                                        CheckedAdd(funds.in_transit, posting.amount));
            }
        }
    }
    return funds;
}

Status LoadReleases(mysql::Session& session, domain::StatementRows& statement,
                    BusinessDate through) {
    KESSAI_ASSIGN_OR_RETURN(
        auto rows, session.Select(kReleases, statement.merchant, statement.cycle_start, through));
    while (rows.Next()) {
        domain::DayRelease release;
        release.business_date = rows.Date(0);
        release.line.merchant = statement.merchant;
        release.line.tax_class = ReadTaxClass(rows, 1);
        release.line.sums = {rows.Int(2), rows.Int(3), rows.Int(6)};
        release.line.tax = rows.Int(4);
        release.line.net = rows.Int(5);
        statement.releases.push_back(release);
    }
    KESSAI_ASSIGN_OR_RETURN(
        auto parts, session.Select(kParts, statement.merchant, statement.cycle_start, through));
    while (parts.Next()) {
        domain::DayPart part;
        part.business_date = parts.Date(0);
        part.kind = static_cast<domain::DayPartKind>(parts.Int(2));
        part.part = {
            statement.merchant, ReadTaxClass(parts, 1), {parts.Int(3), parts.Int(4), parts.Int(5)}};
        part.payment_first = parts.Date(6);
        part.payment_last = parts.Date(7);
        statement.parts.push_back(part);
    }
    return OkStatus();
}

Status LoadMoves(mysql::Session& session, domain::StatementRows& statement, BusinessDate through) {
    constexpr int kAdjustment = static_cast<int>(domain::JournalKind::kAdjustment);
    constexpr int kCreated = static_cast<int>(domain::JournalKind::kTransferCreated);
    constexpr int kCancelled = static_cast<int>(domain::JournalKind::kTransferCancelled);
    KESSAI_ASSIGN_OR_RETURN(
        auto rows,
        session.Select(kMoves, kAdjustment, kAdjustment, kCreated, kCancelled, statement.merchant,
                       statement.cycle_start, through, kMovesMax + 1));
    if (rows.size() > kMovesMax) {
        return Status(Code::kResourceExhausted, domain::reason::kStatementTooLarge,
                      "merchant " + statement.merchant.ToString() + " has more than " +
                          std::to_string(kMovesMax) + " transfers and adjustments in the cycle");
    }
    while (rows.Next()) {
        domain::StatementMove move;
        move.journal = domain::JournalId(rows.Int(0));
        move.business_date = rows.Date(1);
        move.row = ReadJournal(rows, statement.merchant);
        move.payout = domain::PayoutId(rows.Int(7));
        move.attempt = static_cast<int>(rows.Int(8));
        move.transfer_date = rows.Date(9);
        move.charged_on = rows.Date(11);
        // A transfer's reason may have come after this row of it.
        if (move.row.kind != domain::JournalKind::kTransferCreated &&
            move.row.kind != domain::JournalKind::kTransferSettled) {
            move.reason = rows.Text(10);
        }
        statement.moves.push_back(std::move(move));
    }
    return OkStatus();
}

}  // namespace

Result<std::optional<std::string>> MysqlStatementStore::WhyNotReleased(MerchantId merchant,
                                                                       BusinessDate cycle_start) {
    const BusinessDate end = domain::CycleEnd(cycle_start);
    const int open = static_cast<int>(DayState::kOpen);
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    // In the order in which a day goes: what is true stays true.
    KESSAI_ASSIGN_OR_RETURN(const auto closed, FirstDate(session->Select(kClosedThrough, open)));
    if (!closed || *closed < end) return std::optional(end.ToString() + " is not closed");
    KESSAI_ASSIGN_OR_RETURN(const auto first_open,
                            FirstDate(session->Select(kFirstOpen, open, end)));
    if (first_open) return std::optional(first_open->ToString() + " is not closed");
    KESSAI_ASSIGN_OR_RETURN(const auto held, FirstDate(session->Select(kFirstHeld, merchant, end)));
    if (held) return std::optional(held->ToString() + " is held back");
    KESSAI_ASSIGN_OR_RETURN(const auto unreleased,
                            FirstDate(session->Select(kFirstUnreleased, merchant, merchant, end)));
    if (unreleased) return std::optional(unreleased->ToString() + " is not released");
    return std::optional<std::string>();
}

Result<domain::StatementRows> MysqlStatementStore::Load(MerchantId merchant,
                                                        BusinessDate cycle_start) {
    const BusinessDate through = domain::CycleEnd(cycle_start);
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    domain::StatementRows statement;
    statement.merchant = merchant;
    statement.cycle_start = cycle_start;
    KESSAI_ASSIGN_OR_RETURN(statement.opening, LoadFunds(*session, merchant, cycle_start));
    KESSAI_RETURN_IF_ERROR(LoadReleases(*session, statement, through));
    KESSAI_RETURN_IF_ERROR(LoadMoves(*session, statement, through));
    return statement;
}

Result<std::optional<domain::MerchantProfile>> MysqlStatementStore::FindProfile(
    MerchantId merchant) {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    return MysqlMerchantRecords(*session, {}).FindProfile(merchant);
}

Result<std::optional<domain::MerchantProfile>> MysqlStatementStore::FindProfile(MerchantId merchant,
                                                                                int version) {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(auto rows, session->Select(kFindProfile, merchant, version));
    if (!rows.Next()) return std::optional<domain::MerchantProfile>();
    return std::optional(ReadProfile(rows));
}

Result<app::UnissuedMerchants> MysqlStatementStore::Unissued(BusinessDate cycle_start,
                                                             MerchantId after, int merchants_max) {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(
        auto rows, session->Select(kUnissued, cycle_start, after, kMerchantsLookedThrough));
    app::UnissuedMerchants found;
    if (rows.size() == static_cast<std::size_t>(kMerchantsLookedThrough)) found.next = after;
    const auto full = [&] {
        return found.merchants.size() == static_cast<std::size_t>(merchants_max);
    };
    while (!full() && rows.Next()) {
        const MerchantId merchant(rows.Int(0));
        if (rows.Bool(1)) found.merchants.push_back(merchant);
        if (found.next || full()) found.next = merchant;
    }
    return found;
}

Result<std::optional<app::IssuedStatement>> MysqlStatementStore::FindIssued(
    MerchantId merchant, BusinessDate cycle_start, int version) {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(
        auto rows, version == 0 ? session->Select(kFindLatest, cycle_start, merchant)
                                : session->Select(kFindIssued, cycle_start, merchant, version));
    if (!rows.Next()) return std::optional<app::IssuedStatement>();
    app::IssuedStatement issued{.merchant = merchant,
                                .cycle_start = cycle_start,
                                .version = static_cast<int>(rows.Int(5)),
                                .correction_reason = rows.Text(6),
                                .profile = static_cast<int>(rows.Int(0)),
                                .issued_on = rows.Date(1),
                                .opening = rows.Int(2),
                                .closing = rows.Int(3),
                                .issued_by = rows.Text(4),
                                .files = {}};
    KESSAI_ASSIGN_OR_RETURN(auto files,
                            session->Select(kFindHashes, cycle_start, merchant, issued.version));
    while (files.Next()) {
        issued.files.push_back({.format = files.Text(0), .hash = ReadHash(files, 1)});
    }
    return std::optional(std::move(issued));
}

Result<std::optional<app::StatementFile>> MysqlStatementStore::FindFile(MerchantId merchant,
                                                                        BusinessDate cycle_start,
                                                                        int version,
                                                                        std::string_view format) {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(auto rows,
                            session->Select(kFindFile, cycle_start, merchant, version, format));
    if (!rows.Next()) return std::optional<app::StatementFile>();
    return std::optional(app::StatementFile{
        .format = std::string(format), .hash = ReadHash(rows, 0), .content = rows.Bytes(1)});
}

Status MysqlStatementStore::Insert(const app::IssuedStatement& statement) {
    mysql::RowList head;
    head.Add(statement.cycle_start, statement.merchant, statement.profile, statement.issued_on,
             statement.opening, statement.closing, CutText(statement.issued_by, kTextMax),
             clock_.Now(), statement.version, CutText(statement.correction_reason, kTextMax));
    mysql::RetryPolicy policy;
    // Whether it is there already is what the key tells.
    policy.rerun_unknown = true;
    policy.acquire_timeout = kAcquireTimeout;
    const Status stored =
        mysql::InTransaction(pool_, policy, [&](mysql::Session& session) -> Status {
            KESSAI_RETURN_IF_ERROR(session.Execute(kInsertStatement, head));
            for (const app::StatementFile& file : statement.files) {
                mysql::RowList rows;
                rows.Add(statement.cycle_start, statement.merchant, statement.version, file.format,
                         AsBytes(file.hash), mysql::Bytes{file.content});
                KESSAI_RETURN_IF_ERROR(session.Execute(kInsertFiles, rows));
            }
            return OkStatus();
        });
    return stored.code() == Code::kAlreadyExists ? OkStatus() : stored;
}

}  // namespace kessai::payout::storage
