#include "kessai/filestore/s3_store.h"

#include <curl/curl.h>
#include <openssl/evp.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <utility>
#include <vector>

#include "s3_connection.h"
#include "sha256_sum.h"
#include "xml.h"

namespace kessai::filestore {
namespace {

constexpr std::size_t kPartsMax = 10'000;
/// Of uploads that a listing says one after the other; more pages than this are not of this world.
constexpr int kPagesMax = 10'000;
constexpr int kAbortAttemptsMax = 2;

std::string Md5(std::string_view bytes) {
    std::string sum(EVP_MD_size(EVP_md5()), '\0');
    KESSAI_CHECK(
        EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(sum.data()),
                   nullptr, EVP_md5(), nullptr) == 1,
        "OpenSSL has no MD5");
    return sum;
}

std::string Hex(std::string_view bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string hex;
    for (const char byte : bytes) {
        hex += kDigits[static_cast<unsigned char>(byte) >> 4];
        hex += kDigits[static_cast<unsigned char>(byte) & 15];
    }
    return hex;
}

/// Nothing, if it is no hexadecimal.
std::optional<std::string> FromHex(std::string_view hex) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
        unsigned value = 0;
        const auto [end, error] = std::from_chars(hex.data() + i, hex.data() + i + 2, value, 16);
        if (error != std::errc() || end != hex.data() + i + 2) return std::nullopt;
        bytes += static_cast<char>(value);
    }
    if (hex.size() % 2 != 0) return std::nullopt;
    return bytes;
}

std::string Base64(std::string_view bytes) {
    std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
    const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                     reinterpret_cast<const unsigned char*>(bytes.data()),
                                     static_cast<int>(bytes.size()));
    text.resize(static_cast<std::size_t>(size));
    return text;
}

std::string Base64(const Sha256& sha256) {
    return Base64(std::string_view(reinterpret_cast<const char*>(sha256.data()), sha256.size()));
}

std::optional<std::uint64_t> Number(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || text.empty()) return {};
    return value;
}

/// Whether the answer's ETag is the MD5 of what was sent: it is another thing when the store
/// encrypts by keys of its own.
bool ETagIsMd5(const S3Answer& answer) {
    const std::string_view encryption = answer.Header("x-amz-server-side-encryption");
    return answer.ETag().size() == 32 && !encryption.starts_with("aws:kms") &&
           answer.Header("x-amz-server-side-encryption-customer-algorithm").empty();
}

/// "2026-11-30T12:34:56.000Z".
std::optional<Instant> ReadTime(std::string_view text) {
    if (text.size() < 19) return std::nullopt;
    const auto at = [&](std::size_t from, std::size_t count) {
        return Number(text.substr(from, count)).value_or(0);
    };
    const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(at(0, 4))),
                                           std::chrono::month(static_cast<unsigned>(at(5, 2))),
                                           std::chrono::day(static_cast<unsigned>(at(8, 2))));
    if (!date.ok()) return std::nullopt;
    return Instant(std::chrono::sys_days(date)) + std::chrono::hours(at(11, 2)) +
           std::chrono::minutes(at(14, 2)) + std::chrono::seconds(at(17, 2));
}

/// Both that S3 knows to check what arrives: not every store like it knows the second.
void AddChecksums(S3Call& call) {
    call.headers.emplace_back("content-md5", Base64(Md5(call.body)));
    call.headers.emplace_back("x-amz-checksum-sha256", Base64(Sha256Sum::Of(call.body)));
}

class S3Writer final : public FileWriter {
 public:
    S3Writer(S3Connection& connection, std::string key)
        : connection_(connection), key_(std::move(key)) {}

    ~S3Writer() override {
        if (upload_id_.empty()) return;
        // What fails here is left to Sweep.
        (void)connection_.Ask({.method = "DELETE",
                               .key = key_,
                               .query = {{"uploadId", upload_id_}},
                               .attempts_max = kAbortAttemptsMax});
    }

