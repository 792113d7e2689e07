#pragma once

#include <grpc/support/time.h>

#include "kessai/time/clock.h"

namespace kessai::rpc {

/// The deadline `from_now` from now, as gRPC wants it.
inline gpr_timespec DeadlineIn(Duration from_now) {
    return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                        gpr_time_from_micros(from_now.count(), GPR_TIMESPAN));
}

/// How long until `deadline`; Duration::max() for the infinite future.
inline Duration TimeUntil(gpr_timespec deadline) {
    if (gpr_time_cmp(deadline, gpr_inf_future(deadline.clock_type)) == 0) return Duration::max();
    const gpr_timespec left = gpr_time_sub(deadline, gpr_now(deadline.clock_type));
    return std::chrono::seconds(left.tv_sec) + Duration(left.tv_nsec / 1'000);
}

inline int ToMs(Duration duration) {
    return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(duration).count());
}

}  // namespace kessai::rpc
