#include "app/enquiries.h"

#include <string>
#include <utility>

namespace kessai::reconciliation::app {

namespace {

Result<std::vector<DiscrepancyRecord>> WithHistory(Books& books,
                                                   std::vector<domain::Discrepancy> found) {
    std::vector<domain::DiscrepancyId> ids;
    for (const auto& discrepancy : found) ids.push_back(discrepancy.id);
    KESSAI_ASSIGN_OR_RETURN(auto steps, books.discrepancies.Steps(ids));
    std::vector<DiscrepancyRecord> records;
    for (auto& discrepancy : found) {
        const auto id = discrepancy.id;
        records.push_back({std::move(discrepancy), std::move(steps[id])});
    }
    return records;
}

}  // namespace

Result<domain::Match> Enquiries::FindMatch(domain::ChangeKey key) {
    std::vector<domain::Match> found;
    KESSAI_RETURN_IF_ERROR(transactions_.Run([&](Books& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(found, books.matches.Find({&key, 1}));
        return OkStatus();
    }));
    if (found.empty()) {
        return Status(Code::kNotFound, "MATCH_UNKNOWN",
                      "no event of change " + key.payment.ToString() + "/" +
                          std::to_string(key.version) + " has come");
    }
    return found.front();
}

Result<DiscrepancyRecord> Enquiries::FindDiscrepancy(domain::DiscrepancyId id) {
    std::vector<DiscrepancyRecord> records;
    KESSAI_RETURN_IF_ERROR(transactions_.Run([&](Books& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(auto found, books.discrepancies.Find(id));
        KESSAI_ASSIGN_OR_RETURN(records, WithHistory(books, {std::move(found)}));
        return OkStatus();
    }));
    return std::move(records.front());
}

Result<std::vector<DiscrepancyRecord>> Enquiries::ListDiscrepancies(
    const DiscrepancyFilter& filter) {
    std::vector<DiscrepancyRecord> records;
    KESSAI_RETURN_IF_ERROR(transactions_.Run([&](Books& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(auto found, books.discrepancies.List(filter));
        if (found.empty()) {
            records.clear();
            return OkStatus();
        }
        KESSAI_ASSIGN_OR_RETURN(records, WithHistory(books, std::move(found)));
        return OkStatus();
    }));
    return records;
}

Result<std::vector<domain::Repair>> Enquiries::ListRepairs(const RepairFilter& filter) {
    std::vector<domain::Repair> repairs;
    KESSAI_RETURN_IF_ERROR(transactions_.Run([&](Books& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(repairs, books.repairs.ListRepairs(filter));
        return OkStatus();
    }));
    return repairs;
}

Result<std::vector<UnsettledTotal>> Enquiries::Unsettled() {
    std::vector<UnsettledTotal> totals;
    KESSAI_RETURN_IF_ERROR(transactions_.Run([&](Books& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(totals, books.discrepancies.Unsettled());
        return OkStatus();
    }));
    return totals;
}

Result<WaitingTotal> Enquiries::Waiting(Instant now) {
    WaitingTotal waiting;
    KESSAI_RETURN_IF_ERROR(transactions_.Run([&](Books& books) -> Status {
        KESSAI_RETURN_IF_ERROR(books.payout.TrimWaiting(now - std::chrono::hours(1)));
        KESSAI_ASSIGN_OR_RETURN(waiting, books.payout.Waiting());
        return OkStatus();
    }));
    return waiting;
}

Result<std::optional<domain::PayoutCheck>> Enquiries::LatestCheck(BusinessDate business_date) {
    std::optional<domain::PayoutCheck> check;
    KESSAI_RETURN_IF_ERROR(transactions_.Run([&](Books& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(check, books.payout.LatestCheck(business_date));
        return OkStatus();
    }));
    return check;
}

Result<domain::DayRun> Enquiries::LatestRun(BusinessDate business_date) {
    std::optional<domain::DayRun> run;
    KESSAI_RETURN_IF_ERROR(transactions_.Run([&](Books& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(run, books.days.LatestRun(business_date));
        return OkStatus();
    }));
    if (!run) {
        return Status(Code::kNotFound, "RUN_UNKNOWN",
                      business_date.ToString() + " has not been compared");
    }
    return *run;
}

}  // namespace kessai::reconciliation::app