    Status Write(std::string_view bytes) override {
        if (!refusal_.ok()) return refusal_;
        bytes_ += bytes.size();
        sum_.Add(bytes);
        while (!bytes.empty()) {
            if (part_.size() == connection_.options().part_bytes) {
                refusal_ = SendPart();
                if (!refusal_.ok()) return refusal_;
            }
            const std::size_t room = connection_.options().part_bytes - part_.size();
            part_ += bytes.substr(0, room);
            bytes.remove_prefix(std::min(room, bytes.size()));
        }
        return {};
    }

    Status Commit(const Sha256& sha256, std::uint64_t bytes) override {
        if (!refusal_.ok()) return refusal_;
        const Sha256 sum = sum_.Finish();
        if (bytes != bytes_ || sha256 != sum) {
            refusal_ = Differs(std::to_string(bytes_) + " bytes of SHA-256 " + ToHex(sum) +
                               " were written, " + std::to_string(bytes) + " of " + ToHex(sha256) +
                               " were meant");
        } else {
            refusal_ = upload_id_.empty() ? PutWhole() : CompleteParts();
        }
        return refusal_;
    }

 private:
    struct Part {
        std::string etag;
        std::string sha256;
    };

    std::string Doing() const { return "storing " + key_; }
    Status Differs(const std::string& how) const {
        return {Code::kDataLoss, reason::kContentDiffers, key_ + ": " + how};
    }

    /// Sends `call`, whose body must be stored as it is, until its ETag says so.
    Result<S3Answer> Send(S3Call call) {
        AddChecksums(call);
        const std::string md5 = Hex(Md5(call.body));
        for (int attempt = 1;; ++attempt) {
            KESSAI_ASSIGN_OR_RETURN(S3Answer answer, connection_.Ask(call));
            if (!answer.ok()) return connection_.Refusal(answer, Doing());
            if (answer.ETag().empty()) {
                return Status(Code::kUnavailable, reason::kStoreFailing,
                              Doing() + ": the store's answer has no ETag");
            }
            if (!ETagIsMd5(answer) || answer.ETag() == md5) return answer;
            if (attempt >= connection_.options().attempts_max) {
                return Differs("the store has MD5 " + answer.ETag() + " for what was sent with " +
                               md5);
            }
        }
    }

    Status PutWhole() {
        auto answer = Send({.method = "PUT",
                            .key = key_,
                            .headers = {{"content-type", "application/octet-stream"}},
                            .body = part_});
        if (answer.ok()) return {};
        if (answer.status().reason() == reason::kContentDiffers) {
            // It is seen under the key already, and wrong.
            (void)connection_.Ask({.method = "DELETE", .key = key_});
        }
        return std::move(answer).status();
    }

    Status Begin() {
        KESSAI_ASSIGN_OR_RETURN(
            const S3Answer answer,
            connection_.Ask({.method = "POST",
                             .key = key_,
                             .query = {{"uploads", ""}},
                             .headers = {{"content-type", "application/octet-stream"},
                                         {"x-amz-checksum-algorithm", "SHA256"}}}));
        if (!answer.ok()) return connection_.Refusal(answer, Doing());
        const auto root = ParseXml(answer.body);
        if (root) upload_id_ = root->ChildText("UploadId");
        if (upload_id_.empty()) {
            return {Code::kUnavailable, reason::kStoreFailing,
                    Doing() + ": the store names no upload"};
        }
        return {};
    }

    Status SendPart() {
        if (parts_.size() == kPartsMax) {
            return {Code::kOutOfRange, reason::kFileTooLarge,
                    key_ + " is larger than " + std::to_string(kPartsMax) + " parts of " +
                        std::to_string(connection_.options().part_bytes) + " bytes"};
        }
        if (upload_id_.empty()) KESSAI_RETURN_IF_ERROR(Begin());
        auto answer = Send(
            {.method = "PUT",
             .key = key_,
             .query = {{"partNumber", std::to_string(parts_.size() + 1)}, {"uploadId", upload_id_}},
             .body = part_});
        if (!answer.ok()) return UploadGone(std::move(answer).status());
        // Named at the end only if the store knows of it.
        const std::string sha256 = Base64(Sha256Sum::Of(part_));
        parts_.push_back(
            {answer->ETag(), answer->Header("x-amz-checksum-sha256").empty() ? "" : sha256});
        part_.clear();
        return {};
    }

