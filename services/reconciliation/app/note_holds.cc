#include "app/note_holds.h"

#include <map>
#include <string>
#include <vector>

#include "app/discrepancy_changes.h"

namespace kessai::reconciliation::app {
namespace {

domain::Subject SubjectOf(const domain::HoldNotice& notice) {
    return {.business_date = notice.business_date,
            .kind = domain::DiscrepancyKind::kMerchantHeldBack,
            .held_merchant = notice.merchant};
}

domain::Finding FindingOf(const domain::HoldNotice& notice) {
    return {.subject = SubjectOf(notice),
            .merchant = notice.merchant,
            .currency = notice.currency,
            .payout_gross = notice.recounted_gross,
            .evidence = notice.evidence};
}

}  // namespace

// What a batch says of a hold several times is noted one after the other, so that its history has
// all.
Status NoteHolds::Apply(Books& books, std::span<const domain::HoldNotice> notices) const {
    if (notices.empty()) return OkStatus();
    KESSAI_RETURN_IF_ERROR(books.holds.Insert(notices));
    std::map<std::int64_t, std::size_t> times;
    std::vector<std::vector<domain::HoldNotice>> turns;
    for (const domain::HoldNotice& notice : notices) {
        const std::size_t turn = times[notice.key.object]++;
        if (turn == turns.size()) turns.emplace_back();
        turns[turn].push_back(notice);
    }
    for (const auto& turn : turns) KESSAI_RETURN_IF_ERROR(ApplyEachOnce(books, turn));
    return OkStatus();
}

Status NoteHolds::ApplyEachOnce(Books& books, std::span<const domain::HoldNotice> notices) const {
    std::vector<domain::Finding> held;
    std::map<domain::Subject, std::string> released;
    for (const domain::HoldNotice& notice : notices) {
        if (notice.released) {
            released[SubjectOf(notice)] =
                "payout released the merchant in round " + std::to_string(notice.round);
        } else {
            held.push_back(FindingOf(notice));
        }
    }
    DiscrepancyChanges changes(clock_.Now());
    KESSAI_RETURN_IF_ERROR(changes.AddFindings(books, held, nullptr));
    std::vector<domain::Subject> subjects;
    for (const auto& [subject, why] : released) subjects.push_back(subject);
    if (!subjects.empty()) {
        KESSAI_ASSIGN_OR_RETURN(const auto known, books.discrepancies.Lock(subjects));
        for (const domain::Discrepancy& discrepancy : known) {
            changes.AddGone(discrepancy, released.at(discrepancy.finding.subject));
        }
    }
    return changes.Store(books);
}

}  // namespace kessai::reconciliation::app
