// Goal: what operators ask about accounts outside reaches reconciliation as it was meant, in their
// name, and what it answers and refuses is shown. Method: the real HTTP server and handlers, before
// a real gRPC server that notes what it was asked.

#include "transport/operator_outside_api.h"
#include "tests/served_routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>

#include "kessai/auth/key_ring.h"
#include "kessai/http/server.h"
#include "kessai/http/testing/raw_client.h"
#include "kessai/reconciliation/v1/statement_service.pb.h"
#include "kessai/rpc/server.h"
#include "kessai/rpc/service.h"
#include "kessai/testing/matchers.h"
#include "transport/routes.h"

namespace kessai::gateway {
namespace {

namespace re = reconciliation::v1;
using nlohmann::json;
using ::testing::HasSubstr;

constexpr char kKeys[] =
    "key 1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\nsign 1\n";

const google::protobuf::ServiceDescriptor& Contract() {
    return *re::OutsideMatch::descriptor()->file()->service(0);
}

auth::MethodPolicy Anybody() {
    std::vector<auth::MethodRule> rules;
    for (int i = 0; i < Contract().method_count(); ++i) {
        rules.push_back({Contract().method(i)->name(),
                         {auth::Operator("any")},
                         auth::MethodRule::Token::kInMetadata,
                         {}});
    }
    return auth::MethodPolicy(std::move(rules));
}

class OperatorOutsideApiTest : public ::testing::Test {
 protected:
    using Api = transport::OperatorOutsideApi;

