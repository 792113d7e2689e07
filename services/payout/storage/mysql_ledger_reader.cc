#include "storage/mysql_ledger_reader.h"

#include <limits>
#include <map>

#include "domain/transfer_reason.h"
#include "kessai/mysql/query.h"
#include "storage/mysql_merchant_records.h"
#include "storage/mysql_transfer_records.h"
#include "storage/row_mapping.h"
#include "storage/transfer_rows.h"

namespace kessai::payout::storage {
namespace {

using app::JournalLine;

constexpr Duration kAcquireTimeout = std::chrono::seconds(1);
constexpr int kLinesPerPage = 1'000;

constexpr mysql::Query kListPayouts{"payout.list", "SELECT " KESSAI_PAYOUT_COLUMNS R"sql(
    FROM payout WHERE merchant_id = ? AND payout_id < ? ORDER BY payout_id DESC LIMIT ?)sql"};
constexpr mysql::Query kTransfersOf{"transfer.of_payouts", "SELECT " KESSAI_TRANSFER_COLUMNS R"sql(
    FROM transfer WHERE payout_id IN ({keys}) ORDER BY payout_id, attempt)sql"};
constexpr mysql::Query kTermsVersion{"merchant_account.terms",
                                     "SELECT terms FROM merchant_account WHERE merchant_id = ?"};
constexpr mysql::Query kListOpenHolds{"payout_hold.list_open", "SELECT " KESSAI_PAYOUT_HOLD_COLUMNS
                                                               R"sql(
    FROM payout_hold FORCE INDEX (PRIMARY) WHERE hold_id < ? AND lifted_by IS NULL
    ORDER BY hold_id DESC LIMIT ?)sql"};
constexpr mysql::Query kListOpenHoldsOf{"payout_hold.list_open_of_merchant",
                                        "SELECT " KESSAI_PAYOUT_HOLD_COLUMNS R"sql(
    FROM payout_hold FORCE INDEX (payout_hold_merchant)
    WHERE merchant_id = ? AND hold_id < ? AND lifted_by IS NULL
    ORDER BY hold_id DESC LIMIT ?)sql"};
constexpr mysql::Query kListAdjustments{"adjustment.list", "SELECT " KESSAI_ADJUSTMENT_COLUMNS
                                                           R"sql(
    FROM adjustment WHERE adjustment_id < ? ORDER BY adjustment_id DESC LIMIT ?)sql"};
constexpr mysql::Query kListAdjustmentsOf{"adjustment.list_of_merchant",
                                          "SELECT " KESSAI_ADJUSTMENT_COLUMNS R"sql(
    FROM adjustment WHERE merchant_id = ? AND adjustment_id < ?
    ORDER BY adjustment_id DESC LIMIT ?)sql"};
constexpr mysql::Query kTotals{"merchant_day_total.journal_lines", R"sql(
    SELECT merchant_id, SUM(gross), SUM(fee) FROM merchant_day_total FORCE INDEX (PRIMARY)
    WHERE business_date = ? AND merchant_id > ? GROUP BY merchant_id
    ORDER BY merchant_id LIMIT ?)sql"};
constexpr mysql::Query kReleases{"merchant_release.journal_lines", R"sql(
    SELECT merchant_id, SUM(gross), SUM(fee), SUM(tax), SUM(net)
    FROM merchant_release FORCE INDEX (PRIMARY)
    WHERE business_date = ? AND merchant_id > ? GROUP BY merchant_id
    ORDER BY merchant_id LIMIT ?)sql"};
constexpr mysql::Query kJournals{"merchant_journal.lines", R"sql(
    SELECT journal_id, merchant_id, kind, object_id, amount, fee, tax
    FROM merchant_journal FORCE INDEX (merchant_journal_day)
    WHERE business_date = ? AND journal_id > ? ORDER BY journal_id LIMIT ?)sql"};

/// Buffered, so that a slow reader holds no session.
Result<mysql::Rows> SelectPage(mysql::Pool& pool, const mysql::Query& query, BusinessDate day,
                               std::int64_t after) {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool.Acquire(kAcquireTimeout));
    return session->Select(query, day, after, kLinesPerPage);
}

template <class Postings>
void Fill(JournalLine& line, const Postings& postings) {
    for (const domain::Posting& posting : postings) {
        if (posting.amount != 0) line.postings.push_back(posting);
    }
}

std::int64_t Below(std::int64_t before) {
    return before == 0 ? std::numeric_limits<std::int64_t>::max() : before;
}

}  // namespace

Result<app::PayoutHistory> MysqlLedgerReader::FindPayout(domain::PayoutId payout) {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    MysqlTransferRecords records(*session, {});
    KESSAI_ASSIGN_OR_RETURN(const auto found, records.FindPayout(payout));
    if (!found) {
        return Status(Code::kNotFound, domain::reason::kPayoutUnknown,
                      "there is no payout " + payout.ToString());
    }
    KESSAI_ASSIGN_OR_RETURN(auto transfers, records.TransfersOf(payout));
    return app::PayoutHistory{*found, std::move(transfers)};
}

Result<std::vector<app::PayoutHistory>> MysqlLedgerReader::ListPayouts(domain::MerchantId merchant,
                                                                       domain::PayoutId before,
                                                                       int limit) {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(auto rows,
                            session->Select(kListPayouts, merchant, Below(before.value()), limit));
    std::vector<app::PayoutHistory> payouts;
    std::map<domain::PayoutId, std::size_t> places;
    mysql::KeyList keys;
    while (rows.Next()) {
        payouts.push_back({ReadPayout(rows), {}});
        places[payouts.back().payout.id] = payouts.size() - 1;
        keys.Add(payouts.back().payout.id);
    }
    if (payouts.empty()) return payouts;
    KESSAI_ASSIGN_OR_RETURN(auto transfers, session->Select(kTransfersOf, keys));
    while (transfers.Next()) {
        const domain::Transfer transfer = ReadTransfer(transfers);
        payouts[places.at(transfer.payout)].transfers.push_back(transfer);
    }
    return payouts;
}

