#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "app/event_encoder.h"
#include "app/ledger_store.h"
#include "domain/hold_event.h"
#include "kessai/result/result.h"

namespace kessai::payout::app {

/// What names an event in our topic.
struct EventName {
    std::int64_t object = 0;
    std::uint32_t version = 0;

    auto operator<=>(const EventName&) const = default;
};

/// What others were told of merchants held back, in the database. Thread safe.
class HoldSteps {
 public:
    virtual ~HoldSteps() = default;
    /// All steps of these holds.
    virtual Result<std::vector<domain::HoldStep>> Find(std::span<const std::int64_t> numbers) = 0;
    /// Puts their events into the outbox once more.
    virtual Status TellAgain(std::span<const domain::HoldStep> steps) = 0;
};

/// What others were told of days' releases, in the database. Thread safe.
class ToldReleases {
 public:
    virtual ~ToldReleases() = default;
    /// Of all rounds of these days that told of themselves, but those of older versions, which did
    /// not keep of which day their events are.
    virtual Result<std::vector<DayReleasedEvent>> Find(std::span<const BusinessDate> days) = 0;
    /// Puts their events into the outbox once more.
    virtual Status TellAgain(std::span<const DayReleasedEvent> events) = 0;
};

/// Use case: whoever has missed what was told of transfers, of merchants held back or of a day's
/// release is told again.
/// Each event is a function of its rows, so it is the same, byte for byte, and whoever has applied
/// it drops it. Thread safe.
class RepublishEvents {
 public:
    /// All must outlive it.
    RepublishEvents(LedgerStore& ledger, HoldSteps& holds, ToldReleases& releases)
        : ledger_(ledger), holds_(holds), releases_(releases) {}

    /// Gives how many, each once. Refuses, and publishes none of them, with INVALID_ARGUMENT
    /// FIELD_INVALID (1 to 1,000 events) and NOT_FOUND EVENT_UNKNOWN (one was never told, or is of
    /// a payment: payment publishes that). A failure of the database in between may leave some of
    /// them published: the same again does no harm.
    Result<int> Run(std::span<const EventName> events);

    /// The same of all rounds of a day's release. NOT_FOUND EVENT_UNKNOWN when none was told, or
    /// only by an older version.
    Result<int> RunOfRelease(BusinessDate day);

 private:
    Status PublishTransfers(std::span<const EventName> events);

    LedgerStore& ledger_;
    HoldSteps& holds_;
    ToldReleases& releases_;
};

}  // namespace kessai::payout::app
