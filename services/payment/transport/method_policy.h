#pragma once

#include "kessai/auth/policy.h"

namespace kessai::payment::transport {

/// Who may call which method of PaymentService.
auth::MethodPolicy Policy();

}  // namespace kessai::payment::transport
