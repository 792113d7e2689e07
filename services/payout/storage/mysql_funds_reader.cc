#include "storage/mysql_funds_reader.h"

#include <algorithm>

#include "kessai/mysql/query.h"
#include "storage/mysql_transfer_records.h"
#include "storage/row_mapping.h"

namespace kessai::payout::storage {
namespace {

constexpr Duration kAcquireTimeout = std::chrono::seconds(1);
constexpr std::size_t kKeysPerStatement = 500;

constexpr mysql::Query kJournals{"merchant_journal.of_merchant", R"sql(
    SELECT kind, object_id, amount, fee, tax, released
    FROM merchant_journal FORCE INDEX (merchant_journal_merchant)
    WHERE merchant_id = ? ORDER BY journal_id)sql"};
// Rounds are one after the other, so they order a merchant's days. Days are some hundreds a year,
// and each is a look-up by key.
constexpr mysql::Query kReleases{"merchant_release.of_merchant_by_round", R"sql(
    SELECT d.business_date, r.round, SUM(r.gross), SUM(r.fee), SUM(r.tax), SUM(r.net),
           SUM(r.item_count)
    FROM payout_day d
    JOIN merchant_release r ON r.business_date = d.business_date AND r.merchant_id = ?
    JOIN release_round o ON o.business_date = r.business_date AND o.round = r.round
    GROUP BY d.business_date, r.round, o.started_at_us
    ORDER BY o.started_at_us, d.business_date, r.round)sql"};
constexpr mysql::Query kOfPayment{"accrual.of_payment", "SELECT " KESSAI_ACCRUAL_COLUMNS R"sql(
    FROM accrual FORCE INDEX (accrual_effect) WHERE payment_id = ? ORDER BY version)sql"};
constexpr mysql::Query kOfMerchantDay{"accrual.of_merchant_day",
                                      "SELECT " KESSAI_ACCRUAL_COLUMNS R"sql(
    FROM accrual FORCE INDEX (PRIMARY)
    WHERE business_date = ? AND bucket BETWEEN ? AND ? AND merchant_id = ?
        AND (bucket > ? OR payment_id > ? OR (payment_id = ? AND version > ?))
    ORDER BY bucket, payment_id, version LIMIT ?)sql"};
constexpr int kBucketColumn = 1;

}  // namespace

Result<app::FundsHistory> MysqlFundsReader::HistoryOf(domain::MerchantId merchant) {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    app::FundsHistory history;
    // Before the releases: what a journal saw is among those that are read after it.
    KESSAI_ASSIGN_OR_RETURN(auto journals, session->Select(kJournals, merchant));
    while (journals.Next()) {
        domain::SeenJournal& seen = history.journals.emplace_back();
        seen.journal = {.kind = static_cast<domain::JournalKind>(journals.Int(0)),
                        .merchant = merchant,
                        .object = journals.Int(1),
                        .amount = journals.Int(2),
                        .fee = journals.Int(3),
                        .tax = journals.Int(4)};
        if (!journals.IsNull(5)) seen.released = journals.Int(5);
    }
    KESSAI_ASSIGN_OR_RETURN(auto releases, session->Select(kReleases, merchant));
    while (releases.Next()) {
        history.releases.push_back({.day = releases.Date(0),
                                    .round = static_cast<int>(releases.Int(1)),
                                    .gross = releases.Int(2),
                                    .fee = releases.Int(3),
                                    .tax = releases.Int(4),
                                    .net = releases.Int(5),
                                    .item_count = releases.Int(6)});
    }
    return history;
}

Result<std::map<domain::TransferId, domain::Transfer>> MysqlFundsReader::FindTransfers(
    std::span<const domain::TransferId> transfers) {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    MysqlTransferRecords records(*session, {});
    std::map<domain::TransferId, domain::Transfer> found;
    for (std::size_t from = 0; from < transfers.size(); from += kKeysPerStatement) {
        const auto part =
            transfers.subspan(from, std::min(kKeysPerStatement, transfers.size() - from));
        KESSAI_ASSIGN_OR_RETURN(auto some, records.FindTransfers(part));
        found.merge(some);
    }
    return found;
}

Result<std::vector<app::RecordedAccrual>> MysqlFundsReader::AccrualsOf(domain::PaymentId payment) {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(auto rows, session->Select(kOfPayment, payment));
    std::vector<app::RecordedAccrual> accruals;
    while (rows.Next()) accruals.push_back({ReadAccrual(rows), ReadRecordedAt(rows)});
    return accruals;
}

Result<app::AccrualPage> MysqlFundsReader::AccrualsOf(domain::MerchantId merchant, BusinessDate day,
                                                      app::AccrualPosition from, int last_bucket,
                                                      int limit) {
    KESSAI_ASSIGN_OR_RETURN(auto session, bulk_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(
        auto rows,
        session->Select(kOfMerchantDay, day, from.bucket, last_bucket, merchant, from.bucket,
                        from.after.payment, from.after.payment, from.after.version, limit));
    app::AccrualPage page;
    while (rows.Next()) {
        page.accruals.push_back({ReadAccrual(rows), ReadRecordedAt(rows)});
        if (page.accruals.size() < static_cast<std::size_t>(limit)) continue;
        page.next = {static_cast<int>(rows.Int(kBucketColumn)), page.accruals.back().accrual.key};
    }
    return page;
}

}  // namespace kessai::payout::storage
