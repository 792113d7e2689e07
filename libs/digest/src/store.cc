#include "kessai/digest/store.h"

#include <algorithm>

#include "kessai/mysql/migration.h"
#include "kessai/mysql/session.h"
#include "kessai/result/check.h"

namespace kessai::digest {
namespace {

constexpr mysql::Query kAdd{"day_digest.add", R"sql(
    INSERT INTO day_digest
        (business_date, bucket, slot, row_count, signed_gross, hash0, hash1, hash2, hash3)
    VALUES {rows}
    ON DUPLICATE KEY UPDATE row_count = row_count + VALUES(row_count),
                            signed_gross = signed_gross + VALUES(signed_gross),
                            hash0 = hash0 + VALUES(hash0),
                            hash1 = hash1 + VALUES(hash1),
                            hash2 = hash2 + VALUES(hash2),
                            hash3 = hash3 + VALUES(hash3))sql"};

constexpr mysql::Query kLoad{"day_digest.load", R"sql(
    SELECT bucket, row_count, signed_gross, hash0, hash1, hash2, hash3
    FROM day_digest WHERE business_date = ?)sql"};

constexpr mysql::Query kRemove{"day_digest.remove", R"sql(
    DELETE FROM day_digest WHERE business_date = ?)sql"};

constexpr std::size_t kRowsPerStatement = 512;

std::uint64_t Limb(std::uint64_t word, int index) {
    return word >> (32 * index) & 0xffff'ffffULL;
}

Sum128 SumOfLimbs(const std::array<std::uint64_t, 4>& limbs) {
    Sum128 sum;
    // Each limb may be up to 63 bits wide: limb i adds limb·2^(32·i), modulo 2^128.
    sum += {.high = 0, .low = limbs[0]};
    sum += {.high = limbs[1] >> 32, .low = limbs[1] << 32};
    sum += {.high = limbs[2], .low = 0};
    sum += {.high = limbs[3] << 32, .low = 0};
    return sum;
}

}  // namespace

Status AddToDay(mysql::Session& session, const Accumulator& accumulator, int slot) {
    mysql::RowList rows;
    const auto flush = [&]() -> Status {
        if (rows.empty()) return OkStatus();
        KESSAI_RETURN_IF_ERROR(session.Execute(kAdd, rows));
        rows.Clear();
        return OkStatus();
    };
    for (const auto& [key, cell] : accumulator.cells()) {
        rows.Add(key.first, key.second, slot, cell.count, cell.signed_gross,
                 Limb(cell.hash_sum.low, 0), Limb(cell.hash_sum.low, 1),
                 Limb(cell.hash_sum.high, 0), Limb(cell.hash_sum.high, 1));
        if (rows.size() >= kRowsPerStatement) KESSAI_RETURN_IF_ERROR(flush());
    }
    return flush();
}

Result<DayDigest> LoadDay(mysql::Session& session, BusinessDate business_date) {
    KESSAI_ASSIGN_OR_RETURN(mysql::Rows rows, session.Select(kLoad, business_date));
    DayDigest day(kBuckets);
    while (rows.Next()) {
        const std::int64_t bucket = rows.Int(0);
        if (bucket < 0 || bucket >= kBuckets) {
            return Status(Code::kDataLoss, "DIGEST_BUCKET_UNKNOWN",
                          "bucket " + std::to_string(bucket));
        }
        day[static_cast<std::size_t>(bucket)].Add(
            {.count = rows.Int(1),
             .signed_gross = rows.Int(2),
             .hash_sum = SumOfLimbs({rows.Uint(3), rows.Uint(4), rows.Uint(5), rows.Uint(6)})});
    }
    return day;
}

Status RemoveDay(mysql::Session& session, BusinessDate business_date) {
    KESSAI_RETURN_IF_ERROR(session.Execute(kRemove, business_date));
    return OkStatus();
}

}  // namespace kessai::digest
