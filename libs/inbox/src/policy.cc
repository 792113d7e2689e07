#include "kessai/inbox/policy.h"

namespace kessai::inbox {

Action ActionFor(Code code) {
    switch (code) {
        case Code::kOk:
            return Action::kContinue;
        // Nothing was done, or nobody knows; the same batch may succeed later. (After an unknown
        // outcome the stored offset tells whether it was done.)
        case Code::kCancelled:
        case Code::kUnknown:
        case Code::kDeadlineExceeded:
        case Code::kResourceExhausted:
        case Code::kAborted:
        case Code::kUnavailable:
            return Action::kRetry;
        // The event is at fault.
        case Code::kInvalidArgument:
        case Code::kNotFound:
        case Code::kAlreadyExists:
        case Code::kFailedPrecondition:
        case Code::kOutOfRange:
        case Code::kUnimplemented:
        case Code::kDataLoss:
            return Action::kDeadLetter;
        // The event, or the service.
        case Code::kInternal:
            return Action::kIsolate;
        // The service's own rights: no event can change them.
        case Code::kPermissionDenied:
        case Code::kUnauthenticated:
            return Action::kStop;
    }
    return Action::kStop;
}

}  // namespace kessai::inbox