    /// An upload that is not known any more was swept.
    Status UploadGone(Status refusal) {
        if (refusal.code() != Code::kNotFound) return refusal;
        upload_id_.clear();
        return {Code::kAborted, reason::kHalfSwept,
                "somebody swept away the half of " + key_ + ": " + std::string(refusal.message())};
    }

    Status CompleteParts() {
        if (!part_.empty()) KESSAI_RETURN_IF_ERROR(SendPart());
        std::string body =
            "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
        for (std::size_t i = 0; i < parts_.size(); ++i) {
            body += "<Part><PartNumber>" + std::to_string(i + 1) + "</PartNumber><ETag>" +
                    EscapeXml("\"" + parts_[i].etag + "\"") + "</ETag>";
            if (!parts_[i].sha256.empty()) {
                body += "<ChecksumSHA256>" + parts_[i].sha256 + "</ChecksumSHA256>";
            }
            body += "</Part>";
        }
        body += "</CompleteMultipartUpload>";
        auto asked = connection_.Ask({.method = "POST",
                                      .key = key_,
                                      .query = {{"uploadId", upload_id_}},
                                      .headers = {{"content-type", "application/xml"}},
                                      .body = body});
        if (!asked.ok()) {
            if (IsThere()) return {};
            // What is left of the upload, the destructor ends.
            return std::move(asked).status();
        }
        if (!asked->ok()) {
            Status refusal = UploadGone(connection_.Refusal(*asked, Doing()));
            // Done by an attempt whose answer was lost: the upload is gone then.
            if (refusal.code() == Code::kAborted && IsThere()) return {};
            return refusal;
        }
        const auto root = ParseXml(asked->body);
        if (!root || root->name != "CompleteMultipartUploadResult") {
            if (IsThere()) return {};
            return {Code::kUnavailable, reason::kStoreFailing,
                    Doing() + ": the store does not say that it is complete"};
        }
        upload_id_.clear();
        std::string_view etag = root->ChildText("ETag");
        while (etag.starts_with('"')) etag.remove_prefix(1);
        while (etag.ends_with('"')) etag.remove_suffix(1);
        const std::string expected = ExpectedETag();
        if (etag == expected) return {};
        if (expected.empty() || etag.find('-') != expected.find('-')) {
            // A store whose ETags are no sums of its parts'.
            KESSAI_ASSIGN_OR_RETURN(const S3Answer answer,
                                    connection_.Ask({.method = "HEAD", .key = key_}));
            if (!answer.ok()) return connection_.Refusal(answer, Doing());
            if (Number(answer.Header("content-length")) == bytes_) return {};
        }
        // It is seen under the key already, and wrong.
        (void)connection_.Ask({.method = "DELETE", .key = key_});
        return Differs("what the store completed is not what was sent");
    }

    /// What S3 makes of the parts' ETags; empty where these are no sums.
    std::string ExpectedETag() const {
        std::string sums;
        for (const Part& part : parts_) {
            const auto sum = part.etag.size() == 32 ? FromHex(part.etag) : std::nullopt;
            if (!sum) return {};
            sums += *sum;
        }
        return Hex(Md5(sums)) + "-" + std::to_string(parts_.size());
    }

    /// Whether the store has this very file under the key, by an answer that never came.
    bool IsThere() {
        const auto answer = connection_.Ask({.method = "HEAD", .key = key_});
        const std::string expected = ExpectedETag();
        if (!answer.ok() || !answer->ok() || expected.empty() || answer->ETag() != expected ||
            Number(answer->Header("content-length")) != bytes_) {
            return false;
        }
        upload_id_.clear();
        return true;
    }

