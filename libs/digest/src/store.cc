#include "kessai/digest/store.h"

#include <algorithm>
#include <array>
#include <string>

#include "kessai/mysql/error.h"
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

constexpr mysql::Query kLockBucket{"day_digest.lock_bucket", R"sql(
    SELECT bucket, row_count, signed_gross, hash0, hash1, hash2, hash3
    FROM day_digest WHERE business_date = ? AND bucket = ? FOR UPDATE)sql"};

constexpr mysql::Query kFindRepair{"digest_repair.find", R"sql(
    SELECT business_date, bucket, count_before, gross_before, hash_before, count_after, gross_after,
           hash_after
    FROM digest_repair WHERE repair_key = ?)sql"};
constexpr mysql::Query kInsertRepair{"digest_repair.insert", R"sql(
    INSERT INTO digest_repair (repair_key, business_date, bucket, count_before, gross_before,
                               hash_before, count_after, gross_after, hash_after, repaired_at_us)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?))sql"};
constexpr std::size_t kRepairKeyMax = 48;

constexpr mysql::Query kRemoveBucket{"day_digest.remove_bucket", R"sql(
    DELETE FROM day_digest WHERE business_date = ? AND bucket = ?)sql"};

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

BucketDigest ReadBucket(const mysql::Rows& row) {
    return {.count = row.Int(1),
            .signed_gross = row.Int(2),
            .hash_sum = SumOfLimbs({row.Uint(3), row.Uint(4), row.Uint(5), row.Uint(6)})};
}

void AddBucket(BusinessDate business_date, int bucket, int slot, const BucketDigest& digest,
               mysql::RowList& rows) {
    rows.Add(business_date, bucket, slot, digest.count, digest.signed_gross,
             Limb(digest.hash_sum.low, 0), Limb(digest.hash_sum.low, 1),
             Limb(digest.hash_sum.high, 0), Limb(digest.hash_sum.high, 1));
}

/// What a bucket's rows sum up to, and how many there are: a slot may get its first row though the
/// others are locked.
struct LockedBucket {
    BucketDigest digest;
    std::uint64_t slots = 0;

    bool operator==(const LockedBucket&) const = default;
};

Result<LockedBucket> LockBucket(mysql::Session& session, BusinessDate business_date, int bucket) {
    KESSAI_ASSIGN_OR_RETURN(mysql::Rows rows, session.Select(kLockBucket, business_date, bucket));
    LockedBucket locked;
    for (; rows.Next(); ++locked.slots) locked.digest.Add(ReadBucket(rows));
    return locked;
}

Status Moved(int bucket) {
    return Status(Code::kAborted, "DIGEST_MOVED",
                  "the digest of bucket " + std::to_string(bucket) + " moved");
}

/// 16 bytes, most significant first.
std::string BytesOf(const Sum128& sum) {
    std::string bytes;
    for (const std::uint64_t half : {sum.high, sum.low}) {
        for (int shift = 56; shift >= 0; shift -= 8) {
            bytes.push_back(static_cast<char>(half >> shift & 0xFF));
        }
    }
    return bytes;
}

BucketDigest ReadKept(const mysql::Rows& row, int column) {
    const std::string bytes = row.Bytes(column + 2);
    BucketDigest digest;
    digest.count = row.Int(column);
    digest.signed_gross = row.Int(column + 1);
    for (std::size_t i = 0; i < 8 && bytes.size() == 16; ++i) {
        digest.hash_sum.high = digest.hash_sum.high << 8 | static_cast<std::uint8_t>(bytes[i]);
        digest.hash_sum.low = digest.hash_sum.low << 8 | static_cast<std::uint8_t>(bytes[i + 8]);
    }
    return digest;
}

Result<RecomputedBucket> KnownRepair(const mysql::Rows& row, BusinessDate business_date, int bucket,
                                     std::string_view key) {
    if (row.Date(0) != business_date || row.Int(1) != bucket) {
        return Status(Code::kAlreadyExists, "REPAIR_KEY_REUSED",
                      "repair " + std::string(key) + " was of another bucket");
    }
    return RecomputedBucket{ReadKept(row, 2), ReadKept(row, 5)};
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
        AddBucket(key.first, key.second, slot, cell, rows);
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
        day[static_cast<std::size_t>(bucket)].Add(ReadBucket(rows));
    }
    return day;
}

Result<RecomputedBucket> RecomputeBucket(mysql::Session& session, BusinessDate business_date,
                                         int bucket, std::string_view key, Instant now,
                                         const std::function<Result<BucketDigest>()>& of_rows) {
    if (key.size() > kRepairKeyMax ||
        !std::ranges::all_of(key, [](char c) { return c > ' ' && c < 127; })) {
        return Status(Code::kInvalidArgument, "REPAIR_KEY_INVALID",
                      "the key of a repair is 1 to 48 letters of ASCII");
    }
    RecomputedBucket digests;
    KESSAI_ASSIGN_OR_RETURN(const LockedBucket locked, LockBucket(session, business_date, bucket));
    digests.before = locked.digest;
    if (!key.empty()) {
        KESSAI_ASSIGN_OR_RETURN(auto known, session.Select(kFindRepair, key));
        if (known.Next()) return KnownRepair(known, business_date, bucket, key);
    }
    KESSAI_ASSIGN_OR_RETURN(digests.after, of_rows());
    KESSAI_ASSIGN_OR_RETURN(const LockedBucket again, LockBucket(session, business_date, bucket));
    if (!(again == locked)) return Moved(bucket);
    if (key.empty()) return digests;
    const std::string before = BytesOf(digests.before.hash_sum);
    const std::string after = BytesOf(digests.after.hash_sum);
    const auto noted =
        session.Execute(kInsertRepair, key, business_date, bucket, digests.before.count,
                        digests.before.signed_gross, mysql::Bytes{before}, digests.after.count,
                        digests.after.signed_gross, mysql::Bytes{after}, now);
    // Of a bucket without rows nothing is locked: somebody did the same meanwhile, and is found.
    if (noted.status().reason() == mysql::reason::kDuplicateKey) return Moved(bucket);
    KESSAI_RETURN_IF_ERROR(noted.status());
    if (digests.before == digests.after) return digests;
    KESSAI_ASSIGN_OR_RETURN(const std::uint64_t removed,
                            session.Execute(kRemoveBucket, business_date, bucket));
    if (removed != locked.slots) return Moved(bucket);
    mysql::RowList rows;
    AddBucket(business_date, bucket, 0, digests.after, rows);
    KESSAI_RETURN_IF_ERROR(session.Execute(kAdd, rows).status());
    return digests;
}

Status RemoveDay(mysql::Session& session, BusinessDate business_date) {
    KESSAI_RETURN_IF_ERROR(session.Execute(kRemove, business_date));
    return OkStatus();
}

}  // namespace kessai::digest
