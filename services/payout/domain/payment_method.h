#pragma once

#include <cstdint>
#include <vector>

#include "kessai/result/result.h"

namespace kessai::payout::domain {

/// What a part of a payment was paid with. The numbers are stored, and are those of
/// `kessai.payment.v1.MethodAmount.Method`.
enum class Method : std::uint8_t {
    /// Money of the wallet.
    kWallet = 1,
    kPoint = 2,
    kCreditCard = 3,
    kPayLater = 4,
    kGiftVoucher = 5,
    kCoupon = 6,
    kCashback = 7,
};

/// Whether a stored or received number is a method.
bool IsMethod(std::int64_t number);

struct MethodAmount {
    Method method = Method::kWallet;
    std::int64_t amount = 0;

    bool operator==(const MethodAmount&) const = default;
};

/// How an amount splits over methods: each once, in their order, positive. Empty, as nearly always:
/// all of the amount is money.
using MethodSplit = std::vector<MethodAmount>;

/// The split of `amount` that `parts` say, in its one form: several parts of a method are joined,
/// empty parts dropped, and a split that is all money is empty. No parts at all: all is money.
/// Refuses with INVALID_ARGUMENT FIELD_INVALID an unknown method, a negative part, and parts that
/// don't sum to `amount`.
Result<MethodSplit> MakeSplit(std::vector<MethodAmount> parts, std::int64_t amount);

/// What is left of a split of `whole_amount` without a part of it. Preconditions: both in their one
/// form, see above.
/// Refuses with INVALID_ARGUMENT FIELD_INVALID when the part has more of a method than the whole.
Result<MethodSplit> SplitWithout(const MethodSplit& whole, std::int64_t whole_amount,
                                 const MethodSplit& part, std::int64_t part_amount);

}  // namespace kessai::payout::domain