Result<std::vector<domain::BankAccount>> MysqlLedgerReader::BankAccounts(
    domain::MerchantId merchant) {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    return MysqlMerchantRecords(*session, {}).BankAccounts(merchant);
}

// A version is never changed, and is there before it is in force.
Result<domain::PayoutTerms> MysqlLedgerReader::TermsInForce(domain::MerchantId merchant) {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    MysqlMerchantRecords records(*session, {});
    KESSAI_ASSIGN_OR_RETURN(auto account, session->Select(kTermsVersion, merchant));
    if (account.Next() && account.Int(0) > 0) {
        KESSAI_ASSIGN_OR_RETURN(const auto own,
                                records.FindTerms(merchant, static_cast<int>(account.Int(0))));
        if (own) return *own;
    }
    return records.CommonTerms();
}

Result<std::vector<app::PayoutHold>> MysqlLedgerReader::ListOpenHolds(domain::MerchantId merchant,
                                                                      domain::PayoutHoldId before,
                                                                      int limit) {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    const std::int64_t below = Below(before.value());
    KESSAI_ASSIGN_OR_RETURN(
        auto rows, merchant.is_none() ? session->Select(kListOpenHolds, below, limit)
                                      : session->Select(kListOpenHoldsOf, merchant, below, limit));
    std::vector<app::PayoutHold> holds;
    while (rows.Next()) holds.push_back(ReadPayoutHold(rows));
    return holds;
}

Result<std::vector<domain::Adjustment>> MysqlLedgerReader::ListAdjustments(
    domain::MerchantId merchant, domain::AdjustmentId before, int limit) {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    const std::int64_t below = Below(before.value());
    KESSAI_ASSIGN_OR_RETURN(auto rows,
                            merchant.is_none()
                                ? session->Select(kListAdjustments, below, limit)
                                : session->Select(kListAdjustmentsOf, merchant, below, limit));
    std::vector<domain::Adjustment> adjustments;
    while (rows.Next()) adjustments.push_back(ReadAdjustment(rows));
    return adjustments;
}

Status MysqlLedgerReader::StreamJournal(BusinessDate day, app::JournalPosition from,
                                        const TakeLine& take) {
    using Part = app::JournalPosition::Part;
    bool more = true;
    if (from.part == Part::kAccruals) {
        KESSAI_ASSIGN_OR_RETURN(more, StreamTotals(day, domain::MerchantId(from.after), take));
        from = {Part::kReleases, 0};
    }
    if (more && from.part == Part::kReleases) {
        KESSAI_ASSIGN_OR_RETURN(more, StreamReleases(day, domain::MerchantId(from.after), take));
        from = {Part::kRows, 0};
    }
    return more ? StreamRows(day, domain::JournalId(from.after), take) : OkStatus();
}

Result<bool> MysqlLedgerReader::StreamTotals(BusinessDate day, domain::MerchantId through,
                                             const TakeLine& take) {
    while (true) {
        KESSAI_ASSIGN_OR_RETURN(auto rows, SelectPage(pool_, kTotals, day, through.value()));
        if (rows.empty()) return true;
        while (rows.Next()) {
            JournalLine line;
            line.kind = JournalLine::Kind::kAccrued;
            through = line.merchant = domain::MerchantId(rows.Int(0));
            domain::Accrual sum;
            sum.gross = rows.Int(1);
            sum.fee = rows.Int(2);
            Fill(line, domain::PostingsOf(sum));
            if (!take(line)) return false;
        }
    }
}

Result<bool> MysqlLedgerReader::StreamReleases(BusinessDate day, domain::MerchantId through,
                                               const TakeLine& take) {
    while (true) {
        KESSAI_ASSIGN_OR_RETURN(auto rows, SelectPage(pool_, kReleases, day, through.value()));
        if (rows.empty()) return true;
        while (rows.Next()) {
            JournalLine line;
            line.kind = JournalLine::Kind::kReleased;
            through = line.merchant = domain::MerchantId(rows.Int(0));
            domain::ReleaseLine sum;
            sum.sums = {rows.Int(1), rows.Int(2), 0};
            sum.tax = rows.Int(3);
            sum.net = rows.Int(4);
            Fill(line, domain::PostingsOf(sum));
            if (!take(line)) return false;
        }
    }
}

Status MysqlLedgerReader::StreamRows(BusinessDate day, domain::JournalId through,
                                     const TakeLine& take) {
    while (true) {
        KESSAI_ASSIGN_OR_RETURN(auto rows, SelectPage(pool_, kJournals, day, through.value()));
        if (rows.empty()) return OkStatus();
        while (rows.Next()) {
            JournalLine line;
            through = line.journal = domain::JournalId(rows.Int(0));
            line.merchant = domain::MerchantId(rows.Int(1));
            line.kind = static_cast<JournalLine::Kind>(rows.Int(2));
            line.object = rows.Int(3);
            const domain::MerchantJournal journal{
                .kind = static_cast<domain::JournalKind>(rows.Int(2)),
                .merchant = line.merchant,
                .object = line.object,
                .amount = rows.Int(4),
                .fee = rows.Int(5),
                .tax = rows.Int(6)};
            Fill(line, domain::PostingsOf(journal));
            if (!take(line)) return OkStatus();
        }
    }
}

}  // namespace kessai::payout::storage
