// Goal: what a file says comes into force when it changes, bad content never does, and each of
// these is told once.
// Method: a real file, replaced by renaming; readings by hand where the order matters, by the
// background thread where that is what is shown.

#include "kessai/files/followed_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

#include "kessai/testing/eventually.h"
#include "kessai/testing/matchers.h"
#include "kessai/testing/temp_dir.h"

namespace kessai::files {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Refuses;

class FollowedFileTest : public ::testing::Test {
 protected:
    void Write(std::string_view content) {
        std::filesystem::rename(directory_.Write("new", content), path());
    }
    std::string path() const { return directory_.Path("file"); }
    FollowedFile::Options Options(Duration check_interval) {
        return {.path = path(),
                .check_interval = check_interval,
                .bytes_max = 16,
                .take = [this](std::string_view content) -> Status {
                    if (content == "bad") return Status(Code::kInvalidArgument, "BAD", "no good");
                    const std::lock_guard lock(mutex_);
                    taken_.emplace_back(content);
                    return {};
                },
                .on_change =
                    [this](const Status& outcome) {
                        const std::lock_guard lock(mutex_);
                        told_.emplace_back(outcome.ok() ? "OK" : outcome.reason());
                    }};
    }
    std::vector<std::string> Taken() {
        const std::lock_guard lock(mutex_);
        return taken_;
    }
    std::vector<std::string> Told() {
        const std::lock_guard lock(mutex_);
        return told_;
    }

    testing::TempDir directory_{"files"};
    std::mutex mutex_;
    std::vector<std::string> taken_;
    std::vector<std::string> told_;
};

TEST_F(FollowedFileTest, OnlyWhatChangedIsTakenUpAndTold) {
    FollowedFile file(Options(std::chrono::hours(1)));
    EXPECT_THAT(file.Reload(), Refuses(Code::kUnavailable, reason::kFileUnreadable));
    EXPECT_THAT(std::string(file.Reload().message()), HasSubstr(path()));
    Write("one");
    EXPECT_OK(file.Reload());
    EXPECT_OK(file.Reload());
    Write("bad");
    EXPECT_THAT(file.Reload(), Refuses(Code::kInvalidArgument, "BAD"));
    EXPECT_THAT(file.Reload(), Refuses(Code::kInvalidArgument, "BAD"));
    Write("one");
    EXPECT_OK(file.Reload());
    Write("two");
    EXPECT_OK(file.Reload());
    EXPECT_THAT(Taken(), ElementsAre("one", "two"));
    EXPECT_THAT(Told(), ElementsAre(reason::kFileUnreadable, "OK", "BAD", "OK", "OK"));
}

TEST_F(FollowedFileTest, AFileBeyondItsBoundIsNotRead) {
    FollowedFile file(Options(std::chrono::hours(1)));
    Write(std::string(16, 'x'));
    EXPECT_OK(file.Reload());
    Write(std::string(17, 'x'));
    EXPECT_THAT(file.Reload(), Refuses(Code::kUnavailable, reason::kFileUnreadable));
    EXPECT_THAT(Taken(), ElementsAre(std::string(16, 'x')));
}

TEST_F(FollowedFileTest, ChangesAreSeenInTheBackgroundUntilItIsStopped) {
    FollowedFile file(Options(std::chrono::milliseconds(2)));
    file.Start();
    EXPECT_EVENTUALLY(Told().size() == 1);
    Write("one");
    EXPECT_EVENTUALLY(Taken().size() == 1);
    std::filesystem::remove(path());
    EXPECT_EVENTUALLY(Told().size() == 3);
    Write("two");
    EXPECT_EVENTUALLY(Told().size() == 4);
    EXPECT_THAT(Taken(), ElementsAre("one", "two"));
    EXPECT_THAT(Told(), ElementsAre(reason::kFileUnreadable, "OK", reason::kFileUnreadable, "OK"));
    // Stopping ends a wait of any length: the test would not end otherwise.
    file.Stop();
    FollowedFile slow(Options(std::chrono::hours(1)));
    slow.Start();
}

}  // namespace
}  // namespace kessai::files
