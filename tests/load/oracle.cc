#include "load/oracle.h"

#include <algorithm>

namespace kessai::load {

struct Oracle::Judgement {
    OracleReport report;

    void Accuse(const char* kind, const std::string& key, std::string what) {
        ++report.offences_total;
        if (report.offences.size() < OracleReport::kOffencesMax) {
            report.offences.push_back({kind, key, std::move(what)});
        }
    }

    /// Whether nothing of it may have been done: every attempt was refused, or said so.
    static bool NothingDone(const std::vector<Attempt>& attempts) {
        return std::all_of(attempts.begin(), attempts.end(), [](const Attempt& attempt) {
            return attempt.answered_at_us != 0 &&
                   (attempt.verdict == Verdict::kRefused || attempt.verdict == Verdict::kNotDone);
        });
    }
    static const Attempt* AcknowledgedOf(const std::vector<Attempt>& attempts) {
        for (const Attempt& attempt : attempts) {
            if (attempt.answered_at_us != 0 && attempt.verdict == Verdict::kAcknowledged) {
                return &attempt;
            }
        }
        return nullptr;
    }
    /// An attempt left it open, and none after it closed it.
    static bool Unsettled(const std::vector<Attempt>& attempts) {
        bool open = false;
        for (const Attempt& attempt : attempts) {
            if (attempt.answered_at_us == 0 || attempt.verdict == Verdict::kUnknown) {
                open = true;
            } else if (attempt.verdict != Verdict::kNotDone) {
                open = false;
            }
        }
        return open;
    }

    void Count(const std::vector<Attempt>& attempts) {
        for (const Attempt& attempt : attempts) {
            if (attempt.answered_at_us == 0 || attempt.verdict == Verdict::kUnknown) {
                ++report.unknown_outcomes;
            }
        }
        if (!attempts.empty()) report.retries += attempts.size() - 1;
    }
    /// `done_at_us`: when the database says it was done.
    void CountFound(const std::vector<Attempt>& attempts, std::int64_t done_at_us) {
        const Attempt* told = AcknowledgedOf(attempts);
        if (told != nullptr && told != &attempts.front() && done_at_us != 0 &&
            done_at_us < told->sent_at_us) {
            ++report.retries_that_found_an_outcome;
        }
    }

