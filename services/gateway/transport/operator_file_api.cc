#include "transport/operator_file_api.h"

#include <limits>
#include <string>
#include <utility>

#include "domain/text_rules.h"
#include "kessai/reconciliation/v1/file_service.pb.h"
#include "kessai/time/business_date.h"
#include "transport/json_fields.h"
#include "transport/operator_answers.h"
#include "transport/operator_api.h"
#include "transport/operator_forward.h"
#include "transport/page_query.h"

namespace kessai::gateway::transport {

namespace {

namespace rc = reconciliation::v1;

constexpr rpc::Name kFiles = "kessai.reconciliation.v1.FileService";
template <rpc::Name method, class Request, class Response>
constexpr auto& Of = rpc::MethodOf<kFiles, method, Request, Response>;
constexpr auto& PutTemplateMethod =
    Of<"PutFileTemplate", rc::PutFileTemplateRequest, rc::FileTemplate>;
constexpr auto& ListTemplatesMethod =
    Of<"ListFileTemplates", rc::ListFileTemplatesRequest, rc::ListFileTemplatesResponse>;
constexpr auto& GetTemplateMethod =
    Of<"GetFileTemplate", rc::GetFileTemplateRequest, rc::FileTemplate>;
constexpr auto& PreviewMethod =
    Of<"PreviewFileTemplate", rc::PreviewFileTemplateRequest, rc::FilePreview>;
constexpr auto& AssignMethod =
    Of<"AssignFileTemplate", rc::AssignFileTemplateRequest, rc::AssignFileTemplateResponse>;
constexpr auto& ListAssignmentsMethod =
    Of<"ListFileAssignments", rc::ListFileAssignmentsRequest, rc::ListFileAssignmentsResponse>;
constexpr auto& MakeFilesMethod = Of<"MakeFiles", rc::MakeFilesRequest, rc::FileRun>;
constexpr auto& CancelRunMethod = Of<"CancelFileRun", rc::CancelFileRunRequest, rc::FileRun>;
constexpr auto& GetRunMethod = Of<"GetFileRun", rc::GetFileRunRequest, rc::FileRun>;
constexpr auto& ListRunsMethod =
    Of<"ListFileRuns", rc::ListFileRunsRequest, rc::ListFileRunsResponse>;
constexpr auto& ListFilesMethod = Of<"ListFiles", rc::ListFilesRequest, rc::ListFilesResponse>;
constexpr auto& GetFileMethod = Of<"GetFile", rc::GetFileRequest, rc::File>;
constexpr auto& AnnounceMethod = Of<"AnnounceFile", rc::AnnounceFileRequest, rc::File>;

constexpr std::uint32_t kPageSizeMax = 1'000;
// As reconciliation takes them.
constexpr std::size_t kNameMax = 64;
constexpr std::size_t kYamlMax = std::size_t{256} << 10;
constexpr std::size_t kReasonMax = 255;
constexpr std::int64_t kPreviewRowsMax = 1'000;
constexpr std::size_t kMerchantsMax = 1'000;
constexpr std::int64_t kVersionMax = std::numeric_limits<std::int32_t>::max();

Result<std::string> TemplateOf(const http::Request& request) {
    const std::string name(request.Parameter("template"));
    if (domain::IsText(name, kNameMax)) return name;
    return Status(Code::kNotFound, "TEMPLATE_UNKNOWN", "no such template");
}

/// A date of the body, or 0 where there is none.
std::int32_t DateField(JsonFields& fields, std::string_view name) {
    const std::string text = fields.OptionalText(name, 10);
    if (text.empty()) return 0;
    const auto date = BusinessDate::Parse(text);
    if (!date.ok()) {
        fields.Malformed(name, "is no date like 2026-11-30");
        return 0;
    }
    return date->ToNumber();
}

/// An id of the query, or 0 where there is none.
Result<std::int64_t> IdOf(const http::Request& request, std::string_view name) {
    const std::string text = request.QueryValue(name);
    if (text.empty()) return 0;
    const auto id = domain::ParseId(text);
    if (id) return *id;
    return FieldMalformed(std::string(name) + " is no id");
}

template <class Request>
Status ReadPageInto(const http::Request& from, Request& request) {
    KESSAI_ASSIGN_OR_RETURN(const PageQuery page, ReadPage(from, kPageSizeMax));
    request.set_page_size(page.size);
    request.set_page_token(page.token);
    return OkStatus();
}

void ReadMerchants(JsonFields& fields, rc::AssignFileTemplateRequest& request) {
    const auto array = fields.OptionalArray("merchantIds");
    if (!array) return;
    if (array->size() == 0 || array->size() > kMerchantsMax) {
        return fields.Malformed("merchantIds", "has none or more than 1,000; without it: all");
    }
    for (const simdjson::dom::element element : *array) {
        std::string_view text;
        const auto id = element.get(text) == simdjson::SUCCESS ? domain::ParseId(text)
                                                               : std::optional<std::int64_t>();
        if (!id) return fields.Malformed("merchantIds", "has what is no id");
        request.add_merchant_ids(*id);
    }
}

Result<rc::ListFilesRequest> ReadListFiles(const http::Request& from) {
    rc::ListFilesRequest request;
    KESSAI_ASSIGN_OR_RETURN(const std::int64_t merchant, IdOf(from, "merchantId"));
    request.set_merchant_id(merchant);
    KESSAI_ASSIGN_OR_RETURN(const DateRange dates, ReadDates(from));
    request.set_from_date(dates.from);
    request.set_to_date(dates.to);
    request.set_template_name(from.QueryValue("template"));
    if (!domain::IsText(request.template_name(), kNameMax)) {
        return FieldMalformed("template is no name");
    }
    const std::string latest = from.QueryValue("latestOnly");
    if (!latest.empty() && latest != "true") return FieldMalformed("latestOnly is true or absent");
    request.set_latest_only(!latest.empty());
    KESSAI_RETURN_IF_ERROR(ReadPageInto(from, request));
    return request;
}

}  // namespace

OperatorFileApi::OperatorFileApi(ChannelOf reconciliation, auth::TokenSigner& signer,
                                 const PartnerFilesApi& downloads, const Clock& clock)
    : reconciliation_(std::move(reconciliation)),
      signer_(signer),
      downloads_(downloads),
      clock_(clock) {}

template <class Request, class Response>
net::Task<http::Response> OperatorFileApi::Forward(const RequestScope& scope,
                                                   const rpc::Method<Request, Response>& method,
                                                   Request request) const {
    return ForwardOperator(scope, signer_, clock_, reconciliation_(scope.request), "reconciliation",
                           method, std::move(request));
}

net::Task<http::Response> OperatorFileApi::PutTemplate(const RequestScope& scope) const {
    auto name = TemplateOf(scope.request);
    if (!name.ok()) co_return RefuseOperator(scope, name.status());
    auto parsed = ParseJsonObject(scope.request.body);
    if (!parsed.ok()) co_return RefuseOperator(scope, parsed.status());
    JsonFields fields(*parsed);
    fields.OnlyThese({"yaml", "scheduleAt"});
    rc::PutFileTemplateRequest request;
    request.set_name(*name);
    request.set_yaml(fields.OptionalText("yaml", kYamlMax));
    request.set_schedule_at(fields.OptionalText("scheduleAt", 5));
    if (fields.ok() && request.yaml().empty() && request.schedule_at().empty()) {
        fields.Refuse(FieldMalformed("yaml, scheduleAt or both are needed"));
    }
    if (!fields.ok()) co_return RefuseOperator(scope, fields.status());
    http::Response answer = co_await Forward(scope, PutTemplateMethod(), std::move(request));
    co_return NoteOperator(scope, "file_template.put", *name, std::move(answer));
}

net::Task<http::Response> OperatorFileApi::ListTemplates(const RequestScope& scope) const {
    rc::ListFileTemplatesRequest request;
    const Status read = ReadPageInto(scope.request, request);
    if (!read.ok()) co_return RefuseOperator(scope, read);
    co_return co_await Forward(scope, ListTemplatesMethod(), std::move(request));
}

net::Task<http::Response> OperatorFileApi::GetTemplate(const RequestScope& scope) const {
    auto name = TemplateOf(scope.request);
    if (!name.ok()) co_return RefuseOperator(scope, name.status());
    auto version = IdOf(scope.request, "version");
    if (!version.ok()) co_return RefuseOperator(scope, version.status());
    if (*version > kVersionMax) {
        co_return RefuseOperator(scope, FieldMalformed("version is no version of a template"));
    }
    rc::GetFileTemplateRequest request;
    request.set_name(*name);
    request.set_version(static_cast<std::uint32_t>(*version));
    co_return co_await Forward(scope, GetTemplateMethod(), std::move(request));
}

net::Task<http::Response> OperatorFileApi::Preview(const RequestScope& scope) const {
    auto parsed = ParseJsonObject(scope.request.body);
    if (!parsed.ok()) co_return RefuseOperator(scope, parsed.status());
    JsonFields fields(*parsed);
    fields.OnlyThese({"template", "version", "yaml", "merchantId", "businessDate", "rows"});
    rc::PreviewFileTemplateRequest request;
    if (fields.Has("yaml")) {
        request.set_yaml(fields.Text("yaml", kYamlMax));
        if (fields.Has("template")) fields.Malformed("template", "stands beside yaml");
    } else {
        request.set_name(fields.Text("template", kNameMax));
    }
    request.set_version(
        static_cast<std::uint32_t>(fields.OptionalInteger("version", 1, kVersionMax).value_or(0)));
    request.set_merchant_id(fields.Id("merchantId"));
    request.set_rows_max(
        static_cast<std::uint32_t>(fields.OptionalInteger("rows", 1, kPreviewRowsMax).value_or(0)));
    request.set_business_date(DateField(fields, "businessDate"));
    if (fields.ok() && request.business_date() == 0) (void)fields.Text("businessDate");
    if (!fields.ok()) co_return RefuseOperator(scope, fields.status());
    co_return co_await Forward(scope, PreviewMethod(), std::move(request));
}

net::Task<http::Response> OperatorFileApi::Assign(const RequestScope& scope) const {
    auto name = TemplateOf(scope.request);
    if (!name.ok()) co_return RefuseOperator(scope, name.status());
    auto parsed = ParseJsonObject(scope.request.body);
    if (!parsed.ok()) co_return RefuseOperator(scope, parsed.status());
    JsonFields fields(*parsed);
    fields.OnlyThese({"merchantIds", "mode", "fromDate"});
    rc::AssignFileTemplateRequest request;
    request.set_name(*name);
    ReadMerchants(fields, request);
    const std::string mode = fields.Text("mode", 32);
    rc::FileAssignment::Mode to = rc::FileAssignment::MODE_UNSPECIFIED;
    if (fields.ok() && (!rc::FileAssignment::Mode_Parse(mode, &to) ||
                        to == rc::FileAssignment::MODE_UNSPECIFIED)) {
        fields.Malformed("mode", "is not SCHEDULED, ON_DEMAND or NOT_ASSIGNED");
    }
    request.set_mode(to);
    request.set_from_date(DateField(fields, "fromDate"));
    if (!fields.ok()) co_return RefuseOperator(scope, fields.status());
    http::Response answer = co_await Forward(scope, AssignMethod(), std::move(request));
    co_return NoteOperator(scope, "file_template.assign", *name, std::move(answer), mode);
}

net::Task<http::Response> OperatorFileApi::ListAssignments(const RequestScope& scope) const {
    auto name = TemplateOf(scope.request);
    if (!name.ok()) co_return RefuseOperator(scope, name.status());
    rc::ListFileAssignmentsRequest request;
    request.set_name(*name);
    const Status read = ReadPageInto(scope.request, request);
    if (!read.ok()) co_return RefuseOperator(scope, read);
    co_return co_await Forward(scope, ListAssignmentsMethod(), std::move(request));
}

net::Task<http::Response> OperatorFileApi::Make(const RequestScope& scope) const {
    auto parsed = ParseJsonObject(scope.request.body);
    if (!parsed.ok()) co_return RefuseOperator(scope, parsed.status());
    JsonFields fields(*parsed);
    fields.OnlyThese({"template", "businessDate", "merchantId", "again"});
    rc::MakeFilesRequest request;
    request.set_name(fields.Text("template", kNameMax));
    request.set_business_date(DateField(fields, "businessDate"));
    if (fields.ok() && request.business_date() == 0) (void)fields.Text("businessDate");
    if (fields.Has("merchantId")) request.set_merchant_id(fields.Id("merchantId"));
    if (const auto again = fields.OptionalObject("again")) {
        JsonFields inner(*again, "again.");
        inner.OnlyThese({"reason", "force"});
        request.mutable_again()->set_reason(inner.Text("reason", kReasonMax));
        request.mutable_again()->set_force(inner.OptionalBool("force", false));
        if (!inner.ok()) fields.Refuse(inner.status());
    }
    if (!fields.ok()) co_return RefuseOperator(scope, fields.status());
    const std::string object = request.name() + " " + std::to_string(request.business_date());
    const std::string why = request.again().reason();
    http::Response answer = co_await Forward(scope, MakeFilesMethod(), std::move(request));
    co_return NoteOperator(scope, "files.make", object, std::move(answer), why);
}

net::Task<http::Response> OperatorFileApi::ListRuns(const RequestScope& scope) const {
    rc::ListFileRunsRequest request;
    request.set_name(scope.request.QueryValue("template"));
    auto date = ReadDate(scope.request, "businessDate");
    if (!date.ok()) co_return RefuseOperator(scope, date.status());
    request.set_business_date(*date);
    const Status read = ReadPageInto(scope.request, request);
    if (!read.ok()) co_return RefuseOperator(scope, read);
    if (!domain::IsText(request.name(), kNameMax)) {
        co_return RefuseOperator(scope, FieldMalformed("template is no name"));
    }
    co_return co_await Forward(scope, ListRunsMethod(), std::move(request));
}

net::Task<http::Response> OperatorFileApi::GetRun(const RequestScope& scope) const {
    auto id = PathId(scope.request, "runId", "FILE_RUN_UNKNOWN");
    if (!id.ok()) co_return RefuseOperator(scope, id.status());
    rc::GetFileRunRequest request;
    request.set_run_id(*id);
    co_return co_await Forward(scope, GetRunMethod(), std::move(request));
}

net::Task<http::Response> OperatorFileApi::CancelRun(const RequestScope& scope) const {
    auto id = PathId(scope.request, "runId", "FILE_RUN_UNKNOWN");
    if (!id.ok()) co_return RefuseOperator(scope, id.status());
    auto parsed = ParseJsonObject(scope.request.body);
    if (!parsed.ok()) co_return RefuseOperator(scope, parsed.status());
    JsonFields fields(*parsed);
    fields.OnlyThese({"reason"});
    rc::CancelFileRunRequest request;
    request.set_run_id(*id);
    request.set_reason(fields.Text("reason", kReasonMax));
    if (!fields.ok()) co_return RefuseOperator(scope, fields.status());
    const std::string why = request.reason();
    http::Response answer = co_await Forward(scope, CancelRunMethod(), std::move(request));
    co_return NoteOperator(scope, "file_run.cancel", scope.request.Parameter("runId"),
                           std::move(answer), why);
}

net::Task<http::Response> OperatorFileApi::List(const RequestScope& scope) const {
    auto request = ReadListFiles(scope.request);
    if (!request.ok()) co_return RefuseOperator(scope, request.status());
    co_return co_await Forward(scope, ListFilesMethod(), std::move(*request));
}

net::Task<http::Response> OperatorFileApi::Get(const RequestScope& scope) const {
    auto id = PathId(scope.request, "fileId", "FILE_UNKNOWN");
    if (!id.ok()) co_return RefuseOperator(scope, id.status());
    rc::GetFileRequest request;
    request.set_file_id(*id);
    co_return co_await Forward(scope, GetFileMethod(), std::move(request));
}

net::Task<http::Response> OperatorFileApi::GetContent(const RequestScope& scope) const {
    auto id = PathId(scope.request, "fileId", "FILE_UNKNOWN");
    if (!id.ok()) co_return RefuseOperator(scope, id.status());
    const PartnerFilesApi::Refuse refuse = [&](const Status& why) {
        return RefuseOperator(scope, why);
    };
    co_return co_await downloads_.Send(scope, *id, refuse);
}

net::Task<http::Response> OperatorFileApi::Announce(const RequestScope& scope) const {
    auto id = PathId(scope.request, "fileId", "FILE_UNKNOWN");
    if (!id.ok()) co_return RefuseOperator(scope, id.status());
    rc::AnnounceFileRequest request;
    request.set_file_id(*id);
    http::Response answer = co_await Forward(scope, AnnounceMethod(), std::move(request));
    co_return NoteOperator(scope, "file.announce", scope.request.Parameter("fileId"),
                           std::move(answer));
}

}  // namespace kessai::gateway::transport
