#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "domain/bank_account.h"
#include "domain/file_hash.h"
#include "domain/payout_terms.h"
#include "domain/transfer.h"
#include "domain/transfer_event.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::payout::app {

/// The making of a due date's transfers, and how far it is.
struct TransferRun {
    BusinessDate due_date;
    /// Of the latest transfers.
    BusinessDate transfer_date;
    domain::MerchantId merchants_through;
    std::int64_t transfer_count = 0;
    std::int64_t amount = 0;
    /// Due, but not paid: for a hold, and for too small a balance.
    std::int64_t held_count = 0;
    std::int64_t below_minimum_count = 0;
    Instant started_at;
    bool finished = false;
};

/// The trailer of a Zengin file has twelve digits for the sum.
inline constexpr std::int64_t kBatchAmountMax = 999'999'999'999;

/// A file of transfers.
struct TransferBatch {
    domain::BatchId id;
    BusinessDate transfer_date;
    std::int64_t transfer_count = 0;
    std::int64_t amount = 0;
    /// SHA-256 of the file, once it was made.
    std::optional<domain::FileHash> file_hash;
    std::string created_by;
};

/// A transfer and where it goes.
struct BatchLine {
    domain::TransferId transfer;
    std::int64_t amount = 0;
    domain::BankAccount account;
};

/// What a result file did.
struct ImportedResults {
    struct Sums {
        std::int64_t count = 0;
        std::int64_t amount = 0;
        bool operator==(const Sums&) const = default;
    };
    domain::FileHash file_hash{};
    std::string format;
    Sums settled;
    Sums failed;
    Sums returned;
    /// Lines that said again what was known; not in the sums above.
    std::int64_t repeated_count = 0;
    std::string imported_by;

    bool operator==(const ImportedResults&) const = default;
};

/// A merchant that can be paid, and by which terms.
struct PayableMerchant {
    domain::MerchantId merchant;
    domain::PayoutTerms terms;
    /// See MerchantAccount.
    bool missed_due = false;
};

/// Payouts, transfers and files, within a LedgerTransaction.
class TransferRecords {
 public:
    virtual ~TransferRecords() = default;

    virtual Result<std::optional<TransferRun>> FindRun(BusinessDate due_date) = 0;
    virtual Status Put(const TransferRun& run) = 0;
    /// Merchants above `after` with a bank account in force, rising, at most `limit`.
    virtual Result<std::vector<PayableMerchant>> PayableMerchants(domain::MerchantId after,
                                                                  int limit) = 0;

    virtual Result<std::optional<domain::Payout>> FindPayout(domain::PayoutId payout) = 0;
    virtual Result<std::optional<domain::Payout>> FindPayout(domain::MerchantId merchant,
                                                             std::string_view request_key) = 0;
    virtual Status Insert(std::span<const domain::Payout> payouts) = 0;

    /// By attempt.
    virtual Result<std::vector<domain::Transfer>> TransfersOf(domain::PayoutId payout) = 0;
    virtual Result<std::map<domain::TransferId, domain::Transfer>> FindTransfers(
        std::span<const domain::TransferId> transfers) = 0;
    /// What others were told of them, made again from the rows; not of those of a version that told
    /// nobody. In no particular order.
    virtual Result<std::vector<domain::TransferEvent>> EventsOf(
        std::span<const domain::TransferId> transfers) = 0;
    virtual Status Insert(std::span<const domain::Transfer> transfers) = 0;
    /// Stores state and reason.
    virtual Status Update(std::span<const domain::Transfer> transfers) = 0;
    /// Stores state and reason of one, and who cancelled it.
    virtual Status SetCancelled(const domain::Transfer& transfer) = 0;

    /// Puts at most `limit` transfers that are in no batch, of the date or an earlier one and of
    /// merchants without an open hold, into this one, by number, as long as they sum to
    /// kBatchAmountMax at most. They are of the date then; gives them.
    virtual Result<std::vector<domain::Transfer>> FillBatch(domain::BatchId batch,
                                                            BusinessDate transfer_date,
                                                            int limit) = 0;
    virtual Status Insert(const TransferBatch& batch) = 0;
    virtual Result<std::optional<TransferBatch>> FindBatch(domain::BatchId batch) = 0;
    virtual Result<std::vector<TransferBatch>> Batches(BusinessDate transfer_date) = 0;
    /// Notes that the schedule has made a date's files.
    virtual Status SetFilesMade(BusinessDate transfer_date) = 0;
    virtual Status SetFileHash(domain::BatchId batch, const domain::FileHash& hash) = 0;

    virtual Result<std::optional<ImportedResults>> FindResults(
        const domain::FileHash& file_hash) = 0;
    virtual Status Insert(const ImportedResults& results) = 0;
};

}  // namespace kessai::payout::app
