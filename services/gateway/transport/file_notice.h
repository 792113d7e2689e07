#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "domain/file_links.h"
#include "domain/webhook.h"
#include "kessai/reconciliation/v1/file_service.pb.h"

namespace kessai::gateway::transport {

inline constexpr std::string_view kFileCreatedNotice = "file.created";

/// The body of a `file.created` notification, as it is stored: all but the link, which would have
/// expired when it is sent late or again.
std::string FileNoticeJson(const reconciliation::v1::File& file, std::uint32_t announcement,
                           Instant requested_at);

/// The body as it is sent at `now`: with a fresh link, or none when the file has been available for
/// long enough. Of other notifications it is what is stored.
std::string BodyToSend(const domain::WebhookDelivery& delivery, const domain::FileLinks& links,
                       Instant now);

/// The id of a file in deliveries. Those of payments and of files are made by two services, which
/// may give the same number; so files' are kept negative.
inline std::int64_t DeliveryObjectOfFile(std::int64_t file_id) {
    return -file_id;
}

}  // namespace kessai::gateway::transport
