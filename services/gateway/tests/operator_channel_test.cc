// Goal: an operator's call that meets a replica that is going away is sent again where that is
// harmless, and only there; and every call behind is counted under its own name.
// Method: every method of the contracts is looked up in the list and in the metrics; and a real
// server refuses the first try of a question and of a change.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "kessai/auth/key_ring.h"
#include "kessai/inbox/v1/dead_letter_service.pb.h"
#include "kessai/metrics/registry.h"
#include "kessai/payment/v1/book_service.pb.h"
#include "kessai/payment/v1/payment_service.pb.h"
#include "kessai/payout/v1/payout_service.pb.h"
#include "kessai/payout/v1/statement_service.pb.h"
#include "kessai/payout/v1/transfer_service.pb.h"
#include "kessai/reconciliation/v1/file_service.pb.h"
#include "kessai/reconciliation/v1/reconciliation_service.pb.h"
#include "kessai/reconciliation/v1/repair_service.pb.h"
#include "kessai/reconciliation/v1/statement_service.pb.h"
#include "kessai/rpc/server.h"
#include "kessai/rpc/service.h"
#include "kessai/rpc/telemetry.h"
#include "kessai/testing/matchers.h"
#include "transport/operator_ledger_api.h"
#include "transport/routes.h"

namespace kessai::gateway::transport {
namespace {

namespace rc = reconciliation::v1;
using namespace std::chrono_literals;

constexpr char kKeys[] =
    "key 1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\nsign 1\n";
constexpr char kReconciliation[] = "kessai.reconciliation.v1.ReconciliationService";

TEST(OperatorChannelTest, EveryMethodIsRepeatableOrNamedAsNot) {
    const std::set<std::string> once{
        "PutFeePlan",        "AssignFeePlan", "PreviewFeePlan", "RunDay",        "ReplayDeadLetter",
        "DiscardDeadLetter", "GetDayDigests", "ListDayRows",    "ImportResults", "GetFeeReport",
        "ImportStatement",   "RunMatching",   "MakeFiles",      "AnnounceFile"};
    const auto listed = RepeatableOperatorMethods();
    std::set<std::string> repeatable(listed.begin(), listed.end());
    for (const auto* file :
         {payment::v1::JournalEntry::descriptor()->file(),
          payout::v1::FeePlan::descriptor()->file(), payout::v1::Payout::descriptor()->file(),
          payout::v1::Statement::descriptor()->file(), rc::Match::descriptor()->file(),
          rc::OutsideMatch::descriptor()->file(), rc::Repair::descriptor()->file(),
          rc::File::descriptor()->file(), inbox::v1::DeadLetterDetails::descriptor()->file()}) {
        const auto* service = file->service(0);
        for (int i = 0; i < service->method_count(); ++i) {
            const std::string name = service->method(i)->name();
            const bool found = repeatable.erase("/" + service->full_name() + "/" + name) == 1;
            EXPECT_NE(found, once.contains(name)) << name;
        }
    }
    EXPECT_THAT(repeatable, ::testing::IsEmpty()) << "no method of a contract";
}

TEST(OperatorChannelTest, EveryMethodOfEveryContractHasItsOwnCount) {
    metrics::Registry registry;
    const rpc::CallTelemetry calls(registry, UpstreamContracts(), nullptr, rpc::Side::kClient);
    const std::string scrape = registry.Expose();
    for (const auto* file :
         {payment::v1::Payment::descriptor()->file(),
          payment::v1::JournalEntry::descriptor()->file(),
          payout::v1::FeePlan::descriptor()->file(), payout::v1::Payout::descriptor()->file(),
          payout::v1::Statement::descriptor()->file(), rc::Match::descriptor()->file(),
          rc::OutsideMatch::descriptor()->file(), rc::Repair::descriptor()->file(),
          rc::File::descriptor()->file(), inbox::v1::DeadLetterDetails::descriptor()->file()}) {
        ASSERT_EQ(file->service_count(), 1);
        const auto* service = file->service(0);
        for (int i = 0; i < service->method_count(); ++i) {
            EXPECT_THAT(scrape,
                        ::testing::HasSubstr("kessai_rpc_client_calls_total{contract=\"" +
                                             service->full_name() + "\",method=\"" +
                                             service->method(i)->name() + "\",code=\"OK\"} 0"));
        }
    }
    EXPECT_THAT(scrape, ::testing::Not(::testing::HasSubstr("=\"other\"")));
}

TEST(OperatorChannelTest, AQuestionIsAskedAgainAndARunIsNot) {
    const auth::FixedKeyRing keys(*auth::KeyRing::Parse(kKeys));
    const auth::TokenVerifier verifier(keys, SystemClock(), {.audience = "reconciliation"});
    auth::TokenSigner signer(keys, SystemClock());
    std::vector<auth::MethodRule> rules;
    const auto* contract = rc::Match::descriptor()->file()->service(0);
    for (int i = 0; i < contract->method_count(); ++i) {
        rules.push_back({contract->method(i)->name(),
                         {auth::Operator("any")},
                         auth::MethodRule::Token::kInMetadata,
                         {}});
    }
    std::atomic<int> questions = 0;
    std::atomic<int> runs = 0;
    rpc::Service service(kReconciliation, auth::MethodPolicy(std::move(rules)));
    service.Async<rc::GetMatchRequest, rc::Match>(
        "GetMatch",
        [&](const rpc::CallContext&, const rc::GetMatchRequest&, rpc::Answer<rc::Match> answer) {
            if (++questions == 1) return answer(Status(Code::kUnavailable, "DRAINING", ""));
            answer(rc::Match());
        });
    service.Async<rc::RunDayRequest, rc::DayRun>(
        "RunDay",
        [&](const rpc::CallContext&, const rc::RunDayRequest&, rpc::Answer<rc::DayRun> answer) {
            ++runs;
            answer(Status(Code::kUnavailable, "DRAINING", ""));
        });
    for (const char* method :
         {"ListDiscrepancies", "GetDiscrepancy", "ChangeDiscrepancy", "GetDayRun"}) {
        service.Unimplemented(method);
    }
    rpc::Server server({.listen_address = "127.0.0.1:0"}, SystemClock(), verifier, nullptr);
    server.Add(std::move(service));
    ASSERT_OK(server.Start());

    metrics::Registry registry;
    rpc::CallTelemetry calls(registry, UpstreamContracts(), nullptr, rpc::Side::kClient);
    auto channel = rpc::Channel::Create({.target = "127.0.0.1:" + std::to_string(server.port()),
                                         .retried_methods = RepeatableOperatorMethods()},
                                        SystemClock(), &calls);
    ASSERT_THAT(channel, testing::IsOk());
    const std::string token = *signer.Mint(
        {.role = auth::Role::kOperator, .subject = "o", .scopes = {"any"}}, "reconciliation");
    const rpc::CallOptions options{.timeout = 10s, .token = token, .wait_for_ready = true};
    const rpc::Method<rc::GetMatchRequest, rc::Match> ask(std::string(kReconciliation) +
                                                          ".GetMatch");
    const rpc::Method<rc::RunDayRequest, rc::DayRun> run(std::string(kReconciliation) + ".RunDay");
    EXPECT_THAT(rpc::Call(*channel, ask, rc::GetMatchRequest(), options), testing::IsOk());
    EXPECT_EQ(questions, 2);
    EXPECT_THAT(rpc::Call(*channel, run, rc::RunDayRequest(), options),
                testing::Refuses(Code::kUnavailable, "DRAINING"));
    EXPECT_EQ(runs, 1);
    const std::string scrape = registry.Expose();
    for (const char* line :
         {"method=\"GetMatch\",code=\"OK\"} 1", "method=\"RunDay\",code=\"UNAVAILABLE\"} 1"}) {
        EXPECT_THAT(scrape, ::testing::HasSubstr("kessai_rpc_client_calls_total{contract=\"" +
                                                 std::string(kReconciliation) + "\"," + line));
    }
    server.Stop(1s);
}

}  // namespace
}  // namespace kessai::gateway::transport
