#pragma once

#include <cstddef>

/// Names of what travels beside a message.
namespace kessai::rpc::metadata {

/// The internal token, see kessai/auth/v1/internal_token.proto.
inline constexpr const char* kToken = "kessai-token-bin";
/// W3C Trace Context, https://www.w3.org/TR/trace-context/.
inline constexpr const char* kTraceparent = "traceparent";
inline constexpr std::size_t kTraceparentBytesMax = 128;

}  // namespace kessai::rpc::metadata
