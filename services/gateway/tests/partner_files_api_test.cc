// Goal: a merchant gets its own files, whole or seen to be short, by a link that nobody else can
// make; and a file of any size costs the gateway one piece. Method: the real HTTP server,
// authentication and handlers, before a real gRPC server that has files in memory and breaks what
// the test says.

#include "transport/partner_files_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>

#include "domain/sha256.h"
#include "fakes.h"
#include "kessai/auth/key_ring.h"
#include "kessai/http/server.h"
#include "kessai/http/testing/raw_client.h"
#include "kessai/reconciliation/v1/file_service.pb.h"
#include "kessai/rpc/server.h"
#include "kessai/rpc/service.h"
#include "kessai/testing/eventually.h"
#include "kessai/testing/matchers.h"
#include "transport/routes.h"

namespace kessai::gateway {
namespace {

namespace rc = reconciliation::v1;
using namespace std::chrono_literals;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kKeys[] =
    "key 1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\nsign 1\n";
constexpr std::int64_t kMerchant = 501;
constexpr std::int64_t kFileId = 7'000'000'001;
constexpr std::size_t kPiece = 100'000;

/// The machine's clock, ahead by what a test says; durations are real.
class ShiftedClock final : public Clock {
 public:
    Instant Now() const override { return SystemClock().Now() + Duration(ahead_us_); }
    SteadyInstant SteadyNow() const override { return SystemClock().SteadyNow(); }
    void SleepFor(Duration duration) const override { SystemClock().SleepFor(duration); }
    void Advance(Duration by) { ahead_us_ += by.count(); }

 private:
    std::atomic<std::int64_t> ahead_us_ = 0;
};

std::string Content(std::size_t bytes) {
    std::string content(bytes, '\0');
    for (std::size_t i = 0; i < bytes; ++i) content[i] = static_cast<char>((i * 31) ^ (i >> 9));
    return content;
}

/// Reconciliation's files: those of kMerchant, and what it was asked.
class FakeFiles {
 public:
    struct Stored {
        rc::File file;
        std::string content;
    };

    explicit FakeFiles(const auth::KeyRingSource& keys)
        : verifier_(keys, SystemClock(), {.audience = "reconciliation"}),
          workers_({.name = "files", .threads = 2}),
          server_({.listen_address = "127.0.0.1:0"}, SystemClock(), verifier_, nullptr) {
        const auto& contract = *rc::File::descriptor()->file()->service(0);
        std::vector<auth::MethodRule> rules;
        for (int i = 0; i < contract.method_count(); ++i) {
            rules.push_back({contract.method(i)->name(),
                             {auth::Operator("file:read"), auth::Merchant()},
                             auth::MethodRule::Token::kInMetadata,
                             {}});
        }
        rpc::Service service(contract.full_name(), auth::MethodPolicy(std::move(rules)));
        service.Async<rc::ListFilesRequest, rc::ListFilesResponse>(
            "ListFiles",
            [this](const rpc::CallContext& context, const rc::ListFilesRequest& request,
                   rpc::Answer<rc::ListFilesResponse> answer) {
                const std::lock_guard lock(mutex_);
                asked_.push_back("list for " + std::to_string(context.principal().merchant_id) +
                                 ": " + request.ShortDebugString());
                if (!refusal_.ok()) return answer(refusal_);
                rc::ListFilesResponse response;
                for (const auto& [id, stored] : files_) {
                    if (stored.file.merchant_id() == context.principal().merchant_id) {
                        *response.add_files() = stored.file;
                    }
                }
                response.set_next_page_token("next/+=");
                answer(std::move(response));
            });
        service.Async<rc::GetFileRequest, rc::File>(
            "GetFile", [this](const rpc::CallContext& context, const rc::GetFileRequest& request,
                              rpc::Answer<rc::File> answer) {
                const std::lock_guard lock(mutex_);
                if (!refusal_.ok()) return answer(refusal_);
                const auto found = Find(context, request.file_id());
                if (!found.ok()) return answer(found.status());
                answer((*found)->file);
            });
        service.Streaming<rc::GetFileContentRequest, rc::FilePiece>(
            "GetFileContent", workers_,
            [this](const rpc::CallContext& context, const rc::GetFileContentRequest& request,
                   rpc::StreamWriter<rc::FilePiece>& pieces) {
                return Give(context, request, pieces);
            });
        for (int i = 0; i < contract.method_count(); ++i) {
            const std::string name = contract.method(i)->name();
            if (name != "ListFiles" && name != "GetFile" && name != "GetFileContent") {
                service.Unimplemented(name);
            }
        }
        server_.Add(std::move(service));
        EXPECT_OK(server_.Start());
        channel_ = std::make_unique<rpc::Channel>(
            rpc::Channel::Create({.target = "127.0.0.1:" + std::to_string(server_.port())},
                                 SystemClock())
                .value());
    }
    ~FakeFiles() {
        channel_ = nullptr;
        (void)server_.Stop(5s);
        workers_.Stop();
    }

