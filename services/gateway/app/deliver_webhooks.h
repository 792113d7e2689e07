#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "app/webhook_store.h"
#include "kessai/net/loop.h"
#include "kessai/net/task.h"
#include "kessai/rpc/worker_pool.h"
#include "kessai/time/clock.h"

namespace kessai::gateway::app {

/// Sends one notification. Never throws, never takes much longer than `deadline`.
class WebhookSender {
 public:
    virtual ~WebhookSender() = default;
    virtual net::Task<domain::AttemptOutcome> Send(const domain::WebhookEndpoint& endpoint,
                                                   const domain::WebhookDelivery& delivery,
                                                   SteadyInstant deadline) = 0;
};

class DeliveryObserver {
 public:
    virtual ~DeliveryObserver() = default;
    virtual void OnAttempt(const domain::AttemptOutcome&, domain::DeliveryState) {}
    virtual void OnInFlight(std::size_t) {}
    virtual void OnStoreFailure(const Status&) {}
};

struct DeliveryOptions {
    /// Attempts at once: in all, and to one endpoint. One that fails again and again gets one at a
    /// time, so that those that hang cannot take all places.
    std::size_t in_flight_max = 512;
    std::size_t per_endpoint_max = 8;
    /// After so many failures in a row.
    int failing_after = 3;
    Duration attempt_timeout = std::chrono::seconds(5);
    /// How often the database is asked when nobody tells of new deliveries.
    Duration poll_every = std::chrono::milliseconds(500);
    domain::RetryLadder ladder;
};

/// Delivers webhooks: takes what is due from the database, endpoint by endpoint, sends it, and
/// records how it went. A delivery is claimed by moving its due time ahead, so what a gateway held
/// when it died is due again a little later, at any gateway: at least once. Endpoints don't wait
/// for each other; the order of one endpoint's notifications is not promised. Its loop's thread
/// only, but for Wake.
class DeliverWebhooks {
 public:
    DeliverWebhooks(net::Loop& loop, rpc::WorkerPool& workers, WebhookStore& store,
                    WebhookSender& sender, const Clock& clock, DeliveryOptions options,
                    DeliveryObserver& observer);
    ~DeliverWebhooks();  ///< Precondition: Stop has returned, or Start was never called.

    void Start();
    /// Claims nothing more, waits for the attempts under way and records them.
    net::Task<void> Stop();
    /// Something is due now; any thread.
    void Wake();

 private:
    struct Endpoint {
        std::size_t in_flight = 0;
        int failures_in_a_row = 0;
        /// As far as is known, more is due than was taken.
        bool more = false;
    };

    net::Task<void> Run();
    net::Task<void> Wait(Duration time);
    /// Claims and starts what fits; true when there may be more.
    net::Task<bool> TakeFrom(std::int64_t endpoint_id);
    /// The same of all that are due: those with few deliveries together.
    net::Task<bool> TakeDue(std::vector<DueEndpoint> due);
    net::Task<bool> TakeFromMany(std::vector<ClaimWish> wishes);
    void Begin(ClaimedDeliveries claimed);
    net::Task<void> Deliver(std::shared_ptr<const domain::WebhookEndpoint> endpoint,
                            domain::WebhookDelivery delivery);
    net::Task<void> RecordLoop();
    std::size_t PlacesFor(std::int64_t endpoint_id) const;

    net::Loop& loop_;
    rpc::WorkerPool& workers_;
    WebhookStore& store_;
    WebhookSender& sender_;
    const Clock& clock_;
    const DeliveryOptions options_;
    DeliveryObserver& observer_;

    bool stopping_ = false;
    bool running_ = false;
    bool recording_ = false;
    bool woken_ = false;
    std::function<void()> end_wait_;
    std::size_t in_flight_ = 0;
    std::unordered_map<std::int64_t, Endpoint> endpoints_;
    std::deque<AttemptRecord> results_;
};

}  // namespace kessai::gateway::app
