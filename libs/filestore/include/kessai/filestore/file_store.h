#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kessai/result/result.h"

/// Where files for merchants and partners are kept: the port, for use cases and their fakes. The
/// stores behind it are in directory_store.h and s3_store.h.
namespace kessai::filestore {

namespace reason {
/// INVALID_ARGUMENT: CheckKey says what a key is. A store in a folder can't have "a" and "a/b"
/// both.
inline constexpr std::string_view kKeyInvalid = "STORE_KEY_INVALID";
/// NOT_FOUND: there is no such file.
inline constexpr std::string_view kFileUnknown = "STORE_FILE_UNKNOWN";
/// OUT_OF_RANGE: the offset is beyond the file's end.
inline constexpr std::string_view kOffsetBeyondEnd = "STORE_OFFSET_BEYOND_END";
/// ABORTED: the file was replaced or removed while it was read; open it again.
inline constexpr std::string_view kFileReplaced = "STORE_FILE_REPLACED";
/// DATA_LOSS: what the store has is not what was written, or the caller's count or hash is not. The
/// file is not committed; it may be made again.
inline constexpr std::string_view kContentDiffers = "STORE_CONTENT_DIFFERS";
/// ABORTED: somebody swept the half file away before its Commit; make it again.
inline constexpr std::string_view kHalfSwept = "STORE_HALF_SWEPT";
/// OUT_OF_RANGE: larger than the store can keep one file.
inline constexpr std::string_view kFileTooLarge = "STORE_FILE_TOO_LARGE";
/// RESOURCE_EXHAUSTED: no space or no quota left. Somebody must make room.
inline constexpr std::string_view kStoreFull = "STORE_FULL";
/// PERMISSION_DENIED: the store does not let us do that (rights, read-only, credentials).
inline constexpr std::string_view kStoreDenied = "STORE_DENIED";
/// UNAVAILABLE: the folder or the bucket is not there (not mounted, wrong name).
inline constexpr std::string_view kStoreGone = "STORE_GONE";
/// UNAVAILABLE: not reachable, too slow, or failing by itself, after the attempts that it is worth.
inline constexpr std::string_view kStoreFailing = "STORE_FAILING";
}  // namespace reason

using Sha256 = std::array<std::uint8_t, 32>;

/// A key is "2026-11-30/123/transaction_123_….csv": UTF-8 of at most 900 bytes in parts of 1 to 255
/// bytes joined by '/', without control characters and backslashes; no part begins with a dot.
/// Refuses with STORE_KEY_INVALID. Every method below that takes a key checks it.
Status CheckKey(std::string_view key);

/// One file that is being stored. Nothing of it is visible before Commit; destroyed without a
/// Commit that was ok, all of it is dropped. Used by one thread at a time; must not outlive its
/// store.
class FileWriter {
 public:
    virtual ~FileWriter() = default;
    /// Takes pieces of any size, and buffers what it needs. After a refusal the file is lost: drop
    /// it.
    virtual Status Write(std::string_view bytes) = 0;
    /// Before a Commit that others wait for, by who wrote: does what can be done without making the
    /// file visible, and lets go of what the writer holds (memory, a descriptor). `sha256` and
    /// `bytes` as of Commit, which has to follow with the same; nothing is written in between.
    virtual Status Seal(const Sha256& sha256, std::uint64_t bytes) {
        static_cast<void>(sha256);
        static_cast<void>(bytes);
        return OkStatus();
    }
    /// Ends the file. `sha256` and `bytes` are what the caller knows of all that it wrote; they are
    /// held against what the store has (STORE_CONTENT_DIFFERS). When ok the file is whole, visible
    /// and durable. Not ok: not visible, except that an UNAVAILABLE outcome may have been reached
    /// all the same (its answer was lost): the same file may be stored again under its key. Called
    /// once.
    virtual Status Commit(const Sha256& sha256, std::uint64_t bytes) = 0;
};

/// One file that is being read: the one that was there at Open, even if it is replaced meanwhile,
/// or a refusal (STORE_FILE_REPLACED). Used by one thread at a time; must not outlive its store.
class FileReader {
 public:
    virtual ~FileReader() = default;
    /// Up to into.size() bytes; 0 at the end only. Precondition: `into` is not empty.
    virtual Result<std::size_t> Read(std::span<char> into) = 0;
};

/// What Commit of the writer would be given.
struct FileToCommit {
    FileWriter* writer = nullptr;
    Sha256 sha256 = {};
    std::uint64_t bytes = 0;
};

struct FileInfo {
    std::string key;
    std::uint64_t bytes = 0;

    bool operator==(const FileInfo&) const = default;
};

/// Thread safe. Every method may block for I/O, and refuses with the reasons above.
class FileStore {
 public:
    virtual ~FileStore() = default;
    /// A file with that key is replaced at Commit, atomically; of two writers, the last Commit
    /// wins.
    virtual Result<std::unique_ptr<FileWriter>> Create(const std::string& key) = 0;
    /// Up to how many files it is cheaper to commit together than each by itself; 1: none.
    virtual std::size_t together_max() const { return 1; }
    /// Commits each of the files, whose writers are of this store, and says what Commit of each
    /// would. All that are ok are whole, visible and durable when it returns; until then some may
    /// be visible that a loss of power takes back, whole ones as ever.
    virtual std::vector<Status> CommitTogether(std::span<const FileToCommit> files);
    /// Reads from `offset`, in bytes, which may be the file's end.
    virtual Result<std::unique_ptr<FileReader>> Open(const std::string& key,
                                                     std::uint64_t offset) = 0;
    /// Nothing, if there is no such file.
    virtual Result<std::optional<FileInfo>> Stat(const std::string& key) = 0;
    /// Of no file: ok.
    virtual Status Remove(const std::string& key) = 0;
    /// Tells of each file below `folder`, which is a key's beginning up to a '/', at any depth and
    /// in no order; of a folder that is not there none. What is stored or removed meanwhile is told
    /// of or not; `take` may remove what it is told of. Its refusal ends the list and is returned.
    virtual Status List(const std::string& folder,
                        const std::function<Status(const FileInfo&)>& take) = 0;
    /// Drops halves that writers who died have left, if nothing was written to them for `age`; says
    /// how many. Take an age that no living writer pauses for.
    virtual Result<int> Sweep(std::chrono::seconds age) = 0;
};

}  // namespace kessai::filestore
