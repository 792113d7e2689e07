#include "bench/release/planted_damage.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "bench/release/contender.h"
#include "domain/payment_change.h"
#include "domain/tax.h"
#include "kessai/digest/accumulator.h"
#include "kessai/mysql/query.h"
#include "load/random.h"

namespace kessai::bench {
namespace {

using Row = Damage::Row;

// Enough to choose from, and few enough to hold.
constexpr std::int64_t kRowsToChooseFrom = 60'000;
// Its fee is another, whatever is rounded off.
constexpr std::int64_t kGrossMoved = 100;
// No payment of the day has such an id.
constexpr std::int64_t kOtherPayment = std::int64_t{1} << 60;

constexpr mysql::Query kSales{"bench.sales", R"sql(
    SELECT payment_id, version, bucket, merchant_id, gross FROM accrual FORCE INDEX (PRIMARY)
    WHERE business_date = ? AND bucket BETWEEN ? AND ? AND kind = ? AND gross > ? AND fee > 0)sql"};
constexpr mysql::Query kCount{"bench.count_day",
                              "SELECT COUNT(*) FROM accrual WHERE business_date = ?"};

constexpr mysql::Query kKeep{"bench.keep_row", R"sql(
    INSERT INTO bench_undamaged SELECT * FROM accrual
    WHERE business_date = ? AND bucket = ? AND payment_id = ? AND version = ?)sql"};
constexpr mysql::Query kMakeTwin{"bench.make_twin", R"sql(
    UPDATE bench_twin SET payment_id = ? WHERE business_date = ?)sql"};
constexpr mysql::Query kKeepForTwin{"bench.keep_for_twin", R"sql(
    INSERT INTO bench_twin SELECT * FROM accrual
    WHERE business_date = ? AND bucket = ? AND payment_id = ? AND version = ?)sql"};

#define KESSAI_BENCH_OF_ROW \
    " WHERE business_date = ? AND bucket = ? AND payment_id = ? AND version = ?"
constexpr mysql::Query kAddGross{"bench.add_gross",
                                 "UPDATE accrual SET gross = gross + ?" KESSAI_BENCH_OF_ROW};
constexpr mysql::Query kAddFee{"bench.add_fee",
                               "UPDATE accrual SET fee = fee + ?" KESSAI_BENCH_OF_ROW};
constexpr mysql::Query kSetMerchant{"bench.set_merchant",
                                    "UPDATE accrual SET merchant_id = ?" KESSAI_BENCH_OF_ROW};
constexpr mysql::Query kSetTaxClass{"bench.set_tax_class",
                                    "UPDATE accrual SET tax_class = ?" KESSAI_BENCH_OF_ROW};
constexpr mysql::Query kRemove{"bench.remove_row", "DELETE FROM accrual" KESSAI_BENCH_OF_ROW};

Status TooSmall() {
    return Status(Code::kFailedPrecondition, "DAY_TOO_SMALL",
                  "the day has too few merchants for so many damages");
}

/// Sales of a day's part, each to be taken once and no merchant twice.
class Choice {
 public:
    Choice(std::vector<Row> rows, std::uint64_t seed) : rows_(std::move(rows)) {
        load::Random random(seed);
        for (std::size_t i = rows_.size(); i > 1; --i) {
            std::swap(rows_[i - 1], rows_[random.Below(i)]);
        }
        for (std::size_t i = 0; i < rows_.size(); ++i) of_merchant_[rows_[i].merchant].push_back(i);
    }

    /// A sale of a merchant not taken yet.
    std::optional<Row> TakeOne() {
        for (; next_ < rows_.size(); ++next_) {
            if (taken_.insert(rows_[next_].merchant).second) return rows_[next_];
        }
        return std::nullopt;
    }
    /// Two sales of a merchant not taken yet.
    std::optional<std::pair<Row, Row>> TakeTwo() {
        for (; next_of_two_ < rows_.size(); ++next_of_two_) {
            const auto& all = of_merchant_[rows_[next_of_two_].merchant];
            if (all.size() < 2 || !taken_.insert(rows_[next_of_two_].merchant).second) continue;
            return std::pair(rows_[all[0]], rows_[all[1]]);
        }
        return std::nullopt;
    }

