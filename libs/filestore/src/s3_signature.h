#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kessai/time/clock.h"

namespace kessai::filestore {

struct S3Credentials {
    std::string access_key_id = {};
    std::string secret_access_key = {};
    /// Empty, but of temporary ones.
    std::string session_token = {};

    bool operator==(const S3Credentials&) const = default;
};

using Pairs = std::vector<std::pair<std::string, std::string>>;

/// A request before it is signed.
struct S3Request {
    std::string_view method;
    /// "bucket.example.com:9000", as the Host field is sent.
    std::string host = {};
    /// Encoded: EncodePath.
    std::string path = {};
    /// Not encoded, in any order.
    Pairs query = {};
    /// Names in lower case; host and x-amz-date are not among them.
    Pairs headers = {};
    /// Of the body, in hexadecimal.
    std::string payload_sha256 = {};
};

/// All bytes but those that RFC 3986 leaves unreserved, and '/', as %XX: how S3 wants a path.
std::string EncodePath(std::string_view path);
/// "a=1&b=x%20y", in the order of the encoded names, as is signed and sent.
std::string EncodeQuery(const Pairs& query);

/// The headers that sign `request` at `now`: host, x-amz-content-sha256, x-amz-date,
/// x-amz-security-token if there is one, authorization, and the request's own. AWS Signature
/// Version 4; all headers are signed.
/// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
Pairs Sign(const S3Request& request, const S3Credentials& credentials, std::string_view region,
           Instant now);

}  // namespace kessai::filestore
