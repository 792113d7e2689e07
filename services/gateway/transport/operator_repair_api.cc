#include "transport/operator_repair_api.h"

#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "domain/text_rules.h"
#include "kessai/reconciliation/v1/repair_service.pb.h"
#include "transport/json_fields.h"
#include "transport/operator_answers.h"
#include "transport/operator_api.h"
#include "transport/operator_forward.h"
#include "transport/page_query.h"

namespace kessai::gateway::transport {

namespace {

namespace re = reconciliation::v1;

constexpr rpc::Name kRepairs = "kessai.reconciliation.v1.RepairService";
template <rpc::Name method, class Request, class Response>
constexpr auto& Of = rpc::MethodOf<kRepairs, method, Request, Response>;
constexpr auto& AssignDiscrepancyMethod =
    Of<"AssignDiscrepancy", re::AssignDiscrepancyRequest, re::Discrepancy>;
constexpr auto& PreviewRepairMethod =
    Of<"PreviewRepair", re::RequestRepairRequest, re::RepairPreview>;
constexpr auto& RequestRepairMethod = Of<"RequestRepair", re::RequestRepairRequest, re::Repair>;
constexpr auto& DecideRepairMethod = Of<"DecideRepair", re::DecideRepairRequest, re::Repair>;
constexpr auto& ListRepairsMethod =
    Of<"ListRepairs", re::ListRepairsRequest, re::ListRepairsResponse>;

constexpr std::uint32_t kRepairsPageMax = 1'000;
constexpr std::size_t kNoteMax = 1'000;
constexpr std::size_t kOwnerMax = 200;
constexpr std::int64_t kCorrectionMax = 999'999'999'999;

Result<std::int64_t> DiscrepancyOf(const http::Request& request) {
    return PathId(request, "discrepancyId", "DISCREPANCY_UNKNOWN");
}

/// What a repair's request and its preview ask for alike.
Result<re::RequestRepairRequest> WishOf(const http::Request& http_request, bool needs_reason) {
    KESSAI_ASSIGN_OR_RETURN(const std::int64_t id, DiscrepancyOf(http_request));
    KESSAI_ASSIGN_OR_RETURN(const auto parsed, ParseJsonObject(http_request.body));
    JsonFields fields(parsed);
    fields.OnlyThese({"kind", "reason", "amount"});
    re::RequestRepairRequest request;
    request.set_discrepancy_id(id);
    const std::string name = fields.Text("kind", 32);
    re::Repair::Kind kind = re::Repair::KIND_UNSPECIFIED;
    if (fields.ok() &&
        (!re::Repair::Kind_Parse(name, &kind) || kind == re::Repair::KIND_UNSPECIFIED)) {
        fields.Malformed("kind", "is unknown");
    }
    request.set_kind(kind);
    request.set_reason(needs_reason ? fields.Text("reason", kNoteMax)
                                    : fields.OptionalText("reason", kNoteMax));
    if (const auto amount = fields.OptionalInteger("amount", -kCorrectionMax, kCorrectionMax)) {
        request.set_amount(*amount);
    }
    KESSAI_RETURN_IF_ERROR(fields.status());
    return request;
}

}  // namespace

OperatorRepairApi::OperatorRepairApi(ChannelOf reconciliation, auth::TokenSigner& signer,
                                     const Clock& clock)
    : reconciliation_(std::move(reconciliation)), signer_(signer), clock_(clock) {}

template <class Request, class Response>
net::Task<http::Response> OperatorRepairApi::Forward(const RequestScope& scope,
                                                     const rpc::Method<Request, Response>& method,
                                                     Request request) const {
    return ForwardOperator(scope, signer_, clock_, reconciliation_(scope.request), "reconciliation",
                           method, std::move(request));
}

net::Task<http::Response> OperatorRepairApi::AssignDiscrepancy(const RequestScope& scope) const {
    auto id = DiscrepancyOf(scope.request);
    if (!id.ok()) co_return RefuseOperator(scope, id.status());
    auto parsed = ParseJsonObject(scope.request.body);
    if (!parsed.ok()) co_return RefuseOperator(scope, parsed.status());
    JsonFields fields(*parsed);
    fields.OnlyThese({"owner", "note"});
    re::AssignDiscrepancyRequest request;
    request.set_discrepancy_id(*id);
    request.set_owner(fields.OptionalText("owner", kOwnerMax));
    request.set_note(fields.Text("note", kNoteMax));
    if (!fields.ok()) co_return RefuseOperator(scope, fields.status());
    http::Response answer = co_await Forward(scope, AssignDiscrepancyMethod(), std::move(request));
    co_return NoteOperator(scope, "discrepancy.assign", std::to_string(*id), std::move(answer));
}

net::Task<http::Response> OperatorRepairApi::PreviewRepair(const RequestScope& scope) const {
    auto request = WishOf(scope.request, /*needs_reason=*/false);
    if (!request.ok()) co_return RefuseOperator(scope, request.status());
    co_return co_await Forward(scope, PreviewRepairMethod(), std::move(*request));
}

net::Task<http::Response> OperatorRepairApi::RequestRepair(const RequestScope& scope) const {
    auto request = WishOf(scope.request, /*needs_reason=*/true);
    if (!request.ok()) co_return RefuseOperator(scope, request.status());
    const std::string object =
        std::to_string(request->discrepancy_id()) + " " + re::Repair::Kind_Name(request->kind());
    http::Response answer = co_await Forward(scope, RequestRepairMethod(), std::move(*request));
    co_return NoteOperator(scope, "repair.request", object, std::move(answer));
}

net::Task<http::Response> OperatorRepairApi::DecideRepair(const RequestScope& scope) const {
    auto id = DiscrepancyOf(scope.request);
    if (!id.ok()) co_return RefuseOperator(scope, id.status());
    auto number = PathId(scope.request, "number", "REPAIR_UNKNOWN");
    if (!number.ok()) co_return RefuseOperator(scope, number.status());
    if (*number > std::numeric_limits<std::uint32_t>::max()) {
        co_return RefuseOperator(scope,
                                 Status(Code::kNotFound, "REPAIR_UNKNOWN", "no such repair"));
    }
    auto parsed = ParseJsonObject(scope.request.body);
    if (!parsed.ok()) co_return RefuseOperator(scope, parsed.status());
    JsonFields fields(*parsed);
    fields.OnlyThese({"approve", "note"});
    re::DecideRepairRequest request;
    request.set_discrepancy_id(*id);
    request.set_number(static_cast<std::uint32_t>(*number));
    if (!fields.Has("approve")) fields.Malformed("approve", "is missing");
    request.set_approve(fields.OptionalBool("approve", false));
    request.set_note(fields.Text("note", kNoteMax));
    if (!fields.ok()) co_return RefuseOperator(scope, fields.status());
    const std::string object = std::to_string(*id) + " " + std::to_string(*number);
    const std::string action = request.approve() ? "repair.approve" : "repair.decline";
    http::Response answer = co_await Forward(scope, DecideRepairMethod(), std::move(request));
    co_return NoteOperator(scope, action, object, std::move(answer));
}

net::Task<http::Response> OperatorRepairApi::ListRepairs(const RequestScope& scope) const {
    const http::Request& http_request = scope.request;
    re::ListRepairsRequest request;
    if (const std::string state = http_request.QueryValue("state"); !state.empty()) {
        re::Repair::State parsed;
        if (!re::Repair::State_Parse(state, &parsed)) {
            co_return RefuseOperator(scope, FieldMalformed("there is no such state"));
        }
        request.set_state(parsed);
    }
    if (const std::string text = http_request.QueryValue("discrepancyId"); !text.empty()) {
        const auto id = domain::ParseId(text);
        if (!id) co_return RefuseOperator(scope, FieldMalformed("discrepancyId is none of ours"));
        request.set_discrepancy_id(*id);
    }
    const auto page = ReadPage(http_request, kRepairsPageMax);
    if (!page.ok()) co_return RefuseOperator(scope, page.status());
    request.set_page_size(page->size);
    request.set_page_token(page->token);
    co_return co_await Forward(scope, ListRepairsMethod(), std::move(request));
}

}  // namespace kessai::gateway::transport
