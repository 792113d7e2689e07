#include "domain/merchant_day.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace kessai::reconciliation::domain {

namespace {

// A damaged row may say any number; sums of such wrap around instead of ending the process, and
// differ all the same.
std::int64_t Plus(std::int64_t a, std::int64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
std::int64_t Minus(std::int64_t a, std::int64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}

LineSums operator+(const LineSums& a, const LineSums& b) {
    return {Plus(a.gross, b.gross), Plus(a.fee, b.fee), Plus(a.item_count, b.item_count)};
}

std::string Describe(const LineSums& sums) {
    return "gross " + std::to_string(sums.gross) + ", fee " + std::to_string(sums.fee) + " of " +
           std::to_string(sums.item_count) + " changes";
}

Finding FindingOf(BusinessDate day, MerchantId merchant, DiscrepancyKind kind,
                  std::int64_t expected, std::int64_t found, std::string evidence) {
    return {.subject = {.business_date = day, .kind = kind, .held_merchant = merchant},
            .merchant = merchant,
            .currency = Currency::Jpy(),
            .payment_gross = expected,
            .payout_gross = found,
            .evidence = std::move(evidence)};
}

/// What the tax of the invoice cycle, rounded once, grows by with a day's fee.
std::int64_t TaxOfDay(TaxClass tax_class, std::int64_t cycle_fee_before, std::int64_t fee) {
    return Minus(TaxOf(tax_class, Plus(cycle_fee_before, fee)), TaxOf(tax_class, cycle_fee_before));
}

/// What is wrong with what was released of a line, in words; empty when nothing is.
std::string FaultOf(const MerchantDayLine& line) {
    if (!line.released) {
        return line.accrued.item_count == 0 ? std::string() : "nothing was released";
    }
    const ReleasedLine& released = *line.released;
    if (released.sums != line.accrued) {
        return "released was " + Describe(released.sums) + ", the totals say " +
               Describe(line.accrued);
    }
    if (released.net != Minus(Minus(released.sums.gross, released.sums.fee), released.tax)) {
        return "net " + std::to_string(released.net) + " is not gross " +
               std::to_string(released.sums.gross) + " less fee " +
               std::to_string(released.sums.fee) + " less tax " + std::to_string(released.tax);
    }
    const std::int64_t tax = TaxOfDay(line.tax_class, released.cycle_fee_before, released.sums.fee);
    if (released.tax != tax) {
        return "tax is " + std::to_string(released.tax) + " and should be " + std::to_string(tax) +
               ": that of fee " + std::to_string(released.sums.fee) + ", after fees of " +
               std::to_string(released.cycle_fee_before) + " that the month released before";
    }
    return {};
}

void AddReason(std::string& evidence, TaxClass tax_class, std::string_view reason) {
    if (!evidence.empty()) evidence += "; ";
    evidence += std::string(TaxClassName(tax_class)) + ": " + std::string(reason);
}

void CheckAccrued(BusinessDate day, const MerchantDay& merchant, std::vector<Finding>& findings) {
    LineSums matched;
    LineSums accrued;
    std::string evidence;
    bool fees_noted = true;
    for (const MerchantDayLine& line : merchant.lines) {
        matched = matched + line.matched;
        accrued = accrued + line.accrued;
        if (line.tax_class == TaxClass::kNotNoted && line.matched.item_count != 0) {
            fees_noted = false;
        }
        if (line.matched == line.accrued) continue;
        AddReason(evidence, line.tax_class,
                  "matched was " + Describe(line.matched) + ", payout's totals say " +
                      Describe(line.accrued));
    }
    if (!fees_noted) {
        // Older matches know neither class nor fee.
        if (matched.gross == accrued.gross && matched.item_count == accrued.item_count) return;
        accrued.fee = matched.fee = 0;
    }
    if (evidence.empty()) return;
    findings.push_back(FindingOf(day, merchant.merchant, DiscrepancyKind::kAccruedDiffers,
                                 Minus(matched.gross, matched.fee),
                                 Minus(accrued.gross, accrued.fee), std::move(evidence)));
}

void CheckReleased(BusinessDate day, const MerchantDay& merchant, std::vector<Finding>& findings) {
    std::string evidence;
    std::int64_t expected = 0;
    std::int64_t found = 0;
    for (const MerchantDayLine& line : merchant.lines) {
        expected = Plus(expected, Minus(line.accrued.gross, line.accrued.fee));
        if (line.released) found = Plus(found, Plus(line.released->net, line.released->tax));
        const std::string fault = FaultOf(line);
        if (!fault.empty()) AddReason(evidence, line.tax_class, fault);
    }
    if (evidence.empty()) return;
    findings.push_back(FindingOf(day, merchant.merchant, DiscrepancyKind::kReleasedDiffers,
                                 expected, found, std::move(evidence)));
}

}  // namespace

ReleaseTotals Sum(const ReleaseTotals& a, const ReleaseTotals& b) {
    return {.merchant_count = Plus(a.merchant_count, b.merchant_count),
            .gross = Plus(a.gross, b.gross),
            .fee = Plus(a.fee, b.fee),
            .tax = Plus(a.tax, b.tax),
            .net = Plus(a.net, b.net)};
}

std::string Describe(const ReleaseTotals& totals) {
    return "gross " + std::to_string(totals.gross) + ", fee " + std::to_string(totals.fee) +
           ", tax " + std::to_string(totals.tax) + ", net " + std::to_string(totals.net) + " of " +
           std::to_string(totals.merchant_count) + " merchants";
}

std::vector<Finding> CheckMerchantDay(BusinessDate day, const MerchantDay& merchant,
                                      bool released) {
    std::vector<Finding> findings;
    CheckAccrued(day, merchant, findings);
    if (released && !merchant.held_back) CheckReleased(day, merchant, findings);
    return findings;
}

std::vector<Finding> CheckReleaseTotals(BusinessDate day, const ReleaseTotals& told,
                                        const ReleaseTotals& noted, const ReleaseTotals& rows) {
    if (told == noted && noted == rows) return {};
    return {FindingOf(day, MerchantId(), DiscrepancyKind::kReleaseToldDiffers, rows.gross,
                      told.gross,
                      "its events told " + Describe(told) + "; its rounds noted " +
                          Describe(noted) + "; its rows sum to " + Describe(rows))};
}

std::vector<Finding> CheckFunds(BusinessDate day, const MerchantFunds& funds) {
    const std::int64_t available =
        Plus(Minus(Minus(Plus(funds.released, funds.adjusted), funds.paid), funds.prices),
             funds.came_back);
    if (available == funds.available && funds.open_transfers == funds.in_transit) return {};
    return {FindingOf(day, funds.merchant, DiscrepancyKind::kBalanceDiffers,
                      Plus(available, funds.open_transfers),
                      Plus(funds.available, funds.in_transit),
                      "released " + std::to_string(funds.released) + ", adjusted " +
                          std::to_string(funds.adjusted) + ", paid " + std::to_string(funds.paid) +
                          " with prices of " + std::to_string(funds.prices) + ", came back " +
                          std::to_string(funds.came_back) + ": available should be " +
                          std::to_string(available) + " and is " + std::to_string(funds.available) +
                          "; open transfers are " + std::to_string(funds.open_transfers) +
                          ", in transit is " + std::to_string(funds.in_transit))};
}

}  // namespace kessai::reconciliation::domain
