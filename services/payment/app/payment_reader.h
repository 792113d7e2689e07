#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "domain/ledger.h"
#include "domain/payment.h"
#include "domain/working_set.h"
#include "kessai/result/result.h"

namespace kessai::payment::app {

/// One change of a user's money, for the user.
struct HistoryEntry {
    domain::Change change;
    /// Signed: what the wallet gained; and its balance then.
    Money amount;
    Money balance_after;
};

/// Questions, answered from what is committed. Thread safe. Errors beside the named ones are those
/// of the database: UNAVAILABLE, RESOURCE_EXHAUSTED.
class PaymentReader {
 public:
    virtual ~PaymentReader() = default;

    /// NOT_FOUND PAYMENT_UNKNOWN.
    virtual Result<domain::Payment> PaymentById(domain::PaymentId id) = 0;
    /// NOT_FOUND PAYMENT_UNKNOWN, for a tombstone too.
    virtual Result<domain::Payment> PaymentByOrder(const domain::OrderKey& key) = 0;
    /// Oldest first.
    virtual Result<std::vector<domain::Refund>> RefundsOf(domain::PaymentId id) = 0;
    /// key.payment may be none: the newest of that merchantRefundId. NOT_FOUND REFUND_UNKNOWN.
    virtual Result<domain::Refund> RefundByKey(const domain::RefundKey& key) = 0;
    /// NOT_FOUND WALLET_UNKNOWN.
    virtual Result<domain::Wallet> WalletOf(domain::UserId user) = 0;
    /// Newest first, below `before` (none: from the newest), at most `limit`.
    virtual Result<std::vector<HistoryEntry>> HistoryOf(domain::UserId user, domain::EventId before,
                                                        int limit) = 0;
    /// Those of `ids` that exist.
    virtual Result<std::vector<domain::Merchant>> Merchants(
        const std::vector<domain::MerchantId>& ids) = 0;
    virtual Status PutMerchant(const domain::Merchant& merchant) = 0;
    /// The changes of `keys` (object, version) that exist.
    virtual Result<std::vector<domain::Change>> Changes(
        const std::vector<std::pair<std::int64_t, std::uint32_t>>& keys) = 0;
    /// Why the records around a payment's change do not show that it happened, for people: its
    /// payment is not there or has not come so far, or its postings are not of it. Empty: they show
    /// it.
    virtual Result<std::string> DoubtOf(const domain::Change& change) = 0;
};

}  // namespace kessai::payment::app
