#pragma once

#include "kessai/ids/strong_id.h"

namespace kessai::payment::domain {

using PaymentId = StrongId<struct PaymentIdTag>;
using RefundId = StrongId<struct RefundIdTag>;
using TopUpId = StrongId<struct TopUpIdTag>;
using MerchantId = StrongId<struct MerchantIdTag>;
using UserId = StrongId<struct UserIdTag>;
using EventId = StrongId<struct EventIdTag>;

}  // namespace kessai::payment::domain
