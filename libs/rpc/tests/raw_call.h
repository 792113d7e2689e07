#pragma once

#include <memory>
#include <string>

#include "kessai/result/result.h"
#include "kessai/rpc/channel.h"

namespace kessai::rpc {

// What the library's client never does.

/// Calls a method of the payment contract with these bytes as its request.
Status CallWithBytes(const Channel& channel, const std::string& method, const std::string& bytes,
                     const std::string& token);
/// Calls GetPayment without a deadline.
Status CallWithoutDeadline(const Channel& channel, const std::string& token);

/// A call of ListDayRows without a deadline whose answers nobody reads. Cancelled at the end.
class UnreadStream {
 public:
    UnreadStream(const Channel& channel, const std::string& token);
    ~UnreadStream();

 private:
    struct Call;
    std::unique_ptr<Call> call_;
};

}  // namespace kessai::rpc
