#pragma once

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kessai/http/server.h"
#include "kessai/net/loop.h"
#include "kessai/result/check.h"

namespace kessai::filestore {

/// As much of S3 as the store asks of it, with a bucket "files" in memory, so that a test decides
/// what goes wrong. It believes every signature: S3 of another hand checks them in moto_test.
class FakeS3 {
 public:
    /// What it was asked, and what it says to it.
    struct Asked {
        std::string method = {}, host = {}, target = {}, key = {}, query = {}, body = {};
        std::string authorization = {};
        std::map<std::string, std::string> headers = {};

        bool Has(std::string_view part) const { return query.find(part) != std::string::npos; }
        /// "PUT", "PUT part", "POST uploads", "POST complete", "DELETE upload" and so on.
        std::string Kind() const {
            if (Has("partNumber=")) return method + " part";
            if (Has("uploadId=")) return method + (method == "POST" ? " complete" : " upload");
            if (Has("uploads=")) return method + " uploads";
            return method;
        }
    };
    struct Upload {
        std::string key;
        std::map<int, std::string> parts = {};
        std::string initiated = "2026-11-30T00:00:00.000Z";
        std::string last_written = "2026-11-30T00:00:00.000Z";
    };
    using Before = std::function<std::optional<http::Response>(const Asked&)>;
    using After = std::function<void(const Asked&, http::Response&)>;

    explicit FakeS3(std::shared_ptr<net::TlsServerContext> tls = nullptr)
        : loop_("fake-s3"), router_(Families()) {
        // A route has four parameters at most; what is fixed of a path is not looked for among
        // them.
        for (const std::string fixed : {"", "/files", "/files/kessai"}) {
            for (const char* rest : {"", "/{a}", "/{a}/{b}", "/{a}/{b}/{c}", "/{a}/{b}/{c}/{d}"}) {
                if (!(fixed + rest).empty()) AddRoutes(fixed + rest);
            }
        }
        http::Server::Options options;
        options.tls = std::move(tls);
        server_ = std::make_unique<http::Server>(std::move(options), router_,
                                                 std::vector<net::Loop*>{&loop_}, observer_);
        loop_.Start();
        KESSAI_CHECK(server_->Listen("127.0.0.1", 0).ok(), "the fake listens");
    }
    ~FakeS3() {
        (void)server_->Drain(std::chrono::seconds(5));
        server_.reset();
        loop_.Stop();
    }

    std::uint16_t port() const { return server_->port(); }

    /// Answers instead of the store, or lets it.
    void SetBefore(Before before) {
        const std::lock_guard lock(mutex_);
        before_ = std::move(before);
    }
    /// Changes what the store says.
    void SetAfter(After after) {
        const std::lock_guard lock(mutex_);
        after_ = std::move(after);
    }
    std::vector<Asked> asked() const {
        const std::lock_guard lock(mutex_);
        return asked_;
    }
    std::vector<std::string> kinds() const {
        std::vector<std::string> kinds;
        for (const Asked& one : asked()) kinds.push_back(one.Kind());
        return kinds;
    }
    int Count(std::string_view kind) const {
        int count = 0;
        for (const std::string& one : kinds()) count += one == kind ? 1 : 0;
        return count;
    }
    std::map<std::string, std::string> objects() const {
        const std::lock_guard lock(mutex_);
        return objects_;
    }
    void Put(const std::string& key, std::string content) {
        const std::lock_guard lock(mutex_);
        objects_[key] = std::move(content);
    }
    std::map<std::string, Upload> uploads() const {
        const std::lock_guard lock(mutex_);
        return uploads_;
    }
    void AddUpload(const std::string& id, Upload upload) {
        const std::lock_guard lock(mutex_);
        uploads_[id] = std::move(upload);
    }
    void DropUploads() {
        const std::lock_guard lock(mutex_);
        uploads_.clear();
    }

    static http::Response Error(int status, std::string_view code) {
        http::Response response;
        response.status = status;
        response.content_type = "application/xml";
        response.body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>" +
                        std::string(code) + "</Code><Message>for tests</Message></Error>";
        return response;
    }

 private:
    void AddRoutes(const std::string& path) {
        for (const auto method :
             {http::Method::kGet, http::Method::kPut, http::Method::kPost, http::Method::kDelete}) {
            http::Route route;
            route.name = std::string(http::MethodName(method)) + path;
            route.method = method;
            route.path = path;
            route.family = router_.FindFamily("s3");
            route.body_bytes_max = std::size_t{64} << 20;
            route.handler = [this](const http::Request& request) -> net::Task<http::Response> {
                co_return Answer(request);
            };
            KESSAI_CHECK(router_.Add(std::move(route)).ok(), "a route of the fake");
        }
    }

