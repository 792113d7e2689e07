#include "wiring/loops.h"

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "app/periodic.h"
#include "kessai/net/run.h"
#include "kessai/redis/async_client.h"
#include "transport/redis_nonce_memory.h"
#include "transport/redis_rate_limiter.h"
#include "wiring/follow.h"

namespace kessai::gateway::wiring {

Status AddLoop(const Options& options, runtime::Context& context, const Storage& storage,
               rpc::WorkerPool& workers, const Issuers& issuers, const app::RoleScopes& roles,
               transport::HttpTelemetry& telemetry, int number, LoopServices& services) {
    const Clock& clock = context.clock();
    auto& loop = context.Own(std::make_unique<net::Loop>("http-" + std::to_string(number)));
    context.Add({.name = "loop " + std::to_string(number),
                 .start = [&loop]() -> Status {
                     loop.Start();
                     return OkStatus();
                 },
                 .stop = [&loop] { loop.Stop(); }});
    KESSAI_ASSIGN_OR_RETURN(auto client,
                            redis::AsyncClient::Create(loop, options.redis, &telemetry));
    auto& redis = context.Own(std::move(client));
    context.Add({.name = "redis " + std::to_string(number),
                 .start = [&redis]() -> Status {
                     redis.Start();
                     return OkStatus();
                 },
                 .stop =
                     [&loop, &redis] {
                         net::RunOn(loop, [&]() -> net::Task<void> { co_await redis.Stop(); });
                     }});
    auto& nonces = context.Own(std::make_unique<transport::RedisNonceMemory>(redis));
    auto& limiter = context.Own(std::make_unique<transport::RedisRateLimiter>(
        redis, clock, transport::RedisRateLimiter::Options{}));
    auto& credentials = context.Own(std::make_unique<app::CredentialCache>(
        loop, storage.credentials, workers, clock, app::CredentialCache::Options{}));
    const app::Rate credential_rate{options.limits.credential_per_second,
                                    options.limits.credential_burst};
    auto& partner = context.Own(std::make_unique<app::AuthenticatePartner>(
        credentials, nonces, limiter, credential_rate, clock, telemetry));
    auto& app_bearer = context.Own(std::make_unique<app::AuthenticateBearer>(
        issuers.app, clock, app::AuthenticateBearer::Options{}));
    auto& operator_bearer = context.Own(std::make_unique<app::AuthenticateBearer>(
        issuers.operators, clock, app::AuthenticateBearer::Options{}));
    services.loops.push_back(&loop);
    services.credentials.Add(loop, credentials);
    services.partners.Add(loop, partner);
    services.limiters.Add(loop, limiter);
    services.app_users.Add(loop, context.Own(std::make_unique<app::AuthenticateAppUser>(
                                     app_bearer, storage.users, workers, loop)));
    services.operators.Add(
        loop, context.Own(std::make_unique<app::AuthenticateOperator>(operator_bearer, roles)));
    return OkStatus();
}

void FollowCredentials(runtime::Context& context, const Storage& storage,
                       const LoopServices& loops) {
    auto& follow = context.Own(std::make_unique<app::Periodic>(
        "credentials", kFollowChangesEvery,
        [&store = storage.credentials, &loops, &clock = context.clock()] {
            // Gateways' clocks differ: what changed lately is looked at more than once.
            const auto changed = store.ChangedSince(clock.Now() - std::chrono::seconds(30));
            if (!changed.ok()) return;
            loops.credentials.ForEach([&](net::Loop& loop, app::CredentialCache& cache) {
                loop.Post([&cache, keys = *changed] {
                    for (const auto& key : keys) cache.Forget(key);
                });
            });
        }));
    context.Add({.name = "credential_changes",
                 .start = [&follow]() -> Status {
                     follow.Start();
                     return OkStatus();
                 },
                 .stop = [&follow] { follow.Stop(); }});
}

}  // namespace kessai::gateway::wiring
