#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "app/credential_store.h"
#include "domain/opa_signature.h"
#include "kessai/auth/principal.h"
#include "kessai/net/loop.h"
#include "kessai/net/task.h"
#include "kessai/rpc/worker_pool.h"

namespace kessai::gateway::app {

/// A credential, ready to verify with and to act for.
struct LoadedCredential {
    explicit LoadedCredential(domain::ApiCredential loaded)
        : credential(std::move(loaded)), key(credential.secret) {}

    domain::ApiCredential credential;
    domain::OpaKey key;

    /// Precondition: the credential may act for the merchant.
    auth::PrincipalPtr PrincipalFor(std::int64_t merchant_id);

 private:
    std::unordered_map<std::int64_t, auth::PrincipalPtr> principals_;
};

/// The credentials that requests of one event loop came with. Unknown keys are remembered for a
/// short while too, so that guessing them does not reach the database each time. Loop's thread
/// only.
class CredentialCache {
 public:
    struct Options {
        std::size_t entries_max = 100'000;
        /// Nothing is kept for longer, whatever Forget heard.
        Duration lifetime = std::chrono::minutes(10);
        Duration unknown_lifetime = std::chrono::seconds(2);
    };

    CredentialCache(net::Loop& loop, CredentialStore& store, rpc::WorkerPool& workers,
                    const Clock& clock, Options options);

    /// Null when there is none. What the database refuses.
    net::Task<Result<std::shared_ptr<LoadedCredential>>> Find(std::string_view api_key);
    void Forget(std::string_view api_key);

 private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>()(text);
        }
    };
    struct Entry {
        std::shared_ptr<LoadedCredential> credential;
        SteadyInstant until;
    };

    net::Loop& loop_;
    CredentialStore& store_;
    rpc::WorkerPool& workers_;
    const Clock& clock_;
    const Options options_;
    std::unordered_map<std::string, Entry, Hash, std::equal_to<>> entries_;
    /// Rises with every Forget: what was read before it is not kept.
    std::uint64_t generation_ = 0;
};

}  // namespace kessai::gateway::app
