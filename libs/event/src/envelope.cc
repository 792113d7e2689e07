#include "kessai/event/envelope.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <memory>

#include "kessai/event/v1/envelope.pb.h"
#include "kessai/result/check.h"

namespace kessai::event {
namespace {

// Ends in a version, so that a later encoding can never be mistaken for this one.
constexpr std::string_view kHashPrefix = "kessai.event.v1\n";
constexpr std::size_t kSha256Bytes = 32;

struct DigestDeleter {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
    void operator()(EVP_MD* digest) const { EVP_MD_free(digest); }
};

// Fetched once a thread: the implicit fetch of EVP_sha256() costs as much as a short hash.
class Sha256 {
 public:
    Sha256() : digest_(EVP_MD_fetch(nullptr, "SHA256", nullptr)), context_(EVP_MD_CTX_new()) {
        KESSAI_CHECK(digest_ && context_, "OpenSSL has SHA-256");
    }
    void Begin() {
        KESSAI_CHECK(EVP_DigestInit_ex2(context_.get(), digest_.get(), nullptr) == 1, "SHA-256");
    }
    void Add(std::string_view bytes) {
        KESSAI_CHECK(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1, "SHA-256");
    }
    ContentHash End() {
        std::array<std::uint8_t, kSha256Bytes> whole{};
        KESSAI_CHECK(EVP_DigestFinal_ex(context_.get(), whole.data(), nullptr) == 1, "SHA-256");
        ContentHash first{};
        std::copy_n(whole.begin(), first.size(), first.begin());
        return first;
    }

 private:
    std::unique_ptr<EVP_MD, DigestDeleter> digest_;
    std::unique_ptr<EVP_MD_CTX, DigestDeleter> context_;
};

void AppendNumber(std::string& out, std::uint64_t number) {
    std::array<char, 8> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(number >> (8 * i));
    out.append(bytes.data(), bytes.size());
}

void AppendNumber(std::string& out, std::int64_t number) {
    AppendNumber(out, static_cast<std::uint64_t>(number));
}

Status Invalid(std::string_view reason, std::string message) {
    return Status(Code::kInvalidArgument, reason, std::move(message));
}

Status Check(const Fields& fields) {
    if (fields.type.empty()) return Invalid(kEventFieldInvalid, "an event has a type");
    if (fields.event_id <= 0 || fields.object_id < 0) {
        return Invalid(kEventFieldInvalid, "ids are positive");
    }
    if (fields.object_id > 0 && fields.version == 0) {
        return Invalid(kEventFieldInvalid, "versions of an object begin at 1");
    }
    return OkStatus();
}

}  // namespace

ContentHash HashOf(const Fields& fields) {
    thread_local Sha256 sha256;
    thread_local std::string head;
    head.assign(kHashPrefix);
    AppendNumber(head, static_cast<std::uint64_t>(fields.type.size()));
    head.append(fields.type);
    AppendNumber(head, fields.object_id);
    AppendNumber(head, std::uint64_t{fields.version});
    AppendNumber(head, fields.event_id);
    AppendNumber(head, std::int64_t{fields.business_date.ToNumber()});
    AppendNumber(head, ToMicros(fields.occurred_at));
    AppendNumber(head, static_cast<std::uint64_t>(fields.payload.size()));
    sha256.Begin();
    sha256.Add(head);
    sha256.Add(fields.payload);
    return sha256.End();
}

Result<std::string> Seal(const Fields& fields) {
    KESSAI_RETURN_IF_ERROR(Check(fields));
    if (fields.type.size() + fields.payload.size() > kEventBytesMax) {
        return Invalid(kEventTooLarge,
                       "payload of " + std::to_string(fields.payload.size()) + " bytes");
    }
    const ContentHash hash = HashOf(fields);
    v1::Envelope message;
    message.set_event_id(fields.event_id);
    message.set_type(fields.type.data(), fields.type.size());
    message.set_object_id(fields.object_id);
    message.set_version(fields.version);
    message.set_business_date(fields.business_date.ToNumber());
    message.set_occurred_at_us(ToMicros(fields.occurred_at));
    message.set_content_hash(hash.data(), hash.size());
    message.set_payload(fields.payload.data(), fields.payload.size());
    // Scalars in the order of their numbers, no maps, no unknown fields: one encoding only.
    std::string bytes = message.SerializeAsString();
    if (bytes.size() > kEventBytesMax) {
        return Invalid(kEventTooLarge, std::to_string(bytes.size()) + " bytes");
    }
    return bytes;
}

Result<Envelope> Open(std::string_view bytes) {
    if (bytes.size() > kEventBytesMax) {
        return Invalid(kEventTooLarge, std::to_string(bytes.size()) + " bytes");
    }
    v1::Envelope message;
    if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
        return Invalid(kEventMalformed, "not an envelope");
    }
    auto date = BusinessDate::FromNumber(message.business_date());
    if (!date.ok()) return Invalid(kEventMalformed, "no business date");
    Envelope envelope{
        .type = std::move(*message.mutable_type()),
        .object_id = message.object_id(),
        .version = message.version(),
        .event_id = message.event_id(),
        .business_date = *date,
        .occurred_at = FromMicros(message.occurred_at_us()),
        .content_hash = {},
        .payload = std::move(*message.mutable_payload()),
    };
    KESSAI_RETURN_IF_ERROR(Check(envelope.fields()));
    envelope.content_hash = HashOf(envelope.fields());
    if (message.content_hash() !=
        std::string_view(reinterpret_cast<const char*>(envelope.content_hash.data()),
                         envelope.content_hash.size())) {
        return Invalid(kEventHashMismatch, "event " + std::to_string(envelope.event_id));
    }
    return envelope;
}

}  // namespace kessai::event
