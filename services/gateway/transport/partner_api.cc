#include "transport/partner_api.h"

#include <utility>

#include "domain/text_rules.h"
#include "transport/json_fields.h"
#include "transport/json_writer.h"
#include "transport/order_extra.h"
#include "transport/public_pages.h"

namespace kessai::gateway::transport {

namespace {

using domain::PartnerOperation;
using domain::PartnerResult;

// Beyond it the Java SDK's 32-bit seconds end.
constexpr std::int64_t kEpochSecondsMax = 2'147'483'647;
constexpr std::int64_t kRequestedAtMax = 100'000'000'000;

void BeginEnvelope(std::string& out, const PartnerResult& result) {
    out.append(R"({"resultInfo":{"code":")").append(result.code);
    out.append(R"(","message":)");
    AppendJsonString(out, result.message);
    out.append(R"(,"codeId":")").append(result.code_id).append(R"("},"data":)");
}

/// The path's id as text; a refusal when it can be none.
Result<std::string> PathKey(const http::Request& request, std::string_view name) {
    std::string key;
    if (!http::PercentDecode(request.Parameter(name), key) || !domain::IsPartnerKey(key)) {
        return Status(Code::kInvalidArgument, "FIELD_INVALID",
                      std::string(name) + " is not 1 to 64 of a-z, A-Z, 0-9, - and _");
    }
    return key;
}

std::string_view StatusName(domain::PaymentStatus status) {
    switch (status) {
        case domain::PaymentStatus::kCreated:
            return "CREATED";
        case domain::PaymentStatus::kCompleted:
            return "COMPLETED";
        case domain::PaymentStatus::kRefunded:
            return "REFUNDED";
        case domain::PaymentStatus::kFailed:
            return "FAILED";
        case domain::PaymentStatus::kAuthorized:
            return "AUTHORIZED";
        case domain::PaymentStatus::kCanceled:
            return "CANCELED";
        case domain::PaymentStatus::kExpired:
            return "EXPIRED";
        case domain::PaymentStatus::kCodeDeleted:
        case domain::PaymentStatus::kUnknown:
            break;
    }
    return "FAILED";
}

void WriteRefund(JsonWriter& json, const domain::Refund& refund) {
    json.Key("status").Text("REFUNDED");
    json.Key("acceptedAt").EpochSeconds(refund.accepted_at);
    json.Key("merchantRefundId").Text(refund.merchant_refund_id);
    json.Key("paymentId").Id(refund.payment_id);
    json.Key("amount").Amount(refund.amount);
    json.Key("requestedAt").Number(refund.requested_at_s);
    json.Key("reason").TextOrNull(refund.reason);
}

void WritePayment(JsonWriter& json, const domain::Payment& payment,
                  std::int64_t assumed_merchant_id, bool with_user_authorization) {
    const bool paid = payment.accepted_at.has_value();
    auto extra = OrderExtra::Parse(payment.details.extra_json);
    json.BeginObject();
    if (paid) {
        json.Key("paymentId").Id(payment.payment_id);
    } else {
        json.Key("paymentId").Null();
    }
    json.Key("status").Text(StatusName(payment.status));
    json.Key("acceptedAt").EpochSeconds(payment.accepted_at);
    json.Key("refunds");
    if (payment.refunds.empty()) {
        json.Null();
    } else {
        json.BeginObject().Key("data").BeginArray();
        for (const auto& refund : payment.refunds) {
            json.BeginObject();
            WriteRefund(json, refund);
            json.EndObject();
        }
        json.EndArray().EndObject();
    }
    json.Key("captures").Null();
    json.Key("revert").Null();
    json.Key("merchantPaymentId").Text(payment.merchant_payment_id);
    if (with_user_authorization) json.Key("userAuthorizationId").Null();
    json.Key("amount").Amount(payment.amount);
    json.Key("requestedAt").Number(payment.details.requested_at_s);
    json.Key("expiresAt").Null();
    json.Key("canceledAt").EpochSeconds(payment.canceled_at);
    json.Key("storeId").TextOrNull(payment.details.store_id);
    json.Key("terminalId").TextOrNull(payment.details.terminal_id);
    json.Key("orderReceiptNumber").TextOrNull(payment.details.order_receipt_number);
    json.Key("orderDescription").TextOrNull(payment.details.order_description);
    json.Key("orderItems").RawOrNull(extra.OrderItemsJson("unitPrice"));
    json.Key("metadata").RawOrNull(extra.metadata_json);
    json.Key("paymentMethods");
    if (paid) {
        json.BeginArray().BeginObject().Key("amount").Amount(payment.amount);
        json.Key("type").Text("WALLET").EndObject().EndArray();
    } else {
        json.Null();
    }
    json.Key("assumeMerchant");
    if (assumed_merchant_id != 0) {
        json.Id(assumed_merchant_id);
    } else {
        json.Null();
    }
    json.EndObject();
}

}  // namespace

http::Response BeginPartnerAnswer(const PartnerResult& result) {
    http::Response response;
    response.status = result.http_status;
    response.body.reserve(1'024);
    BeginEnvelope(response.body, result);
    return response;
}

http::Response PartnerEnvelope(const PartnerResult& result) {
    http::Response response = BeginPartnerAnswer(result);
    response.body.append("null}");
    return response;
}

http::Response PartnerRefusal(PartnerOperation operation, const Status& refusal) {
    const PartnerResult& result = PartnerResultOf(operation, refusal);
    http::Response response = PartnerEnvelope(result);
    response.reason = result.code;
    response.cause = std::string(refusal.reason()).append(": ").append(refusal.message());
    if (result.http_status == 429) response.fields.emplace_back("Retry-After", "1");
    return response;
}

http::Response PartnerFault(http::Fault fault, std::string_view, std::string_view) {
    static constexpr PartnerResult kNoPath{404, "RESOURCE_NOT_FOUND", "There is no such path",
                                           "00200001"};
    static constexpr PartnerResult kOverloaded{
        503, "MAINTENANCE_MODE", "The service can't take more requests now", "08100999"};
    static constexpr PartnerResult kInternal{500, "INTERNAL_SERVER_ERROR",
                                             "Something went wrong on our side", "08101000"};
    static constexpr PartnerResult kInvalid{400, "INVALID_REQUEST_PARAMS",
                                            "The content of the request is invalid", "08100006"};
    const PartnerResult& result = fault == http::Fault::kNotFound     ? kNoPath
                                  : fault == http::Fault::kOverloaded ? kOverloaded
                                  : fault == http::Fault::kInternal   ? kInternal
                                                                      : kInvalid;
    http::Response response = PartnerEnvelope(result);
    response.status = http::StatusOf(fault);
    return response;
}

PartnerApi::PartnerApi(PartnerApiOptions options,
                       const PerLoop<app::AuthenticatePartner>& authenticate,
                       PaymentGatewayOf payments, const Clock& clock)
    : options_(std::move(options)),
      authenticate_(authenticate),
      payments_(std::move(payments)),
      clock_(clock) {}

net::Task<Result<app::Partner>> AuthenticateRequest(
    const PerLoop<app::AuthenticatePartner>& authenticate, const RequestScope& scope,
    std::string_view partner_scope) {
    const http::Request& request = scope.request;
    const std::string named = request.QueryValue("assumeMerchant");
    app::PartnerRequest partner;
    partner.signed_request = {request.path, request.method_text, request.Header("Content-Type"),
                              request.body};
    partner.authorization = request.Header("Authorization");
    partner.assume_merchant =
        named.empty() ? request.Header("X-ASSUME-MERCHANT") : std::string_view(named);
    partner.client = request.client;
    partner.scope = partner_scope;
    co_return co_await authenticate.Of(request.loop).Run(partner);
}

net::Task<Result<app::Partner>> PartnerApi::Authenticate(const RequestScope& scope,
                                                         std::string_view partner_scope) const {
    co_return co_await AuthenticateRequest(authenticate_, scope, partner_scope);
}

net::Task<http::Response> PartnerApi::CreateCode(const RequestScope& scope) const {
    constexpr auto kOperation = PartnerOperation::kCreateCode;
    auto partner = co_await Authenticate(scope, domain::partner_scope::kCodes);
    if (!partner.ok()) co_return PartnerRefusal(kOperation, partner.status());
    const auto refuse = [&](const Status& why) {
        http::Response response = PartnerRefusal(kOperation, why);
        response.subject = partner->principal->subject;
        return response;
    };

    auto parsed = ParseJsonObject(scope.request.body);
    if (!parsed.ok()) co_return refuse(parsed.status());
    JsonFields fields(*parsed);
    domain::CreateCode command;
    command.salt = partner->request_salt;
    command.merchant_payment_id = fields.Key("merchantPaymentId");
    command.amount = fields.Amount("amount");
    const std::string code_type = fields.Text("codeType");
    if (fields.ok() && code_type != "ORDER_QR") fields.Malformed("codeType", "is not ORDER_QR");
    domain::OrderDetails& details = command.details;
    details.order_description = fields.OptionalText("orderDescription");
    details.store_id = fields.OptionalText("storeId");
    details.terminal_id = fields.OptionalText("terminalId");
    details.order_receipt_number = fields.OptionalText("orderReceiptNumber");
    details.requested_at_s = fields.OptionalInteger("requestedAt", 0, kRequestedAtMax)
                                 .value_or(ToMicros(clock_.Now()) / 1'000'000);
    const bool is_authorization = fields.OptionalBool("isAuthorization", false);
    const auto authorization_expiry =
        fields.OptionalInteger("authorizationExpiry", 0, kEpochSecondsMax);
    OrderExtra extra = OrderExtra::Read(fields);
    details.extra_json = extra.ToJson();
    if (fields.ok() && details.extra_json.size() > OrderExtra::kBytesMax) {
        fields.Malformed("orderItems", "and metadata are too large together");
    }
    if (!fields.ok()) co_return refuse(fields.status());
    if (is_authorization) {
        co_return refuse(Status(Code::kFailedPrecondition,
                                domain::reason::kAuthorizationUnsupported,
                                "isAuthorization is not available"));
    }

    const app::CallContext context = scope.CallAs(partner->principal);
    auto created = co_await payments_(scope.request).CreateCode(context, command);
    if (!created.ok()) co_return refuse(created.status());

    http::Response response = BeginPartnerAnswer(domain::kPartnerCreated);
    response.subject = partner->principal->subject;
    const std::string url = CodeUrlOf(options_, created->code_id);
    JsonWriter json(response.body);
    json.BeginObject();
    json.Key("codeId").Text(created->code_id);
    json.Key("url").Text(url);
    json.Key("deeplink").Text(CodeDeeplinkOf(options_, url));
    json.Key("expiryDate").EpochSeconds(created->code_expires_at);
    json.Key("merchantPaymentId").Text(command.merchant_payment_id);
    json.Key("amount").Amount(command.amount);
    json.Key("orderDescription").TextOrNull(details.order_description);
    json.Key("orderItems").RawOrNull(extra.OrderItemsJson("unit_price"));
    json.Key("metadata").RawOrNull(extra.metadata_json);
    json.Key("codeType").Text("ORDER_QR");
    json.Key("storeInfo").TextOrNull(extra.store_info);
    json.Key("storeId").TextOrNull(details.store_id);
    json.Key("terminalId").TextOrNull(details.terminal_id);
    json.Key("productType").TextOrNull(extra.product_type);
    json.Key("requestedAt").Number(details.requested_at_s);
    json.Key("redirectUrl").TextOrNull(extra.redirect_url);
    json.Key("redirectType").TextOrNull(extra.redirect_type);
    json.Key("userAgent").TextOrNull(extra.user_agent);
    json.Key("isAuthorization").Bool(false);
    json.Key("authorizationExpiry");
    if (authorization_expiry) {
        json.Number(*authorization_expiry);
    } else {
        json.Null();
    }
    json.EndObject();
    response.body.push_back('}');
    co_return response;
}

net::Task<http::Response> PartnerApi::DeleteCode(const RequestScope& scope) const {
    constexpr auto kOperation = PartnerOperation::kDeleteCode;
    auto partner = co_await Authenticate(scope, domain::partner_scope::kCodes);
    if (!partner.ok()) co_return PartnerRefusal(kOperation, partner.status());
    std::string code_id;
    Status outcome;
    if (!http::PercentDecode(scope.request.Parameter("codeId"), code_id) ||
        !domain::IsCodeId(code_id)) {
        outcome = Status(Code::kNotFound, "CODE_UNKNOWN", "no code has such an id");
    } else {
        const app::CallContext context = scope.CallAs(partner->principal);
        auto deleted = co_await payments_(scope.request).DeleteCode(context, code_id);
        outcome = deleted.status();
    }
    http::Response response;
    if (outcome.ok()) {
        response = BeginPartnerAnswer(domain::kPartnerSuccess);
        response.body.append(R"({"qrStatus":"DELETED"}})");
    } else {
        response = PartnerRefusal(kOperation, outcome);
    }
    response.subject = partner->principal->subject;
    co_return response;
}

net::Task<http::Response> PartnerApi::GetCodePayment(const RequestScope& scope) const {
    return PaymentDetails(scope, PartnerOperation::kGetCodePayment, domain::partner_scope::kCodes);
}
net::Task<http::Response> PartnerApi::GetPayment(const RequestScope& scope) const {
    return PaymentDetails(scope, PartnerOperation::kGetPayment, domain::partner_scope::kPayments);
}

net::Task<http::Response> PartnerApi::PaymentDetails(const RequestScope& scope,
                                                     PartnerOperation operation,
                                                     std::string_view partner_scope) const {
    auto partner = co_await Authenticate(scope, partner_scope);
    if (!partner.ok()) co_return PartnerRefusal(operation, partner.status());
    const auto refuse = [&](const Status& why) {
        http::Response response = PartnerRefusal(operation, why);
        response.subject = partner->principal->subject;
        return response;
    };
    auto key = PathKey(scope.request, "merchantPaymentId");
    if (!key.ok()) co_return refuse(key.status());
    const app::CallContext context = scope.CallAs(partner->principal);
    auto payment = co_await payments_(scope.request).GetPaymentByOrder(context, *key);
    if (!payment.ok()) co_return refuse(payment.status());
    // A code that is gone, and nobody paid it: there is no payment to show.
    const bool gone = payment->status == domain::PaymentStatus::kCodeDeleted ||
                      (payment->status == domain::PaymentStatus::kCreated && payment->code_expired);
    if (gone) co_return refuse(Status(Code::kNotFound, "PAYMENT_UNKNOWN", "its code is gone"));

    http::Response response = BeginPartnerAnswer(domain::kPartnerSuccess);
    response.subject = partner->principal->subject;
    JsonWriter json(response.body);
    WritePayment(json, *payment, partner->assumed_merchant_id,
                 operation == PartnerOperation::kGetPayment);
    response.body.push_back('}');
    co_return response;
}

net::Task<http::Response> PartnerApi::CancelPayment(const RequestScope& scope) const {
    constexpr auto kOperation = PartnerOperation::kCancelPayment;
    auto partner = co_await Authenticate(scope, domain::partner_scope::kPayments);
    if (!partner.ok()) co_return PartnerRefusal(kOperation, partner.status());
    auto key = PathKey(scope.request, "merchantPaymentId");
    Status outcome = key.status();
    if (outcome.ok()) {
        const app::CallContext context = scope.CallAs(partner->principal);
        outcome = co_await payments_(scope.request).CancelPayment(context, *key);
    }
    http::Response response = outcome.ok() ? PartnerEnvelope(domain::kPartnerAccepted)
                                           : PartnerRefusal(kOperation, outcome);
    response.subject = partner->principal->subject;
    co_return response;
}

net::Task<http::Response> PartnerApi::RefundPayment(const RequestScope& scope) const {
    constexpr auto kOperation = PartnerOperation::kRefundPayment;
    auto partner = co_await Authenticate(scope, domain::partner_scope::kRefunds);
    if (!partner.ok()) co_return PartnerRefusal(kOperation, partner.status());
    const auto refuse = [&](const Status& why) {
        http::Response response = PartnerRefusal(kOperation, why);
        response.subject = partner->principal->subject;
        return response;
    };
    auto parsed = ParseJsonObject(scope.request.body);
    if (!parsed.ok()) co_return refuse(parsed.status());
    JsonFields fields(*parsed);
    domain::RefundPayment command;
    command.merchant_refund_id = fields.Key("merchantRefundId");
    const std::string payment_id = fields.Text("paymentId", domain::kPartnerKeyLengthMax);
    command.amount = fields.Amount("amount");
    command.requested_at_s = fields.Integer("requestedAt", 0, kRequestedAtMax);
    command.reason = fields.OptionalText("reason");
    if (!fields.ok()) co_return refuse(fields.status());
    const auto id = domain::ParseId(payment_id);
    if (!id) co_return refuse(Status(Code::kNotFound, "PAYMENT_UNKNOWN", "no id of ours"));
    command.payment_id = *id;

    const app::CallContext context = scope.CallAs(partner->principal);
    auto refund = co_await payments_(scope.request).RefundPayment(context, command);
    if (!refund.ok()) co_return refuse(refund.status());
    http::Response response = BeginPartnerAnswer(domain::kPartnerSuccess);
    response.subject = partner->principal->subject;
    JsonWriter json(response.body);
    json.BeginObject();
    WriteRefund(json, *refund);
    json.Key("assumeMerchant");
    if (partner->assumed_merchant_id != 0) {
        json.Id(partner->assumed_merchant_id);
    } else {
        json.Null();
    }
    json.EndObject();
    response.body.push_back('}');
    co_return response;
}

net::Task<http::Response> PartnerApi::GetRefund(const RequestScope& scope) const {
    constexpr auto kOperation = PartnerOperation::kGetRefund;
    auto partner = co_await Authenticate(scope, domain::partner_scope::kRefunds);
    if (!partner.ok()) co_return PartnerRefusal(kOperation, partner.status());
    const auto refuse = [&](const Status& why) {
        http::Response response = PartnerRefusal(kOperation, why);
        response.subject = partner->principal->subject;
        return response;
    };
    auto key = PathKey(scope.request, "merchantRefundId");
    if (!key.ok()) co_return refuse(key.status());
    // The SDKs never say of which payment; then it is the newest of that id.
    const std::string payment_text = scope.request.QueryValue("paymentId");
    std::int64_t payment_id = 0;
    if (!payment_text.empty()) {
        const auto id = domain::ParseId(payment_text);
        if (!id) co_return refuse(Status(Code::kNotFound, "REFUND_UNKNOWN", "no id of ours"));
        payment_id = *id;
    }
    const app::CallContext context = scope.CallAs(partner->principal);
    auto refund = co_await payments_(scope.request).GetRefund(context, *key, payment_id);
    if (!refund.ok()) co_return refuse(refund.status());
    http::Response response = BeginPartnerAnswer(domain::kPartnerSuccess);
    response.subject = partner->principal->subject;
    JsonWriter json(response.body);
    json.BeginObject();
    WriteRefund(json, *refund);
    json.Key("assumeMerchant");
    if (partner->assumed_merchant_id != 0) {
        json.Id(partner->assumed_merchant_id);
    } else {
        json.Null();
    }
    json.EndObject();
    response.body.push_back('}');
    co_return response;
}

}  // namespace kessai::gateway::transport
