#include "storage/day_rows.h"

#include <cstdint>
#include <span>

#include "domain/ledger.h"
#include "kessai/mysql/query.h"

namespace kessai::payment::storage {
namespace {

// Numbers alone, for Session::Scan: a whole day is read by these.
constexpr mysql::Query kRowsOfBuckets{"journal.of_buckets", R"sql(
    SELECT object_id, version, merchant_id, kind, amount, bucket
    FROM journal FORCE INDEX (by_day) WHERE business_date = ? AND bucket >= ? AND bucket < ?)sql"};
constexpr mysql::Query kRowsOfObject{"journal.of_object", R"sql(
    SELECT object_id, version, merchant_id, kind, amount, bucket
    FROM journal FORCE INDEX (PRIMARY) WHERE object_id = ? AND business_date = ? AND bucket = ?
    ORDER BY version)sql"};
constexpr std::size_t kRowCells = 6;

/// Gives `take` what is scanned, but for what has no merchant.
auto TakeCells(const TakeDayRow& take) {
    return [&take](std::span<const std::int64_t> cells) {
        domain::Change change;
        for (std::size_t at = 0; at < cells.size(); at += kRowCells) {
            const auto row = cells.subspan(at, kRowCells);
            const domain::MerchantId merchant(row[2]);
            if (merchant.is_none()) continue;
            change.kind = static_cast<domain::ChangeKind>(row[3]);
            change.amount = Money(row[4], change.amount.currency());
            take(app::DayRow{row[0], static_cast<std::uint32_t>(row[1]), merchant,
                             domain::MerchantGross(change)},
                 static_cast<int>(row[5]));
        }
    };
}

}  // namespace

Status ReadDayRows(mysql::Session& session, BusinessDate date, digest::BucketRange buckets,
                   const TakeDayRow& take) {
    return session.Scan(kRowsOfBuckets, TakeCells(take), date, buckets.first, buckets.end());
}

Status ReadDayRowsOf(mysql::Session& session, BusinessDate date, int bucket, std::int64_t object,
                     const TakeDayRow& take) {
    return session.Scan(kRowsOfObject, TakeCells(take), object, date, bucket);
}

}  // namespace kessai::payment::storage
