// Goal: a password is renewed while the process runs: who has a session keeps it, new sessions use
// the new password, nobody is refused longer than the file is late, and no bad file takes away a
// password that works.
// Method: the administrator changes the password of a real user, and the file is replaced before or
// after that; the pool has its options from a configuration file, as a service's has.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

#include "database_fixture.h"
#include "kessai/config/schema.h"
#include "kessai/files/followed_file.h"
#include "kessai/mysql/config.h"
#include "kessai/testing/temp_dir.h"

namespace kessai::mysql {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Refuses;

class PasswordObserver final : public QueryObserver {
 public:
    void OnQuery(std::string_view, Duration, const Status&) override {}
    void OnPasswordFile(const Status& outcome) override {
        const std::lock_guard lock(mutex_);
        told_.emplace_back(outcome.ok() ? "OK" : outcome.reason());
    }
    std::vector<std::string> told() {
        const std::lock_guard lock(mutex_);
        return told_;
    }

 private:
    std::mutex mutex_;
    std::vector<std::string> told_;
};

class PasswordFileTest : public DatabaseFixture {
 protected:
    PasswordFileTest() { Write(schema_->options().password + "\n"); }

    std::string path() const { return directory_.Path("password"); }
    void Write(std::string_view content) {
        std::filesystem::rename(directory_.Write("password.new", content), path());
    }
    /// On the server only.
    void ChangeTo(const std::string& password) {
        auto admin = Session::Connect(schema_->admin_options());
        ASSERT_OK(admin);
        const std::string sql =
            "ALTER USER '" + schema_->options().user + "'@'%' IDENTIFIED BY '" + password + "'";
        ASSERT_OK((*admin)->Execute(Query{"test.alter_user", sql}));
    }
    PoolOptions FromConfiguration(Duration check_interval) {
        const ConnectOptions& connect = schema_->options();
        const std::string file = directory_.Write(
            "service.yaml", "mysql: {host: " + connect.host +
                                ", port: " + std::to_string(connect.port) +
                                ", user: " + connect.user + ", schema: " + connect.schema +
                                ", password_file: " + path() + "}\n");
        PoolOptions options;
        config::Schema schema;
        schema.Section("mysql", options);
        EXPECT_OK(schema.Load({.file = file, .environment = {}}));
        options.password_check_interval = check_interval;
        return options;
    }

    testing::TempDir directory_{"password"};
    PasswordObserver observer_;
};

TEST_F(PasswordFileTest, NewSessionsUseTheNewPasswordAndOldOnesGoOn) {
    Pool pool(FromConfiguration(milliseconds(5)), SystemClock(), &observer_);
    ASSERT_OK_AND_ASSIGN(Lease old, pool.Acquire(seconds(5)));
    ASSERT_NO_FATAL_FAILURE(ChangeTo("renewed"));
    Write("renewed\n");
    ASSERT_EVENTUALLY(observer_.told().size() == 1);
    EXPECT_OK(pool.Acquire(seconds(5)));
    EXPECT_EQ(pool.stats().opened_total, 2u);
    EXPECT_EQ(NumberFrom(*old, "SELECT COUNT(*) FROM account"), 0);
    EXPECT_THAT(observer_.told(), ElementsAre("OK"));
}

// Goal: whoever meets the old password's end before the background thread has seen the file does
// not wait for it.
TEST_F(PasswordFileTest, ARefusedLoginReadsTheFileAtOnce) {
    Pool pool(FromConfiguration(hours(1)), SystemClock(), &observer_);
    ASSERT_NO_FATAL_FAILURE(ChangeTo("renewed"));
    EXPECT_THAT(pool.Acquire(seconds(5)), Refuses(Code::kUnavailable, reason::kLoginRefused));
    EXPECT_THAT(observer_.told(), IsEmpty());
    Write("renewed");
    EXPECT_OK(pool.Acquire(seconds(5)));
    EXPECT_THAT(observer_.told(), ElementsAre("OK"));
}

TEST_F(PasswordFileTest, AMissingOrEmptyFileKeepsThePasswordThatWorks) {
    Pool pool(FromConfiguration(milliseconds(5)), SystemClock(), &observer_);
    Write("\n");
    ASSERT_EVENTUALLY(observer_.told().size() == 1);
    {
        ASSERT_OK_AND_ASSIGN(const Lease first, pool.Acquire(seconds(5)));
        std::filesystem::remove(path());
        ASSERT_EVENTUALLY(observer_.told().size() == 2);
        EXPECT_OK(pool.Acquire(seconds(5)));
        EXPECT_EQ(pool.stats().opened_total, 2u);
    }
    EXPECT_THAT(observer_.told(),
                ElementsAre(reason::kPasswordEmpty, files::reason::kFileUnreadable));
}

// Goal: nothing reads the file, or tells of it, once the pool is closed, leases or not.
TEST_F(PasswordFileTest, AClosedPoolFollowsItNoLonger) {
    PasswordObserver observer;
    Pool pool(FromConfiguration(milliseconds(1)), SystemClock(), &observer);
    ASSERT_OK_AND_ASSIGN(const Lease lease, pool.Acquire(seconds(5)));
    Write("");
    ASSERT_EVENTUALLY(observer.told().size() == 1);
    pool.Close();
    Write("renewed");
    EXPECT_THAT(pool.Acquire(seconds(5)), Refuses(Code::kFailedPrecondition, reason::kPoolClosed));
    EXPECT_THAT(observer.told(), ElementsAre(reason::kPasswordEmpty));
}

}  // namespace
}  // namespace kessai::mysql
