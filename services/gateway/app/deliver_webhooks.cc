#include "app/deliver_webhooks.h"

#include <algorithm>
#include <set>
#include <utility>

#include "app/blocking.h"
#include "kessai/result/check.h"

namespace kessai::gateway::app {

namespace {

constexpr int kDueEndpointsMax = 1'000;
/// A claim of many holds the loop up no longer than one of one, and is some statements too.
constexpr std::size_t kClaimedAtOnce = 100;
constexpr std::size_t kRecordMax = 200;
// Results that could not be stored yet; beyond it nothing new is begun.
constexpr std::size_t kResultsMax = 2'000;
constexpr Duration kClaimMargin = std::chrono::seconds(10);
constexpr Duration kStoreRetry = std::chrono::milliseconds(500);

/// From 0 to 1, different from one delivery and attempt to the next.
double JitterOf(const domain::WebhookDelivery& delivery) {
    auto x = static_cast<std::uint64_t>(delivery.delivery_id) * 0x9e3779b97f4a7c15ULL +
             delivery.attempts;
    x ^= x >> 31;
    x *= 0xbf58476d1ce4e5b9ULL;
    return static_cast<double>(x >> 11) / static_cast<double>(1ULL << 53);
}

}  // namespace

DeliverWebhooks::DeliverWebhooks(net::Loop& loop, rpc::WorkerPool& workers, WebhookStore& store,
                                 WebhookSender& sender, const Clock& clock, DeliveryOptions options,
                                 DeliveryObserver& observer)
    : loop_(loop),
      workers_(workers),
      store_(store),
      sender_(sender),
      clock_(clock),
      options_(std::move(options)),
      observer_(observer) {}

DeliverWebhooks::~DeliverWebhooks() {
    KESSAI_CHECK(!running_ && in_flight_ == 0, "deliveries are stopped before they go");
}

void DeliverWebhooks::Start() {
    loop_.Post([this] {
        if (stopping_) return;
        running_ = true;
        net::Spawn(Run());
    });
}

net::Task<void> DeliverWebhooks::Stop() {
    stopping_ = true;
    Wake();
    // Attempts end by their time-out, so this does too.
    while (running_ || in_flight_ > 0 || recording_) {
        net::Arrival<bool> stopped;
        net::Timer look_again(loop_, [&] { stopped.Set(true); });
        look_again.ExpiresAfter(std::chrono::milliseconds(20));
        co_await stopped;
    }
}

void DeliverWebhooks::Wake() {
    loop_.Post([this] {
        woken_ = true;
        if (end_wait_) end_wait_();
    });
}

net::Task<void> DeliverWebhooks::Wait(Duration time) {
    if (std::exchange(woken_, false)) co_return;
    net::Arrival<bool> over;
    net::Timer timer(loop_, [&] {
        if (!over.is_set()) over.Set(true);
    });
    timer.ExpiresAfter(time);
    end_wait_ = [&] {
        if (!over.is_set()) over.Set(true);
    };
    co_await over;
    end_wait_ = nullptr;
    woken_ = false;
}

net::Task<void> DeliverWebhooks::Run() {
    while (!stopping_) {
        bool more = false;
        if (in_flight_ < options_.in_flight_max && results_.size() < kResultsMax) {
            auto due = co_await RunBlocking(workers_, loop_, [this] {
                return store_.DueEndpoints(clock_.Now(), kDueEndpointsMax);
            });
            if (!due.ok()) {
                observer_.OnStoreFailure(due.status());
            } else {
                more = co_await TakeDue(std::move(*due));
            }
        }
        // Where more is due than fits, whoever finishes first says so (Deliver).
        co_await Wait(more ? std::min<Duration>(options_.poll_every, std::chrono::milliseconds(50))
                           : options_.poll_every);
    }
    running_ = false;
}

net::Task<bool> DeliverWebhooks::TakeDue(std::vector<DueEndpoint> due) {
    bool more = false;
    std::vector<ClaimWish> few;
    std::size_t of_few = 0;
    for (const DueEndpoint& endpoint : due) {
        if (stopping_) co_return more;
        const auto pending = static_cast<std::size_t>(endpoint.pending);
        const bool fits = pending <= PlacesFor(endpoint.endpoint_id) &&
                          in_flight_ + of_few + pending <= options_.in_flight_max;
        if (!fits) {
            const bool left = co_await TakeFrom(endpoint.endpoint_id);
            more = more || left;
            continue;
        }
        few.push_back({endpoint.endpoint_id, static_cast<int>(pending)});
        of_few += pending;
        if (few.size() < kClaimedAtOnce) continue;
        std::vector<ClaimWish> full;
        full.swap(few);
        const bool left = co_await TakeFromMany(std::move(full));
        more = more || left;
        of_few = 0;
    }
    if (!few.empty()) {
        const bool left = co_await TakeFromMany(std::move(few));
        more = more || left;
    }
    co_return more;
}

net::Task<bool> DeliverWebhooks::TakeFromMany(std::vector<ClaimWish> wishes) {
    const Instant now = clock_.Now();
    const Instant until = now + options_.attempt_timeout + kClaimMargin;
    auto claimed = co_await RunBlocking(workers_, loop_,
                                        [&] { return store_.ClaimOfMany(wishes, now, until); });
    if (!claimed.ok()) {
        observer_.OnStoreFailure(claimed.status());
        co_return false;
    }
    std::set<std::int64_t> taken;
    for (ClaimedDeliveries& claim : *claimed) {
        taken.insert(claim.deliveries.front().endpoint_id);
        Begin(std::move(claim));
    }
    bool more = false;
    for (const ClaimWish& wish : wishes) {
        if (stopping_) break;
        if (taken.contains(wish.endpoint_id)) continue;
        // Says what is wrong with it, if anything is.
        const bool left = co_await TakeFrom(wish.endpoint_id);
        more = more || left;
    }
    co_return more;
}

void DeliverWebhooks::Begin(ClaimedDeliveries claimed) {
    const auto endpoint =
        std::make_shared<const domain::WebhookEndpoint>(std::move(claimed.endpoint));
    for (domain::WebhookDelivery& delivery : claimed.deliveries) {
        ++in_flight_;
        ++endpoints_[delivery.endpoint_id].in_flight;
        net::Spawn(Deliver(endpoint, std::move(delivery)));
    }
    observer_.OnInFlight(in_flight_);
}

std::size_t DeliverWebhooks::PlacesFor(std::int64_t endpoint_id) const {
    const auto found = endpoints_.find(endpoint_id);
    const Endpoint endpoint = found == endpoints_.end() ? Endpoint() : found->second;
    const std::size_t most =
        endpoint.failures_in_a_row >= options_.failing_after ? 1 : options_.per_endpoint_max;
    if (endpoint.in_flight >= most || in_flight_ >= options_.in_flight_max) return 0;
    return std::min(most - endpoint.in_flight, options_.in_flight_max - in_flight_);
}

net::Task<bool> DeliverWebhooks::TakeFrom(std::int64_t endpoint_id) {
    const std::size_t places = PlacesFor(endpoint_id);
    if (places == 0) {
        endpoints_[endpoint_id].more = true;
        co_return true;
    }
    const Instant now = clock_.Now();
    // Nobody else takes them until our attempt must be over and recorded.
    const Instant until = now + options_.attempt_timeout + kClaimMargin;
    auto claimed = co_await RunBlocking(workers_, loop_, [&] {
        return store_.Claim(endpoint_id, static_cast<int>(places), now, until);
    });
    if (!claimed.ok()) {
        observer_.OnStoreFailure(claimed.status());
        co_return false;
    }
    const bool more = claimed->deliveries.size() == places;
    if (!claimed->deliveries.empty()) endpoints_[endpoint_id].more = more;
    Begin(std::move(*claimed));
    co_return more;
}

net::Task<void> DeliverWebhooks::Deliver(std::shared_ptr<const domain::WebhookEndpoint> endpoint,
                                         domain::WebhookDelivery delivery) {
    AttemptRecord record;
    if (endpoint->enabled) {
        const SteadyInstant deadline = clock_.SteadyNow() + options_.attempt_timeout;
        record.outcome = co_await sender_.Send(*endpoint, delivery, deadline);
    } else {
        record.outcome.started_at = clock_.Now();
        record.outcome.error = "the endpoint is disabled or deleted";
    }
    Endpoint& state = endpoints_[delivery.endpoint_id];
    if (record.outcome.delivered()) {
        record.state = domain::DeliveryState::kDelivered;
        state.failures_in_a_row = 0;
    } else {
        ++state.failures_in_a_row;
        const auto wait = options_.ladder.WaitAfter(
            delivery.attempts + 1 - delivery.ladder_begins_after, JitterOf(delivery));
        if (endpoint->enabled && wait) {
            record.state = domain::DeliveryState::kPending;
            record.next_attempt_at = clock_.Now() + *wait;
        } else {
            record.state = domain::DeliveryState::kDead;
        }
    }
    observer_.OnAttempt(record.outcome, record.state);
    const std::int64_t endpoint_id = delivery.endpoint_id;
    record.delivery = std::move(delivery);
    results_.push_back(std::move(record));
    if (!recording_) {
        recording_ = true;
        net::Spawn(RecordLoop());
    }
    --in_flight_;
    const auto found = endpoints_.find(endpoint_id);
    const bool more = found->second.more;
    // Forgets an endpoint that is well and idle.
    if (--found->second.in_flight == 0 && found->second.failures_in_a_row == 0) {
        endpoints_.erase(found);
    }
    observer_.OnInFlight(in_flight_);
    if (more && end_wait_ && !stopping_) {
        woken_ = true;
        end_wait_();
    }
}

net::Task<void> DeliverWebhooks::RecordLoop() {
    // What finishes about now is stored together.
    co_await loop_.Sleep(std::chrono::milliseconds(10));
    while (!results_.empty()) {
        std::vector<AttemptRecord> batch;
        for (const AttemptRecord& record : results_) {
            if (batch.size() == kRecordMax) break;
            batch.push_back(record);
        }
        Status stored =
            co_await RunBlocking(workers_, loop_, [this, &batch] { return store_.Record(batch); });
        if (stored.ok()) {
            results_.erase(results_.begin(),
                           results_.begin() + static_cast<std::ptrdiff_t>(batch.size()));
            continue;
        }
        observer_.OnStoreFailure(stored);
        // Not stored: they are sent again when their claims end. That is allowed, so a stop does
        // not wait for a database that is down.
        if (stopping_) break;
        co_await loop_.Sleep(kStoreRetry);
    }
    recording_ = false;
}

}  // namespace kessai::gateway::app
