#include "app/books.h"

#include "kessai/result/check.h"

namespace kessai::reconciliation::app {

void MatchedSums::Add(const domain::Match& match) {
    KESSAI_CHECK(match.state == domain::MatchState::kMatched, "only what was matched is summed");
    const domain::Terms& terms = match.terms;
    Total& total = totals_[{terms.business_date, terms.merchant, terms.gross.currency(),
                            match.told_fee.tax_class}];
    total.gross += terms.gross.minor();
    total.fee += match.told_fee.fee;
    ++total.item_count;
    digest_.Add({.object_id = match.key.payment.value(),
                 .version = match.key.version,
                 .business_date = terms.business_date,
                 .merchant_id = terms.merchant.value(),
                 .signed_gross = terms.gross.minor()});
}

}  // namespace kessai::reconciliation::app
