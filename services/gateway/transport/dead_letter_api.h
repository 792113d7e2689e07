#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "kessai/auth/token.h"
#include "kessai/http/message.h"
#include "kessai/inbox/dead_letter_desk.h"
#include "kessai/rpc/call.h"
#include "kessai/rpc/channel.h"
#include "kessai/rpc/worker_pool.h"
#include "transport/request_scope.h"

namespace kessai::gateway::transport {

/// The operator interface over the dead letters of every service: those of the others by gRPC, the
/// gateway's own from its desk. The first part of the path's {service} says whose.
class DeadLetterApi {
 public:
    struct Services {
        /// By the services' names ("payment"), which are their tokens' audiences too.
        std::map<std::string, const rpc::Channel*, std::less<>> others;
        const inbox::DeadLetterDesk& own;
        auth::TokenSigner& signer;
        /// For the desk, which waits for the database.
        rpc::WorkerPool& workers;
        const Clock& clock;
    };
    explicit DeadLetterApi(Services services) : services_(std::move(services)) {}

    net::Task<http::Response> List(const RequestScope& scope) const;
    net::Task<http::Response> Get(const RequestScope& scope) const;
    net::Task<http::Response> Replay(const RequestScope& scope) const;
    net::Task<http::Response> Discard(const RequestScope& scope) const;

 private:
    template <class Request, class Response>
    using OwnMethod = std::function<Result<Response>(const inbox::DeadLetterDesk&, const Request&,
                                                     const std::string& operator_name)>;
    /// Asks the service of the path, and shows its answer.
    template <class Request, class Response>
    net::Task<http::Response> Ask(const RequestScope& scope,
                                  const rpc::Method<Request, Response>& method,
                                  const OwnMethod<Request, Response>& own,
                                  const Request& request) const;
    net::Task<http::Response> Settle(
        const RequestScope& scope, std::string_view action,
        const rpc::Method<inbox::v1::SettleDeadLetterRequest, inbox::v1::SettleOutcome>& method,
        const OwnMethod<inbox::v1::SettleDeadLetterRequest, inbox::v1::SettleOutcome>& own) const;

    const Services services_;
};

}  // namespace kessai::gateway::transport
