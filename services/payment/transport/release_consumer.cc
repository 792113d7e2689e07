#include "transport/release_consumer.h"

#include <algorithm>
#include <limits>

#include "kessai/payout/v1/payout_event.pb.h"

namespace kessai::payment::transport {
namespace {

constexpr std::string_view kDayReleased = "kessai.payout.v1.DayReleased";

Result<domain::ClearRelease> Decode(const event::Envelope& event) {
    payout::v1::DayReleased message;
    if (!message.ParseFromString(event.payload)) {
        return Status(Code::kInvalidArgument, "PAYLOAD_MALFORMED", "not a DayReleased");
    }
    KESSAI_ASSIGN_OR_RETURN(const BusinessDate date,
                            BusinessDate::FromNumber(message.business_date()));
    KESSAI_ASSIGN_OR_RETURN(const Currency currency, Currency::Parse(message.currency()));
    if (event.object_id != message.business_date() || event.version != message.round() + 1) {
        return Status(Code::kInvalidArgument, "PAYLOAD_MALFORMED",
                      "the envelope's object and version are not the date and the round");
    }
    const Money gross(message.gross(), currency);
    // One of its postings is the gross with its sign turned.
    KESSAI_RETURN_IF_ERROR(gross.Negate().status());
    return domain::ClearRelease{date, message.round(), gross};
}

}  // namespace

Status ReleaseConsumer::FindEffects(mysql::Session& session, std::span<const inbox::EffectKey> keys,
                                    inbox::Effects& effects) {
    std::vector<std::int64_t> releases;
    for (const inbox::EffectKey& key : keys) {
        // Most of the topic is about payments: a release's object is its date.
        const bool is_date =
            BusinessDate::FromNumber(static_cast<std::int32_t>(std::min<std::int64_t>(
                                         key.object_id, std::numeric_limits<std::int32_t>::max())))
                .ok();
        if (is_date && (releases.empty() || releases.back() != key.object_id)) {
            releases.push_back(key.object_id);
        }
    }
    KESSAI_ASSIGN_OR_RETURN(const auto cleared, ledger_.FindCleared(session, releases));
    for (const app::ClearedRelease& release : cleared) {
        const inbox::EffectKey key{release.object_id, release.version};
        if (std::binary_search(keys.begin(), keys.end(), key)) {
            effects.found.push_back({key, release.content_hash});
        }
    }
    return OkStatus();
}

Status ReleaseConsumer::Apply(mysql::Session& session, const inbox::Batch& batch,
                              inbox::Rejections& rejections) {
    std::vector<domain::Command> releases;
    for (std::size_t i = 0; i < batch.deliveries.size(); ++i) {
        const event::Envelope& event = batch.deliveries[i].event;
        if (event.type != kDayReleased) continue;
        auto command = Decode(event);
        if (!command.ok()) {
            rejections.Reject(i, std::move(command).status());
            continue;
        }
        releases.emplace_back(*std::move(command));
        KESSAI_RETURN_IF_ERROR(
            ledger_.StoreCleared(session, {event.object_id, event.version, event.content_hash}));
    }
    if (releases.empty()) return OkStatus();

    KESSAI_ASSIGN_OR_RETURN(const auto transaction, ledger_.Join(session));
    std::vector<app::BatchCommand> commands;
    for (const domain::Command& command : releases) commands.push_back({&command, {}});
    app::KnownRows nothing({});
    KESSAI_ASSIGN_OR_RETURN(
        const app::BatchOutcome outcome,
        app::ExecuteBatch(*transaction, commands, services_, nothing, app::Reading::kAll));
    for (const auto& one : outcome.outcomes) KESSAI_RETURN_IF_ERROR(one.status());
    return OkStatus();
}

Status ReleaseConsumer::PublishDeadLetters(mysql::Session& session,
                                           std::span<const outbox::Entry> entries) {
    KESSAI_ASSIGN_OR_RETURN(const auto ids, app::GeneratorOf(services_.ids));
    const std::int64_t row_id = ids->Next();
    KESSAI_RETURN_IF_ERROR(services_.ids.Confirm(*ids));
    return ledger_.StoreEntries(session, entries, row_id);
}

}  // namespace kessai::payment::transport
