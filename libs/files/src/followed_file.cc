#include "kessai/files/followed_file.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <stop_token>
#include <utility>

namespace kessai::files {

Result<std::string> Read(const std::string& path, std::size_t bytes_max) {
    const auto unreadable = [&](const std::string& why) {
        return Status(Code::kUnavailable, reason::kFileUnreadable, path + ": " + why);
    };
    std::ifstream in(path, std::ios::binary);
    if (!in) return unreadable(std::strerror(errno));
    std::string content(bytes_max + 1, '\0');
    in.read(content.data(), static_cast<std::streamsize>(content.size()));
    if (in.bad()) return unreadable(std::strerror(errno));
    content.resize(static_cast<std::size_t>(in.gcount()));
    if (content.size() > bytes_max) {
        return unreadable("larger than " + std::to_string(bytes_max) + " bytes");
    }
    return content;
}

FollowedFile::FollowedFile(Options options) : options_(std::move(options)) {}

FollowedFile::~FollowedFile() {
    Stop();
}

Status FollowedFile::Reload() {
    const std::lock_guard turn(turn_);
    auto content = Read(options_.path, options_.bytes_max);
    Status outcome = content.status();
    // A file that went bad and came back as it was is the same one: nothing to take up anew.
    bool news = false;
    if (content.ok() && in_force_ != *content) {
        outcome = options_.take(*content);
        if (outcome.ok()) {
            in_force_ = std::move(*content);
            news = true;
        }
    }
    news = news || !(outcome == last_outcome_);
    last_outcome_ = outcome;
    if (news && options_.on_change) options_.on_change(outcome);
    return outcome;
}

void FollowedFile::Start() {
    thread_ = std::jthread([this](const std::stop_token& stop) {
        std::unique_lock lock(mutex_);
        while (!stop.stop_requested()) {
            wake_.wait_for(lock, stop, options_.check_interval, [] { return false; });
            // A failure is reported by on_change and leaves in force what is.
            if (!stop.stop_requested()) (void)Reload();
        }
    });
}

void FollowedFile::Stop() {
    if (!thread_.joinable()) return;
    thread_.request_stop();
    thread_.join();
}

}  // namespace kessai::files
