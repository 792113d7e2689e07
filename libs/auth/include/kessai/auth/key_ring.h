#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "kessai/files/followed_file.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::auth {

/// The keys that internal tokens are signed and verified with, by number. Immutable.
///
/// Its file is text, one statement a line, `#` begins a comment:
///
///     key 1 <64 to 128 hex digits>     # 32 to 64 bytes
///     key 2 <64 to 128 hex digits>
///     sign 2                           # which one signs; a verifier's file may leave it out
///
/// To rotate: give every service a file with the new key added; then let the signer's `sign` name
/// it; then, a token's longest life later, remove the old one everywhere. Each step is a change of
/// the file only; no process restarts.
class KeyRing {
 public:
    /// Refuses with INVALID_ARGUMENT KEY_RING_INVALID and the line's number; never shows a key.
    static Result<KeyRing> Parse(std::string_view text);

    /// Null when there is no such key. Valid as long as the ring.
    const std::string* Find(std::uint8_t number) const;
    std::optional<std::uint8_t> signing_key_number() const { return signing_; }
    std::size_t size() const { return keys_.size(); }

 private:
    std::unordered_map<std::uint8_t, std::string> keys_;
    std::optional<std::uint8_t> signing_;
};

/// Where the present key ring comes from. Thread safe.
class KeyRingSource {
 public:
    virtual ~KeyRingSource() = default;
    /// Never null.
    virtual std::shared_ptr<const KeyRing> Current() const = 0;
    /// Changes when the ring does: what was verified under another generation is verified again.
    virtual std::uint64_t generation() const = 0;
};

/// A ring that never changes.
class FixedKeyRing final : public KeyRingSource {
 public:
    explicit FixedKeyRing(KeyRing ring) : ring_(std::make_shared<const KeyRing>(std::move(ring))) {}
    std::shared_ptr<const KeyRing> Current() const override { return ring_; }
    std::uint64_t generation() const override { return 1; }

 private:
    std::shared_ptr<const KeyRing> ring_;
};

/// A ring kept in a file, read again in the background when its content changes. A file that has
/// become unreadable or malformed leaves the last good ring in force and is logged.
class KeyRingFile final : public KeyRingSource {
 public:
    struct Options {
        std::string path = {};
        Duration check_interval = std::chrono::seconds(5);
        /// Called by the background thread after each attempt that changed something: ok when a new
        /// ring is in force, else why not.
        std::function<void(const Status&)> on_reload = {};
    };

    /// Reads the file; refuses with FILE_UNREADABLE or KEY_RING_INVALID.
    static Result<std::unique_ptr<KeyRingFile>> Open(Options options);

    std::shared_ptr<const KeyRing> Current() const override;
    std::uint64_t generation() const override {
        return generation_.load(std::memory_order_acquire);
    }

    /// Reads the file now, as the background thread does. For tests and signals.
    Status Reload() { return file_.Reload(); }

 private:
    explicit KeyRingFile(Options options);
    Status Take(std::string_view text);

    mutable std::mutex mutex_;
    std::shared_ptr<const KeyRing> ring_;
    std::atomic<std::uint64_t> generation_{0};
    /// Last: its thread ends before what it sets.
    files::FollowedFile file_;
};

}  // namespace kessai::auth
