// Goal: the contract's methods do what they say, over gRPC: whoever may call them, what they
// refuse, how pages go on, that an import is followed by a run or says why not, and that the worker
// makes up for it and counts. Method: the real service behind a real server, over books in memory.

#include "transport/statement_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "app/note_expected.h"
#include "kessai/auth/key_ring.h"
#include "kessai/auth/token.h"
#include "kessai/metrics/registry.h"
#include "kessai/rpc/call.h"
#include "kessai/rpc/channel.h"
#include "kessai/rpc/server.h"
#include "kessai/testing/matchers.h"
#include "tests/bank_texts.h"
#include "tests/fake_outside_books.h"
#include "transport/outside_worker.h"

namespace kessai::reconciliation::transport {
namespace {

using kessai::testing::Refuses;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kBankRules;
using testing::kBankTemplate;

constexpr char kKeys[] =
    "key 1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\nsign 1\n";

class StatementServiceTest : public ::testing::Test {
 protected:
    StatementServiceTest() {
        rpc::Service methods(kStatementServiceName, StatementPolicy());
        service_.Register(methods, workers_, workers_);
        server_.Add(std::move(methods));
        EXPECT_OK(server_.Start());
        rpc::ChannelOptions options;
        options.target = "127.0.0.1:" + std::to_string(server_.port());
        channel_ =
            std::make_unique<rpc::Channel>(rpc::Channel::Create(options, SystemClock()).value());
    }
    ~StatementServiceTest() override {
        channel_ = nullptr;
        (void)server_.Stop(std::chrono::seconds(5));
        workers_.Stop();
    }

    template <class Response, class Request>
    Result<Response> Ask(const std::string& method, const Request& request,
                         const std::string& scopes = "recon:read recon:write") {
        auth::Principal principal{.role = auth::Role::kOperator, .subject = "aiko"};
        for (std::size_t at = 0; at < scopes.size();) {
            const std::size_t end = std::min(scopes.find(' ', at), scopes.size());
            principal.scopes.push_back(scopes.substr(at, end - at));
            at = end + 1;
        }
        const std::string token = signer_.Mint(principal, "reconciliation").value();
        const rpc::Method<Request, Response> call(std::string(kStatementServiceName) + "." +
                                                  method);
        return rpc::Call(
            *channel_, call, request,
            {.timeout = std::chrono::seconds(20), .token = token, .wait_for_ready = true});
    }
    void PutTemplate() {
        v1::PutTemplateRequest request;
        request.set_name("bank");
        request.set_yaml(kBankTemplate);
        ASSERT_OK(Ask<v1::OutsideText>("PutTemplate", request));
    }
    void PutRules() {
        v1::PutRulesRequest request;
        request.set_account("main-bank");
        request.set_yaml(kBankRules);
        const auto put = Ask<v1::OutsideText>("PutRules", request);
        ASSERT_OK(put);
        EXPECT_EQ(put->put_by(), "aiko");
    }
    static v1::ImportStatementRequest File(const std::string& lines) {
        v1::ImportStatementRequest request;
        request.set_format(v1::StatementImport::CSV);
        request.set_template_name("bank");
        request.set_content("day,amount,ref,text\n" + lines);
        return request;
    }
    void Expect(std::int64_t object, std::int64_t amount, const std::string& reference) {
        const std::vector items{domain::ExpectedItem{.key = {object, 2},
                                                     .account = "main-bank",
                                                     .amount = Yen(amount),
                                                     .date = day_,
                                                     .references = {reference}}};
        ASSERT_OK(books_.Run([&](app::OutsideBooks& books) {
            return app::NoteExpected(books, items, false).status();
        }));
    }
    std::string Metric(const std::string& name) {
        const std::string scrape = registry_.Expose();
        const std::size_t at = scrape.find(name);
        return at == std::string::npos ? "none" : scrape.substr(at, scrape.find('\n', at) - at);
    }

