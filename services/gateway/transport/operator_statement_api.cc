#include "transport/operator_statement_api.h"

#include <charconv>
#include <string>
#include <utility>

#include "domain/text_rules.h"
#include "kessai/payout/v1/statement_service.pb.h"
#include "transport/json_fields.h"
#include "transport/operator_answers.h"
#include "transport/operator_api.h"
#include "transport/operator_forward.h"
#include "transport/piece_stream.h"

namespace kessai::gateway::transport {

namespace {

namespace po = payout::v1;

constexpr rpc::Name kStatements = "kessai.payout.v1.StatementService";
template <rpc::Name method, class Request, class Response>
constexpr auto& Of = rpc::MethodOf<kStatements, method, Request, Response>;
constexpr auto& PutMerchantProfileMethod =
    Of<"PutMerchantProfile", po::PutMerchantProfileRequest, po::MerchantProfile>;
constexpr auto& GetMerchantProfileMethod =
    Of<"GetMerchantProfile", po::GetMerchantProfileRequest, po::MerchantProfile>;
constexpr auto& GetStatementMethod = Of<"GetStatement", po::StatementRequest, po::Statement>;
constexpr auto& GetStatementFileMethod =
    Of<"GetStatementFile", po::GetStatementFileRequest, po::FilePiece>;
constexpr auto& IssueStatementMethod = Of<"IssueStatement", po::StatementRequest, po::Statement>;

constexpr auto& IssueStatementsMethod =
    Of<"IssueStatements", po::IssueStatementsRequest, po::IssuedStatements>;
constexpr auto& CorrectStatementMethod =
    Of<"CorrectStatement", po::CorrectStatementRequest, po::Statement>;

constexpr std::int64_t kVersionMax = 1'000;
constexpr std::size_t kNameMax = 120;
// As payout keeps it.
constexpr std::size_t kFileBytesMax = std::size_t{16} << 20;

Result<std::int64_t> MerchantOf(const http::Request& request) {
    return PathId(request, "merchantId", "MERCHANT_UNKNOWN");
}

/// {month} of the path, "2026-11", as yyyymm.
Result<std::int32_t> NamedMonth(const http::Request& request) {
    const std::string text(request.Parameter("month"));
    const auto number = [&](std::size_t at, std::size_t length, std::int32_t& value) {
        const char* const end = text.data() + at + length;
        const auto [read, error] = std::from_chars(text.data() + at, end, value);
        return error == std::errc() && read == end;
    };
    std::int32_t year = 0;
    std::int32_t month = 0;
    if (text.size() == 7 && text[4] == '-' && text[5] != '-' && number(0, 4, year) &&
        number(5, 2, month) && year > 0 && month >= 1 && month <= 12) {
        return year * 100 + month;
    }
    return FieldMalformed("month is no month (2026-11)");
}

/// What both name.
Result<po::StatementRequest> RequestOf(const http::Request& request) {
    po::StatementRequest named;
    KESSAI_ASSIGN_OR_RETURN(const std::int64_t merchant, MerchantOf(request));
    KESSAI_ASSIGN_OR_RETURN(const std::int32_t month, NamedMonth(request));
    named.set_merchant_id(merchant);
    named.set_month(month);
    if (const std::string text = request.QueryValue("version"); !text.empty()) {
        const auto version = domain::ParseId(text);
        if (!version || *version > kVersionMax) {
            return FieldMalformed("version is no version of a statement");
        }
        named.set_version(static_cast<std::int32_t>(*version));
    }
    return named;
}

}  // namespace

OperatorStatementApi::OperatorStatementApi(ChannelOf payout, auth::TokenSigner& signer,
                                           rpc::WorkerPool& workers, const Clock& clock)
    : payout_(std::move(payout)), signer_(signer), workers_(workers), clock_(clock) {}

template <class Request, class Response>
net::Task<http::Response> OperatorStatementApi::Forward(
    const RequestScope& scope, const rpc::Method<Request, Response>& method,
    Request request) const {
    return ForwardOperator(scope, signer_, clock_, payout_(scope.request), "payout", method,
                           std::move(request));
}

net::Task<http::Response> OperatorStatementApi::PutMerchantProfile(
    const RequestScope& scope) const {
    auto merchant = MerchantOf(scope.request);
    if (!merchant.ok()) co_return RefuseOperator(scope, merchant.status());
    auto parsed = ParseJsonObject(scope.request.body);
    if (!parsed.ok()) co_return RefuseOperator(scope, parsed.status());
    JsonFields fields(*parsed);
    fields.OnlyThese({"invoiceName"});
    po::PutMerchantProfileRequest request;
    request.set_merchant_id(*merchant);
    request.set_invoice_name(fields.Text("invoiceName", kNameMax));
    if (!fields.ok()) co_return RefuseOperator(scope, fields.status());
    http::Response answer = co_await Forward(scope, PutMerchantProfileMethod(), std::move(request));
    co_return NoteOperator(scope, "merchant_profile.put", scope.request.Parameter("merchantId"),
                           std::move(answer));
}

net::Task<http::Response> OperatorStatementApi::GetMerchantProfile(
    const RequestScope& scope) const {
    auto merchant = MerchantOf(scope.request);
    if (!merchant.ok()) co_return RefuseOperator(scope, merchant.status());
    po::GetMerchantProfileRequest request;
    request.set_merchant_id(*merchant);
    co_return co_await Forward(scope, GetMerchantProfileMethod(), std::move(request));
}

net::Task<http::Response> OperatorStatementApi::GetStatement(const RequestScope& scope) const {
    auto request = RequestOf(scope.request);
    if (!request.ok()) co_return RefuseOperator(scope, request.status());
    std::string format = scope.request.QueryValue("format");
    if (format.empty() || format == "json") {
        co_return co_await Forward(scope, GetStatementMethod(), std::move(*request));
    }
    if (format != "csv" && format != "pdf") {
        co_return RefuseOperator(scope, FieldMalformed("format is neither json, csv nor pdf"));
    }
    co_return co_await GetFile(scope, request->merchant_id(), request->month(), request->version(),
                               std::move(format));
}

net::Task<http::Response> OperatorStatementApi::GetFile(const RequestScope& scope,
                                                        std::int64_t merchant, std::int32_t month,
                                                        std::int32_t version,
                                                        std::string format) const {
    po::GetStatementFileRequest request;
    request.set_merchant_id(merchant);
    request.set_month(month);
    request.set_format(format);
    request.set_version(version);
    co_return co_await ForwardFile(scope, signer_, clock_, payout_(scope.request), "payout",
                                   workers_, GetStatementFileMethod(), std::move(request),
                                   format == "pdf" ? "application/pdf" : "text/csv; charset=utf-8",
                                   kFileBytesMax);
}

net::Task<http::Response> OperatorStatementApi::IssueStatement(const RequestScope& scope) const {
    auto request = RequestOf(scope.request);
    if (!request.ok()) co_return RefuseOperator(scope, request.status());
    const std::string object =
        std::to_string(request->merchant_id()) + " " + std::to_string(request->month());
    http::Response answer = co_await Forward(scope, IssueStatementMethod(), std::move(*request));
    co_return NoteOperator(scope, "statement.issue", object, std::move(answer));
}

net::Task<http::Response> OperatorStatementApi::IssueStatements(const RequestScope& scope) const {
    auto month = NamedMonth(scope.request);
    if (!month.ok()) co_return RefuseOperator(scope, month.status());
    auto parsed = ParseJsonObject(scope.request.body);
    if (!parsed.ok()) co_return RefuseOperator(scope, parsed.status());
    JsonFields fields(*parsed);
    fields.OnlyThese({"afterMerchantId"});
    po::IssueStatementsRequest request;
    request.set_month(*month);
    if (fields.Has("afterMerchantId")) {
        request.set_after_merchant_id(fields.Id("afterMerchantId"));
    }
    if (!fields.ok()) co_return RefuseOperator(scope, fields.status());
    http::Response answer = co_await Forward(scope, IssueStatementsMethod(), std::move(request));
    co_return NoteOperator(scope, "statements.issue", scope.request.Parameter("month"),
                           std::move(answer));
}

net::Task<http::Response> OperatorStatementApi::CorrectStatement(const RequestScope& scope) const {
    auto named = RequestOf(scope.request);
    if (!named.ok()) co_return RefuseOperator(scope, named.status());
    auto parsed = ParseJsonObject(scope.request.body);
    if (!parsed.ok()) co_return RefuseOperator(scope, parsed.status());
    JsonFields fields(*parsed);
    fields.OnlyThese({"version", "reason"});
    po::CorrectStatementRequest request;
    request.set_merchant_id(named->merchant_id());
    request.set_month(named->month());
    request.set_version(static_cast<std::int32_t>(fields.Integer("version", 2, kVersionMax)));
    request.set_reason(fields.Text("reason"));
    if (!fields.ok()) co_return RefuseOperator(scope, fields.status());
    const std::string object =
        std::to_string(request.merchant_id()) + " " + std::to_string(request.month());
    http::Response answer = co_await Forward(scope, CorrectStatementMethod(), std::move(request));
    co_return NoteOperator(scope, "statement.correct", object, std::move(answer));
}

}  // namespace kessai::gateway::transport
