#pragma once

#include "app/balance_books.h"
#include "app/report_fees.h"
#include "domain/tax.h"
#include "kessai/payout/v1/transfer_service.pb.h"

/// Reports for accounting as messages.
namespace kessai::payout::transport {

v1::TrialBalance ToMessage(const app::DayBalance& balance);
v1::FeeReport ToMessage(const app::FeeReport& report, const domain::TaxTable& taxes);

}  // namespace kessai::payout::transport
