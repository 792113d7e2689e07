#include "domain/release.h"

#include "kessai/money/money.h"

namespace kessai::payout::domain {

std::string_view HoldReasonName(HoldReason reason) {
    switch (reason) {
        case HoldReason::kEventParked:
            return "EVENT_PARKED";
        case HoldReason::kRecountDiffers:
            return "RECOUNT_DIFFERS";
        case HoldReason::kFeeDiffers:
            return "FEE_DIFFERS";
        case HoldReason::kSealBroken:
            return "SEAL_BROKEN";
    }
    return "UNRECOGNIZED";
}

Result<ReleaseLine> MakeReleaseLine(const MerchantSums& recounted, std::int64_t fees_before,
                                    const TaxTable& taxes) {
    ReleaseLine line;
    line.merchant = recounted.merchant;
    line.tax_class = recounted.tax_class;
    line.sums = recounted.sums;
    KESSAI_ASSIGN_OR_RETURN(const TaxClass tax_class,
                            taxes.FromNumber(static_cast<std::int64_t>(recounted.tax_class)));
    // Both ends of the cycle's fees and their magnitudes must fit.
    KESSAI_ASSIGN_OR_RETURN(const std::int64_t fees_after,
                            CheckedAdd(fees_before, recounted.sums.fee));
    KESSAI_RETURN_IF_ERROR(CheckedSubtract(0, fees_before));
    KESSAI_RETURN_IF_ERROR(CheckedSubtract(0, fees_after));
    line.tax = DayTax(taxes.RateOf(tax_class), fees_before, recounted.sums.fee);
    KESSAI_ASSIGN_OR_RETURN(const std::int64_t before_tax,
                            CheckedSubtract(recounted.sums.gross, recounted.sums.fee));
    KESSAI_ASSIGN_OR_RETURN(line.net, CheckedSubtract(before_tax, line.tax));
    return line;
}

Result<ReleaseSums> Add(const ReleaseSums& a, const ReleaseSums& b) {
    ReleaseSums sums;
    sums.merchant_count = a.merchant_count + b.merchant_count;
    sums.held_back_count = a.held_back_count + b.held_back_count;
    KESSAI_ASSIGN_OR_RETURN(sums.gross, CheckedAdd(a.gross, b.gross));
    KESSAI_ASSIGN_OR_RETURN(sums.fee, CheckedAdd(a.fee, b.fee));
    KESSAI_ASSIGN_OR_RETURN(sums.tax, CheckedAdd(a.tax, b.tax));
    KESSAI_ASSIGN_OR_RETURN(sums.net, CheckedAdd(a.net, b.net));
    return sums;
}

Result<ReleaseSums> AddLine(const ReleaseSums& sums, const ReleaseLine& line) {
    return Add(sums, {0, 0, line.sums.gross, line.sums.fee, line.tax, line.net});
}

}  // namespace kessai::payout::domain
