#include "domain/statement.h"

#include <algorithm>
#include <map>

#include "domain/ledger.h"
#include "domain/statement_reason.h"
#include "kessai/money/money.h"

namespace kessai::payout::domain {
namespace {

Status Differs(const StatementRows& rows, std::string_view why) {
    return Status(Code::kDataLoss, reason::kStatementDiffers,
                  "merchant " + rows.merchant.ToString() + ", cycle of " +
                      rows.cycle_start.ToString() + ": " + std::string(why));
}

/// sum += amount
Status Grow(std::int64_t& sum, std::int64_t amount) {
    KESSAI_ASSIGN_OR_RETURN(sum, CheckedAdd(sum, amount));
    return OkStatus();
}

/// Parts by day and tax class.
class PartBook {
 public:
    explicit PartBook(const std::vector<DayPart>& parts) {
        for (const DayPart& part : parts) {
            found_[{part.business_date, part.part.tax_class}].push_back(&part);
        }
    }
    const std::vector<const DayPart*>& Of(BusinessDate day, TaxClass tax_class) const {
        static const std::vector<const DayPart*> kNone;
        const auto at = found_.find({day, tax_class});
        return at == found_.end() ? kNone : at->second;
    }

 private:
    std::map<std::pair<BusinessDate, TaxClass>, std::vector<const DayPart*>> found_;
};

class Maker {
 public:
    Maker(const StatementRows& rows, const TaxTable& taxes)
        : rows_(rows), taxes_(taxes), parts_(rows.parts) {}

    Result<Statement> Make() {
        made_.merchant = rows_.merchant;
        made_.cycle_start = rows_.cycle_start;
        made_.cycle_end = CycleEnd(rows_.cycle_start);
        KESSAI_ASSIGN_OR_RETURN(made_.opening, AvailableOf(rows_.opening));
        made_.opening_in_transit = rows_.opening.in_transit;
        for (const DayRelease& release : rows_.releases) {
            KESSAI_RETURN_IF_ERROR(AddRelease(release));
        }
        for (auto& [tax_class, rate] : rates_) {
            if (rate.tax != InvoiceTax(taxes_.RateOf(tax_class), rate.supplied)) {
                return Differs(rows_, "the days' tax is not that of the invoice");
            }
            // Days without a fee make no line of an invoice.
            if (rate.charged != 0 || rate.given_back != 0) made_.rates.push_back(rate);
        }
        MerchantFunds funds = rows_.opening;
        for (const StatementMove& move : rows_.moves) {
            KESSAI_RETURN_IF_ERROR(AddMove(move, funds));
        }
        KESSAI_RETURN_IF_ERROR(Grow(funds.released, made_.sums.days.net));
        KESSAI_ASSIGN_OR_RETURN(made_.closing, AvailableOf(funds));
        made_.closing_in_transit = funds.in_transit;
        KESSAI_RETURN_IF_ERROR(CheckSum());
        return std::move(made_);
    }

 private:
    Status AddRelease(const DayRelease& release) {
        const ReleaseLine& line = release.line;
        if (line.merchant != rows_.merchant ||
            CycleStart(release.business_date) != rows_.cycle_start) {
            return Differs(rows_, "a release of another merchant or cycle");
        }
        KESSAI_RETURN_IF_ERROR(taxes_.FromNumber(static_cast<std::int64_t>(line.tax_class)));
        DayLine day{.business_date = release.business_date,
                    .tax_class = line.tax_class,
                    .sale_count = line.sums.item_count,
                    .sales = line.sums.gross,
                    .fee = -line.sums.fee,
                    .tax = -line.tax,
                    .net = line.net};
        RateLine& rate = rates_[line.tax_class];
        rate.tax_class = line.tax_class;
        std::int64_t given_back = 0;
        for (const DayPart* part : parts_.Of(release.business_date, line.tax_class)) {
            const Sums& sums = part->part.sums;
            day.sale_count -= sums.item_count;
            KESSAI_ASSIGN_OR_RETURN(day.sales, CheckedSubtract(day.sales, sums.gross));
            if (part->kind == DayPartKind::kBenefits) {
                KESSAI_RETURN_IF_ERROR(Grow(day.benefits, sums.gross));
            } else if (part->kind == DayPartKind::kReturns) {
                day.return_count += sums.item_count;
                KESSAI_RETURN_IF_ERROR(Grow(day.returns, sums.gross));
                KESSAI_RETURN_IF_ERROR(Grow(given_back, sums.fee));
                rate.payment_first =
                    std::min(rate.payment_first.value_or(part->payment_first), part->payment_first);
                rate.payment_last =
                    std::max(rate.payment_last.value_or(part->payment_last), part->payment_last);
            }
        }
        if (day.sale_count < 0 || day.sales < 0 || day.returns > 0 || given_back > 0) {
            return Differs(rows_, "the parts of a day are larger than the day");
        }
        KESSAI_ASSIGN_OR_RETURN(const std::int64_t charged,
                                CheckedSubtract(line.sums.fee, given_back));
        KESSAI_RETURN_IF_ERROR(Grow(rate.charged, charged));
        KESSAI_RETURN_IF_ERROR(Grow(rate.given_back, given_back));
        KESSAI_RETURN_IF_ERROR(Grow(rate.supplied, line.sums.fee));
        KESSAI_RETURN_IF_ERROR(Grow(rate.tax, line.tax));
        KESSAI_RETURN_IF_ERROR(CheckDay(day));
        made_.days.push_back(day);

        DayLine& sum = made_.sums.days;
        sum.sale_count += day.sale_count;
        sum.return_count += day.return_count;
        KESSAI_RETURN_IF_ERROR(Grow(sum.sales, day.sales));
        KESSAI_RETURN_IF_ERROR(Grow(sum.returns, day.returns));
        KESSAI_RETURN_IF_ERROR(Grow(sum.benefits, day.benefits));
        KESSAI_RETURN_IF_ERROR(Grow(sum.fee, day.fee));
        KESSAI_RETURN_IF_ERROR(Grow(sum.tax, day.tax));
        return Grow(sum.net, day.net);
    }

