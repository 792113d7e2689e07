#include "transport/public_pages.h"

#include <utility>

#include "domain/text_rules.h"
#include "transport/problem.h"
#include "transport/qr_image.h"

namespace kessai::gateway::transport {

namespace {

constexpr std::string_view kHtml = "text/html; charset=utf-8";

/// Nothing from elsewhere, and no frame around it.
void Protect(http::Response& response, std::string_view policy) {
    response.fields.emplace_back("Content-Security-Policy", std::string(policy));
    response.fields.emplace_back("X-Content-Type-Options", "nosniff");
    response.fields.emplace_back("Referrer-Policy", "no-referrer");
}

std::string EscapeHtml(std::string_view text) {
    std::string escaped;
    for (const char c : text) {
        switch (c) {
            case '<':
                escaped += "&lt;";
                break;
            case '>':
                escaped += "&gt;";
                break;
            case '&':
                escaped += "&amp;";
                break;
            case '"':
                escaped += "&quot;";
                break;
            default:
                escaped += c;
        }
    }
    return escaped;
}

std::string Replaced(std::string text, std::string_view what, std::string_view with) {
    if (const auto at = text.find(what); at != std::string::npos)
        text.replace(at, what.size(), with);
    return text;
}

}  // namespace

std::string CodeUrlOf(const PartnerApiOptions& options, std::string_view code_id) {
    return Replaced(options.code_url_template, "{codeId}", code_id);
}
std::string CodeDeeplinkOf(const PartnerApiOptions& options, std::string_view url) {
    return Replaced(options.code_deeplink_template, "{url}", http::PercentEncode(url));
}

net::Task<http::Response> PublicPages::Qr(const RequestScope& scope) const {
    std::string_view code = scope.request.Parameter("code");
    std::string_view form;
    for (const std::string_view suffix : {".png", ".svg"}) {
        if (code.ends_with(suffix)) {
            form = suffix;
            code.remove_suffix(suffix.size());
        }
    }
    if (!domain::IsCodeId(code)) {
        co_return Problem(Status(Code::kNotFound, "CODE_UNKNOWN", "no code has such an id"),
                          scope.request.request_id);
    }
    const std::string url = CodeUrlOf(options_, code);
    http::Response response;
    response.fields.emplace_back("Cache-Control", "public, max-age=86400, immutable");
    if (form == ".png") {
        response.content_type = "image/png";
        response.body = QrPng(url);
        Protect(response, "default-src 'none'");
        co_return response;
    }
    if (form == ".svg") {
        response.content_type = "image/svg+xml";
        response.body = QrSvg(url);
        Protect(response, "default-src 'none'");
        co_return response;
    }
    response.content_type = kHtml;
    response.body =
        "<!doctype html><html lang=\"ja\"><meta charset=\"utf-8\"><meta name=\"viewport\" "
        "content=\"width=device-width,initial-scale=1\"><title>決済</title><style>"
        "body{font:16px system-ui,sans-serif;margin:0;min-height:100vh;display:grid;"
        "place-items:center;background:#f4f4f6;color:#222}main{background:#fff;padding:2rem;"
        "border-radius:1rem;text-align:center;box-shadow:0 2px 12px "
        "#0002}svg{width:min(70vw,18rem)}"
        "a{display:inline-block;margin-top:1rem;padding:.7rem 1.4rem;border-radius:2rem;"
        "background:#0a5;color:#fff;text-decoration:none}code{color:#666;font-size:.8rem}</style>"
        "<main>" +
        QrSvg(url) + "<div><code>" + EscapeHtml(code) + "</code></div><a href=\"" +
        EscapeHtml(CodeDeeplinkOf(options_, url)) + "\">アプリで支払う</a></main></html>";
    Protect(response, "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
    co_return response;
}

net::Task<http::Response> PublicPages::OpenApi(const RequestScope&) const {
    http::Response response;
    response.body = OpenApiDocument();
    response.fields.emplace_back("Cache-Control", "public, max-age=300");
    co_return response;
}

net::Task<http::Response> PublicPages::Docs(const RequestScope&) const {
    http::Response response;
    response.content_type = kHtml;
    response.body = DocsPage();
    Protect(response,
            "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
            "connect-src 'self'; frame-ancestors 'none'");
    co_return response;
}

}  // namespace kessai::gateway::transport
