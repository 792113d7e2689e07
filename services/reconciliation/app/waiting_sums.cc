#include "app/waiting_sums.h"

#include "kessai/ids/id_generator.h"

namespace kessai::reconciliation::app {

Instant WaitingSums::PeriodOf(const domain::Match& waiting) {
    const Instant told = IdGenerator::TimeOf(waiting.payment_event.value());
    return told - told.time_since_epoch() % kPeriod;
}

void WaitingSums::Add(const domain::Match& waiting, int sign) {
    const std::int64_t gross = waiting.terms.gross.minor();
    Sum& sum = periods_[PeriodOf(waiting)];
    sum.changes += sign;
    sum.value += sign * (gross < 0 ? -gross : gross);
}

}  // namespace kessai::reconciliation::app
