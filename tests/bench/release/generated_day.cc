#include "bench/release/generated_day.h"

#include <algorithm>
#include <numeric>

#include "kessai/result/check.h"

namespace kessai::bench {
namespace {

using payout::domain::ChangeKind;
using payout::domain::EventId;
using payout::domain::MerchantId;
using payout::domain::PaymentChange;
using payout::domain::PaymentId;

constexpr std::int64_t kChangesPerBlock = 8'192;
constexpr std::int64_t kFirstMerchant = 10'000'000;
constexpr std::int64_t kFirstPayment = 7'000'000'000'000;
constexpr std::int64_t kFirstEvent = 9'000'000'000'000;
constexpr std::uint64_t kSalesPerRefund = 30;
constexpr double kHalf = 0.5;

struct NamedSkew {
    Skew skew;
    std::string_view name;
};
constexpr NamedSkew kSkews[] = {
    {Skew::kZipf, "zipf"}, {Skew::kUniform, "uniform"}, {Skew::kHalf, "half"}};

load::WeightedChoice ChoiceOf(const DayRecipe& recipe) {
    const auto merchants = static_cast<std::size_t>(recipe.merchants);
    switch (recipe.skew) {
        case Skew::kUniform:
            return load::WeightedChoice::Zipf(merchants, 0.0);
        case Skew::kHalf: {
            if (merchants < 2) break;
            // What everybody has anyway is no part of the draw.
            const double drawn = static_cast<double>(recipe.accruals - recipe.merchants);
            const double share =
                kHalf * static_cast<double>(recipe.accruals) / std::max(drawn, 1.0);
            return load::WeightedChoice::ZipfWithHotFirst(merchants, 1.0, std::min(share, 1.0));
        }
        case Skew::kZipf:
            break;
    }
    return load::WeightedChoice::Zipf(merchants, 1.0);
}

}  // namespace

std::optional<Skew> SkewOf(std::string_view name) {
    for (const NamedSkew& known : kSkews) {
        if (known.name == name) return known.skew;
    }
    return std::nullopt;
}

std::string_view NameOf(Skew skew) {
    return kSkews[static_cast<std::size_t>(skew)].name;
}

GeneratedDay::GeneratedDay(const DayRecipe& recipe) : recipe_(recipe) {
    KESSAI_CHECK(recipe.merchants > 0 && recipe.merchants <= recipe.accruals,
                 "every merchant has an accrual");
    choice_ = ChoiceOf(recipe);
    // Any number without a common divisor takes every id once; this is the golden section's.
    stride_ = std::max<std::int64_t>(
        1, static_cast<std::int64_t>(0.618 * static_cast<double>(recipe.merchants)));
    while (std::gcd(stride_, recipe.merchants) != 1) ++stride_;
}

std::int64_t GeneratedDay::block_count() const {
    return (recipe_.accruals + kChangesPerBlock - 1) / kChangesPerBlock;
}

MerchantId GeneratedDay::MerchantAt(std::int64_t rank) const {
    return MerchantId(kFirstMerchant + rank * stride_ % recipe_.merchants);
}

MerchantId GeneratedDay::first_merchant() const {
    return MerchantId(kFirstMerchant);
}

MerchantId GeneratedDay::last_merchant() const {
    return MerchantId(kFirstMerchant + recipe_.merchants - 1);
}

void GeneratedDay::Make(std::int64_t block, std::vector<PaymentChange>& changes) const {
    changes.clear();
    load::Random random(recipe_.seed * 1'000'003 + static_cast<std::uint64_t>(block));
    const std::int64_t first = block * kChangesPerBlock;
    const std::int64_t end = std::min(recipe_.accruals, first + kChangesPerBlock);
    // The sale before, while it may still be refunded.
    const PaymentChange* sale = nullptr;
    changes.reserve(static_cast<std::size_t>(end - first));
    const auto ranks_before = [&](std::int64_t i) {
        return i * recipe_.merchants / recipe_.accruals;
    };
    for (std::int64_t i = first; i < end; ++i) {
        PaymentChange change;
        change.event = EventId(kFirstEvent + i);
        change.business_date = change.payment_date = recipe_.day;
        change.currency = Currency::Jpy();
        // The one that every merchant has, evenly over the day.
        const bool is_owed = ranks_before(i + 1) > ranks_before(i);
        if (!is_owed && sale != nullptr && random.Below(kSalesPerRefund) == 0) {
            change.kind = ChangeKind::kRefunded;
            change.key = {sale->key.payment, 2};
            change.merchant = sale->merchant;
            change.captured_total = sale->captured_total;
            change.amount = sale->amount / 2;
            sale = nullptr;
        } else {
            const std::int64_t rank =
                is_owed ? ranks_before(i) : static_cast<std::int64_t>(choice_->Draw(random));
            change.key = {PaymentId(kFirstPayment + i), 1};
            change.merchant = MerchantAt(rank);
            change.amount = static_cast<std::int64_t>(50 + random.Below(2'950));
            if (random.Below(10) == 0) change.amount *= 10;
            change.captured_total = change.amount;
        }
        changes.push_back(change);
        if (change.kind == ChangeKind::kCompleted) sale = &changes.back();
    }
}

}  // namespace kessai::bench
