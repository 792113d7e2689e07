#include "checks/change_join.h"

#include <algorithm>
#include <vector>

#include "checks/in_flight.h"
#include "rules/accrual_rules.h"
#include "rules/event_rules.h"
#include "source/reconciliation_tables.h"

namespace kessai::audit {
namespace {

using enum Invariant;

class ChangeJoin {
 public:
    ChangeJoin(const ChangeSources& sources, const ChangeHints& hints,
               const ChangeJoinOutput& output, Report& report)
        : sources_(sources), hints_(hints), output_(output), report_(report) {
        if (sources.payment_topic != nullptr) {
            payment_events_.emplace("object", *sources.payment_topic, hints.explain_event, report);
        }
        if (sources.payout_topic != nullptr && sources.payout != nullptr) {
            payout_events_.emplace(
                "payment", *sources.payout_topic,
                [this](const EventRecord& event) {
                    return hints_.explain_payout_event(event, *accrual_);
                },
                report);
        }
        if (sources.reconciliation != nullptr) matches_.emplace(*sources.reconciliation);
    }

    Status Run() {
        while (Gather()) {
            if (payment_events_.has_value()) CheckEvents();
            if (sources_.payout != nullptr) CheckAccruals();
            if (payout_events_.has_value()) CheckPayoutEvents();
            if (matches_.has_value()) CheckMatches();
        }
        KESSAI_RETURN_IF_ERROR(StatusOfSources());
        TellInFlight();
        Count();
        return OkStatus();
    }

 private:
    /// Takes all that is of the next key; false at the end, and after a failure.
    bool Gather() {
        const auto* next_match = matches_.has_value() ? matches_->Peek() : nullptr;
        std::optional<ChangeKey> key;
        const auto see = [&](const auto* row) {
            if (row != nullptr && (!key.has_value() || row->key < *key)) key = row->key;
        };
        see(sources_.changes.Peek());
        if (sources_.payment_topic != nullptr) see(sources_.payment_topic->events.Peek());
        if (sources_.payout != nullptr) see(sources_.payout->accruals.Peek());
        if (sources_.payout_topic != nullptr) see(sources_.payout_topic->events.Peek());
        see(next_match);
        if (!key.has_value() || !StatusOfSources().ok()) return false;
        key_ = *key;
        Take(sources_.changes, change_);
        if (sources_.payment_topic != nullptr) TakeAll(sources_.payment_topic->events, events_);
        if (sources_.payout != nullptr) TakeAccrual();
        if (sources_.payout_topic != nullptr) {
            TakeAll(sources_.payout_topic->events, accrual_events_);
        }
        if (matches_.has_value()) Take(*matches_, match_);
        return true;
    }
    /// One; should there be more with this key, which no table allows, they come next.
    template <class Source, class Row>
    void Take(Source& source, std::optional<Row>& row) {
        row.reset();
        if (source.Peek() == nullptr || source.Peek()->key != key_) return;
        row = *source.Peek();
        source.Pop();
    }
    void TakeAccrual() {
        Sorted<AccrualRow>& accruals = sources_.payout->accruals;
        Take(accruals, accrual_);
        for (; accruals.Peek() != nullptr && accruals.Peek()->key == key_; accruals.Pop()) {
            report_.Found(kM7, "accrued more than once", [&] {
                return Finding{SubjectOfChange(key_), "one accrual",
                               "another on " + DayText(accruals.Peek()->business_date)};
            });
        }
    }
    static constexpr std::size_t kEventsKept = 1'000;
    /// All, of which the first ones are kept: a topic may hold an event any number of times.
    void TakeAll(Sorted<EventRecord>& source, std::vector<EventRecord>& events) {
        events.clear();
        for (; source.Peek() != nullptr && source.Peek()->key == key_; source.Pop()) {
            if (events.size() < kEventsKept) events.push_back(*source.Peek());
        }
    }
    Status StatusOfSources() const {
        KESSAI_RETURN_IF_ERROR(sources_.changes.status());
        if (sources_.payment_topic != nullptr) {
            KESSAI_RETURN_IF_ERROR(sources_.payment_topic->events.status());
        }
        if (sources_.payout != nullptr) KESSAI_RETURN_IF_ERROR(sources_.payout->accruals.status());
        if (sources_.payout_topic != nullptr) {
            KESSAI_RETURN_IF_ERROR(sources_.payout_topic->events.status());
        }
        return matches_.has_value() ? matches_->status() : OkStatus();
    }

