#pragma once

#include <string>
#include <string_view>

namespace kessai::redis {

/// A Lua script, called by its digest; the text is sent only to a server that does not know it. All
/// its keys are arguments, with one hash tag. Make them static.
class Script {
 public:
    explicit Script(std::string_view source);
    const std::string& source() const { return source_; }
    /// SHA-1 of the source in hex, as EVALSHA wants it.
    const std::string& digest() const { return digest_; }

 private:
    std::string source_;
    std::string digest_;
};

}  // namespace kessai::redis
