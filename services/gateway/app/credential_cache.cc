#include "app/credential_cache.h"

#include "app/blocking.h"

namespace kessai::gateway::app {

auth::PrincipalPtr LoadedCredential::PrincipalFor(std::int64_t merchant_id) {
    auto& principal = principals_[merchant_id];
    if (!principal) {
        auto made = std::make_shared<auth::Principal>();
        made->role = auth::Role::kMerchant;
        made->subject = credential.api_key;
        made->merchant_id = merchant_id;
        made->scopes = credential.scopes;
        principal = std::move(made);
    }
    return principal;
}

CredentialCache::CredentialCache(net::Loop& loop, CredentialStore& store, rpc::WorkerPool& workers,
                                 const Clock& clock, Options options)
    : loop_(loop), store_(store), workers_(workers), clock_(clock), options_(options) {}

net::Task<Result<std::shared_ptr<LoadedCredential>>> CredentialCache::Find(
    std::string_view api_key) {
    if (const auto found = entries_.find(api_key); found != entries_.end()) {
        if (found->second.until > clock_.SteadyNow()) co_return found->second.credential;
        entries_.erase(found);
    }
    const std::uint64_t generation = generation_;
    const std::string key(api_key);
    auto loaded = co_await RunBlocking(workers_, loop_, [this, &key] { return store_.Find(key); });
    if (!loaded.ok()) co_return loaded.status();
    Entry entry;
    if (loaded->has_value()) {
        entry.credential = std::make_shared<LoadedCredential>(std::move(**loaded));
    }
    entry.until =
        clock_.SteadyNow() + (entry.credential ? options_.lifetime : options_.unknown_lifetime);
    auto credential = entry.credential;
    if (generation == generation_) {
        // Full: any one goes, it comes back when it is needed.
        if (entries_.size() >= options_.entries_max) entries_.erase(entries_.begin());
        entries_.insert_or_assign(key, std::move(entry));
    }
    co_return credential;
}

void CredentialCache::Forget(std::string_view api_key) {
    ++generation_;
    if (const auto found = entries_.find(api_key); found != entries_.end()) entries_.erase(found);
}

}  // namespace kessai::gateway::app