 private:
    std::vector<Row> rows_;
    std::unordered_map<std::int64_t, std::vector<std::size_t>> of_merchant_;
    std::set<std::int64_t> taken_;
    std::size_t next_ = 0;
    std::size_t next_of_two_ = 0;
};

Result<std::vector<Row>> ReadSales(mysql::Session& session, BusinessDate day, std::uint64_t seed) {
    KESSAI_ASSIGN_OR_RETURN(auto counted, session.Select(kCount, day));
    const std::int64_t accruals = counted.Next() ? counted.Int(0) : 0;
    const std::int64_t buckets = std::clamp<std::int64_t>(
        digest::kBuckets * kRowsToChooseFrom / std::max<std::int64_t>(1, accruals), 1,
        digest::kBuckets);
    load::Random random(seed);
    const auto first = static_cast<std::int64_t>(
        random.Below(static_cast<std::uint64_t>(digest::kBuckets - buckets + 1)));
    KESSAI_ASSIGN_OR_RETURN(
        auto found,
        session.Select(kSales, day, first, first + buckets - 1,
                       static_cast<int>(payout::domain::ChangeKind::kCompleted), kGrossMoved));
    std::vector<Row> rows;
    while (found.Next()) {
        rows.push_back({found.Int(0), found.Int(1), found.Int(2), found.Int(3), found.Int(4)});
    }
    return rows;
}

Result<std::vector<Damage>> Choose(std::vector<Row> rows, int count, std::uint64_t seed) {
    Choice choice(std::move(rows), seed);
    std::vector<Damage> damages(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < damages.size(); ++i) {
        damages[i].kind = static_cast<DamageKind>(i % kDamageKinds);
    }
    // Merchants with two sales are fewer: they come first.
    for (Damage& damage : damages) {
        if (!SumsHide(damage.kind)) continue;
        const auto two = choice.TakeTwo();
        if (!two) return TooSmall();
        std::tie(damage.row, damage.other) = *two;
    }
    for (Damage& damage : damages) {
        if (SumsHide(damage.kind)) continue;
        const auto one = choice.TakeOne();
        if (!one) return TooSmall();
        damage.row = *one;
        if (damage.kind != DamageKind::kOtherMerchant) continue;
        const auto to = choice.TakeOne();
        if (!to) return TooSmall();
        damage.to_merchant = to->merchant;
    }
    return damages;
}

/// Does it, statement by statement.
class Planter {
 public:
    Planter(mysql::Session& session, BusinessDate day) : session_(session), day_(day) {}

    Status Plant(const Damage& damage) {
        KESSAI_RETURN_IF_ERROR(On(kKeep, damage.row));
        if (damage.other) KESSAI_RETURN_IF_ERROR(On(kKeep, *damage.other));
        switch (damage.kind) {
            case DamageKind::kGrossMore:
                return Set(kAddGross, 1, damage.row);
            case DamageKind::kFeeLess:
                return Set(kAddFee, -1, damage.row);
            case DamageKind::kRowMissing:
                return On(kRemove, damage.row);
            case DamageKind::kRowTwice:
                return Double(damage.row);
            case DamageKind::kOtherMerchant:
                return Set(kSetMerchant, damage.to_merchant, damage.row);
            case DamageKind::kOtherTaxClass:
                return Set(kSetTaxClass, static_cast<int>(payout::domain::TaxClass::kStandard8),
                           damage.row);
            case DamageKind::kFeesCompensate:
                KESSAI_RETURN_IF_ERROR(Set(kAddFee, 1, damage.row));
                return Set(kAddFee, -1, *damage.other);
            case DamageKind::kGrossCompensates:
                KESSAI_RETURN_IF_ERROR(Set(kAddGross, kGrossMoved, damage.row));
                return Set(kAddGross, -kGrossMoved, *damage.other);
        }
        return OkStatus();
    }

