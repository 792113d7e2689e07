#pragma once

#include "kessai/result/result.h"

namespace kessai::inbox {

/// What a consumer does with a refusal.
enum class Action {
    /// Goes on.
    kContinue,
    /// Rolls back and runs the batch again, with back-off; the partition waits, others go on.
    kRetry,
    /// Halves the batch until the event that is refused is alone, and makes that a dead letter.
    kDeadLetter,
    /// As kDeadLetter, but after several such events in a row the partition stops, because it is
    /// then
    /// the service that is broken rather than the events.
    kIsolate,
    /// The partition stops: it is tried again rarely, until somebody repairs the service.
    kStop,
};

/// The one table from a refusal's code to what a consumer does.
Action ActionFor(Code code);

}  // namespace kessai::inbox
