#include "transport/file_notice.h"

#include "domain/sha256.h"
#include "kessai/time/business_date.h"
#include "transport/json_writer.h"

namespace kessai::gateway::transport {
namespace {

/// The contract's two layouts are known by one name; others by their template's.
std::string_view FileTypeOf(std::string_view template_name) {
    const bool contract = template_name == "instant" || template_name == "capture_later";
    return contract ? "transaction_recon" : template_name;
}

/// A UUID (RFC 9562, version 8) that is the same whenever this is told, and of nothing else.
std::string NotificationId(std::int64_t file_id, std::uint32_t announcement) {
    std::string bytes = domain::Sha256::Of("file.created " + std::to_string(file_id) + " " +
                                           std::to_string(announcement))
                            .substr(0, 16);
    bytes[6] = static_cast<char>((bytes[6] & 0x0F) | 0x80);
    bytes[8] = static_cast<char>((bytes[8] & 0x3F) | 0x80);
    std::string id = domain::ToHex(bytes);
    for (const std::size_t at : {20, 16, 12, 8}) id.insert(at, "-");
    return id;
}

}  // namespace

std::string FileNoticeJson(const reconciliation::v1::File& file, std::uint32_t announcement,
                           Instant requested_at) {
    std::string out;
    JsonWriter json(out);
    json.BeginObject();
    json.Key("notification_type").Text(kFileCreatedNotice);
    json.Key("notification_id").Text(NotificationId(file.file_id(), announcement));
    json.Key("fileType").Text(FileTypeOf(file.template_name()));
    json.Key("requestedAt").Text(std::to_string(ToMicros(requested_at) / 1'000'000));
    json.Key("merchant_id").Id(file.merchant_id());
    json.Key("file_id").Id(file.file_id());
    json.Key("file_name").Text(file.name());
    const auto date = BusinessDate::FromNumber(file.business_date());
    json.Key("business_date").TextOrNull(date.ok() ? date->ToString() : "");
    json.Key("version").Number(file.version());
    json.Key("bytes").Number(static_cast<std::int64_t>(file.bytes()));
    json.Key("sha256").Text(domain::ToHex(file.sha256()));
    json.EndObject();
    return out;
}

std::string BodyToSend(const domain::WebhookDelivery& delivery, const domain::FileLinks& links,
                       Instant now) {
    if (delivery.notification_type != kFileCreatedNotice || delivery.payload.empty()) {
        return delivery.payload;
    }
    const auto link =
        links.Fresh(-delivery.object_id, delivery.merchant_id, delivery.created_at, now);
    std::string body = delivery.payload.substr(0, delivery.payload.size() - 1);
    std::string rest;
    JsonWriter json(rest);
    json.BeginObject();
    json.Key("path");
    if (link) {
        json.Text(links.Url(*link));
        json.Key("expires_at").Text(FormatUtc(link->expires_at));
    } else {
        json.Null();
        json.Key("expires_at").Null();
    }
    json.EndObject();
    return body + "," + rest.substr(1);
}

}  // namespace kessai::gateway::transport
