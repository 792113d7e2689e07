#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kessai/net/loop.h"
#include "kessai/time/clock.h"
#include "load/series.h"
#include "load/stack.h"

namespace kessai::load {

/// What a service said of its outbox and of the topics that it consumes.
struct ServiceReading {
    bool has_outbox = false;
    double outbox_age_s = 0;
    double outbox_in_flight_rows = 0;
    /// By topic, over the partitions that the process has.
    std::map<std::string, double> lag_messages;
    std::string commit;
};
ServiceReading ReadServiceMetrics(const std::string& text);

/// Reads the services' /metrics once a second and keeps how their outboxes and consumers went: the
/// queues that grow when a stack takes in more than it works off. Has a thread of its own.
class StackWatch {
 public:
    explicit StackWatch(const Stack& stack, const Clock& clock = SystemClock());
    /// Stops.
    ~StackWatch();
    StackWatch(const StackWatch&) = delete;
    StackWatch& operator=(const StackWatch&) = delete;

    enum class Kind { kOutboxAge, kLag };
    struct Queue {
        Kind kind = Kind::kLag;
        /// "payment outbox", "payout payment.events.v1".
        std::string name;
        Series series;
    };
    /// All that was ever seen.
    std::vector<Queue> Queues() const;

    /// Whether all queues have just been read, and are empty (no lag, no outbox row in flight).
    /// `why` names one that is not.
    bool Drained(std::string* why) const;

    /// Readings that failed so far, by service.
    std::map<std::string, std::uint64_t> Failures() const;
    /// The commit that the services were built from; empty while unknown.
    std::string Commit() const;

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace kessai::load
