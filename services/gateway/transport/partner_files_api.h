#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "app/authenticate_partner.h"
#include "domain/file_links.h"
#include "kessai/auth/token.h"
#include "kessai/http/message.h"
#include "kessai/rpc/worker_pool.h"
#include "transport/operator_ledger_api.h"
#include "transport/request_scope.h"

namespace kessai::gateway::transport {

/// Who may send files now: so many in all, and so many to one merchant, so that nobody's slow line
/// keeps all others out. Thread safe.
class DownloadPlaces {
 public:
    DownloadPlaces(std::size_t all_max, std::size_t per_merchant_max)
        : all_max_(all_max), per_merchant_max_(per_merchant_max) {}

    /// A place, given back when the last copy goes; null when there is none.
    static std::shared_ptr<void> Take(const std::shared_ptr<DownloadPlaces>& places,
                                      std::int64_t merchant_id);
    std::size_t taken() const;

 private:
    const std::size_t all_max_;
    const std::size_t per_merchant_max_;
    mutable std::mutex mutex_;
    std::size_t taken_ = 0;
    std::map<std::int64_t, std::size_t> by_merchant_;
};

/// A merchant's files: the list, one of them with a fresh link, and the content that a link opens.
/// Who a file belongs to is reconciliation's to say: it is asked in the merchant's name.
class PartnerFilesApi {
 public:
    struct Options {
        /// Contents that are being sent at once; each holds one piece of memory.
        std::size_t downloads_max = 32;
        std::size_t downloads_per_merchant_max = 8;
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

    std::size_t downloads() const { return places_->taken(); }

 private:
    const Options options_;
    const PerLoop<app::AuthenticatePartner>& authenticate_;
    const ChannelOf reconciliation_;
    auth::TokenSigner& signer_;
    rpc::WorkerPool& workers_;
    const domain::FileLinks& links_;
    const Clock& clock_;
    const std::shared_ptr<DownloadPlaces> places_;
};

}  // namespace kessai::gateway::transport
