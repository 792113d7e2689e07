#include "transport/operator_api.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "app/blocking.h"
#include "domain/secret_box.h"
#include "domain/text_rules.h"
#include "kessai/http/client.h"
#include "kessai/log/log.h"
#include "kessai/time/business_date.h"
#include "transport/change_names.h"
#include "transport/json_fields.h"
#include "transport/json_writer.h"
#include "transport/operator_answers.h"
#include "transport/page_query.h"

namespace kessai::gateway::transport {

namespace {

constexpr std::size_t kUrlLengthMax = 2'048;
constexpr std::uint32_t kDeliveriesPage = 50;
constexpr std::uint32_t kDeliveriesPageMax = 200;

http::Response Answer(const RequestScope& scope, int status = 200) {
    http::Response response;
    response.status = status;
    response.subject = scope.caller->subject;
    return response;
}

/// Who did what, for the audit. What was refused is in the log as the request's reason and cause.
void Note(const RequestScope& scope, std::string_view action, std::int64_t merchant_id,
          std::string_view object) {
    log::Context context;
    context.SetRequestId(scope.request.request_id);
    log::Info(context, "operator.action",
              {{"action", action},
               {"operator", scope.caller->subject},
               {"merchant_id", merchant_id},
               {"object", object},
               {"outcome", "DONE"}});
}

Result<std::int64_t> MerchantOf(const http::Request& request) {
    return PathId(request, "merchantId", "MERCHANT_UNKNOWN");
}

Result<std::string> EndpointNameOf(const http::Request& request) {
    std::string name;
    if (!http::PercentDecode(request.Parameter("endpointName"), name) ||
        !domain::IsPartnerKey(name)) {
        return FieldMalformed("the endpoint's name is not 1 to 64 of a-z, A-Z, 0-9, - and _");
    }
    return name;
}

void WriteTime(JsonWriter& json, Instant when) {
    if (ToMicros(when) == 0) {
        json.Null();
    } else {
        json.Text(FormatUtc(when));
    }
}

void WriteMerchant(JsonWriter& json, const domain::Merchant& merchant) {
    json.BeginObject();
    json.Key("merchantId").Id(merchant.merchant_id);
    json.Key("name").Text(merchant.name);
    json.Key("suspended").Bool(merchant.suspended);
    json.Key("multipleRefunds").Bool(merchant.multiple_refunds);
    json.EndObject();
}

void WriteCredential(JsonWriter& json, const domain::ApiCredential& credential, bool with_secret) {
    json.BeginObject();
    json.Key("apiKey").Text(credential.api_key);
    if (with_secret) json.Key("apiSecret").Text(credential.secret);
    json.Key("merchantId").Id(credential.merchant_id);
    json.Key("scopes").BeginArray();
    for (const auto& scope : credential.scopes) json.Text(scope);
    json.EndArray();
    json.Key("assumableMerchantIds").BeginArray();
    for (const auto id : credential.assumable_merchant_ids) json.Id(id);
    json.EndArray();
    json.Key("allowedNetworks").BeginArray();
    for (const auto& network : credential.allowed_networks) json.Text(network.ToString());
    json.EndArray();
    json.Key("requestsPerSecond");
    if (credential.requests_per_second > 0) {
        json.Number(credential.requests_per_second);
    } else {
        json.Null();
    }
    json.Key("revoked").Bool(credential.revoked);
    json.Key("createdAt");
    WriteTime(json, credential.created_at);
    json.EndObject();
}

void WriteEndpoint(JsonWriter& json, const domain::WebhookEndpoint& endpoint, bool with_secret) {
    json.BeginObject();
    json.Key("endpointId").Id(endpoint.endpoint_id);
    json.Key("merchantId").Id(endpoint.merchant_id);
    json.Key("name").Text(endpoint.name);
    json.Key("url").Text(endpoint.url);
    json.Key("enabled").Bool(endpoint.enabled);
    if (with_secret) json.Key("secret").Text(endpoint.secret);
    json.Key("createdAt");
    WriteTime(json, endpoint.created_at);
    json.Key("updatedAt");
    WriteTime(json, endpoint.updated_at);
    json.EndObject();
}

void WriteDelivery(JsonWriter& json, const domain::WebhookDelivery& delivery) {
    const bool pending = delivery.state == domain::DeliveryState::kPending;
    json.BeginObject();
    json.Key("deliveryId").Id(delivery.delivery_id);
    json.Key("endpointId").Id(delivery.endpoint_id);
    json.Key("merchantId").Id(delivery.merchant_id);
    // A file's is kept negative (file_notice.h).
    json.Key("objectId").Id(delivery.object_id < 0 ? -delivery.object_id : delivery.object_id);
    json.Key("version").Number(delivery.version);
    json.Key("notificationType").Text(delivery.notification_type);
    json.Key("state").Text(domain::DeliveryStateName(delivery.state));
    json.Key("attempts").Number(delivery.attempts);
    json.Key("nextAttemptAt");
    if (pending) {
        WriteTime(json, delivery.next_attempt_at);
    } else {
        json.Null();
    }
    json.Key("createdAt");
    WriteTime(json, delivery.created_at);
    json.Key("lastHttpStatus");
    if (delivery.last_http_status != 0) {
        json.Number(delivery.last_http_status);
    } else {
        json.Null();
    }
    json.Key("lastError").TextOrNull(delivery.last_error);
    json.Key("payload").Raw(delivery.payload);
    json.EndObject();
}

std::string_view DayStateName(app::BusinessDay::State state) {
    switch (state) {
        case app::BusinessDay::State::kOpen:
            return "OPEN";
        case app::BusinessDay::State::kClosing:
            return "CLOSING";
        case app::BusinessDay::State::kClosed:
            return "CLOSED";
        case app::BusinessDay::State::kUnknown:
            break;
    }
    return "UNKNOWN";
}

http::Response AnswerDay(const RequestScope& scope, const app::BusinessDay& day) {
    http::Response response = Answer(scope);
    JsonWriter json(response.body);
    json.BeginObject();
    json.Key("businessDate");
    const auto date = BusinessDate::FromNumber(day.date_number);
    if (date.ok()) {
        json.Text(date->ToString());
    } else {
        json.Null();
    }
    json.Key("state").Text(DayStateName(day.state));
    json.EndObject();
    return response;
}

/// A list of texts or ids; what is wrong is refused in `fields`.
std::vector<std::string> TextList(JsonFields& fields, std::string_view name,
                                  std::size_t items_max) {
    std::vector<std::string> texts;
    const auto list = fields.OptionalArray(name);
    if (!list) return texts;
    for (const auto entry : *list) {
        std::string_view text;
        if (entry.get(text) != simdjson::SUCCESS || !domain::IsText(text) ||
            texts.size() == items_max) {
            fields.Malformed(name,
                             "is not a list of at most " + std::to_string(items_max) + " texts");
            return texts;
        }
        texts.emplace_back(text);
    }
    return texts;
}

}  // namespace

Result<std::int32_t> PathDate(const http::Request& request) {
    const std::string_view text = request.Parameter("date");
    if (text == "today") return 0;
    const auto date = BusinessDate::Parse(text);
    if (!date.ok()) return FieldMalformed("the date is not like 2026-11-22");
    return date->ToNumber();
}

Result<std::int64_t> PathId(const http::Request& request, std::string_view name,
                            std::string_view reason) {
    const auto id = domain::ParseId(request.Parameter(name));
    if (!id) return Status(Code::kNotFound, reason, "no id of ours");
    return *id;
}

OperatorApi::OperatorApi(Options options, Services services)
    : options_(options), services_(std::move(services)) {}

net::Task<http::Response> OperatorApi::PutMerchant(const RequestScope& scope) const {
    auto merchant_id = MerchantOf(scope.request);
    if (!merchant_id.ok()) co_return RefuseOperator(scope, merchant_id.status());
    auto parsed = ParseJsonObject(scope.request.body);
    if (!parsed.ok()) co_return RefuseOperator(scope, parsed.status());
    JsonFields fields(*parsed);
    fields.OnlyThese({"name", "suspended", "multipleRefunds"});
    domain::Merchant merchant;
    merchant.merchant_id = *merchant_id;
    merchant.name = fields.Text("name");
    merchant.suspended = fields.OptionalBool("suspended", false);
    merchant.multiple_refunds = fields.OptionalBool("multipleRefunds", false);
    if (!fields.ok()) co_return RefuseOperator(scope, fields.status());
    const app::CallContext context = scope.CallAs(scope.caller);
    auto stored = co_await services_.payments(scope.request).PutMerchant(context, merchant);
    if (!stored.ok()) co_return RefuseOperator(scope, stored.status());
    Note(scope, "merchant.put", *merchant_id, stored->name);
    http::Response response = Answer(scope);
    JsonWriter json(response.body);
    WriteMerchant(json, *stored);
    co_return response;
}

net::Task<http::Response> OperatorApi::GetMerchant(const RequestScope& scope) const {
    auto merchant_id = MerchantOf(scope.request);
    if (!merchant_id.ok()) co_return RefuseOperator(scope, merchant_id.status());
    const app::CallContext context = scope.CallAs(scope.caller);
    auto merchant = co_await services_.payments(scope.request).GetMerchant(context, *merchant_id);
    if (!merchant.ok()) co_return RefuseOperator(scope, merchant.status());
    http::Response response = Answer(scope);
    JsonWriter json(response.body);
    WriteMerchant(json, *merchant);
    co_return response;
}

net::Task<http::Response> OperatorApi::IssueCredential(const RequestScope& scope) const {
    auto merchant_id = MerchantOf(scope.request);
    if (!merchant_id.ok()) co_return RefuseOperator(scope, merchant_id.status());
    app::CredentialWish wish;
    wish.merchant_id = *merchant_id;
    if (!scope.request.body.empty()) {
        auto parsed = ParseJsonObject(scope.request.body);
        if (!parsed.ok()) co_return RefuseOperator(scope, parsed.status());
        JsonFields fields(*parsed);
        fields.OnlyThese(
            {"scopes", "allowedNetworks", "assumableMerchantIds", "requestsPerSecond"});
        wish.scopes = TextList(fields, "scopes", 16);
        wish.allowed_networks = TextList(fields, "allowedNetworks", 100);
        for (const auto& text : TextList(fields, "assumableMerchantIds", 1'000)) {
            const auto id = domain::ParseId(text);
            if (!id) fields.Malformed("assumableMerchantIds", "holds what is no id");
            wish.assumable_merchant_ids.push_back(id.value_or(0));
        }
        wish.requests_per_second =
            fields.OptionalInteger("requestsPerSecond", 1, 1'000'000).value_or(0);
        if (!fields.ok()) co_return RefuseOperator(scope, fields.status());
    }
    // A key for a merchant that is not there would fail later, and further away.
    const app::CallContext context = scope.CallAs(scope.caller);
    auto merchant = co_await services_.payments(scope.request).GetMerchant(context, *merchant_id);
    if (!merchant.ok()) co_return RefuseOperator(scope, merchant.status());
    auto issued = co_await app::RunBlocking(
        services_.workers, *scope.request.loop, [this, &wish]() -> Result<domain::ApiCredential> {
            app::IssueCredential issue(services_.credentials, services_.clock);
            return issue.Run(wish);
        });
    if (!issued.ok()) co_return RefuseOperator(scope, issued.status());
    services_.on_credential_changed(issued->api_key);
    Note(scope, "credential.issue", *merchant_id, issued->api_key);
    http::Response response = Answer(scope, 201);
    response.fields.emplace_back("Cache-Control", "no-store");
    JsonWriter json(response.body);
    WriteCredential(json, *issued, true);
    co_return response;
}

net::Task<http::Response> OperatorApi::ListCredentials(const RequestScope& scope) const {
    auto merchant_id = MerchantOf(scope.request);
    if (!merchant_id.ok()) co_return RefuseOperator(scope, merchant_id.status());
    auto found = co_await app::RunBlocking(
        services_.workers, *scope.request.loop,
        [this, &id = *merchant_id] { return services_.credentials.OfMerchant(id); });
    if (!found.ok()) co_return RefuseOperator(scope, found.status());
    http::Response response = Answer(scope);
    JsonWriter json(response.body);
    json.BeginObject().Key("credentials").BeginArray();
    for (const auto& credential : *found) WriteCredential(json, credential, false);
    json.EndArray().EndObject();
    co_return response;
}

net::Task<http::Response> OperatorApi::RevokeCredential(const RequestScope& scope) const {
    auto merchant_id = MerchantOf(scope.request);
    if (!merchant_id.ok()) co_return RefuseOperator(scope, merchant_id.status());
    const std::string api_key(scope.request.Parameter("apiKey"));
    if (!domain::IsPartnerKey(api_key)) {
        co_return RefuseOperator(scope,
                                 Status(Code::kNotFound, "CREDENTIAL_UNKNOWN", "no such key"));
    }
    Status revoked = co_await app::RunBlocking(
        services_.workers, *scope.request.loop, [this, &id = *merchant_id, &api_key] {
            return services_.credentials.Revoke(id, api_key, services_.clock.Now());
        });
    if (!revoked.ok()) co_return RefuseOperator(scope, revoked);
    services_.on_credential_changed(api_key);
    Note(scope, "credential.revoke", *merchant_id, api_key);
    http::Response response = Answer(scope);
    JsonWriter json(response.body);
    json.BeginObject().Key("apiKey").Text(api_key).Key("revoked").Bool(true).EndObject();
    co_return response;
}

net::Task<http::Response> OperatorApi::PutWebhookEndpoint(const RequestScope& scope) const {
    auto merchant_id = MerchantOf(scope.request);
    if (!merchant_id.ok()) co_return RefuseOperator(scope, merchant_id.status());
    auto name = EndpointNameOf(scope.request);
    if (!name.ok()) co_return RefuseOperator(scope, name.status());
    auto parsed = ParseJsonObject(scope.request.body);
    if (!parsed.ok()) co_return RefuseOperator(scope, parsed.status());
    JsonFields fields(*parsed);
    fields.OnlyThese({"url", "enabled"});
    domain::WebhookEndpoint endpoint;
    endpoint.merchant_id = *merchant_id;
    endpoint.name = *name;
    endpoint.url = fields.Text("url", kUrlLengthMax);
    endpoint.enabled = fields.OptionalBool("enabled", true);
    if (!fields.ok()) co_return RefuseOperator(scope, fields.status());
    auto url = http::Url::Parse(endpoint.url);
    if (!url.ok()) co_return RefuseOperator(scope, url.status());
    if (!options_.allow_private_webhooks) {
        if (!url->tls)
            co_return RefuseOperator(scope, FieldMalformed("the url must begin with https://"));
        // A name's addresses are checked when it is connected to; a literal's can be now.
        const auto literal = net::IpAddress::Parse(url->host);
        if (literal.ok() && !literal->is_public()) {
            co_return RefuseOperator(scope, Status(Code::kInvalidArgument, "ADDRESS_REFUSED",
                                                   "the address is not a public one"));
        }
    }
    auto stored = co_await app::RunBlocking(
        services_.workers, *scope.request.loop,
        [this, &endpoint]() -> Result<domain::WebhookEndpoint> {
            KESSAI_ASSIGN_OR_RETURN(endpoint.endpoint_id, services_.ids.Next());
            endpoint.secret = "whsec_" + domain::Base64Encode(domain::RandomBytes(32));
            return services_.webhooks.PutEndpoint(endpoint, services_.clock.Now());
        });
    if (!stored.ok()) co_return RefuseOperator(scope, stored.status());
    services_.on_webhooks_changed();
    Note(scope, "webhook_endpoint.put", *merchant_id, *name);
    const bool made = !stored->secret.empty();
    http::Response response = Answer(scope, made ? 201 : 200);
    response.fields.emplace_back("Cache-Control", "no-store");
    JsonWriter json(response.body);
    WriteEndpoint(json, *stored, made);
    co_return response;
}

net::Task<http::Response> OperatorApi::ListWebhookEndpoints(const RequestScope& scope) const {
    auto merchant_id = MerchantOf(scope.request);
    if (!merchant_id.ok()) co_return RefuseOperator(scope, merchant_id.status());
    auto found = co_await app::RunBlocking(
        services_.workers, *scope.request.loop,
        [this, &id = *merchant_id] { return services_.webhooks.EndpointsOf(id); });
    if (!found.ok()) co_return RefuseOperator(scope, found.status());
    http::Response response = Answer(scope);
    JsonWriter json(response.body);
    json.BeginObject().Key("endpoints").BeginArray();
    for (const auto& endpoint : *found) WriteEndpoint(json, endpoint, false);
    json.EndArray().EndObject();
    co_return response;
}

net::Task<http::Response> OperatorApi::DeleteWebhookEndpoint(const RequestScope& scope) const {
    auto merchant_id = MerchantOf(scope.request);
    if (!merchant_id.ok()) co_return RefuseOperator(scope, merchant_id.status());
    auto name = EndpointNameOf(scope.request);
    if (!name.ok()) co_return RefuseOperator(scope, name.status());
    Status deleted = co_await app::RunBlocking(
        services_.workers, *scope.request.loop, [this, &id = *merchant_id, &name] {
            return services_.webhooks.DeleteEndpoint(id, *name, services_.clock.Now());
        });
    if (!deleted.ok()) co_return RefuseOperator(scope, deleted);
    services_.on_webhooks_changed();
    Note(scope, "webhook_endpoint.delete", *merchant_id, *name);
    http::Response response = Answer(scope);
    JsonWriter json(response.body);
    json.BeginObject().Key("name").Text(*name).Key("deleted").Bool(true).EndObject();
    co_return response;
}

net::Task<http::Response> OperatorApi::TestWebhookEndpoint(const RequestScope& scope) const {
    auto merchant_id = MerchantOf(scope.request);
    if (!merchant_id.ok()) co_return RefuseOperator(scope, merchant_id.status());
    auto name = EndpointNameOf(scope.request);
    if (!name.ok()) co_return RefuseOperator(scope, name.status());
    auto made = co_await app::RunBlocking(
        services_.workers, *scope.request.loop,
        [this, &id = *merchant_id, &name]() -> Result<domain::WebhookDelivery> {
            KESSAI_ASSIGN_OR_RETURN(const auto endpoint,
                                    services_.webhooks.FindEndpoint(id, *name));
            domain::WebhookDelivery delivery;
            KESSAI_ASSIGN_OR_RETURN(delivery.delivery_id, services_.ids.Next());
            delivery.endpoint_id = endpoint.endpoint_id;
            delivery.merchant_id = id;
            delivery.object_id = delivery.delivery_id;
            delivery.notification_type = "test";
            delivery.created_at = delivery.next_attempt_at = services_.clock.Now();
            JsonWriter json(delivery.payload);
            json.BeginObject();
            json.Key("notification_type").Text("test");
            json.Key("notification_id").Id(delivery.delivery_id);
            json.Key("merchant_id").Id(id);
            json.EndObject();
            KESSAI_RETURN_IF_ERROR(services_.webhooks.AddDelivery(delivery));
            return delivery;
        });
    if (!made.ok()) co_return RefuseOperator(scope, made.status());
    services_.on_webhooks_changed();
    Note(scope, "webhook_endpoint.test", *merchant_id, *name);
    http::Response response = Answer(scope, 202);
    JsonWriter json(response.body);
    WriteDelivery(json, *made);
    co_return response;
}

net::Task<http::Response> OperatorApi::ListWebhookDeliveries(const RequestScope& scope) const {
    const http::Request& request = scope.request;
    auto merchant_id = MerchantOf(request);
    if (!merchant_id.ok()) co_return RefuseOperator(scope, merchant_id.status());
    auto name = EndpointNameOf(request);
    if (!name.ok()) co_return RefuseOperator(scope, name.status());
    std::optional<domain::DeliveryState> state;
    if (const std::string wanted = request.QueryValue("state"); !wanted.empty()) {
        for (const auto known : {domain::DeliveryState::kPending, domain::DeliveryState::kDelivered,
                                 domain::DeliveryState::kDead}) {
            if (wanted == domain::DeliveryStateName(known)) state = known;
        }
        if (!state) {
            co_return RefuseOperator(scope,
                                     FieldMalformed("state is not PENDING, DELIVERED or DEAD"));
        }
    }
    const auto wanted = ReadPage(request, kDeliveriesPageMax);
    if (!wanted.ok()) co_return RefuseOperator(scope, wanted.status());
    std::int64_t before = 0;
    if (!wanted->token.empty()) {
        const auto id = domain::ParseId(wanted->token);
        if (!id) co_return RefuseOperator(scope, PageTokenInvalid());
        before = *id;
    }
    const std::size_t page_size = wanted->size == 0 ? kDeliveriesPage : wanted->size;
    auto page = co_await app::RunBlocking(
        services_.workers, *request.loop,
        [this, &id = *merchant_id, &name, &state, &before,
         &page_size]() -> Result<std::vector<domain::WebhookDelivery>> {
            KESSAI_ASSIGN_OR_RETURN(const auto endpoint,
                                    services_.webhooks.FindEndpoint(id, *name));
            return services_.webhooks.ListDeliveries(endpoint.endpoint_id, state, before,
                                                     static_cast<int>(page_size) + 1);
        });
    if (!page.ok()) co_return RefuseOperator(scope, page.status());
    const bool more = page->size() > page_size;
    if (more) page->pop_back();
    http::Response response = Answer(scope);
    JsonWriter json(response.body);
    json.BeginObject().Key("deliveries").BeginArray();
    for (const auto& delivery : *page) WriteDelivery(json, delivery);
    json.EndArray().Key("nextPageToken");
    if (more) {
        json.Id(page->back().delivery_id);
    } else {
        json.Null();
    }
    json.EndObject();
    co_return response;
}

net::Task<http::Response> OperatorApi::GetWebhookAttempts(const RequestScope& scope) const {
    auto id = PathId(scope.request, "deliveryId", "DELIVERY_UNKNOWN");
    if (!id.ok()) co_return RefuseOperator(scope, id.status());
    auto attempts = co_await app::RunBlocking(
        services_.workers, *scope.request.loop,
        [this, &delivery = *id] { return services_.webhooks.AttemptsOf(delivery); });
    if (!attempts.ok()) co_return RefuseOperator(scope, attempts.status());
    http::Response response = Answer(scope);
    JsonWriter json(response.body);
    json.BeginObject().Key("attempts").BeginArray();
    for (const auto& attempt : *attempts) {
        json.BeginObject();
        json.Key("attempt").Number(attempt.number);
        json.Key("startedAt");
        WriteTime(json, attempt.outcome.started_at);
        json.Key("tookMs").Number(attempt.outcome.took / std::chrono::milliseconds(1));
        json.Key("httpStatus");
        if (attempt.outcome.http_status != 0) {
            json.Number(attempt.outcome.http_status);
        } else {
            json.Null();
        }
        json.Key("error").TextOrNull(attempt.outcome.error);
        json.EndObject();
    }
    json.EndArray().EndObject();
    co_return response;
}

net::Task<http::Response> OperatorApi::Redeliver(const RequestScope& scope) const {
    auto id = PathId(scope.request, "deliveryId", "DELIVERY_UNKNOWN");
    if (!id.ok()) co_return RefuseOperator(scope, id.status());
    auto delivery = co_await app::RunBlocking(
        services_.workers, *scope.request.loop, [this, &delivery_id = *id] {
            return services_.webhooks.Redeliver(delivery_id, services_.clock.Now());
        });
    if (!delivery.ok()) co_return RefuseOperator(scope, delivery.status());
    services_.on_webhooks_changed();
    Note(scope, "webhook_delivery.redeliver", delivery->merchant_id, std::to_string(*id));
    http::Response response = Answer(scope, 202);
    JsonWriter json(response.body);
    WriteDelivery(json, *delivery);
    co_return response;
}

net::Task<http::Response> OperatorApi::GetDay(const RequestScope& scope) const {
    auto date = PathDate(scope.request);
    if (!date.ok()) co_return RefuseOperator(scope, date.status());
    const app::CallContext context = scope.CallAs(scope.caller);
    auto day = co_await services_.payments(scope.request).GetBusinessDay(context, *date);
    if (!day.ok()) co_return RefuseOperator(scope, day.status());
    co_return AnswerDay(scope, *day);
}

net::Task<http::Response> OperatorApi::CloseDay(const RequestScope& scope) const {
    auto date = PathDate(scope.request);
    if (!date.ok()) co_return RefuseOperator(scope, date.status());
    if (*date == 0)
        co_return RefuseOperator(scope, FieldMalformed("name the date that is to be closed"));
    bool early = false;
    if (!scope.request.body.empty()) {
        auto parsed = ParseJsonObject(scope.request.body);
        if (!parsed.ok()) co_return RefuseOperator(scope, parsed.status());
        JsonFields fields(*parsed);
        fields.OnlyThese({"early"});
        early = fields.OptionalBool("early", false);
        if (!fields.ok()) co_return RefuseOperator(scope, fields.status());
    }
    const app::CallContext context = scope.CallAs(scope.caller);
    auto day = co_await services_.payments(scope.request).CloseDay(context, *date, early);
    co_return NoteOperator(scope, early ? "day.close_early" : "day.close",
                           scope.request.Parameter("date"),
                           day.ok() ? AnswerDay(scope, *day) : RefuseOperator(scope, day.status()));
}

net::Task<http::Response> OperatorApi::RepublishEvents(const RequestScope& scope) const {
    auto parsed = ParseJsonObject(scope.request.body);
    if (!parsed.ok()) co_return RefuseOperator(scope, parsed.status());
    JsonFields fields(*parsed);
    const Republish wish = ReadRepublish(fields);
    if (!fields.ok()) co_return RefuseOperator(scope, fields.status());
    const app::CallContext context = scope.CallAs(scope.caller);
    auto published =
        co_await services_.payments(scope.request).RepublishEvents(context, wish.changes);
    http::Response response = Answer(scope);
    if (published.ok()) {
        JsonWriter json(response.body);
        json.BeginObject().Key("published").Number(*published).EndObject();
    } else {
        response = RefuseOperator(scope, published.status());
    }
    co_return NoteOperator(scope, "events.republish", NamesOf(wish.changes), std::move(response),
                           wish.reason);
}

}  // namespace kessai::gateway::transport
