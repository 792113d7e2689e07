#include "storage/mysql_file_row_reader.h"

#include <limits>
#include <vector>

#include "domain/transfer_reason.h"
#include "kessai/mysql/query.h"

namespace kessai::payout::storage {
namespace {

constexpr Duration kAcquireTimeout = std::chrono::seconds(1);
constexpr int kRowsPerPage = 1'000;
constexpr std::int64_t kNoBatch = 0;

constexpr mysql::Query kReleases{"merchant_release.file_rows", R"sql(
    SELECT merchant_id, MIN(currency), SUM(gross), SUM(fee), SUM(tax), SUM(net), SUM(item_count)
    FROM merchant_release FORCE INDEX (PRIMARY)
    WHERE business_date = ? AND merchant_id > ? AND merchant_id <= ? GROUP BY merchant_id
    ORDER BY merchant_id LIMIT ?)sql"};
constexpr mysql::Query kUnsent{"transfer.any_unsent", R"sql(
    SELECT transfer_id FROM transfer FORCE INDEX (transfer_batch_rows)
    WHERE batch_id = ? AND transfer_date = ? AND state = ? LIMIT 1)sql"};
constexpr mysql::Query kBatches{"transfer_batch.of_date", R"sql(
    SELECT batch_id FROM transfer_batch WHERE transfer_date = ? ORDER BY batch_id)sql"};
constexpr mysql::Query kTransfers{"transfer.file_rows", R"sql(
    SELECT t.transfer_id, t.payout_id, t.attempt, t.merchant_id, t.state, t.amount, t.reason,
           p.currency, p.fee, p.tax, p.on_demand
    FROM transfer AS t FORCE INDEX (transfer_batch_rows)
    JOIN payout AS p ON p.payout_id = t.payout_id
    WHERE t.batch_id = ? AND t.transfer_date = ? AND t.transfer_id > ? AND
          t.merchant_id BETWEEN ? AND ?
    ORDER BY t.transfer_id LIMIT ?)sql"};

std::int64_t FirstOf(domain::MerchantId merchant) {
    return merchant.is_none() ? 1 : merchant.value();
}
std::int64_t LastOf(domain::MerchantId merchant) {
    return merchant.is_none() ? std::numeric_limits<std::int64_t>::max() : merchant.value();
}

app::TransferAttempt ReadAttempt(const mysql::Rows& row, std::int64_t batch,
                                 BusinessDate transfer_date) {
    app::TransferAttempt attempt;
    attempt.transfer.id = domain::TransferId(row.Int(0));
    attempt.transfer.payout = domain::PayoutId(row.Int(1));
    attempt.transfer.attempt = static_cast<int>(row.Int(2));
    attempt.transfer.merchant = domain::MerchantId(row.Int(3));
    attempt.transfer.state = static_cast<domain::TransferState>(row.Int(4));
    attempt.transfer.amount = row.Int(5);
    attempt.transfer.reason = row.Text(6);
    attempt.transfer.batch = domain::BatchId(batch);
    attempt.transfer.transfer_date = transfer_date;
    attempt.currency = row.Text(7);
    attempt.fee = row.Int(8);
    attempt.tax = row.Int(9);
    attempt.on_demand = row.Bool(10);
    attempt.position = {batch, row.Int(0)};
    return attempt;
}

}  // namespace

Status MysqlFileRowReader::StreamReleases(
    BusinessDate day, domain::MerchantId merchant, domain::MerchantId after,
    const std::function<bool(const app::ReleasedMerchant&)>& take) {
    std::int64_t from = std::max(after.value(), FirstOf(merchant) - 1);
    std::size_t count = kRowsPerPage;
    while (count == kRowsPerPage) {
        std::vector<app::ReleasedMerchant> page;
        {
            KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
            KESSAI_ASSIGN_OR_RETURN(
                auto rows, session->Select(kReleases, day, from, LastOf(merchant), kRowsPerPage));
            while (rows.Next()) {
                page.push_back({domain::MerchantId(rows.Int(0)), rows.Text(1), rows.Int(2),
                                rows.Int(3), rows.Int(4), rows.Int(5), rows.Int(6)});
            }
        }
        for (const app::ReleasedMerchant& released : page) {
            if (!take(released)) return OkStatus();
            from = released.merchant.value();
        }
        count = page.size();
    }
    return OkStatus();
}

Status MysqlFileRowReader::StreamTransfers(
    BusinessDate transfer_date, domain::MerchantId merchant, app::TransferPosition after,
    const std::function<bool(const app::TransferAttempt&)>& take) {
    // Those that are in no file go last: when none of them will be sent any more, no transfer is
    // met in a file and again outside of it.
    std::vector<std::int64_t> batches;
    {
        KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
        KESSAI_ASSIGN_OR_RETURN(
            auto unsent, session->Select(kUnsent, kNoBatch, transfer_date,
                                         static_cast<int>(domain::TransferState::kInTransit)));
        if (!unsent.empty()) {
            return Status(
                Code::kFailedPrecondition, domain::reason::kTransferNotSent,
                "transfers of " + transfer_date.ToString() + " are in no file for the bank yet");
        }
        KESSAI_ASSIGN_OR_RETURN(auto rows, session->Select(kBatches, transfer_date));
        while (rows.Next()) batches.push_back(rows.Int(0));
    }
    batches.push_back(kNoBatch);
    const auto rank = [](std::int64_t batch) {
        return batch == kNoBatch ? std::numeric_limits<std::int64_t>::max() : batch;
    };
    const bool is_begin = after.batch == kNoBatch && after.transfer == 0;
    for (const std::int64_t batch : batches) {
        if (!is_begin && rank(batch) < rank(after.batch)) continue;
        std::int64_t from = batch == after.batch ? after.transfer : 0;
        std::size_t count = kRowsPerPage;
        while (count == kRowsPerPage) {
            std::vector<app::TransferAttempt> page;
            {
                KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
                KESSAI_ASSIGN_OR_RETURN(
                    auto rows, session->Select(kTransfers, batch, transfer_date, from,
                                               FirstOf(merchant), LastOf(merchant), kRowsPerPage));
                while (rows.Next()) page.push_back(ReadAttempt(rows, batch, transfer_date));
            }
            for (const app::TransferAttempt& attempt : page) {
                if (!take(attempt)) return OkStatus();
                from = attempt.transfer.id.value();
            }
            count = page.size();
        }
    }
    return OkStatus();
}

}  // namespace kessai::payout::storage
