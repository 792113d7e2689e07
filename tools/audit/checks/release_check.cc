#include "checks/release_check.h"

#include <algorithm>
#include <map>
#include <string>

#include "kessai/event/bucket.h"
#include "kessai/payout/v1/payout_event.pb.h"

namespace kessai::audit {
namespace {

using enum Invariant;

constexpr Wide kClocksApartUs = 60'000'000;

ChangeKey KeyOf(const RoundRow& round) {
    return {round.business_date, static_cast<std::uint32_t>(round.round) + 1};
}

std::string Describe(const payout::v1::DayReleased& message) {
    return message.ShortDebugString();
}

payout::v1::DayReleased MessageOf(const RoundRow& round) {
    payout::v1::DayReleased message;
    message.set_business_date(round.business_date);
    message.set_currency("JPY");
    message.set_merchant_count(round.merchant_count);
    message.set_held_back_count(round.held_back_count);
    message.set_gross(round.gross);
    message.set_fee(round.fee);
    message.set_tax(round.tax);
    message.set_net(round.net);
    message.set_round(static_cast<std::uint32_t>(round.round));
    return message;
}

class ReleaseCheck {
 public:
    ReleaseCheck(const ReleaseSources& sources, Report& report)
        : sources_(sources), report_(report) {
        for (const ReleaseEvent& event : sources.events) {
            events_[{event.event.object_id, event.event.version}].push_back(&event);
        }
    }

    void Run() {
        for (const RoundRow& round : sources_.rounds) {
            if (!round.finished) continue;
            if (round.round > 0 && round.merchant_count == 0) continue;
            rounds_[KeyOf(round)] = &round;
            if (sources_.payout_topic != nullptr) CheckEvent(round);
            if (sources_.cleared != nullptr) CheckCleared(round);
        }
        if (sources_.payout_topic != nullptr) CheckStrayEvents();
        if (sources_.cleared != nullptr) CheckStrayJournals();
        report_.LookedAt(kM8, "rounds of releases", rounds_.size());
    }

 private:
    static Subject OfKey(const ChangeKey& key) {
        return {{"day", DayText(static_cast<DayNumber>(key.object))},
                {"round", std::int64_t{key.version} - 1}};
    }
    bool MustHaveArrived(const RoundRow& round) const {
        return round.finished_at_us <= sources_.began_at_us;
    }

    bool IsUnsent(const RoundRow& round) const {
        const ChangeKey key = KeyOf(round);
        return !events_.contains(key) &&
               sources_.payout_unsent.MayHold(key.object, round.finished_at_us);
    }
    void TellInFlight(Invariant invariant, const RoundRow& round, std::string_view where) {
        report_.CouldNotCheck(invariant,
                              "the release of " + ToText(OfKey(KeyOf(round))) + " is " +
                                  std::string(where) + "; it was made " +
                                  SecondsText(sources_.began_at_us - round.finished_at_us) +
                                  " before the audit began");
    }

    void CheckEvent(const RoundRow& round) {
        const ChangeKey key = KeyOf(round);
        const auto subject = [&] { return OfKey(key); };
        const auto found = events_.find(key);
        if (found == events_.end()) {
            if (!MustHaveArrived(round) || !IsRetained(round)) return;
            if (IsUnsent(round)) return TellInFlight(kM6, round, "still in payout's outbox");
            report_.Found(kM6, "event of release is missing", [&] {
                return Finding{subject(), Describe(MessageOf(round)), "none"};
            });
            return;
        }
        for (const ReleaseEvent* event : found->second) {
            const int partition = event::PartitionOf(
                key.object, static_cast<int>(sources_.payout_topic->partitions.size()));
            report_.Expect(kM6, "partition", subject, partition, event->id.partition);
            report_.Expect(kM6, "time of release's event", subject, round.finished_at_us,
                           ToMicros(event->event.occurred_at));
            if (event->event.payload == MessageOf(round).SerializeAsString()) continue;
            report_.Found(kM6, "content of release's event", [&] {
                payout::v1::DayReleased message;
                const bool readable = message.ParseFromString(event->event.payload);
                return Finding{subject(), Describe(MessageOf(round)),
                               readable ? Describe(message) : "no DayReleased"};
            });
        }
    }
    bool IsRetained(const RoundRow& round) const {
        const auto& partitions = sources_.payout_topic->partitions;
        const auto& partition = partitions[static_cast<std::size_t>(
            event::PartitionOf(round.business_date, static_cast<int>(partitions.size())))];
        return !partition.truncated() ||
               round.finished_at_us - kClocksApartUs >= partition.complete_from_us();
    }

    void CheckCleared(const RoundRow& round) {
        const ChangeKey key = KeyOf(round);
        const auto subject = [&] { return OfKey(key); };
        const auto journal = std::find_if(sources_.cleared->begin(), sources_.cleared->end(),
                                          [&](const Change& change) { return change.key == key; });
        if (journal == sources_.cleared->end()) {
            if (!MustHaveArrived(round)) return;
            if (IsUnsent(round) || !sources_.payment_is_up) {
                return TellInFlight(kM8, round, "still on its way to payment");
            }
            report_.Found(kM8, "release is not cleared", [&] {
                return Finding{subject(),
                               "a journal of payment over " + std::to_string(round.gross), "none"};
            });
            return;
        }
        report_.Expect(kM8, "cleared beside released", subject, round.gross, journal->amount);
        const auto row = std::find_if(sources_.clearings->begin(), sources_.clearings->end(),
                                      [&](const ClearingRow& one) { return one.key == key; });
        const auto event = events_.find(key);
        if (row == sources_.clearings->end() || event == events_.end()) return;
        report_.Expect(kM8, "event that was cleared", subject,
                       event->second.front()->event.content_hash, row->content_hash);
    }

    void CheckStrayEvents() {
        for (const auto& [key, events] : events_) {
            if (rounds_.contains(key)) continue;
            for (const ReleaseEvent* event : events) {
                report_.Found(kM6, "event of no release", [&, of = key] {
                    Subject subject = OfKey(of);
                    subject.emplace_back("message", event->id.ToString());
                    return Finding{subject, "a finished round", "none"};
                });
            }
        }
    }
    void CheckStrayJournals() {
        for (const Change& change : *sources_.cleared) {
            if (rounds_.contains(change.key)) continue;
            // A round that was finished after payout's snapshot may be cleared by now.
            if (change.occurred_at_us > sources_.began_at_us) continue;
            report_.Found(kM8, "cleared what was not released", [&] {
                return Finding{OfKey(change.key), "a finished round",
                               "a journal over " + std::to_string(change.amount)};
            });
        }
    }

    const ReleaseSources& sources_;
    Report& report_;
    std::map<ChangeKey, std::vector<const ReleaseEvent*>> events_;
    std::map<ChangeKey, const RoundRow*> rounds_;
};

}  // namespace

void CheckReleases(const ReleaseSources& sources, Report& report) {
    ReleaseCheck(sources, report).Run();
}

}  // namespace kessai::audit
