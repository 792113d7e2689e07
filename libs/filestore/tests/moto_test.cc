// Goal: an S3 of another hand takes what the store sends, signatures included, and gives it back.
// Method: moto's server in a process of its own, which verifies each signature by AWS's own
// library; its bucket has limits of parts like the real one.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <sstream>
#include <string>

#include "kessai/filestore/s3_store.h"
#include "kessai/net/testing/certificate.h"
#include "kessai/testing/eventually.h"
#include "kessai/testing/matchers.h"
#include "kessai/testing/process.h"
#include "kessai/testing/temp_dir.h"
#include "s3_connection.h"
#include "store_calls.h"

namespace kessai::filestore {
namespace {

using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::IsOkAnd;
using ::testing::Optional;
using testing::Refuses;

/// Moto, with a bucket and a user who may use it.
class MotoServer {
 public:
    explicit MotoServer(const net::testing::Certificates* certificates = nullptr)
        : python_(testing::Environment("KESSAI_TEST_S3_PYTHON")) {
        testing::ProcessOptions options;
        options.command = {python_, FILESTORE_S3_SERVER, directory_.Path("ready")};
        if (certificates != nullptr) {
            options.command.push_back(certificates->cert_file());
            options.command.push_back(certificates->key_file());
        }
        options.environment = {"PYTHONDONTWRITEBYTECODE=1", "PYTHONWARNINGS=ignore"};
        options.output_file = directory_.Path("log");
        if (python_.empty()) return;
        auto started = testing::Process::Start(std::move(options));
        if (started.ok()) process_ = std::move(*started);
    }

    /// Says why there is none.
    bool Ready() {
        if (python_.empty()) {
            ADD_FAILURE()
                << "KESSAI_TEST_S3_PYTHON names no Python with moto; ./kessai test integration "
                   "makes one";
            return false;
        }
        if (process_ == nullptr) return false;
        (void)testing::Eventually([&] { return !Said().empty() || !process_->Running(); },
                                  std::chrono::seconds(60));
        if (Said().empty()) ADD_FAILURE() << testing::ReadFile(directory_.Path("log"));
        return !Said().empty();
    }

    S3Options Options() {
        auto said = Said();
        return {
            .endpoint = "http://localhost:" + said["port"],
            .region = said["region"],
            .bucket = said["bucket"],
            .credentials_file = directory_.Write(
                "credentials", "[default]\naws_access_key_id = " + said["access_key_id"] +
                                   "\naws_secret_access_key = " + said["secret_access_key"] + "\n"),
            .part_bytes = std::uint64_t{5} << 20,
            .attempts_max = 1};
    }
    std::string WriteCredentials(const std::string& id, const std::string& secret) {
        return directory_.Write(
            "others", "aws_access_key_id=" + id + "\naws_secret_access_key=" + secret + "\n");
    }
    std::string access_key_id() { return Said()["access_key_id"]; }

 private:
    std::map<std::string, std::string> Said() const {
        std::map<std::string, std::string> said;
        std::istringstream lines(testing::ReadFile(directory_.Path("ready")));
        for (std::string line; std::getline(lines, line);) {
            const std::size_t equals = line.find('=');
            said[line.substr(0, equals)] = line.substr(equals + 1);
        }
        return said;
    }

    testing::TempDir directory_;
    std::string python_;
    std::unique_ptr<testing::Process> process_;
};

class MotoTest : public ::testing::Test {
 protected:
    static void SetUpTestSuite() { moto_ = new MotoServer(); }
    static void TearDownTestSuite() {
        delete moto_;
        moto_ = nullptr;
    }
    void SetUp() override {
        if (!moto_->Ready()) FAIL() << "there is no S3 to test against";
        store_ = OpenS3Store(moto_->Options());
    }

    static MotoServer* moto_;
    std::unique_ptr<FileStore> store_;
};
MotoServer* MotoTest::moto_ = nullptr;

TEST_F(MotoTest, FilesOfEverySizeAndNameComeBack) {
    const std::size_t part = moto_->Options().part_bytes;
    for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, part, part + 1, 3 * part + 7}) {
        const std::string key = "2026-11-30/123/売上 (訂正)+100%&a=b;c~d'e\"f,g.csv";
        const std::string content = Noise(bytes);
        ASSERT_OK(Put(*store_, key, content));
        EXPECT_THAT(store_->Stat(key), IsOkAnd(Optional(Eq(FileInfo{key, bytes})))) << bytes;
        EXPECT_THAT(Get(*store_, key), Gives(content)) << bytes;
        EXPECT_THAT(Get(*store_, key, bytes), Gives(std::string())) << bytes;
        EXPECT_THAT(Get(*store_, key, bytes / 2), Gives(content.substr(bytes / 2))) << bytes;
        EXPECT_THAT(Get(*store_, key, bytes + 1),
                    Refuses(Code::kOutOfRange, reason::kOffsetBeyondEnd));
        ASSERT_OK(store_->Remove(key));
        EXPECT_THAT(store_->Stat(key), IsOkAnd(Eq(std::nullopt)));
        EXPECT_THAT(Get(*store_, key), Refuses(Code::kNotFound, reason::kFileUnknown));
        EXPECT_THAT(store_->Remove(key), IsOk());
    }
}

