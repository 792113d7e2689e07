#pragma once

#include <map>
#include <string>

#include "kessai/mysql/session.h"
#include "kessai/result/result.h"
#include "model/day_digests.h"
#include "source/paged.h"

namespace kessai::audit {

/// One row of `day_digest` (libs/digest), by (day, slot, bucket).
struct DigestRow {
    DayNumber business_date = 0;
    int slot = 0;
    int bucket = 0;
    DigestCell cell;
};
struct DigestTable {
    using Row = DigestRow;
    Result<mysql::Rows> Fetch(mysql::Session& session, const Row* after, int limit) const;
    void Read(const mysql::Rows& from, Row& row) const;
};

/// The digests that a service keeps, over all slots. Rows of no bucket there is are in `stray`.
struct KeptDigests {
    std::map<DayNumber, DigestDay> days;
    std::uint64_t rows = 0;
    std::uint64_t stray = 0;
};
Result<KeptDigests> ReadKeptDigests(mysql::Session& session);

}  // namespace kessai::audit
