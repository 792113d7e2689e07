#include "app/note_transfers.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "app/discrepancy_changes.h"
#include "kessai/calendar/bank_days.h"

namespace kessai::reconciliation::app {

namespace {

constexpr int kOverduePerTransaction = 200;

/// The overdue ones whose result came.
Status SettleOverdue(Books& books, const std::vector<domain::NotedTransfer>& came,
                     DiscrepancyChanges& changes) {
    std::set<domain::Subject> subjects;
    for (const domain::NotedTransfer& transfer : came) {
        subjects.insert({.business_date = transfer.first.business_date,
                         .kind = domain::DiscrepancyKind::kResultOverdue,
                         .transfer = transfer.id()});
    }
    if (subjects.empty()) return OkStatus();
    const std::vector<domain::Subject> sorted(subjects.begin(), subjects.end());
    KESSAI_ASSIGN_OR_RETURN(const auto known, books.discrepancies.Lock(sorted));
    for (const domain::Discrepancy& discrepancy : known) {
        changes.AddGone(discrepancy, "its result came");
    }
    return OkStatus();
}

}  // namespace

Status NoteTransfers::Apply(Books& books, std::span<const domain::TransferNotice> notices) const {
    if (notices.empty()) return OkStatus();
    KESSAI_RETURN_IF_ERROR(books.payout.InsertTransferSteps(notices));
    std::set<domain::TransferId> ids;
    for (const auto& notice : notices) ids.insert(notice.transfer);
    const std::vector<domain::TransferId> sorted(ids.begin(), ids.end());
    KESSAI_ASSIGN_OR_RETURN(const auto locked, books.payout.LockTransfers(sorted));
    KESSAI_ASSIGN_OR_RETURN(domain::TransferId listening_since, books.payout.FirstTransfer());

    std::map<domain::TransferId, domain::NotedTransfer> known;
    for (const auto& transfer : locked) known.emplace(transfer.id(), transfer);
    std::vector<domain::Finding> findings;
    std::vector<domain::NotedTransfer> results;
    for (const domain::TransferNotice& notice : notices) {
        if (notice.step == domain::TransferStep::kCreated &&
            (listening_since.is_none() || notice.transfer < listening_since)) {
            listening_since = notice.transfer;
        }
        const auto found = known.find(notice.transfer);
        domain::NotedStep taken = domain::TakeNotice(
            notice, found == known.end() ? nullptr : &found->second, listening_since);
        std::ranges::move(taken.findings, std::back_inserter(findings));
        if (taken.result_came) results.push_back(taken.transfer);
        known[notice.transfer] = std::move(taken.transfer);
    }
    std::vector<domain::NotedTransfer> stored;
    for (auto& [id, transfer] : known) stored.push_back(std::move(transfer));
    KESSAI_RETURN_IF_ERROR(books.payout.PutTransfers(stored));
    DiscrepancyChanges changes(clock_.Now());
    KESSAI_RETURN_IF_ERROR(changes.AddFindings(books, findings, nullptr));
    KESSAI_RETURN_IF_ERROR(SettleOverdue(books, results, changes));
    return changes.Store(books);
}

Status NoteTransfers::Apply(Books& books, std::span<const ReleaseNotice> notices) const {
    if (notices.empty()) return OkStatus();
    KESSAI_RETURN_IF_ERROR(books.payout.InsertReleases(notices));
    std::set<BusinessDate> days;
    for (const ReleaseNotice& notice : notices) days.insert(notice.released_date);
    for (const BusinessDate day : days) KESSAI_RETURN_IF_ERROR(books.payout.AskForCheck(day));
    return OkStatus();
}

Status FindOverdueResults::Run() {
    const BusinessDate today = BusinessDate::OfJst(clock_.Now());
    KESSAI_ASSIGN_OR_RETURN(const BusinessDate bank_day, calendar::BankDayAtOrAfter(today));
    // A transfer of a bank day before this one was due on a bank day before today.
    KESSAI_ASSIGN_OR_RETURN(const BusinessDate since, calendar::AddBankDays(bank_day, -bank_days_));
    bool more = true;
    while (more) {
        KESSAI_RETURN_IF_ERROR(transactions_.Run([&](Books& books) -> Status {
            KESSAI_ASSIGN_OR_RETURN(const auto overdue,
                                    books.payout.LockOverdue(since, kOverduePerTransaction));
            more = overdue.size() == static_cast<std::size_t>(kOverduePerTransaction);
            if (overdue.empty()) return OkStatus();
            std::vector<domain::Finding> findings;
            std::vector<domain::TransferId> ids;
            for (const domain::NotedTransfer& transfer : overdue) {
                KESSAI_ASSIGN_OR_RETURN(const BusinessDate due,
                                        calendar::AddBankDays(*transfer.awaited_since, bank_days_));
                findings.push_back(domain::OverdueFinding(transfer, due));
                ids.push_back(transfer.id());
            }
            DiscrepancyChanges changes(clock_.Now());
            KESSAI_RETURN_IF_ERROR(changes.AddFindings(books, findings, nullptr));
            KESSAI_RETURN_IF_ERROR(changes.Store(books));
            return books.payout.MarkOverdue(ids);
        }));
    }
    return OkStatus();
}

}  // namespace kessai::reconciliation::app
