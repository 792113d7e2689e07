#pragma once

#include <mutex>
#include <optional>
#include <unordered_map>

#include "domain/payment.h"
#include "kessai/time/clock.h"

namespace kessai::payment::app {

/// Merchants' settings, read again after `lifetime`: a change (a suspension, say) is in force in
/// every replica within that time. Bounded. Thread safe.
class MerchantCache {
 public:
    MerchantCache(Duration lifetime, std::size_t entries_max, const Clock& clock);

    std::optional<domain::Merchant> Find(domain::MerchantId id) const;
    void Put(const domain::Merchant& merchant);
    void Forget(domain::MerchantId id);

 private:
    struct Entry {
        domain::Merchant merchant;
        SteadyInstant expires;
    };
    const Duration lifetime_;
    const std::size_t entries_max_;
    const Clock& clock_;
    mutable std::mutex mutex_;
    std::unordered_map<domain::MerchantId, Entry> entries_;
};

}  // namespace kessai::payment::app
