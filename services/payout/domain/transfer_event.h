#pragma once

#include <cstdint>
#include <optional>

#include "domain/merchant_journal.h"
#include "domain/transfer.h"
#include "kessai/time/business_date.h"
#include "kessai/time/clock.h"

namespace kessai::payout::domain {

/// What happens to a transfer, as others are told.
enum class TransferStep : std::uint8_t {
    kCreated,
    kSent,
    kSettled,
    kFailed,
    kReturned,
    kCancelled
};

struct TransferEvent {
    TransferStep step = TransferStep::kCreated;
    Transfer transfer = {};
    /// The price, of one that is created or cancelled.
    std::int64_t fee = 0;
    std::int64_t tax = 0;
    /// Those of the journal, or of the batch: so the event can be made again from the rows.
    BusinessDate business_date = {};
    Instant at = {};
};

/// Precondition: of a transfer, not an adjustment.
inline TransferStep StepOf(JournalKind kind) {
    switch (kind) {
        case JournalKind::kTransferSettled:
            return TransferStep::kSettled;
        case JournalKind::kTransferFailed:
            return TransferStep::kFailed;
        case JournalKind::kTransferReturned:
            return TransferStep::kReturned;
        case JournalKind::kTransferCancelled:
            return TransferStep::kCancelled;
        case JournalKind::kTransferCreated:
        case JournalKind::kAdjustment:
            break;
    }
    return TransferStep::kCreated;
}

/// A transfer is sent or cancelled, and fails or is settled, never both.
inline std::uint32_t VersionOf(TransferStep step) {
    switch (step) {
        case TransferStep::kCreated:
            return 1;
        case TransferStep::kSent:
        case TransferStep::kCancelled:
            return 2;
        case TransferStep::kSettled:
        case TransferStep::kFailed:
            return 3;
        case TransferStep::kReturned:
            break;
    }
    return 4;
}

/// The object of a transfer's events: in a space of its own, because readers of the topic key by
/// object and version, and a release's object is a date's number, which a transfer has too one day.
inline constexpr std::int64_t kTransferObjects = std::int64_t{1} << 40;

inline std::int64_t EventObjectOf(TransferId transfer) {
    return transfer.value() + kTransferObjects;
}

/// And back; nothing of an object of another space.
inline std::optional<TransferId> TransferOfEvent(std::int64_t object) {
    if (object <= kTransferObjects || object >= 2 * kTransferObjects) return std::nullopt;
    return TransferId(object - kTransferObjects);
}

/// A function of the transfer and the version, which rises for a transfer.
inline std::int64_t EventIdOf(TransferId transfer, std::uint32_t version) {
    return EventObjectOf(transfer) << 3 | version;
}

}  // namespace kessai::payout::domain
