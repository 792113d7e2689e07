#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "domain/day_part.h"
#include "domain/invoice_parties.h"
#include "domain/merchant_journal.h"
#include "domain/release.h"
#include "domain/tax.h"
#include "kessai/result/result.h"

/// A merchant's statement of an invoice cycle (the calendar month), which is its qualified invoice
/// too: what it was paid, and what it was charged for.
///
/// What a qualified invoice (適格請求書) has to say, and where it is here: Consumption Tax Act,
/// article 57-4, paragraph 1; National Tax Agency, No. 6625 (適格請求書等の記載事項).
///
///     issuer's name and registration number    InvoiceIssuer
///     date of the supply                       the cycle; of a payout's price its own day
///     what was supplied, reduced rate marked   payment and payout services; nothing of ours is
///                                              under the reduced rate
///     sums per rate, and the rate              RateLine::supplied, PriceLine::price
///     tax per rate                             RateLine::tax, PriceLine::tax
///     recipient's name                         MerchantProfile
///
/// Fees that were given back are returns (適格返還請求書, paragraph 3: issuer, days of the return
/// and of what was supplied, per rate): RateLine::given_back with the days of their payments, at
/// the rate of their payments. One document may be both, and may state the tax of what was supplied
/// less what was returned, rate by rate, if it always does: National Tax Agency, invoice system Q&A
/// (適格請求書と適格返還請求書を一の書類で交付する場合). So it is here: one rounding for each
/// invoice and rate (No. 6371), of the difference. See InvoiceTax.
///
/// The price of a payout is agreed with its tax included and each payout is a supply of its own,
/// with its own rounding (AmountsToPay). Each is a qualified invoice of its own on the same paper:
/// PriceLine, with the issuer and recipient of the whole.
namespace kessai::payout::domain {

/// A line of merchant_release of a day.
struct DayRelease {
    BusinessDate business_date;
    ReleaseLine line;
};

/// A row of the merchants' journal, and what it is about.
struct StatementMove {
    JournalId journal = {};
    BusinessDate business_date = {};
    MerchantJournal row = {};
    /// Of a transfer.
    PayoutId payout = {};
    int attempt = 0;
    BusinessDate transfer_date = {};
    /// Of a cancelled one: when it was made, and its price charged.
    BusinessDate charged_on = {};
    /// The bank's of a transfer that failed or came back; of an adjustment the operator's.
    std::string reason = {};
};

/// What a statement is made of: committed rows of one merchant.
struct StatementRows {
    MerchantId merchant;
    BusinessDate cycle_start;
    /// Before the cycle: releases of days before it, and journals of days before it.
    MerchantFunds opening;
    /// Of the cycle's days, by day and tax class.
    std::vector<DayRelease> releases;
    /// Of the cycle's days, over all slots.
    std::vector<DayPart> parts;
    /// Of the cycle's days, by number.
    std::vector<StatementMove> moves;
};

/// What was released of one day and tax class. Signs are those of the merchant's balance:
/// sales + returns + benefits + fee + tax = net.
struct DayLine {
    BusinessDate business_date;
    TaxClass tax_class = TaxClass::kNone;
    std::int64_t sale_count = 0;
    std::int64_t return_count = 0;
    std::int64_t sales = 0;
    std::int64_t returns = 0;
    std::int64_t benefits = 0;
    std::int64_t fee = 0;
    std::int64_t tax = 0;
    std::int64_t net = 0;

    bool operator==(const DayLine&) const = default;
};

/// The cycle's fees of one tax class, as an invoice says them: positive is charged.
struct RateLine {
    TaxClass tax_class = TaxClass::kNone;
    /// Tax-exclusive.
    std::int64_t charged = 0;
    /// Not positive.
    std::int64_t given_back = 0;
    /// Both together; negative when returns outweigh.
    std::int64_t supplied = 0;
    std::int64_t tax = 0;
    /// Where fees were given back: the first and last day of their payments.
    std::optional<BusinessDate> payment_first;
    std::optional<BusinessDate> payment_last;

    bool operator==(const RateLine&) const = default;
};

/// The price of one payout. One that was charged and given back in the cycle makes no line, for
/// nothing was supplied; one of an earlier cycle, which an invoice may have said, is a return.
struct PriceLine {
    PayoutId payout;
    BusinessDate business_date;
    TaxClass tax_class = TaxClass::kNone;
    /// Tax included, and the tax in it; negative: given back.
    std::int64_t price = 0;
    std::int64_t tax = 0;
    /// Of a return: the day of the supply that it undoes.
    std::optional<BusinessDate> charged_on = {};

    bool operator==(const PriceLine&) const = default;
};

/// What a statement sums to. Signs are those of the balance.
struct StatementSums {
    /// Over the days. Counts, and sales + returns + benefits + fee + tax = net.
    DayLine days;
    /// For the bank, and the prices of that with their tax, less those given back.
    std::int64_t sent = 0;
    std::int64_t prices = 0;
    /// Back from the bank, or cancelled before it went there.
    std::int64_t came_back = 0;
    std::int64_t adjusted = 0;

    bool operator==(const StatementSums&) const = default;
};

struct Statement {
    MerchantId merchant;
    BusinessDate cycle_start;
    BusinessDate cycle_end;
    std::int64_t opening = 0;
    std::int64_t opening_in_transit = 0;
    std::vector<DayLine> days;
    std::vector<StatementMove> moves;
    std::vector<RateLine> rates;
    std::vector<PriceLine> prices;
    StatementSums sums;
    /// opening + days.net + sent + prices + came_back + adjusted.
    std::int64_t closing = 0;
    std::int64_t closing_in_transit = 0;
};

/// Refuses with DATA_LOSS STATEMENT_DIFFERS rows that do not fit each other (a net that is not what
/// it is made of, a tax that is not the invoice's, another merchant or cycle), and with
/// OUT_OF_RANGE AMOUNT_OVERFLOW: both mean damaged rows.
Result<Statement> MakeStatement(const StatementRows& rows, const TaxTable& taxes);

/// What a row of the journal makes of available, and how much of that is a payout's price.
std::int64_t EffectOnAvailable(const MerchantJournal& row);
std::int64_t EffectOfPrice(const MerchantJournal& row);

/// "202611-1001", one for each cycle and merchant; a correction's "202611-1001-2".
std::string StatementNumber(MerchantId merchant, BusinessDate cycle_start, int version = 1);

/// What a correction says of itself. A qualified invoice with an error has to be corrected
/// (Consumption Tax Act, article 57-4, paragraph 4), by one that says all of it anew or one that
/// says what is other; each names the one it corrects, and copies of both are kept: National Tax
/// Agency, invoice system Q&A (修正した適格請求書の交付方法). Ours says all of it anew.
struct StatementCorrection {
    std::string number;
    BusinessDate issued_on;
    std::string reason;

    bool operator==(const StatementCorrection&) const = default;
};

/// A statement on paper. Without a number it is a draft, and no invoice.
struct StatementPaper {
    Statement statement;
    InvoiceIssuer issuer;
    std::string recipient;
    std::string number;
    BusinessDate issued_on;
    /// What it corrects, if it does.
    std::optional<StatementCorrection> corrects = {};

    bool is_draft() const { return number.empty(); }
};

}  // namespace kessai::payout::domain
