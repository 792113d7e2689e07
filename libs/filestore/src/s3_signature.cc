#include "s3_signature.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "sha256_sum.h"

namespace kessai::filestore {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::string_view kService = "s3";

bool IsUnreserved(char byte) {
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
           (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_' || byte == '~';
}

std::string Encode(std::string_view text, bool slash_stays) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    std::string encoded;
    for (const char byte : text) {
        if (IsUnreserved(byte) || (slash_stays && byte == '/')) {
            encoded += byte;
        } else {
            const auto value = static_cast<unsigned char>(byte);
            encoded += '%';
            encoded += kDigits[value >> 4];
            encoded += kDigits[value & 15];
        }
    }
    return encoded;
}

std::string Hmac(std::string_view key, std::string_view message) {
    Sha256 mac = {};
    unsigned size = 0;
    KESSAI_CHECK(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
                      reinterpret_cast<const unsigned char*>(message.data()), message.size(),
                      mac.data(), &size) != nullptr &&
                     size == mac.size(),
                 "OpenSSL has no HMAC-SHA256");
    return {reinterpret_cast<const char*>(mac.data()), mac.size()};
}

/// "20130524T000000Z".
std::string Timestamp(Instant now) {
    const auto day = std::chrono::floor<std::chrono::days>(now);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::seconds>(now - day));
    std::array<char, 32> text = {};
    const int size = std::snprintf(
        text.data(), text.size(), "%04d%02u%02uT%02d%02d%02dZ", static_cast<int>(date.year()),
        static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
        static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
        static_cast<int>(time.seconds().count()));
    return {text.data(), static_cast<std::size_t>(size)};
}

/// Without spaces around it, and with one where there are several.
std::string Trimmed(std::string_view value) {
    std::string trimmed;
    for (const char byte : value) {
        const bool space = byte == ' ' || byte == '\t';
        if (space && (trimmed.empty() || trimmed.back() == ' ')) continue;
        trimmed += space ? ' ' : byte;
    }
    if (!trimmed.empty() && trimmed.back() == ' ') trimmed.pop_back();
    return trimmed;
}

}  // namespace

std::string EncodePath(std::string_view path) {
    return Encode(path, true);
}

std::string EncodeQuery(const Pairs& query) {
    Pairs encoded;
    for (const auto& [name, value] : query) {
        encoded.emplace_back(Encode(name, false), Encode(value, false));
    }
    std::sort(encoded.begin(), encoded.end());
    std::string text;
    for (const auto& [name, value] : encoded) {
        text.append(text.empty() ? "" : "&").append(name).append("=").append(value);
    }
    return text;
}

Pairs Sign(const S3Request& request, const S3Credentials& credentials, std::string_view region,
           Instant now) {
    const std::string timestamp = Timestamp(now);
    const std::string date = timestamp.substr(0, 8);
    Pairs headers = request.headers;
    headers.emplace_back("host", request.host);
    headers.emplace_back("x-amz-content-sha256", request.payload_sha256);
    headers.emplace_back("x-amz-date", timestamp);
    if (!credentials.session_token.empty()) {
        headers.emplace_back("x-amz-security-token", credentials.session_token);
    }
    std::sort(headers.begin(), headers.end());

    std::string canonical_headers, names;
    for (const auto& [name, value] : headers) {
        canonical_headers.append(name).append(":").append(Trimmed(value)).append("\n");
        names.append(names.empty() ? "" : ";").append(name);
    }
    const std::string canonical = std::string(request.method) + "\n" + request.path + "\n" +
                                  EncodeQuery(request.query) + "\n" + canonical_headers + "\n" +
                                  names + "\n" + request.payload_sha256;

    const std::string scope =
        date + "/" + std::string(region) + "/" + std::string(kService) + "/aws4_request";
    const std::string to_sign = std::string(kAlgorithm) + "\n" + timestamp + "\n" + scope + "\n" +
                                ToHex(Sha256Sum::Of(canonical));
    std::string key = Hmac("AWS4" + credentials.secret_access_key, date);
    key = Hmac(key, region);
    key = Hmac(key, kService);
    key = Hmac(key, "aws4_request");
    const std::string mac = Hmac(key, to_sign);
    Sha256 signature = {};
    std::copy(mac.begin(), mac.end(), signature.begin());
    headers.emplace_back("authorization", std::string(kAlgorithm) +
                                              " Credential=" + credentials.access_key_id + "/" +
                                              scope + ",SignedHeaders=" + names +
                                              ",Signature=" + ToHex(signature));
    return headers;
}

}  // namespace kessai::filestore
