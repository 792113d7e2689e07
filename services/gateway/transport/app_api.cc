#include "transport/app_api.h"

#include <string>
#include <utility>

#include "domain/partner_contract.h"
#include "domain/text_rules.h"
#include "kessai/time/business_date.h"
#include "transport/json_fields.h"
#include "transport/json_writer.h"
#include "transport/page_query.h"
#include "transport/problem.h"

namespace kessai::gateway::transport {

namespace {

constexpr std::uint32_t kPageSizeMax = 100;

http::Response Refuse(const RequestScope& scope, const Status& why,
                      const auth::PrincipalPtr& caller = nullptr) {
    http::Response response = Problem(why, scope.request.request_id);
    if (caller) response.subject = std::to_string(caller->user_id);
    return response;
}

http::Response Answer(int status, const auth::PrincipalPtr& caller) {
    http::Response response;
    response.status = status;
    response.subject = std::to_string(caller->user_id);
    response.body.reserve(512);
    return response;
}

std::string_view StatusName(const domain::Payment& payment) {
    switch (payment.status) {
        case domain::PaymentStatus::kCreated:
            return payment.code_expired ? "EXPIRED" : "OPEN";
        case domain::PaymentStatus::kCompleted:
            return "COMPLETED";
        case domain::PaymentStatus::kRefunded:
            return "REFUNDED";
        case domain::PaymentStatus::kFailed:
            return "CANCELED";
        case domain::PaymentStatus::kCodeDeleted:
            return "DELETED";
        case domain::PaymentStatus::kAuthorized:
            return "AUTHORIZED";
        case domain::PaymentStatus::kCanceled:
            return "REVERTED";
        case domain::PaymentStatus::kExpired:
            return "EXPIRED";
        case domain::PaymentStatus::kUnknown:
            break;
    }
    return "UNKNOWN";
}

void WriteTime(JsonWriter& json, const std::optional<Instant>& when) {
    if (when) {
        json.Text(FormatUtc(*when));
    } else {
        json.Null();
    }
}

void WriteMerchant(JsonWriter& json, std::int64_t merchant_id, std::string_view name) {
    json.BeginObject();
    json.Key("merchantId").Id(merchant_id);
    json.Key("name").Text(name);
    json.EndObject();
}

void WritePayment(JsonWriter& json, const domain::Payment& payment) {
    json.BeginObject();
    json.Key("paymentId").Id(payment.payment_id);
    json.Key("codeId").Text(payment.code_id);
    json.Key("status").Text(StatusName(payment));
    json.Key("amount").Amount(payment.amount);
    json.Key("refunded").Amount(payment.refunded);
    json.Key("merchant");
    WriteMerchant(json, payment.merchant_id, payment.merchant_name);
    json.Key("orderDescription").TextOrNull(payment.details.order_description);
    json.Key("storeId").TextOrNull(payment.details.store_id);
    json.Key("acceptedAt");
    WriteTime(json, payment.accepted_at);
    json.Key("canceledAt");
    WriteTime(json, payment.canceled_at);
    json.Key("codeExpiresAt");
    WriteTime(json, payment.code_expires_at);
    if (payment.balance) json.Key("balance").Amount(*payment.balance);
    if (!payment.refunds.empty()) {
        json.Key("refunds").BeginArray();
        for (const auto& refund : payment.refunds) {
            json.BeginObject();
            json.Key("refundId").Id(refund.refund_id);
            json.Key("amount").Amount(refund.amount);
            json.Key("acceptedAt");
            WriteTime(json, refund.accepted_at);
            json.EndObject();
        }
        json.EndArray();
    }
    json.EndObject();
}

std::string_view KindName(domain::HistoryEntry::Kind kind) {
    switch (kind) {
        case domain::HistoryEntry::Kind::kPayment:
            return "PAYMENT";
        case domain::HistoryEntry::Kind::kCancel:
            return "CANCEL";
        case domain::HistoryEntry::Kind::kRefund:
            return "REFUND";
        case domain::HistoryEntry::Kind::kTopUp:
            return "TOP_UP";
        case domain::HistoryEntry::Kind::kUnknown:
            break;
    }
    return "OTHER";
}

Result<std::string> CodeIdOf(const http::Request& request) {
    std::string code_id;
    if (!http::PercentDecode(request.Parameter("codeId"), code_id) || !domain::IsCodeId(code_id)) {
        return Status(Code::kNotFound, "CODE_UNKNOWN", "there is no such code");
    }
    return code_id;
}

}  // namespace

AppApi::AppApi(const PerLoop<app::AuthenticateAppUser>& authenticate,
               const PerLoop<app::RateLimiter>& limiters, app::Rate user_rate,
               PaymentGatewayOf payments)
    : authenticate_(authenticate),
      limiters_(limiters),
      user_rate_(user_rate),
      payments_(std::move(payments)) {}

net::Task<Result<auth::PrincipalPtr>> AppApi::Authenticate(const RequestScope& scope) const {
    const http::Request& request = scope.request;
    auto caller = co_await authenticate_.Of(request.loop).Run(request.Header("Authorization"));
    if (!caller.ok()) co_return caller.status();
    const std::string key = "u" + std::to_string((*caller)->user_id);
    if (!limiters_.Of(request.loop).Take(key, user_rate_)) {
        co_return Status(Code::kResourceExhausted, domain::reason::kRateLimited,
                         "too many requests; slow down");
    }
    co_return std::move(*caller);
}

net::Task<http::Response> AppApi::SignIn(const RequestScope& scope) const {
    const http::Request& request = scope.request;
    auto caller =
        co_await authenticate_.Of(request.loop).RunForSignIn(request.Header("Authorization"));
    if (!caller.ok()) co_return Refuse(scope, caller.status());
    const app::CallContext context = scope.CallAs(*caller);
    auto wallet = co_await payments_(request).OpenWallet(context);
    if (!wallet.ok()) co_return Refuse(scope, wallet.status(), *caller);
    http::Response response = Answer(200, *caller);
    JsonWriter json(response.body);
    json.BeginObject();
    json.Key("userId").Id((*caller)->user_id);
    json.Key("balance").Amount(wallet->balance);
    json.EndObject();
    co_return response;
}

net::Task<http::Response> AppApi::GetWallet(const RequestScope& scope) const {
    auto caller = co_await Authenticate(scope);
    if (!caller.ok()) co_return Refuse(scope, caller.status());
    const app::CallContext context = scope.CallAs(*caller);
    auto wallet = co_await payments_(scope.request).GetWallet(context);
    if (!wallet.ok()) co_return Refuse(scope, wallet.status(), *caller);
    http::Response response = Answer(200, *caller);
    JsonWriter json(response.body);
    json.BeginObject();
    json.Key("userId").Id(wallet->user_id);
    json.Key("balance").Amount(wallet->balance);
    json.EndObject();
    co_return response;
}

net::Task<http::Response> AppApi::TopUp(const RequestScope& scope) const {
    auto caller = co_await Authenticate(scope);
    if (!caller.ok()) co_return Refuse(scope, caller.status());
    const std::string key(scope.request.Header("Idempotency-Key"));
    if (!domain::IsPartnerKey(key)) {
        co_return Refuse(
            scope,
            Status(Code::kInvalidArgument,
                   key.empty() ? domain::reason::kFieldMissing : domain::reason::kFieldMalformed,
                   "the field Idempotency-Key must be 1 to 64 of a-z, A-Z, 0-9, - and _"),
            *caller);
    }
    auto parsed = ParseJsonObject(scope.request.body);
    if (!parsed.ok()) co_return Refuse(scope, parsed.status(), *caller);
    JsonFields fields(*parsed);
    const Money amount = fields.Amount("amount");
    const std::string source = fields.Text("source", 64);
    if (!fields.ok()) co_return Refuse(scope, fields.status(), *caller);

    const app::CallContext context = scope.CallAs(*caller);
    auto done = co_await payments_(scope.request).TopUp(context, key, amount, source);
    if (!done.ok()) co_return Refuse(scope, done.status(), *caller);
    http::Response response = Answer(201, *caller);
    JsonWriter json(response.body);
    json.BeginObject();
    json.Key("topUpId").Id(done->top_up_id);
    json.Key("amount").Amount(done->amount);
    json.Key("balance").Amount(done->balance_after);
    json.Key("acceptedAt");
    WriteTime(json, done->accepted_at);
    json.EndObject();
    co_return response;
}

net::Task<http::Response> AppApi::GetCode(const RequestScope& scope) const {
    auto caller = co_await Authenticate(scope);
    if (!caller.ok()) co_return Refuse(scope, caller.status());
    auto code_id = CodeIdOf(scope.request);
    if (!code_id.ok()) co_return Refuse(scope, code_id.status(), *caller);
    const app::CallContext context = scope.CallAs(*caller);
    auto payment = co_await payments_(scope.request).GetCode(context, *code_id);
    if (!payment.ok()) co_return Refuse(scope, payment.status(), *caller);
    http::Response response = Answer(200, *caller);
    JsonWriter json(response.body);
    json.BeginObject();
    json.Key("codeId").Text(payment->code_id);
    json.Key("status").Text(StatusName(*payment));
    json.Key("amount").Amount(payment->amount);
    json.Key("merchant");
    WriteMerchant(json, payment->merchant_id, payment->merchant_name);
    json.Key("orderDescription").TextOrNull(payment->details.order_description);
    json.Key("storeId").TextOrNull(payment->details.store_id);
    json.Key("expiresAt");
    WriteTime(json, payment->code_expires_at);
    json.EndObject();
    co_return response;
}

net::Task<http::Response> AppApi::PayCode(const RequestScope& scope) const {
    auto caller = co_await Authenticate(scope);
    if (!caller.ok()) co_return Refuse(scope, caller.status());
    auto code_id = CodeIdOf(scope.request);
    if (!code_id.ok()) co_return Refuse(scope, code_id.status(), *caller);
    auto parsed = ParseJsonObject(scope.request.body);
    if (!parsed.ok()) co_return Refuse(scope, parsed.status(), *caller);
    JsonFields fields(*parsed);
    const Money amount = fields.Amount("amount");
    if (!fields.ok()) co_return Refuse(scope, fields.status(), *caller);

    const app::CallContext context = scope.CallAs(*caller);
    auto payment = co_await payments_(scope.request).PayCode(context, *code_id, amount);
    if (!payment.ok()) co_return Refuse(scope, payment.status(), *caller);
    http::Response response = Answer(201, *caller);
    JsonWriter json(response.body);
    WritePayment(json, *payment);
    co_return response;
}

net::Task<http::Response> AppApi::ListHistory(const RequestScope& scope) const {
    auto caller = co_await Authenticate(scope);
    if (!caller.ok()) co_return Refuse(scope, caller.status());
    const auto wanted = ReadPage(scope.request, kPageSizeMax);
    if (!wanted.ok()) co_return Refuse(scope, wanted.status(), *caller);
    const app::CallContext context = scope.CallAs(*caller);
    auto page = co_await payments_(scope.request).ListHistory(context, wanted->size, wanted->token);
    if (!page.ok()) co_return Refuse(scope, page.status(), *caller);
    http::Response response = Answer(200, *caller);
    JsonWriter json(response.body);
    json.BeginObject().Key("entries").BeginArray();
    for (const auto& entry : page->entries) {
        json.BeginObject();
        json.Key("eventId").Id(entry.event_id);
        json.Key("kind").Text(KindName(entry.kind));
        json.Key("objectId").Id(entry.object_id);
        json.Key("amount").Amount(entry.amount);
        json.Key("balanceAfter").Amount(entry.balance_after);
        json.Key("occurredAt");
        WriteTime(json, entry.occurred_at);
        if (entry.merchant_id != 0) {
            json.Key("merchant");
            WriteMerchant(json, entry.merchant_id, entry.merchant_name);
            json.Key("merchantPaymentId").TextOrNull(entry.merchant_payment_id);
        }
        json.EndObject();
    }
    json.EndArray();
    json.Key("nextPageToken").TextOrNull(page->next_page_token);
    json.EndObject();
    co_return response;
}

net::Task<http::Response> AppApi::GetPayment(const RequestScope& scope) const {
    auto caller = co_await Authenticate(scope);
    if (!caller.ok()) co_return Refuse(scope, caller.status());
    const auto id = domain::ParseId(scope.request.Parameter("paymentId"));
    if (!id) {
        co_return Refuse(
            scope, Status(Code::kNotFound, "PAYMENT_UNKNOWN", "there is no such payment"), *caller);
    }
    const app::CallContext context = scope.CallAs(*caller);
    auto payment = co_await payments_(scope.request).GetPayment(context, *id);
    if (!payment.ok()) co_return Refuse(scope, payment.status(), *caller);
    http::Response response = Answer(200, *caller);
    JsonWriter json(response.body);
    WritePayment(json, *payment);
    co_return response;
}

}  // namespace kessai::gateway::transport
