#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::files {

namespace reason {
/// UNAVAILABLE: not there, not readable, or larger than allowed; the message has the path and why.
inline constexpr std::string_view kFileUnreadable = "FILE_UNREADABLE";
}  // namespace reason

/// The whole file. UNAVAILABLE FILE_UNREADABLE.
Result<std::string> Read(const std::string& path, std::size_t bytes_max);

/// A file that says what is in force, read again when its content changes. Thread safe.
class FollowedFile {
 public:
    struct Options {
        std::string path = {};
        Duration check_interval = std::chrono::seconds(5);
        std::size_t bytes_max = std::size_t{64} << 10;
        /// Takes up content that is not the one in force, or refuses it, which leaves that in
        /// force. Never called by two threads at once.
        std::function<Status(std::string_view)> take = {};
        /// Told of each attempt whose outcome is news: other content is in force (ok), it is
        /// refused or unreadable now, or good again. After `take`, in the same turn.
        std::function<void(const Status&)> on_change = {};
    };

    /// Reads nothing yet. What `take` and `on_change` use must outlive it.
    explicit FollowedFile(Options options);
    ~FollowedFile();
    FollowedFile(const FollowedFile&) = delete;
    FollowedFile& operator=(const FollowedFile&) = delete;

    /// Reads the file now. Refuses with FILE_UNREADABLE or what `take` refused with.
    Status Reload();
    /// From now on reads it every `check_interval`, on a thread of its own.
    void Start();
    /// Waits for a reading of that thread that is under way.
    void Stop();

 private:
    const Options options_;
    /// Held while the file is read and taken up.
    std::mutex turn_;
    std::optional<std::string> in_force_;
    Status last_outcome_;

    std::mutex mutex_;
    std::condition_variable_any wake_;
    std::jthread thread_;
};

}  // namespace kessai::files
