#include "kessai/filestore/directory_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <random>
#include <utility>
#include <vector>

#include "sha256_sum.h"

namespace kessai::filestore {
namespace {

constexpr const char* kHalves = ".new";
constexpr std::size_t kBufferBytes = std::size_t{256} << 10;
constexpr off_t kBegunBytes = off_t{8} << 20;
/// Beyond it flushing costs a file next to nothing any more.
constexpr std::size_t kTogetherMax = 256;
/// A folder can go between its making and its use as often as somebody removes its last file.
constexpr int kCommitAttemptsMax = 100;

Status Failed(int error, std::string_view what) {
    const std::string message = std::string(what) + ": " + std::strerror(error);
    switch (error) {
        case ENOSPC:
        case EDQUOT:
            return {Code::kResourceExhausted, reason::kStoreFull, message};
        case EFBIG:
            return {Code::kOutOfRange, reason::kFileTooLarge, message};
        case EROFS:
        case EACCES:
        case EPERM:
            return {Code::kPermissionDenied, reason::kStoreDenied, message};
        case ENOENT:
        case ENOTDIR:
        case ESTALE:
        case ENODEV:
        case ENXIO:
        case ENOTCONN:
            return {Code::kUnavailable, reason::kStoreGone, message};
        default:
            return {Code::kUnavailable, reason::kStoreFailing, message};
    }
}

Status FileUnknown(const std::string& key) {
    return {Code::kNotFound, reason::kFileUnknown, "there is no file " + key};
}

/// An open file or folder, closed at its end.
class Descriptor {
 public:
    explicit Descriptor(int number = -1) : number_(number) {}
    ~Descriptor() { Close(); }
    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        Close();
        number_ = std::exchange(other.number_, -1);
        return *this;
    }

    int number() const { return number_; }
    bool ok() const { return number_ >= 0; }

 private:
    /// What it says is of no interest: what must be there was flushed.
    void Close() {
        if (ok()) ::close(std::exchange(number_, -1));
    }

