#include "kessai/rpc/status.h"

#include <grpcpp/support/status.h>

#include <algorithm>
#include <string>

#include "kessai/type/v1/refusal.pb.h"

namespace kessai::rpc {
namespace {

// Metadata travels in headers, which have a bound of their own.
constexpr std::size_t kMessageBytesMax = 1024;

std::string Cut(std::string_view message) {
    if (message.size() <= kMessageBytesMax) return std::string(message);
    std::size_t end = kMessageBytesMax;
    // Not in the middle of a character: a protobuf string must stay valid UTF-8.
    while (end > 0 && (static_cast<unsigned char>(message[end]) & 0xC0) == 0x80) --end;
    return std::string(message.substr(0, end));
}

bool KnownRefusalCode(int code) {
    return code > static_cast<int>(Code::kOk) && code <= static_cast<int>(Code::kUnauthenticated);
}

/// Codes that gRPC itself gives when the call may have reached its handler.
bool MayHaveRun(Code code) {
    return code == Code::kUnavailable || code == Code::kDeadlineExceeded ||
           code == Code::kCancelled || code == Code::kUnknown || code == Code::kInternal;
}

}  // namespace

void ToProto(const Status& status, kessai::type::v1::Refusal* refusal) {
    KESSAI_CHECK(!status.ok(), "only a refusal has a Refusal");
    refusal->set_code(static_cast<int>(status.code()));
    refusal->set_reason(std::string(status.reason()));
    refusal->set_message(Cut(status.message()));
}

Status FromProto(const kessai::type::v1::Refusal& refusal) {
    const Code code =
        KnownRefusalCode(refusal.code()) ? static_cast<Code>(refusal.code()) : Code::kUnknown;
    return Status(code, refusal.reason(), refusal.message());
}

grpc::Status ToGrpc(const Status& status) {
    if (status.ok()) return grpc::Status();
    kessai::type::v1::Refusal refusal;
    ToProto(status, &refusal);
    return grpc::Status(static_cast<grpc::StatusCode>(status.code()), refusal.message(),
                        refusal.SerializeAsString());
}

Status FromGrpc(const grpc::Status& status) {
    if (status.ok()) return {};
    kessai::type::v1::Refusal refusal;
    if (!status.error_details().empty() && refusal.ParseFromString(status.error_details()) &&
        !refusal.reason().empty() && refusal.code() == static_cast<int>(status.error_code())) {
        return FromProto(refusal);
    }
    const int number = static_cast<int>(status.error_code());
    const Code code = KnownRefusalCode(number) ? static_cast<Code>(number) : Code::kUnknown;
    return Status(code, MayHaveRun(code) ? reason::kOutcomeUnknown : reason::kTransport,
                  Cut(status.error_message()));
}

bool OutcomeUnknown(const Status& status) {
    return status.reason() == reason::kOutcomeUnknown || status.code() == Code::kUnknown;
}

}  // namespace kessai::rpc