    void JudgeCode(const std::string& key, const Story& story,
                   const std::vector<const StoredPayment*>& rows);
    void JudgePayment(const std::string& key, const Story& story, const StoredPayment* row);
    /// One of `what` was asked for, or none; `done` says what is stored of it.
    void JudgeFollowing(const char* what, const std::string& key,
                        const std::vector<Attempt>& attempts, bool done, std::int64_t done_at_us,
                        std::uint64_t& acknowledged);
    void JudgeReturn(const char* what, const std::string& key, const std::vector<Attempt>& attempts,
                     std::int64_t amount, const StoredPayment* row, const StoredReturn& stored,
                     std::uint64_t& acknowledged);
    void JudgeTopUp(const std::string& key, const Story& story, const StoredTopUp* row);
    /// Payout and reconciliation have a change once, and with this gross.
    void JudgeArrival(const std::string& key, int accruals, std::int64_t accrued_gross, int matches,
                      std::int64_t gross);
};

std::vector<Oracle::Attempt>& Oracle::Story::Of(journal::Operation operation) {
    switch (operation) {
        case journal::Operation::kCreate:
            return creates;
        case journal::Operation::kPay:
            return pays;
        case journal::Operation::kRefund:
            return refunds;
        case journal::Operation::kCancel:
            return cancels;
        case journal::Operation::kTopUp:
            return top_ups;
    }
    return creates;
}

Oracle::Oracle(const Journal& journal) : run_(journal.run) {
    const auto attempt_of = [](Story& story, journal::Operation operation, int number) -> Attempt& {
        auto& attempts = story.Of(operation);
        const auto wanted = static_cast<std::size_t>(std::max(number, 1));
        if (attempts.size() < wanted) attempts.resize(wanted);
        return attempts[wanted - 1];
    };
    for (const journal::Record& record : journal.records) {
        if (const auto* sent = std::get_if<journal::Sent>(&record)) {
            auto [entry, fresh] = stories_.try_emplace(sent->key);
            Story& story = entry->second;
            if (fresh) keys_.push_back(sent->key);
            story.merchant_id = sent->merchant_id;
            story.user_id = sent->user_id;
            if (sent->operation == journal::Operation::kRefund) {
                story.refund_amount = sent->amount;
            } else {
                story.amount = sent->amount;
            }
            attempt_of(story, sent->operation, sent->attempt).sent_at_us = sent->at_us;
        } else {
            const auto& answered = std::get<journal::Answered>(record);
            Attempt& attempt =
                attempt_of(stories_[answered.key], answered.operation, answered.attempt);
            attempt.answered_at_us = answered.at_us;
            attempt.verdict = answered.verdict;
            attempt.reason = answered.reason;
            attempt.payment_id = answered.payment_id;
        }
    }
}

OracleReport Oracle::Judge(const std::vector<StoredPayment>& stored,
                           const std::vector<StoredTopUp>& top_ups) const {
    Judgement judgement;
    OracleReport& report = judgement.report;
    const auto require_asked = [&](const std::string& key, const char* what, std::int64_t id) {
        if (stories_.contains(key)) return;
        judgement.Accuse(
            "NEVER_ASKED_FOR", key,
            std::string(what) + " " + std::to_string(id) + " of ours has a key that we never sent");
    };
    std::unordered_map<std::string, std::vector<const StoredPayment*>> by_key;
    for (const StoredPayment& payment : stored) {
        by_key[payment.key].push_back(&payment);
        if (payment.paid) ++report.payments_stored;
        require_asked(payment.key, "payment", payment.payment_id);
    }
    std::unordered_map<std::string, const StoredTopUp*> top_up_by_key;
    for (const StoredTopUp& top_up : top_ups) {
        require_asked(top_up.key, "top-up", top_up.top_up_id);
        if (!top_up_by_key.emplace(top_up.key, &top_up).second) {
            judgement.Accuse("DONE_TWICE", top_up.key, "two top-ups have the key");
        }
    }
    static const std::vector<const StoredPayment*> kNone;
    for (const std::string& key : keys_) {
        const Story& story = stories_.at(key);
        if (!story.top_ups.empty()) {
            const auto found = top_up_by_key.find(key);
            judgement.JudgeTopUp(key, story,
                                 found == top_up_by_key.end() ? nullptr : found->second);
            continue;
        }
        const auto entry = by_key.find(key);
        const auto& rows = entry == by_key.end() ? kNone : entry->second;
        const StoredPayment* row = rows.empty() ? nullptr : rows.front();
        judgement.JudgeCode(key, story, rows);
        judgement.JudgePayment(key, story, row);
        static const StoredReturn kNothing;
        judgement.JudgeReturn("refund", key, story.refunds, story.refund_amount, row,
                              row == nullptr ? kNothing : row->refund, report.refunds_acknowledged);
        judgement.JudgeReturn("cancellation", key, story.cancels, story.amount, row,
                              row == nullptr ? kNothing : row->cancellation,
                              report.cancellations_acknowledged);
    }
    return std::move(judgement.report);
}

void Oracle::Judgement::JudgeCode(const std::string& key, const Story& story,
                                  const std::vector<const StoredPayment*>& rows) {
    const StoredPayment* row = rows.empty() ? nullptr : rows.front();
    Count(story.creates);
    ++report.codes_asked_for;
    const Attempt* created = AcknowledgedOf(story.creates);
    if (created != nullptr) ++report.codes_acknowledged;
    if (rows.size() > 1) {
        Accuse("CODE_TWICE", key, std::to_string(rows.size()) + " payments have it");
    }
    if (created != nullptr && row == nullptr) {
        Accuse("ACKNOWLEDGED_BUT_MISSING", key, "its code is not stored");
    }
    if (row != nullptr && NothingDone(story.creates)) {
        Accuse("REFUSED_BUT_DONE", key,
               "every answer said that its code was not made, and it is stored");
    }
    if (Unsettled(story.creates)) {
        Accuse("NOT_SETTLED", key, "nobody told whether its code was made");
    }
    if (row != nullptr) CountFound(story.creates, row->created_at_us);
    if (row != nullptr && (row->merchant_id != story.merchant_id || row->amount != story.amount)) {
        Accuse("ACKNOWLEDGED_BUT_OTHER", key, "the code is stored with another merchant or amount");
    }
}

void Oracle::Judgement::JudgePayment(const std::string& key, const Story& story,
                                     const StoredPayment* row) {
    const bool paid = row != nullptr && row->paid;
    if (story.pays.empty()) {
        if (paid) Accuse("NEVER_ASKED_FOR", key, "nobody asked to pay it");
        return;
    }
    Count(story.pays);
    ++report.payments_asked_for;
    const Attempt* told = AcknowledgedOf(story.pays);
    if (told != nullptr) {
        ++report.payments_acknowledged;
        if (!paid) {
            Accuse("ACKNOWLEDGED_BUT_MISSING", key,
                   "payment " + std::to_string(told->payment_id) +
                       " was acknowledged and is not stored as paid");
        } else if (row->payment_id != told->payment_id || row->user_id != story.user_id) {
            Accuse("ACKNOWLEDGED_BUT_OTHER", key,
                   "acknowledged as payment " + std::to_string(told->payment_id) + " of user " +
                       std::to_string(story.user_id) + ", stored as " +
                       std::to_string(row->payment_id) + " of " + std::to_string(row->user_id));
        }
        for (const Attempt& attempt : story.pays) {
            if (attempt.verdict == Verdict::kAcknowledged && attempt.answered_at_us != 0 &&
                attempt.payment_id != told->payment_id) {
                Accuse("TOLD_DIFFERENTLY", key,
                       std::to_string(told->payment_id) + " and " +
                           std::to_string(attempt.payment_id));
            }
        }
    } else if (Unsettled(story.pays)) {
        Accuse("NOT_SETTLED", key, "nobody told whether it was paid");
    } else if (story.pays.back().verdict == Verdict::kRefused) {
        ++report.payments_refused;
        ++report.refusals[story.pays.back().reason];
    }
    if (paid && NothingDone(story.pays)) {
        Accuse("REFUSED_BUT_DONE", key, "every answer said that it was not paid, and it is");
    }
    if (!paid) return;
    CountFound(story.pays, row->accepted_at_us);
    if (row->completions != 1) {
        Accuse("PAID_TWICE", key,
               std::to_string(row->completions) + " changes say that it was paid");
    }
    JudgeArrival(key, row->accruals, row->accrued_gross, row->matches, row->amount);
}

void Oracle::Judgement::JudgeFollowing(const char* what, const std::string& key,
                                       const std::vector<Attempt>& attempts, bool done,
                                       std::int64_t done_at_us, std::uint64_t& acknowledged) {
    const std::string it = std::string("its ") + what;
    if (attempts.empty()) {
        if (done) Accuse("NEVER_ASKED_FOR", key, it + " is stored, and nobody asked for it");
        return;
    }
    Count(attempts);
    if (AcknowledgedOf(attempts) != nullptr) {
        ++acknowledged;
        if (!done) {
            Accuse("ACKNOWLEDGED_BUT_MISSING", key, it + " was acknowledged and is not stored");
        }
    } else if (Unsettled(attempts)) {
        Accuse("NOT_SETTLED", key, "nobody told whether " + it + " was done");
    } else if (attempts.back().verdict == Verdict::kRefused) {
        ++report.others_refused;
        ++report.refusals[attempts.back().reason];
    }
    if (!done) return;
    if (NothingDone(attempts)) {
        Accuse("REFUSED_BUT_DONE", key,
               "every answer said that " + it + " was not done, and it is");
    }
    CountFound(attempts, done_at_us);
}

void Oracle::Judgement::JudgeReturn(const char* what, const std::string& key,
                                    const std::vector<Attempt>& attempts, std::int64_t amount,
                                    const StoredPayment* row, const StoredReturn& stored,
                                    std::uint64_t& acknowledged) {
    const bool done = stored.changes > 0;
    JudgeFollowing(what, key, attempts, done, stored.at_us, acknowledged);
    const Attempt* told = AcknowledgedOf(attempts);
    // A cancellation is told without the payment's id.
    if (told != nullptr && told->payment_id != 0 && row != nullptr &&
        told->payment_id != row->payment_id) {
        Accuse("ACKNOWLEDGED_BUT_OTHER", key,
               std::string(what) + " of payment " + std::to_string(told->payment_id));
    }
    if (!done) return;
    if (stored.changes > 1) {
        Accuse("DONE_TWICE", key,
               std::to_string(stored.changes) + " changes say that there was a " + what);
    } else if (!attempts.empty() && stored.amount != amount) {
        Accuse("ACKNOWLEDGED_BUT_OTHER", key,
               std::string("the ") + what + " is stored with " + std::to_string(stored.amount) +
                   " for " + std::to_string(amount));
    }
    JudgeArrival(key, stored.accruals, stored.accrued_gross, stored.matches, -stored.amount);
}

void Oracle::Judgement::JudgeTopUp(const std::string& key, const Story& story,
                                   const StoredTopUp* row) {
    JudgeFollowing("top-up", key, story.top_ups, row != nullptr,
                   row == nullptr ? 0 : row->accepted_at_us, report.top_ups_acknowledged);
    if (row == nullptr) return;
    const Attempt* told = AcknowledgedOf(story.top_ups);
    if (row->user_id != story.user_id || row->amount != story.amount ||
        (told != nullptr && told->payment_id != row->top_up_id)) {
        Accuse("ACKNOWLEDGED_BUT_OTHER", key, "the top-up is stored with another user or amount");
    }
    if (row->changes != 1) {
        Accuse("DONE_TWICE", key, std::to_string(row->changes) + " changes say that it was done");
    }
}

void Oracle::Judgement::JudgeArrival(const std::string& key, int accruals,
                                     std::int64_t accrued_gross, int matches, std::int64_t gross) {
    if (accruals == 0) Accuse("NOT_ACCRUED", key, "payout has no accrual");
    if (accruals > 1) Accuse("ACCRUED_TWICE", key, std::to_string(accruals) + " accruals");
    if (accruals == 1 && accrued_gross != gross) {
        Accuse("ACCRUED_OTHERWISE", key,
               std::to_string(accrued_gross) + " for " + std::to_string(gross));
    }
    if (matches == 0) Accuse("NOT_MATCHED", key, "reconciliation has no match");
    if (matches > 1) Accuse("MATCHED_TWICE", key, std::to_string(matches) + " matches");
}

std::vector<Oracle::Acknowledged> Oracle::AcknowledgedPayments() const {
    std::vector<Acknowledged> found;
    for (const std::string& key : keys_) {
        const Story& story = stories_.at(key);
        const Attempt* told = Judgement::AcknowledgedOf(story.pays);
        if (told == nullptr) continue;
        const char* status = "COMPLETED";
        if (Judgement::AcknowledgedOf(story.refunds) != nullptr) status = "REFUNDED";
        if (Judgement::AcknowledgedOf(story.cancels) != nullptr) status = "FAILED";
        found.push_back({key, story.merchant_id, told->payment_id, story.amount, status});
    }
    return found;
}

std::uint64_t Oracle::InFlightAt(std::int64_t at_us) const {
    std::uint64_t count = 0;
    for (const auto& [key, story] : stories_) {
        for (const auto* attempts :
             {&story.creates, &story.pays, &story.refunds, &story.cancels, &story.top_ups}) {
            for (const Attempt& attempt : *attempts) {
                if (attempt.sent_at_us <= at_us && attempt.sent_at_us != 0 &&
                    (attempt.answered_at_us == 0 || attempt.answered_at_us > at_us)) {
                    ++count;
                }
            }
        }
    }
    return count;
}

}  // namespace kessai::load
