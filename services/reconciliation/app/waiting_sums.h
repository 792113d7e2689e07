#pragma once

#include <cstdint>
#include <map>

#include "domain/match.h"
#include "kessai/time/clock.h"

namespace kessai::reconciliation::app {

/// By how much a batch changes what waits for its other side, by the time at which a change was
/// told first: so that the number, the value and the age of all that waits are sums over a few
/// rows, however many changes there are. That time is the one in the id of payment's event, which
/// both sides name, to some minutes: who joins a change takes it off where it was put.
class WaitingSums {
 public:
    /// Changes of so much time are counted together.
    static constexpr Duration kPeriod = std::chrono::minutes(5);

    struct Sum {
        std::int64_t changes = 0;
        /// Of what moved, without sign, minor units.
        std::int64_t value = 0;
    };

    /// The beginning of the period that a match waits in. Precondition: it waits.
    static Instant PeriodOf(const domain::Match& waiting);

    /// It waits from now on.
    void Begin(const domain::Match& waiting) { Add(waiting, 1); }
    /// It waits no longer; `waiting` is as it was before its other side came.
    void End(const domain::Match& waiting) { Add(waiting, -1); }

    bool empty() const { return periods_.empty(); }
    const std::map<Instant, Sum>& periods() const { return periods_; }

 private:
    void Add(const domain::Match& waiting, int sign);

    std::map<Instant, Sum> periods_;
};

/// All that waits.
struct WaitingTotal {
    std::int64_t changes = 0;
    std::int64_t value = 0;
    /// The beginning of the oldest period in which something waits; the epoch when nothing does.
    Instant oldest{};
};

}  // namespace kessai::reconciliation::app
