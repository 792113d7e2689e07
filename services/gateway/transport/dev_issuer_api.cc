#include "transport/dev_issuer_api.h"

#include <utility>

#include "transport/json_fields.h"
#include "transport/json_writer.h"
#include "transport/problem.h"

namespace kessai::gateway::transport {

DevIssuerApi::DevIssuerApi(Options options, jwt::Signer signer, const Clock& clock)
    : options_(std::move(options)), signer_(std::move(signer)), clock_(clock) {}

http::Response DevIssuerApi::Answer(const std::string& subject,
                                    const std::vector<std::string>& roles,
                                    const std::string& audience) const {
    const std::int64_t now_s = ToMicros(clock_.Now()) / 1'000'000;
    const std::int64_t life_s = options_.token_life / std::chrono::seconds(1);
    std::string claims;
    JsonWriter json(claims);
    json.BeginObject();
    json.Key("iss").Text(options_.issuer);
    json.Key("aud").Text(audience);
    json.Key("sub").Text(subject);
    json.Key("iat").Number(now_s);
    json.Key("exp").Number(now_s + life_s);
    if (!roles.empty()) {
        json.Key("roles").BeginArray();
        for (const auto& role : roles) json.Text(role);
        json.EndArray();
    }
    json.EndObject();

    http::Response response;
    JsonWriter answer(response.body);
    answer.BeginObject();
    answer.Key("token").Text(signer_.Sign(claims));
    answer.Key("tokenType").Text("Bearer");
    answer.Key("expiresInSeconds").Number(life_s);
    answer.EndObject();
    response.fields.emplace_back("Cache-Control", "no-store");
    return response;
}

net::Task<http::Response> DevIssuerApi::AppToken(const RequestScope& scope) const {
    auto parsed = ParseJsonObject(scope.request.body);
    if (!parsed.ok()) co_return Problem(parsed.status(), scope.request.request_id);
    JsonFields fields(*parsed);
    const std::string subject = fields.Text("sub");
    if (!fields.ok()) co_return Problem(fields.status(), scope.request.request_id);
    co_return Answer(subject, {}, options_.app_audience);
}

net::Task<http::Response> DevIssuerApi::OperatorToken(const RequestScope& scope) const {
    auto parsed = ParseJsonObject(scope.request.body);
    if (!parsed.ok()) co_return Problem(parsed.status(), scope.request.request_id);
    JsonFields fields(*parsed);
    const std::string subject = fields.Text("sub");
    std::vector<std::string> roles;
    if (const auto list = fields.OptionalArray("roles")) {
        for (const auto entry : *list) {
            std::string_view role;
            if (entry.get(role) != simdjson::SUCCESS || role.size() > 64 || roles.size() == 16) {
                fields.Malformed("roles", "is not a list of at most 16 names");
                break;
            }
            roles.emplace_back(role);
        }
    }
    if (!fields.ok()) co_return Problem(fields.status(), scope.request.request_id);
    if (!fields.Has("roles")) roles.emplace_back("admin");
    co_return Answer(subject, roles, options_.operator_audience);
}

net::Task<http::Response> DevIssuerApi::Keys(const RequestScope&) const {
    http::Response response;
    response.body = signer_.Jwks();
    co_return response;
}

}  // namespace kessai::gateway::transport
