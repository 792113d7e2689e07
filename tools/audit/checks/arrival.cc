#include "checks/arrival.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "source/inbox_tables.h"
#include "source/payout_tables.h"

namespace kessai::audit {
namespace {

using enum Invariant;

constexpr Duration kPollEvery = std::chrono::milliseconds(100);
constexpr Duration kBrokerTimeout = std::chrono::seconds(10);

using Ranges = std::vector<kafka::OffsetRange>;

class ArrivalWait {
 public:
    ArrivalWait(const ArrivalPlaces& places, Instant snapshot_at, const PaymentDays& days,
                Duration wait, const Clock& clock, Report& report)
        : places_(places),
          snapshot_at_(snapshot_at),
          days_(days),
          clock_(clock),
          report_(report),
          begin_(clock.SteadyNow()),
          deadline_(begin_ + wait) {}

    Arrival Run() {
        Arrival arrival;
        const std::string& payment_topic = places_.payment_topic_name;
        const std::string& payout_topic = places_.payout_topic_name;
        arrival.payment_unsent = WaitForOutbox(places_.payment, snapshot_at_);
        arrival.payment_ranges = RangesOf(places_.payment_topic, payment_topic);
        const bool payout_is_up =
            WaitForConsumer("payout", places_.payout, payment_topic, arrival.payment_ranges);
        WaitForConsumer("gateway", places_.gateway, payment_topic, arrival.payment_ranges);
        WaitForPayoutDays(payout_is_up);
        arrival.payout_unsent = WaitForPayoutOutbox();
        arrival.payout_ranges = RangesOf(places_.payout_topic, payout_topic);
        arrival.reconciliation_is_up = WaitForConsumer("reconciliation", places_.reconciliation,
                                                       payment_topic, arrival.payment_ranges);
        arrival.reconciliation_is_up &= WaitForConsumer("reconciliation", places_.reconciliation,
                                                        payout_topic, arrival.payout_ranges);
        arrival.payment_is_up =
            WaitForConsumer("payment", places_.payment, payout_topic, arrival.payout_ranges);
        arrival.waited = std::chrono::duration_cast<Duration>(clock_.SteadyNow() - begin_);
        return arrival;
    }

 private:
    /// True when `done` was in time; a refusal of it ends the wait too, and is told.
    bool Until(const std::function<Result<bool>()>& done) {
        for (;;) {
            const Result<bool> is_done = done();
            if (!is_done.ok()) {
                report_.CouldNotCheck(kBacklog, is_done.status().ToString());
                return true;
            }
            if (*is_done) return true;
            if (clock_.SteadyNow() >= deadline_) return false;
            clock_.SleepFor(kPollEvery);
        }
    }

    /// What is left; how old it is is told with the backlog.
    UnsentRows WaitForOutbox(mysql::Session* session, Instant written_by) {
        UnsentRows unsent;
        if (session == nullptr) return unsent;
        Until([&]() -> Result<bool> {
            KESSAI_ASSIGN_OR_RETURN(unsent, CountUnsent(*session, written_by));
            return unsent.rows == 0;
        });
        return unsent;
    }
    UnsentRows WaitForPayoutOutbox() {
        if (places_.payout == nullptr) return {};
        const auto now = places_.payout->DatabaseNow();
        if (now.ok()) return WaitForOutbox(places_.payout, *now);
        report_.CouldNotCheck(kBacklog, now.status().ToString());
        return {};
    }

    std::optional<Ranges> RangesOf(kafka::TopicReader* reader, const std::string& topic) {
        if (reader == nullptr) return std::nullopt;
        auto ranges = reader->QueryRanges(kBrokerTimeout);
        if (ranges.ok()) return std::move(ranges).value();
        report_.CouldNotCheck(kM6, topic + ": " + ranges.status().ToString());
        return std::nullopt;
    }

