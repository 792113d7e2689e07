#pragma once

#include <functional>
#include <string_view>

#include "model/day_digests.h"
#include "report.h"
#include "source/digest_table.h"

namespace kessai::audit {

/// M8: the digests that a service keeps of the days in `is_due` are those of its rows, bucket by
/// bucket. `what` is the finding ("payment's kept digest").
void CheckKeptDigests(std::string_view what, const KeptDigests& kept, const DayDigests& of_rows,
                      const std::function<bool(DayNumber)>& is_due, Report& report);

/// M8 of one day: the rows of two services have the same digests.
void CompareDigests(std::string_view what, DayNumber day, const DigestDay& expected,
                    const DigestDay& found, Report& report);

}  // namespace kessai::audit
