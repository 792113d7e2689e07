// Goal: a file in a bucket is there whole or not at all; what a network and a store do wrong costs
// another attempt or ends in a refusal of its own, and never in a wrong file.
// Method: an S3 in memory that fails by a script, and a proxy in front of it that loses requests
// and answers; a clock that the test moves, so that pauses between attempts take no time.

#include "kessai/filestore/s3_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "fake_s3.h"
#include "kessai/net/testing/certificate.h"
#include "kessai/testing/matchers.h"
#include "kessai/testing/tcp_proxy.h"
#include "kessai/testing/temp_dir.h"
#include "store_calls.h"

namespace kessai::filestore {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::IsOkAnd;
using ::testing::Optional;
using testing::Refuses;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr const char* kKey = "2026-11-30/123/売上 (1)+100%.csv";
constexpr std::size_t kPart = 100'000;
constexpr Instant kNow = std::chrono::sys_days(std::chrono::year(2026) / 11 / 30);

std::string Credentials(std::string_view id) {
    return "[default]\naws_access_key_id=" + std::string(id) + "\naws_secret_access_key=secret\n";
}

class S3StoreTest : public ::testing::Test {
 protected:
    S3StoreTest() { directory_.Write("credentials", Credentials("first")); }

    S3Options Options() const {
        return {.endpoint = "http://127.0.0.1:" + std::to_string(proxy_.port()),
                .bucket = "files",
                .credentials_file = directory_.Path("credentials"),
                .part_bytes = kPart,
                .read_bytes = kPart,
                .attempts_max = 4,
                .stall_timeout = std::chrono::seconds(1),
                .retry_pause = std::chrono::milliseconds(200)};
    }
    std::unique_ptr<FileStore> Open() const { return OpenS3Store(Options(), clock_); }

    /// Answers the first `times` requests of that kind with an error.
    void FailFirst(const std::string& kind, int times, int status, const std::string& code) {
        s3_.SetBefore(
            [=, left = times](const FakeS3::Asked& asked) mutable -> std::optional<http::Response> {
                if (asked.Kind() != kind || left == 0) return std::nullopt;
                --left;
                return FakeS3::Error(status, code);
            });
    }

