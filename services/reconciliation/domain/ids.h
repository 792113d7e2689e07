#pragma once

#include "kessai/ids/strong_id.h"

namespace kessai::reconciliation::domain {

using PaymentId = StrongId<struct PaymentIdTag>;
using MerchantId = StrongId<struct MerchantIdTag>;
using EventId = StrongId<struct EventIdTag>;
using DiscrepancyId = StrongId<struct DiscrepancyIdTag>;
using TransferId = StrongId<struct TransferIdTag>;
using OutsideItemId = StrongId<struct OutsideItemIdTag>;
using OutsideMatchId = StrongId<struct OutsideMatchIdTag>;
using StatementImportId = StrongId<struct StatementImportIdTag>;
using FileId = StrongId<struct FileIdTag>;
using FileRunId = StrongId<struct FileRunIdTag>;

}  // namespace kessai::reconciliation::domain
