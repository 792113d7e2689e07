#include "s3_connection.h"

#include <curl/curl.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <utility>

#include "sha256_sum.h"
#include "xml.h"

namespace kessai::filestore {
namespace {

constexpr Duration kRetryPauseMax = std::chrono::seconds(5);
constexpr Duration kCredentialsCheckInterval = std::chrono::seconds(5);

std::string Lower(std::string_view text) {
    std::string lower(text);
    for (char& byte : lower) {
        if (byte >= 'A' && byte <= 'Z') byte = static_cast<char>(byte - 'A' + 'a');
    }
    return lower;
}

std::string_view Trim(std::string_view text) {
    const std::size_t from = text.find_first_not_of(" \t\r\n");
    if (from == std::string_view::npos) return {};
    return text.substr(from, text.find_last_not_of(" \t\r\n") - from + 1);
}

/// Whether the store may do better next time.
bool MayPass(const S3Answer& answer) {
    switch (answer.status) {
        case 408:
        case 429:
        case 500:
        case 502:
        case 503:
        case 504:
            return true;
        default:
            break;
    }
    const std::string_view code = answer.error_code;
    // Also within a 200: Complete and Copy answer before they know.
    return code == "InternalError" || code == "SlowDown" || code == "ServiceUnavailable" ||
           code == "RequestTimeout" || code == "OperationAborted" || code == "BadDigest" ||
           code == "IncompleteBody" || code == "XAmzContentSHA256Mismatch";
}

bool SaysFull(const S3Answer& answer) {
    const std::string_view code = answer.error_code;
    return answer.status == 507 || code == "QuotaExceeded" || code == "InsufficientCapacity" ||
           code == "XMinioStorageFull" || code == "XMinioAdminBucketQuotaExceeded" ||
           code == "InsufficientStorage";
}

bool SaysCredentialsAreOld(const S3Answer& answer) {
    const std::string_view code = answer.error_code;
    return code == "ExpiredToken" || code == "InvalidAccessKeyId" || code == "InvalidToken" ||
           code == "TokenRefreshRequired" || code == "SignatureDoesNotMatch";
}

/// How an error is answered is seen in the body only, and even of a 200.
void ReadError(S3Answer& answer) {
    const bool may_hold_error =
        answer.status >= 300 ||
        std::string_view(answer.body).substr(0, 2048).find("<Error") != std::string_view::npos;
    if (!may_hold_error || answer.body.empty()) return;
    const auto root = ParseXml(Trim(answer.body));
    if (!root) return;
    const XmlElement* error = root->name == "Error" ? &*root : root->Child("Error");
    if (error == nullptr) return;
    answer.error_code = error->ChildText("Code");
    answer.error_message = error->ChildText("Message");
    if (answer.error_code.empty()) answer.error_code = "Error";
}

std::size_t TakeHeader(char* bytes, std::size_t size, std::size_t count, void* user) {
    auto& answer = *static_cast<S3Answer*>(user);
    const std::string_view line(bytes, size * count);
    // A redirect's or a 100's headers are not the answer's.
    if (line.starts_with("HTTP/")) answer.headers.clear();
    if (const std::size_t colon = line.find(':'); colon != std::string_view::npos) {
        answer.headers[Lower(line.substr(0, colon))] = Trim(line.substr(colon + 1));
    }
    return size * count;
}

struct BodySink {
    std::string* body;
    std::size_t bytes_max;
};

std::size_t TakeBody(char* bytes, std::size_t size, std::size_t count, void* user) {
    auto& sink = *static_cast<BodySink*>(user);
    if (sink.body->size() + size * count > sink.bytes_max) return 0;
    sink.body->append(bytes, size * count);
    return size * count;
}

long Milliseconds(Duration duration) {
    return std::max<long>(1, std::chrono::ceil<std::chrono::milliseconds>(duration).count());
}

}  // namespace

Result<S3Credentials> ParseCredentials(std::string_view text) {
    S3Credentials credentials;
    bool ours = true;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        const std::string_view line = Trim(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (line.empty() || line.front() == '#' || line.front() == ';') continue;
        if (line.front() == '[') {
            ours = line == "[default]";
            continue;
        }
        const std::size_t equals = line.find('=');
        if (!ours || equals == std::string_view::npos) continue;
        const std::string_view name = Trim(line.substr(0, equals));
        const std::string_view value = Trim(line.substr(equals + 1));
        if (name == "aws_access_key_id") credentials.access_key_id = value;
        if (name == "aws_secret_access_key") credentials.secret_access_key = value;
        if (name == "aws_session_token") credentials.session_token = value;
    }
    for (const auto& [name, value] :
         {std::pair{"aws_access_key_id", &credentials.access_key_id},
          std::pair{"aws_secret_access_key", &credentials.secret_access_key}}) {
        if (value->empty()) {
            return Status(Code::kInvalidArgument, reason::kStoreDenied,
                          std::string("the file of credentials has no ") + name +
                              " in the section [default]");
        }
    }
    return credentials;
}

Result<S3Credentials> CredentialsOfEnvironment() {
    const auto value = [](const char* name) {
        const char* const text = std::getenv(name);
        return std::string(text == nullptr ? "" : text);
    };
    S3Credentials credentials{value("AWS_ACCESS_KEY_ID"), value("AWS_SECRET_ACCESS_KEY"),
                              value("AWS_SESSION_TOKEN")};
    for (const auto& [name, held] :
         {std::pair{"AWS_ACCESS_KEY_ID", &credentials.access_key_id},
          std::pair{"AWS_SECRET_ACCESS_KEY", &credentials.secret_access_key}}) {
        if (held->empty()) {
            return Status(Code::kInvalidArgument, reason::kStoreDenied,
                          std::string("the environment has no ") + name);
        }
    }
    return credentials;
}

std::string_view S3Answer::Header(std::string_view name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string_view{} : found->second;
}

std::string S3Answer::ETag() const {
    std::string_view tag = Header("etag");
    if (tag.size() >= 2 && tag.front() == '"' && tag.back() == '"') {
        tag = tag.substr(1, tag.size() - 2);
    }
    return std::string(tag);
}

/// A libcurl handle with its connections.
class S3Connection::Handle {
 public:
    Handle() : curl_(curl_easy_init()) { KESSAI_CHECK(curl_ != nullptr, "libcurl has no handle"); }
    ~Handle() { curl_easy_cleanup(curl_); }
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;

