#include "checks/backlog.h"

#include "source/inbox_tables.h"

namespace kessai::audit {
namespace {

using enum Invariant;

/// More than anybody could look at; beyond it only what is found first is told.
constexpr int kMessagesMax = 100'000;

/// What waits there is no fault by itself: how long it has waited tells.
Status CheckOutbox(std::string_view service, mysql::Session& session, Duration wait,
                   Report& report) {
    KESSAI_ASSIGN_OR_RETURN(const bool has_outbox, HasTable(session, "outbox"));
    if (!has_outbox) return OkStatus();
    KESSAI_ASSIGN_OR_RETURN(const Instant now, session.DatabaseNow());
    KESSAI_ASSIGN_OR_RETURN(const UnsentRows unsent, CountUnsent(session, now));
    report.LookedAt(kBacklog, "outboxes", 1);
    if (unsent.rows == 0) return OkStatus();
    const std::int64_t age_us = ToMicros(now) - unsent.oldest_us;
    const std::string text = std::string(service) + ": " + std::to_string(unsent.rows) +
                             " outbox rows with " + std::to_string(unsent.entries) +
                             " messages are not sent; the oldest is " + SecondsText(age_us) +
                             " old";
    if (age_us >= wait.count()) {
        report.CouldNotCheck(kBacklog, text);
    } else {
        report.Note(kBacklog, text);
    }
    return OkStatus();
}

void ReportWaiting(std::string_view service, const WaitingMessage& message, Report& report) {
    report.Found(kBacklog, message.parked ? "parked event" : "open dead letter", [&] {
        return Finding{{{"service", std::string(service)},
                        {"message", message.id.ToString()},
                        {"object", message.object_id}},
                       "applied or settled",
                       message.parked ? "waits behind a dead letter" : message.reason};
    });
}

}  // namespace

Result<Backlog> CheckBacklog(std::string_view service, mysql::Session& session, Duration wait,
                             Report& report) {
    Backlog backlog;
    KESSAI_RETURN_IF_ERROR(CheckOutbox(service, session, wait, report));
    KESSAI_ASSIGN_OR_RETURN(const bool has_inbox, HasTable(session, "dead_letter"));
    if (!has_inbox) return backlog;
    KESSAI_ASSIGN_OR_RETURN(const auto waiting, ReadWaiting(session, kMessagesMax));
    report.LookedAt(kBacklog, "inboxes", 1);
    for (const WaitingMessage& message : waiting) {
        ReportWaiting(service, message, report);
        backlog.waiting.try_emplace(
            message.object_id, message.id.ToString() +
                                   (message.parked ? " is parked behind a dead letter"
                                                   : " is a dead letter (" + message.reason + ")"));
    }
    KESSAI_ASSIGN_OR_RETURN(backlog.settled, ReadSettled(session, kMessagesMax));
    return backlog;
}

}  // namespace kessai::audit
