#pragma once

#include <string_view>

#include "app/issue_statements.h"
#include "app/manage_merchant_profiles.h"
#include "kessai/auth/policy.h"
#include "kessai/payout/v1/statement_service.pb.h"
#include "kessai/rpc/service.h"
#include "kessai/rpc/worker_pool.h"

namespace kessai::payout::transport {

inline constexpr std::string_view kStatementServiceName = "kessai.payout.v1.StatementService";

/// Who may call what.
auth::MethodPolicy StatementPolicy();

/// The methods of StatementService. What it is made of must outlive it, and it the server.
class StatementService {
 public:
    StatementService(app::ManageMerchantProfiles& profiles, app::IssueStatements& statements)
        : profiles_(profiles), statements_(statements) {}

    /// `slow` is for those that read a month or write files.
    void Register(rpc::Service& service, rpc::WorkerPool& quick, rpc::WorkerPool& slow);

 private:
    Result<v1::MerchantProfile> PutMerchantProfile(const rpc::CallContext& context,
                                                   const v1::PutMerchantProfileRequest& request);
    Result<v1::MerchantProfile> GetMerchantProfile(const rpc::CallContext& context,
                                                   const v1::GetMerchantProfileRequest& request);
    Result<v1::Statement> GetStatement(const rpc::CallContext& context,
                                       const v1::StatementRequest& request);
    Status GetStatementFile(const rpc::CallContext& context,
                            const v1::GetStatementFileRequest& request,
                            rpc::StreamWriter<v1::FilePiece>& pieces);
    Result<v1::Statement> IssueStatement(const rpc::CallContext& context,
                                         const v1::StatementRequest& request);
    Result<v1::IssuedStatements> IssueStatements(const rpc::CallContext& context,
                                                 const v1::IssueStatementsRequest& request);
    Result<v1::Statement> CorrectStatement(const rpc::CallContext& context,
                                           const v1::CorrectStatementRequest& request);

    app::ManageMerchantProfiles& profiles_;
    app::IssueStatements& statements_;
};

}  // namespace kessai::payout::transport
