// Goal: a file in a folder is there whole or not at all, whoever dies or replaces it, and each way
// in which a disk fails has its own refusal. Method: a real folder; a writer killed by SIGKILL in a
// process of its own; volumes that are full or read-only, mounted where only the test's thread sees
// them; a clock that the test moves.

#include "kessai/filestore/directory_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "kessai/testing/matchers.h"
#include "kessai/testing/temp_dir.h"
#include "store_calls.h"

namespace kessai::filestore {
namespace {

using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::IsOkAnd;
using ::testing::Optional;
using testing::Refuses;

constexpr const char* kKey = "2026-11-30/123/売上 (1).csv";

class DirectoryStoreTest : public ::testing::Test {
 protected:
    /// Names of what waits below `.new`.
    std::vector<std::string> Halves() const {
        std::vector<std::string> names;
        std::error_code none;
        for (const auto& entry :
             std::filesystem::directory_iterator(directory_.Path(".new"), none)) {
            names.push_back(entry.path().filename());
        }
        return names;
    }

    testing::TempDir directory_;
    ManualClock clock_{SystemClock().Now()};
    std::unique_ptr<FileStore> store_ = OpenDirectoryStore({.path = directory_.path()}, clock_);
};

TEST_F(DirectoryStoreTest, WhatWasCommittedIsRead) {
    for (const std::size_t bytes : {0, 1, 262'143, 262'144, 262'145, 3'000'000}) {
        for (const std::size_t piece : {100'000, 262'144, 1'000'000}) {
            const std::string content = Noise(bytes);
            ASSERT_OK(Put(*store_, kKey, content, piece));
            EXPECT_THAT(Get(*store_, kKey), Gives(content)) << bytes << " by " << piece;
            EXPECT_THAT(store_->Stat(kKey), IsOkAnd(Optional(Eq(FileInfo{kKey, bytes}))));
        }
    }
    EXPECT_TRUE(testing::ReadFile(directory_.Path(kKey)) == Noise(3'000'000));
    EXPECT_THAT(Halves(), IsEmpty());
}

TEST_F(DirectoryStoreTest, ReadsFromAnOffset) {
    ASSERT_OK(Put(*store_, kKey, "0123456789"));
    EXPECT_THAT(Get(*store_, kKey, 7), IsOkAnd(Eq("789")));
    EXPECT_THAT(Get(*store_, kKey, 10), IsOkAnd(Eq("")));
    EXPECT_THAT(Get(*store_, kKey, 11), Refuses(Code::kOutOfRange, reason::kOffsetBeyondEnd));
}

TEST_F(DirectoryStoreTest, AFileIsNotSeenBeforeItsCommit) {
    ASSERT_OK_AND_ASSIGN(const auto writer, store_->Create(kKey));
    ASSERT_OK(writer->Write(Noise(1'000'000)));
    EXPECT_THAT(store_->Stat(kKey), IsOkAnd(Eq(std::nullopt)));
    EXPECT_THAT(Get(*store_, kKey), Refuses(Code::kNotFound, reason::kFileUnknown));
    ASSERT_OK(writer->Commit(Sha256Sum::Of(Noise(1'000'000)), 1'000'000));
    EXPECT_THAT(Get(*store_, kKey), Gives(Noise(1'000'000)));
}

TEST_F(DirectoryStoreTest, AFileWithoutCommitIsDropped) {
    {
        ASSERT_OK_AND_ASSIGN(const auto writer, store_->Create(kKey));
        ASSERT_OK(writer->Write(Noise(1'000'000)));
        EXPECT_EQ(Halves().size(), 1);
    }
    EXPECT_THAT(Halves(), IsEmpty());
    EXPECT_THAT(store_->Stat(kKey), IsOkAnd(Eq(std::nullopt)));
}

TEST_F(DirectoryStoreTest, WhatIsNotWhatWasMeantIsNotCommitted) {
    ASSERT_OK(Put(*store_, kKey, "the first"));
    for (const auto& [sha256, bytes] :
         {std::pair{Sha256Sum::Of("the second"), 9}, std::pair{Sha256Sum::Of("the secund"), 10}}) {
        ASSERT_OK_AND_ASSIGN(const auto writer, store_->Create(kKey));
        ASSERT_OK(writer->Write("the second"));
        EXPECT_THAT(writer->Commit(sha256, bytes),
                    Refuses(Code::kDataLoss, reason::kContentDiffers));
    }
    {
        // And where the disk has not what was written.
        ASSERT_OK_AND_ASSIGN(const auto writer, store_->Create(kKey));
        ASSERT_OK(writer->Write(Noise(300'000)));
        ASSERT_OK(writer->Write(Noise(300'000)));
        ASSERT_EQ(::truncate(directory_.Path(".new/" + Halves().at(0)).c_str(), 10), 0);
        EXPECT_THAT(writer->Commit(Sha256Sum::Of(Noise(300'000) + Noise(300'000)), 600'000),
                    Refuses(Code::kDataLoss, reason::kContentDiffers));
    }
    EXPECT_THAT(Get(*store_, kKey), IsOkAnd(Eq("the first")));
    EXPECT_THAT(Halves(), IsEmpty());
}

// Goal: files that are committed together are there as if each had been by itself, and one of them
// that cannot be holds none of the others up.
TEST_F(DirectoryStoreTest, FilesAreCommittedTogether) {
    ASSERT_GT(store_->together_max(), 1u);
    ASSERT_OK(Put(*store_, "day/5", "what was there before"));
    ASSERT_OK(Put(*store_, "day/folder/file", "so that its folder is one"));
    struct Planned {
        std::string key;
        std::string content;
        std::string meant;
        std::unique_ptr<FileWriter> writer;
    };
    std::vector<Planned> planned;
    for (int i = 0; i < 20; ++i) {
        const std::string content = Noise(static_cast<std::size_t>(i * 20'000), 1 + i);
        planned.push_back({"day/" + std::to_string(i), content, content, nullptr});
    }
    planned[3].meant = "something else";
    planned[7].key = "day/folder";
    planned[9].key = "day/new/folders/9";
    std::vector<FileToCommit> commits;
    for (std::size_t i = 0; i < planned.size(); ++i) {
        Planned& plan = planned[i];
        ASSERT_OK_AND_ASSIGN(plan.writer, store_->Create(plan.key));
        ASSERT_OK(plan.writer->Write(plan.content));
        commits.push_back({plan.writer.get(), Sha256Sum::Of(plan.meant), plan.meant.size()});
        if (i % 2 == 1) {
            EXPECT_EQ(plan.writer->Seal(commits.back().sha256, commits.back().bytes).ok(), i != 3);
        }
        if (i != 5) {
            EXPECT_THAT(store_->Open(plan.key, 0), Refuses(Code::kNotFound, reason::kFileUnknown))
                << i;
        }
    }
    const std::vector<Status> outcomes = store_->CommitTogether(commits);
    ASSERT_EQ(outcomes.size(), planned.size());
    for (std::size_t i = 0; i < planned.size(); ++i) {
        planned[i].writer.reset();
        if (i == 3) {
            EXPECT_THAT(outcomes[i], Refuses(Code::kDataLoss, reason::kContentDiffers));
            EXPECT_THAT(Get(*store_, planned[i].key),
                        Refuses(Code::kNotFound, reason::kFileUnknown));
        } else if (i == 7) {
            EXPECT_THAT(outcomes[i], Refuses(Code::kInvalidArgument, reason::kKeyInvalid));
            EXPECT_THAT(Get(*store_, "day/folder/file"), Gives("so that its folder is one"));
        } else {
            EXPECT_OK(outcomes[i]);
            EXPECT_THAT(Get(*store_, planned[i].key), Gives(planned[i].content)) << i;
        }
    }
    // No half is left.
    EXPECT_THAT(Halves(), IsEmpty());
}

// A sealed file may come to be committed alone, too; one that is not, is dropped.
TEST_F(DirectoryStoreTest, ASealedFileIsSeenWhenItIsCommitted) {
    for (const bool committed : {true, false}) {
        const std::string key = committed ? "kept" : "dropped";
        ASSERT_OK_AND_ASSIGN(auto writer, store_->Create(key));
        ASSERT_OK(writer->Write("content"));
        ASSERT_OK(writer->Seal(Sha256Sum::Of("content"), 7));
        EXPECT_THAT(Get(*store_, key), Refuses(Code::kNotFound, reason::kFileUnknown));
        if (committed) {
            ASSERT_OK(writer->Commit(Sha256Sum::Of("content"), 7));
        }
        writer.reset();
        if (committed) {
            EXPECT_THAT(Get(*store_, key), Gives("content"));
        } else {
            EXPECT_THAT(Get(*store_, key), Refuses(Code::kNotFound, reason::kFileUnknown));
        }
    }
    EXPECT_THAT(Halves(), IsEmpty());
}

TEST_F(DirectoryStoreTest, AReaderKeepsTheFileThatItOpened) {
    const std::string before = Noise(500'000, 1), after = Noise(500'000, 2);
    ASSERT_OK(Put(*store_, kKey, before));
    ASSERT_OK_AND_ASSIGN(const auto reader, store_->Open(kKey, 0));
    std::string read(500'000, '\0');
    ASSERT_THAT(reader->Read(std::span(read).first(1'000)), IsOkAnd(Eq(1'000)));
    ASSERT_OK(Put(*store_, kKey, after));
    for (std::size_t at = 1'000; at < read.size();) {
        ASSERT_OK_AND_ASSIGN(const std::size_t count, reader->Read(std::span(read).subspan(at)));
        ASSERT_GT(count, 0);
        at += count;
    }
    EXPECT_TRUE(read == before);
    EXPECT_THAT(Get(*store_, kKey), Gives(after));
}

TEST_F(DirectoryStoreTest, RemovesAFileAndTheFoldersThatItLeavesEmpty) {
    ASSERT_OK(Put(*store_, "2026-11-30/1/a.csv", "a"));
    ASSERT_OK(Put(*store_, "2026-11-30/2/b.csv", "b"));
    ASSERT_OK(store_->Remove("2026-11-30/1/a.csv"));
    EXPECT_THAT(store_->Stat("2026-11-30/1/a.csv"), IsOkAnd(Eq(std::nullopt)));
    EXPECT_FALSE(std::filesystem::exists(directory_.Path("2026-11-30/1")));
    EXPECT_THAT(Get(*store_, "2026-11-30/2/b.csv"), IsOkAnd(Eq("b")));
    ASSERT_OK(store_->Remove("2026-11-30/2/b.csv"));
    EXPECT_FALSE(std::filesystem::exists(directory_.Path("2026-11-30")));
    // Of no file, and of a folder.
    EXPECT_THAT(store_->Remove("2026-11-30/2/b.csv"), IsOk());
    ASSERT_OK(Put(*store_, "2026-11-30/3/c.csv", "c"));
    EXPECT_THAT(store_->Remove("2026-11-30"), IsOk());
    EXPECT_THAT(Get(*store_, "2026-11-30/3/c.csv"), IsOkAnd(Eq("c")));
}

TEST_F(DirectoryStoreTest, ListsTheFilesBelowAFolderAndNoHalves) {
    EXPECT_THAT(KeysBelow(*store_, "day"), IsOkAnd(IsEmpty()));
    for (const char* key : {"day/run/1/売上.csv", "day/run/1/b.csv", "day/run/2/c.csv",
                            "day/runner/d.csv", "day/e.csv", "other/run/f.csv"}) {
        ASSERT_OK(Put(*store_, key, "content"));
    }
    ASSERT_OK_AND_ASSIGN(const auto half, store_->Create("day/run/2/half.csv"));
    EXPECT_THAT(KeysBelow(*store_, "day/run"),
                IsOkAnd(ElementsAre("day/run/1/b.csv", "day/run/1/売上.csv", "day/run/2/c.csv")));
    EXPECT_THAT(KeysBelow(*store_, "day/e.csv"), IsOkAnd(IsEmpty())) << "a file is no folder";
    EXPECT_THAT(KeysBelow(*store_, "../day"), Refuses(Code::kInvalidArgument, reason::kKeyInvalid));
    // Whoever looks may remove what it is told of, or end it.
    int told = 0;
    EXPECT_THAT(store_->List("day",
                             [&](const FileInfo& file) {
                                 EXPECT_EQ(file.bytes, 7u);
                                 ++told;
                                 return store_->Remove(file.key);
                             }),
                IsOk());
    EXPECT_EQ(told, 5);
    EXPECT_THAT(KeysBelow(*store_, "day"), IsOkAnd(IsEmpty()));
    EXPECT_THAT(
        store_->List("other", [](const FileInfo&) { return Status(Code::kAborted, "ENOUGH", ""); }),
        Refuses(Code::kAborted, "ENOUGH"));
}

TEST_F(DirectoryStoreTest, ManyWritersAndRemoversMeetInTheSameFolders) {
    std::atomic<int> refused{0};
    {
        std::vector<std::jthread> threads;
        for (int thread = 0; thread < 6; ++thread) {
            threads.emplace_back([&, thread] {
                const std::string own =
                    "d/" + std::to_string(thread % 2) + "/" + std::to_string(thread) + ".csv";
                for (int i = 0; i < 40; ++i) {
                    const std::string content = Noise(1'000 + i, thread);
                    const Status put = Put(*store_, own, content);
                    const auto got = Get(*store_, own);
                    if (!put.ok() || !got.ok() || *got != content || !store_->Remove(own).ok()) {
                        ++refused;
                    }
                }
            });
        }
    }
    EXPECT_EQ(refused, 0);
    EXPECT_FALSE(std::filesystem::exists(directory_.Path("d")));
}

TEST_F(DirectoryStoreTest, OfTwoWritersTheLastCommitWins) {
    ASSERT_OK_AND_ASSIGN(const auto one, store_->Create(kKey));
    ASSERT_OK_AND_ASSIGN(const auto two, store_->Create(kKey));
    ASSERT_OK(one->Write("one"));
    ASSERT_OK(two->Write("two"));
    ASSERT_OK(two->Commit(Sha256Sum::Of("two"), 3));
    ASSERT_OK(one->Commit(Sha256Sum::Of("one"), 3));
    EXPECT_THAT(Get(*store_, kKey), IsOkAnd(Eq("one")));
}

TEST_F(DirectoryStoreTest, TheHalfOfAKilledWriterIsSweptWhenItIsOld) {
    ASSERT_OK(Put(*store_, kKey, "the first"));
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        auto writer = store_->Create(kKey);
        (void)writer.value()->Write(Noise(1'000'000));
        ::raise(SIGKILL);
    }
    int ended = 0;
    ASSERT_EQ(::waitpid(child, &ended, 0), child);
    ASSERT_TRUE(WIFSIGNALED(ended) && WTERMSIG(ended) == SIGKILL);

    EXPECT_EQ(Halves().size(), 1);
    EXPECT_THAT(Get(*store_, kKey), IsOkAnd(Eq("the first")));
    EXPECT_THAT(store_->Sweep(std::chrono::hours(1)), IsOkAnd(Eq(0)));
    clock_.Advance(std::chrono::hours(2));
    // A living writer's is spared, at whatever age.
    ASSERT_OK_AND_ASSIGN(const auto alive, store_->Create(kKey));
    ASSERT_OK(alive->Write("alive"));
    EXPECT_THAT(store_->Sweep(std::chrono::hours(1)), IsOkAnd(Eq(1)));
    EXPECT_EQ(Halves().size(), 1);
    ASSERT_OK(alive->Commit(Sha256Sum::Of("alive"), 5));
    EXPECT_THAT(Get(*store_, kKey), IsOkAnd(Eq("alive")));
    EXPECT_THAT(store_->Sweep(std::chrono::seconds(0)), IsOkAnd(Eq(0)));
}

TEST_F(DirectoryStoreTest, AHalfThatAnotherMachineSweptIsToldToItsWriter) {
    ASSERT_OK_AND_ASSIGN(const auto writer, store_->Create(kKey));
    ASSERT_OK(writer->Write("half"));
    std::filesystem::remove(directory_.Path(".new/" + Halves().at(0)));
    EXPECT_THAT(writer->Commit(Sha256Sum::Of("half"), 4),
                Refuses(Code::kAborted, reason::kHalfSwept));
}

TEST_F(DirectoryStoreTest, AFolderThatIsNotThereIsToldAndNotMade) {
    const auto gone = OpenDirectoryStore({.path = directory_.Path("volume")}, clock_);
    const auto is_gone = Refuses(Code::kUnavailable, reason::kStoreGone);
    EXPECT_THAT(gone->Create(kKey).status(), is_gone);
    EXPECT_THAT(gone->Open(kKey, 0).status(), is_gone);
    EXPECT_THAT(gone->Stat(kKey), is_gone);
    EXPECT_THAT(gone->Remove(kKey), is_gone);
    EXPECT_THAT(gone->Sweep(std::chrono::seconds(0)), is_gone);
    EXPECT_THAT(std::string(gone->Stat(kKey).status().message()),
                HasSubstr(directory_.Path("volume")));
    EXPECT_FALSE(std::filesystem::exists(directory_.Path("volume")));
    // And serves when it is mounted, without a new start.
    std::filesystem::create_directory(directory_.Path("volume"));
    EXPECT_THAT(Put(*gone, kKey, "a"), IsOk());
}

TEST_F(DirectoryStoreTest, LooksAtNothingButItsFiles) {
    std::filesystem::create_directory(directory_.Path("folder"));
    std::filesystem::create_symlink("/etc/passwd", directory_.Path("link.csv"));
    for (const char* key : {"folder", "link.csv"}) {
        EXPECT_THAT(store_->Stat(key), IsOkAnd(Eq(std::nullopt))) << key;
        EXPECT_FALSE(Get(*store_, key).ok()) << key;
    }
    EXPECT_THAT(Put(*store_, "folder", "a"), Refuses(Code::kInvalidArgument, reason::kKeyInvalid));
    ASSERT_OK(Put(*store_, "file", "a"));
    EXPECT_THAT(Put(*store_, "file/below", "b"),
                Refuses(Code::kInvalidArgument, reason::kKeyInvalid));
    for (const char* key : {"../x", "a/../../x", "/etc/passwd", ".new/x"}) {
        const auto invalid = Refuses(Code::kInvalidArgument, reason::kKeyInvalid);
        EXPECT_THAT(store_->Create(key).status(), invalid) << key;
        EXPECT_THAT(store_->Open(key, 0).status(), invalid) << key;
        EXPECT_THAT(store_->Stat(key), invalid) << key;
        EXPECT_THAT(store_->Remove(key), invalid) << key;
    }
}

TEST_F(DirectoryStoreTest, AFileBeyondTheLimitOfSizeIsRefused) {
    rlimit before = {};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    rlimit low = before;
    low.rlim_cur = 1'000'000;
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &low), 0);
    const Status outcome = Put(*store_, kKey, Noise(2'000'000));
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
    std::signal(SIGXFSZ, handler);
    EXPECT_THAT(outcome, Refuses(Code::kOutOfRange, reason::kFileTooLarge));
    EXPECT_THAT(Halves(), IsEmpty());
}

/// Runs `body` on a thread of its own, which alone sees a volume of 1 MiB mounted over `path`.
/// False if this user may not mount.
bool WithSmallVolume(const std::string& path, const std::function<void()>& body) {
    bool mounted = false;
    std::thread([&] {
        mounted = ::unshare(CLONE_NEWNS) == 0 &&
                  ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                  ::mount("none", path.c_str(), "tmpfs", 0, "size=1m") == 0;
        if (mounted) body();
    }).join();
    return mounted;
}

TEST_F(DirectoryStoreTest, AFullVolumeIsToldAndServesAgainWhenThereIsRoom) {
    const bool mounted = WithSmallVolume(directory_.path(), [&] {
        ASSERT_OK(Put(*store_, "old.csv", Noise(500'000)));
        EXPECT_THAT(Put(*store_, kKey, Noise(2'000'000)),
                    Refuses(Code::kResourceExhausted, reason::kStoreFull));
        // Its half is gone, so the room is there again.
        EXPECT_THAT(Halves(), IsEmpty());
        EXPECT_THAT(Get(*store_, "old.csv"), Gives(Noise(500'000)));
        EXPECT_THAT(Put(*store_, kKey, Noise(400'000)), IsOk());
    });
    if (!mounted) GTEST_SKIP() << "this user may not mount a volume";
}

TEST_F(DirectoryStoreTest, AReadOnlyVolumeIsToldAndCanBeRead) {
    const bool mounted = WithSmallVolume(directory_.path(), [&] {
        ASSERT_OK(Put(*store_, kKey, "kept"));
        ASSERT_EQ(::mount("none", directory_.path().c_str(), nullptr,
                          MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr),
                  0);
        const auto is_denied = Refuses(Code::kPermissionDenied, reason::kStoreDenied);
        EXPECT_THAT(store_->Create("late.csv").status(), is_denied);
        EXPECT_THAT(store_->Remove(kKey), is_denied);
        EXPECT_THAT(Get(*store_, kKey), IsOkAnd(Eq("kept")));
    });
    if (!mounted) GTEST_SKIP() << "this user may not mount a volume";
}

}  // namespace
}  // namespace kessai::filestore