    S3Connection& connection_;
    const std::string key_;
    std::string part_;
    std::string upload_id_;
    std::vector<Part> parts_;
    std::uint64_t bytes_ = 0;
    Sha256Sum sum_;
    Status refusal_;
};

class S3Reader final : public FileReader {
 public:
    S3Reader(S3Connection& connection, std::string key, std::uint64_t offset)
        : connection_(connection), key_(std::move(key)), at_(offset) {}

    /// The first piece; says whether there is a file, and that it reaches to the offset.
    Status Begin() { return Fetch(); }

    Result<std::size_t> Read(std::span<char> into) override {
        if (taken_ == piece_.size() && at_ < *size_) KESSAI_RETURN_IF_ERROR(Fetch());
        const std::size_t count = std::min(into.size(), piece_.size() - taken_);
        std::copy_n(piece_.data() + taken_, count, into.data());
        taken_ += count;
        return count;
    }

 private:
    Status Fetch() {
        const std::uint64_t last = at_ + connection_.options().read_bytes - 1;
        S3Call call{
            .method = "GET",
            .key = key_,
            .headers = {{"range", "bytes=" + std::to_string(at_) + "-" + std::to_string(last)}},
            .answer_bytes_max = connection_.options().read_bytes + (std::size_t{64} << 10)};
        if (!etag_.empty()) call.headers.emplace_back("if-match", etag_);
        KESSAI_ASSIGN_OR_RETURN(S3Answer answer, connection_.Ask(call));
        if (answer.status == 416) return AtEnd();
        if (answer.status == 412 || (answer.status == 404 && size_)) return Replaced();
        if (!answer.ok()) return connection_.Refusal(answer, "reading " + key_);
        // "bytes 0-99/1234"; a store may also give all of a small file with 200.
        std::uint64_t size = answer.body.size();
        if (answer.status == 206) {
            const std::string_view range = answer.Header("content-range");
            const std::string from = "bytes " + std::to_string(at_) + "-";
            const auto total =
                Number(range.substr(std::min(range.find('/'), range.size() - 1) + 1));
            if (!range.starts_with(from) || !total ||
                answer.body.size() != std::min(last + 1, *total) - at_) {
                return {Code::kUnavailable, reason::kStoreFailing,
                        "reading " + key_ + ": the store answers with another range, " +
                            std::string(range)};
            }
            size = *total;
        } else if (at_ != 0) {
            return {Code::kUnavailable, reason::kStoreFailing,
                    "reading " + key_ + ": the store does not know ranges"};
        }
        if (size_ && *size_ != size) return Replaced();
        size_ = size;
        etag_ = answer.Header("etag");
        piece_ = std::move(answer.body);
        taken_ = 0;
        at_ += piece_.size();
        return {};
    }

    /// There is nothing at the offset: of an empty file, or at or beyond its end.
    Status AtEnd() {
        if (size_) return Replaced();
        KESSAI_ASSIGN_OR_RETURN(const S3Answer answer,
                                connection_.Ask({.method = "HEAD", .key = key_}));
        if (!answer.ok()) return connection_.Refusal(answer, "reading " + key_);
        const std::uint64_t size = Number(answer.Header("content-length")).value_or(0);
        if (at_ > size) {
            return {Code::kOutOfRange, reason::kOffsetBeyondEnd,
                    key_ + " has " + std::to_string(size) + " bytes, and none at " +
                        std::to_string(at_)};
        }
        size_ = at_;
        return {};
    }

    Status Replaced() const {
        return {Code::kAborted, reason::kFileReplaced,
                key_ + " was replaced or removed while it was read"};
    }

    S3Connection& connection_;
    const std::string key_;
    /// Of the next piece.
    std::uint64_t at_;
    std::optional<std::uint64_t> size_;
    std::string etag_;
    std::string piece_;
    std::size_t taken_ = 0;
};

