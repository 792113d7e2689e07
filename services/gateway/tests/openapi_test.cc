// Goal: the OpenAPI document describes exactly the routes that are served.
// Method: every line of the route table is looked up in the compiled-in document, and every
// operation of the document in the table.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "transport/public_pages.h"
#include "transport/routes.h"

namespace kessai::gateway::transport {
namespace {

using nlohmann::json;

std::string LowerMethod(http::Method method) {
    std::string name(http::MethodName(method));
    for (char& c : name) c = static_cast<char>(c | 0x20);
    return name;
}

std::string SchemeOf(Authentication authentication) {
    switch (authentication) {
        case Authentication::kPartner:
            return "opaHmac";
        case Authentication::kAppUser:
            return "appToken";
        case Authentication::kOperator:
            return "operatorToken";
        case Authentication::kNone:
            break;
    }
    return "";
}

class OpenApiTest : public ::testing::Test {
 protected:
    const json document_ = json::parse(OpenApiDocument());
};

TEST_F(OpenApiTest, DescribesEveryRoute) {
    for (const RouteSpec& spec : AllRoutes()) {
        const auto& paths = document_["paths"];
        ASSERT_TRUE(paths.contains(std::string(spec.path))) << spec.path;
        const auto& methods = paths[std::string(spec.path)];
        const std::string method = LowerMethod(spec.method);
        ASSERT_TRUE(methods.contains(method)) << spec.name;
        const json& operation = methods[method];
        EXPECT_EQ(operation["operationId"], std::string(spec.name));
        const std::string scheme = SchemeOf(spec.authentication);
        if (scheme.empty()) {
            EXPECT_EQ(operation["security"], json::array()) << spec.name;
        } else {
            EXPECT_EQ(operation["security"], json::array({{{scheme, json::array()}}})) << spec.name;
        }
        EXPECT_EQ(operation.value("x-kessai-scope", ""), std::string(spec.scope)) << spec.name;
        EXPECT_EQ(operation.value("x-kessai-development-only", false), spec.development_only)
            << spec.name;
        // Its path's parameters, each once.
        std::set<std::string> declared;
        for (const auto& parameter : operation.value("parameters", json::array())) {
            if (parameter["in"] == "path") declared.insert(parameter["name"]);
        }
        std::set<std::string> named;
        std::string_view rest = spec.path;
        while (rest.find('{') != std::string_view::npos) {
            rest = rest.substr(rest.find('{') + 1);
            named.insert(std::string(rest.substr(0, rest.find('}'))));
        }
        EXPECT_EQ(declared, named) << spec.name;
    }
}

TEST_F(OpenApiTest, DescribesNothingElse) {
    std::set<std::string> routes;
    for (const RouteSpec& spec : AllRoutes()) {
        EXPECT_TRUE(routes.insert(LowerMethod(spec.method) + " " + std::string(spec.path)).second);
    }
    std::set<std::string> described;
    for (const auto& [path, methods] : document_["paths"].items()) {
        for (const auto& [method, operation] : methods.items()) {
            described.insert(method + " " + path);
        }
    }
    EXPECT_EQ(described, routes);
}

TEST_F(OpenApiTest, NamesOnlySchemasThatAreThere) {
    const std::string text(OpenApiDocument());
    const std::string prefix = "#/components/schemas/";
    for (std::size_t at = text.find(prefix); at != std::string::npos; at = text.find(prefix, at)) {
        at += prefix.size();
        const std::string name = text.substr(at, text.find('"', at) - at);
        EXPECT_TRUE(document_["components"]["schemas"].contains(name)) << name;
    }
}

// Metrics are kept by a route's position in the table: the router's must be the same whether the
// development routes are there or not.
TEST(RouteTableTest, DevelopmentRoutesAreLast) {
    bool development = false;
    for (const RouteSpec& spec : AllRoutes()) {
        EXPECT_TRUE(spec.development_only || !development) << spec.name;
        development = development || spec.development_only;
    }
}

// A page that loads nothing from elsewhere.
TEST(DocsPageTest, IsSelfContained) {
    const std::string page(DocsPage());
    for (const char* outside : {"http://", "https://", "src=\"//", "@import"}) {
        EXPECT_EQ(page.find(outside), std::string::npos) << outside;
    }
}

}  // namespace
}  // namespace kessai::gateway::transport
