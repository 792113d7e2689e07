#pragma once

#include <atomic>
#include <string>
#include <string_view>

#include "kessai/auth/principal.h"
#include "kessai/result/check.h"
#include "kessai/time/clock.h"

namespace kessai::rpc {

/// What a handler may know about the call it answers. Made and owned by the library; valid until
/// the handler has answered. Safe to read from any thread.
class CallContext {
 public:
    /// "CreateCode".
    std::string_view method() const { return method_; }
    /// Who the call acts for. Precondition: the method's rule wants a token in the metadata.
    const auth::Principal& principal() const {
        KESSAI_CHECK(principal_ != nullptr, "a method without a token has no principal");
        return *principal_;
    }
    /// Null when the method's rule wants no token in the metadata.
    const auth::PrincipalPtr& principal_ptr() const { return principal_; }
    /// When the caller stops waiting, on the steady clock: never absent, never beyond the server's
    /// longest.
    SteadyInstant deadline() const { return deadline_; }
    /// W3C traceparent of this server's span, to be handed on; empty when not sampled.
    const std::string& traceparent() const { return traceparent_; }
    /// A name from the client certificate (its first DNS or URI SAN); empty without TLS.
    const std::string& peer() const { return peer_; }
    /// The caller went away or its deadline passed: an answer reaches nobody.
    bool cancelled() const { return cancelled_.load(std::memory_order_relaxed); }

    CallContext() = default;
    CallContext(const CallContext&) = delete;
    CallContext& operator=(const CallContext&) = delete;

 private:
    friend class CallContextBuilder;

    std::string_view method_;
    auth::PrincipalPtr principal_;
    SteadyInstant deadline_{};
    std::string traceparent_;
    std::string peer_;
    std::atomic<bool> cancelled_{false};
};

}  // namespace kessai::rpc
