#pragma once

#include <cstddef>

#include "kessai/auth/token.h"
#include "kessai/http/message.h"
#include "kessai/rpc/call.h"
#include "kessai/time/clock.h"
#include "transport/operator_ledger_api.h"
#include "transport/request_scope.h"

namespace kessai::gateway::transport {

/// The operator interface over statements of banks and networks: templates and rules, files taken
/// in, what was matched and what was not. Requests are decoded here, answers are shown as
/// reconciliation gave them (proto_json.h).
class OperatorOutsideApi {
 public:
    /// `signer` and `clock` must outlive it. `file_bytes_max`: of a statement file.
    OperatorOutsideApi(ChannelOf reconciliation, auth::TokenSigner& signer, const Clock& clock,
                       std::size_t file_bytes_max = std::size_t{3} << 20);

    net::Task<http::Response> PutTemplate(const RequestScope& scope) const;
    net::Task<http::Response> GetTemplate(const RequestScope& scope) const;
    net::Task<http::Response> PutRules(const RequestScope& scope) const;
    net::Task<http::Response> GetRules(const RequestScope& scope) const;
    net::Task<http::Response> Import(const RequestScope& scope) const;
    net::Task<http::Response> ListImports(const RequestScope& scope) const;
    net::Task<http::Response> GetImport(const RequestScope& scope) const;
    net::Task<http::Response> Run(const RequestScope& scope) const;
    net::Task<http::Response> ListMatches(const RequestScope& scope) const;
    net::Task<http::Response> GetMatch(const RequestScope& scope) const;
    net::Task<http::Response> MatchItems(const RequestScope& scope) const;
    net::Task<http::Response> Decide(const RequestScope& scope) const;
    net::Task<http::Response> ListUnmatched(const RequestScope& scope) const;
    net::Task<http::Response> GetSummary(const RequestScope& scope) const;

 private:
    template <class Request, class Response>
    net::Task<http::Response> Forward(const RequestScope& scope,
                                      const rpc::Method<Request, Response>& method,
                                      Request request) const;

    const ChannelOf reconciliation_;
    auth::TokenSigner& signer_;
    const Clock& clock_;
    const std::size_t file_bytes_max_;
};

}  // namespace kessai::gateway::transport
