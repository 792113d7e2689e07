#pragma once

#include "kessai/auth/token.h"
#include "kessai/http/message.h"
#include "transport/operator_ledger_api.h"
#include "transport/request_scope.h"

namespace kessai::gateway::transport {

/// The operator interface over repairs of discrepancies: who works on one, what a repair would do,
/// repairs, and the second operator's decision.
class OperatorRepairApi {
 public:
    OperatorRepairApi(ChannelOf reconciliation, auth::TokenSigner& signer, const Clock& clock);

    net::Task<http::Response> AssignDiscrepancy(const RequestScope& scope) const;
    net::Task<http::Response> PreviewRepair(const RequestScope& scope) const;
    net::Task<http::Response> RequestRepair(const RequestScope& scope) const;
    net::Task<http::Response> DecideRepair(const RequestScope& scope) const;
    /// `state` and `discrepancyId` of the query; all without.
    net::Task<http::Response> ListRepairs(const RequestScope& scope) const;

 private:
    template <class Request, class Response>
    net::Task<http::Response> Forward(const RequestScope& scope,
                                      const rpc::Method<Request, Response>& method,
                                      Request request) const;

    const ChannelOf reconciliation_;
    auth::TokenSigner& signer_;
    const Clock& clock_;
};

}  // namespace kessai::gateway::transport