    static std::vector<std::unique_ptr<http::Family>> Families() {
        auto family = std::make_unique<http::Family>();
        family->name = "s3";
        family->prefix = "/";
        family->refuse = [](http::Fault fault, std::string_view, std::string_view) {
            return Error(http::StatusOf(fault), http::NameOf(fault));
        };
        std::vector<std::unique_ptr<http::Family>> families;
        families.push_back(std::move(family));
        return families;
    }

    http::Response Answer(const http::Request& request) {
        Asked asked{.method = std::string(request.method_text),
                    .host = std::string(request.Header("host")),
                    .target = std::string(request.target),
                    .query = std::string(request.query),
                    .body = std::string(request.body),
                    .authorization = std::string(request.Header("authorization"))};
        for (const http::Field& field : request.fields) {
            asked.headers[std::string(field.name)] = field.value;
        }
        std::string_view path = request.path.substr(1);
        std::string_view bucket = "files";
        if (!asked.host.starts_with("files.")) {
            bucket = path.substr(0, path.find('/'));
            path.remove_prefix(std::min(path.size(), bucket.size() + 1));
        }
        http::PercentDecode(path, asked.key);

        const std::lock_guard lock(mutex_);
        asked_.push_back(asked);
        if (before_) {
            if (auto response = before_(asked)) return std::move(*response);
        }
        http::Response response =
            bucket != "files" ? Error(404, "NoSuchBucket") : Serve(asked, request);
        if (after_) after_(asked, response);
        return response;
    }

    http::Response Serve(const Asked& asked, const http::Request& request) {
        const std::string kind = asked.Kind();
        if (kind == "PUT") {
            objects_[asked.key] = asked.body;
            return Tagged(Hash(asked.body));
        }
        if (kind == "GET" && asked.Has("list-type=2")) return ListObjects(request);
        if (kind == "GET" || kind == "HEAD") return Read(asked, request);
        if (kind == "DELETE") {
            objects_.erase(asked.key);
            http::Response response;
            response.status = 204;
            return response;
        }
        if (kind == "POST uploads") {
            const std::string id = "upload/" + std::to_string(++last_upload_);
            uploads_[id] = {.key = asked.key};
            return Xml("<InitiateMultipartUploadResult><UploadId>" + id +
                       "</UploadId></InitiateMultipartUploadResult>");
        }
        if (kind == "GET uploads") return ListUploads(request);
        const auto found = uploads_.find(request.QueryValue("uploadId"));
        if (found == uploads_.end()) return Error(404, "NoSuchUpload");
        if (kind == "PUT part") {
            found->second.parts[std::stoi(request.QueryValue("partNumber"))] = asked.body;
            http::Response response = Tagged(Hash(asked.body));
            response.fields.emplace_back("x-amz-checksum-sha256",
                                         request.Header("x-amz-checksum-sha256"));
            return response;
        }
        if (kind == "GET upload") {
            std::string body = "<ListPartsResult><IsTruncated>false</IsTruncated>";
            for (const auto& part : found->second.parts) {
                body += "<Part><PartNumber>" + std::to_string(part.first) +
                        "</PartNumber><LastModified>" + found->second.last_written +
                        "</LastModified></Part>";
            }
            return Xml(body + "</ListPartsResult>");
        }
        if (kind == "DELETE upload") {
            uploads_.erase(found);
            http::Response response;
            response.status = 204;
            return response;
        }
        std::string whole, sums;
        for (const auto& part : found->second.parts) {
            whole += part.second;
            sums += Md5Bytes(part.second);
        }
        const std::string tag = Hash(sums) + "-" + std::to_string(found->second.parts.size());
        objects_[found->second.key] = whole;
        tags_[found->second.key] = tag;
        uploads_.erase(found);
        return Xml("<CompleteMultipartUploadResult><ETag>\"" + tag +
                   "\"</ETag></CompleteMultipartUploadResult>");
    }