    CURL* curl() const { return curl_; }

 private:
    CURL* const curl_;
};

S3Connection::S3Connection(S3Options options, const Clock& clock)
    : options_(std::move(options)),
      clock_(clock),
      credentials_file_(
          {.path = options_.credentials_file, .take = [this](std::string_view text) -> Status {
               KESSAI_ASSIGN_OR_RETURN(auto credentials, ParseCredentials(text));
               credentials_ = std::move(credentials);
               return {};
           }}) {
    static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
    KESSAI_CHECK(initialised == CURLE_OK, "libcurl does not start");
    const std::size_t scheme_end = options_.endpoint.find("://");
    scheme_ = options_.endpoint.substr(0, scheme_end);
    host_ = scheme_end == std::string::npos ? "" : options_.endpoint.substr(scheme_end + 3);
    if (!host_.empty() && host_.back() == '/') host_.pop_back();
    if (options_.addressing == S3Options::Addressing::kVirtualHost) {
        host_ = options_.bucket + "." + host_;
    }
}

S3Connection::~S3Connection() = default;

std::string S3Connection::KeyOf(const std::string& key) const {
    return options_.prefix.empty() ? key : options_.prefix + "/" + key;
}

Result<S3Credentials> S3Connection::CredentialsInForce(bool look_now) {
    const std::lock_guard lock(mutex_);
    const SteadyInstant at = clock_.SteadyNow();
    if (look_now || !credentials_looked_at_ ||
        at - *credentials_looked_at_ >= kCredentialsCheckInterval) {
        credentials_looked_at_ = at;
        credentials_outcome_ = ReadCredentials();
    }
    // What was good once stays in force.
    if (credentials_outcome_.ok() || !credentials_.access_key_id.empty()) return credentials_;
    return Status(Code::kPermissionDenied, reason::kStoreDenied,
                  "no credentials: " + std::string(credentials_outcome_.message()));
}

Status S3Connection::ReadCredentials() {
    if (!options_.credentials_file.empty()) return credentials_file_.Reload();
    KESSAI_ASSIGN_OR_RETURN(credentials_, CredentialsOfEnvironment());
    return {};
}

void S3Connection::Pause(int attempt) {
    thread_local std::minstd_rand random{std::random_device{}()};
    Duration pause = options_.retry_pause;
    for (int i = 1; i < attempt && pause < kRetryPauseMax; ++i) pause *= 2;
    pause = std::min(pause, kRetryPauseMax);
    // Between half of it and all.
    std::uniform_int_distribution<Duration::rep> part(pause.count() / 2, pause.count());
    clock_.SleepFor(Duration(part(random)));
}

Result<S3Answer> S3Connection::Ask(const S3Call& call) {
    const int attempts_max = std::max(1, call.attempts_max.value_or(options_.attempts_max));
    bool renewed = false;
    KESSAI_ASSIGN_OR_RETURN(S3Credentials credentials, CredentialsInForce(false));
    for (int attempt = 1;; ++attempt) {
        auto answer = AskOnce(call, credentials);
        if (answer.ok() && answer->ok()) return answer;
        if (answer.ok() && SaysCredentialsAreOld(*answer)) {
            // The file may have newer ones that were not looked at yet.
            if (renewed) return answer;
            renewed = true;
            KESSAI_ASSIGN_OR_RETURN(S3Credentials newer, CredentialsInForce(true));
            if (newer == credentials) return answer;
            credentials = std::move(newer);
        } else if ((answer.ok() && !MayPass(*answer)) || attempt >= attempts_max) {
            return answer;
        } else {
            Pause(attempt);
            KESSAI_ASSIGN_OR_RETURN(credentials, CredentialsInForce(false));
        }
    }
}

Result<S3Answer> S3Connection::AskOnce(const S3Call& call, const S3Credentials& credentials) {
    std::string path = "/";
    if (options_.addressing == S3Options::Addressing::kPath) path += options_.bucket;
    if (!call.key.empty()) {
        if (path.size() > 1) path += "/";
        path += KeyOf(call.key);
    }
    const S3Request request{.method = call.method,
                            .host = host_,
                            .path = EncodePath(path),
                            .query = call.query,
                            .headers = call.headers,
                            .payload_sha256 = ToHex(Sha256Sum::Of(call.body))};
    std::string url = scheme_ + "://" + host_ + request.path;
    if (!call.query.empty()) url += "?" + EncodeQuery(call.query);

    // "Name:" alone takes a field away that libcurl would add.
    curl_slist* lines = nullptr;
    for (const char* line : {"Expect:", "Accept:", "Content-Type:"}) {
        lines = curl_slist_append(lines, line);
    }
    for (const auto& [name, value] : Sign(request, credentials, options_.region, clock_.Now())) {
        lines = curl_slist_append(lines, (name + ": " + value).c_str());
    }
    const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(lines,
                                                                              &curl_slist_free_all);

    auto handle = TakeHandle();
    CURL* curl = handle->curl();
    curl_easy_reset(curl);  // keeps the connections
    S3Answer answer;
    BodySink sink{&answer.body, call.answer_bytes_max};
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &TakeHeader);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &answer);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &TakeBody);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &sink);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, Milliseconds(options_.connect_timeout));
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, Milliseconds(options_.request_timeout));
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME,
                     std::max<long>(1, Milliseconds(options_.stall_timeout) / 1000));
    if (!options_.ca_file.empty()) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, options_.ca_file.c_str());
        curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);
    }
    if (call.method == "HEAD") {
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    } else if (call.method == "PUT" || call.method == "POST") {
        // A body that stays in memory can be sent again when a kept connection turns out dead.
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call.body.empty() ? "" : call.body.data());
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                         static_cast<curl_off_t>(call.body.size()));
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, std::string(call.method).c_str());
    } else {
        curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, std::string(call.method).c_str());
    }

    const CURLcode code = curl_easy_perform(curl);
    if (code != CURLE_OK) {
        // The handle goes, and what is half sent or read on its connection.
        return Status(Code::kUnavailable, reason::kStoreFailing,
                      std::string(call.method) + " " + scheme_ + "://" + host_ + request.path +
                          ": " + curl_easy_strerror(code));
    }
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    answer.status = static_cast<int>(status);
    GiveBack(std::move(handle));
    ReadError(answer);
    return answer;
}

