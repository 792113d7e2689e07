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
};

Oracle::Oracle(const Journal& journal) : run_(journal.run) {
    const auto attempt_of = [](Story& story, journal::Operation operation, int number) -> Attempt& {
        auto& attempts = operation == journal::Operation::kCreate ? story.creates : story.pays;
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
            story.amount = sent->amount;
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

OracleReport Oracle::Judge(const std::vector<StoredPayment>& stored) const {
    Judgement judgement;
    OracleReport& report = judgement.report;
    std::unordered_map<std::string, std::vector<const StoredPayment*>> by_key;
    for (const StoredPayment& payment : stored) {
        by_key[payment.key].push_back(&payment);
        if (payment.paid) ++report.payments_stored;
        if (!stories_.contains(payment.key)) {
            judgement.Accuse("NEVER_ASKED_FOR", payment.key,
                             "payment " + std::to_string(payment.payment_id) +
                                 " of our merchants has a key that we never sent");
        }
    }
    static const std::vector<const StoredPayment*> kNone;
    for (const std::string& key : keys_) {
        const Story& story = stories_.at(key);
        const auto entry = by_key.find(key);
        const auto& rows = entry == by_key.end() ? kNone : entry->second;
        const StoredPayment* row = rows.empty() ? nullptr : rows.front();
        judgement.Count(story.creates);
        judgement.Count(story.pays);

        // The code
        ++report.codes_asked_for;
        const Attempt* created = Judgement::AcknowledgedOf(story.creates);
        if (created != nullptr) ++report.codes_acknowledged;
        if (rows.size() > 1) {
            judgement.Accuse("CODE_TWICE", key, std::to_string(rows.size()) + " payments have it");
        }
        if (created != nullptr && row == nullptr) {
            judgement.Accuse("ACKNOWLEDGED_BUT_MISSING", key, "its code is not stored");
        }
        if (row != nullptr && Judgement::NothingDone(story.creates)) {
            judgement.Accuse("REFUSED_BUT_DONE", key,
                             "every answer said that its code was not made, and it is stored");
        }
        if (Judgement::Unsettled(story.creates)) {
            judgement.Accuse("NOT_SETTLED", key, "nobody told whether its code was made");
        }
        if (row != nullptr) judgement.CountFound(story.creates, row->created_at_us);
        if (row != nullptr &&
            (row->merchant_id != story.merchant_id || row->amount != story.amount)) {
            judgement.Accuse("ACKNOWLEDGED_BUT_OTHER", key,
                             "the code is stored with another merchant or amount");
        }

        // Its payment
        const bool paid = row != nullptr && row->paid;
        if (story.pays.empty()) {
            if (paid) judgement.Accuse("NEVER_ASKED_FOR", key, "nobody asked to pay it");
            continue;
        }
        ++report.payments_asked_for;
        const Attempt* told = Judgement::AcknowledgedOf(story.pays);
        if (told != nullptr) {
            ++report.payments_acknowledged;
            if (!paid) {
                judgement.Accuse("ACKNOWLEDGED_BUT_MISSING", key,
                                 "payment " + std::to_string(told->payment_id) +
                                     " was acknowledged and is not stored as paid");
            } else if (row->payment_id != told->payment_id || row->user_id != story.user_id) {
                judgement.Accuse("ACKNOWLEDGED_BUT_OTHER", key,
                                 "acknowledged as payment " + std::to_string(told->payment_id) +
                                     " of user " + std::to_string(story.user_id) + ", stored as " +
                                     std::to_string(row->payment_id) + " of " +
                                     std::to_string(row->user_id));
            }
            for (const Attempt& attempt : story.pays) {
                if (attempt.verdict == Verdict::kAcknowledged && attempt.answered_at_us != 0 &&
                    attempt.payment_id != told->payment_id) {
                    judgement.Accuse("TOLD_DIFFERENTLY", key,
                                     std::to_string(told->payment_id) + " and " +
                                         std::to_string(attempt.payment_id));
                }
            }
        } else if (Judgement::Unsettled(story.pays)) {
            judgement.Accuse("NOT_SETTLED", key, "nobody told whether it was paid");
        } else if (story.pays.back().verdict == Verdict::kRefused) {
            ++report.payments_refused;
            ++report.refusals[story.pays.back().reason];
        }
        if (paid && Judgement::NothingDone(story.pays)) {
            judgement.Accuse("REFUSED_BUT_DONE", key,
                             "every answer said that it was not paid, and it is");
        }
        if (!paid) continue;
        judgement.CountFound(story.pays, row->accepted_at_us);
        if (row->completions != 1) {
            judgement.Accuse("PAID_TWICE", key,
                             std::to_string(row->completions) + " changes say that it was paid");
        }
        if (row->accruals == 0) judgement.Accuse("NOT_ACCRUED", key, "payout has no accrual");
        if (row->accruals > 1) {
            judgement.Accuse("ACCRUED_TWICE", key, std::to_string(row->accruals) + " accruals");
        }
        if (row->accruals == 1 && row->accrued_gross != row->amount) {
            judgement.Accuse(
                "ACCRUED_OTHERWISE", key,
                std::to_string(row->accrued_gross) + " for " + std::to_string(row->amount));
        }
        if (row->matches == 0) judgement.Accuse("NOT_MATCHED", key, "reconciliation has no match");
        if (row->matches > 1) {
            judgement.Accuse("MATCHED_TWICE", key, std::to_string(row->matches) + " matches");
        }
    }
    return std::move(judgement.report);
}

std::vector<Oracle::Acknowledged> Oracle::AcknowledgedPayments() const {
    std::vector<Acknowledged> found;
    for (const std::string& key : keys_) {
        const Story& story = stories_.at(key);
        if (const Attempt* told = Judgement::AcknowledgedOf(story.pays)) {
            found.push_back({key, story.merchant_id, told->payment_id, story.amount});
        }
    }
    return found;
}

std::uint64_t Oracle::InFlightAt(std::int64_t at_us) const {
    std::uint64_t count = 0;
    for (const auto& [key, story] : stories_) {
        for (const auto* attempts : {&story.creates, &story.pays}) {
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