class S3Store final : public FileStore {
 public:
    S3Store(S3Options options, const Clock& clock) : connection_(std::move(options), clock) {}

    Result<std::unique_ptr<FileWriter>> Create(const std::string& key) override {
        KESSAI_RETURN_IF_ERROR(CheckKey(key));
        return std::unique_ptr<FileWriter>(std::make_unique<S3Writer>(connection_, key));
    }

    Result<std::unique_ptr<FileReader>> Open(const std::string& key,
                                             std::uint64_t offset) override {
        KESSAI_RETURN_IF_ERROR(CheckKey(key));
        auto reader = std::make_unique<S3Reader>(connection_, key, offset);
        KESSAI_RETURN_IF_ERROR(reader->Begin());
        return std::unique_ptr<FileReader>(std::move(reader));
    }

    Result<std::optional<FileInfo>> Stat(const std::string& key) override {
        KESSAI_RETURN_IF_ERROR(CheckKey(key));
        KESSAI_ASSIGN_OR_RETURN(S3Answer answer, connection_.Ask({.method = "HEAD", .key = key}));
        if (answer.ok()) {
            const auto bytes = Number(answer.Header("content-length"));
            if (!bytes) {
                return Status(Code::kUnavailable, reason::kStoreFailing,
                              "looking at " + key + ": the store does not say how large it is");
            }
            return std::optional(FileInfo{key, *bytes});
        }
        if (answer.status == 404) {
            // Of the file or of the bucket? The answer to HEAD has no body that could say.
            KESSAI_ASSIGN_OR_RETURN(
                answer, connection_.Ask(
                            {.method = "GET", .key = key, .headers = {{"range", "bytes=0-0"}}}));
            if (answer.status == 404 && answer.error_code != "NoSuchBucket") {
                return std::optional<FileInfo>();
            }
        }
        return connection_.Refusal(answer, "looking at " + key);
    }

    Status Remove(const std::string& key) override {
        KESSAI_RETURN_IF_ERROR(CheckKey(key));
        KESSAI_ASSIGN_OR_RETURN(const S3Answer answer,
                                connection_.Ask({.method = "DELETE", .key = key}));
        if (answer.ok() || (answer.status == 404 && answer.error_code != "NoSuchBucket")) return {};
        return connection_.Refusal(answer, "removing " + key);
    }

    Result<int> Sweep(std::chrono::seconds age) override {
        const std::string prefix = connection_.KeyOf("");
        std::string key_marker, id_marker;
        int swept = 0;
        for (int page = 0; page < kPagesMax; ++page) {
            S3Call call{.method = "GET", .query = {{"uploads", ""}}};
            if (!prefix.empty()) call.query.emplace_back("prefix", prefix);
            if (!key_marker.empty()) {
                call.query.emplace_back("key-marker", key_marker);
                call.query.emplace_back("upload-id-marker", id_marker);
            }
            KESSAI_ASSIGN_OR_RETURN(const S3Answer answer, connection_.Ask(call));
            if (!answer.ok()) return connection_.Refusal(answer, "listing half files");
            const auto root = ParseXml(answer.body);
            if (!root) return NoXml("half files");
            const Instant before = Now(answer) - age;
            for (const XmlElement& upload : root->children) {
                if (upload.name != "Upload" || !upload.ChildText("Key").starts_with(prefix))
                    continue;
                const auto begun = ReadTime(upload.ChildText("Initiated"));
                if (!begun || *begun > before) continue;
                KESSAI_ASSIGN_OR_RETURN(
                    const bool dropped,
                    SweepOne(std::string(upload.ChildText("Key").substr(prefix.size())),
                             std::string(upload.ChildText("UploadId")), before));
                swept += dropped ? 1 : 0;
            }
            key_marker = root->ChildText("NextKeyMarker");
            id_marker = root->ChildText("NextUploadIdMarker");
            if (root->ChildText("IsTruncated") != "true" || key_marker.empty()) break;
        }
        return swept;
    }

