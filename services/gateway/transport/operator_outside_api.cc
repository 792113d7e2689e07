#include "transport/operator_outside_api.h"

#include <string>
#include <utility>

#include "domain/opa_signature.h"
#include "domain/text_rules.h"
#include "kessai/reconciliation/v1/statement_service.pb.h"
#include "kessai/time/business_date.h"
#include "transport/json_fields.h"
#include "transport/operator_answers.h"
#include "transport/operator_api.h"
#include "transport/operator_forward.h"
#include "transport/page_query.h"

namespace kessai::gateway::transport {
namespace {

namespace re = reconciliation::v1;

constexpr rpc::Name kStatements = "kessai.reconciliation.v1.StatementService";
template <rpc::Name method, class Request, class Response>
constexpr auto& Of = rpc::MethodOf<kStatements, method, Request, Response>;
constexpr auto& PutTemplateMethod = Of<"PutTemplate", re::PutTemplateRequest, re::OutsideText>;
constexpr auto& GetTemplateMethod = Of<"GetTemplate", re::GetTemplateRequest, re::OutsideText>;
constexpr auto& PutRulesMethod = Of<"PutRules", re::PutRulesRequest, re::OutsideText>;
constexpr auto& GetRulesMethod = Of<"GetRules", re::GetRulesRequest, re::OutsideText>;
constexpr auto& ImportMethod = Of<"ImportStatement", re::ImportStatementRequest, re::ImportOutcome>;
constexpr auto& GetImportMethod = Of<"GetImport", re::GetImportRequest, re::StatementImport>;
constexpr auto& ListImportsMethod =
    Of<"ListImports", re::ListImportsRequest, re::ListImportsResponse>;
constexpr auto& RunMethod = Of<"RunMatching", re::RunMatchingRequest, re::MatchingRun>;
constexpr auto& ListMatchesMethod =
    Of<"ListOutsideMatches", re::ListOutsideMatchesRequest, re::ListOutsideMatchesResponse>;
constexpr auto& GetMatchMethod =
    Of<"GetOutsideMatch", re::GetOutsideMatchRequest, re::OutsideMatch>;
constexpr auto& DecideMethod =
    Of<"DecideOutsideMatch", re::DecideOutsideMatchRequest, re::OutsideMatch>;
constexpr auto& MatchItemsMethod = Of<"MatchItems", re::MatchItemsRequest, re::OutsideMatch>;
constexpr auto& ListUnmatchedMethod =
    Of<"ListUnmatched", re::ListUnmatchedRequest, re::ListUnmatchedResponse>;
constexpr auto& GetSummaryMethod =
    Of<"GetOutsideSummary", re::GetOutsideSummaryRequest, re::OutsideSummary>;

constexpr std::uint32_t kPageMax = 1'000;
constexpr std::size_t kNameMax = 64;
constexpr std::size_t kNoteMax = 1'000;

/// The only field of a template's or account's body.
Result<std::string> YamlOf(const http::Request& request) {
    KESSAI_ASSIGN_OR_RETURN(const auto object, ParseJsonObject(request.body));
    JsonFields fields(object);
    fields.OnlyThese({"yaml"});
    std::string yaml = fields.Text("yaml", request.body.size());
    KESSAI_RETURN_IF_ERROR(fields.status());
    return yaml;
}

/// A file: as text, or in base64 when it is none, as most banks' are.
std::string ReadContent(JsonFields& fields, std::size_t length_max) {
    constexpr std::string_view kBase64 = "contentBase64";
    if (!fields.Has(kBase64)) return fields.Text("content", length_max);
    auto content = domain::Base64Decode(fields.Text(kBase64, length_max));
    if (fields.Has("content")) fields.Malformed(kBase64, "stands beside content");
    if (!content) fields.Malformed(kBase64, "is not base64");
    return content.value_or("");
}

std::int32_t ReadDay(JsonFields& fields, std::string_view name) {
    const std::string text = fields.OptionalText(name, 16);
    if (text.empty()) return 0;
    const auto date = BusinessDate::Parse(text);
    if (!date.ok()) {
        fields.Malformed(name, "is not like 2026-11-22");
        return 0;
    }
    return date->ToNumber();
}

/// Puts the page that the query asks for into the request.
template <class Request>
Status ReadPageInto(const http::Request& from, Request& request) {
    KESSAI_ASSIGN_OR_RETURN(const PageQuery page, ReadPage(from, kPageMax));
    request.set_page_size(page.size);
    request.set_page_token(page.token);
    return OkStatus();
}

}  // namespace

OperatorOutsideApi::OperatorOutsideApi(ChannelOf reconciliation, auth::TokenSigner& signer,
                                       const Clock& clock, std::size_t file_bytes_max)
    : reconciliation_(std::move(reconciliation)),
      signer_(signer),
      clock_(clock),
      file_bytes_max_(file_bytes_max) {}

template <class Request, class Response>
net::Task<http::Response> OperatorOutsideApi::Forward(const RequestScope& scope,
                                                      const rpc::Method<Request, Response>& method,
                                                      Request request) const {
    return ForwardOperator(scope, signer_, clock_, reconciliation_(scope.request), "reconciliation",
                           method, std::move(request));
}

net::Task<http::Response> OperatorOutsideApi::PutTemplate(const RequestScope& scope) const {
    auto yaml = YamlOf(scope.request);
    if (!yaml.ok()) co_return RefuseOperator(scope, yaml.status());
    const std::string name(scope.request.Parameter("templateName"));
    re::PutTemplateRequest request;
    request.set_name(name);
    request.set_yaml(*std::move(yaml));
    http::Response answer = co_await Forward(scope, PutTemplateMethod(), std::move(request));
    co_return NoteOperator(scope, "statement_template.put", name, std::move(answer));
}

net::Task<http::Response> OperatorOutsideApi::GetTemplate(const RequestScope& scope) const {
    re::GetTemplateRequest request;
    request.set_name(std::string(scope.request.Parameter("templateName")));
    co_return co_await Forward(scope, GetTemplateMethod(), std::move(request));
}

net::Task<http::Response> OperatorOutsideApi::PutRules(const RequestScope& scope) const {
    auto yaml = YamlOf(scope.request);
    if (!yaml.ok()) co_return RefuseOperator(scope, yaml.status());
    const std::string account(scope.request.Parameter("account"));
    re::PutRulesRequest request;
    request.set_account(account);
    request.set_yaml(*std::move(yaml));
    http::Response answer = co_await Forward(scope, PutRulesMethod(), std::move(request));
    co_return NoteOperator(scope, "outside_rules.put", account, std::move(answer));
}

net::Task<http::Response> OperatorOutsideApi::GetRules(const RequestScope& scope) const {
    re::GetRulesRequest request;
    request.set_account(std::string(scope.request.Parameter("account")));
    co_return co_await Forward(scope, GetRulesMethod(), std::move(request));
}

net::Task<http::Response> OperatorOutsideApi::Import(const RequestScope& scope) const {
    auto parsed = ParseJsonObject(scope.request.body);
    if (!parsed.ok()) co_return RefuseOperator(scope, parsed.status());
    JsonFields fields(*parsed);
    fields.OnlyThese({"format", "template", "account", "westernYears", "content", "contentBase64"});
    re::ImportStatementRequest request;
    const std::string format = fields.Text("format", 16);
    auto parsed_format = re::StatementImport::FORMAT_UNSPECIFIED;
    if (fields.ok() && (!re::StatementImport::Format_Parse(format, &parsed_format) ||
                        parsed_format == re::StatementImport::FORMAT_UNSPECIFIED)) {
        fields.Malformed("format", "is none of CSV, ZENGIN, CAMT053");
    }
    request.set_format(parsed_format);
    request.set_template_name(fields.OptionalText("template", kNameMax));
    request.set_account(fields.OptionalText("account", kNameMax));
    request.set_western_years(fields.OptionalBool("westernYears", false));
    request.set_content(ReadContent(fields, scope.request.body.size()));
    if (!fields.ok()) co_return RefuseOperator(scope, fields.status());
    if (request.content().size() > file_bytes_max_) {
        co_return RefuseOperator(scope, Status(Code::kInvalidArgument, "STATEMENT_FILE_TOO_LARGE",
                                               "more than " + std::to_string(file_bytes_max_) +
                                                   " bytes: limits.result_bytes_max"));
    }
    http::Response answer = co_await Forward(scope, ImportMethod(), std::move(request));
    co_return NoteOperator(scope, "outside_statement.import", format, std::move(answer));
}

net::Task<http::Response> OperatorOutsideApi::ListImports(const RequestScope& scope) const {
    re::ListImportsRequest request;
    const Status page = ReadPageInto(scope.request, request);
    if (!page.ok()) co_return RefuseOperator(scope, page);
    co_return co_await Forward(scope, ListImportsMethod(), std::move(request));
}

net::Task<http::Response> OperatorOutsideApi::GetImport(const RequestScope& scope) const {
    auto id = PathId(scope.request, "importId", "STATEMENT_IMPORT_UNKNOWN");
    if (!id.ok()) co_return RefuseOperator(scope, id.status());
    re::GetImportRequest request;
    request.set_import_id(*id);
    co_return co_await Forward(scope, GetImportMethod(), std::move(request));
}

net::Task<http::Response> OperatorOutsideApi::Run(const RequestScope& scope) const {
    const std::string account(scope.request.Parameter("account"));
    re::RunMatchingRequest request;
    request.set_account(account);
    if (!scope.request.body.empty()) {
        auto parsed = ParseJsonObject(scope.request.body);
        if (!parsed.ok()) co_return RefuseOperator(scope, parsed.status());
        JsonFields fields(*parsed);
        fields.OnlyThese({"firstDate", "lastDate"});
        request.set_first_date(ReadDay(fields, "firstDate"));
        request.set_last_date(ReadDay(fields, "lastDate"));
        if (!fields.ok()) co_return RefuseOperator(scope, fields.status());
    }
    http::Response answer = co_await Forward(scope, RunMethod(), std::move(request));
    co_return NoteOperator(scope, "outside.run", account, std::move(answer));
}

net::Task<http::Response> OperatorOutsideApi::ListMatches(const RequestScope& scope) const {
    re::ListOutsideMatchesRequest request;
    request.set_account(scope.request.QueryValue("account"));
    if (const std::string state = scope.request.QueryValue("state"); !state.empty()) {
        re::OutsideMatch::State parsed;
        if (!re::OutsideMatch::State_Parse(state, &parsed)) {
            co_return RefuseOperator(scope, FieldMalformed("there is no such state"));
        }
        request.set_state(parsed);
    }
    const Status page = ReadPageInto(scope.request, request);
    if (!page.ok()) co_return RefuseOperator(scope, page);
    co_return co_await Forward(scope, ListMatchesMethod(), std::move(request));
}

net::Task<http::Response> OperatorOutsideApi::GetMatch(const RequestScope& scope) const {
    auto id = PathId(scope.request, "matchId", "OUTSIDE_MATCH_UNKNOWN");
    if (!id.ok()) co_return RefuseOperator(scope, id.status());
    re::GetOutsideMatchRequest request;
    request.set_match_id(*id);
    co_return co_await Forward(scope, GetMatchMethod(), std::move(request));
}

net::Task<http::Response> OperatorOutsideApi::MatchItems(const RequestScope& scope) const {
    auto parsed = ParseJsonObject(scope.request.body);
    if (!parsed.ok()) co_return RefuseOperator(scope, parsed.status());
    JsonFields fields(*parsed);
    fields.OnlyThese({"itemIds", "note"});
    re::MatchItemsRequest request;
    const auto ids = fields.OptionalArray("itemIds");
    if (fields.ok() && !ids) fields.Malformed("itemIds", "is missing");
    if (!fields.ok()) co_return RefuseOperator(scope, fields.status());
    for (const auto element : *ids) {
        std::string_view text;
        const auto id = element.get(text) == simdjson::SUCCESS ? domain::ParseId(text)
                                                               : std::optional<std::int64_t>();
        if (!id) {
            fields.Malformed("itemIds", "has something that is no id");
            break;
        }
        request.add_item_ids(*id);
    }
    request.set_note(fields.Text("note", kNoteMax));
    if (!fields.ok()) co_return RefuseOperator(scope, fields.status());
    const std::string object = std::to_string(request.item_ids_size()) + " items";
    const std::string why = request.note();
    http::Response answer = co_await Forward(scope, MatchItemsMethod(), std::move(request));
    co_return NoteOperator(scope, "outside_match.make", object, std::move(answer), why);
}

net::Task<http::Response> OperatorOutsideApi::Decide(const RequestScope& scope) const {
    auto id = PathId(scope.request, "matchId", "OUTSIDE_MATCH_UNKNOWN");
    if (!id.ok()) co_return RefuseOperator(scope, id.status());
    auto parsed = ParseJsonObject(scope.request.body);
    if (!parsed.ok()) co_return RefuseOperator(scope, parsed.status());
    JsonFields fields(*parsed);
    fields.OnlyThese({"decision", "note"});
    re::DecideOutsideMatchRequest request;
    request.set_match_id(*id);
    auto decision = re::DecideOutsideMatchRequest::DECISION_UNSPECIFIED;
    const std::string text = fields.Text("decision", 16);
    if (fields.ok() && (!re::DecideOutsideMatchRequest::Decision_Parse(text, &decision) ||
                        decision == re::DecideOutsideMatchRequest::DECISION_UNSPECIFIED)) {
        fields.Malformed("decision", "is none of CONFIRM, REJECT, UNMATCH");
    }
    request.set_decision(decision);
    request.set_note(fields.OptionalText("note", kNoteMax));
    if (!fields.ok()) co_return RefuseOperator(scope, fields.status());
    const std::string why = request.note();
    http::Response answer = co_await Forward(scope, DecideMethod(), std::move(request));
    co_return NoteOperator(scope, "outside_match.decide", text + " " + std::to_string(*id),
                           std::move(answer), why);
}

net::Task<http::Response> OperatorOutsideApi::ListUnmatched(const RequestScope& scope) const {
    re::ListUnmatchedRequest request;
    request.set_account(std::string(scope.request.Parameter("account")));
    re::OutsideItem::Side side;
    if (!re::OutsideItem::Side_Parse(scope.request.QueryValue("side"), &side) ||
        side == re::OutsideItem::SIDE_UNSPECIFIED) {
        co_return RefuseOperator(scope, FieldMalformed("side is neither EXPECTED nor BOOKED"));
    }
    request.set_side(side);
    const Status page = ReadPageInto(scope.request, request);
    if (!page.ok()) co_return RefuseOperator(scope, page);
    co_return co_await Forward(scope, ListUnmatchedMethod(), std::move(request));
}

net::Task<http::Response> OperatorOutsideApi::GetSummary(const RequestScope& scope) const {
    co_return co_await Forward(scope, GetSummaryMethod(), re::GetOutsideSummaryRequest());
}

}  // namespace kessai::gateway::transport
