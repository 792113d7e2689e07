#include "domain/file_links.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <utility>

#include "domain/sha256.h"
#include "domain/text_rules.h"
#include "kessai/result/check.h"

namespace kessai::gateway::domain {
namespace {

std::string Signed(const FileLink& link, std::string_view key) {
    // A line each: no two links have the same text.
    const std::string text = "GET\n/v2/files/" + std::to_string(link.file_id) + "/content\n" +
                             std::to_string(link.merchant_id) + "\n" +
                             std::to_string(ToMicros(link.expires_at) / 1'000'000);
    return ToHex(HmacSha256(key, text));
}

bool SameText(std::string_view a, std::string_view b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

FileLinks::FileLinks(Options options, std::vector<std::string> keys)
    : options_(std::move(options)), keys_(std::move(keys)) {
    KESSAI_CHECK(!keys_.empty(), "links are signed by a key");
}

std::optional<FileLink> FileLinks::Fresh(std::int64_t file_id, std::int64_t merchant_id,
                                         Instant since, Instant now) const {
    const Instant expires_at = std::chrono::floor<std::chrono::seconds>(
        std::min(now + options_.life, AvailableUntil(since)));
    if (expires_at <= now) return std::nullopt;
    return FileLink{file_id, merchant_id, expires_at};
}

std::string FileLinks::Url(const FileLink& link) const {
    return options_.base_url + "/v2/files/" + std::to_string(link.file_id) +
           "/content?merchant=" + std::to_string(link.merchant_id) +
           "&expires=" + std::to_string(ToMicros(link.expires_at) / 1'000'000) +
           "&signature=" + Signed(link, keys_.front());
}

Result<FileLink> FileLinks::Check(std::int64_t file_id, std::string_view merchant,
                                  std::string_view expires, std::string_view signature,
                                  Instant now) const {
    constexpr std::int64_t kSecondsMax = 100'000'000'000;
    const auto merchant_id = ParseId(merchant);
    const auto expires_s = ParseId(expires);
    const Status invalid(Code::kPermissionDenied, reason::kFileLinkInvalid,
                         "the link is not one of ours");
    if (!merchant_id || !expires_s || *expires_s > kSecondsMax) return invalid;
    const FileLink link{file_id, *merchant_id, FromMicros(*expires_s * 1'000'000)};
    const bool ours = std::any_of(keys_.begin(), keys_.end(), [&](const std::string& key) {
        return SameText(Signed(link, key), signature);
    });
    if (!ours) return invalid;
    if (link.expires_at <= now) {
        return Status(Code::kFailedPrecondition, reason::kFileLinkExpired,
                      "the link has expired; ask for a fresh one");
    }
    return link;
}

}  // namespace kessai::gateway::domain
