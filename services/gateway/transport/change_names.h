#pragma once

#include <string>
#include <vector>

#include "domain/payment.h"
#include "transport/json_fields.h"

namespace kessai::gateway::transport {

/// What an operator wants published again, and why.
struct Republish {
    std::vector<domain::ChangeName> changes;
    std::string reason;
};

/// Reads {"changes": [{"objectId", "version"}, …], "reason"}: 1 to 1,000, none twice. What is wrong
/// with it is refused by `fields`.
Republish ReadRepublish(JsonFields& fields);

/// "123/1 123/2", for the log; of many the first ones, and how many more.
std::string NamesOf(const std::vector<domain::ChangeName>& changes);

}  // namespace kessai::gateway::transport
