#include "app/balance_books.h"

#include "kessai/event/bucket.h"

namespace kessai::payment::app {
namespace {

// A day is summed in so many statements, each over as many buckets: a long one would keep the
// server from dropping old versions of wallets' rows meanwhile.
constexpr int kParts = 64;
static_assert(event::kBuckets % kParts == 0);
constexpr int kBucketsOfPart = event::kBuckets / kParts;

}  // namespace

Result<DayBalance> BalanceBooks::Run(BusinessDate day, const GoOn& go_on) {
    const std::lock_guard one_at_a_time(mutex_);
    DayBalance balance;
    // Ended before it is summed: nothing comes between.
    KESSAI_ASSIGN_OR_RETURN(balance.day, days_.Find(day));

    // The days first: one that is kept meanwhile is in both lists then, and never in none.
    KESSAI_ASSIGN_OR_RETURN(const auto days, books_.DaysBefore(day));
    KESSAI_ASSIGN_OR_RETURN(const auto kept, books_.KeptThrough(day));
    for (const BusinessDate before : days) {
        const auto found = kept.find(before);
        if (found != kept.end()) {
            KESSAI_RETURN_IF_ERROR(balance.opening.Add(found->second));
            continue;
        }
        KESSAI_ASSIGN_OR_RETURN(const auto moved, SumEnded(before, go_on));
        KESSAI_RETURN_IF_ERROR(balance.opening.Add(moved));
    }
    if (const auto found = kept.find(day); found != kept.end()) {
        balance.moved = found->second;
    } else if (balance.is_final()) {
        KESSAI_ASSIGN_OR_RETURN(balance.moved, SumEnded(day, go_on));
    } else {
        Sums sums{day, 0, {}};
        KESSAI_RETURN_IF_ERROR(Finish(sums, go_on));
        balance.moved = sums.moved;
    }
    balance.closing = balance.opening;
    KESSAI_RETURN_IF_ERROR(balance.closing.Add(balance.moved));
    KESSAI_ASSIGN_OR_RETURN(balance.cleared, books_.ClearedOf(day));
    return balance;
}

Status BalanceBooks::Finish(Sums& sums, const GoOn& go_on) {
    while (sums.next_part < kParts) {
        KESSAI_RETURN_IF_ERROR(go_on());
        const int first = sums.next_part * kBucketsOfPart;
        KESSAI_ASSIGN_OR_RETURN(const auto of_part,
                                books_.SumBuckets(sums.day, first, first + kBucketsOfPart - 1));
        KESSAI_ASSIGN_OR_RETURN(domain::TrialBalance moved, MovedBy(of_part));
        KESSAI_RETURN_IF_ERROR(moved.Add(sums.moved));
        sums.moved = moved;
        ++sums.next_part;
    }
    return OkStatus();
}

Result<domain::TrialBalance> BalanceBooks::SumEnded(BusinessDate day, const GoOn& go_on) {
    if (!begun_ || begun_->day != day) begun_ = Sums{day, 0, {}};
    KESSAI_RETURN_IF_ERROR(Finish(*begun_, go_on));
    KESSAI_ASSIGN_OR_RETURN(const DayStore::Now now, days_.Read());
    KESSAI_RETURN_IF_ERROR(books_.Keep(day, begun_->moved, now.time));
    const domain::TrialBalance moved = begun_->moved;
    begun_.reset();
    return moved;
}

}  // namespace kessai::payment::app
