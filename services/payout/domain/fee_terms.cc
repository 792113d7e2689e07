#include "domain/fee_terms.h"

#include <algorithm>

#include "domain/payment_change.h"
#include "domain/reason.h"
#include "kessai/money/money.h"

namespace kessai::payout::domain {
namespace {

constexpr std::int64_t kBasisPointsOfAll = 10'000;

Status Invalid(const char* message) {
    return Status(Code::kInvalidArgument, reason::kPlanInvalid, message);
}

bool IsAmount(std::int64_t value) {
    return value >= 0 && value <= kMaxAmount;
}

}  // namespace

Status Validate(const FeeTerms& terms) {
    if (terms.rate_basis_points > kBasisPointsOfAll) return Invalid("the rate is above 100 %");
    if (!IsAmount(terms.fixed)) return Invalid("the fixed fee is out of range");
    if (!IsAmount(terms.minimum)) return Invalid("the minimum fee is out of range");
    if (!IsAmount(terms.maximum)) return Invalid("the maximum fee is out of range");
    if (terms.maximum != 0 && terms.maximum < terms.minimum) {
        return Invalid("the maximum fee is below the minimum");
    }
    return OkStatus();
}

std::int64_t FeeOf(const FeeTerms& terms, std::int64_t amount) {
    KESSAI_CHECK(amount >= 0 && amount <= kMaxAmount, "amounts are validated before fees");
    if (amount == 0) return 0;
    const std::int64_t share =
        FloorMulDiv(amount, terms.rate_basis_points, kBasisPointsOfAll).value();
    const std::int64_t fee = std::max(share + terms.fixed, terms.minimum);
    return terms.maximum == 0 ? fee : std::min(fee, terms.maximum);
}

std::int64_t FeeReturned(std::int64_t fee, std::int64_t captured, std::int64_t refunded_before,
                         std::int64_t amount) {
    KESSAI_CHECK(fee >= 0 && captured > 0 && refunded_before >= 0 && amount >= 0 &&
                     amount <= captured - refunded_before,
                 "changes are validated before fees");
    const std::int64_t before = FloorMulDiv(fee, refunded_before, captured).value();
    const std::int64_t after = FloorMulDiv(fee, refunded_before + amount, captured).value();
    return after - before;
}

}  // namespace kessai::payout::domain
