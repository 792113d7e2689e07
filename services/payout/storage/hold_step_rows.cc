#include "storage/hold_step_rows.h"

namespace kessai::payout::storage {

domain::HoldStep ReadHoldStep(const mysql::Rows& row) {
    domain::HoldStep step;
    step.day = row.Date(0);
    step.version = static_cast<std::uint32_t>(row.Int(2));
    step.number = row.Int(3);
    step.held = {domain::MerchantId(row.Int(1)),
                 static_cast<domain::HoldReason>(row.Int(4)),
                 {row.Int(5), row.Int(6), row.Int(7)},
                 {row.Int(8), row.Int(9), row.Int(10)},
                 row.Text(11)};
    if (!row.IsNull(12)) step.released_round = static_cast<int>(row.Int(12));
    step.at = row.At(13);
    return step;
}

}  // namespace kessai::payout::storage
