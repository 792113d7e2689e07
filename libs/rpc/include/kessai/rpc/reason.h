#pragma once

#include <string_view>

/// The reasons this library refuses with, beside those of libs/auth.
namespace kessai::rpc::reason {

/// RESOURCE_EXHAUSTED, at once: a bounded queue or window is full. Nothing was done.
inline constexpr std::string_view kQueueFull = "QUEUE_FULL";
/// DEADLINE_EXCEEDED by the server before the work began. Nothing was done.
inline constexpr std::string_view kDeadlinePassed = "DEADLINE_PASSED";
/// UNAVAILABLE or DEADLINE_EXCEEDED at the caller: what was sent may or may not have been done.
/// Only idempotent work may be sent again.
inline constexpr std::string_view kOutcomeUnknown = "OUTCOME_UNKNOWN";
/// UNAVAILABLE or DEADLINE_EXCEEDED at the caller: it was never sent. Nothing was done.
inline constexpr std::string_view kNotSent = "NOT_SENT";
/// UNAVAILABLE: the server is being stopped. Nothing was done.
inline constexpr std::string_view kDraining = "DRAINING";
/// INVALID_ARGUMENT: the bytes are no message of the method's type, or break its bounds.
inline constexpr std::string_view kMessageMalformed = "MESSAGE_MALFORMED";
/// PERMISSION_DENIED: the client certificate's names are not among those that may call.
inline constexpr std::string_view kPeerNotAllowed = "PEER_NOT_ALLOWED";
/// INTERNAL: a handler dropped its answer, or broke the contract of its method.
inline constexpr std::string_view kHandlerFailed = "HANDLER_FAILED";
/// A status that gRPC itself made; its code says more.
inline constexpr std::string_view kTransport = "TRANSPORT";
/// INVALID_ARGUMENT / UNAVAILABLE: a certificate, key or CA file that can't be used.
inline constexpr std::string_view kTlsFilesInvalid = "TLS_FILES_INVALID";
/// UNAVAILABLE: the address can't be listened on.
inline constexpr std::string_view kListenFailed = "LISTEN_FAILED";

}  // namespace kessai::rpc::reason
