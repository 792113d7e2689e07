#pragma once

#include "kessai/ids/strong_id.h"

namespace kessai::reconciliation::domain {

using PaymentId = StrongId<struct PaymentIdTag>;
using MerchantId = StrongId<struct MerchantIdTag>;
using EventId = StrongId<struct EventIdTag>;
using DiscrepancyId = StrongId<struct DiscrepancyIdTag>;
using OutsideItemId = StrongId<struct OutsideItemIdTag>;
using FileId = StrongId<struct FileIdTag>;
using FileRunId = StrongId<struct FileRunIdTag>;

}  // namespace kessai::reconciliation::domain
