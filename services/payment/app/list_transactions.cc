#include "app/list_transactions.h"

#include <algorithm>

#include "domain/refusal.h"
#include "kessai/event/bucket.h"
#include "kessai/ids/id_generator.h"

namespace kessai::payment::app {
namespace {

using domain::Refusal;
using domain::Refuse;

// A database that took over may have a clock that is behind: a day's changes may be later than its
// end by as much as that.
constexpr Duration kClocksApart = std::chrono::hours(1);

const Instant kEarliest = FromMicros(0);
// Far beyond every change, and within Instant.
const Instant kLatest = BusinessDate::FromNumber(22000101).value().StartsAt();

/// Ids of objects that were made from the beginning of `first` in Japan to the end of `last`.
void SetIds(TransactionRange& range) {
    range.ids_first = std::max<std::int64_t>(1, IdGenerator::LowestAt(range.first_date.StartsAt()));
    range.ids_last =
        std::max(range.ids_first, IdGenerator::LowestAt(range.last_date.Next().StartsAt()));
}

/// Even parts of `count` from `first`; the last one ends at the end.
std::int64_t PartBegin(std::int64_t first, std::int64_t count, int part, int parts) {
    // count * part does not fit 64 bits for ids.
    return first + count / parts * part + count % parts * part / parts;
}

void SetPart(TransactionRange& range, int part, int parts) {
    const std::int64_t ids = range.ids_last - range.ids_first;
    range.part_first = PartBegin(range.ids_first, ids, part, parts);
    range.part_last = PartBegin(range.ids_first, ids, part + 1, parts);
    const auto buckets = [&](int of) {
        return static_cast<int>(PartBegin(0, event::kBuckets, of, parts));
    };
    range.bucket_first = buckets(part);
    range.bucket_last = buckets(part + 1) - 1;
}

bool IsWithin(const TransactionRange& range, const TransactionPosition& position) {
    if (position == TransactionPosition()) return true;
    if (!range.merchant.is_none()) {
        return position.pass == 1 && position.bucket == 0 && position.date >= range.first_date &&
               position.date <= range.last_date;
    }
    if (position.pass == 0) {
        return position.object >= range.part_first && position.object < range.part_last;
    }
    return position.date >= range.first_date && position.date <= range.last_date &&
           position.bucket >= range.bucket_first && position.bucket <= range.bucket_last;
}

}  // namespace

Status ListTransactions::Run(const TransactionQuery& query,
                             const std::function<bool(const TransactionRow&)>& take) {
    KESSAI_ASSIGN_OR_RETURN(TransactionRange range, query.business_date.has_value()
                                                        ? RangeOfDay(*query.business_date)
                                                        : RangeOfTime(query.from, query.to));
    range.merchant = query.merchant;
    range.after = query.after;
    SetIds(range);
    SetPart(range, query.part, query.parts);
    if (!IsWithin(range, query.after)) {
        return Refuse(Refusal::kPageTokenInvalid, "after is no position of this part");
    }
    // A merchant's changes are one range of an index: no parts are made of it.
    if (!query.merchant.is_none() && query.part > 0) return OkStatus();
    return reader_.Read(range, take);
}

Result<TransactionRange> ListTransactions::RangeOfDay(BusinessDate date) {
    KESSAI_ASSIGN_OR_RETURN(const Day day, days_.Find(date));
    if (day.state == DayState::kOpen) {
        return Refuse(Refusal::kDayOpen,
                      date.ToString() + " is open: changes are still dated to it");
    }
    TransactionRange range;
    range.first_date = range.last_date = date;
    range.from = kEarliest;
    range.to = kLatest;
    range.is_whole_day = true;
    return range;
}

Result<TransactionRange> ListTransactions::RangeOfTime(Instant from, Instant to) {
    KESSAI_ASSIGN_OR_RETURN(const DayStore::Now now, days_.Read());
    if (now.time < to) {
        return Refuse(Refusal::kDayNotOver,
                      "the period ends at " + FormatJst(to) + ", it is " + FormatJst(now.time));
    }
    if (fenced_us_.load() < ToMicros(to)) {
        KESSAI_RETURN_IF_ERROR(reader_.FenceGates(to));
        std::int64_t fenced = fenced_us_.load();
        while (fenced < ToMicros(to) && !fenced_us_.compare_exchange_weak(fenced, ToMicros(to))) {
        }
    }
    KESSAI_ASSIGN_OR_RETURN(const auto ended, reader_.EndedDays());
    TransactionRange range;
    range.from = from;
    range.to = to;
    // A day's changes were accepted between the end of the day before it and its own.
    range.first_date = range.last_date = now.open_date;
    Instant begun_at = kEarliest;
    bool found = false;
    const auto add = [&](BusinessDate date) {
        range.first_date = found ? std::min(range.first_date, date) : date;
        range.last_date = found ? std::max(range.last_date, date) : date;
        found = true;
    };
    for (const EndedDay& day : ended) {
        if (day.ended_at + kClocksApart >= from && begun_at < to + kClocksApart) add(day.date);
        begun_at = day.ended_at;
    }
    if (begun_at < to + kClocksApart) add(now.open_date);
    return range;
}

}  // namespace kessai::payment::app
