#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>

#include "model/values.h"
#include "model/wide.h"

// Rows of the payout schema that move merchants' money after its release, as they are stored:
// nothing here is known to be valid.
namespace kessai::audit {

enum MerchantJournalKind : int {
    kTransferCreated = 1,
    kTransferSettled = 2,
    kTransferFailed = 3,
    kTransferReturned = 4,
    kAdjusted = 5,
    kTransferCancelled = 8,
};

enum TransferState : int {
    kInTransit = 1,
    kSettled = 2,
    kFailed = 3,
    kReturned = 4,
    kCancelled = 5
};

enum AdjustmentState : int { kRequested = 1, kApproved = 2, kDeclined = 3 };

/// One row of `merchant_journal`.
struct MerchantJournalRow {
    std::int64_t journal_id = 0;
    DayNumber business_date = 0;
    std::int64_t merchant_id = 0;
    int kind = 0;
    std::int64_t object_id = 0;
    CurrencyCode currency;
    std::int64_t amount = 0;
    std::int64_t fee = 0;
    std::int64_t tax = 0;
    std::int64_t recorded_at_us = 0;
    /// What was released to the merchant before it; a version that did not note it told nobody of
    /// transfers.
    std::optional<std::int64_t> released;
};

/// Who put a version of a bank account, and who confirmed it.
struct AccountOperators {
    bool account_is_there = false;
    std::string put_by;
    std::string confirmed_by;
};

/// One row of `transfer`, with its payout's, its file's and its account's beside it.
struct TransferRow {
    std::int64_t transfer_id = 0;
    std::int64_t payout_id = 0;
    int attempt = 0;
    std::int64_t merchant_id = 0;
    std::int64_t amount = 0;
    int state = 0;
    bool payout_is_there = false;
    std::int64_t payout_merchant_id = 0;
    std::int64_t payout_amount = 0;
    std::int64_t payout_fee = 0;
    std::int64_t payout_tax = 0;
    int bank_account = 0;
    std::string reason;
    std::int64_t batch_id = 0;
    bool batch_is_there = false;
    DayNumber batch_date = 0;
    std::int64_t batch_created_at_us = 0;
    AccountOperators account;
};

/// One row of `transfer_batch`: a file.
struct TransferBatchRow {
    std::int64_t batch_id = 0;
    std::int64_t transfer_count = 0;
    std::int64_t amount = 0;
};

/// One row of `payout_hold` that is open.
struct OpenHoldRow {
    std::int64_t merchant_id = 0;
    std::int64_t hold_id = 0;
};

/// The day of a row of `merchant_journal`.
struct JournalDayRow {
    std::int64_t journal_id = 0;
    DayNumber business_date = 0;
};

/// One row of `adjustment`.
struct AdjustmentRow {
    std::int64_t adjustment_id = 0;
    std::int64_t merchant_id = 0;
    std::int64_t amount = 0;
    int state = 0;
    std::string requested_by;
    std::string decided_by;
};

/// One row of `merchant_account`, with the bank account in force beside it.
struct MerchantAccountRow {
    std::int64_t merchant_id = 0;
    std::int64_t moved_available = 0;
    std::int64_t in_transit = 0;
    /// Its version; 0: none.
    int bank_account = 0;
    std::int64_t open_holds = 0;
    AccountOperators account;
};

/// What bank results sum to, of one outcome.
struct ResultSums {
    std::int64_t count = 0;
    Wide amount = 0;
    bool operator==(const ResultSums&) const = default;
};

/// By outcome, of files from the bank or of journals.
struct ResultsByOutcome {
    ResultSums settled;
    ResultSums failed;
    ResultSums returned;
};

/// What a merchant's journals sum to.
struct MerchantMoved {
    std::int64_t merchant_id = 0;
    Wide available = 0;
    Wide in_transit = 0;

    auto place() const { return merchant_id; }
    bool operator<(const MerchantMoved& other) const { return place() < other.place(); }
    void Merge(const MerchantMoved& other) {
        available += other.available;
        in_transit += other.in_transit;
    }
};

/// What a journal made of its merchant's available money, to be followed in the order of journals.
struct MerchantStep {
    std::int64_t merchant_id = 0;
    std::int64_t journal_id = 0;
    int kind = 0;
    /// Of a transfer that was made, where it was noted.
    bool released_is_noted = false;
    std::int64_t released = 0;
    Wide available = 0;

    auto place() const { return std::tuple(merchant_id, journal_id); }
    bool operator<(const MerchantStep& other) const { return place() < other.place(); }
};

/// What the transfers of a file sum to.
struct BatchSums {
    std::int64_t batch_id = 0;
    std::int64_t count = 0;
    Wide amount = 0;

    auto place() const { return batch_id; }
    bool operator<(const BatchSums& other) const { return place() < other.place(); }
    void Merge(const BatchSums& other) {
        count += other.count;
        amount += other.amount;
    }
};

}  // namespace kessai::audit
