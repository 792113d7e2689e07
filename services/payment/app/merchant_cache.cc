#include "app/merchant_cache.h"

namespace kessai::payment::app {

MerchantCache::MerchantCache(Duration lifetime, std::size_t entries_max, const Clock& clock)
    : lifetime_(lifetime), entries_max_(entries_max), clock_(clock) {}

std::optional<domain::Merchant> MerchantCache::Find(domain::MerchantId id) const {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(id);
    if (found == entries_.end() || found->second.expires <= clock_.SteadyNow()) return std::nullopt;
    return found->second.merchant;
}

void MerchantCache::Put(const domain::Merchant& merchant) {
    const std::lock_guard lock(mutex_);
    // Full: begin anew. Rare, and cheaper than keeping an order of use on the hot path.
    if (entries_.size() >= entries_max_) entries_.clear();
    entries_[merchant.id] = {merchant, clock_.SteadyNow() + lifetime_};
}

void MerchantCache::Forget(domain::MerchantId id) {
    const std::lock_guard lock(mutex_);
    entries_.erase(id);
}

}  // namespace kessai::payment::app
