#pragma once

#include <cstdint>
#include <string_view>

#include "domain/ids.h"
#include "kessai/result/result.h"
#include "kessai/rpc/service.h"

/// Whom a request is about, and who asks.
namespace kessai::payout::transport {

/// INVALID_ARGUMENT FIELD_INVALID.
Result<domain::MerchantId> ParseMerchant(std::int64_t id);

/// The caller's own merchant, or the one that an operator names. NOT_FOUND MERCHANT_UNKNOWN: what
/// others have is as if it were not there.
Result<domain::MerchantId> MerchantOf(const rpc::CallContext& context, std::int64_t named);

std::string_view Subject(const rpc::CallContext& context);

}  // namespace kessai::payout::transport
