#pragma once

#include <functional>
#include <optional>
#include <span>

#include "app/merchant_records.h"
#include "app/transfer_records.h"
#include "domain/merchant_journal.h"
#include "domain/transfer_event.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::payout::app {

/// A merchant's balances, and what is in force for it.
struct MerchantAccount {
    domain::MerchantFunds funds;
    /// Versions; 0: none, and those of all merchants.
    int bank_account = 0;
    int terms = 0;
    int open_holds = 0;
    /// A hold was open on a due date, and nothing was paid for it since.
    bool missed_due = false;
    /// Something was released to it, or came into force for it, before.
    bool known = false;
};

/// A transaction that holds the ledger's gate: nobody else posts journals or changes what belongs
/// to merchants' payouts while it is open. Releases go on beside it: what they make available is
/// seen as far as it was committed when an account was locked. One thread at a time.
class LedgerTransaction {
 public:
    virtual ~LedgerTransaction() = default;

    virtual Instant at() const = 0;
    /// The day that its journals are of: today in Japan, and never before that of an earlier one.
    virtual BusinessDate book_date() const = 0;
    /// The next number of a payout, transfer, batch, hold or adjustment.
    virtual std::int64_t NextObject() = 0;

    /// Locks the merchants' accounts and reads their balances; those that have none get one.
    /// Precondition: at most some hundred.
    virtual Status Lock(std::span<const domain::MerchantId> merchants) = 0;
    /// Changes to it are stored, but for its funds, which Post changes.
    /// Precondition: locked. The reference lives until the transaction ends.
    virtual MerchantAccount& AccountOf(domain::MerchantId merchant) = 0;
    /// Posts a journal of a merchant whose account is locked. Refuses as domain::Post.
    virtual Status Post(const domain::MerchantJournal& journal) = 0;
    /// The same of a journal of a transfer, as the transfer is after it: others are told of it.
    virtual Status Post(const domain::MerchantJournal& journal,
                        const domain::Transfer& transfer) = 0;
    /// Tells others that transfers are in a file.
    virtual Status TellSent(std::span<const domain::Transfer> transfers) = 0;
    /// Tells others once more what they were told.
    virtual Status TellAgain(std::span<const domain::TransferEvent> events) = 0;

    virtual MerchantRecords& merchants() = 0;
    virtual TransferRecords& transfers() = 0;
};

/// What is known of due dates, and of the days before them.
struct DueDateFacts {
    /// The latest due date whose transfers are all made.
    std::optional<BusinessDate> last_finished_run;
    /// The latest day that was closed.
    std::optional<BusinessDate> last_known_day;
    /// The first closed day that is not released.
    std::optional<BusinessDate> first_unreleased_day;
    /// The latest transfer date whose files the schedule has made.
    std::optional<BusinessDate> last_files;
};

/// The merchants' ledger, in the database. Thread safe.
class LedgerStore {
 public:
    virtual ~LedgerStore() = default;
    /// Runs `work` in such a transaction; again if the database asks for it, so `work` begins from
    /// nothing each time.
    virtual Status InTransaction(const std::function<Status(LedgerTransaction&)>& work) = 0;
    virtual Result<DueDateFacts> FindDueDateFacts() = 0;
    /// The transfers of a batch by number, for its file; bounded memory, and `take` may take long.
    virtual Status StreamBatch(const TransferBatch& batch,
                               const std::function<Status(const BatchLine&)>& take) = 0;
};

}  // namespace kessai::payout::app
