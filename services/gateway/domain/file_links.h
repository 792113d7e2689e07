#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::gateway::domain {

namespace reason {
/// PERMISSION_DENIED: no link of ours, or one that was changed.
inline constexpr std::string_view kFileLinkInvalid = "FILE_LINK_INVALID";
/// FAILED_PRECONDITION: a link of ours whose time is over.
inline constexpr std::string_view kFileLinkExpired = "FILE_LINK_EXPIRED";
}  // namespace reason

/// What a link opens, and until when.
struct FileLink {
    std::int64_t file_id = 0;
    std::int64_t merchant_id = 0;
    /// In whole seconds.
    Instant expires_at{};
};

/// Links by which whoever has one gets a file's content until it expires:
///
///     https://…/v2/files/123/content?merchant=501&expires=1795000000&signature=<64 hexadecimal
///     digits>
///
/// The signature is HMAC-SHA256 over all of it, by a key derived from secrets.key. Thread safe.
class FileLinks {
 public:
    struct Options {
        /// What stands before "/v2/files/…": "https://api.example.com".
        std::string base_url = {};
        /// How long a link is good.
        Duration life = std::chrono::hours(2);
        /// How long after a file was made, or announced, there are links to it.
        Duration available_for = std::chrono::hours(7 * 24);
    };

    /// `keys`: the first signs, each of them is accepted. At least one.
    FileLinks(Options options, std::vector<std::string> keys);

    /// A link that is good from `now` on; nothing for a file that has been available for long
    /// enough. `since` is when it was made or announced.
    std::optional<FileLink> Fresh(std::int64_t file_id, std::int64_t merchant_id, Instant since,
                                  Instant now) const;
    std::string Url(const FileLink& link) const;
    Instant AvailableUntil(Instant since) const { return since + options_.available_for; }

    /// The link that a request for the file's content holds: FILE_LINK_INVALID, FILE_LINK_EXPIRED.
    Result<FileLink> Check(std::int64_t file_id, std::string_view merchant,
                           std::string_view expires, std::string_view signature, Instant now) const;

 private:
    const Options options_;
    const std::vector<std::string> keys_;
};

}  // namespace kessai::gateway::domain