    const BusinessDate day_ = BusinessDate::Parse("2026-11-20").value();
    ManualClock clock_{day_.PlusDays(3).At(std::chrono::hours(12))};
    testing::FakeOutsideBooks books_;
    const domain::OutsideAccounts accounts_ =
        domain::OutsideAccounts::Make({{.name = "main-bank",
                                        .number = "0001-004-1-7654321",
                                        .transfers = true,
                                        .overdue_days = 2}})
            .value();
    metrics::Registry registry_;
    OutsideMetrics metrics_{registry_, accounts_};
    app::OutsideEnquiries enquiries_{books_, accounts_, clock_};
    app::ImportStatement import_{{}, books_, accounts_, clock_};
    app::MatchOutside match_{{}, books_, accounts_, clock_};
    app::DecideMatch decide_{books_, clock_};
    StatementService service_{{enquiries_, import_, match_, decide_, accounts_, metrics_, clock_}};
    OutsideWorker worker_{std::chrono::hours(1), match_, enquiries_, metrics_};
    auth::FixedKeyRing keys_{*auth::KeyRing::Parse(kKeys)};
    auth::TokenSigner signer_{keys_, SystemClock()};
    auth::TokenVerifier verifier_{keys_, SystemClock(), {.audience = "reconciliation"}};
    rpc::WorkerPool workers_{{.name = "test", .threads = 2}};
    rpc::Server server_{{.listen_address = "127.0.0.1:0"}, SystemClock(), verifier_, nullptr};
    std::unique_ptr<rpc::Channel> channel_;
};

// Goal: an import is followed by a run of its account; without rules it says so, and the worker
// runs the account once there are some.
TEST_F(StatementServiceTest, AnImportIsFollowedByARun) {
    PutTemplate();
    Expect(1, -1'000, "R-1");
    const auto unmatched =
        Ask<v1::ImportOutcome>("ImportStatement", File("2026-11-20,-1000,R1,\n"));
    ASSERT_OK(unmatched);
    EXPECT_EQ(unmatched->imported().added(), 1);
    EXPECT_EQ(unmatched->imported().imported_by(), "aiko");
    ASSERT_EQ(unmatched->not_matched_size(), 1);
    EXPECT_EQ(unmatched->not_matched(0).reason(), "OUTSIDE_RULES_MISSING");
    worker_.Poll();
    EXPECT_EQ(
        Metric(
            "kessai_reconciliation_outside_unmatched_yen{account=\"main-bank\",side=\"booked\"}"),
        "kessai_reconciliation_outside_unmatched_yen{account=\"main-bank\",side=\"booked\"} 1000");
    EXPECT_THAT(
        Metric(
            "kessai_reconciliation_outside_overdue_items{account=\"main-bank\",side=\"expected\"}"),
        HasSubstr("} 1"));
    EXPECT_THAT(
        Metric(
            "kessai_reconciliation_outside_oldest_days{account=\"main-bank\",side=\"expected\"}"),
        HasSubstr("} 3"));

    PutRules();
    worker_.Poll();
    EXPECT_THAT(enquiries_.DueAccounts().value(), IsEmpty());
    EXPECT_THAT(
        Metric(
            "kessai_reconciliation_outside_unmatched_items{account=\"main-bank\",side=\"booked\"}"),
        HasSubstr("} 0"));
    EXPECT_THAT(
        Metric("kessai_reconciliation_outside_found_total{account=\"main-bank\",kind=\"match\"}"),
        HasSubstr("} 1"));

    Expect(2, -2'000, "R-2");
    const auto matched =
        Ask<v1::ImportOutcome>("ImportStatement", File("2026-11-20,-2000,R2,\nbroken,1,,\n"));
    ASSERT_OK(matched);
    ASSERT_EQ(matched->runs_size(), 1);
    EXPECT_EQ(matched->runs(0).matches_made(), 1);
    const auto again =
        Ask<v1::ImportOutcome>("ImportStatement", File("2026-11-20,-2000,R2,\nbroken,1,,\n"));
    ASSERT_OK(again);
    EXPECT_TRUE(again->repeated_file());
    EXPECT_EQ(again->runs_size(), 0);
    EXPECT_EQ(again->imported().SerializeAsString(), matched->imported().SerializeAsString());
    EXPECT_THAT(Metric("kessai_reconciliation_statement_lines_total{outcome=\"added\"}"),
                HasSubstr("} 2"));
    EXPECT_THAT(Metric("kessai_reconciliation_statement_lines_total{outcome=\"broken\"}"),
                HasSubstr("} 1"));
}

TEST_F(StatementServiceTest, WhoMayOnlyReadChangesNothing) {
    for (const std::string method : {"GetOutsideSummary"}) {
        EXPECT_OK(Ask<v1::OutsideSummary>(method, v1::GetOutsideSummaryRequest(), "recon:read"));
    }
    EXPECT_EQ(Ask<v1::ImportOutcome>("ImportStatement", File(""), "recon:read").status().code(),
              Code::kPermissionDenied);
    EXPECT_EQ(Ask<v1::OutsideText>("PutRules", v1::PutRulesRequest(), "recon:read").status().code(),
              Code::kPermissionDenied);
    EXPECT_EQ(
        Ask<v1::MatchingRun>("RunMatching", v1::RunMatchingRequest(), "recon:read").status().code(),
        Code::kPermissionDenied);
    EXPECT_EQ(
        Ask<v1::OutsideMatch>("DecideOutsideMatch", v1::DecideOutsideMatchRequest(), "recon:read")
            .status()
            .code(),
        Code::kPermissionDenied);
    EXPECT_EQ(
        Ask<v1::OutsideSummary>("GetOutsideSummary", v1::GetOutsideSummaryRequest(), "day:read")
            .status()
            .code(),
        Code::kPermissionDenied);
}

TEST_F(StatementServiceTest, WhatMakesNoSenseIsRefused) {
    PutTemplate();
    const auto invalid = Refuses(Code::kInvalidArgument, "FIELD_INVALID");
    auto file = File("2026-11-20,-1,,\n");
    file.set_format(v1::StatementImport::FORMAT_UNSPECIFIED);
    EXPECT_THAT(Ask<v1::ImportOutcome>("ImportStatement", file).status(), invalid);
    file.set_format(v1::StatementImport::ZENGIN);
    EXPECT_THAT(Ask<v1::ImportOutcome>("ImportStatement", file).status(), invalid);
    file = File("");
    file.clear_content();
    EXPECT_THAT(Ask<v1::ImportOutcome>("ImportStatement", file).status(), invalid);
    v1::PutTemplateRequest put;
    put.set_name("bank");
    EXPECT_THAT(Ask<v1::OutsideText>("PutTemplate", put).status(), invalid);
    put.set_yaml("name: x\n");
    EXPECT_THAT(Ask<v1::OutsideText>("PutTemplate", put).status(),
                Refuses(Code::kInvalidArgument, "CONFIG_INVALID"));
    v1::GetTemplateRequest get;
    get.set_name("other");
    EXPECT_THAT(Ask<v1::OutsideText>("GetTemplate", get).status(),
                Refuses(Code::kNotFound, "STATEMENT_TEMPLATE_UNKNOWN"));
    v1::RunMatchingRequest run;
    run.set_account("main-bank");
    run.set_first_date(20261121);
    run.set_last_date(20261120);
    EXPECT_THAT(Ask<v1::MatchingRun>("RunMatching", run).status(), invalid);
    run.set_last_date(20261131);
    EXPECT_THAT(Ask<v1::MatchingRun>("RunMatching", run).status(), invalid);
    v1::DecideOutsideMatchRequest decide;
    decide.set_match_id(1);
    EXPECT_THAT(Ask<v1::OutsideMatch>("DecideOutsideMatch", decide).status(), invalid);
    decide.set_decision(v1::DecideOutsideMatchRequest::REJECT);
    EXPECT_THAT(Ask<v1::OutsideMatch>("DecideOutsideMatch", decide).status(), invalid);
    decide.set_note("no");
    EXPECT_THAT(Ask<v1::OutsideMatch>("DecideOutsideMatch", decide).status(),
                Refuses(Code::kNotFound, "OUTSIDE_MATCH_UNKNOWN"));
    v1::ListUnmatchedRequest list;
    list.set_account("main-bank");
    EXPECT_THAT(Ask<v1::ListUnmatchedResponse>("ListUnmatched", list).status(), invalid);
    list.set_side(v1::OutsideItem::BOOKED);
    for (const char* token : {"x", "20261120", "20261120.", "20261131.5", "20261120.5x"}) {
        list.set_page_token(token);
        EXPECT_THAT(Ask<v1::ListUnmatchedResponse>("ListUnmatched", list).status(),
                    Refuses(Code::kInvalidArgument, "PAGE_TOKEN_INVALID"))
            << token;
    }
    v1::ListImportsRequest imports;
    imports.set_page_size(1'001);
    EXPECT_THAT(Ask<v1::ListImportsResponse>("ListImports", imports).status(),
                Refuses(Code::kInvalidArgument, "PAGE_SIZE_OUT_OF_RANGE"));
}

// Goal: lists go on where their pages end, and each thing is on one page.
TEST_F(StatementServiceTest, ListsComeInPages) {
    PutTemplate();
    PutRules();
    for (int i = 1; i <= 3; ++i) {
        const std::string amount = std::to_string(-i);
        Expect(i, -i, "R-" + std::to_string(i));
        ASSERT_OK(Ask<v1::ImportOutcome>(
            "ImportStatement",
            File("2026-11-20," + amount + ",R" + std::to_string(i) +
                 ",\n2026-11-20,5,,\n2026-11-2" + std::to_string(i) + ",7,,\n")));
    }
    v1::ListImportsRequest imports;
    imports.set_page_size(2);
    auto page = Ask<v1::ListImportsResponse>("ListImports", imports);
    ASSERT_OK(page);
    EXPECT_EQ(page->imports_size(), 2);
    imports.set_page_token(page->next_page_token());
    page = Ask<v1::ListImportsResponse>("ListImports", imports);
    ASSERT_OK(page);
    EXPECT_EQ(page->imports_size(), 1);
    EXPECT_EQ(page->next_page_token(), "");

    v1::ListOutsideMatchesRequest matches;
    matches.set_account("main-bank");
    matches.set_state(v1::OutsideMatch::MATCHED);
    matches.set_page_size(2);
    auto matched = Ask<v1::ListOutsideMatchesResponse>("ListOutsideMatches", matches);
    ASSERT_OK(matched);
    ASSERT_EQ(matched->matches_size(), 2);
    EXPECT_EQ(matched->matches(0).items_size(), 2);
    matches.set_page_token(matched->next_page_token());
    matched = Ask<v1::ListOutsideMatchesResponse>("ListOutsideMatches", matches);
    ASSERT_OK(matched);
    EXPECT_EQ(matched->matches_size(), 1);
    EXPECT_EQ(matched->next_page_token(), "");

    v1::ListUnmatchedRequest unmatched;
    unmatched.set_account("main-bank");
    unmatched.set_side(v1::OutsideItem::BOOKED);
    unmatched.set_page_size(1);
    std::vector<std::int32_t> days;
    do {
        const auto one = Ask<v1::ListUnmatchedResponse>("ListUnmatched", unmatched);
        ASSERT_OK(one);
        for (const auto& item : one->items()) days.push_back(item.item_date());
        unmatched.set_page_token(one->next_page_token());
    } while (!unmatched.page_token().empty());
    EXPECT_EQ(days, (std::vector<std::int32_t>{20261120, 20261121, 20261122, 20261123}));
}

}  // namespace
}  // namespace kessai::reconciliation::transport
