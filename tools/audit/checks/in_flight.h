#pragma once

#include <cstdint>
#include <string_view>

#include "model/values.h"
#include "report.h"

namespace kessai::audit {

/// Changes that were still under way to one place when the wait was over. They are no offenders;
/// what is to be checked of them there could not be checked.
class InFlight {
 public:
    void Add(const ChangeKey& key, std::int64_t made_at_us) {
        ++count_;
        if (count_ > 1 && made_at_us >= oldest_at_us_) return;
        oldest_ = key;
        oldest_at_us_ = made_at_us;
    }

    /// `where` says what they are: "changes that were …".
    void Tell(Invariant invariant, std::string_view where, std::int64_t began_at_us,
              Report& report) const {
        if (count_ == 0) return;
        report.CouldNotCheck(
            invariant, ToText(count_) + " changes that were " + std::string(where) +
                           "; the oldest, version " + ToText(oldest_.version) + " of object " +
                           ToText(oldest_.object) + ", was made " +
                           SecondsText(began_at_us - oldest_at_us_) + " before the audit began");
    }

 private:
    std::uint64_t count_ = 0;
    ChangeKey oldest_;
    std::int64_t oldest_at_us_ = 0;
};

}  // namespace kessai::audit
