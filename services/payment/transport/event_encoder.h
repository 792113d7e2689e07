#pragma once

#include <string>

#include "app/batch_executor.h"

namespace kessai::payment::transport {

/// Changes as sealed events of payment.events.v1: a pure function, so a change can be published
/// again byte for byte. Thread safe.
class ProtoEventEncoder final : public app::EventEncoder {
 public:
    std::string Encode(const domain::Change& change) const override;
};

}  // namespace kessai::payment::transport
