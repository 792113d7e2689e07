#pragma once

#include <string>
#include <string_view>

#include "kessai/http/message.h"
#include "kessai/net/task.h"
#include "transport/partner_api.h"
#include "transport/request_scope.h"

namespace kessai::gateway::transport {

/// What anybody may look at: the picture of a code, the interface's description and a page to
/// browse it.
class PublicPages {
 public:
    explicit PublicPages(PartnerApiOptions options) : options_(std::move(options)) {}

    /// /qr/{code}: a page for people; with ".png" or ".svg" the picture. A pure function of the id:
    /// it says nothing about whether there is such a code.
    net::Task<http::Response> Qr(const RequestScope& scope) const;
    net::Task<http::Response> OpenApi(const RequestScope& scope) const;
    net::Task<http::Response> Docs(const RequestScope& scope) const;

 private:
    const PartnerApiOptions options_;
};

/// The OpenAPI 3.1 document, and the page that shows it; compiled in from openapi/.
std::string_view OpenApiDocument();
std::string_view DocsPage();

/// The code's url and deeplink, from their templates.
std::string CodeUrlOf(const PartnerApiOptions& options, std::string_view code_id);
std::string CodeDeeplinkOf(const PartnerApiOptions& options, std::string_view url);

}  // namespace kessai::gateway::transport