    Status CheckDay(const DayLine& day) const {
        std::int64_t sum = 0;
        for (const std::int64_t amount : {day.sales, day.returns, day.benefits, day.fee, day.tax}) {
            KESSAI_RETURN_IF_ERROR(Grow(sum, amount));
        }
        if (sum == day.net) return OkStatus();
        return Differs(rows_, "a day's net is not what it is made of");
    }

    Status AddMove(const StatementMove& move, MerchantFunds& funds) {
        if (move.row.merchant != rows_.merchant ||
            CycleStart(move.business_date) != rows_.cycle_start) {
            return Differs(rows_, "a journal of another merchant or cycle");
        }
        KESSAI_RETURN_IF_ERROR(Post(move.row, funds));
        made_.moves.push_back(move);
        StatementSums& sums = made_.sums;
        switch (move.row.kind) {
            case JournalKind::kTransferCreated: {
                const std::int64_t price = move.row.fee + move.row.tax;
                if (price != 0) {
                    made_.prices.push_back({move.payout, move.business_date,
                                            taxes_.ClassOn(move.business_date), price,
                                            move.row.tax});
                }
                KESSAI_RETURN_IF_ERROR(Grow(sums.prices, -price));
                return Grow(sums.sent, -move.row.amount);
            }
            case JournalKind::kTransferCancelled: {
                const std::int64_t price = move.row.fee + move.row.tax;
                if (price != 0) GiveBack(move, price);
                KESSAI_RETURN_IF_ERROR(Grow(sums.prices, price));
                return Grow(sums.came_back, move.row.amount);
            }
            case JournalKind::kTransferFailed:
            case JournalKind::kTransferReturned:
                return Grow(sums.came_back, move.row.amount);
            case JournalKind::kAdjustment:
                return Grow(sums.adjusted, move.row.amount);
            case JournalKind::kTransferSettled:
                return OkStatus();
        }
        return OkStatus();
    }

    void GiveBack(const StatementMove& move, std::int64_t price) {
        const auto charged = std::ranges::find_if(made_.prices, [&](const PriceLine& line) {
            return line.payout == move.payout && line.price > 0;
        });
        if (charged != made_.prices.end()) {
            made_.prices.erase(charged);
            return;
        }
        made_.prices.push_back({.payout = move.payout,
                                .business_date = move.business_date,
                                .tax_class = taxes_.ClassOn(move.charged_on),
                                .price = -price,
                                .tax = -move.row.tax,
                                .charged_on = move.charged_on});
    }

    /// The same two ways: by the sums that are shown, and by the ledger's postings.
    Status CheckSum() const {
        const StatementSums& sums = made_.sums;
        std::int64_t closing = made_.opening;
        for (const std::int64_t amount :
             {sums.days.net, sums.sent, sums.prices, sums.came_back, sums.adjusted}) {
            KESSAI_RETURN_IF_ERROR(Grow(closing, amount));
        }
        return closing == made_.closing ? OkStatus()
                                        : Differs(rows_, "the sums do not lead to the balance");
    }

    const StatementRows& rows_;
    const TaxTable& taxes_;
    const PartBook parts_;
    std::map<TaxClass, RateLine> rates_;
    Statement made_;
};

}  // namespace

Result<Statement> MakeStatement(const StatementRows& rows, const TaxTable& taxes) {
    return Maker(rows, taxes).Make();
}

std::int64_t EffectOnAvailable(const MerchantJournal& row) {
    std::int64_t effect = 0;
    for (const Posting& posting : PostingsOf(row)) {
        if (posting.account == Account::kAvailable) effect += posting.amount;
    }
    return effect;
}

std::int64_t EffectOfPrice(const MerchantJournal& row) {
    const std::int64_t price = row.fee + row.tax;
    return row.kind == JournalKind::kTransferCancelled ? price : -price;
}

std::string StatementNumber(MerchantId merchant, BusinessDate cycle_start, int version) {
    return std::to_string(cycle_start.ToNumber() / 100) + "-" + merchant.ToString() +
           (version > 1 ? "-" + std::to_string(version) : std::string());
}

}  // namespace kessai::payout::domain
