#include "transport/dead_letter_api.h"

#include <utility>

#include "app/blocking.h"
#include "domain/text_rules.h"
#include "transport/grpc_wait.h"
#include "transport/json_fields.h"
#include "transport/operator_answers.h"
#include "transport/page_query.h"
#include "transport/proto_json.h"

namespace kessai::gateway::transport {

namespace {

namespace v1 = inbox::v1;

constexpr std::string_view kOwnName = "gateway";
constexpr std::size_t kTopicMax = 190;
constexpr std::uint32_t kPageSizeMax = 200;

constexpr rpc::Name kDesk = "kessai.inbox.v1.DeadLetterService";
constexpr auto& ListMethod = rpc::MethodOf<kDesk, "ListDeadLetters", v1::ListDeadLettersRequest,
                                           v1::ListDeadLettersResponse>;
constexpr auto& GetMethod =
    rpc::MethodOf<kDesk, "GetDeadLetter", v1::GetDeadLetterRequest, v1::DeadLetterDetails>;
constexpr auto& ReplayMethod =
    rpc::MethodOf<kDesk, "ReplayDeadLetter", v1::SettleDeadLetterRequest, v1::SettleOutcome>;
constexpr auto& DiscardMethod =
    rpc::MethodOf<kDesk, "DiscardDeadLetter", v1::SettleDeadLetterRequest, v1::SettleOutcome>;

http::Response Show(const RequestScope& scope, const google::protobuf::Message& answer) {
    http::Response response;
    response.subject = scope.caller->subject;
    response.body = ProtoToJson(answer);
    return response;
}

/// "{topic}/{partition}/{offset}" of the path, as the service names a dead letter.
Result<std::string> NameOf(const http::Request& request) {
    const std::string_view topic = request.Parameter("topic");
    if (!domain::IsText(topic, kTopicMax)) {
        return Status(Code::kNotFound, inbox::reason::kTopicNotConsumed, "no such topic");
    }
    return std::string(topic) + "/" + std::string(request.Parameter("partition")) + "/" +
           std::string(request.Parameter("offset"));
}

}  // namespace

template <class Request, class Response>
net::Task<http::Response> DeadLetterApi::Ask(const RequestScope& scope,
                                             const rpc::Method<Request, Response>& method,
                                             const OwnMethod<Request, Response>& own,
                                             const Request& request) const {
    const std::string service(scope.request.Parameter("service"));
    if (service == kOwnName) {
        const std::string& subject = scope.caller->subject;
        auto answer =
            co_await app::RunBlocking(services_.workers, *scope.request.loop,
                                      [this, &own, &request, &subject]() -> Result<Response> {
                                          return own(services_.own, request, subject);
                                      });
        if (!answer.ok()) co_return RefuseOperator(scope, answer.status());
        co_return Show(scope, *answer);
    }
    const auto channel = services_.others.find(service);
    if (channel == services_.others.end()) {
        co_return RefuseOperator(scope,
                                 Status(Code::kNotFound, "SERVICE_UNKNOWN", "no such service"));
    }
    auto token = services_.signer.Mint(*scope.caller, service);
    if (!token.ok()) co_return RefuseOperator(scope, token.status());
    rpc::CallOptions options;
    options.deadline = scope.request.deadline;
    options.timeout =
        std::chrono::duration_cast<Duration>(scope.request.deadline - services_.clock.SteadyNow());
    options.token = *token;
    options.traceparent = scope.traceparent;
    options.wait_for_ready = true;
    auto call = CallOnLoop(*scope.request.loop, *channel->second, method, request, options);
    auto answer = co_await call;
    if (!answer.ok()) co_return RefuseOperator(scope, answer.status());
    co_return Show(scope, *answer);
}

net::Task<http::Response> DeadLetterApi::List(const RequestScope& scope) const {
    const http::Request& http_request = scope.request;
    v1::ListDeadLettersRequest request;
    if (const std::string topic = http_request.QueryValue("topic"); !topic.empty()) {
        if (!domain::IsText(topic, kTopicMax)) {
            co_return RefuseOperator(scope, FieldMalformed("topic is no name of a topic"));
        }
        request.set_topic(topic);
    }
    if (const std::string state = http_request.QueryValue("state"); state == "ALL") {
        request.set_all_states(true);
    } else if (!state.empty()) {
        v1::DeadLetter::State parsed;
        if (!v1::DeadLetter::State_Parse(state, &parsed) ||
            parsed == v1::DeadLetter::STATE_UNSPECIFIED) {
            co_return RefuseOperator(
                scope, FieldMalformed("state is one of OPEN, REPLAYED, DISCARDED, ALL"));
        }
        request.set_state(parsed);
    }
    if (const std::string text = http_request.QueryValue("objectId"); !text.empty()) {
        const auto id = domain::ParseId(text);
        if (!id) co_return RefuseOperator(scope, FieldMalformed("objectId is none of our ids"));
        request.set_object_id(*id);
    }
    const auto page = ReadPage(http_request, kPageSizeMax);
    if (!page.ok()) co_return RefuseOperator(scope, page.status());
    request.set_page_size(page->size);
    request.set_page_token(page->token);
    const OwnMethod<v1::ListDeadLettersRequest, v1::ListDeadLettersResponse> own =
        [](const auto& desk, const auto& asked, const auto&) { return desk.List(asked); };
    co_return co_await Ask(scope, ListMethod(), own, request);
}

net::Task<http::Response> DeadLetterApi::Get(const RequestScope& scope) const {
    auto name = NameOf(scope.request);
    if (!name.ok()) co_return RefuseOperator(scope, name.status());
    v1::GetDeadLetterRequest request;
    request.set_dead_letter(*name);
    const OwnMethod<v1::GetDeadLetterRequest, v1::DeadLetterDetails> own =
        [](const auto& desk, const auto& asked, const auto&) { return desk.Get(asked); };
    co_return co_await Ask(scope, GetMethod(), own, request);
}

net::Task<http::Response> DeadLetterApi::Settle(
    const RequestScope& scope, std::string_view action,
    const rpc::Method<v1::SettleDeadLetterRequest, v1::SettleOutcome>& method,
    const OwnMethod<v1::SettleDeadLetterRequest, v1::SettleOutcome>& own) const {
    auto name = NameOf(scope.request);
    if (!name.ok()) co_return RefuseOperator(scope, name.status());
    v1::SettleDeadLetterRequest request;
    request.set_dead_letter(*name);
    if (!scope.request.body.empty()) {
        auto parsed = ParseJsonObject(scope.request.body);
        if (!parsed.ok()) co_return RefuseOperator(scope, parsed.status());
        JsonFields fields(*parsed);
        fields.OnlyThese({"note"});
        request.set_note(fields.OptionalText("note", 1'000));
        if (!fields.ok()) co_return RefuseOperator(scope, fields.status());
    }
    const std::string why = request.note();
    http::Response response = co_await Ask(scope, method, own, request);
    // As ./kessai dlq names it.
    const std::string object = std::string(scope.request.Parameter("service")) + "/" + *name;
    co_return NoteOperator(scope, action, object, std::move(response), why);
}

net::Task<http::Response> DeadLetterApi::Replay(const RequestScope& scope) const {
    const OwnMethod<v1::SettleDeadLetterRequest, v1::SettleOutcome> own =
        [](const auto& desk, const auto& asked, const auto& who) {
            return desk.Replay(asked, who);
        };
    co_return co_await Settle(scope, "dead_letter.replay", ReplayMethod(), own);
}

net::Task<http::Response> DeadLetterApi::Discard(const RequestScope& scope) const {
    const OwnMethod<v1::SettleDeadLetterRequest, v1::SettleOutcome> own =
        [](const auto& desk, const auto& asked, const auto& who) {
            return desk.Discard(asked, who);
        };
    co_return co_await Settle(scope, "dead_letter.discard", DiscardMethod(), own);
}

}  // namespace kessai::gateway::transport
