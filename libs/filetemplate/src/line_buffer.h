#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

namespace kessai::filetemplate::internal {

/// Bytes that grow at their end.
class LineBuffer {
 public:
    std::size_t size() const { return size_; }
    std::string_view bytes() const { return {memory_.get(), size_}; }
    std::string_view From(std::size_t begin) const { return bytes().substr(begin); }

    /// Where at least `bytes` may be written; SetEnd or TruncateTo says what was.
    char* Reserve(std::size_t bytes) {
        if (capacity_ - size_ < bytes) Grow(bytes);
        return memory_.get() + size_;
    }
    void SetEnd(const char* end) { size_ = static_cast<std::size_t>(end - memory_.get()); }
    void TruncateTo(std::size_t size) { size_ = size; }

    void Add(std::string_view text) {
        if (text.empty()) return;
        char* out = Reserve(text.size());
        std::memcpy(out, text.data(), text.size());
        size_ += text.size();
    }
    void Add(char byte) {
        *Reserve(1) = byte;
        ++size_;
    }
    /// Puts `count` times `byte` at the place `at`, before what is there.
    void Insert(std::size_t at, std::size_t count, char byte) {
        Reserve(count);
        char* const place = memory_.get() + at;
        std::memmove(place + count, place, size_ - at);
        std::memset(place, byte, count);
        size_ += count;
    }

 private:
    void Grow(std::size_t bytes) {
        const std::size_t capacity = std::max(size_ + bytes, 2 * capacity_);
        auto memory = std::make_unique_for_overwrite<char[]>(capacity);
        if (size_ > 0) std::memcpy(memory.get(), memory_.get(), size_);
        memory_ = std::move(memory);
        capacity_ = capacity;
    }

    std::unique_ptr<char[]> memory_;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

}  // namespace kessai::filetemplate::internal