TEST_F(MotoTest, AFileIsReplacedAndNeverMixed) {
    S3Options options = moto_->Options();
    options.read_bytes = 1'000;
    const auto store = OpenS3Store(options);
    ASSERT_OK(Put(*store, "replaced.csv", Noise(5'000, 1)));
    ASSERT_OK_AND_ASSIGN(const auto reader, store->Open("replaced.csv", 0));
    std::string buffer(1'000, '\0');
    ASSERT_THAT(reader->Read(buffer), IsOkAnd(Eq(1'000)));
    ASSERT_OK(Put(*store, "replaced.csv", Noise(5'000, 2)));
    EXPECT_THAT(reader->Read(buffer), Refuses(Code::kAborted, reason::kFileReplaced));
    EXPECT_THAT(Get(*store, "replaced.csv"), Gives(Noise(5'000, 2)));
}

TEST_F(MotoTest, HalvesAreDroppedAndSweptAndNeverSeen) {
    const std::size_t part = moto_->Options().part_bytes;
    const std::string content = Noise(2 * part);
    {
        ASSERT_OK_AND_ASSIGN(const auto dropped, store_->Create("dropped.csv"));
        ASSERT_OK(dropped->Write(content));
    }
    EXPECT_THAT(store_->Sweep(std::chrono::seconds(0)), IsOkAnd(Eq(0)));
    ASSERT_OK_AND_ASSIGN(const auto swept, store_->Create("a b/swept ü.csv"));
    ASSERT_OK(swept->Write(content));
    EXPECT_THAT(store_->Stat("a b/swept ü.csv"), IsOkAnd(Eq(std::nullopt)));
    EXPECT_THAT(store_->Sweep(std::chrono::hours(1)), IsOkAnd(Eq(0)));
    EXPECT_THAT(store_->Sweep(-std::chrono::hours(1)), IsOkAnd(Eq(1)));
    // Moto has no name for a part of an upload that is gone; s3_store_test has S3's.
    EXPECT_FALSE(swept->Commit(Sha256Sum::Of(content), content.size()).ok());
    EXPECT_THAT(store_->Stat("a b/swept ü.csv"), IsOkAnd(Eq(std::nullopt)));
}

TEST_F(MotoTest, ListsTheFilesBelowAFolder) {
    for (const char* key :
         {"day/run/1/売上 (1)+100%&a.csv", "day/run/2/b.csv", "day/runner/c.csv"}) {
        ASSERT_OK(Put(*store_, key, "content"));
    }
    EXPECT_THAT(
        KeysBelow(*store_, "day/run"),
        IsOkAnd(::testing::ElementsAre("day/run/1/売上 (1)+100%&a.csv", "day/run/2/b.csv")));
    EXPECT_THAT(store_->List("day", [&](const FileInfo& file) { return store_->Remove(file.key); }),
                IsOk());
    EXPECT_THAT(KeysBelow(*store_, "day"), IsOkAnd(IsEmpty()));
}

TEST_F(MotoTest, WhoSignsWronglyOrIsUnknownIsDenied) {
    const auto is_denied = Refuses(Code::kPermissionDenied, reason::kStoreDenied);
    for (const auto& [id, secret] : {std::pair{moto_->access_key_id(), std::string("wrong")},
                                     std::pair{std::string("AKIAUNKNOWN"), std::string("any")}}) {
        S3Options options = moto_->Options();
        options.credentials_file = moto_->WriteCredentials(id, secret);
        const auto store = OpenS3Store(options);
        EXPECT_THAT(Put(*store, "denied.csv", "a"), is_denied) << id;
        EXPECT_THAT(store->Open("denied.csv", 0).status(), is_denied) << id;
        EXPECT_THAT(store->Sweep(std::chrono::seconds(0)), is_denied) << id;
    }
    EXPECT_THAT(store_->Stat("denied.csv"), IsOkAnd(Eq(std::nullopt)));
}

TEST_F(MotoTest, ABucketThatIsNotThereIsGone) {
    S3Options options = moto_->Options();
    options.bucket = "no-such-bucket";
    const auto store = OpenS3Store(options);
    const auto is_gone = Refuses(Code::kUnavailable, reason::kStoreGone);
    EXPECT_THAT(Put(*store, "a.csv", "a"), is_gone);
    EXPECT_THAT(store->Open("a.csv", 0).status(), is_gone);
    EXPECT_THAT(store->Stat("a.csv"), is_gone);
    EXPECT_THAT(store->Sweep(std::chrono::seconds(0)), is_gone);
}

TEST_F(MotoTest, ContentThatWasChangedOnItsWayIsNotTaken) {
    // What the store checks of our sums: sent by hand, as the writer would never send a wrong one.
    S3Connection connection(moto_->Options(), SystemClock());
    ASSERT_OK_AND_ASSIGN(const S3Answer answer,
                         connection.Ask({.method = "PUT",
                                         .key = "changed.csv",
                                         .headers = {{"content-md5", "1B2M2Y8AsgTpgAmY7PhCfg=="}},
                                         .body = "changed"}));
    // Moto does not look at it, so the answer's ETag must tell.
    if (answer.ok()) {
        EXPECT_EQ(answer.ETag(), "8977dfac2f8e04cb96e66882235f5aba");
    } else {
        EXPECT_EQ(answer.error_code, "BadDigest");
    }
}

TEST(MotoTlsTest, SpeaksTlsToWhomItTrusts) {
    const net::testing::Certificates certificates;
    MotoServer moto(&certificates);
    ASSERT_TRUE(moto.Ready());
    S3Options options = moto.Options();
    options.endpoint.replace(0, 4, "https");
    options.ca_file = certificates.ca_file();
    const auto store = OpenS3Store(options);
    const std::string content = Noise(11 << 20);
    ASSERT_OK(Put(*store, "tls.csv", content));
    EXPECT_THAT(Get(*store, "tls.csv"), Gives(content));
    options.ca_file.clear();
    EXPECT_THAT(Put(*OpenS3Store(options), "tls.csv", "a"),
                Refuses(Code::kUnavailable, reason::kStoreFailing));
}

}  // namespace
}  // namespace kessai::filestore
