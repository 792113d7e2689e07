#include "transport/callers.h"

#include "domain/reason.h"

namespace kessai::payout::transport {

Result<domain::MerchantId> ParseMerchant(std::int64_t id) {
    if (id > 0) return domain::MerchantId(id);
    return Status(Code::kInvalidArgument, domain::reason::kFieldInvalid,
                  "merchant_id is not positive");
}

Result<domain::MerchantId> MerchantOf(const rpc::CallContext& context, std::int64_t named) {
    const auth::Principal& caller = context.principal();
    if (caller.role != auth::Role::kMerchant) return ParseMerchant(named);
    if (named == 0 || named == caller.merchant_id) return domain::MerchantId(caller.merchant_id);
    return Status(Code::kNotFound, domain::reason::kMerchantUnknown, "no such merchant");
}

std::string_view Subject(const rpc::CallContext& context) {
    return context.principal().subject;
}

}  // namespace kessai::payout::transport
