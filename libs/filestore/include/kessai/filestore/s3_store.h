#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "kessai/config/schema.h"
#include "kessai/filestore/file_store.h"
#include "kessai/time/clock.h"

namespace kessai::filestore {

struct S3Options {
    enum class Addressing { kPath, kVirtualHost };

    /// "https://s3.ap-northeast-1.amazonaws.com", "http://127.0.0.1:9000"; without a path.
    std::string endpoint = {};
    std::string region = "us-east-1";
    std::string bucket = {};
    /// Stands before every key, with a slash between; empty for none.
    std::string prefix = {};
    /// Whether the bucket is in the path, or before the endpoint's host.
    Addressing addressing = Addressing::kPath;
    /// As the AWS tools write it: aws_access_key_id, aws_secret_access_key and, of temporary ones,
    /// aws_session_token, in the section [default] or in none. Read again when it changes. Empty:
    /// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN of the environment, which
    /// stay as they were at the start of the process.
    std::string credentials_file = {};
    /// Whom to trust instead of the system's authorities; PEM.
    std::string ca_file = {};
    /// A file up to this size is one request; a larger one goes in parts of it. A writer holds this
    /// much. S3 wants 5 MiB at least, and takes 10,000 parts.
    std::uint64_t part_bytes = std::uint64_t{8} << 20;
    /// What a reader fetches, and holds, at once.
    std::uint64_t read_bytes = std::uint64_t{4} << 20;
    /// Requests that a failure is worth, the first one included.
    int attempts_max = 6;
    Duration connect_timeout = std::chrono::seconds(5);
    /// A request that moves no byte for so long is taken for lost.
    Duration stall_timeout = std::chrono::seconds(30);
    /// And one that takes longer in all.
    Duration request_timeout = std::chrono::minutes(5);
    /// Before the second request of a failure; doubles up to 5 s, with chance in it.
    Duration retry_pause = std::chrono::milliseconds(200);
    /// Connections that are kept open for the next requests.
    int connections_kept = 16;
};
void Describe(config::Schema& schema, S3Options& options);
/// What is missing or contradicts itself; CONFIG_INVALID.
Status Validate(const S3Options& options);

/// Files in a bucket of S3, or of what speaks as it does. Requests are signed by AWS Signature
/// Version 4, over the payload's hash; what is stored is held against Content-MD5, SHA-256
/// checksums (where the store knows them) and ETags. Nothing is asked of the store before the first
/// call.
///
/// A part that fails is sent again, not the file. A file whose Complete was not answered is looked
/// for before it is refused. `clock` dates signatures, and waits between attempts.
std::unique_ptr<FileStore> OpenS3Store(S3Options options, const Clock& clock = SystemClock());

}  // namespace kessai::filestore
