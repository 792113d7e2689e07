#pragma once

#include <string_view>
#include <vector>

#include "kessai/http/message.h"
#include "kessai/http/router.h"
#include "kessai/result/result.h"

namespace kessai::gateway::transport {

/// The HTTP status that a refusal's code stands for, in the app and operator interfaces.
int HttpStatusOf(const Status& refusal);

/// A refusal as problem details (RFC 9457):
///
///     {"type":"urn:kessai:problem:INSUFFICIENT_FUNDS","title":"…","status":409,
///      "code":"INSUFFICIENT_FUNDS","detail":"…","requestId":"OPA…"}
///
/// Where the work may have been done although nobody answered, `outcomeUnknown` is true, and the
/// same request may be sent again. What may be tried again though it was not done (429, 503, and
/// 409 for ABORTED) has a Retry-After. Details of failures inside are not shown.
http::Response Problem(const Status& refusal, std::string_view request_id);

/// The same for operators, whom it concerns that stored rows do not fit each other: DATA_LOSS keeps
/// its reason and its message, as TRACE_DIFFERS (500). So does what the store of files refuses, as
/// STORE_GONE (503): they can put it right.
http::Response OperatorProblem(const Status& refusal, std::string_view request_id);

/// Every `reason` that Problem's answers are logged and counted with: well-known names, and for
/// others the name of their code (what exactly it was is the answer's `cause`).
std::vector<std::string_view> ProblemReasons();

/// What the server itself refuses, in the same form.
http::Response ProblemFault(http::Fault fault, std::string_view detail,
                            std::string_view request_id);

}  // namespace kessai::gateway::transport
