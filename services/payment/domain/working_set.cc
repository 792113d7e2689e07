#include "domain/working_set.h"

#include <functional>

namespace kessai::payment::domain {
namespace {

std::size_t Mix(std::size_t seed, std::size_t value) {
    return seed ^ (value + 0x9e3779b97f4a7c15ULL + (seed << 6) + (seed >> 2));
}

std::size_t HashOf(const std::string& text) {
    return std::hash<std::string>()(text);
}

}  // namespace

std::size_t KeyHash::operator()(const OrderKey& key) const {
    return Mix(std::hash<MerchantId>()(key.merchant), HashOf(key.merchant_payment_id));
}

std::size_t KeyHash::operator()(const RefundKey& key) const {
    return Mix(Mix(std::hash<MerchantId>()(key.merchant), HashOf(key.merchant_refund_id)),
               std::hash<PaymentId>()(key.payment));
}

std::size_t KeyHash::operator()(const TopUpKey& key) const {
    return Mix(std::hash<UserId>()(key.user), HashOf(key.idempotency_key));
}

std::size_t KeyHash::operator()(const ReleaseKey& key) const {
    return Mix(static_cast<std::size_t>(key.date.ToNumber()), key.round);
}

}  // namespace kessai::payment::domain
