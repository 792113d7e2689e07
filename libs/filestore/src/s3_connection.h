#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kessai/files/followed_file.h"
#include "kessai/filestore/s3_store.h"
#include "s3_signature.h"

namespace kessai::filestore {

/// What a file of credentials says; INVALID_ARGUMENT with what is missing, never with what is
/// there.
Result<S3Credentials> ParseCredentials(std::string_view text);
/// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, of temporary ones, AWS_SESSION_TOKEN, with the
/// same refusal.
Result<S3Credentials> CredentialsOfEnvironment();

struct S3Answer {
    int status = 0;
    /// By their names in lower case.
    std::map<std::string, std::string, std::less<>> headers = {};
    std::string body = {};
    /// Of an error: S3's code, or "" where it tells none.
    std::string error_code = {};
    std::string error_message = {};

    bool ok() const { return status >= 200 && status < 300 && error_code.empty(); }
    std::string_view Header(std::string_view name) const;
    /// Without its quotes.
    std::string ETag() const;
};

/// What to ask of the bucket.
struct S3Call {
    std::string_view method;
    /// Without the prefix; empty: the bucket itself.
    std::string key = {};
    Pairs query = {};
    /// Names in lower case.
    Pairs headers = {};
    std::string_view body = {};
    /// So many bytes of answer; a longer one is a failure.
    std::size_t answer_bytes_max = std::size_t{4} << 20;
    /// Fewer than the options say, where giving up is fine.
    std::optional<int> attempts_max = {};
};

/// Signed requests to one bucket, over connections that are kept. Thread safe.
class S3Connection {
 public:
    S3Connection(S3Options options, const Clock& clock);
    ~S3Connection();
    S3Connection(const S3Connection&) = delete;
    S3Connection& operator=(const S3Connection&) = delete;

    /// An answer that means something: any but those that another attempt may better, of which it
    /// makes as many as the options say. An earlier attempt, whose answer was lost, may have been
    /// carried out (libcurl makes one by itself when a kept connection turns out dead). Refuses
    /// with STORE_FAILING or, for want of credentials, STORE_DENIED.
    Result<S3Answer> Ask(const S3Call& call);

    /// What an answer that is not ok() says, as a refusal. `doing` is "storing a.csv".
    Status Refusal(const S3Answer& answer, const std::string& doing) const;

    const S3Options& options() const { return options_; }
    const Clock& clock() const { return clock_; }
    std::string KeyOf(const std::string& key) const;

 private:
    class Handle;
    Result<S3Credentials> CredentialsInForce(bool look_now);
    /// The mutex is held.
    Status ReadCredentials();
    Result<S3Answer> AskOnce(const S3Call& call, const S3Credentials& credentials);
    std::unique_ptr<Handle> TakeHandle();
    void GiveBack(std::unique_ptr<Handle> handle);
    void Pause(int attempt);

    const S3Options options_;
    const Clock& clock_;
    std::string scheme_;
    std::string host_;

    std::mutex mutex_;
    std::vector<std::unique_ptr<Handle>> idle_;
    S3Credentials credentials_;
    std::optional<SteadyInstant> credentials_looked_at_;
    Status credentials_outcome_;
    files::FollowedFile credentials_file_;
};

}  // namespace kessai::filestore