    /// Whether an event has come so far that its effects must be there.
    static bool HasReached(const ConsumerOffsets& offsets, const EventRecord& event) {
        return offsets.HasPassed(event.partition, event.offset);
    }
    /// The same of the change at hand. Its event may be missing in the topic: that is not to be
    /// waited for. Without the topic nobody knows.
    bool ChangeHasReached(const ConsumerOffsets& offsets) const {
        if (sources_.payment_topic == nullptr) return false;
        return events_.empty() ? !IsUnsent() : HasReached(offsets, events_.front());
    }
    /// Whether the change's event is still to be published.
    bool IsUnsent() const {
        return events_.empty() &&
               sources_.progress.payment_unsent.MayHold(key_.object, change_->occurred_at_us);
    }
    bool AccrualIsUnsent() const {
        return accrual_events_.empty() &&
               sources_.progress.payout_unsent.MayHold(key_.object, accrual_->recorded_at_us);
    }
    bool HasReachedReconciliation() const {
        const ChangeProgress& progress = sources_.progress;
        if (sources_.payout_topic == nullptr) return false;
        if (!ChangeHasReached(progress.reconciliation_of_payment)) return false;
        if (!accrual_.has_value()) return ChangeHasReached(progress.payout_of_payment);
        if (accrual_events_.empty()) return !AccrualIsUnsent();
        return HasReached(progress.reconciliation_of_payout, accrual_events_.front());
    }

    void CheckEvents() {
        if (change_.has_value()) {
            ++changes_;
            if (IsUnsent()) return unsent_.Add(key_, change_->occurred_at_us);
            payment_events_->Follow({key_, change_->occurred_at_us, change_->event_hash, true},
                                    events_);
            return;
        }
        for (const EventRecord& event : events_) {
            output_.late.Add({key_, event.content_hash, event.offset, event.partition,
                              LateRecord::Source::kEvent});
        }
    }

    void CheckAccruals() {
        if (!change_.has_value()) {
            if (accrual_.has_value()) {
                output_.late.Add(
                    {key_, accrual_->content_hash, 0, 0, LateRecord::Source::kAccrual});
            }
            return;
        }
        const AccrualRow* accrual = accrual_.has_value() ? &*accrual_ : nullptr;
        if (change_->is_of_payment()) {
            ++payment_changes_;
            if (accrual == nullptr && !ChangeHasReached(sources_.progress.payout_of_payment)) {
                return not_accrued_.Add(key_, change_->occurred_at_us);
            }
            CheckAccrual(
                *change_, accrual, sources_.payout->plans,
                [this] { return Hint(hints_.waiting_in_payout); }, report_);
        } else if (accrual != nullptr) {
            report_.Found(kM7, "accrual of what is no payment", [&] {
                return Finding{SubjectOfChange(key_), "none", "gross " + ToText(accrual->gross)};
            });
        }
    }

    void CheckPayoutEvents() {
        if (accrual_.has_value()) {
            ++accruals_;
            if (AccrualIsUnsent()) return accruals_unsent_.Add(key_, accrual_->recorded_at_us);
            payout_events_->Follow(
                {key_, accrual_->recorded_at_us, accrual_->event_hash, change_.has_value()},
                accrual_events_);
            return;
        }
        for (const EventRecord& event : accrual_events_) {
            if (event.of_release) continue;
            report_.Found(kM6, "event without accrual", [&] {
                const MessageId id{sources_.payout_topic->topic, event.partition, event.offset};
                auto subject = SubjectOfChange(key_);
                subject.emplace_back("message", id.ToString());
                return Finding{subject, "none", "event " + std::to_string(event.event_id)};
            });
        }
    }

