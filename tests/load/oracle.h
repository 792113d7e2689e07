#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "load/journal.h"

namespace kessai::load {

/// What became of a paid payment, as the databases have it: a refund, or its cancellation.
struct StoredReturn {
    /// Change rows that say so, their sum, and when the last of them was made.
    int changes = 0;
    std::int64_t amount = 0;
    std::int64_t at_us = 0;
    /// Payout's accruals of those changes, their sum (negative), and reconciliation's matches.
    int accruals = 0;
    std::int64_t accrued_gross = 0;
    int matches = 0;
};

/// A payment as the databases of a stack have it.
struct StoredPayment {
    std::int64_t payment_id = 0;
    std::string key;
    std::int64_t merchant_id = 0;
    std::int64_t user_id = 0;
    std::int64_t amount = 0;
    /// At some time, whatever became of it.
    bool paid = false;
    std::int64_t created_at_us = 0;
    std::int64_t accepted_at_us = 0;
    /// Change rows that say it was paid, payout's accruals of that change, and its matches.
    int completions = 0;
    int accruals = 0;
    std::int64_t accrued_gross = 0;
    int matches = 0;
    StoredReturn refund;
    StoredReturn cancellation;
};

/// A top-up as the payment service has it.
struct StoredTopUp {
    std::int64_t top_up_id = 0;
    std::string key;
    std::int64_t user_id = 0;
    std::int64_t amount = 0;
    std::int64_t accepted_at_us = 0;
    /// Change rows that say so.
    int changes = 0;
};

/// What of a journal and a stack's record does not go together.
struct Offence {
    /// A name from a fixed set, such as ACKNOWLEDGED_BUT_MISSING.
    std::string kind;
    std::string key;
    std::string what;
};

struct OracleReport {
    std::uint64_t codes_asked_for = 0;
    std::uint64_t codes_acknowledged = 0;
    std::uint64_t payments_asked_for = 0;
    std::uint64_t payments_acknowledged = 0;
    std::uint64_t payments_refused = 0;
    std::uint64_t refunds_acknowledged = 0;
    std::uint64_t cancellations_acknowledged = 0;
    std::uint64_t top_ups_acknowledged = 0;
    /// Of refunds, cancellations and top-ups.
    std::uint64_t others_refused = 0;
    /// Attempts whose fate was not known, and requests that were sent again.
    std::uint64_t unknown_outcomes = 0;
    std::uint64_t retries = 0;
    /// Retries that were answered with what an earlier attempt had done: it was stored before the
    /// retry was sent.
    std::uint64_t retries_that_found_an_outcome = 0;
    /// Payments of our merchants in the database.
    std::uint64_t payments_stored = 0;
    std::map<std::string, std::uint64_t> refusals;
    /// At most kOffencesMax of them are kept; all are counted.
    std::uint64_t offences_total = 0;
    std::vector<Offence> offences;
    static constexpr std::size_t kOffencesMax = 1'000;

    bool clean() const { return offences_total == 0; }
};

/// Judges a stack's record by what a client remembers. The rules, by the kind of their offence:
///
/// - ACKNOWLEDGED_BUT_MISSING: a payment that was acknowledged is not stored as paid.
/// - ACKNOWLEDGED_BUT_OTHER: it is, with another payment id, merchant, user or amount.
/// - PAID_TWICE, CODE_TWICE: a key has two payments, or a payment was completed twice.
/// - REFUSED_BUT_DONE: every answer was a refusal, or said that nothing was done, and it was done.
/// - NEVER_ASKED_FOR: paid, but the client never asked for that; or a code that it never asked for.
/// - NOT_SETTLED: an outcome is unknown, although it was to be asked for again until it is known.
/// - TOLD_DIFFERENTLY: two answers to the same request name different payments.
/// - NOT_ACCRUED, ACCRUED_TWICE, ACCRUED_OTHERWISE, NOT_MATCHED, MATCHED_TWICE: payout or
///   reconciliation have not each change of a payment exactly once, with its amount.
/// - DONE_TWICE, ACKNOWLEDGED_BUT_OTHER and those above are also for refunds, cancellations and
///   top-ups; a payment that was never paid is neither refunded nor given back.
class Oracle {
 public:
    explicit Oracle(const Journal& journal);

    OracleReport Judge(const std::vector<StoredPayment>& stored,
                       const std::vector<StoredTopUp>& top_ups = {}) const;

    /// Keys whose payment was acknowledged, with what was acknowledged.
    struct Acknowledged {
        std::string key;
        std::int64_t merchant_id = 0;
        std::int64_t payment_id = 0;
        std::int64_t amount = 0;
        /// What the partner interface must call it now: a literal such as "COMPLETED".
        const char* status = "";
    };
    std::vector<Acknowledged> AcknowledgedPayments() const;

    /// Requests that were sent and not answered at that moment.
    std::uint64_t InFlightAt(std::int64_t at_us) const;

 private:
    struct Attempt {
        std::int64_t sent_at_us = 0;
        std::int64_t answered_at_us = 0;  // 0: never
        Verdict verdict = Verdict::kUnknown;
        std::string reason;
        std::int64_t payment_id = 0;
    };
    struct Story {
        std::int64_t merchant_id = 0;
        std::int64_t user_id = 0;
        std::int64_t amount = 0;
        std::int64_t refund_amount = 0;
        std::vector<Attempt> creates;
        std::vector<Attempt> pays;
        std::vector<Attempt> refunds;
        std::vector<Attempt> cancels;
        std::vector<Attempt> top_ups;

        std::vector<Attempt>& Of(journal::Operation operation);
    };
    struct Judgement;

    const journal::Run run_;
    std::unordered_map<std::string, Story> stories_;
    /// In the order in which they were asked for.
    std::vector<std::string> keys_;
};

}  // namespace kessai::load
