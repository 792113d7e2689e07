#pragma once

#include <cstdint>
#include <string_view>

#include "kessai/auth/principal.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::rpc {

/// One call that a server answered or a client made, when it is over.
struct CallRecord {
    /// "kessai.payment.v1.PaymentService", "CreateCode": from the contract, so bounded.
    std::string_view service;
    std::string_view method;
    /// Ok, or what it was refused with.
    const Status& status;
    Duration duration;
    /// Null before the token was verified, and at a client.
    const auth::Principal* principal;
    std::string_view peer;
    /// Of the call's span and of its parent; empty when there is none.
    std::string_view traceparent;
    std::string_view parent_traceparent;
    Instant started_at;
};

/// Is told of every call: metrics, traces and access logs hang here. Thread safe; called on gRPC's
/// and the workers' threads, so it must not block.
class CallObserver {
 public:
    virtual ~CallObserver() = default;
    /// The traceparent of the span of a call that begins: a child of `parent` (empty: none came).
    /// The default hands `parent` on.
    virtual std::string BeginSpan(std::string_view parent) { return std::string(parent); }
    virtual void OnStart(std::string_view service, std::string_view method) = 0;
    virtual void OnFinish(const CallRecord& record) = 0;
};

}  // namespace kessai::rpc
