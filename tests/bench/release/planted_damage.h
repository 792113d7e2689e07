#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "kessai/mysql/session.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"

namespace kessai::bench {

/// What is done to accrual rows of a closed day. All but the last two change a merchant's sums.
enum class DamageKind : std::uint8_t {
    kGrossMore,
    kFeeLess,
    kRowMissing,
    kRowTwice,
    kOtherMerchant,
    kOtherTaxClass,
    /// A yen moved from one fee of the merchant to another.
    kFeesCompensate,
    /// Money moved from one row of the merchant to another, whose fees stay as they were.
    kGrossCompensates,
};
inline constexpr int kDamageKinds = 8;

/// For people, as what was done: "a row is missing".
std::string_view NameOf(DamageKind kind);
bool SumsHide(DamageKind kind);

/// One damage: the rows that were changed, by key, as they were.
struct Damage {
    struct Row {
        std::int64_t payment = 0;
        std::int64_t version = 0;
        std::int64_t bucket = 0;
        std::int64_t merchant = 0;
        std::int64_t gross = 0;
    };
    DamageKind kind = DamageKind::kGrossMore;
    Row row;
    /// Of the same merchant, where two rows compensate.
    std::optional<Row> other;
    /// To which it was moved, for kOtherMerchant.
    std::int64_t to_merchant = 0;
};

/// Damages `count` places of a day, each of other merchants, with every kind in turn. Rows as they
/// were are kept in a table of their own. What merchants then differ is known from the choice
/// alone, not from any sums.
class PlantedDamage {
 public:
    /// Refuses with FAILED_PRECONDITION DAY_TOO_SMALL when the day has too few merchants, or too
    /// few with two sales near each other.
    static Result<PlantedDamage> Plant(mysql::Session& session, BusinessDate day, int count,
                                       std::uint64_t seed);
    /// Puts every row back.
    Status Repair(mysql::Session& session) const;

    const std::vector<Damage>& damages() const { return damages_; }
    std::int64_t CountOf(DamageKind kind) const;
    /// Whose sums differ now.
    const std::set<std::int64_t>& visible() const { return visible_; }
    /// Who has wrong accruals that the sums hide.
    const std::set<std::int64_t>& hidden() const { return hidden_; }

 private:
    PlantedDamage(BusinessDate day, std::vector<Damage> damages);

    BusinessDate day_;
    std::vector<Damage> damages_;
    std::set<std::int64_t> visible_;
    std::set<std::int64_t> hidden_;
};

}  // namespace kessai::bench
