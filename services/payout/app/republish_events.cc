#include "app/republish_events.h"

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

}  // namespace

Result<int> RepublishEvents::Run(std::span<const EventName> events) {
    if (events.empty() || events.size() > kEventsMax) {
        return Status(Code::kInvalidArgument, domain::reason::kFieldInvalid,
                      "name 1 to 1,000 events");
    }
    std::vector<EventName> of_transfers;
    std::vector<EventName> of_holds;
    std::vector<std::int64_t> holds;
    for (const EventName& event : std::set<EventName>(events.begin(), events.end())) {
        if (domain::TransferOfEvent(event.object)) {
            of_transfers.push_back(event);
        } else if (const auto hold = domain::HoldOfEvent(event.object)) {
            of_holds.push_back(event);
            holds.push_back(*hold);
        } else {
            return Unknown(event);
        }
    }
    KESSAI_ASSIGN_OR_RETURN(auto told, holds_.Find(holds));
    KESSAI_ASSIGN_OR_RETURN(const auto steps, Named(of_holds, std::move(told),
                                                    [](const auto& step) { return NameOf(step); }));
    // Transfers refuse before anything is published; steps are all there.
    if (!of_transfers.empty()) KESSAI_RETURN_IF_ERROR(PublishTransfers(of_transfers));
    if (!steps.empty()) KESSAI_RETURN_IF_ERROR(holds_.TellAgain(steps));
    return static_cast<int>(of_transfers.size() + steps.size());
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
