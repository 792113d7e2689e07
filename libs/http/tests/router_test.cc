// Goal: a path leads to one route, or says what is wrong with it.
// Method: a small table with fixed parts, parameters and a trailing slash.

#include "kessai/http/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kessai::http {
namespace {

class RouterTest : public ::testing::Test {
 protected:
    RouterTest() : router_(Families()) {
        Given(Method::kPost, "/v2/codes");
        Given(Method::kDelete, "/v2/codes/{codeId}");
        Given(Method::kGet, "/v2/codes/payments/{merchantPaymentId}");
        Given(Method::kPost, "/v2/refunds");
        Given(Method::kPost, "/v2/refunds/");
        Given(Method::kGet, "/x/{a}/y/{b}");
        Given(Method::kGet, "/");
    }

    static std::vector<std::unique_ptr<Family>> Families() {
        std::vector<std::unique_ptr<Family>> families;
        for (const char* name : {"default", "partner", "app"}) {
            families.push_back(std::make_unique<Family>());
            families.back()->name = name;
        }
        families[1]->prefix = "/v2/";
        families[2]->prefix = "/app/";
        return families;
    }

    void Given(Method method, const char* path) {
        Status added = Add(method, path);
        KESSAI_CHECK(added.ok(), added.ToString());
    }
    Status Add(Method method, const char* path) {
        Route route;
        route.name = path;
        route.method = method;
        route.path = path;
        route.family = router_.FindFamily("default");
        route.handler = [](const Request&) -> net::Task<Response> { co_return Response{}; };
        return router_.Add(std::move(route));
    }

    std::string Find(Method method, std::string_view path) {
        request_ = Request();
        request_.method = method;
        request_.path = path;
        auto match = router_.Find(request_);
        return match.route != nullptr ? match.route->path : "(" + match.allow + ")";
    }

    Router router_;
    Request request_;
};

TEST_F(RouterTest, FindsRoutes) {
    EXPECT_EQ(Find(Method::kPost, "/v2/codes"), "/v2/codes");
    EXPECT_EQ(Find(Method::kDelete, "/v2/codes/04-abc"), "/v2/codes/{codeId}");
    EXPECT_EQ(request_.Parameter("codeId"), "04-abc");
    EXPECT_EQ(request_.Parameter("other"), "");
    EXPECT_EQ(Find(Method::kGet, "/v2/codes/payments/a%20b"),
              "/v2/codes/payments/{merchantPaymentId}");
    EXPECT_EQ(request_.Parameter("merchantPaymentId"), "a%20b");
    EXPECT_EQ(Find(Method::kPost, "/v2/refunds"), "/v2/refunds");
    EXPECT_EQ(Find(Method::kPost, "/v2/refunds/"), "/v2/refunds/");
    EXPECT_EQ(Find(Method::kGet, "/x/1/y/2"), "/x/{a}/y/{b}");
    EXPECT_EQ(request_.Parameter("a"), "1");
    EXPECT_EQ(request_.Parameter("b"), "2");
    EXPECT_EQ(Find(Method::kHead, "/"), "/");
}

TEST_F(RouterTest, SaysWhatIsWrong) {
    EXPECT_EQ(Find(Method::kGet, "/v2/codes"), "(POST)");
    EXPECT_EQ(Find(Method::kOther, "/v2/codes/x"), "(DELETE)");
    for (const char* path :
         {"", "x", "/v2", "/v2/", "/v2/codes/", "/v2/codes/a/b", "/v2//codes", "/v2/codes/payments",
          "/x//y/2", "/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q"}) {
        EXPECT_EQ(Find(Method::kGet, path), "()") << path;
    }
}

TEST_F(RouterTest, RefusesRoutesThatCannotBe) {
    EXPECT_EQ(Add(Method::kPost, "/v2/codes").reason(), "ROUTE_TWICE");
    EXPECT_EQ(Add(Method::kGet, "v2").reason(), "ROUTE_MALFORMED");
    EXPECT_EQ(Add(Method::kGet, "/v2/co{d}es").reason(), "ROUTE_MALFORMED");
    EXPECT_EQ(Add(Method::kGet, "/v2/codes/{other}").reason(), "ROUTE_MALFORMED");
    EXPECT_EQ(Add(Method::kGet, "/{a}/{b}/{c}/{d}/{e}").reason(), "ROUTE_MALFORMED");
}

TEST_F(RouterTest, ChoosesTheFamilyOfErrorsByPrefix) {
    EXPECT_EQ(router_.FamilyOf("/v2/none").name, "partner");
    EXPECT_EQ(router_.FamilyOf("/app/v1").name, "app");
    EXPECT_EQ(router_.FamilyOf("/other").name, "default");
    EXPECT_EQ(router_.FamilyOf("").name, "default");
}

}  // namespace
}  // namespace kessai::http
