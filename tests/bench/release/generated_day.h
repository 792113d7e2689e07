#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "domain/payment_change.h"
#include "load/zipf.h"

namespace kessai::bench {

/// How payments fall to merchants.
enum class Skew : std::uint8_t {
    /// The k-th most popular merchant has 1/k of what the first has.
    kZipf,
    kUniform,
    /// One merchant has half of all payments, the others the rest by Zipf.
    kHalf,
};

std::optional<Skew> SkewOf(std::string_view name);
std::string_view NameOf(Skew skew);

/// What a day is made of. The same recipe gives the same day.
struct DayRecipe {
    BusinessDate day;
    std::int64_t accruals = 0;
    /// Each has at least one. At most `accruals`.
    std::int64_t merchants = 0;
    Skew skew = Skew::kZipf;
    std::uint64_t seed = 1;
};

/// The changes of a day's payments, in the order of time: sales, and every thirtieth or so a refund
/// of a half of the sale before it. Immutable after it is made; any number of threads may draw.
class GeneratedDay {
 public:
    explicit GeneratedDay(const DayRecipe& recipe);

    const DayRecipe& recipe() const { return recipe_; }
    /// The day is made block by block, each by itself.
    std::int64_t block_count() const;
    /// Replaces what `changes` holds.
    void Make(std::int64_t block, std::vector<payout::domain::PaymentChange>& changes) const;

    /// Of the merchant that is the `rank`-th most popular, counted from 0: ids are dense, and
    /// popularity is spread over them.
    payout::domain::MerchantId MerchantAt(std::int64_t rank) const;
    payout::domain::MerchantId first_merchant() const;
    payout::domain::MerchantId last_merchant() const;

 private:
    DayRecipe recipe_;
    std::optional<load::WeightedChoice> choice_;
    std::int64_t stride_ = 1;
};

}  // namespace kessai::bench
