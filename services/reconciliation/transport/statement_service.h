#pragma once

#include <string_view>

#include "app/decide_match.h"
#include "app/import_statement.h"
#include "app/match_outside.h"
#include "app/outside_enquiries.h"
#include "kessai/auth/policy.h"
#include "kessai/reconciliation/v1/statement_service.pb.h"
#include "kessai/result/result.h"
#include "kessai/rpc/call_context.h"
#include "kessai/rpc/service.h"
#include "kessai/rpc/worker_pool.h"
#include "kessai/time/clock.h"
#include "transport/outside_metrics.h"

namespace kessai::reconciliation::transport {

inline constexpr std::string_view kStatementServiceName =
    "kessai.reconciliation.v1.StatementService";

/// Who may call which method.
auth::MethodPolicy StatementPolicy();

/// What its methods work with; all must outlive it.
struct StatementServices {
    app::OutsideEnquiries& enquiries;
    app::ImportStatement& import;
    app::MatchOutside& match;
    app::DecideMatch& decide;
    const domain::OutsideAccounts& accounts;
    OutsideMetrics& metrics;
    const Clock& clock;
};

/// The contract's methods: decode, call, encode. Thread safe.
class StatementService {
 public:
    explicit StatementService(StatementServices services) : services_(services) {}

    /// Imports and runs wait on `slow`, all others on `quick`; both must outlive the server.
    void Register(rpc::Service& service, rpc::WorkerPool& quick, rpc::WorkerPool& slow);

    Result<v1::OutsideText> PutTemplate(const rpc::CallContext& context,
                                        const v1::PutTemplateRequest& request);
    Result<v1::OutsideText> GetTemplate(const rpc::CallContext& context,
                                        const v1::GetTemplateRequest& request);
    Result<v1::OutsideText> PutRules(const rpc::CallContext& context,
                                     const v1::PutRulesRequest& request);
    Result<v1::OutsideText> GetRules(const rpc::CallContext& context,
                                     const v1::GetRulesRequest& request);
    Result<v1::ImportOutcome> ImportStatement(const rpc::CallContext& context,
                                              const v1::ImportStatementRequest& request);
    Result<v1::StatementImport> GetImport(const rpc::CallContext& context,
                                          const v1::GetImportRequest& request);
    Result<v1::ListImportsResponse> ListImports(const rpc::CallContext& context,
                                                const v1::ListImportsRequest& request);
    Result<v1::MatchingRun> RunMatching(const rpc::CallContext& context,
                                        const v1::RunMatchingRequest& request);
    Result<v1::ListOutsideMatchesResponse> ListOutsideMatches(
        const rpc::CallContext& context, const v1::ListOutsideMatchesRequest& request);
    Result<v1::OutsideMatch> GetOutsideMatch(const rpc::CallContext& context,
                                             const v1::GetOutsideMatchRequest& request);
    Result<v1::OutsideMatch> DecideOutsideMatch(const rpc::CallContext& context,
                                                const v1::DecideOutsideMatchRequest& request);
    Result<v1::OutsideMatch> MatchItems(const rpc::CallContext& context,
                                        const v1::MatchItemsRequest& request);
    Result<v1::ListUnmatchedResponse> ListUnmatched(const rpc::CallContext& context,
                                                    const v1::ListUnmatchedRequest& request);
    Result<v1::OutsideSummary> GetOutsideSummary(const rpc::CallContext& context,
                                                 const v1::GetOutsideSummaryRequest& request);

 private:
    BusinessDate Today() const;
    void RunDue(const app::StatementImport& import, const std::string& actor,
                v1::ImportOutcome& outcome);

    const StatementServices services_;
};

}  // namespace kessai::reconciliation::transport