 private:
    Status On(const mysql::Query& query, const Row& row) {
        return One(session_.Execute(query, day_, row.bucket, row.payment, row.version));
    }
    Status Set(const mysql::Query& query, std::int64_t value, const Row& row) {
        return One(session_.Execute(query, value, day_, row.bucket, row.payment, row.version));
    }
    Status Double(const Row& row) {
        KESSAI_RETURN_IF_ERROR(RunSql(session_, "DELETE FROM bench_twin"));
        KESSAI_RETURN_IF_ERROR(On(kKeepForTwin, row));
        KESSAI_RETURN_IF_ERROR(One(session_.Execute(kMakeTwin, row.payment + kOtherPayment, day_)));
        return RunSql(session_, "INSERT INTO accrual SELECT * FROM bench_twin");
    }
    static Status One(const Result<std::uint64_t>& rows) {
        if (!rows.ok()) return rows.status();
        if (*rows == 1) return OkStatus();
        return Status(Code::kInternal, "DAMAGE_MISSED", "a damage changed no row");
    }

    mysql::Session& session_;
    BusinessDate day_;
};

}  // namespace

std::string_view NameOf(DamageKind kind) {
    switch (kind) {
        case DamageKind::kGrossMore:
            return "a yen more of gross";
        case DamageKind::kFeeLess:
            return "a yen less of fee";
        case DamageKind::kRowMissing:
            return "a row is missing";
        case DamageKind::kRowTwice:
            return "a row is there twice, under another payment";
        case DamageKind::kOtherMerchant:
            return "a row is another merchant's";
        case DamageKind::kOtherTaxClass:
            return "a row is of another tax class";
        case DamageKind::kFeesCompensate:
            return "two fees that compensate";
        case DamageKind::kGrossCompensates:
            return "two amounts that compensate";
    }
    return "";
}

bool SumsHide(DamageKind kind) {
    return kind == DamageKind::kFeesCompensate || kind == DamageKind::kGrossCompensates;
}

PlantedDamage::PlantedDamage(BusinessDate day, std::vector<Damage> damages)
    : day_(day), damages_(std::move(damages)) {
    for (const Damage& damage : damages_) {
        (SumsHide(damage.kind) ? hidden_ : visible_).insert(damage.row.merchant);
        if (damage.kind == DamageKind::kOtherMerchant) visible_.insert(damage.to_merchant);
    }
}

Result<PlantedDamage> PlantedDamage::Plant(mysql::Session& session, BusinessDate day, int count,
                                           std::uint64_t seed) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, ReadSales(session, day, seed));
    KESSAI_ASSIGN_OR_RETURN(auto damages, Choose(std::move(rows), count, seed));
    KESSAI_RETURN_IF_ERROR(MakeScratchTable(session, "bench_undamaged", "accrual"));
    KESSAI_RETURN_IF_ERROR(MakeScratchTable(session, "bench_twin", "accrual"));
    Planter planter(session, day);
    for (const Damage& damage : damages) KESSAI_RETURN_IF_ERROR(planter.Plant(damage));
    return PlantedDamage(day, std::move(damages));
}

Status PlantedDamage::Repair(mysql::Session& session) const {
    KESSAI_RETURN_IF_ERROR(RunSql(
        session, "DELETE FROM accrual WHERE payment_id >= " + std::to_string(kOtherPayment)));
    KESSAI_RETURN_IF_ERROR(RunSql(session, "REPLACE INTO accrual SELECT * FROM bench_undamaged"));
    KESSAI_RETURN_IF_ERROR(RunSql(session, "DROP TABLE bench_undamaged"));
    return RunSql(session, "DROP TABLE bench_twin");
}

std::int64_t PlantedDamage::CountOf(DamageKind kind) const {
    return std::count_if(damages_.begin(), damages_.end(),
                         [&](const Damage& damage) { return damage.kind == kind; });
}

}  // namespace kessai::bench
