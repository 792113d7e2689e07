#include "kessai/result/result.h"

#include <cstdio>
#include <cstdlib>

namespace kessai {

void CheckFailed(std::string_view condition, std::string_view message, std::string_view file,
                 int line) {
    std::fprintf(stderr, "%.*s:%d: broken invariant: %.*s: %.*s\n", static_cast<int>(file.size()),
                 file.data(), line, static_cast<int>(condition.size()), condition.data(),
                 static_cast<int>(message.size()), message.data());
    std::fflush(stderr);
    std::abort();
}

std::string_view CodeName(Code code) {
    switch (code) {
        case Code::kOk:
            return "OK";
        case Code::kCancelled:
            return "CANCELLED";
        case Code::kUnknown:
            return "UNKNOWN";
        case Code::kInvalidArgument:
            return "INVALID_ARGUMENT";
        case Code::kDeadlineExceeded:
            return "DEADLINE_EXCEEDED";
        case Code::kNotFound:
            return "NOT_FOUND";
        case Code::kAlreadyExists:
            return "ALREADY_EXISTS";
        case Code::kPermissionDenied:
            return "PERMISSION_DENIED";
        case Code::kResourceExhausted:
            return "RESOURCE_EXHAUSTED";
        case Code::kFailedPrecondition:
            return "FAILED_PRECONDITION";
        case Code::kAborted:
            return "ABORTED";
        case Code::kOutOfRange:
            return "OUT_OF_RANGE";
        case Code::kUnimplemented:
            return "UNIMPLEMENTED";
        case Code::kInternal:
            return "INTERNAL";
        case Code::kUnavailable:
            return "UNAVAILABLE";
        case Code::kDataLoss:
            return "DATA_LOSS";
        case Code::kUnauthenticated:
            return "UNAUTHENTICATED";
    }
    return "UNRECOGNIZED";
}

Status::Status(Code code, std::string_view reason, std::string message) {
    if (code != Code::kOk) {
        detail_ = std::make_unique<Detail>(Detail{code, std::string(reason), std::move(message)});
    }
}

Status::Status(const Status& other)
    : detail_(other.detail_ ? std::make_unique<Detail>(*other.detail_) : nullptr) {}

Status& Status::operator=(const Status& other) {
    if (this != &other) {
        detail_ = other.detail_ ? std::make_unique<Detail>(*other.detail_) : nullptr;
    }
    return *this;
}

Status Status::WithContext(std::string_view prefix) const {
    if (ok()) return {};
    std::string message(prefix);
    message += ": ";
    message += detail_->message;
    return Status(detail_->code, detail_->reason, std::move(message));
}

std::string Status::ToString() const {
    if (ok()) return "OK";
    std::string text(CodeName(detail_->code));
    if (!detail_->reason.empty()) {
        text += ' ';
        text += detail_->reason;
    }
    text += ": ";
    text += detail_->message;
    return text;
}

}  // namespace kessai