    http::Response Read(const Asked& asked, const http::Request& request) {
        const auto found = objects_.find(asked.key);
        if (found == objects_.end()) return Error(404, "NoSuchKey");
        const std::string tag = tags_.contains(asked.key) ? tags_[asked.key] : Hash(found->second);
        const std::string_view match = request.Header("if-match");
        if (!match.empty() && match != "\"" + tag + "\"") return Error(412, "PreconditionFailed");
        http::Response response = Tagged(tag);
        const std::string range(request.Header("range"));
        if (range.empty()) {
            response.body = found->second;
            return response;
        }
        const std::size_t dash = range.find('-');
        const std::size_t first = std::stoull(range.substr(6, dash - 6));
        if (first >= found->second.size()) return Error(416, "InvalidRange");
        response.body =
            found->second.substr(first, std::stoull(range.substr(dash + 1)) - first + 1);
        response.status = 206;
        response.fields.emplace_back("Content-Range",
                                     "bytes " + std::to_string(first) + "-" +
                                         std::to_string(first + response.body.size() - 1) + "/" +
                                         std::to_string(found->second.size()));
        return response;
    }

    /// Two a page.
    http::Response ListObjects(const http::Request& request) {
        const std::string prefix = request.QueryValue("prefix");
        const std::string token = request.QueryValue("continuation-token");
        std::string body = "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
        int listed = 0;
        bool more = false;
        std::string last;
        for (const auto& [key, content] : objects_) {
            if (!key.starts_with(prefix) || "after " + key <= token) continue;
            more = listed == 2;
            if (more) break;
            ++listed;
            last = key;
            body += "<Contents><Key>" + key + "</Key><Size>" + std::to_string(content.size()) +
                    "</Size></Contents>";
        }
        body += std::string("<IsTruncated>") + (more ? "true" : "false") + "</IsTruncated>";
        if (more) {
            body += "<NextContinuationToken>after " + last + "</NextContinuationToken>";
        }
        return Xml(body + "</ListBucketResult>");
    }
    /// Two a page.
    http::Response ListUploads(const http::Request& request) {
        const std::string prefix = request.QueryValue("prefix");
        const std::string marker = request.QueryValue("upload-id-marker");
        std::string body =
            "<ListMultipartUploadsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
        int listed = 0;
        bool more = false;
        std::string last_id, last_key;
        for (const auto& [id, upload] : uploads_) {
            if (id <= marker || !upload.key.starts_with(prefix)) continue;
            if (listed == 2) {
                more = true;
                break;
            }
            ++listed;
            last_id = id;
            last_key = upload.key;
            body += "<Upload><Key>" + upload.key + "</Key><UploadId>" + id +
                    "</UploadId><Initiated>" + upload.initiated + "</Initiated></Upload>";
        }
        body += std::string("<IsTruncated>") + (more ? "true" : "false") + "</IsTruncated>";
        if (more) {
            body += "<NextKeyMarker>" + last_key + "</NextKeyMarker><NextUploadIdMarker>" +
                    last_id + "</NextUploadIdMarker>";
        }
        http::Response response = Xml(body + "</ListMultipartUploadsResult>");
        response.fields.emplace_back("Date", "Mon, 30 Nov 2026 12:00:00 GMT");
        return response;
    }

    static http::Response Xml(std::string body) {
        http::Response response;
        response.content_type = "application/xml";
        response.body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + std::move(body);
        return response;
    }
    static http::Response Tagged(const std::string& tag) {
        http::Response response;
        response.content_type = "application/octet-stream";
        response.fields.emplace_back("ETag", "\"" + tag + "\"");
        return response;
    }
    static std::string Md5Bytes(std::string_view bytes) {
        std::array<unsigned char, 16> sum = {};
        EVP_Digest(bytes.data(), bytes.size(), sum.data(), nullptr, EVP_md5(), nullptr);
        return {reinterpret_cast<const char*>(sum.data()), sum.size()};
    }
    static std::string Hash(std::string_view bytes) {
        std::string hex;
        for (const char byte : Md5Bytes(bytes)) {
            hex += "0123456789abcdef"[static_cast<unsigned char>(byte) >> 4];
            hex += "0123456789abcdef"[static_cast<unsigned char>(byte) & 15];
        }
        return hex;
    }

    mutable std::mutex mutex_;
    Before before_;
    After after_;
    std::vector<Asked> asked_;
    std::map<std::string, std::string> objects_;
    std::map<std::string, std::string> tags_;
    std::map<std::string, Upload> uploads_;
    int last_upload_ = 0;

    net::Loop loop_;
    http::Router router_;
    http::ServerObserver observer_;
    std::unique_ptr<http::Server> server_;
};

}  // namespace kessai::filestore
