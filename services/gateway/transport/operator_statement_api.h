#pragma once

#include "kessai/auth/token.h"
#include "kessai/http/message.h"
#include "kessai/rpc/channel.h"
#include "kessai/rpc/worker_pool.h"
#include "transport/operator_ledger_api.h"
#include "transport/request_scope.h"

namespace kessai::gateway::transport {

/// The operator interface over merchants' statements: what they are called on paper, a month's
/// statement as JSON, CSV or PDF, and its issue.
class OperatorStatementApi {
 public:
    OperatorStatementApi(ChannelOf payout, auth::TokenSigner& signer, rpc::WorkerPool& workers,
                         const Clock& clock);

    net::Task<http::Response> PutMerchantProfile(const RequestScope& scope) const;
    net::Task<http::Response> GetMerchantProfile(const RequestScope& scope) const;
    /// `format` of the query: json (if it is not there), csv or pdf; `version`: the latest if not.
    net::Task<http::Response> GetStatement(const RequestScope& scope) const;
    net::Task<http::Response> IssueStatement(const RequestScope& scope) const;
    /// Of all merchants, some of them a call.
    net::Task<http::Response> IssueStatements(const RequestScope& scope) const;
    net::Task<http::Response> CorrectStatement(const RequestScope& scope) const;

 private:
    template <class Request, class Response>
    net::Task<http::Response> Forward(const RequestScope& scope,
                                      const rpc::Method<Request, Response>& method,
                                      Request request) const;
    net::Task<http::Response> GetFile(const RequestScope& scope, std::int64_t merchant,
                                      std::int32_t month, std::int32_t version,
                                      std::string format) const;

    const ChannelOf payout_;
    auth::TokenSigner& signer_;
    rpc::WorkerPool& workers_;
    const Clock& clock_;
};

}  // namespace kessai::gateway::transport
