#pragma once

#include "kessai/result/result.h"
#include "kessai/rpc/reason.h"

namespace grpc {
class Status;
}
namespace kessai::type::v1 {
class Refusal;
}

namespace kessai::rpc {

/// A refusal as it travels in a unary call: code and message as gRPC has them, the reason in a
/// serialized kessai.type.v1.Refusal in the status details. Messages are cut at 1 KiB.
grpc::Status ToGrpc(const Status& status);

/// The way back. A status without our details was made by gRPC, not by the service: its reason is
/// TRANSPORT, or OUTCOME_UNKNOWN where the call may have been carried out (UNAVAILABLE,
/// DEADLINE_EXCEEDED, CANCELLED, UNKNOWN, INTERNAL).
Status FromGrpc(const grpc::Status& status);

/// A refusal as it travels in the command stream. Precondition of ToProto: not ok.
void ToProto(const Status& status, kessai::type::v1::Refusal* refusal);
/// A refusal with an unknown code, or code OK, is UNKNOWN.
Status FromProto(const kessai::type::v1::Refusal& refusal);

/// Whether the work may have been done although `status` refuses: an idempotent command may be sent
/// again, another must be looked up. False for every refusal the service itself decided on (but
/// UNKNOWN, a commit whose reply was lost).
bool OutcomeUnknown(const Status& status);

}  // namespace kessai::rpc
