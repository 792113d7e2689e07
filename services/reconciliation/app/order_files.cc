#include "app/order_files.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "app/file_templates.h"
#include "kessai/faults/fault_point.h"

namespace kessai::reconciliation::app {

namespace {

/// The requester of runs that nobody asked for.
constexpr std::string_view kSchedule = "schedule";
/// The reason of runs that somebody gave up.
constexpr std::string_view kCancelled = "FILE_RUN_CANCELLED";
constexpr int kDaysPerRound = 100;
constexpr int kTemplatesPerPage = 100;
/// Days of one template that are begun in one round; the rest have their turn in the next.
constexpr int kRunsPerRound = 31;

Status CheckOrder(const domain::FileRunOrder& order) {
    if (order.again_reason.size() > domain::kAgainReasonBytesMax) {
        return Status(Code::kInvalidArgument, "FIELD_INVALID",
                      "again.reason: 1 to 255 bytes are needed");
    }
    if (order.force && !order.again()) {
        return Status(Code::kInvalidArgument, "FIELD_INVALID",
                      "force: only to make files again, with a reason");
    }
    return OkStatus();
}

/// Of a merchant that has files it does not matter whether it is assigned still.
Status CheckWanted(FileBooks& books, const domain::FileRunOrder& order) {
    if (order.again()) {
        KESSAI_ASSIGN_OR_RETURN(
            const auto made,
            books.LatestVersions(order.template_name, order.business_date, order.merchant));
        if (!made.empty()) return OkStatus();
        return Status(Code::kFailedPrecondition, "FILES_NOT_MADE",
                      "there are no files of " + order.business_date.ToString() + " by '" +
                          order.template_name + "' to be made again");
    }
    KESSAI_ASSIGN_OR_RETURN(const auto assigned, books.Assignments(order.template_name));
    const bool covered = order.merchant.is_none()
                             ? assigned.CoverAnybody(order.business_date, false)
                             : assigned.Covers(order.merchant, order.business_date, false);
    if (covered) return OkStatus();
    return Status(Code::kFailedPrecondition, "FILES_NOT_ASSIGNED",
                  "template '" + order.template_name + "' is assigned to " +
                      (order.merchant.is_none() ? std::string("nobody")
                                                : "no merchant " + order.merchant.ToString()) +
                      " on " + order.business_date.ToString());
}

}  // namespace

Result<domain::FileRun> OrderFiles::Order(domain::FileRunOrder order) {
    KESSAI_RETURN_IF_ERROR(CheckOrder(order));
    const BusinessDate first_kept = domain::FirstDayKept(clock_.Now(), keep_records_);
    if (order.business_date < first_kept) {
        return Status(Code::kFailedPrecondition, "DAY_NOT_KEPT",
                      "what was made of days before " + first_kept.ToString() +
                          " is not known any more: their files are not made again");
    }
    if (!order.merchant.is_none()) KESSAI_RETURN_IF_ERROR(merchants_.Check(order.merchant));
    domain::FileRun run;
    KESSAI_RETURN_IF_ERROR(transactions_.Run([&](FileBooks& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(const auto latest, books.LockTemplate(order.template_name));
        if (!latest) {
            return Status(Code::kNotFound, "TEMPLATE_UNKNOWN",
                          "no template '" + order.template_name + "'");
        }
        KESSAI_ASSIGN_OR_RETURN(const auto layout, ParseLayout(*latest));
        KESSAI_RETURN_IF_ERROR(CheckDayClosed(books, layout, order.business_date));
        KESSAI_ASSIGN_OR_RETURN(auto unfinished,
                                books.LockUnfinishedRun(order.template_name, order.business_date));
        if (unfinished && unfinished->order.AsksTheSame(order)) {
            run = *unfinished;
            if (run.state == domain::FileRunState::kRunning) return OkStatus();
            run.state = domain::FileRunState::kWaiting;
            run.retry_at = clock_.Now();
            return books.UpdateRun(run);
        }
        if (unfinished) {
            return Status(Code::kAborted, "FILE_RUN_RUNNING",
                          "run " + unfinished->id.ToString() +
                              " makes files of the template and day and has not ended");
        }
        if (order.again()) {
            KESSAI_ASSIGN_OR_RETURN(auto last,
                                    books.LockLatestRun(order.template_name, order.business_date));
            if (last && last->order.AsksTheSame(order) &&
                last->order.requested_by == order.requested_by) {
                run = *last;
                return OkStatus();
            }
        }
        KESSAI_RETURN_IF_ERROR(CheckWanted(books, order));
        KESSAI_ASSIGN_OR_RETURN(run, Insert(books, *latest, order));
        return OkStatus();
    }));
    KESSAI_FAULT_POINT("reconciliation.file_run_ordered");
    return run;
}

Result<domain::FileRun> OrderFiles::Cancel(domain::FileRunId id, const std::string& reason,
                                           std::string_view by) {
    if (reason.empty() || reason.size() > domain::kCancelReasonBytesMax) {
        return Status(Code::kInvalidArgument, "FIELD_INVALID", "reason: 1 to 255 bytes are needed");
    }
    domain::FileRun run;
    KESSAI_RETURN_IF_ERROR(transactions_.Run([&](FileBooks& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(run, books.LockRun(id));
        if (run.state == domain::FileRunState::kCancelled) return OkStatus();
        if (run.Ended()) {
            return Status(Code::kFailedPrecondition, "FILE_RUN_ENDED",
                          "run " + id.ToString() + " is done");
        }
        run.state = domain::FileRunState::kCancelled;
        run.finished_at = std::max(clock_.Now(), run.started_at);
        run.reason = kCancelled;
        run.message = "by " + std::string(by) + ": " + reason;
        KESSAI_RETURN_IF_ERROR(books.NoteToSweep(id));
        return books.UpdateRun(run);
    }));
    return run;
}

Result<domain::FileRun> OrderFiles::Insert(FileBooks& books, const domain::FileTemplate& latest,
                                           domain::FileRunOrder order) {
    domain::FileRun run;
    run.order = std::move(order);
    run.template_version = latest.version;
    run.created_at = clock_.Now();
    run.retry_at = run.created_at;
    KESSAI_ASSIGN_OR_RETURN(run.id, books.InsertRun(run));
    return run;
}

Status OrderFiles::OrderDue(const std::stop_token& stop) {
    KESSAI_RETURN_IF_ERROR(NoteMerchants(stop));
    std::string after;
    std::vector<domain::FileTemplate> page;
    Status first_refusal;
    do {
        KESSAI_RETURN_IF_ERROR(transactions_.Run([&](FileBooks& books) -> Status {
            KESSAI_ASSIGN_OR_RETURN(page, books.ListTemplates(after, kTemplatesPerPage));
            return OkStatus();
        }));
        for (const domain::FileTemplate& listed : page) {
            after = listed.name;
            for (int runs = 0; runs < kRunsPerRound && !stop.stop_requested(); ++runs) {
                const auto more = OrderNextDay(listed.name);
                // One template's trouble does not keep the others waiting.
                if (!more.ok() && first_refusal.ok()) {
                    first_refusal = more.status().WithContext("template '" + listed.name + "'");
                }
                if (!more.ok() || !*more) break;
            }
        }
    } while (static_cast<int>(page.size()) == kTemplatesPerPage && !stop.stop_requested());
    return first_refusal;
}

Status OrderFiles::NoteMerchants(const std::stop_token& stop) {
    std::vector<BusinessDate> days;
    do {
        KESSAI_RETURN_IF_ERROR(transactions_.Run([&](FileBooks& books) -> Status {
            KESSAI_ASSIGN_OR_RETURN(days, books.DaysToNote(kDaysPerRound));
            return OkStatus();
        }));
        for (const BusinessDate day : days) {
            if (stop.stop_requested()) return OkStatus();
            KESSAI_RETURN_IF_ERROR(
                transactions_.Run([&](FileBooks& books) { return books.NoteMerchantsOf(day); }));
        }
    } while (static_cast<int>(days.size()) == kDaysPerRound);
    return OkStatus();
}

Result<bool> OrderFiles::OrderNextDay(std::string_view name) {
    bool more = false;
    KESSAI_RETURN_IF_ERROR(transactions_.Run([&](FileBooks& books) -> Status {
        more = false;
        KESSAI_ASSIGN_OR_RETURN(const auto since, books.ScheduledSince(name));
        if (!since) return OkStatus();
        KESSAI_ASSIGN_OR_RETURN(const auto first_closed, books.FirstClosedDay());
        if (!first_closed) return OkStatus();
        KESSAI_ASSIGN_OR_RETURN(auto latest, books.LockTemplate(name));
        if (!latest) return OkStatus();
        BusinessDate day =
            std::max({*since, *first_closed, domain::FirstDayKept(clock_.Now(), keep_records_)});
        if (latest->scheduled_through) day = std::max(day, latest->scheduled_through->Next());

        KESSAI_ASSIGN_OR_RETURN(const auto layout, ParseLayout(*latest));
        if (clock_.Now() < domain::ScheduledAt(layout, day, latest->schedule_at)) return OkStatus();
        const Status closed = CheckDayClosed(books, layout, day);
        if (closed.reason() == "DAY_NOT_CLOSED") return OkStatus();
        KESSAI_RETURN_IF_ERROR(closed);
        // Its turn comes when that has ended.
        KESSAI_ASSIGN_OR_RETURN(const auto unfinished, books.LockUnfinishedRun(name, day));
        if (unfinished) return OkStatus();

        KESSAI_ASSIGN_OR_RETURN(const auto assigned, books.Assignments(name));
        if (assigned.CoverAnybody(day, /*scheduled=*/true)) {
            KESSAI_RETURN_IF_ERROR(Insert(books, *latest,
                                          {.template_name = std::string(name),
                                           .business_date = day,
                                           .scheduled = true,
                                           .requested_by = std::string(kSchedule)})
                                       .status());
        }
        latest->scheduled_through = day;
        more = true;
        return books.UpdateTemplate(*latest);
    }));
    if (more) {
        KESSAI_FAULT_POINT("reconciliation.file_run_ordered");
    }
    return more;
}

}  // namespace kessai::reconciliation::app
