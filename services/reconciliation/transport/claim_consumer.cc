#include "transport/claim_consumer.h"

#include <algorithm>
#include <any>
#include <string>
#include <utility>

#include "app/note_expected.h"
#include "app/record_day_mark.h"
#include "domain/history_check.h"
#include "kessai/result/check.h"
#include "transport/event_decoding.h"
#include "transport/outside_decoding.h"
#include "transport/payout_notices.h"

namespace kessai::reconciliation::transport {

namespace {

template <class Claim>
struct Side;

template <>
struct Side<domain::PaymentClaim> {
    static constexpr auto kSource = domain::Source::kPayment;
    static constexpr std::string_view kService = "payment";
    static auto Decode(const event::Envelope& event) { return DecodePaymentEvent(event); }
    static auto EffectOf(const domain::Match& match) { return match.PaymentEffect(); }
    static constexpr bool kHasNotices = false;
};

template <>
struct Side<domain::PayoutClaim> {
    static constexpr auto kSource = domain::Source::kPayout;
    static constexpr std::string_view kService = "payout";
    static auto Decode(const event::Envelope& event) { return DecodePayoutEvent(event); }
    static auto EffectOf(const domain::Match& match) { return match.PayoutEffect(); }
    static constexpr bool kHasNotices = true;
};

/// What a batch of payout's says beside its accruals.
struct Notices {
    std::vector<domain::HoldNotice> holds;
    std::vector<domain::TransferNotice> transfers;
    std::vector<app::ReleaseNotice> releases;
};

template <class Decoded, class Notice>
Status Keep(Decoded decoded, std::vector<Notice>& notices) {
    if (!decoded.ok()) return std::move(decoded).status();
    if (*decoded) notices.push_back(std::move(**decoded));
    return OkStatus();
}

Status TakeNotice(const event::Envelope& event, Notices& notices) {
    KESSAI_RETURN_IF_ERROR(Keep(DecodeHold(event), notices.holds));
    KESSAI_RETURN_IF_ERROR(Keep(DecodeTransfer(event), notices.transfers));
    return Keep(DecodeRelease(event), notices.releases);
}

/// Dates as DayReleased names them.
bool IsDate(std::int64_t object) {
    return object >= 2000'01'01 && object <= 9999'12'31;
}

/// Which of the keys are of transfers and releases that were noted before.
Status FindNotedEvents(app::Books& books, std::span<const inbox::EffectKey> keys,
                       inbox::Effects& effects) {
    std::vector<std::int64_t> objects;
    for (const inbox::EffectKey& key : keys) {
        const bool is_new = objects.empty() || objects.back() != key.object_id;
        if (is_new && (domain::IsTransfer(key.object_id) || IsDate(key.object_id))) {
            objects.push_back(key.object_id);
        }
    }
    if (objects.empty()) return OkStatus();
    KESSAI_ASSIGN_OR_RETURN(const auto noted, books.payout.FindNotedEvents(objects));
    for (const domain::NotedHold& event : noted) {
        const inbox::EffectKey key{event.key.object, event.key.version};
        if (std::ranges::binary_search(keys, key)) effects.found.push_back({key, event.content});
    }
    return OkStatus();
}

/// Which of the keys are of holds that were noted before.
Status FindNotedHolds(app::Books& books, std::span<const inbox::EffectKey> keys,
                      inbox::Effects& effects) {
    std::vector<std::int64_t> objects;
    for (const inbox::EffectKey& key : keys) {
        const bool is_new = objects.empty() || objects.back() != key.object_id;
        if (is_new && domain::IsHold(key.object_id)) objects.push_back(key.object_id);
    }
    if (objects.empty()) return OkStatus();
    KESSAI_ASSIGN_OR_RETURN(const auto noted, books.holds.FindNoted(objects));
    for (const domain::NotedHold& hold : noted) {
        const inbox::EffectKey key{hold.key.object, hold.key.version};
        if (std::ranges::binary_search(keys, key)) effects.found.push_back({key, hold.content});
    }
    return OkStatus();
}

}  // namespace

template <class Claim>
Status ClaimConsumer<Claim>::FindEffects(mysql::Session& session,
                                         std::span<const inbox::EffectKey> keys,
                                         inbox::Effects& effects) {
    std::vector<domain::ChangeKey> changes;
    changes.reserve(keys.size());
    for (const auto& key : keys) {
        changes.push_back({domain::PaymentId(key.object_id), key.version});
    }
    return services_.on_books(session, [&](app::Books& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(auto locked, books.matches.Lock(changes));
        for (const domain::Match& match : locked) {
            if (const auto content = Side<Claim>::EffectOf(match)) {
                effects.found.push_back({{match.key.payment.value(), match.key.version}, *content});
            }
        }
        effects.kept = std::move(locked);
        if (!Side<Claim>::kHasNotices) return OkStatus();
        KESSAI_RETURN_IF_ERROR(FindNotedHolds(books, keys, effects));
        return FindNotedEvents(books, keys, effects);
    });
}

template <class Claim>
Status ClaimConsumer<Claim>::Apply(mysql::Session& session, const inbox::Batch& batch,
                                   inbox::Rejections& rejections) {
    std::vector<Claim> claims;
    Notices notices;
    std::map<std::size_t, domain::ExpectedItem> expected;
    for (std::size_t i = 0; i < batch.deliveries.size(); ++i) {
        auto claim = Side<Claim>::Decode(batch.deliveries[i].event);
        if (!claim.ok()) {
            rejections.Reject(i, std::move(claim).status());
        } else if (*claim) {
            claims.push_back(**claim);
        } else if (Status taken = Side<Claim>::kHasNotices
                                      ? TakeNotice(batch.deliveries[i].event, notices)
                                      : OkStatus();
                   !taken.ok()) {
            rejections.Reject(i, std::move(taken));
        } else if (services_.outside_accounts != nullptr) {
            auto item = DecodeExpected(batch.deliveries[i].event, *services_.outside_accounts);
            if (!item.ok()) {
                rejections.Reject(i, std::move(item).status());
            } else if (*item) {
                expected.emplace(i, std::move(**item));
            }
        }
    }
    if (!rejections.empty()) return OkStatus();
    if (!expected.empty()) {
        KESSAI_RETURN_IF_ERROR(NoteExpected(session, batch, expected, rejections));
        if (!rejections.empty()) return OkStatus();
    }
    return services_.on_books(session, [&](app::Books& books) -> Status {
        KESSAI_RETURN_IF_ERROR(services_.note_holds.Apply(books, notices.holds));
        KESSAI_RETURN_IF_ERROR(services_.note_transfers.Apply(books, notices.transfers));
        KESSAI_RETURN_IF_ERROR(services_.note_transfers.Apply(books, notices.releases));
        KESSAI_ASSIGN_OR_RETURN(auto outcome, Match(books, std::span<const Claim>(claims), batch));
        std::lock_guard lock(mutex_);
        uncommitted_[batch.partition] = std::move(outcome);
        return OkStatus();
    });
}

template <class Claim>
Status ClaimConsumer<Claim>::OnConflicts(mysql::Session& session,
                                         std::span<const inbox::ConflictingEvent> conflicts) {
    std::vector<domain::Finding> findings;
    for (const inbox::ConflictingEvent& conflict : conflicts) {
        const event::Envelope& event = conflict.delivery.event;
        // What cannot be read is a dead letter alone.
        if (const auto claim = Side<Claim>::Decode(event); claim.ok() && *claim) {
            findings.push_back(domain::DuplicateFinding(**claim, conflict.why.message()));
        }
        if (!Side<Claim>::kHasNotices) continue;
        if (const auto transfer = DecodeTransfer(event); transfer.ok() && *transfer) {
            findings.push_back(domain::ConflictFinding(**transfer, conflict.why.message()));
        }
    }
    if (findings.empty()) return OkStatus();
    return services_.on_books(session, [&](app::Books& books) {
        return services_.record_conflicts.Apply(books, findings);
    });
}

template <class Claim>
Status ClaimConsumer<Claim>::NoteExpected(
    mysql::Session& session, const inbox::Batch& batch,
    const std::map<std::size_t, domain::ExpectedItem>& expected,
    inbox::Rejections& rejections) const {
    std::vector<std::size_t> places;
    std::vector<domain::ExpectedItem> items;
    for (const auto& [place, item] : expected) {
        places.push_back(place);
        items.push_back(item);
    }
    return services_.on_outside(session, [&](app::OutsideBooks& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(const auto conflicts,
                                app::NoteExpected(books, items, batch.assumed_new));
        for (const auto& [item, why] : conflicts) rejections.Reject(places[item], why);
        return OkStatus();
    });
}

template <class Claim>
Result<app::MatchOutcome> ClaimConsumer<Claim>::Match(app::Books& books,
                                                      std::span<const Claim> claims,
                                                      const inbox::Batch& batch) const {
    if (batch.assumed_new) {
        return services_.match.Apply(books, claims, batch.partition, {.assumed_new = true});
    }
    if (batch.effects == nullptr) return services_.match.Apply(books, claims, batch.partition);
    const auto* locked = std::any_cast<std::vector<domain::Match>>(&batch.effects->kept);
    KESSAI_CHECK(locked != nullptr, "FindEffects keeps what it locked");
    return services_.match.Apply(books, claims, batch.partition, {.locked = *locked});
}

template <class Claim>
void ClaimConsumer<Claim>::OnCommitted(const inbox::Batch& batch) {
    app::MatchOutcome outcome;
    {
        std::lock_guard lock(mutex_);
        const auto found = uncommitted_.find(batch.partition);
        if (found == uncommitted_.end()) return;
        outcome = std::move(found->second);
        uncommitted_.erase(found);
    }
    // Nothing was applied this time: it is of a transaction that was rolled back.
    if (batch.deliveries.empty()) return;
    services_.metrics.OnMatched(Side<Claim>::kSource, outcome);
}

template <class Claim>
void ClaimConsumer<Claim>::OnDropped(std::string_view, int partition) {
    std::lock_guard lock(mutex_);
    uncommitted_.erase(partition);
}

template <class Claim>
Status ClaimConsumer<Claim>::ApplyMark(mysql::Session& session, const inbox::Mark& mark) {
    if (mark.day.service != Side<Claim>::kService || mark.partition < 0 ||
        mark.partition >= mark.day.partition_count) {
        return Status(Code::kInvalidArgument, "MARK_INVALID",
                      "a mark of " + mark.day.service + " over " +
                          std::to_string(mark.day.partition_count) + " partitions in partition " +
                          std::to_string(mark.partition) + " of " + std::string(mark.topic));
    }
    return services_.on_books(session, [&](app::Books& books) {
        return app::RecordDayMark(
            books, {.business_date = mark.day.business_date,
                    .source = Side<Claim>::kSource,
                    .partition = static_cast<std::uint32_t>(mark.partition),
                    .partition_count = static_cast<std::uint32_t>(mark.day.partition_count)});
    });
}

template class ClaimConsumer<domain::PaymentClaim>;
template class ClaimConsumer<domain::PayoutClaim>;

}  // namespace kessai::reconciliation::transport
