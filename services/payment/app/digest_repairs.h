#pragma once

#include <string_view>

#include "kessai/digest/accumulator.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"

namespace kessai::payment::app {

/// Kept digests of days, in the database. Thread safe.
class DigestRepairs {
 public:
    virtual ~DigestRepairs() = default;

    /// Computes the digest of a bucket again from the journals, once by its key (as of
    /// digest::RecomputeBucket); empty: only says what it would be. Precondition: the day is
    /// closed, so all its events have been counted.
    virtual Result<digest::RecomputedBucket> Recompute(BusinessDate date, int bucket,
                                                       std::string_view key) = 0;
};

}  // namespace kessai::payment::app
