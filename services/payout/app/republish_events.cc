#include "app/republish_events.h"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "domain/reason.h"
#include "domain/transfer_event.h"
#include "domain/transfer_reason.h"

namespace kessai::payout::app {
namespace {

constexpr std::size_t kEventsMax = 1'000;

Status Unknown(const EventName& event) {
    return Status(Code::kNotFound, domain::reason::kEventUnknown,
                  "nothing was told as " + std::to_string(event.object) + "/" +
                      std::to_string(event.version));
}

/// What of `told` is named; refuses unless each name is there. `name_of` gives that of one.
template <class Told, class NameOf>
Result<std::vector<Told>> Named(std::span<const EventName> names, std::vector<Told> told,
                                const NameOf& name_of) {
    std::set<EventName> missing(names.begin(), names.end());
    std::erase_if(told, [&](const Told& one) { return missing.erase(name_of(one)) == 0; });
    if (!missing.empty()) return Unknown(*missing.begin());
    return told;
}

EventName NameOf(const domain::TransferEvent& event) {
    return {domain::EventObjectOf(event.transfer.id), domain::VersionOf(event.step)};
}

EventName NameOf(const domain::HoldStep& step) {
    return {domain::EventObjectOfHold(step.number), step.version};
}

EventName NameOf(const DayReleasedEvent& released) {
    return {released.released.ToNumber(), static_cast<std::uint32_t>(released.round) + 1};
}

/// The day whose releases are such an object; nothing of an object of another space.
std::optional<BusinessDate> DayOfEvent(std::int64_t object) {
    if (object > INT32_MAX) return std::nullopt;
    const auto day = BusinessDate::FromNumber(static_cast<std::int32_t>(object));
    return day.ok() ? std::optional(*day) : std::nullopt;
}

}  // namespace

Result<int> RepublishEvents::Run(std::span<const EventName> events) {
    if (events.empty() || events.size() > kEventsMax) {
        return Status(Code::kInvalidArgument, domain::reason::kFieldInvalid,
                      "name 1 to 1,000 events");
    }
    std::vector<EventName> of_transfers;
    std::vector<EventName> of_holds;
    std::vector<std::int64_t> holds;
    std::vector<EventName> of_releases;
    std::vector<BusinessDate> days;
    for (const EventName& event : std::set<EventName>(events.begin(), events.end())) {
        if (domain::TransferOfEvent(event.object)) {
            of_transfers.push_back(event);
        } else if (const auto hold = domain::HoldOfEvent(event.object)) {
            of_holds.push_back(event);
            holds.push_back(*hold);
        } else if (const auto day = DayOfEvent(event.object)) {
            of_releases.push_back(event);
            days.push_back(*day);
        } else {
            return Unknown(event);
        }
    }
    KESSAI_ASSIGN_OR_RETURN(auto told, holds_.Find(holds));
    KESSAI_ASSIGN_OR_RETURN(const auto steps, Named(of_holds, std::move(told),
                                                    [](const auto& step) { return NameOf(step); }));
    KESSAI_ASSIGN_OR_RETURN(auto rounds, releases_.Find(days));
    KESSAI_ASSIGN_OR_RETURN(
        const auto released,
        Named(of_releases, std::move(rounds), [](const auto& round) { return NameOf(round); }));
    // Transfers refuse before anything is published; the others are all there.
    if (!of_transfers.empty()) KESSAI_RETURN_IF_ERROR(PublishTransfers(of_transfers));
    if (!steps.empty()) KESSAI_RETURN_IF_ERROR(holds_.TellAgain(steps));
    if (!released.empty()) KESSAI_RETURN_IF_ERROR(releases_.TellAgain(released));
    return static_cast<int>(of_transfers.size() + steps.size() + released.size());
}

Result<int> RepublishEvents::RunOfRelease(BusinessDate day) {
    KESSAI_ASSIGN_OR_RETURN(const auto rounds, releases_.Find({&day, 1}));
    if (rounds.empty()) return Unknown({day.ToNumber(), 1});
    KESSAI_RETURN_IF_ERROR(releases_.TellAgain(rounds));
    return static_cast<int>(rounds.size());
}

Status RepublishEvents::PublishTransfers(std::span<const EventName> events) {
    std::vector<domain::TransferId> transfers;
    for (const EventName& event : events) {
        const auto transfer = domain::TransferOfEvent(event.object);
        if (transfers.empty() || transfers.back() != *transfer) transfers.push_back(*transfer);
    }
    return ledger_.InTransaction([&](LedgerTransaction& transaction) -> Status {
        KESSAI_ASSIGN_OR_RETURN(auto told, transaction.transfers().EventsOf(transfers));
        KESSAI_ASSIGN_OR_RETURN(
            const auto named,
            Named(events, std::move(told), [](const auto& event) { return NameOf(event); }));
        return transaction.TellAgain(named);
    });
}

}  // namespace kessai::payout::app
