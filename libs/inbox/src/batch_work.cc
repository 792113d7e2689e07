#include "batch_work.h"

#include "kessai/inbox/dead_letters.h"
#include "kessai/result/check.h"

namespace kessai::inbox {
namespace {

std::string Hex(const event::ContentHash& hash) {
    static constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    for (const std::uint8_t byte : hash) {
        text.push_back(kDigits[byte >> 4]);
        text.push_back(kDigits[byte & 15]);
    }
    return text;
}

Status Conflict(const event::Envelope& event, const event::ContentHash& stored) {
    return Status(Code::kAlreadyExists, reason::kEffectConflict,
                  "object " + std::to_string(event.object_id) + " version " +
                      std::to_string(event.version) + " has content " + Hex(stored) +
                      ", this event has " + Hex(event.content_hash));
}

EffectKey KeyOf(const event::Envelope& event) {
    return {.object_id = event.object_id, .version = event.version};
}

}  // namespace

void Rejections::Reject(std::size_t index, Status why) {
    KESSAI_CHECK(!why.ok(), "a rejection says why");
    by_index_.try_emplace(index, std::move(why));
}

Result<std::map<EffectKey, event::ContentHash>> BatchWork::FindEffects(
    mysql::Session& session, std::span<const Item* const> items,
    const std::set<std::int64_t>& blocked) {
    std::map<EffectKey, event::ContentHash> effects;
    if (effect_check_ != EffectCheck::kLookUp) return effects;
    std::set<EffectKey> keys;
    for (const Item* item : items) {
        if (item->event && !blocked.contains(item->object_id)) {
            keys.insert(KeyOf(item->event->event));
        }
    }
    if (keys.empty()) return effects;
    const std::vector<EffectKey> sorted(keys.begin(), keys.end());
    effects_.emplace();
    KESSAI_RETURN_IF_ERROR(handler_.FindEffects(session, sorted, *effects_));
    for (const Effect& effect : effects_->found) {
        effects.emplace(effect.key, effect.content_hash);
    }
    return effects;
}

Result<Plan> BatchWork::MakePlan(mysql::Session& session, std::span<const Item* const> items,
                                 const std::map<std::int64_t, Status>& rejected,
                                 std::set<std::int64_t> blocked) {
    KESSAI_ASSIGN_OR_RETURN(auto effects, FindEffects(session, items, blocked));
    Plan plan;
    const auto fail = [&](const Item& item, Status why) {
        plan.failed.push_back({.item = &item, .why = std::move(why)});
        if (item.object_id != 0) blocked.insert(item.object_id);
    };
    for (const Item* next : items) {
        const Item& item = *next;
        if (blocked.contains(item.object_id)) {
            plan.parked.push_back(&item);
            continue;
        }
        if (const auto why = rejected.find(item.offset); why != rejected.end()) {
            fail(item, why->second);
            continue;
        }
        if (!item.unreadable.ok()) {
            fail(item, item.unreadable);
            continue;
        }
        if (item.mark) {
            plan.marks.push_back(&item);
            continue;
        }
        const event::Envelope& event = item.event->event;
        if (effect_check_ != EffectCheck::kIgnore) {
            // What is applied in this batch counts as an effect for the rest of it.
            const auto [effect, is_new] = effects.try_emplace(KeyOf(event), event.content_hash);
            if (!is_new && effect->second == event.content_hash) {
                ++plan.repeated;
                continue;
            }
            if (!is_new) {
                fail(item, Conflict(event, effect->second));
                continue;
            }
        }
        plan.apply.push_back(&item);
    }
    return plan;
}

Status BatchWork::Apply(mysql::Session& session, const Plan& plan,
                        std::map<std::int64_t, Status>& rejected) {
    applied_.clear();
    for (const Item* item : plan.apply) applied_.push_back(*item->event);
    if (!applied_.empty()) {
        Rejections rejections;
        const Batch batch{.topic = key_.topic,
                          .partition = key_.partition,
                          .deliveries = applied_,
                          .effects = effects_ ? &*effects_ : nullptr,
                          .assumed_new = effect_check_ == EffectCheck::kAssumeNew};
        KESSAI_RETURN_IF_ERROR(handler_.Apply(session, batch, rejections));
        for (const auto& [index, why] : rejections.by_index()) {
            KESSAI_CHECK(index < applied_.size(), "a handler rejects what it was given");
            rejected.try_emplace(applied_[index].offset, why);
        }
        if (!rejections.empty()) return OkStatus();
    }
    for (const Item* item : plan.marks) {
        KESSAI_RETURN_IF_ERROR(handler_.ApplyMark(session, {.day = *item->mark,
                                                            .topic = key_.topic,
                                                            .partition = key_.partition,
                                                            .offset = item->offset}));
    }
    return OkStatus();
}

Status BatchWork::StoreFailed(mysql::Session& session, std::span<const Failed> failed) {
    if (failed.empty()) return OkStatus();
    KESSAI_RETURN_IF_ERROR(StoreDeadLetters(session, key_, failed, now_));
    std::vector<ConflictingEvent> conflicts;
    for (const Failed& one : failed) {
        if (one.item->event && one.why.reason() == reason::kEffectConflict) {
            conflicts.push_back({*one.item->event, one.why});
        }
    }
    if (!conflicts.empty()) KESSAI_RETURN_IF_ERROR(handler_.OnConflicts(session, conflicts));
    return PublishFailed(session, failed);
}

Status BatchWork::PublishFailed(mysql::Session& session, std::span<const Failed> failed) {
    if (failed.empty()) return OkStatus();
    std::vector<std::string> sealed;
    sealed.reserve(failed.size());
    std::vector<outbox::Entry> entries;
    for (const Failed& one : failed) {
        sealed.push_back(SealDeadLetter(key_, one, now_));
        outbox::Entry entry{.object_id = one.item->object_id,
                            .envelope = sealed.back(),
                            .traceparent = one.item->traceparent,
                            .topic = dead_letters_.topic};
        if (entry.object_id == 0) entry.partition = key_.partition % dead_letters_.partitions;
        entries.push_back(entry);
    }
    return handler_.PublishDeadLetters(session, entries);
}

}  // namespace kessai::inbox
