#pragma once

#include <string_view>

/// The reasons this library refuses with.
namespace kessai::auth::reason {

/// UNAUTHENTICATED: absent, malformed, signed by no key we hold, or not for this service.
inline constexpr std::string_view kTokenInvalid = "TOKEN_INVALID";
/// UNAUTHENTICATED: was valid, and its time is over.
inline constexpr std::string_view kTokenExpired = "TOKEN_EXPIRED";
/// PERMISSION_DENIED: a known caller whose role or scopes the method's rule doesn't admit.
inline constexpr std::string_view kRoleNotAllowed = "ROLE_NOT_ALLOWED";
/// INVALID_ARGUMENT: a key ring file that can't be used; the message says the line.
inline constexpr std::string_view kKeyRingInvalid = "KEY_RING_INVALID";
/// INVALID_ARGUMENT: claims that no verifier would accept (no role, no audience, too long a life).
inline constexpr std::string_view kClaimsInvalid = "CLAIMS_INVALID";
/// FAILED_PRECONDITION: the ring names no key to sign with.
inline constexpr std::string_view kNoSigningKey = "NO_SIGNING_KEY";

}  // namespace kessai::auth::reason