    OperatorOutsideApiTest()
        : keys_(*auth::KeyRing::Parse(kKeys)),
          signer_(keys_, SystemClock()),
          verifier_(keys_, SystemClock(), {.audience = "reconciliation"}),
          behind_({.listen_address = "127.0.0.1:0"}, SystemClock(), verifier_, nullptr),
          router_(transport::MakeFamilies()) {
        behind_.Add(MakeReconciliation());
        EXPECT_OK(behind_.Start());
        rpc::ChannelOptions options;
        options.target = "127.0.0.1:" + std::to_string(behind_.port());
        channel_ =
            std::make_unique<rpc::Channel>(rpc::Channel::Create(options, SystemClock()).value());
        api_ = std::make_unique<Api>(
            [this](const http::Request&) -> const rpc::Channel& { return *channel_; }, signer_,
            SystemClock(), 1'000);
        auto caller = std::make_shared<auth::Principal>();
        caller->role = auth::Role::kOperator;
        caller->subject = "aiko";
        caller->scopes = {"any"};
        operator_ = std::move(caller);
        AddRoutes();
        loop_.Start();
        http_server_ = std::make_unique<http::Server>(http::Server::Options(), router_,
                                                      std::vector<net::Loop*>{&loop_}, observer_);
        EXPECT_OK(http_server_->Listen("127.0.0.1", 0));
    }
    ~OperatorOutsideApiTest() override {
        EXPECT_TRUE(http_server_->Drain(std::chrono::seconds(5)));
        loop_.Stop();
        channel_ = nullptr;
        (void)behind_.Stop(std::chrono::seconds(5));
    }

    struct Answer {
        int status = 0;
        json body;
        std::string code() const { return body.is_object() ? body.value("code", "") : ""; }
    };
    Answer Send(const std::string& method, const std::string& target,
                const std::string& content = {}) {
        http::testing::RawClient client(http_server_->port());
        client.Send(method + " /operator/v1/outside" + target +
                    " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: " +
                    std::to_string(content.size()) + "\r\n\r\n" + content);
        const std::string raw = client.Answer();
        Answer answer;
        answer.status = raw.size() > 12 ? std::stoi(raw.substr(9, 3)) : 0;
        answer.body =
            json::parse(raw.substr(std::min(raw.find("\r\n\r\n") + 4, raw.size())), nullptr, false);
        return answer;
    }
    /// What reconciliation was asked last.
    std::string Asked() {
        const std::lock_guard lock(mutex_);
        return std::exchange(asked_, {});
    }

    Status refuses_;
    re::ImportOutcome imported_;
    re::OutsideMatch match_;

 private:
    template <class Request, class Response>
    void Note(rpc::Service& service, const std::string& method, const Response& response) {
        service.Async<Request, Response>(
            method,
            [this, method, &response](const rpc::CallContext& context, const Request& request,
                                      rpc::Answer<Response> answer) {
                {
                    const std::lock_guard lock(mutex_);
                    asked_ = context.principal().subject + " " + method + ": " +
                             request.ShortDebugString();
                }
                if (!refuses_.ok()) return answer(refuses_);
                answer(response);
            });
    }
    rpc::Service MakeReconciliation() {
        rpc::Service service(Contract().full_name(), Anybody());
        Note<re::PutTemplateRequest>(service, "PutTemplate", text_);
        Note<re::GetTemplateRequest>(service, "GetTemplate", text_);
        Note<re::PutRulesRequest>(service, "PutRules", text_);
        Note<re::GetRulesRequest>(service, "GetRules", text_);
        Note<re::ImportStatementRequest>(service, "ImportStatement", imported_);
        Note<re::GetImportRequest>(service, "GetImport", import_);
        Note<re::ListImportsRequest>(service, "ListImports", imports_);
        Note<re::RunMatchingRequest>(service, "RunMatching", run_);
        Note<re::ListOutsideMatchesRequest>(service, "ListOutsideMatches", matches_);
        Note<re::GetOutsideMatchRequest>(service, "GetOutsideMatch", match_);
        Note<re::DecideOutsideMatchRequest>(service, "DecideOutsideMatch", match_);
        Note<re::MatchItemsRequest>(service, "MatchItems", match_);
        Note<re::ListUnmatchedRequest>(service, "ListUnmatched", unmatched_);
        Note<re::GetOutsideSummaryRequest>(service, "GetOutsideSummary", summary_);
        return service;
    }
    void AddRoutes() {
        const RouteMembers<Api> members{
            {"operator_putStatementTemplate", &Api::PutTemplate},
            {"operator_getStatementTemplate", &Api::GetTemplate},
            {"operator_putOutsideRules", &Api::PutRules},
            {"operator_getOutsideRules", &Api::GetRules},
            {"operator_runOutside", &Api::Run},
            {"operator_listUnmatchedOutside", &Api::ListUnmatched},
            {"operator_getOutsideSummary", &Api::GetSummary},
            {"operator_importStatement", &Api::Import},
            {"operator_listStatementImports", &Api::ListImports},
            {"operator_getStatementImport", &Api::GetImport},
            {"operator_listOutsideMatches", &Api::ListMatches},
            {"operator_getOutsideMatch", &Api::GetMatch},
            {"operator_matchOutsideItems", &Api::MatchItems},
            {"operator_decideOutsideMatch", &Api::Decide},
        };
        ServeRoutes(router_, *api_, members, operator_);
    }

    const re::OutsideText text_;
    const re::StatementImport import_;
    const re::ListImportsResponse imports_;
    const re::MatchingRun run_;
    const re::ListOutsideMatchesResponse matches_;
    const re::ListUnmatchedResponse unmatched_;
    const re::OutsideSummary summary_;
    std::mutex mutex_;
    std::string asked_;
    auth::FixedKeyRing keys_;
    auth::TokenSigner signer_;
    auth::TokenVerifier verifier_;
    rpc::Server behind_;
    std::unique_ptr<rpc::Channel> channel_;
    std::unique_ptr<Api> api_;
    auth::PrincipalPtr operator_;
    net::Loop loop_{"test"};
    http::Router router_;
    http::ServerObserver observer_;
    std::unique_ptr<http::Server> http_server_;
};

TEST_F(OperatorOutsideApiTest, TemplatesAndRulesArePutAndShown) {
    EXPECT_EQ(Send("PUT", "/templates/bank", R"({"yaml": "a: b"})").status, 200);
    EXPECT_EQ(Asked(), R"(aiko PutTemplate: name: "bank" yaml: "a: b")");
    EXPECT_EQ(Send("GET", "/templates/bank").status, 200);
    EXPECT_EQ(Asked(), R"(aiko GetTemplate: name: "bank")");
    EXPECT_EQ(Send("PUT", "/accounts/main-bank/rules", R"({"yaml": "rules: []"})").status, 200);
    EXPECT_EQ(Asked(), R"(aiko PutRules: account: "main-bank" yaml: "rules: []")");
    EXPECT_EQ(Send("GET", "/accounts/main-bank/rules").status, 200);
    EXPECT_EQ(Asked(), R"(aiko GetRules: account: "main-bank")");
    EXPECT_EQ(Send("PUT", "/templates/bank", R"({"yml": "a"})").code(), "FIELD_UNKNOWN");
    EXPECT_EQ(Send("PUT", "/templates/bank", "{}").code(), "FIELD_MISSING");
    EXPECT_EQ(Asked(), "");
    refuses_ = Status(Code::kInvalidArgument, "CONFIG_INVALID", "rules:1: has no name");
    const Answer refused = Send("PUT", "/accounts/main-bank/rules", R"({"yaml": "x"})");
    EXPECT_EQ(refused.status, 400);
    EXPECT_EQ(refused.code(), "CONFIG_INVALID");
    EXPECT_THAT(refused.body["detail"].get<std::string>(), HasSubstr("rules:1"));
}

TEST_F(OperatorOutsideApiTest, FilesGoOnAsTheirBytes) {
    imported_.mutable_imported()->set_import_id(9);
    imported_.mutable_imported()->set_sha256("\x01\xAB");
    imported_.set_repeated_file(true);
    const Answer done = Send("POST", "/imports",
                             R"({"format": "CSV", "template": "bank", "account": "main-bank",
                                 "contentBase64": "AAFh"})");
    EXPECT_EQ(done.status, 200);
    EXPECT_EQ(Asked(),
              R"(aiko ImportStatement: format: CSV template_name: "bank" account: "main-bank" )"
              R"(content: "\000\001a")");
    EXPECT_EQ(done.body["repeatedFile"], true);
    EXPECT_EQ(done.body["imported"]["importId"], "9");
    EXPECT_EQ(done.body["imported"]["sha256"], "01ab");
    EXPECT_EQ(
        Send("POST", "/imports", R"({"format": "ZENGIN", "westernYears": true, "content": "x"})")
            .status,
        200);
    EXPECT_EQ(Asked(), R"(aiko ImportStatement: format: ZENGIN western_years: true content: "x")");

