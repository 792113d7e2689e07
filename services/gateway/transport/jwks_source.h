#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "app/authenticate_bearer.h"
#include "kessai/http/client.h"
#include "kessai/net/loop.h"
#include "kessai/time/clock.h"

namespace kessai::gateway::transport {

/// An issuer's keys, fetched from its JWKS address in the background: at the start, every
/// `refresh`, and soon after a token named a key that was not there. Keys that were fetched stay in
/// use while the issuer can't be reached. Thread safe.
class JwksSource final : public app::IssuerKeys {
 public:
    struct Options {
        http::Url url;
        Duration refresh = std::chrono::minutes(5);
        /// Between fetches, whatever is asked.
        Duration pause = std::chrono::seconds(10);
        /// While there are no keys at all.
        Duration retry = std::chrono::seconds(2);
        Duration timeout = std::chrono::seconds(5);
    };

    /// `client` belongs to `loop`; it outlives the source's run.
    JwksSource(Options options, net::Loop& loop, http::Client& client,
               std::function<void(const Status&)> on_outcome);
    ~JwksSource() override;

    void Start();
    net::Task<void> Stop();  ///< On the loop.

    jwt::KeySet Current() const override;
    std::uint64_t generation() const override { return generation_.load(); }
    void AskAgain() override;
    /// Whether keys were fetched once.
    bool has_keys() const { return generation_.load() > 0; }

 private:
    net::Task<void> Run();

    const Options options_;
    net::Loop& loop_;
    http::Client& client_;
    const std::function<void(const Status&)> on_outcome_;
    mutable std::mutex mutex_;
    jwt::KeySet keys_;      // guarded by mutex_
    std::string document_;  // the loop's
    std::atomic<std::uint64_t> generation_{0};
    std::atomic<bool> asked_{false};
    bool stopping_ = false;
    bool running_ = false;
};

}  // namespace kessai::gateway::transport
