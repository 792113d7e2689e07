#pragma once

#include "app/trace_funds.h"
#include "kessai/payout/v1/transfer_service.pb.h"

/// Traces, and what they are of, as messages.
namespace kessai::payout::transport {

v1::Accrual ToMessage(const app::RecordedAccrual& recorded);
v1::TransferTrace ToMessage(const app::TransferTrace& trace);
v1::ListDayAccrualsResponse ToMessage(const app::AccrualPage& page);
v1::PaymentTrace ToMessage(const app::PaymentTrace& trace);

/// Of a page's `next_page_token`; of nothing: the beginning. INVALID_ARGUMENT FIELD_INVALID.
Result<app::AccrualPosition> ParseAccrualPosition(std::string_view text);

}  // namespace kessai::payout::transport