    Status List(const std::string& folder,
                const std::function<Status(const FileInfo&)>& take) override {
        KESSAI_RETURN_IF_ERROR(CheckKey(folder));
        const std::string own = connection_.KeyOf("");
        const std::string prefix = connection_.KeyOf(folder + "/");
        std::string token;
        while (true) {
            S3Call call{.method = "GET", .query = {{"list-type", "2"}, {"prefix", prefix}}};
            if (!token.empty()) call.query.emplace_back("continuation-token", token);
            KESSAI_ASSIGN_OR_RETURN(const S3Answer answer, connection_.Ask(call));
            if (!answer.ok()) return connection_.Refusal(answer, "listing " + folder);
            const auto root = ParseXml(answer.body);
            if (!root || root->name != "ListBucketResult") return NoXml(folder);
            for (const XmlElement& found : root->children) {
                if (found.name != "Contents") continue;
                const std::string_view key = found.ChildText("Key");
                const auto bytes = Number(found.ChildText("Size"));
                if (!key.starts_with(prefix) || !bytes) return NoXml(folder);
                KESSAI_RETURN_IF_ERROR(take({std::string(key.substr(own.size())), *bytes}));
            }
            std::string next(root->ChildText("NextContinuationToken"));
            if (root->ChildText("IsTruncated") != "true") return {};
            // Else it would go on for ever.
            if (next.empty() || next == token) return NoXml(folder);
            token = std::move(next);
        }
    }

 private:
    static Status NoXml(const std::string& what) {
        return {Code::kUnavailable, reason::kStoreFailing,
                "listing " + what + ": the store's answer is not what S3 answers"};
    }

    /// By the store's own clock, as are the times that it tells.
    Instant Now(const S3Answer& answer) const {
        const std::time_t date = curl_getdate(std::string(answer.Header("date")).c_str(), nullptr);
        return date < 0 ? connection_.clock().Now()
                        : Instant(std::chrono::seconds(static_cast<std::int64_t>(date)));
    }

    /// Whose last part came after `before` is being written.
    Result<bool> SweepOne(const std::string& key, const std::string& upload_id, Instant before) {
        std::string marker;
        for (int page = 0; page < kPagesMax; ++page) {
            S3Call call{.method = "GET", .key = key, .query = {{"uploadId", upload_id}}};
            if (!marker.empty()) call.query.emplace_back("part-number-marker", marker);
            KESSAI_ASSIGN_OR_RETURN(const S3Answer answer, connection_.Ask(call));
            if (answer.status == 404) return false;
            if (!answer.ok()) return connection_.Refusal(answer, "listing parts of " + key);
            const auto root = ParseXml(answer.body);
            if (!root) return NoXml("parts of " + key);
            for (const XmlElement& part : root->children) {
                if (part.name != "Part") continue;
                const auto written = ReadTime(part.ChildText("LastModified"));
                if (!written || *written > before) return false;
            }
            marker = root->ChildText("NextPartNumberMarker");
            if (root->ChildText("IsTruncated") != "true" || marker.empty()) break;
        }
        KESSAI_ASSIGN_OR_RETURN(
            const S3Answer answer,
            connection_.Ask({.method = "DELETE", .key = key, .query = {{"uploadId", upload_id}}}));
        if (answer.status == 404) return false;
        if (!answer.ok()) return connection_.Refusal(answer, "dropping the half of " + key);
        return true;
    }

    S3Connection connection_;
};

}  // namespace