    testing::TempDir directory_;
    ManualClock clock_{kNow};
    FakeS3 s3_;
    testing::TcpProxy proxy_{"127.0.0.1", s3_.port()};
    std::unique_ptr<FileStore> store_ = Open();
};

TEST_F(S3StoreTest, ASmallFileIsOneRequestAndALargeOneGoesInParts) {
    for (const std::size_t bytes :
         {std::size_t{0}, std::size_t{1}, kPart, kPart + 1, 3 * kPart, 3 * kPart + 1}) {
        for (const std::size_t piece : {std::size_t{7'777}, kPart, std::size_t{1'000'000}}) {
            const std::string content = Noise(bytes);
            ASSERT_OK(Put(*store_, kKey, content, piece));
            EXPECT_TRUE(s3_.objects()[kKey] == content) << bytes << " by " << piece;
            EXPECT_THAT(Get(*store_, kKey), Gives(content)) << bytes << " by " << piece;
            EXPECT_THAT(store_->Stat(kKey), IsOkAnd(Optional(Eq(FileInfo{kKey, bytes}))));
        }
    }
    EXPECT_THAT(s3_.uploads(), IsEmpty());
    EXPECT_EQ(s3_.Count("PUT"), 9);
    EXPECT_EQ(s3_.Count("POST complete"), 9);
}

TEST_F(S3StoreTest, NothingIsSeenBeforeTheCommitAndADroppedFileLeavesNothing) {
    {
        ASSERT_OK_AND_ASSIGN(const auto writer, store_->Create(kKey));
        ASSERT_OK(writer->Write(Noise(3 * kPart)));
        EXPECT_THAT(s3_.uploads(), SizeIs(1));
        EXPECT_THAT(store_->Stat(kKey), IsOkAnd(Eq(std::nullopt)));
    }
    EXPECT_THAT(s3_.uploads(), IsEmpty());
    EXPECT_THAT(s3_.objects(), IsEmpty());
}

TEST_F(S3StoreTest, WhatIsNotWhatWasMeantIsNotCommitted) {
    for (const std::size_t bytes : {kPart / 2, 2 * kPart + 1}) {
        const std::string content = Noise(bytes);
        ASSERT_OK_AND_ASSIGN(const auto writer, store_->Create(kKey));
        ASSERT_OK(writer->Write(content));
        EXPECT_THAT(writer->Commit(Sha256Sum::Of("another"), bytes),
                    Refuses(Code::kDataLoss, reason::kContentDiffers));
        ASSERT_OK_AND_ASSIGN(const auto shorter, store_->Create(kKey));
        ASSERT_OK(shorter->Write(content));
        EXPECT_THAT(shorter->Commit(Sha256Sum::Of(content), bytes - 1),
                    Refuses(Code::kDataLoss, reason::kContentDiffers));
    }
    EXPECT_THAT(s3_.objects(), IsEmpty());
    EXPECT_THAT(s3_.uploads(), IsEmpty());
}

TEST_F(S3StoreTest, SendsChecksumsThatTheStoreCanCheck) {
    ASSERT_OK(Put(*store_, kKey, "abc"));
    ASSERT_OK(Put(*store_, kKey, Noise(kPart) + "abc"));
    int seen = 0;
    for (const auto& asked : s3_.asked()) {
        if (asked.body != "abc") continue;
        ++seen;
        EXPECT_EQ(asked.headers.at("content-md5"), "kAFQmDzST7DWlj99KOF/cg==");
        EXPECT_EQ(asked.headers.at("x-amz-checksum-sha256"),
                  "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
        EXPECT_EQ(asked.headers.at("x-amz-content-sha256"),
                  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        EXPECT_THAT(asked.authorization, HasSubstr("content-md5;"));
    }
    EXPECT_EQ(seen, 2);
}

TEST_F(S3StoreTest, ReadsFromAnOffsetOverManyRanges) {
    const std::string content = Noise(3 * kPart + 5);
    ASSERT_OK(Put(*store_, kKey, content));
    for (const std::size_t offset : {std::size_t{0}, std::size_t{1}, kPart, 2 * kPart + 7,
                                     content.size() - 1, content.size()}) {
        EXPECT_THAT(Get(*store_, kKey, offset), Gives(content.substr(offset))) << offset;
    }
    EXPECT_THAT(Get(*store_, kKey, content.size() + 1),
                Refuses(Code::kOutOfRange, reason::kOffsetBeyondEnd));
    EXPECT_THAT(Get(*store_, "no/file.csv"), Refuses(Code::kNotFound, reason::kFileUnknown));
}

TEST_F(S3StoreTest, AFileThatIsReplacedWhileItIsReadIsNeverMixed) {
    ASSERT_OK(Put(*store_, kKey, Noise(2 * kPart, 1)));
    for (const bool removed : {false, true}) {
        ASSERT_OK_AND_ASSIGN(const auto reader, store_->Open(kKey, 0));
        std::string read(kPart, '\0');
        ASSERT_THAT(reader->Read(read), IsOkAnd(Eq(kPart)));
        if (removed) {
            ASSERT_OK(store_->Remove(kKey));
        } else {
            ASSERT_OK(Put(*store_, kKey, Noise(2 * kPart, 2)));
        }
        EXPECT_THAT(reader->Read(read), Refuses(Code::kAborted, reason::kFileReplaced)) << removed;
    }
}

TEST_F(S3StoreTest, WhatMayPassIsTriedAgainAndOnlyThat) {
    const std::string content = Noise(2 * kPart + 1);
    for (const auto& [status, code] :
         {std::pair{500, "InternalError"}, std::pair{503, "SlowDown"}, std::pair{502, ""},
          std::pair{504, ""}, std::pair{429, ""}, std::pair{400, "RequestTimeout"}}) {
        for (const char* kind : {"POST uploads", "PUT part", "POST complete", "PUT"}) {
            FailFirst(kind, 3, status, code);
            const Instant before = clock_.Now();
            EXPECT_THAT(Put(*store_, kKey, kind == std::string("PUT") ? "small" : content), IsOk())
                << status << " to " << kind;
            // 200, 400 and 800 ms, each with at least its half.
            EXPECT_GE(clock_.Now() - before, std::chrono::milliseconds(700));
            EXPECT_LE(clock_.Now() - before, std::chrono::milliseconds(1'400));
        }
        FailFirst("GET", 3, status, code);
        EXPECT_THAT(Get(*store_, kKey), IsOkAnd(Eq("small"))) << status;
        // An answer to HEAD has no body that could name a code.
        if (status == 400) continue;
        FailFirst("HEAD", 3, status, code);
        EXPECT_THAT(store_->Stat(kKey), IsOk()) << status;
    }
    FailFirst("PUT part", 4, 503, "SlowDown");
    EXPECT_THAT(Put(*store_, kKey, content), Refuses(Code::kUnavailable, reason::kStoreFailing));
    EXPECT_THAT(s3_.uploads(), IsEmpty());
}

TEST_F(S3StoreTest, APartThatFailsIsSentAgainAndNotTheFile) {
    FailFirst("PUT part", 2, 500, "InternalError");
    ASSERT_OK(Put(*store_, kKey, Noise(3 * kPart)));
    EXPECT_EQ(s3_.Count("PUT part"), 5);
    EXPECT_EQ(s3_.Count("POST uploads"), 1);
}

TEST_F(S3StoreTest, EachRefusalOfTheStoreHasItsName) {
    struct Case {
        int status;
        const char* code;
        Code expected;
        std::string_view reason;
    };
    for (const Case& one : {
             Case{403, "AccessDenied", Code::kPermissionDenied, reason::kStoreDenied},
             Case{403, "InvalidAccessKeyId", Code::kPermissionDenied, reason::kStoreDenied},
             Case{403, "SignatureDoesNotMatch", Code::kPermissionDenied, reason::kStoreDenied},
             Case{400, "ExpiredToken", Code::kPermissionDenied, reason::kStoreDenied},
             Case{404, "NoSuchBucket", Code::kUnavailable, reason::kStoreGone},
             Case{301, "PermanentRedirect", Code::kUnavailable, reason::kStoreGone},
             Case{507, "", Code::kResourceExhausted, reason::kStoreFull},
             Case{507, "XMinioStorageFull", Code::kResourceExhausted, reason::kStoreFull},
             Case{403, "QuotaExceeded", Code::kResourceExhausted, reason::kStoreFull},
             Case{400, "EntityTooLarge", Code::kOutOfRange, reason::kFileTooLarge},
             Case{400, "BadDigest", Code::kDataLoss, reason::kContentDiffers},
             Case{400, "InvalidArgument", Code::kUnavailable, reason::kStoreFailing},
         }) {
        for (const char* kind : {"PUT", "PUT part", "POST complete"}) {
            FailFirst(kind, 1'000, one.status, one.code);
            const Status outcome =
                Put(*store_, kKey, Noise(kind == std::string("PUT") ? 1 : 2 * kPart));
            EXPECT_THAT(outcome, Refuses(one.expected, one.reason))
                << one.status << " " << one.code << " to " << kind;
            EXPECT_THAT(std::string(outcome.message()), HasSubstr("bucket files"));
        }
    }
    EXPECT_THAT(s3_.objects(), IsEmpty());
    EXPECT_THAT(s3_.uploads(), IsEmpty());
}

TEST_F(S3StoreTest, ABucketThatIsNotThereIsNotTakenForAFileThatIsNot) {
    S3Options options = Options();
    options.bucket = "other";
    const auto gone = OpenS3Store(options, clock_);
    const auto is_gone = Refuses(Code::kUnavailable, reason::kStoreGone);
    EXPECT_THAT(gone->Stat(kKey), is_gone);
    EXPECT_THAT(gone->Open(kKey, 0).status(), is_gone);
    EXPECT_THAT(gone->Remove(kKey), is_gone);
    EXPECT_THAT(gone->Sweep(std::chrono::seconds(1)), is_gone);
    EXPECT_THAT(Put(*gone, kKey, "a"), is_gone);
    EXPECT_THAT(Put(*gone, kKey, Noise(2 * kPart)), is_gone);
    EXPECT_THAT(store_->Stat(kKey), IsOkAnd(Eq(std::nullopt)));
    EXPECT_THAT(store_->Remove(kKey), IsOk());
}

TEST_F(S3StoreTest, LostRequestsAndAnswersCostAnotherAttempt) {
    const std::string content = Noise(3 * kPart + 1);
    for (const char* text : {"partNumber=2", "POST /files/2026-11-30", "uploads="}) {
        proxy_.LoseReplyTo(text);
        EXPECT_THAT(Put(*store_, kKey, content), IsOk()) << text;
        proxy_.LoseRequest(text);
        EXPECT_THAT(Put(*store_, kKey, content), IsOk()) << text;
        EXPECT_TRUE(s3_.objects()[kKey] == content) << text;
    }
    for (const char* text : {"PUT /files", "GET /files", "HEAD /files", "DELETE /files"}) {
        for (const bool reply : {false, true}) {
            reply ? proxy_.LoseReplyTo(text) : proxy_.LoseRequest(text);
            EXPECT_THAT(Put(*store_, "small", "small"), IsOk()) << text;
            EXPECT_THAT(Get(*store_, "small"), IsOkAnd(Eq("small"))) << text;
            EXPECT_THAT(store_->Stat("small"), IsOk()) << text;
            EXPECT_THAT(store_->Remove("small"), IsOk()) << text;
        }
    }
    EXPECT_EQ(proxy_.cuts(), 14);
}

TEST_F(S3StoreTest, AFileWhoseCompleteWasNotAnsweredIsFound) {
    // Complete is the only one with this body.
    const std::string content = Noise(2 * kPart);
    proxy_.LoseReplyTo("<CompleteMultipartUpload");
    EXPECT_THAT(Put(*store_, kKey, content), IsOk());
    EXPECT_EQ(s3_.Count("POST complete"), 2);
    EXPECT_TRUE(s3_.objects()[kKey] == content);
    // With no attempt left it is found all the same.
    S3Options once = Options();
    once.attempts_max = 1;
    s3_.DropUploads();
    proxy_.LoseReplyTo("<CompleteMultipartUpload");
    EXPECT_THAT(Put(*OpenS3Store(once, clock_), "other.csv", content), IsOk());
    // But one that was not carried out is not taken for the older file of the same size.
    FailFirst("POST complete", 1, 500, "InternalError");
    EXPECT_THAT(Put(*OpenS3Store(once, clock_), "other.csv", Noise(2 * kPart, 2)),
                Refuses(Code::kUnavailable, reason::kStoreFailing));
    EXPECT_TRUE(s3_.objects()["other.csv"] == content);
    EXPECT_THAT(s3_.uploads(), IsEmpty());
}

TEST_F(S3StoreTest, ACompleteThatFailsWithin200IsNoSuccess) {
    s3_.SetBefore([left = 1](const FakeS3::Asked& asked) mutable -> std::optional<http::Response> {
        if (asked.Kind() != "POST complete" || left-- <= 0) return std::nullopt;
        return FakeS3::Error(200, "InternalError");
    });
    EXPECT_THAT(Put(*store_, kKey, Noise(2 * kPart)), IsOk());
    EXPECT_EQ(s3_.Count("POST complete"), 2);
    s3_.SetBefore([](const FakeS3::Asked& asked) -> std::optional<http::Response> {
        if (asked.Kind() != "POST complete") return std::nullopt;
        return FakeS3::Error(200, "AccessDenied");
    });
    EXPECT_THAT(Put(*store_, "b.csv", Noise(2 * kPart)),
                Refuses(Code::kPermissionDenied, reason::kStoreDenied));
    s3_.SetBefore([](const FakeS3::Asked& asked) -> std::optional<http::Response> {
        if (asked.Kind() != "POST complete") return std::nullopt;
        http::Response response;
        response.body = "<html>a proxy's page</html>";
        return response;
    });
    EXPECT_THAT(Put(*store_, "b.csv", Noise(2 * kPart)),
                Refuses(Code::kUnavailable, reason::kStoreFailing));
    EXPECT_FALSE(s3_.objects().contains("b.csv"));
}

TEST_F(S3StoreTest, AWrongETagIsSentAgainAndRefusedInTheEnd) {
    const auto wrong_times = [](const std::string& kind, int times) {
        return [kind, left = times](const FakeS3::Asked& asked, http::Response& response) mutable {
            if (asked.Kind() != kind || left-- <= 0) return;
            response.fields.front().second = "\"00000000000000000000000000000000\"";
        };
    };
    s3_.SetAfter(wrong_times("PUT part", 2));
    EXPECT_THAT(Put(*store_, kKey, Noise(2 * kPart)), IsOk());
    s3_.SetAfter(wrong_times("PUT", 2));
    EXPECT_THAT(Put(*store_, kKey, "small"), IsOk());
    for (const std::string kind : {"PUT part", "PUT"}) {
        s3_.SetAfter(wrong_times(kind, 1'000));
        EXPECT_THAT(Put(*store_, "wrong.csv", Noise(kind == "PUT" ? 1 : 2 * kPart)),
                    Refuses(Code::kDataLoss, reason::kContentDiffers));
    }
    s3_.SetAfter([](const FakeS3::Asked& asked, http::Response& response) {
        if (asked.Kind() == "POST complete") {
            response.body =
                "<CompleteMultipartUploadResult><ETag>"
                "00000000000000000000000000000000-2</ETag>"
                "</CompleteMultipartUploadResult>";
        }
    });
    EXPECT_THAT(Put(*store_, "wrong.csv", Noise(2 * kPart)),
                Refuses(Code::kDataLoss, reason::kContentDiffers));
    // What is wrong does not stay.
    EXPECT_FALSE(s3_.objects().contains("wrong.csv"));
    EXPECT_THAT(s3_.uploads(), IsEmpty());
}

TEST_F(S3StoreTest, ETagsOfAStoreThatEncryptsAreNoSums) {
    s3_.SetAfter([](const FakeS3::Asked& asked, http::Response& response) {
        if (asked.Kind() == "PUT" || asked.Kind() == "PUT part") {
            response.fields.front().second = "\"0123456789abcdef0123456789abcdef\"";
            response.fields.emplace_back("x-amz-server-side-encryption", "aws:kms");
        } else if (asked.Kind() == "POST complete") {
            response.body =
                "<CompleteMultipartUploadResult><ETag>opaque</ETag>"
                "</CompleteMultipartUploadResult>";
        }
    });
    EXPECT_THAT(Put(*store_, kKey, "small"), IsOk());
    EXPECT_THAT(Put(*store_, kKey, Noise(2 * kPart)), IsOk());
    EXPECT_THAT(Get(*store_, kKey), Gives(Noise(2 * kPart)));
}

TEST_F(S3StoreTest, AStoreThatStallsIsGivenUp) {
    S3Options once = Options();
    once.attempts_max = 1;
    const auto store = OpenS3Store(once, clock_);
    ASSERT_OK(Put(*store, kKey, "a"));
    proxy_.Freeze(true);
    EXPECT_THAT(store->Stat(kKey), Refuses(Code::kUnavailable, reason::kStoreFailing));
    proxy_.Freeze(false);
    EXPECT_THAT(store->Stat(kKey), IsOk());
}

TEST_F(S3StoreTest, AStoreThatIsNotThereIsToldAndServesWhenItIs) {
    proxy_.Refuse(true);
    EXPECT_THAT(Put(*store_, kKey, "a"), Refuses(Code::kUnavailable, reason::kStoreFailing));
    proxy_.Refuse(false);
    EXPECT_THAT(Put(*store_, kKey, "a"), IsOk());
}

TEST_F(S3StoreTest, AHalfThatSomebodySweptIsToldToItsWriter) {
    ASSERT_OK_AND_ASSIGN(const auto writer, store_->Create(kKey));
    ASSERT_OK(writer->Write(Noise(2 * kPart)));
    s3_.DropUploads();
    EXPECT_THAT(writer->Commit(Sha256Sum::Of(Noise(2 * kPart)), 2 * kPart),
                Refuses(Code::kAborted, reason::kHalfSwept));
    // Every later call says the same.
    EXPECT_THAT(writer->Write("more"), Refuses(Code::kAborted, reason::kHalfSwept));
    EXPECT_FALSE(s3_.objects().contains(kKey));
}

TEST_F(S3StoreTest, SweepsHalvesToWhichNothingWasWrittenLately) {
    S3Options options = Options();
    options.prefix = "kessai/out";
    const auto store = OpenS3Store(options, clock_);
    // The store's clock says noon.
    for (const auto& [id, initiated, written] : {std::tuple{"1-old", "08:00:00", "08:30:00"},
                                                 {"2-busy", "08:00:00", "11:59:00"},
                                                 {"3-young", "11:30:00", "11:30:00"},
                                                 {"4-old", "09:00:00", "09:00:00"},
                                                 {"5-old", "09:00:00", "09:00:00"}}) {
        s3_.AddUpload(id, {.key = std::string("kessai/out/a b/") + id,
                           .parts = {{1, "part"}},
                           .initiated = std::string("2026-11-30T") + initiated + ".000Z",
                           .last_written = std::string("2026-11-30T") + written + ".000Z"});
    }
    s3_.AddUpload("0-foreign", {.key = "kessai/outer", .parts = {{1, "part"}}});
    EXPECT_THAT(store->Sweep(std::chrono::hours(1)), IsOkAnd(Eq(3)));
    std::vector<std::string> left;
    for (const auto& upload : s3_.uploads()) left.push_back(upload.first);
    EXPECT_THAT(left, ElementsAre("0-foreign", "2-busy", "3-young"));
    EXPECT_THAT(store->Sweep(std::chrono::hours(1)), IsOkAnd(Eq(0)));
}

// Goal: a list is whole over its pages, and of the folder alone.
TEST_F(S3StoreTest, ListsTheFilesBelowAFolder) {
    for (const std::string prefix : {"", "kessai"}) {
        S3Options options = Options();
        options.prefix = prefix;
        const auto store = OpenS3Store(options, clock_);
        EXPECT_THAT(KeysBelow(*store, "day"), IsOkAnd(IsEmpty()));
        for (const char* key : {"day/run/1/売上 (1)+100%.csv", "day/run/1/b.csv", "day/run/2/c.csv",
                                "day/run/2/d.csv", "day/run/3/e.csv", "day/runner/f.csv"}) {
            ASSERT_OK(Put(*store, key, "content"));
        }
        EXPECT_THAT(KeysBelow(*store, "day/run"),
                    IsOkAnd(ElementsAre("day/run/1/b.csv", "day/run/1/売上 (1)+100%.csv",
                                        "day/run/2/c.csv", "day/run/2/d.csv", "day/run/3/e.csv")));
        EXPECT_THAT(store->List("day/run",
                                [&](const FileInfo& file) {
                                    EXPECT_EQ(file.bytes, 7u);
                                    return store->Remove(file.key);
                                }),
                    IsOk());
        EXPECT_THAT(KeysBelow(*store, "day"), IsOkAnd(ElementsAre("day/runner/f.csv")));
        ASSERT_OK(store->Remove("day/runner/f.csv"));
    }
    s3_.SetAfter([](const FakeS3::Asked&, http::Response& response) { response.body = "<odd/>"; });
    EXPECT_THAT(KeysBelow(*store_, "day"), Refuses(Code::kUnavailable, reason::kStoreFailing));
}

TEST_F(S3StoreTest, KeysStandBehindThePrefix) {
    S3Options options = Options();
    options.prefix = "kessai/out";
    const auto store = OpenS3Store(options, clock_);
    ASSERT_OK(Put(*store, kKey, "a"));
    ASSERT_OK(Put(*store, "b", Noise(2 * kPart)));
    EXPECT_TRUE(s3_.objects().contains(std::string("kessai/out/") + kKey));
    EXPECT_TRUE(s3_.objects().contains("kessai/out/b"));
    EXPECT_THAT(Get(*store, kKey), IsOkAnd(Eq("a")));
    EXPECT_THAT(store->Stat(kKey), IsOkAnd(Optional(Eq(FileInfo{kKey, 1}))));
    ASSERT_OK(store->Remove(kKey));
    EXPECT_FALSE(s3_.objects().contains(std::string("kessai/out/") + kKey));
}

TEST_F(S3StoreTest, ABucketCanBeInTheHostsName) {
    S3Options options = Options();
    options.endpoint = "http://localhost:" + std::to_string(proxy_.port());
    options.addressing = S3Options::Addressing::kVirtualHost;
    const auto store = OpenS3Store(options, clock_);
    ASSERT_OK(Put(*store, kKey, Noise(2 * kPart)));
    EXPECT_THAT(Get(*store, kKey), Gives(Noise(2 * kPart)));
    for (const auto& asked : s3_.asked()) {
        EXPECT_EQ(asked.host, "files.localhost:" + std::to_string(proxy_.port()));
        EXPECT_THAT(asked.target,
                    StartsWith("/2026-11-30/123/%E5%A3%B2%E4%B8%8A%20%281%29%2B100%25.csv"));
    }
}

TEST_F(S3StoreTest, TlsIsVerifiedByTheAuthorityThatIsGiven) {
    const net::testing::Certificates certificates;
    ASSERT_OK_AND_ASSIGN(auto tls,
                         net::TlsServerContext::Load({.cert_file = certificates.cert_file(),
                                                      .key_file = certificates.key_file()}));
    FakeS3 secure(std::move(tls));
    S3Options options = Options();
    options.endpoint = "https://localhost:" + std::to_string(secure.port());
    options.attempts_max = 1;
    options.ca_file = certificates.ca_file();
    EXPECT_THAT(Put(*OpenS3Store(options, clock_), kKey, "a"), IsOk());
    // The system's authorities do not know it.
    options.ca_file.clear();
    EXPECT_THAT(Put(*OpenS3Store(options, clock_), kKey, "a"),
                Refuses(Code::kUnavailable, reason::kStoreFailing));
    EXPECT_EQ(secure.Count("PUT"), 1);
}

TEST_F(S3StoreTest, RenewedCredentialsAreTakenUp) {
    ASSERT_OK(Put(*store_, kKey, "a"));
    const auto renew = [&](std::string_view id) {
        std::filesystem::rename(directory_.Write("new", Credentials(id)),
                                directory_.Path("credentials"));
    };
    // After a while by themselves.
    renew("second");
    clock_.Advance(std::chrono::seconds(6));
    ASSERT_OK(Put(*store_, kKey, "b"));
    EXPECT_THAT(s3_.asked().back().authorization, HasSubstr("Credential=second/"));
    // At once, when the store knows the old ones no more.
    renew("third");
    s3_.SetBefore([](const FakeS3::Asked& asked) -> std::optional<http::Response> {
        if (asked.authorization.find("Credential=third/") != std::string::npos) return std::nullopt;
        return FakeS3::Error(403, "ExpiredToken");
    });
    EXPECT_THAT(Put(*store_, kKey, "c"), IsOk());
    // What can't be read leaves the last ones in force.
    std::filesystem::remove(directory_.Path("credentials"));
    clock_.Advance(std::chrono::seconds(6));
    EXPECT_THAT(Put(*store_, kKey, "d"), IsOk());
    // But the first ones must be there.
    EXPECT_THAT(Put(*Open(), kKey, "e"), Refuses(Code::kPermissionDenied, reason::kStoreDenied));
}

TEST_F(S3StoreTest, ManyThreadsShareAStore) {
    std::atomic<int> wrong{0};
    {
        std::vector<std::jthread> threads;
        for (int thread = 0; thread < 6; ++thread) {
            threads.emplace_back([&, thread] {
                for (int i = 0; i < 10; ++i) {
                    const std::string key = std::to_string(thread) + "/" + std::to_string(i);
                    const std::string content = Noise(i % 2 == 0 ? 10 : kPart + 10, thread);
                    if (!Put(*store_, key, content).ok()) ++wrong;
                    const auto got = Get(*store_, key);
                    if (!got.ok() || *got != content) ++wrong;
                }
            });
        }
    }
    EXPECT_EQ(wrong, 0);
    EXPECT_THAT(s3_.objects(), SizeIs(60));
}

TEST_F(S3StoreTest, AFileBeyondTenThousandPartsIsRefused) {
    S3Options options = Options();
    options.part_bytes = 1;
    const auto store = OpenS3Store(options, clock_);
    ASSERT_OK_AND_ASSIGN(const auto writer, store->Create(kKey));
    const Status outcome = writer->Write(Noise(10'002));
    EXPECT_THAT(outcome, Refuses(Code::kOutOfRange, reason::kFileTooLarge));
}

TEST(S3OptionsTest, WhatIsWrongIsSaid) {
    const S3Options good{.endpoint = "https://s3.example.com:9000/",
                         .bucket = "files",
                         .prefix = "a/b",
                         .credentials_file = "/run/credentials"};
    EXPECT_THAT(Validate(good), IsOk());
    const auto expect_refused = [&](auto change, std::string_view word) {
        S3Options bad = good;
        change(bad);
        const Status outcome = Validate(bad);
        EXPECT_THAT(outcome, Refuses(Code::kInvalidArgument, config::kConfigInvalid)) << word;
        EXPECT_THAT(std::string(outcome.message()), HasSubstr(word));
    };
    expect_refused([](S3Options& options) { options.endpoint = "s3.example.com"; }, "endpoint");
    expect_refused([](S3Options& options) { options.endpoint = "https://"; }, "endpoint");
    expect_refused([](S3Options& options) { options.endpoint = "https://a/b"; }, "endpoint");
    expect_refused([](S3Options& options) { options.endpoint = "https://a@b"; }, "endpoint");
    expect_refused([](S3Options& options) { options.bucket = "No"; }, "bucket");
    expect_refused([](S3Options& options) { options.bucket = "a/b/c"; }, "bucket");
    expect_refused([](S3Options& options) { options.region.clear(); }, "region");
    expect_refused([](S3Options& options) { options.prefix = "/a"; }, "prefix");
    expect_refused([](S3Options& options) { options.credentials_file.clear(); },
                   "credentials_file is not set, and the environment has no AWS_ACCESS_KEY_ID");
}

// Goal: without a file the environment's credentials sign, the token of temporary ones included.
TEST_F(S3StoreTest, CredentialsMayBeTheEnvironments) {
    S3Options options = Options();
    options.credentials_file.clear();
    const auto store = OpenS3Store(options, clock_);
    EXPECT_THAT(Put(*store, kKey, "a"), Refuses(Code::kPermissionDenied, reason::kStoreDenied));
    ::setenv("AWS_ACCESS_KEY_ID", "of-environment", 1);
    ::setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    ::setenv("AWS_SESSION_TOKEN", "token", 1);
    EXPECT_THAT(Validate(options), IsOk());
    const auto told = OpenS3Store(options, clock_);
    const Status stored = Put(*told, kKey, "a");
    for (const char* name : {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}) {
        ::unsetenv(name);
    }
    ASSERT_OK(stored);
    const auto asked = s3_.asked();
    ASSERT_THAT(asked, SizeIs(1));
    EXPECT_THAT(asked[0].authorization, HasSubstr("Credential=of-environment/"));
    EXPECT_EQ(asked[0].headers.at("x-amz-security-token"), "token");
}

}  // namespace
}  // namespace kessai::filestore
