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
constexpr std::size_t kRowCells = 6;

}  // namespace

Status ReadDayRows(mysql::Session& session, BusinessDate date, digest::BucketRange buckets,
                   const TakeDayRow& take) {
    domain::Change change;
    return session.Scan(
        kRowsOfBuckets,
        [&](std::span<const std::int64_t> cells) {
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
        },
        date, buckets.first, buckets.end());
}

}  // namespace kessai::payment::storage