    const rpc::Channel& channel() const { return *channel_; }

    void Put(std::int64_t file_id, std::string name, std::string content, Instant made_at) {
        Stored stored;
        rc::File& file = stored.file;
        file.set_file_id(file_id);
        file.set_merchant_id(kMerchant);
        file.set_name(std::move(name));
        file.set_template_name("instant");
        file.set_business_date(20261129);
        file.set_version(2);
        file.set_part(1);
        file.set_bytes(content.size());
        file.set_sha256(domain::Sha256::Of(content));
        file.set_rows(3);
        auto* total = file.add_totals();
        total->set_column("amount");
        total->set_amount(-1'200);
        total->set_currency("JPY");
        file.set_made_at_us(ToMicros(made_at));
        file.set_expires_at_us(ToMicros(made_at + 90 * 24h));
        stored.content = std::move(content);
        const std::lock_guard lock(mutex_);
        files_[file_id] = std::move(stored);
    }
    /// Changes what is stored behind the file's back.
    void Change(std::int64_t file_id, const std::function<void(Stored&)>& change) {
        const std::lock_guard lock(mutex_);
        change(files_[file_id]);
    }
    void Refuse(Status refusal) {
        const std::lock_guard lock(mutex_);
        refusal_ = std::move(refusal);
    }
    /// Refuses contents from that offset on.
    void FailFrom(std::uint64_t offset) {
        const std::lock_guard lock(mutex_);
        fail_from_ = offset;
    }
    std::vector<std::string> TakeAsked() {
        const std::lock_guard lock(mutex_);
        return std::exchange(asked_, {});
    }
    std::uint64_t bytes_given() const { return bytes_given_; }

 private:
    Result<const Stored*> Find(const rpc::CallContext& context, std::int64_t file_id) {
        const auto found = files_.find(file_id);
        if (found == files_.end() ||
            found->second.file.merchant_id() != context.principal().merchant_id) {
            return Status(Code::kNotFound, "FILE_UNKNOWN", "there is no such file");
        }
        return &found->second;
    }

    Status Give(const rpc::CallContext& context, const rc::GetFileContentRequest& request,
                rpc::StreamWriter<rc::FilePiece>& pieces) {
        Stored stored;
        std::uint64_t fail_from = 0;
        {
            const std::lock_guard lock(mutex_);
            asked_.push_back("content from " + std::to_string(request.offset()));
            KESSAI_ASSIGN_OR_RETURN(const Stored* found, Find(context, request.file_id()));
            stored = *found;
            fail_from = fail_from_;
        }
        if (request.offset() >= fail_from) return {Code::kUnavailable, "STORE_GONE", "for tests"};
        rc::FilePiece first;
        *first.mutable_file() = stored.file;
        if (!pieces.Write(first)) return {};
        for (std::size_t at = request.offset(); at < stored.content.size(); at += 32'768) {
            rc::FilePiece piece;
            piece.set_content(stored.content.substr(at, 32'768));
            bytes_given_ += piece.content().size();
            if (!pieces.Write(piece)) return {};
        }
        return {};
    }

    auth::TokenVerifier verifier_;
    rpc::WorkerPool workers_;
    rpc::Server server_;
    std::unique_ptr<rpc::Channel> channel_;
    std::mutex mutex_;
    std::map<std::int64_t, Stored> files_;
    Status refusal_;
    std::uint64_t fail_from_ = ~std::uint64_t{0};
    std::vector<std::string> asked_;
    std::atomic<std::uint64_t> bytes_given_ = 0;
};

class PartnerFilesApiTest : public ::testing::Test {
 protected:
    using Api = transport::PartnerFilesApi;

    PartnerFilesApiTest()
        : keys_(*auth::KeyRing::Parse(kKeys)),
          signer_(keys_, SystemClock()),
          files_(keys_),
          workers_({.name = "test", .threads = 2}),
          cache_(loop_, store_, workers_, clock_, {}),
          authenticate_(cache_, nonces_, limiter_, {1'000, 1'000}, clock_, partner_observer_),
          links_({.base_url = "https://api.example"}, {std::string(32, 'k')}),
          api_(
              {.downloads_max = 2, .downloads_per_merchant_max = 2, .piece_bytes = kPiece},
              authenticators_,
              [this](const http::Request&) -> const rpc::Channel& { return files_.channel(); },
              signer_, workers_, links_, clock_),
          router_(transport::MakeFamilies()) {
        authenticators_.Add(loop_, authenticate_);
        domain::ApiCredential credential;
        credential.api_key = "key";
        credential.secret = "secret";
        credential.merchant_id = kMerchant;
        credential.assumable_merchant_ids = {502};
        credential.scopes = {"files"};
        store_.credentials["key"] = credential;
        credential.api_key = "other-scope";
        credential.scopes = {"codes"};
        store_.credentials["other-scope"] = credential;
        AddRoutes();
        loop_.Start();
        server_ = std::make_unique<http::Server>(http::Server::Options{}, router_,
                                                 std::vector<net::Loop*>{&loop_}, observer_);
        EXPECT_OK(server_->Listen("127.0.0.1", 0));
        files_.Put(kFileId, "取引_501_20261129 \"v2\".csv", Content(3 * kPiece + 7), clock_.Now());
    }
    ~PartnerFilesApiTest() override {
        EXPECT_TRUE(server_->Drain(10s));
        loop_.Stop();
        workers_.Stop();
    }

    struct Answer {
        int status = 0;
        std::string head;
        std::string body;
        json parsed;
        std::string code() const { return parsed["resultInfo"]["code"]; }
        const json& data() const { return parsed["data"]; }
    };

    static Answer Read(http::testing::RawClient& client, bool head = false) {
        const std::string raw = client.Answer(head);
        Answer answer;
        answer.status = raw.size() > 12 ? std::stoi(raw.substr(9, 3)) : 0;
        const std::size_t end = raw.find("\r\n\r\n");
        answer.head = raw.substr(0, end);
        if (end != std::string::npos) answer.body = raw.substr(end + 4);
        answer.parsed = json::parse(answer.body, nullptr, false);
        return answer;
    }
    /// Signed as partners do.
    Answer Get(const std::string& target, const std::string& api_key = "key") {
        const std::string path = target.substr(0, target.find('?'));
        const std::string authorization = domain::MakeOpaAuthorization(
            domain::OpaKey("secret"), api_key, {path, "GET", "", ""},
            "nonce" + std::to_string(++nonce_number_), ToMicros(clock_.Now()) / 1'000'000);
        http::testing::RawClient client(server_->port());
        client.Send("GET " + target + " HTTP/1.1\r\nHost: x\r\nAuthorization: " + authorization +
                    "\r\n\r\n");
        return Read(client);
    }
    /// By link alone.
    Answer Download(const std::string& target, const std::string& fields = "",
                    const std::string& method = "GET") {
        http::testing::RawClient client(server_->port());
        client.Send(method + " " + target + " HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n");
        return Read(client, method == "HEAD");
    }
    /// The path and query of a fresh link.
    std::string Link(std::int64_t file_id = kFileId, std::int64_t merchant = kMerchant) {
        const Instant now = clock_.Now();
        return links_.Url(*links_.Fresh(file_id, merchant, now, now))
            .substr(std::string("https://api.example").size());
    }

    ShiftedClock clock_;
    const auth::FixedKeyRing keys_;
    auth::TokenSigner signer_;
    FakeFiles files_;
    net::Loop loop_{"test"};
    rpc::WorkerPool workers_;
    FakeCredentialStore store_;
    FakeNonceMemory nonces_;
    FakeRateLimiter limiter_;
    app::PartnerAuthenticationObserver partner_observer_;
    app::CredentialCache cache_;
    app::AuthenticatePartner authenticate_;
    transport::PerLoop<app::AuthenticatePartner> authenticators_;
    const domain::FileLinks links_;
    Api api_;
    http::Router router_;
    http::ServerObserver observer_;
    std::unique_ptr<http::Server> server_;
    int nonce_number_ = 0;

 private:
    void AddRoutes() {
        using Member = net::Task<http::Response> (Api::*)(const transport::RequestScope&) const;
        const std::map<std::string, Member> members{{"v2_listFiles", &Api::List},
                                                    {"v2_getFile", &Api::Get},
                                                    {"v2_getFileContent", &Api::Content}};
        std::size_t added = 0;
        for (const auto& spec : transport::AllRoutes()) {
            const auto found = members.find(std::string(spec.name));
            if (found == members.end()) continue;
            ++added;
            http::Route route;
            route.name = spec.name;
            route.method = spec.method;
            route.path = spec.path;
            route.family = router_.FindFamily(transport::FamilyName(spec.family));
            route.body_bytes_max = spec.body_bytes_max;
            route.timeout = spec.timeout;
            route.handler = [this, method = found->second](
                                const http::Request& request) -> net::Task<http::Response> {
                const transport::RequestScope scope{request};
                co_return co_await (api_.*method)(scope);
            };
            EXPECT_OK(router_.Add(std::move(route)));
        }
        EXPECT_EQ(added, members.size());
    }
};

TEST_F(PartnerFilesApiTest, ListsTheMerchantsFiles) {
    const Answer answer =
        Get("/v2/files?from=2026-11-01&to=2026-11-30&template=instant&latestOnly=true&pageSize=50"
            "&pageToken=t%2F1");
    ASSERT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(answer.code(), "SUCCESS");
    EXPECT_THAT(files_.TakeAsked(),
                ::testing::ElementsAre(
                    "list for 501: merchant_id: 501 from_date: 20261101 to_date: 20261130 "
                    "template_name: \"instant\" latest_only: true page_size: 50 "
                    "page_token: \"t/1\""));
    ASSERT_EQ(answer.data()["files"].size(), 1);
    const json& file = answer.data()["files"][0];
    EXPECT_EQ(file["fileId"], "7000000001");
    EXPECT_EQ(file["fileName"], "取引_501_20261129 \"v2\".csv");
    EXPECT_EQ(file["template"], "instant");
    EXPECT_EQ(file["businessDate"], "2026-11-29");
    EXPECT_EQ(file["version"], 2);
    EXPECT_EQ(file["bytes"], 300'007);
    EXPECT_EQ(file["rows"], 3);
    EXPECT_EQ(file["sha256"], domain::ToHex(domain::Sha256::Of(Content(3 * kPiece + 7))));
    EXPECT_EQ(file["totals"],
              json::parse(R"([{"column":"amount","amount":-1200,"currency":"JPY"}])"));
    EXPECT_FALSE(file.contains("path"));
    EXPECT_EQ(answer.data()["nextPageToken"], "next/+=");
}

TEST_F(PartnerFilesApiTest, ActsForTheMerchantThatIsNamed) {
    EXPECT_EQ(Get("/v2/files?assumeMerchant=502").data()["files"].size(), 0);
    EXPECT_THAT(files_.TakeAsked(), ::testing::ElementsAre("list for 502: merchant_id: 502"));
    EXPECT_EQ(Get("/v2/files/7000000001?assumeMerchant=502").status, 404);
    EXPECT_EQ(Get("/v2/files?assumeMerchant=503").status, 401);
}

TEST_F(PartnerFilesApiTest, WhatIsWrongIsRefused) {
    for (const char* query : {"from=20261101", "to=2026-02-30", "from=2026-11-30&to=2026-11-29",
                              "latestOnly=yes", "pageSize=0", "pageSize=1001", "template=%00"}) {
        const Answer answer = Get(std::string("/v2/files?") + query);
        EXPECT_EQ(answer.status, 400) << query;
        EXPECT_EQ(answer.code(), "INVALID_REQUEST_PARAMS") << query;
    }
    EXPECT_THAT(files_.TakeAsked(), IsEmpty());
    EXPECT_EQ(Get("/v2/files", "no-such-key").status, 401);
    EXPECT_EQ(Get("/v2/files", "other-scope").code(), "OP_OUT_OF_SCOPE");
    EXPECT_EQ(Get("/v2/files/7000000001", "other-scope").code(), "OP_OUT_OF_SCOPE");
    for (const char* id : {"7000000002", "0", "-1", "abc", "7000000001x", "99999999999999999999"}) {
        const Answer answer = Get(std::string("/v2/files/") + id);
        EXPECT_EQ(answer.status, 404) << id;
        EXPECT_EQ(answer.code(), "FILE_NOT_FOUND") << id;
    }
    files_.Refuse(Status(Code::kUnavailable, "CONNECTION_LOST", ""));
    EXPECT_EQ(Get("/v2/files").code(), "SERVICE_ERROR");
    EXPECT_EQ(Get("/v2/files/7000000001").code(), "SERVICE_ERROR");
}

TEST_F(PartnerFilesApiTest, AFileHasAFreshLinkWhichOpensIt) {
    const Answer answer = Get("/v2/files/7000000001");
    ASSERT_EQ(answer.status, 200) << answer.body;
    const std::string url = answer.data()["path"];
    ASSERT_THAT(url, ::testing::StartsWith("https://api.example/v2/files/7000000001/content?"));
    EXPECT_THAT(answer.data()["expiresAt"].get<std::string>(), ::testing::EndsWith("Z"));
    EXPECT_TRUE(Download(url.substr(std::string("https://api.example").size())).body ==
                Content(3 * kPiece + 7));
}

TEST_F(PartnerFilesApiTest, ThereAreLinksForAWeekOnly) {
    clock_.Advance(7 * 24h + 1s);
    const Answer answer = Get("/v2/files/7000000001");
    EXPECT_EQ(answer.status, 200);
    EXPECT_TRUE(answer.data()["path"].is_null());
    EXPECT_TRUE(answer.data()["expiresAt"].is_null());
}

TEST_F(PartnerFilesApiTest, ContentComesWithItsNameAndDigest) {
    const std::string content = Content(3 * kPiece + 7);
    const Answer answer = Download(Link());
    EXPECT_EQ(answer.status, 200);
    EXPECT_TRUE(answer.body == content);
    for (const char* line :
         {"Content-Type: text/csv\r\n", "Content-Length: 300007\r\n", "Accept-Ranges: bytes\r\n",
          "Content-Disposition: attachment; filename=\"___501_20261129__v2_.csv\"; "
          "filename*=UTF-8''%E5%8F%96%E5%BC%95_501_20261129%20%22v2%22.csv\r\n",
          "Cache-Control: private, no-store\r\n"}) {
        EXPECT_THAT(answer.head + "\r\n", HasSubstr(line));
    }
    EXPECT_THAT(answer.head, HasSubstr("Repr-Digest: sha-256=:"));
    EXPECT_THAT(answer.head,
                HasSubstr("ETag: \"" + domain::ToHex(domain::Sha256::Of(content)) + "\""));
    // In pieces, each asked for by itself, and little more than the file.
    EXPECT_THAT(files_.TakeAsked(),
                ::testing::ElementsAre("content from 0", "content from 100000",
                                       "content from 200000", "content from 300000"));
    EXPECT_EQ(api_.downloads(), 0);
}

TEST_F(PartnerFilesApiTest, HeadGetsTheHeaderAlone) {
    const Answer answer = Download(Link(), "", "HEAD");
    EXPECT_EQ(answer.status, 200);
    EXPECT_THAT(answer.head, HasSubstr("Content-Length: 300007"));
    EXPECT_THAT(files_.TakeAsked(), IsEmpty());
}

TEST_F(PartnerFilesApiTest, AnEmptyFileIsOne) {
    files_.Put(8, "empty.zip", "", clock_.Now());
    const Answer answer = Download(Link(8));
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "");
    EXPECT_THAT(answer.head, HasSubstr("Content-Length: 0"));
    EXPECT_THAT(answer.head, HasSubstr("Content-Type: application/zip"));
    EXPECT_EQ(Download(Link(8), "Range: bytes=0-\r\n").status, 416);
}

TEST_F(PartnerFilesApiTest, ADownloadIsResumedByRange) {
    const std::string content = Content(3 * kPiece + 7);
    const std::string link = Link();
    struct Case {
        std::string range;
        std::size_t first, last;
    };
    for (const Case& one : {Case{"bytes=0-0", 0, 0}, Case{"bytes=150000-", 150'000, 300'006},
                            Case{"bytes=99999-200000", 99'999, 200'000},
                            Case{"bytes=-7", 300'000, 300'006}, Case{"bytes=0-", 0, 300'006}}) {
        const Answer answer = Download(link, "Range: " + one.range + "\r\n");
        EXPECT_EQ(answer.status, 206) << one.range;
        EXPECT_TRUE(answer.body == content.substr(one.first, one.last - one.first + 1))
            << one.range;
        EXPECT_THAT(answer.head, HasSubstr("Content-Range: bytes " + std::to_string(one.first) +
                                           "-" + std::to_string(one.last) + "/300007"));
    }
    const Answer beyond = Download(link, "Range: bytes=300007-\r\n");
    EXPECT_EQ(beyond.status, 416);
    EXPECT_EQ(beyond.code(), "FILE_RANGE_NOT_SATISFIABLE");
    EXPECT_THAT(beyond.head, HasSubstr("Content-Range: bytes */300007"));
    // On condition that it is the same file still.
    const std::string etag = "\"" + domain::ToHex(domain::Sha256::Of(content)) + "\"";
    EXPECT_EQ(Download(link, "Range: bytes=5-9\r\nIf-Range: " + etag + "\r\n").status, 206);
    const Answer other = Download(link, "Range: bytes=5-9\r\nIf-Range: \"other\"\r\n");
    EXPECT_EQ(other.status, 200);
    EXPECT_TRUE(other.body == content);
    EXPECT_EQ(Download(link, "Range: bytes=0-1,4-5\r\n").status, 200);
}

TEST_F(PartnerFilesApiTest, OnlyLinksOfOursOpenAFileAndOnlyTheirOwn) {
    const std::string link = Link();
    const auto expect_invalid = [&](const std::string& target) {
        const Answer answer = Download(target);
        EXPECT_EQ(answer.status, 403) << target;
        EXPECT_EQ(answer.code(), "FILE_LINK_INVALID") << target;
    };
    expect_invalid("/v2/files/7000000001/content");
    expect_invalid(link.substr(0, link.size() - 1) + (link.back() == '0' ? "1" : "0"));
    expect_invalid("/v2/files/7000000002" + link.substr(link.find("/content")));
    std::string other = link;
    other.replace(other.find("merchant=501"), 12, "merchant=502");
    expect_invalid(other);
    // One that we signed for another merchant opens nothing: reconciliation says whose file it is.
    EXPECT_EQ(Download(Link(kFileId, 502)).status, 404);
    EXPECT_THAT(files_.TakeAsked(), IsEmpty());

    clock_.Advance(2h + 1s);
    const Answer expired = Download(link);
    EXPECT_EQ(expired.status, 410);
    EXPECT_EQ(expired.code(), "FILE_LINK_EXPIRED");
}

TEST_F(PartnerFilesApiTest, AFileWhoseContentIsGoneSaysSo) {
    files_.Change(kFileId,
                  [&](auto& stored) { stored.file.set_expires_at_us(ToMicros(clock_.Now()) - 1); });
    const Answer answer = Download(Link());
    EXPECT_EQ(answer.status, 410);
    EXPECT_EQ(answer.code(), "FILE_EXPIRED");
}

// As long as nothing was sent, what is wrong is an answer.
TEST_F(PartnerFilesApiTest, ContentThatCannotBeReadIsRefused) {
    files_.FailFrom(0);
    const Answer gone = Download(Link());
    EXPECT_EQ(gone.status, 500);
    EXPECT_EQ(gone.code(), "SERVICE_ERROR");
    files_.FailFrom(~std::uint64_t{0});
    files_.Put(11, "small.csv", Content(100), clock_.Now());
    files_.Change(11, [](auto& stored) { stored.content[5] ^= 1; });
    const Answer damaged = Download(Link(11));
    EXPECT_EQ(damaged.status, 500);
    EXPECT_EQ(damaged.code(), "INTERNAL_SERVER_ERROR");
    EXPECT_TRUE(testing::Eventually([&] { return api_.downloads() == 0; }));
}

TEST_F(PartnerFilesApiTest, WhatBreaksOnTheWayIsSeenToBeShort) {
    const auto expect_cut = [&](const char* what) {
        http::testing::RawClient client(server_->port());
        client.Send("GET " + Link() + " HTTP/1.1\r\nHost: x\r\n\r\n");
        // Less than its Content-Length, and the end.
        EXPECT_EQ(client.Answer(), "") << what;
        EXPECT_TRUE(client.Ended()) << what;
        EXPECT_TRUE(testing::Eventually([&] { return api_.downloads() == 0; })) << what;
    };
    files_.FailFrom(200'000);
    expect_cut("the store is gone");
    files_.FailFrom(~std::uint64_t{0});
    // Other bytes than were said, of the same length: the last piece is held back.
    files_.Change(kFileId, [](auto& stored) { stored.content[5] ^= 1; });
    expect_cut("a byte was changed");
    files_.Change(kFileId, [](auto& stored) { stored.content[5] ^= 1; });
    files_.Change(kFileId, [](auto& stored) { stored.content.resize(250'000); });
    expect_cut("it is shorter");
    files_.Change(kFileId, [](auto& stored) { stored.content = Content(3 * kPiece + 8); });
    expect_cut("it is longer");
    files_.Change(kFileId, [](auto& stored) { stored.content.resize(3 * kPiece + 7); });
    EXPECT_TRUE(Download(Link()).body == Content(3 * kPiece + 7));
}

TEST_F(PartnerFilesApiTest, ASlowReceiverHoldsAPlaceAndLittleElse) {
    files_.Put(9, "large.csv", Content(200 * kPiece), clock_.Now());
    const std::string link = Link(9);
    std::vector<std::unique_ptr<http::testing::RawClient>> slow;
    for (int i = 0; i < 2; ++i) {
        slow.push_back(std::make_unique<http::testing::RawClient>(server_->port()));
        // So that little is under way: the kernel's buffers would take some megabytes.
        const int small = 16'384;
        ::setsockopt(slow.back()->fd(), SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
        slow.back()->Send("GET " + link + " HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    ASSERT_EVENTUALLY(api_.downloads() == 2 && files_.bytes_given() > 2 * kPiece);
    // A third has no place, and is told to come again.
    const Answer third = Download(link);
    EXPECT_EQ(third.status, 429);
    EXPECT_EQ(third.code(), "RATE_LIMIT");
    EXPECT_THAT(third.head, HasSubstr("Retry-After: "));
    // They hold no thread: other work goes on, and what they were given is far from all.
    EXPECT_EQ(Get("/v2/files").status, 200);
    EXPECT_LT(files_.bytes_given(), 2 * 200 * kPiece / 2);
    slow.clear();
    ASSERT_EVENTUALLY(api_.downloads() == 0);
    EXPECT_EQ(Download(link, "Range: bytes=0-9\r\n").status, 206);
}

TEST(DownloadPlacesTest, AreBoundedInAllAndForEachMerchant) {
    using transport::DownloadPlaces;
    const auto places = std::make_shared<DownloadPlaces>(3, 2);
    auto one = DownloadPlaces::Take(places, 501);
    auto two = DownloadPlaces::Take(places, 501);
    ASSERT_NE(one, nullptr);
    ASSERT_NE(two, nullptr);
    EXPECT_EQ(DownloadPlaces::Take(places, 501), nullptr);
    auto other = DownloadPlaces::Take(places, 502);
    ASSERT_NE(other, nullptr);
    EXPECT_EQ(DownloadPlaces::Take(places, 503), nullptr);
    EXPECT_EQ(places->taken(), 3);
    one.reset();
    EXPECT_NE(DownloadPlaces::Take(places, 503), nullptr);  // and given back at once
    EXPECT_EQ(places->taken(), 2);
    EXPECT_NE(DownloadPlaces::Take(places, 501), nullptr);
    two.reset();
    other.reset();
    EXPECT_EQ(places->taken(), 0);
}

}  // namespace
}  // namespace kessai::gateway