void Describe(config::Schema& schema, S3Options& options) {
    schema.Text("endpoint", &options.endpoint,
                {.description = "The store, as https://host or https://host:port"});
    schema.Text("region", &options.region, {.description = "Region that requests are signed for"});
    schema.Text("bucket", &options.bucket, {.description = "Bucket that the files are kept in"});
    schema.Text(
        "prefix", &options.prefix,
        {.description = "Stands before every file's key, with a slash between", .max_length = 100});
    schema.Choice("addressing", &options.addressing,
                  {{"path", S3Options::Addressing::kPath},
                   {"virtual_host", S3Options::Addressing::kVirtualHost}},
                  {.description = "Whether the bucket is in the path or in the host's name"});
    schema.File(
        "credentials_file", &options.credentials_file,
        {.description = "aws_access_key_id, aws_secret_access_key and aws_session_token, as the "
                        "AWS tools write them; read again when it changes. Without it the "
                        "environment's AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and "
                        "AWS_SESSION_TOKEN are used",
         .must_exist = false});
    schema.File("ca_file", &options.ca_file,
                {.description = "Authorities to trust instead of the system's; PEM"});
    schema.Size(
        "part_bytes", &options.part_bytes,
        {.description = "A larger file is sent in parts of it, of which 10,000 are the most; a "
                        "writer holds one in memory",
         .min = std::uint64_t{5} << 20,
         .max = std::uint64_t{1} << 30});
    schema.Size("read_bytes", &options.read_bytes,
                {.description = "What a reader fetches, and holds, at once",
                 .min = std::uint64_t{64} << 10,
                 .max = std::uint64_t{256} << 20});
    schema.Int("attempts_max", &options.attempts_max,
               {.description = "Requests that a failure is worth, the first one included",
                .min = 1,
                .max = 20});
    schema.Time("connect_timeout", &options.connect_timeout,
                {.description = "For a connection and its TLS",
                 .min = std::chrono::milliseconds(100),
                 .max = std::chrono::minutes(1)});
    schema.Time("stall_timeout", &options.stall_timeout,
                {.description = "A request that moves no byte for so long is taken for lost",
                 .min = std::chrono::seconds(1),
                 .max = std::chrono::minutes(10)});
    schema.Time("request_timeout", &options.request_timeout,
                {.description = "For one request in all, that of a part included",
                 .min = std::chrono::seconds(1),
                 .max = std::chrono::hours(1)});
    schema.Time("retry_pause", &options.retry_pause,
                {.description = "Before the second request of a failure; doubles up to 5 s",
                 .min = std::chrono::milliseconds(1),
                 .max = std::chrono::seconds(5)});
    schema.Int(
        "connections_kept", &options.connections_kept,
        {.description = "Connections kept open for the next requests", .min = 0, .max = 256});
}

Status Validate(const S3Options& options) {
    const auto invalid = [](const std::string& why) {
        return Status(Code::kInvalidArgument, config::kConfigInvalid, why);
    };
    std::string_view host = options.endpoint;
    if (host.starts_with("https://")) {
        host.remove_prefix(8);
    } else if (host.starts_with("http://")) {
        host.remove_prefix(7);
    } else {
        return invalid("endpoint must begin with https:// or http://");
    }
    if (!host.empty() && host.back() == '/') host.remove_suffix(1);
    if (host.empty() || host.find_first_of("/?#@ ") != std::string_view::npos) {
        return invalid("endpoint must be a host and perhaps a port, without a path");
    }
    if (options.region.empty()) return invalid("region is missing");
    if (options.bucket.size() < 3 || options.bucket.size() > 63 ||
        options.bucket.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-_") !=
            std::string::npos) {
        return invalid("bucket must be 3 to 63 of a-z, 0-9, '.', '-' and '_'");
    }
    if (!options.prefix.empty() &&
        (!CheckKey(options.prefix).ok() || options.prefix.size() > 100)) {
        return invalid("prefix must be like the key of a file, of at most 100 bytes");
    }
    if (!options.credentials_file.empty()) return {};
    if (const auto credentials = CredentialsOfEnvironment(); !credentials.ok()) {
        return invalid("credentials_file is not set, and " +
                       std::string(credentials.status().message()));
    }
    return {};
}

std::unique_ptr<FileStore> OpenS3Store(S3Options options, const Clock& clock) {
    return std::make_unique<S3Store>(std::move(options), clock);
}

}  // namespace kessai::filestore
