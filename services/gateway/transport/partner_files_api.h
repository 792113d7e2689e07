#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

#include "app/authenticate_partner.h"
#include "domain/file_links.h"
#include "kessai/auth/token.h"
#include "kessai/http/message.h"
#include "kessai/rpc/worker_pool.h"
#include "transport/operator_ledger_api.h"
#include "transport/request_scope.h"

namespace kessai::gateway::transport {

/// A merchant's files: the list, one of them with a fresh link, and the content that a link opens.
/// Who a file belongs to is reconciliation's to say: it is asked in the merchant's name.
class PartnerFilesApi {
 public:
    struct Options {
        /// Contents that are being sent at once; each holds one piece of memory.
        std::size_t downloads_max = 32;
        /// What is asked of reconciliation, and held, at once.
        std::size_t piece_bytes = std::size_t{4} << 20;
        /// For one piece.
        Duration piece_timeout = std::chrono::seconds(20);
    };

    /// `workers` wait for pieces; nothing else should wait for them.
    PartnerFilesApi(Options options, const PerLoop<app::AuthenticatePartner>& authenticate,
                    ChannelOf reconciliation, auth::TokenSigner& signer, rpc::WorkerPool& workers,
                    const domain::FileLinks& links, const Clock& clock);

    net::Task<http::Response> List(const RequestScope& scope) const;
    net::Task<http::Response> Get(const RequestScope& scope) const;
    /// By link, without a signature of the partner's. Ranges, and their condition If-Range, are RFC
    /// 9110's.
    net::Task<http::Response> Content(const RequestScope& scope) const;

    /// How a refusal looks to whoever asked.
    using Refuse = std::function<http::Response(const Status&)>;
    /// The content of a file, or the part that the request names, in the name of the caller: an
    /// operator, or a merchant whose it is. What it is given must outlive it.
    net::Task<http::Response> Send(const RequestScope& scope, std::int64_t file_id,
                                   const Refuse& refuse) const;

    std::size_t downloads() const { return downloads_->load(std::memory_order_relaxed); }

 private:
    const Options options_;
    const PerLoop<app::AuthenticatePartner>& authenticate_;
    const ChannelOf reconciliation_;
    auth::TokenSigner& signer_;
    rpc::WorkerPool& workers_;
    const domain::FileLinks& links_;
    const Clock& clock_;
    const std::shared_ptr<std::atomic<std::size_t>> downloads_ =
        std::make_shared<std::atomic<std::size_t>>(0);
};

}  // namespace kessai::gateway::transport
