#pragma once

#include <concepts>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "app/books.h"
#include "app/match_changes.h"
#include "app/note_holds.h"
#include "app/note_transfers.h"
#include "app/outside_books.h"
#include "app/record_conflicts.h"
#include "domain/claim.h"
#include "domain/outside_record.h"
#include "kessai/inbox/handler.h"
#include "transport/reconciliation_metrics.h"

namespace kessai::reconciliation::transport {

/// Runs work on the books in the transaction that the inbox opened on the session.
using OnBooks =
    std::function<Status(mysql::Session&, const std::function<Status(app::Books&)>& work)>;
/// Puts dead letters into the outbox in that transaction.
using StoreEntries = std::function<Status(mysql::Session&, std::span<const outbox::Entry>)>;

/// The same on the books of accounts outside.
using OnOutsideBooks =
    std::function<Status(mysql::Session&, const std::function<Status(app::OutsideBooks&)>& work)>;

/// What both sides' consumers are given; all referred to must outlive them.
struct ConsumerServices {
    OnBooks on_books;
    StoreEntries store_dead_letters;
    const app::MatchChanges& match;
    const app::NoteHolds& note_holds;
    const app::NoteTransfers& note_transfers;
    const app::RecordConflicts& record_conflicts;
    ReconciliationMetrics& metrics;
    /// Null: nothing is expected outside.
    const domain::OutsideAccounts* outside_accounts = nullptr;
    OnOutsideBooks on_outside = {};
};

/// Hears of one side's changes and of its closed days, of payout's holds, releases and transfers,
/// and of what moves outside. `Claim` is PaymentClaim or PayoutClaim.
template <class Claim>
class ClaimConsumer final : public inbox::Handler {
 public:
    explicit ClaimConsumer(ConsumerServices services) : services_(std::move(services)) {}

    /// Payment's changes are new unless payout's answer was read first: then the row refuses.
    bool RefusesRepeats() const override { return std::same_as<Claim, domain::PaymentClaim>; }
    /// Locks the changes that are known, and keeps them for Apply.
    Status FindEffects(mysql::Session& session, std::span<const inbox::EffectKey> keys,
                       inbox::Effects& effects) override;
    Status Apply(mysql::Session& session, const inbox::Batch& batch,
                 inbox::Rejections& rejections) override;
    /// What was told twice and differently is a discrepancy, beside the dead letter.
    Status OnConflicts(mysql::Session& session,
                       std::span<const inbox::ConflictingEvent> conflicts) override;
    /// Refuses with INVALID_ARGUMENT MARK_INVALID a mark of another service or partition.
    Status ApplyMark(mysql::Session& session, const inbox::Mark& mark) override;
    Status PublishDeadLetters(mysql::Session& session,
                              std::span<const outbox::Entry> entries) override {
        return services_.store_dead_letters(session, entries);
    }
    void OnCommitted(const inbox::Batch& batch) override;
    void OnDropped(std::string_view topic, int partition) override;

 private:
    /// Notes what the events at these places expect outside.
    Status NoteExpected(mysql::Session& session, const inbox::Batch& batch,
                        const std::map<std::size_t, domain::ExpectedItem>& expected,
                        inbox::Rejections& rejections) const;
    Result<app::MatchOutcome> Match(app::Books& books, std::span<const Claim> claims,
                                    const inbox::Batch& batch) const;

    const ConsumerServices services_;
    std::mutex mutex_;
    /// By partition, of a transaction that is not committed yet. One that was rolled back stays
    /// until the next, or until it is dropped.
    std::map<int, app::MatchOutcome> uncommitted_;
};

extern template class ClaimConsumer<domain::PaymentClaim>;
extern template class ClaimConsumer<domain::PayoutClaim>;

using PaymentEventConsumer = ClaimConsumer<domain::PaymentClaim>;
using PayoutEventConsumer = ClaimConsumer<domain::PayoutClaim>;

}  // namespace kessai::reconciliation::transport