    /// Whether it has applied all of the ranges.
    bool WaitForConsumer(std::string_view service, mysql::Session* session,
                         const std::string& topic, const std::optional<Ranges>& ranges) {
        if (session == nullptr || !ranges.has_value() || !Consumes(service, *session)) return false;
        ConsumerOffsets offsets;
        Until([&]() -> Result<bool> {
            KESSAI_ASSIGN_OR_RETURN(offsets, ReadOffsets(*session, topic));
            return Lag(offsets, *ranges) == 0;
        });
        TellLag(service, topic, offsets, *ranges);
        ReportBeyondEnd(service, topic, offsets, *ranges);
        return Lag(offsets, *ranges) == 0;
    }
    /// Every service has the table, if it consumes anything.
    bool Consumes(std::string_view service, mysql::Session& session) {
        const auto has_offsets = HasTable(session, "consumer_offset");
        if (has_offsets.ok() && *has_offsets) return true;
        const bool is_needed = service != "gateway";
        if (!has_offsets.ok() || is_needed) {
            report_.CouldNotCheck(kBacklog,
                                  std::string(service) + ": " +
                                      (has_offsets.ok() ? "no table consumer_offset"
                                                        : has_offsets.status().ToString()));
        }
        return false;
    }
    static std::int64_t LagOf(const ConsumerOffsets& offsets, const Ranges& ranges,
                              std::size_t partition) {
        const auto found = offsets.partitions.find(static_cast<int>(partition));
        const bool has_begun = found != offsets.partitions.end();
        const std::int64_t next = has_begun ? found->second.next : ranges[partition].first;
        return std::max<std::int64_t>(0, ranges[partition].end - next);
    }
    static std::int64_t Lag(const ConsumerOffsets& offsets, const Ranges& ranges) {
        std::int64_t lag = 0;
        for (std::size_t i = 0; i < ranges.size(); ++i) lag += LagOf(offsets, ranges, i);
        return lag;
    }
    void TellLag(std::string_view service, const std::string& topic, const ConsumerOffsets& offsets,
                 const Ranges& ranges) {
        std::string partitions;
        std::int64_t still_us = 0;
        for (std::size_t i = 0; i < ranges.size(); ++i) {
            if (LagOf(offsets, ranges, i) == 0) continue;
            partitions += (partitions.empty() ? "" : ", ") + std::to_string(i);
            const auto found = offsets.partitions.find(static_cast<int>(i));
            if (found == offsets.partitions.end()) continue;
            still_us = std::max(still_us, found->second.read_at_us - found->second.moved_at_us);
        }
        if (partitions.empty()) return;
        report_.CouldNotCheck(
            kBacklog, std::string(service) + " is " + std::to_string(Lag(offsets, ranges)) +
                          " messages behind in " + topic + " after the wait (partitions " +
                          partitions + "), and has not moved for up to " + SecondsText(still_us));
    }
    /// An offset that the topic does not have: whatever is published next is never read.
    void ReportBeyondEnd(std::string_view service, const std::string& topic,
                         const ConsumerOffsets& offsets, const Ranges& ranges) {
        for (const auto& [partition, state] : offsets.partitions) {
            const std::int64_t next = state.next;
            const auto i = static_cast<std::size_t>(partition);
            const bool exists = partition >= 0 && i < ranges.size();
            // The topic may have grown since its end was asked for, by as much as was read.
            const Result<std::int64_t> end = exists && next > ranges[i].end
                                                 ? EndNow(topic, i)
                                                 : Result<std::int64_t>(std::int64_t{INT64_MAX});
            if (exists && end.ok() && next <= *end) continue;
            report_.Found(kBacklog, "consumer's offset", [&, of = partition, offset = next] {
                return Finding{{{"service", std::string(service)},
                                {"partition", topic + "/" + std::to_string(of)}},
                               exists && end.ok() ? "at most " + std::to_string(*end)
                                                  : "of a partition that there is",
                               std::to_string(offset)};
            });
        }
    }
    Result<std::int64_t> EndNow(const std::string& topic, std::size_t partition) {
        kafka::TopicReader& reader =
            topic == places_.payment_topic_name ? *places_.payment_topic : *places_.payout_topic;
        KESSAI_ASSIGN_OR_RETURN(const auto ranges, reader.QueryRanges(kBrokerTimeout));
        return ranges[partition].end;
    }

    void WaitForPayoutDays(bool payout_is_up) {
        if (places_.payout == nullptr) return;
        std::vector<DayNumber> open;
        const bool closed = Until([&]() -> Result<bool> {
            KESSAI_ASSIGN_OR_RETURN(const auto payout_days, ReadPayoutDays(*places_.payout));
            open.clear();
            for (const auto& [day, state] : days_.ended) {
                const auto found = payout_days.find(day);
                const bool is_closed =
                    found != payout_days.end() && found->second.state >= kPayoutClosed;
                if (state.state == kDayClosed && !is_closed) open.push_back(day);
            }
            return open.empty();
        });
        if (closed) return;
        for (const DayNumber day : open) {
            if (!payout_is_up) {
                report_.CouldNotCheck(
                    kM8, DayText(day) + " is not closed in payout, which has not read all of it");
                continue;
            }
            report_.Found(kM8, "day is not closed in payout", [&] {
                return Finding{{{"day", DayText(day)}}, "closed, as in payment", "open"};
            });
        }
    }

    const ArrivalPlaces& places_;
    const Instant snapshot_at_;
    const PaymentDays& days_;
    const Clock& clock_;
    Report& report_;
    const SteadyInstant begin_;
    const SteadyInstant deadline_;
};

}  // namespace

Arrival WaitForArrival(const ArrivalPlaces& places, Instant snapshot_at, const PaymentDays& days,
                       Duration wait, const Clock& clock, Report& report) {
    return ArrivalWait(places, snapshot_at, days, wait, clock, report).Run();
}

}  // namespace kessai::audit
