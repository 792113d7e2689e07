#include "kessai/auth/key_ring.h"

#include <algorithm>
#include <charconv>
#include <sstream>
#include <utility>

#include "kessai/auth/reason.h"
#include "kessai/log/log.h"

namespace kessai::auth {
namespace {

constexpr std::size_t kKeyBytesMin = 32;
constexpr std::size_t kKeyBytesMax = 64;
constexpr std::size_t kFileBytesMax = 64 * 1024;

Status Invalid(int line, std::string_view what) {
    return Status(Code::kInvalidArgument, reason::kKeyRingInvalid,
                  "key ring, line " + std::to_string(line) + ": " + std::string(what));
}

int HexDigit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

std::optional<std::string> FromHex(std::string_view hex) {
    if (hex.size() % 2 != 0) return std::nullopt;
    std::string bytes;
    bytes.reserve(hex.size() / 2);
    for (std::size_t i = 0; i < hex.size(); i += 2) {
        const int high = HexDigit(hex[i]);
        const int low = HexDigit(hex[i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        bytes.push_back(static_cast<char>(high * 16 + low));
    }
    return bytes;
}

std::optional<std::uint8_t> KeyNumber(std::string_view text) {
    std::uint8_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

std::vector<std::string> Words(const std::string& line) {
    std::istringstream in(line.substr(0, line.find('#')));
    std::vector<std::string> words;
    for (std::string word; in >> word;) words.push_back(std::move(word));
    return words;
}

}  // namespace

Result<KeyRing> KeyRing::Parse(std::string_view text) {
    KeyRing ring;
    int sign_line = 0;
    int line_number = 0;
    std::istringstream in{std::string(text)};
    for (std::string line; std::getline(in, line);) {
        ++line_number;
        const auto words = Words(line);
        if (words.empty()) continue;
        if (words[0] == "key" && words.size() == 3) {
            const auto number = KeyNumber(words[1]);
            if (!number) return Invalid(line_number, "a key's number is 0 to 255");
            auto bytes = FromHex(words[2]);
            if (!bytes || bytes->size() < kKeyBytesMin || bytes->size() > kKeyBytesMax) {
                return Invalid(line_number, "a key is 64 to 128 hex digits");
            }
            if (!ring.keys_.emplace(*number, std::move(*bytes)).second) {
                return Invalid(line_number, "this key's number was used above");
            }
        } else if (words[0] == "sign" && words.size() == 2) {
            if (ring.signing_) return Invalid(line_number, "a second `sign`");
            ring.signing_ = KeyNumber(words[1]);
            if (!ring.signing_) return Invalid(line_number, "a key's number is 0 to 255");
            sign_line = line_number;
        } else {
            // The line itself may hold a key: it is not repeated in the message.
            return Invalid(line_number, "neither `key <number> <hex>` nor `sign <number>`");
        }
    }
    if (ring.keys_.empty()) return Invalid(line_number, "no key");
    if (ring.signing_ && !ring.Find(*ring.signing_)) {
        return Invalid(sign_line, "`sign` names a key that is not in the file");
    }
    return ring;
}

const std::string* KeyRing::Find(std::uint8_t number) const {
    const auto found = keys_.find(number);
    return found == keys_.end() ? nullptr : &found->second;
}

KeyRingFile::KeyRingFile(Options options)
    : file_({.path = options.path,
             .check_interval = options.check_interval,
             .bytes_max = kFileBytesMax,
             .take = [this](std::string_view text) { return Take(text); },
             .on_change =
                 [path = options.path, tell = std::move(options.on_reload)](const Status& outcome) {
                     if (outcome.ok()) {
                         log::Info("auth.key_ring_taken_up", {{"path", path}});
                     } else {
                         log::Warn("auth.key_ring_refused", {{"path", path}, {"status", outcome}});
                     }
                     if (tell) tell(outcome);
                 }}) {}

Result<std::unique_ptr<KeyRingFile>> KeyRingFile::Open(Options options) {
    std::unique_ptr<KeyRingFile> ring(new KeyRingFile(std::move(options)));
    KESSAI_RETURN_IF_ERROR(ring->Reload().WithContext("key ring"));
    ring->file_.Start();
    return ring;
}

std::shared_ptr<const KeyRing> KeyRingFile::Current() const {
    const std::lock_guard lock(mutex_);
    return ring_;
}

Status KeyRingFile::Take(std::string_view text) {
    KESSAI_ASSIGN_OR_RETURN(KeyRing ring, KeyRing::Parse(text));
    const std::lock_guard lock(mutex_);
    ring_ = std::make_shared<const KeyRing>(std::move(ring));
    generation_.fetch_add(1, std::memory_order_acq_rel);
    return {};
}

}  // namespace kessai::auth