    int number_;
};

Descriptor OpenFolder(int at, const std::string& path) {
    return Descriptor(::openat(at, path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

std::string FolderOf(const std::string& key) {
    const std::size_t slash = key.rfind('/');
    return slash == std::string::npos ? std::string() : key.substr(0, slash);
}

/// `folder` and those above it below the root, outermost last: "a/b", "a".
std::vector<std::string> FoldersUpwards(std::string folder) {
    std::vector<std::string> folders;
    for (; !folder.empty(); folder = FolderOf(folder)) folders.push_back(folder);
    return folders;
}

/// No other writer's, on whatever machine.
std::string UniqueName() {
    static const std::string machine = [] {
        std::random_device random;
        std::string name;
        for (int i = 0; i < 4; ++i) name += std::to_string(random()) + "-";
        return name;
    }();
    static std::atomic<std::uint64_t> next{0};
    // A forked process has the numbers of its parent, but not its id.
    return machine + std::to_string(::getpid()) + "-" + std::to_string(next.fetch_add(1));
}

/// Makes all of the file system durable, and tells of whatever could not be written since the
/// folder was opened (Linux 5.8).
Status FlushAll(const Descriptor& root, const std::string& root_path) {
    if (::syncfs(root.number()) != 0) {
        return Failed(errno, "flushing the file system of " + root_path);
    }
    return {};
}

/// A half is either made durable by itself, or sealed and made durable with others.
class DirectoryWriter final : public FileWriter {
 public:
    DirectoryWriter(std::string root_path, std::shared_ptr<const Descriptor> root, std::string half,
                    Descriptor file, std::string key)
        : root_path_(std::move(root_path)),
          root_(std::move(root)),
          half_(std::move(half)),
          file_(std::move(file)),
          key_(std::move(key)) {}
    ~DirectoryWriter() override {
        if (!half_.empty()) ::unlinkat(root_->number(), half_.c_str(), 0);
    }

    Status Write(std::string_view bytes) override {
        if (!refusal_.ok()) return refusal_;
        bytes_ += bytes.size();
        sum_.Add(bytes);
        if (buffer_.size() + bytes.size() <= kBufferBytes) {
            buffer_ += bytes;
            return {};
        }
        refusal_ = Flush();
        if (refusal_.ok() && bytes.size() < kBufferBytes) {
            buffer_ += bytes;
        } else if (refusal_.ok()) {
            refusal_ = WriteAll(bytes);
        }
        return refusal_;
    }

    Status Seal(const Sha256& sha256, std::uint64_t bytes) override {
        if (!refusal_.ok()) return refusal_;
        if (sealed_) return {};
        refusal_ = Check(sha256, bytes);
        sealed_ = true;
        file_ = Descriptor();
        return refusal_;
    }

    Status Commit(const Sha256& sha256, std::uint64_t bytes) override {
        if (!refusal_.ok()) return refusal_;
        refusal_ = CommitOnce(sha256, bytes);
        return refusal_;
    }

    // --- of a commit of several, step by step

    const std::shared_ptr<const Descriptor>& root() const { return root_; }
    /// Once what is sealed is durable; that it has this name is not yet.
    Status MoveToKey() {
        if (!refusal_.ok()) return refusal_;
        refusal_ = Rename();
        if (refusal_.ok()) half_.clear();
        return refusal_;
    }

 private:
    std::string What(std::string_view doing) const {
        return std::string(doing) + " " + root_path_ + "/" + key_;
    }

    Status Flush() {
        const Status written = WriteAll(buffer_);
        buffer_.clear();
        return written;
    }

    Status WriteAll(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t written = ::write(file_.number(), bytes.data(), bytes.size());
            if (written < 0) {
                if (errno == EINTR) continue;
                return Failed(errno, What("writing"));
            }
            bytes.remove_prefix(static_cast<std::size_t>(written));
            written_ += written;
        }
        // So that the disk has little left to do when all of a large file has to be on it. What
        // comes of it Commit is told.
        if (written_ - begun_ >= kBegunBytes) {
            (void)::sync_file_range(file_.number(), begun_, written_ - begun_,
                                    SYNC_FILE_RANGE_WRITE);
            begun_ = written_;
        }
        return {};
    }

    /// All of it is with the file system, and is what was meant.
    Status Check(const Sha256& sha256, std::uint64_t bytes) {
        KESSAI_RETURN_IF_ERROR(Flush());
        buffer_ = {};
        struct stat now = {};
        if (::fstat(file_.number(), &now) != 0) return Failed(errno, What("looking at"));
        const Sha256 sum = sum_.Finish();
        if (bytes != bytes_ || std::cmp_not_equal(now.st_size, bytes_) || sha256 != sum) {
            return {Code::kDataLoss, reason::kContentDiffers,
                    key_ + ": " + std::to_string(bytes_) + " bytes of SHA-256 " + ToHex(sum) +
                        " were written, " + std::to_string(now.st_size) + " are stored, " +
                        std::to_string(bytes) + " of " + ToHex(sha256) + " were meant"};
        }
        return {};
    }

    Status CommitOnce(const Sha256& sha256, std::uint64_t bytes) {
        if (sealed_) {
            KESSAI_RETURN_IF_ERROR(FlushAll(*root_, root_path_));
        } else {
            KESSAI_RETURN_IF_ERROR(Check(sha256, bytes));
            if (::fsync(file_.number()) != 0) return Failed(errno, What("flushing"));
        }
        KESSAI_RETURN_IF_ERROR(Rename());
        half_.clear();
        return FlushFolders();
    }

    Status Rename() {
        for (int attempt = 0; attempt < kCommitAttemptsMax; ++attempt) {
            if (::renameat(root_->number(), half_.c_str(), root_->number(), key_.c_str()) == 0) {
                return {};
            }
            if (errno == ENOTDIR || errno == EISDIR || errno == ENOTEMPTY || errno == EEXIST) {
                return {Code::kInvalidArgument, reason::kKeyInvalid,
                        key_ + " is a folder in " + root_path_ + ", or a part of it is a file"};
            }
            if (errno != ENOENT) return Failed(errno, What("naming"));
            if (::faccessat(root_->number(), half_.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) != 0) {
                return {Code::kAborted, reason::kHalfSwept,
                        What("somebody swept away the half of")};
            }
            const auto folders = FoldersUpwards(FolderOf(key_));
            for (auto folder = folders.rbegin(); folder != folders.rend(); ++folder) {
                if (::mkdirat(root_->number(), folder->c_str(), 0777) != 0 && errno != EEXIST &&
                    errno != ENOENT) {
                    return Failed(errno, What("making the folder of"));
                }
            }
        }
        return {Code::kUnavailable, reason::kStoreFailing,
                What("its folder goes again and again:")};
    }

    /// The folder of the file, and those above it: another writer may have made them, and not come
    /// to flush them yet.
    Status FlushFolders() {
        for (const std::string& path : FoldersUpwards(FolderOf(key_))) {
            const Descriptor folder = OpenFolder(root_->number(), path);
            // Gone: somebody removed the file again.
            if (!folder.ok() && errno == ENOENT) continue;
            if (!folder.ok() || ::fsync(folder.number()) != 0) {
                return Failed(errno, What("flushing the folder of"));
            }
        }
        if (::fsync(root_->number()) != 0) return Failed(errno, "flushing " + root_path_);
        return {};
    }

    const std::string root_path_;
    const std::shared_ptr<const Descriptor> root_;
    /// Below the root; empty when it has its key.
    std::string half_;
    Descriptor file_;
    const std::string key_;
    std::string buffer_;
    std::uint64_t bytes_ = 0;
    /// With the file system, and on the way to the disk.
    off_t written_ = 0;
    off_t begun_ = 0;
    Sha256Sum sum_;
    bool sealed_ = false;
    Status refusal_;
};

class DirectoryReader final : public FileReader {
 public:
    DirectoryReader(std::string path, Descriptor file)
        : path_(std::move(path)), file_(std::move(file)) {}

    Result<std::size_t> Read(std::span<char> into) override {
        while (true) {
            const ssize_t count = ::read(file_.number(), into.data(), into.size());
            if (count >= 0) return static_cast<std::size_t>(count);
            if (errno != EINTR) return Failed(errno, "reading " + path_);
        }
    }

 private:
    const std::string path_;
    const Descriptor file_;
};

class DirectoryStore final : public FileStore {
 public:
    DirectoryStore(DirectoryOptions options, const Clock& clock)
        : path_(std::move(options.path)), clock_(clock) {}

    Result<std::unique_ptr<FileWriter>> Create(const std::string& key) override {
        KESSAI_RETURN_IF_ERROR(CheckKey(key));
        KESSAI_ASSIGN_OR_RETURN(auto root, SharedRoot());
        if (::mkdirat(root->number(), kHalves, 0777) != 0 && errno != EEXIST) {
            return Failed(errno, "making " + path_ + "/" + kHalves);
        }
        const std::string half = std::string(kHalves) + "/" + UniqueName();
        Descriptor file(
            ::openat(root->number(), half.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
        if (!file.ok()) return Failed(errno, "making " + path_ + "/" + half);
        // File systems without locks have halves swept by age alone.
        (void)::flock(file.number(), LOCK_EX | LOCK_NB);
        return std::unique_ptr<FileWriter>(
            std::make_unique<DirectoryWriter>(path_, std::move(root), half, std::move(file), key));
    }

    std::size_t together_max() const override { return kTogetherMax; }

    std::vector<Status> CommitTogether(std::span<const FileToCommit> files) override {
        if (files.size() < 2) return FileStore::CommitTogether(files);
        std::vector<Status> outcomes;
        for (const FileToCommit& file : files) {
            outcomes.push_back(file.writer->Seal(file.sha256, file.bytes));
        }
        // First what they hold, then what they are called: nobody sees a name without its bytes,
        // whenever the power goes.
        FlushRoots(files, outcomes);
        for (std::size_t i = 0; i < files.size(); ++i) {
            if (outcomes[i].ok()) outcomes[i] = Of(files[i]).MoveToKey();
        }
        FlushRoots(files, outcomes);
        return outcomes;
    }

    Result<std::unique_ptr<FileReader>> Open(const std::string& key,
                                             std::uint64_t offset) override {
        KESSAI_RETURN_IF_ERROR(CheckKey(key));
        KESSAI_ASSIGN_OR_RETURN(const Descriptor root, Root());
        Descriptor file(
            ::openat(root.number(), key.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
        if (!file.ok()) {
            if (errno == ENOENT || errno == ENOTDIR) return FileUnknown(key);
            return Failed(errno, "opening " + path_ + "/" + key);
        }
        struct stat now = {};
        if (::fstat(file.number(), &now) != 0)
            return Failed(errno, "looking at " + path_ + "/" + key);
        if (!S_ISREG(now.st_mode)) return FileUnknown(key);
        if (std::cmp_greater(offset, now.st_size)) {
            return Status(Code::kOutOfRange, reason::kOffsetBeyondEnd,
                          key + " has " + std::to_string(now.st_size) + " bytes, and none at " +
                              std::to_string(offset));
        }
        if (::lseek(file.number(), static_cast<off_t>(offset), SEEK_SET) < 0) {
            return Failed(errno, "reading " + path_ + "/" + key);
        }
        return std::unique_ptr<FileReader>(
            std::make_unique<DirectoryReader>(path_ + "/" + key, std::move(file)));
    }

    Result<std::optional<FileInfo>> Stat(const std::string& key) override {
        KESSAI_RETURN_IF_ERROR(CheckKey(key));
        KESSAI_ASSIGN_OR_RETURN(const Descriptor root, Root());
        struct stat now = {};
        if (::fstatat(root.number(), key.c_str(), &now, AT_SYMLINK_NOFOLLOW) != 0) {
            if (errno == ENOENT || errno == ENOTDIR) return std::optional<FileInfo>();
            return Failed(errno, "looking at " + path_ + "/" + key);
        }
        if (!S_ISREG(now.st_mode)) return std::optional<FileInfo>();
        return std::optional(FileInfo{key, static_cast<std::uint64_t>(now.st_size)});
    }

    Status Remove(const std::string& key) override {
        KESSAI_RETURN_IF_ERROR(CheckKey(key));
        KESSAI_ASSIGN_OR_RETURN(const Descriptor root, Root());
        if (::unlinkat(root.number(), key.c_str(), 0) != 0) {
            // A folder is no file.
            if (errno == ENOENT || errno == ENOTDIR || errno == EISDIR) return {};
            return Failed(errno, "removing " + path_ + "/" + key);
        }
        // Folders that this left empty go too; a writer that needs one makes it again.
        std::string kept = FolderOf(key);
        while (!kept.empty() && ::unlinkat(root.number(), kept.c_str(), AT_REMOVEDIR) == 0) {
            kept = FolderOf(kept);
        }
        const Descriptor folder = OpenFolder(root.number(), kept.empty() ? "." : kept);
        // Gone meanwhile by another's hand, and the file with it.
        if (!folder.ok() && errno == ENOENT) return {};
        if (!folder.ok() || ::fsync(folder.number()) != 0) {
            return Failed(errno, "flushing the folder of " + path_ + "/" + key);
        }
        return {};
    }

    Result<int> Sweep(std::chrono::seconds age) override {
        KESSAI_ASSIGN_OR_RETURN(const Descriptor root, Root());
        Descriptor halves = OpenFolder(root.number(), kHalves);
        if (!halves.ok()) {
            if (errno == ENOENT) return 0;
            return Failed(errno, "looking into " + path_ + "/" + kHalves);
        }
        const int at = ::dup(halves.number());
        if (at < 0) return Failed(errno, "looking into " + path_ + "/" + kHalves);
        const std::unique_ptr<DIR, int (*)(DIR*)> entries(::fdopendir(at), &::closedir);
        if (entries == nullptr) {
            const int error = errno;
            ::close(at);
            return Failed(error, "looking into " + path_ + "/" + kHalves);
        }
        int swept = 0;
        while (const dirent* entry = ::readdir(entries.get())) {
            if (entry->d_name[0] == '.') continue;
            KESSAI_ASSIGN_OR_RETURN(const bool dropped, SweepOne(halves, entry->d_name, age));
            swept += dropped ? 1 : 0;
        }
        return swept;
    }

    Status List(const std::string& folder,
                const std::function<Status(const FileInfo&)>& take) override {
        KESSAI_RETURN_IF_ERROR(CheckKey(folder));
        KESSAI_ASSIGN_OR_RETURN(const Descriptor root, Root());
        return ListFolder(root, folder, take);
    }

 private:
    Result<Descriptor> Root() const {
        Descriptor root = OpenFolder(AT_FDCWD, path_);
        if (!root.ok()) return Failed(errno, "opening the folder " + path_);
        return root;
    }

    /// The folder as the other writers of now have it open, who began before: it tells of what
    /// could not be written for any of them.
    Result<std::shared_ptr<const Descriptor>> SharedRoot() {
        KESSAI_ASSIGN_OR_RETURN(Descriptor root, Root());
        struct stat now = {};
        if (::fstat(root.number(), &now) != 0) return Failed(errno, "looking at " + path_);
        const std::lock_guard lock(mutex_);
        auto shared = shared_root_.lock();
        if (shared != nullptr && now.st_dev == root_device_ && now.st_ino == root_inode_) {
            return shared;
        }
        shared = std::make_shared<const Descriptor>(std::move(root));
        shared_root_ = shared;
        root_device_ = now.st_dev;
        root_inode_ = now.st_ino;
        return shared;
    }

    static DirectoryWriter& Of(const FileToCommit& file) {
        return static_cast<DirectoryWriter&>(*file.writer);
    }
    /// Those of the files that are well so far; nearly always there is one root.
    void FlushRoots(std::span<const FileToCommit> files, std::vector<Status>& outcomes) const {
        std::map<const Descriptor*, Status> flushed;
        for (std::size_t i = 0; i < files.size(); ++i) {
            if (!outcomes[i].ok()) continue;
            const Descriptor* root = Of(files[i]).root().get();
            auto found = flushed.find(root);
            if (found == flushed.end()) {
                found = flushed.emplace(root, FlushAll(*root, path_)).first;
            }
            outcomes[i] = found->second;
        }
    }

    /// Holds one open folder for each level of a key.
    Status ListFolder(const Descriptor& root, const std::string& folder,
                      const std::function<Status(const FileInfo&)>& take) {
        const int opened = ::openat(root.number(), folder.c_str(),
                                    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (opened < 0) {
            if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP) return {};
            return Failed(errno, "looking into " + path_ + "/" + folder);
        }
        const std::unique_ptr<DIR, int (*)(DIR*)> entries(::fdopendir(opened), &::closedir);
        if (entries == nullptr) {
            const int error = errno;
            ::close(opened);
            return Failed(error, "looking into " + path_ + "/" + folder);
        }
        while (true) {
            errno = 0;
            const dirent* entry = ::readdir(entries.get());
            if (entry == nullptr) {
                return errno == 0 ? Status()
                                  : Failed(errno, "looking into " + path_ + "/" + folder);
            }
            if (entry->d_name[0] == '.') continue;
            const std::string key = folder + "/" + entry->d_name;
            struct stat now = {};
            if (::fstatat(root.number(), key.c_str(), &now, AT_SYMLINK_NOFOLLOW) != 0) {
                // Removed meanwhile.
                if (errno == ENOENT || errno == ENOTDIR) continue;
                return Failed(errno, "looking at " + path_ + "/" + key);
            }
            if (S_ISDIR(now.st_mode)) {
                KESSAI_RETURN_IF_ERROR(ListFolder(root, key, take));
            } else if (S_ISREG(now.st_mode)) {
                KESSAI_RETURN_IF_ERROR(take({key, static_cast<std::uint64_t>(now.st_size)}));
            }
        }
    }

    Result<bool> SweepOne(const Descriptor& halves, const char* name, std::chrono::seconds age) {
        const Descriptor half(
            ::openat(halves.number(), name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
        if (!half.ok()) {
            if (errno == ENOENT) return false;
            return Failed(errno, "looking at " + path_ + "/" + kHalves + "/" + name);
        }
        struct stat now = {};
        if (::fstat(half.number(), &now) != 0) {
            return Failed(errno, "looking at " + path_ + "/" + kHalves + "/" + name);
        }
        const Instant written =
            FromMicros(std::int64_t{now.st_mtim.tv_sec} * 1'000'000 + now.st_mtim.tv_nsec / 1'000);
        if (!S_ISREG(now.st_mode) || clock_.Now() - written < age) return false;
        if (::flock(half.number(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) return false;
        if (::unlinkat(halves.number(), name, 0) != 0) {
            if (errno == ENOENT) return false;
            return Failed(errno, "removing " + path_ + "/" + kHalves + "/" + name);
        }
        return true;
    }

    const std::string path_;
    const Clock& clock_;
    std::mutex mutex_;
    std::weak_ptr<const Descriptor> shared_root_;
    dev_t root_device_ = 0;
    ino_t root_inode_ = 0;
};

}  // namespace

void Describe(config::Schema& schema, DirectoryOptions& options) {
    schema.Text("path", &options.path,
                {.description = "Folder that the files are kept in; it must exist"});
}

std::unique_ptr<FileStore> OpenDirectoryStore(DirectoryOptions options, const Clock& clock) {
    return std::make_unique<DirectoryStore>(std::move(options), clock);
}

}  // namespace kessai::filestore
