#pragma once

#include <cstdint>
#include <string_view>

#include "model/values.h"

namespace kessai::audit {

// The 16-byte primary keys of payment_order, refund and top_up, as services/payment documents them:
// the first half of SHA-256 over the numbers of the natural key (8 bytes each, least significant
// first) and then its text.

Hash16 OrderKeyOf(std::int64_t merchant_id, std::string_view merchant_payment_id);
Hash16 RefundKeyOf(std::int64_t merchant_id, std::int64_t payment_id,
                   std::string_view merchant_refund_id);
Hash16 TopUpKeyOf(std::int64_t user_id, std::string_view idempotency_key);

}  // namespace kessai::audit