std::unique_ptr<S3Connection::Handle> S3Connection::TakeHandle() {
    {
        const std::lock_guard lock(mutex_);
        if (!idle_.empty()) {
            auto handle = std::move(idle_.back());
            idle_.pop_back();
            return handle;
        }
    }
    return std::make_unique<Handle>();
}

void S3Connection::GiveBack(std::unique_ptr<Handle> handle) {
    const std::lock_guard lock(mutex_);
    if (std::cmp_less(idle_.size(), options_.connections_kept)) {
        idle_.push_back(std::move(handle));
    }
}

Status S3Connection::Refusal(const S3Answer& answer, const std::string& doing) const {
    const std::string message = doing + " in bucket " + options_.bucket + ": HTTP status " +
                                std::to_string(answer.status) +
                                (answer.error_code.empty() ? "" : ", " + answer.error_code) +
                                (answer.error_message.empty() ? "" : ", " + answer.error_message);
    if (SaysFull(answer)) return {Code::kResourceExhausted, reason::kStoreFull, message};
    if (answer.error_code == "EntityTooLarge" || answer.status == 413) {
        return {Code::kOutOfRange, reason::kFileTooLarge, message};
    }
    if (answer.status == 401 || answer.status == 403 || answer.error_code == "AccessDenied" ||
        SaysCredentialsAreOld(answer)) {
        return {Code::kPermissionDenied, reason::kStoreDenied, message};
    }
    if (answer.error_code == "NoSuchBucket") {
        return {Code::kUnavailable, reason::kStoreGone, message};
    }
    if (answer.status >= 300 && answer.status < 400) {
        const std::string_view region = answer.Header("x-amz-bucket-region");
        return {Code::kUnavailable, reason::kStoreGone,
                message + ": it is elsewhere" +
                    (region.empty() ? "" : ", in region " + std::string(region))};
    }
    if (answer.error_code == "BadDigest" || answer.error_code == "XAmzContentSHA256Mismatch" ||
        answer.error_code == "InvalidDigest") {
        return {Code::kDataLoss, reason::kContentDiffers, message};
    }
    if (answer.status == 404) return {Code::kNotFound, reason::kFileUnknown, message};
    return {Code::kUnavailable, reason::kStoreFailing, message};
}

}  // namespace kessai::filestore
