#include "domain/webhook.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>

#include "kessai/result/check.h"

namespace kessai::gateway::domain {

std::string_view DeliveryStateName(DeliveryState state) {
    switch (state) {
        case DeliveryState::kPending:
            return "PENDING";
        case DeliveryState::kDelivered:
            return "DELIVERED";
        case DeliveryState::kDead:
            return "DEAD";
    }
    return "PENDING";
}

std::optional<Duration> RetryLadder::WaitAfter(std::uint32_t attempts, double jitter) const {
    if (attempts == 0 || attempts > waits.size()) return std::nullopt;
    const Duration wait = waits[attempts - 1];
    const double shortened = 1.0 - 0.25 * std::clamp(jitter, 0.0, 1.0);
    return Duration(static_cast<std::int64_t>(static_cast<double>(wait.count()) * shortened));
}

std::string SignWebhook(std::string_view secret, std::int64_t timestamp_s, std::string_view body) {
    const std::string timestamp = std::to_string(timestamp_s);
    std::string text = timestamp + ".";
    text.append(body);
    std::array<unsigned char, 32> mac;
    std::size_t size = 0;
    KESSAI_CHECK(EVP_Q_mac(nullptr, "HMAC", nullptr, "SHA256", nullptr, secret.data(),
                           secret.size(), reinterpret_cast<const unsigned char*>(text.data()),
                           text.size(), mac.data(), mac.size(), &size) != nullptr,
                 "HMAC-SHA256 is not available");
    static constexpr char kHex[] = "0123456789abcdef";
    std::string header = "t=" + timestamp + ",v1=";
    for (const unsigned char byte : mac) {
        header.push_back(kHex[byte >> 4]);
        header.push_back(kHex[byte & 15]);
    }
    return header;
}

}  // namespace kessai::gateway::domain