    void CheckMatches() {
        const MatchRow* match = match_.has_value() ? &*match_ : nullptr;
        if (match != nullptr && match->state == kMatched) {
            output_.matched.Add(
                {match->business_date, match->currency, match->merchant_id, match->gross});
            output_.matched_digests.Add(
                {match->key, match->business_date, match->merchant_id, match->gross});
        }
        if (!change_.has_value()) {
            if (match != nullptr) {
                output_.late.Add({key_, match->payment_content, 0, 0, LateRecord::Source::kMatch});
            }
            return;
        }
        if (!change_->is_of_payment()) return;
        if ((match == nullptr || match->state != kMatched) && !HasReachedReconciliation()) {
            return not_matched_.Add(key_, change_->occurred_at_us);
        }
        CheckMatch(
            *change_, accrual_.has_value() ? &*accrual_ : nullptr, match,
            [this] { return Hint(hints_.waiting_in_reconciliation); }, report_);
    }

    std::string Hint(const std::map<std::int64_t, std::string>& waiting) const {
        const auto found = waiting.find(key_.object);
        return found == waiting.end() ? std::string() : ": " + found->second;
    }

    void TellInFlight() {
        const std::int64_t began_at_us = sources_.progress.began_at_us;
        unsent_.Tell(kM6, "still in payment's outbox", began_at_us, report_);
        accruals_unsent_.Tell(kM6, "accrued, and are still in payout's outbox", began_at_us,
                              report_);
        not_accrued_.Tell(kM7, "still on their way to payout", began_at_us, report_);
        not_matched_.Tell(kM8, "still on their way to reconciliation", began_at_us, report_);
    }
    void Count() {
        if (payment_events_.has_value()) {
            report_.LookedAt(kM6, "changes", changes_);
            report_.LookedAt(kM6, "messages of payment", sources_.payment_topic->messages);
            NoteRetention(*payment_events_, *sources_.payment_topic);
        }
        if (payout_events_.has_value()) {
            report_.LookedAt(kM6, "accruals", accruals_);
            report_.LookedAt(kM6, "messages of payout", sources_.payout_topic->messages);
            NoteRetention(*payout_events_, *sources_.payout_topic);
        }
        if (sources_.payout != nullptr) {
            report_.LookedAt(kM7, "changes of payments", payment_changes_);
        }
        if (matches_.has_value()) report_.LookedAt(kM8, "matches", matches_->count());
    }
    void NoteRetention(const EventFollower& follower, const TopicContents& contents) {
        const bool truncated = std::any_of(contents.partitions.begin(), contents.partitions.end(),
                                           [](const auto& one) { return one.truncated(); });
        if (!truncated) return;
        report_.Note(kM6, contents.topic + " lacks its beginning, which retention removed: " +
                              std::to_string(follower.beyond_retention()) +
                              " rows of before were not looked for in it");
    }

    const ChangeSources& sources_;
    const ChangeHints& hints_;
    const ChangeJoinOutput& output_;
    Report& report_;
    std::optional<EventFollower> payment_events_;
    std::optional<EventFollower> payout_events_;
    std::optional<Paged<MatchTable>> matches_;

    // What is of the key at hand.
    ChangeKey key_;
    std::optional<ChangeRecord> change_;
    std::vector<EventRecord> events_;
    std::optional<AccrualRow> accrual_;
    std::vector<EventRecord> accrual_events_;
    std::optional<MatchRow> match_;

    InFlight unsent_;
    InFlight accruals_unsent_;
    InFlight not_accrued_;
    InFlight not_matched_;
    std::uint64_t changes_ = 0;
    std::uint64_t payment_changes_ = 0;
    std::uint64_t accruals_ = 0;
};

}  // namespace

Status JoinChanges(const ChangeSources& sources, const ChangeHints& hints,
                   const ChangeJoinOutput& output, Report& report) {
    return ChangeJoin(sources, hints, output, report).Run();
}

}  // namespace kessai::audit
