#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "kessai/auth/principal.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::rpc {

enum class Side { kServer, kClient };

/// A call that begins.
struct CallStart {
    Side side;
    /// "kessai.payment.v1.PaymentService", "CreateCode": from the contract, so bounded; they live
    /// as long as the process.
    std::string_view service;
    std::string_view method;
    /// Of the span that it belongs to, as it came or as the caller said; empty: none. Not checked.
    std::string_view parent_traceparent;
};

/// A call that is over.
struct CallEnd {
    /// Ok, or what it was refused with.
    const Status& status;
    Duration duration;
    /// Null when no token was verified, and at a client.
    const auth::Principal* principal;
    /// A name from the client's certificate; empty without TLS, and at a client.
    std::string_view peer;
};

/// One call, as its observer sees it. End may come from another thread while `work` still runs.
class ObservedCall {
 public:
    virtual ~ObservedCall() = default;
    /// Of this call's span, to be handed on to what it calls; empty when not sampled. Lives as long
    /// as the object.
    virtual std::string_view traceparent() const = 0;
    /// Runs `work` on this thread with the call's log and trace context around it.
    virtual void Within(const std::function<void()>& work) = 0;
    /// Once; it is destroyed some time later.
    virtual void End(const CallEnd& end) = 0;
};

/// Is told of every call: metrics, traces and access logs hang here (telemetry.h has them). Thread
/// safe; called on gRPC's and the workers' threads, so it must not block.
class CallObserver {
 public:
    virtual ~CallObserver() = default;
    /// Never null.
    virtual std::unique_ptr<ObservedCall> Begin(const CallStart& start) = 0;
};

}  // namespace kessai::rpc
