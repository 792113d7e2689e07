#include "kessai/inbox/dead_letter_desk.h"

#include <algorithm>
#include <utility>

#include "kessai/log/log.h"
#include "kessai/mysql/pool.h"

namespace kessai::inbox {
namespace {

constexpr Duration kSessionTimeout = std::chrono::seconds(5);
constexpr std::uint32_t kPageSizeDefault = 50;
constexpr std::uint32_t kPageSizeMax = 200;
constexpr std::size_t kShownBytesMax = std::size_t{64} << 10;
constexpr int kShownMax = 100;
constexpr std::size_t kNoteBytesMax = 1000;

v1::DeadLetter::State ToMessage(DeadLetterState state) {
    switch (state) {
        case DeadLetterState::kOpen:
            return v1::DeadLetter::OPEN;
        case DeadLetterState::kReplayed:
            return v1::DeadLetter::REPLAYED;
        case DeadLetterState::kDiscarded:
            return v1::DeadLetter::DISCARDED;
    }
    return v1::DeadLetter::STATE_UNSPECIFIED;
}

DeadLetterState FromMessage(v1::DeadLetter::State state) {
    switch (state) {
        case v1::DeadLetter::REPLAYED:
            return DeadLetterState::kReplayed;
        case v1::DeadLetter::DISCARDED:
            return DeadLetterState::kDiscarded;
        default:
            return DeadLetterState::kOpen;
    }
}

void Fill(const DeadLetter& letter, v1::DeadLetter* message) {
    message->set_dead_letter(letter.id.ToString());
    message->set_topic(letter.id.topic);
    message->set_partition(letter.id.partition);
    message->set_offset(letter.id.offset);
    message->set_state(ToMessage(letter.state));
    message->set_object_id(letter.object_id);
    message->set_type(letter.type);
    message->set_version(letter.version);
    message->set_event_id(letter.event_id);
    if (letter.business_date) message->set_business_date(letter.business_date->ToNumber());
    message->set_code(std::string(CodeName(letter.code)));
    message->set_reason(letter.reason);
    message->set_message(letter.message);
    message->set_attempts(static_cast<std::uint32_t>(letter.attempts));
    message->set_failed_at_us(ToMicros(letter.failed_at));
    message->set_parked(letter.parked);
    message->set_settled_by(letter.settled_by);
    message->set_note(letter.note);
    message->set_traceparent(letter.traceparent);
}

void Fill(const DeadLetter& letter, const ParkedEvent& event, v1::ParkedEvent* message) {
    message->set_topic(letter.id.topic);
    message->set_partition(letter.id.partition);
    message->set_offset(event.offset);
    message->set_type(event.type);
    message->set_version(event.version);
    if (event.business_date) message->set_business_date(event.business_date->ToNumber());
    message->set_parked_at_us(ToMicros(event.parked_at));
}

void Fill(const DeadLetterAction& action, v1::DeadLetterAction* message) {
    message->set_kind(action.kind == DeadLetterState::kDiscarded ? v1::DeadLetterAction::DISCARD
                                                                 : v1::DeadLetterAction::REPLAY);
    message->set_operator_(action.operator_name);
    message->set_note(action.note);
    message->set_applied(static_cast<std::uint32_t>(action.applied));
    message->set_repeated(static_cast<std::uint32_t>(action.repeated));
    message->set_parked(action.parked);
    message->set_refusal(action.refusal);
    message->set_at_us(ToMicros(action.at));
}

Result<int> PageSize(std::uint32_t wanted) {
    if (wanted > kPageSizeMax) {
        return Status(Code::kInvalidArgument, reason::kPageSizeOutOfRange,
                      "a page has at most " + std::to_string(kPageSizeMax));
    }
    return static_cast<int>(wanted == 0 ? kPageSizeDefault : wanted);
}

}  // namespace

void DeadLetterDesk::Add(const ConsumerOptions& consumer, Handler& handler) {
    ReplayContext context;
    context.group = consumer.client.group;
    context.topic = consumer.client.topic;
    context.dead_letter_topic = consumer.dead_letter_topic;
    context.dead_letter_partitions = consumer.dead_letter_partitions;
    consumed_.push_back({std::move(context), &handler});
    std::ranges::sort(consumed_, {}, [](const Consumed& one) { return one.context.topic; });
}

Result<const DeadLetterDesk::Consumed*> DeadLetterDesk::Find(std::string_view topic) const {
    for (const Consumed& consumed : consumed_) {
        if (consumed.context.topic == topic) return &consumed;
    }
    return Status(Code::kNotFound, reason::kTopicNotConsumed,
                  "not read by this service: " + std::string(topic));
}

Result<v1::ListDeadLettersResponse> DeadLetterDesk::List(
    const v1::ListDeadLettersRequest& request) const {
    KESSAI_ASSIGN_OR_RETURN(const int page_size, PageSize(request.page_size()));
    if (!request.topic().empty()) KESSAI_RETURN_IF_ERROR(Find(request.topic()).status());
    DeadLetterFilter filter;
    filter.values = false;
    filter.state = FromMessage(request.state());
    if (request.all_states()) filter.state.reset();
    if (request.object_id() != 0) filter.object_id = request.object_id();
    std::optional<DeadLetterId> after;
    if (!request.page_token().empty()) {
        const auto parsed = DeadLetterId::Parse(request.page_token());
        if (!parsed.ok()) {
            return Status(Code::kInvalidArgument, reason::kPageTokenInvalid, "none of ours");
        }
        after = *parsed;
    }

    KESSAI_ASSIGN_OR_RETURN(const mysql::Lease session, pool_.Acquire(kSessionTimeout));
    v1::ListDeadLettersResponse response;
    for (const Consumed& consumed : consumed_) {
        const std::string& topic = consumed.context.topic;
        if (!request.topic().empty() && topic != request.topic()) continue;
        if (after && topic < after->topic) continue;
        filter.group = consumed.context.group;
        filter.topic = topic;
        filter.after = after && topic == after->topic ? after : std::nullopt;
        // One more than the page holds says whether there is another.
        filter.limit = page_size + 1 - response.dead_letters_size();
        KESSAI_ASSIGN_OR_RETURN(const auto letters, ListDeadLetters(*session, filter));
        for (const DeadLetter& letter : letters) {
            if (response.dead_letters_size() == page_size) {
                response.set_next_page_token(response.dead_letters(page_size - 1).dead_letter());
                return response;
            }
            Fill(letter, response.add_dead_letters());
        }
    }
    return response;
}

Result<v1::DeadLetterDetails> DeadLetterDesk::Get(const v1::GetDeadLetterRequest& request) const {
    KESSAI_ASSIGN_OR_RETURN(const DeadLetterId id, DeadLetterId::Parse(request.dead_letter()));
    KESSAI_ASSIGN_OR_RETURN(const Consumed* const consumed, Find(id.topic));
    const std::string& group = consumed->context.group;
    KESSAI_ASSIGN_OR_RETURN(const mysql::Lease session, pool_.Acquire(kSessionTimeout));
    KESSAI_ASSIGN_OR_RETURN(const DeadLetter letter, FindDeadLetter(*session, group, id));
    KESSAI_ASSIGN_OR_RETURN(const auto parked, ListParked(*session, group, letter, kShownMax));
    KESSAI_ASSIGN_OR_RETURN(const auto actions, ListActions(*session, group, id, kShownMax));
    v1::DeadLetterDetails details;
    Fill(letter, details.mutable_dead_letter());
    details.set_key(letter.key);
    details.set_value(letter.value.substr(0, kShownBytesMax));
    details.set_value_bytes(letter.value.size());
    for (const ParkedEvent& event : parked) Fill(letter, event, details.add_parked());
    for (const DeadLetterAction& action : actions) Fill(action, details.add_history());
    return details;
}

Result<v1::SettleOutcome> DeadLetterDesk::Settle(const v1::SettleDeadLetterRequest& request,
                                                 std::string_view operator_name,
                                                 DeadLetterState as) const {
    KESSAI_ASSIGN_OR_RETURN(const DeadLetterId id, DeadLetterId::Parse(request.dead_letter()));
    KESSAI_ASSIGN_OR_RETURN(const Consumed* const consumed, Find(id.topic));
    if (request.note().size() > kNoteBytesMax) {
        return Status(Code::kInvalidArgument, reason::kNoteTooLong, "at most 1,000 bytes");
    }
    ReplayContext context = consumed->context;
    context.operator_name = operator_name;
    context.note = request.note();
    const bool discards = as == DeadLetterState::kDiscarded;
    const auto settled = discards ? inbox::Discard(pool_, *consumed->handler, context, id, clock_)
                                  : inbox::Replay(pool_, *consumed->handler, context, id, clock_);
    const std::string_view event = discards ? "dead_letter.discard" : "dead_letter.replay";
    if (!settled.ok()) {
        log::Warn(event, {{"dead_letter", id.ToString()},
                          {"operator", operator_name},
                          {"status", settled.status()}});
        return settled.status();
    }
    log::Info(event, {{"dead_letter", id.ToString()},
                      {"operator", operator_name},
                      {"applied", settled->applied},
                      {"repeated", settled->repeated},
                      {"parked", settled->parked},
                      {"stopped_by", settled->stopped_by ? settled->stopped_by->reason : ""}});
    v1::SettleOutcome outcome;
    outcome.set_applied(static_cast<std::uint32_t>(settled->applied));
    outcome.set_repeated(static_cast<std::uint32_t>(settled->repeated));
    outcome.set_parked(settled->parked);
    if (settled->stopped_by) Fill(*settled->stopped_by, outcome.mutable_stopped_by());
    return outcome;
}

Result<v1::SettleOutcome> DeadLetterDesk::Replay(const v1::SettleDeadLetterRequest& request,
                                                 std::string_view operator_name) const {
    return Settle(request, operator_name, DeadLetterState::kReplayed);
}

Result<v1::SettleOutcome> DeadLetterDesk::Discard(const v1::SettleDeadLetterRequest& request,
                                                  std::string_view operator_name) const {
    return Settle(request, operator_name, DeadLetterState::kDiscarded);
}

rpc::Service DeadLetterDesk::MakeService(rpc::WorkerPool& workers) const {
    const auto read = auth::Operator(std::string(kReadScope));
    const auto write = auth::Operator(std::string(kWriteScope));
    rpc::Service service(kDeadLetterServiceName,
                         auth::MethodPolicy({{"ListDeadLetters", {read}},
                                             {"GetDeadLetter", {read}},
                                             {"ReplayDeadLetter", {write}},
                                             {"DiscardDeadLetter", {write}}}));
    using rpc::CallContext;
    service.Blocking<v1::ListDeadLettersRequest, v1::ListDeadLettersResponse>(
        "ListDeadLetters", workers,
        [this](const CallContext&, const auto& request) { return List(request); });
    service.Blocking<v1::GetDeadLetterRequest, v1::DeadLetterDetails>(
        "GetDeadLetter", workers,
        [this](const CallContext&, const auto& request) { return Get(request); });
    service.Blocking<v1::SettleDeadLetterRequest, v1::SettleOutcome>(
        "ReplayDeadLetter", workers, [this](const CallContext& context, const auto& request) {
            return Replay(request, context.principal().subject);
        });
    service.Blocking<v1::SettleDeadLetterRequest, v1::SettleOutcome>(
        "DiscardDeadLetter", workers, [this](const CallContext& context, const auto& request) {
            return Discard(request, context.principal().subject);
        });
    return service;
}

}  // namespace kessai::inbox
