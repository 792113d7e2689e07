#include "source/digest_table.h"

#include "kessai/event/bucket.h"
#include "source/columns.h"

namespace kessai::audit {
namespace {

#define KESSAI_AUDIT_DIGEST                                                                  \
    "SELECT business_date + 0, slot, bucket, row_count, signed_gross, hash0, hash1, hash2, " \
    "hash3 FROM day_digest FORCE INDEX (PRIMARY) "
#define KESSAI_AUDIT_DIGEST_ORDER " ORDER BY business_date, slot, bucket LIMIT ?"
constexpr mysql::Query kFirst{"day_digest.first_page",
                              KESSAI_AUDIT_DIGEST KESSAI_AUDIT_DIGEST_ORDER};
constexpr mysql::Query kNext{"day_digest.next_page", KESSAI_AUDIT_DIGEST R"sql(
    WHERE business_date > ? OR (business_date = ? AND slot > ?)
       OR (business_date = ? AND slot = ? AND bucket > ?)
    )sql" KESSAI_AUDIT_DIGEST_ORDER};

/// Four limbs of 32 bits, the lowest first, each possibly with carries that were not taken.
digest::Sum128 SumOfLimbs(const mysql::Rows& from, int column) {
    const auto limb = [&](int i) { return static_cast<std::uint64_t>(from.Int(column + i)); };
    digest::Sum128 sum;
    sum += {.high = 0, .low = limb(0)};
    sum += {.high = limb(1) >> 32, .low = limb(1) << 32};
    sum += {.high = limb(2), .low = 0};
    sum += {.high = limb(3) << 32, .low = 0};
    return sum;
}

}  // namespace

Result<mysql::Rows> DigestTable::Fetch(mysql::Session& session, const Row* after, int limit) const {
    if (after == nullptr) return session.Select(kFirst, limit);
    const DayNumber day = after->business_date;
    return session.Select(kNext, day, day, after->slot, day, after->slot, after->bucket, limit);
}

void DigestTable::Read(const mysql::Rows& from, Row& row) const {
    row.business_date = Day(from, 0);
    row.slot = SmallInt(from, 1);
    row.bucket = SmallInt(from, 2);
    row.cell.count = from.Int(3);
    row.cell.signed_gross = from.Int(4);
    row.cell.hash_sum = SumOfLimbs(from, 5);
}

Result<KeptDigests> ReadKeptDigests(mysql::Session& session) {
    KeptDigests kept;
    Paged<DigestTable> rows(session);
    for (; const DigestRow* row = rows.Peek(); rows.Pop()) {
        if (row->bucket < 0 || row->bucket >= event::kBuckets) {
            ++kept.stray;
            continue;
        }
        auto& day = kept.days.try_emplace(row->business_date, event::kBuckets).first->second;
        DigestCell& cell = day[static_cast<std::size_t>(row->bucket)];
        cell.count += row->cell.count;
        cell.signed_gross += row->cell.signed_gross;
        cell.hash_sum += row->cell.hash_sum;
    }
    KESSAI_RETURN_IF_ERROR(rows.status());
    kept.rows = rows.count();
    return kept;
}

}  // namespace kessai::audit