    EXPECT_EQ(Send("POST", "/imports", R"({"format": "PDF", "content": "x"})").code(),
              "FIELD_MALFORMED");
    EXPECT_EQ(Send("POST", "/imports", R"({"format": "CSV", "contentBase64": "%"})").code(),
              "FIELD_MALFORMED");
    EXPECT_EQ(
        Send("POST", "/imports", R"({"format": "CSV", "content": "a", "contentBase64": "AA=="})")
            .code(),
        "FIELD_MALFORMED");
    const std::string large(1'001, 'x');
    EXPECT_EQ(Send("POST", "/imports", json{{"format", "CSV"}, {"content", large}}.dump()).code(),
              "STATEMENT_FILE_TOO_LARGE");
    EXPECT_EQ(Asked(), "");
    EXPECT_EQ(Send("GET", "/imports?pageSize=7&pageToken=8").status, 200);
    EXPECT_EQ(Asked(), R"(aiko ListImports: page_size: 7 page_token: "8")");
    EXPECT_EQ(Send("GET", "/imports/9").status, 200);
    EXPECT_EQ(Asked(), "aiko GetImport: import_id: 9");
    EXPECT_EQ(Send("GET", "/imports/nine").code(), "STATEMENT_IMPORT_UNKNOWN");
}

TEST_F(OperatorOutsideApiTest, RunsAndListsSayWhichItems) {
    EXPECT_EQ(Send("POST", "/accounts/main-bank/run").status, 200);
    EXPECT_EQ(Asked(), R"(aiko RunMatching: account: "main-bank")");
    EXPECT_EQ(Send("POST", "/accounts/main-bank/run",
                   R"({"firstDate": "2026-11-20", "lastDate": "2026-11-21"})")
                  .status,
              200);
    EXPECT_EQ(Asked(),
              R"(aiko RunMatching: account: "main-bank" first_date: 20261120 last_date: 20261121)");
    EXPECT_EQ(Send("POST", "/accounts/main-bank/run", R"({"firstDate": "soon"})").code(),
              "FIELD_MALFORMED");
    EXPECT_EQ(Send("GET", "/matches?account=main-bank&state=SUGGESTED&pageSize=2").status, 200);
    EXPECT_EQ(Asked(),
              R"(aiko ListOutsideMatches: account: "main-bank" state: SUGGESTED page_size: 2)");
    EXPECT_EQ(Send("GET", "/matches?state=LOST").code(), "FIELD_MALFORMED");
    EXPECT_EQ(Send("GET", "/accounts/main-bank/unmatched?side=BOOKED").status, 200);
    EXPECT_EQ(Asked(), R"(aiko ListUnmatched: account: "main-bank" side: BOOKED)");
    EXPECT_EQ(Send("GET", "/accounts/main-bank/unmatched").code(), "FIELD_MALFORMED");
    EXPECT_EQ(Send("GET", "/summary").status, 200);
    EXPECT_EQ(Asked(), "aiko GetOutsideSummary: ");
    refuses_ = Status(Code::kResourceExhausted, "OUTSIDE_RUN_TOO_LARGE", "too many");
    EXPECT_EQ(Send("POST", "/accounts/main-bank/run").code(), "OUTSIDE_RUN_TOO_LARGE");
}

TEST_F(OperatorOutsideApiTest, DecisionsAreInTheOperatorsName) {
    match_.set_match_id(12);
    match_.set_state(re::OutsideMatch::MATCHED);
    match_.add_items()->set_item_date(20261120);
    const Answer shown = Send("GET", "/matches/12");
    EXPECT_EQ(shown.body["state"], "MATCHED");
    EXPECT_EQ(shown.body["matchId"], "12");
    EXPECT_EQ(shown.body["items"][0]["itemDate"], "2026-11-20");
    EXPECT_EQ(Asked(), "aiko GetOutsideMatch: match_id: 12");
    EXPECT_EQ(Send("POST", "/matches/12/decision", R"({"decision": "CONFIRM"})").status, 200);
    EXPECT_EQ(Asked(), "aiko DecideOutsideMatch: match_id: 12 decision: CONFIRM");
    EXPECT_EQ(
        Send("POST", "/matches/12/decision", R"({"decision": "UNMATCH", "note": "no"})").status,
        200);
    EXPECT_EQ(Asked(), R"(aiko DecideOutsideMatch: match_id: 12 decision: UNMATCH note: "no")");
    EXPECT_EQ(Send("POST", "/matches/12/decision", R"({"decision": "MAYBE"})").code(),
              "FIELD_MALFORMED");
    EXPECT_EQ(Send("POST", "/matches/0/decision", R"({"decision": "REJECT"})").code(),
              "OUTSIDE_MATCH_UNKNOWN");
    EXPECT_EQ(Send("POST", "/matches", R"({"itemIds": ["5", "7"], "note": "fee"})").status, 200);
    EXPECT_EQ(Asked(), R"(aiko MatchItems: item_ids: 5 item_ids: 7 note: "fee")");
    for (const char* wrong :
         {R"({"note": "fee"})", R"({"itemIds": ["x"], "note": "fee"})",
          R"({"itemIds": [5], "note": "fee"})", R"({"itemIds": "5", "note": "fee"})"}) {
        EXPECT_EQ(Send("POST", "/matches", wrong).code(), "FIELD_MALFORMED") << wrong;
    }
    EXPECT_EQ(Send("POST", "/matches", R"({"itemIds": ["5"]})").code(), "FIELD_MISSING");
    refuses_ = Status(Code::kFailedPrecondition, "OUTSIDE_STATE_NOT_ALLOWED", "it is MATCHED");
    const Answer refused =
        Send("POST", "/matches/12/decision", R"({"decision": "REJECT", "note": "no"})");
    EXPECT_EQ(refused.code(), "OUTSIDE_STATE_NOT_ALLOWED");
    EXPECT_EQ(refused.status, 409);
}

}  // namespace
}  // namespace kessai::gateway
