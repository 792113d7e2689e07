#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

namespace kessai::reconciliation::domain {

/// SHA-256 of content that comes in pieces. One thread at a time.
class Sha256OfContent {
 public:
    Sha256OfContent();
    ~Sha256OfContent();

    void Add(std::string_view piece);
    /// Of all that was added. Once.
    std::array<std::uint8_t, 32> Finish();

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace kessai::reconciliation::domain
