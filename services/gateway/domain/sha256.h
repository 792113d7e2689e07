#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace kessai::gateway::domain {

/// SHA-256 of bytes as they come.
class Sha256 {
 public:
    Sha256();
    ~Sha256();
    Sha256(Sha256&&) noexcept;
    Sha256& operator=(Sha256&&) noexcept;

    void Add(std::string_view bytes);
    /// 32 bytes. Called once.
    std::string Finish();

    static std::string Of(std::string_view bytes);

 private:
    struct State;
    std::unique_ptr<State> state_;
};

/// 32 bytes.
std::string HmacSha256(std::string_view key, std::string_view message);
/// Lower case.
std::string ToHex(std::string_view bytes);

}  // namespace kessai::gateway::domain
