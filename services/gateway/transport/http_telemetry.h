#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "app/authenticate_partner.h"
#include "app/deliver_webhooks.h"
#include "kessai/http/server.h"
#include "kessai/metrics/registry.h"
#include "kessai/redis/options.h"

namespace kessai::gateway::transport {

/// What the gateway counts about its callers, and the access log. Thread safe.
class HttpTelemetry final : public http::ServerObserver,
                            public app::PartnerAuthenticationObserver,
                            public app::DeliveryObserver,
                            public redis::Observer {
 public:
    struct Options {
        /// Of the requests that went well and quickly, one in so many is logged; all others always.
        std::uint32_t log_one_in = 1;
        Duration slow_after = std::chrono::seconds(1);
    };

    HttpTelemetry(Options options, metrics::Registry& registry);

    void OnExchange(const http::Exchange& exchange) override;
    void OnConnectionOpened() override { connections_.Add(); }
    void OnConnectionClosed() override { connections_.Subtract(); }
    void OnConnectionRefused(http::Refused why) override;
    void OnHandshake(bool succeeded, bool resumed) override;

    void OnNonce(app::NonceVerdict verdict) override;

    void OnAttempt(const domain::AttemptOutcome& outcome, domain::DeliveryState state) override;
    void OnInFlight(std::size_t attempts) override { deliveries_in_flight_.Set(attempts); }
    void OnStoreFailure(const Status& why) override;

    void OnUp() override { redis_connections_.Add(); }
    void OnDown(const Status& why) override;
    void OnConnectFailed(const Status& why) override;

    void OnLimited(std::string_view which) { limited_.With(which).Add(); }

 private:
    static constexpr std::size_t kClasses = 5;  // 2xx … 5xx, and the rest
    struct PerRoute {
        metrics::Counter* by_class[kClasses];
        metrics::Histogram* seconds;
    };
    PerRoute& Of(const http::Route* route);

    const Options options_;
    std::vector<PerRoute> routes_;
    metrics::Counters refusals_;
    metrics::Gauge& connections_;
    metrics::Counters refused_connections_;
    metrics::Counters handshakes_;
    metrics::Counters nonces_;
    metrics::Counters limited_;
    metrics::Counters attempts_;
    metrics::Histogram& attempt_seconds_;
    metrics::Gauge& deliveries_in_flight_;
    metrics::Counter& delivery_store_failures_;
    metrics::Gauge& redis_connections_;
    metrics::Counter& redis_losses_;
    std::atomic<std::uint32_t> log_turn_{0};
};

}  // namespace kessai::gateway::transport
