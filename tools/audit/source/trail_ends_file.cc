#include "source/trail_ends_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>
#include <utility>

namespace kessai::audit {
namespace {

Status Invalid(const std::string& path, int line) {
    return Status(Code::kInvalidArgument, "TRAIL_ENDS_INVALID",
                  path + " line " + std::to_string(line) +
                      ": must be a slot, the number of its last anchor, and 64 hexadecimal digits");
}

std::string HexOf(const Hash32& hash) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    for (const std::uint8_t byte : hash) {
        text.push_back(kDigits[byte >> 4]);
        text.push_back(kDigits[byte & 0xF]);
    }
    return text;
}

bool ReadHex(std::string_view text, Hash32& hash) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    if (text.size() != hash.size() * 2) return false;
    for (std::size_t i = 0; i < hash.size(); ++i) {
        const auto high = kDigits.find(text[2 * i]);
        const auto low = kDigits.find(text[2 * i + 1]);
        if (high == std::string_view::npos || low == std::string_view::npos) return false;
        hash[i] = static_cast<std::uint8_t>(high << 4 | low);
    }
    return true;
}

Status NotWritten(const std::string& path) {
    return Status(Code::kInternal, "FILE_NOT_WRITTEN",
                  path + ": " + std::strerror(errno));  // NOLINT: one thread
}

/// Writes all of `text` into a new file, and waits until it is on the disk.
Status WriteDurably(const std::string& path, std::string_view text) {
    const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0) return NotWritten(path);
    bool good = true;
    while (good && !text.empty()) {
        const ssize_t written = write(file, text.data(), text.size());
        good = written > 0;
        if (good) text.remove_prefix(static_cast<std::size_t>(written));
    }
    good = good && fsync(file) == 0;
    const Status status = good ? OkStatus() : NotWritten(path);
    close(file);
    return status;
}

}  // namespace

Result<TrailEnds> ReadTrailEnds(const std::string& path) {
    TrailEnds ends;
    std::error_code error;
    if (!std::filesystem::exists(path, error) && !error) return ends;
    std::ifstream file(path);
    if (!file) return Status(Code::kNotFound, "FILE_UNREADABLE", "cannot read " + path);
    std::string text;
    for (int line = 1; std::getline(file, text); ++line) {
        std::istringstream fields(text);
        AuditHeadRow end;
        std::string hash;
        std::string more;
        if (!(fields >> end.slot >> end.number >> hash) || fields >> more ||
            !ReadHex(hash, end.hash) || !ends.emplace(end.slot, end).second) {
            return Invalid(path, line);
        }
    }
    return ends;
}

Status WriteTrailEnds(const std::string& path, const TrailEnds& ends) {
    std::string text;
    for (const auto& [slot, end] : ends) {
        text +=
            std::to_string(slot) + ' ' + std::to_string(end.number) + ' ' + HexOf(end.hash) + '\n';
    }
    const std::string fresh = path + ".new";
    KESSAI_RETURN_IF_ERROR(WriteDurably(fresh, text));
    if (rename(fresh.c_str(), path.c_str()) != 0) return NotWritten(path);
    const std::string folder = std::filesystem::path(path).parent_path().string();
    const int directory = open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_CLOEXEC);
    if (directory < 0) return NotWritten(path);
    const bool durable = fsync(directory) == 0;
    const Status status = durable ? OkStatus() : NotWritten(path);
    close(directory);
    return status;
}

}  // namespace kessai::audit
