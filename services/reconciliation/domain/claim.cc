#include "domain/claim.h"

#include <string>
#include <string_view>

namespace kessai::reconciliation::domain {

namespace {

Status Invalid(std::string_view what) {
    return Status(Code::kInvalidArgument, "CLAIM_INVALID", std::string(what));
}

Status Validate(const ChangeKey& key, const Terms& terms, EventId event) {
    if (key.payment.value() <= 0 || key.version == 0) return Invalid("names no change");
    if (terms.merchant.value() <= 0) return Invalid("names no merchant");
    if (event.value() <= 0) return Invalid("has no event id");
    if (terms.gross.minor() > kGrossMax || terms.gross.minor() < -kGrossMax) {
        return Invalid("moves " + terms.gross.ToString());
    }
    return OkStatus();
}

}  // namespace

Status Validate(const PaymentClaim& claim) {
    return Validate(claim.key, claim.terms, claim.event);
}

Status Validate(const PayoutClaim& claim) {
    if (claim.answered_event.value() <= 0) return Invalid("answers no event");
    if (claim.told_fee.fee > kGrossMax || claim.told_fee.fee < -kGrossMax) {
        return Invalid("has a fee of " + std::to_string(claim.told_fee.fee));
    }
    return Validate(claim.key, claim.terms, claim.event);
}

}  // namespace kessai::reconciliation::domain
