#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "kessai/auth/token.h"
#include "kessai/http/message.h"
#include "kessai/rpc/call.h"
#include "kessai/rpc/channel.h"
#include "kessai/rpc/worker_pool.h"
#include "transport/request_scope.h"

namespace kessai::gateway::transport {

/// Which connection answers a route.
using ChannelOf = std::function<const rpc::Channel&(const http::Request&)>;

/// The methods that operators' calls go to and that may be sent to another replica when one went
/// away: questions, and changes that change nothing when they are made again. For
/// rpc::ChannelOptions::retried_methods.
std::vector<std::string> RepeatableOperatorMethods();

/// The operator interface over payout and reconciliation: requests are decoded here, answers are
/// shown as the services gave them (proto_json.h).
class OperatorLedgerApi {
 public:
    OperatorLedgerApi(ChannelOf payout, ChannelOf reconciliation, auth::TokenSigner& signer,
                      rpc::WorkerPool& workers, const Clock& clock);

    // payout
    net::Task<http::Response> PutFeePlan(const RequestScope& scope) const;
    net::Task<http::Response> AssignFeePlan(const RequestScope& scope) const;
    net::Task<http::Response> PreviewFeePlan(const RequestScope& scope) const;
    net::Task<http::Response> ListSharedFeePlans(const RequestScope& scope) const;
    net::Task<http::Response> ListDefaultFeePlan(const RequestScope& scope) const;
    net::Task<http::Response> ListFeePlans(const RequestScope& scope) const;
    net::Task<http::Response> GetMerchantBalance(const RequestScope& scope) const;
    net::Task<http::Response> GetMerchantDay(const RequestScope& scope) const;
    net::Task<http::Response> GetAccrual(const RequestScope& scope) const;
    net::Task<http::Response> ReleaseDay(const RequestScope& scope) const;
    net::Task<http::Response> GetRelease(const RequestScope& scope) const;
    net::Task<http::Response> GetReleaseProgress(const RequestScope& scope) const;
    /// The first thousand.
    net::Task<http::Response> ListHeldBack(const RequestScope& scope) const;

    // reconciliation
    net::Task<http::Response> GetMatch(const RequestScope& scope) const;
    net::Task<http::Response> ListDiscrepancies(const RequestScope& scope) const;
    net::Task<http::Response> GetDiscrepancy(const RequestScope& scope) const;
    net::Task<http::Response> ChangeDiscrepancy(const RequestScope& scope) const;
    net::Task<http::Response> ReconcileDay(const RequestScope& scope) const;
    net::Task<http::Response> GetReconciliation(const RequestScope& scope) const;

 private:
    /// Calls and shows the answer. `audience` is the service.
    template <class Request, class Response>
    net::Task<http::Response> Forward(const RequestScope& scope, const rpc::Channel& channel,
                                      std::string_view audience,
                                      const rpc::Method<Request, Response>& method,
                                      Request request) const;
    /// A page of what was put for a merchant (0: for all), or of the shared plans.
    net::Task<http::Response> ListPlansOf(const RequestScope& scope, std::int64_t merchant_id,
                                          bool shared) const;

    const ChannelOf payout_;
    const ChannelOf reconciliation_;
    auth::TokenSigner& signer_;
    /// For calls that answer with a stream.
    rpc::WorkerPool& workers_;
    const Clock& clock_;
};

}  // namespace kessai::gateway::transport
