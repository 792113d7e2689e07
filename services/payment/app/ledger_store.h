#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "domain/ids.h"
#include "domain/working_set.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"

namespace kessai::payment::app {

/// What the gate row of an executor says.
struct Gate {
    BusinessDate business_date;
    /// The database's clock, never below an earlier batch's of this gate.
    Instant now;
};

/// An event on its way to the outbox.
struct StoredEvent {
    std::int64_t object = 0;
    std::string envelope;
    std::string traceparent;
};

/// Keys sorted and without repeats: rows are locked in this order.
struct OrderKeys {
    std::vector<domain::OrderKey> orders;
    std::vector<domain::RefundKey> refunds;
    std::vector<domain::TopUpKey> top_ups;
    std::vector<domain::ReleaseKey> releases;
};

/// One transaction under one gate row. Rolls back when it goes without Commit. Errors are those of
/// libs/mysql: ABORTED, ALREADY_EXISTS DUPLICATE_KEY and UNAVAILABLE (nothing was done, run again),
/// UNKNOWN (Commit only), anything else is permanent.
class LedgerTransaction {
 public:
    virtual ~LedgerTransaction() = default;

    virtual const Gate& gate() const = 0;

    // In this order; rows are locked until the end of the transaction. A batch that finds it must
    // read more goes through them again, and so may deadlock with another: ABORTED.
    virtual Status LoadKeys(const OrderKeys& keys, domain::WorkingSet& rows) = 0;
    virtual Status LoadPayments(std::span<const domain::PaymentId> ids,
                                domain::WorkingSet& rows) = 0;
    virtual Status LoadWallets(std::span<const domain::UserId> users, domain::WorkingSet& rows) = 0;
    /// Not locked.
    virtual Result<std::vector<domain::Merchant>> ReadMerchants(
        std::span<const domain::MerchantId> ids) = 0;

    /// Writes every dirty row and journal, the events under `outbox_row_id`, and the gate's time.
    virtual Status Store(const domain::WorkingSet& rows, std::span<const StoredEvent> events,
                         std::int64_t outbox_row_id) = 0;
    virtual Status Commit() = 0;
};

/// Thread safe.
class LedgerStore {
 public:
    virtual ~LedgerStore() = default;
    /// Opens a transaction and locks gate row `slot` (modulo the number of gate rows).
    virtual Result<std::unique_ptr<LedgerTransaction>> Begin(int slot) = 0;
};

}  // namespace kessai::payment::app
