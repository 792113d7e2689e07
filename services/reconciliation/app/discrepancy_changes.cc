#include "app/discrepancy_changes.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

namespace kessai::reconciliation::app {

namespace {

domain::Discrepancy NewDiscrepancy(const domain::Finding& finding, Instant now) {
    return {.finding = finding, .latest = domain::FirstStep(finding, now), .found_at = now};
}

/// Takes what `finding` says, and keeps what only the older one knew.
void TakeEvidence(domain::Finding& known, const domain::Finding& finding) {
    const domain::Finding older = std::exchange(known, finding);
    if (!known.payment_gross) known.payment_gross = older.payment_gross;
    if (!known.payout_gross) known.payout_gross = older.payout_gross;
}

}  // namespace

Status DiscrepancyChanges::AddFindings(Books& books, std::span<const domain::Finding> findings,
                                       const domain::DayRun* run) {
    if (findings.empty()) return OkStatus();
    // The same subject is found at most once in what is stored together; the first one counts.
    std::map<domain::Subject, const domain::Finding*> by_subject;
    for (const domain::Finding& finding : findings) by_subject.emplace(finding.subject, &finding);
    std::vector<domain::Subject> subjects;
    for (const auto& [subject, finding] : by_subject) subjects.push_back(subject);

    KESSAI_ASSIGN_OR_RETURN(const auto known, books.discrepancies.Lock(subjects));
    std::map<domain::Subject, const domain::Discrepancy*> known_by_subject;
    for (const auto& discrepancy : known) {
        known_by_subject.emplace(discrepancy.finding.subject, &discrepancy);
    }

    for (const auto& [subject, finding] : by_subject) {
        DiscrepancyChange change;
        const auto found = known_by_subject.find(subject);
        if (found == known_by_subject.end()) {
            change.discrepancy = NewDiscrepancy(*finding, now_);
            change.step = change.discrepancy.latest;
        } else {
            change.discrepancy = *found->second;
            change.step = domain::FoundAgain(*found->second, *finding, now_);
            if (change.step) {
                TakeEvidence(change.discrepancy.finding, *finding);
                change.discrepancy.latest = *change.step;
            }
        }
        if (run != nullptr && run->business_date == subject.business_date) {
            change.discrepancy.found_by_run = run->number;
            change.discrepancy.found_by_deep_run = run->deep || domain::NeedsDeepRun(subject.kind);
        }
        changes_.push_back(std::move(change));
    }
    return OkStatus();
}

void DiscrepancyChanges::AddGone(const domain::Discrepancy& discrepancy, std::string_view why) {
    DiscrepancyChange change{discrepancy, domain::Gone(discrepancy, why, now_)};
    if (!change.step) return;
    change.discrepancy.latest = *change.step;
    changes_.push_back(std::move(change));
}

Status DiscrepancyChanges::Store(Books& books) const {
    if (changes_.empty()) return OkStatus();
    return books.discrepancies.Store(changes_);
}

}  // namespace kessai::reconciliation::app
