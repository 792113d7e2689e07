#pragma once

#include <string>

#include "domain/webhook.h"

namespace kessai::gateway::transport {

/// The payload of a `Transaction` notification, as the partner contract has it.
/// `amount_as_text`: order_amount as "12345", as the documentation shows it, instead of 12345.
std::string TransactionJson(const domain::TransactionNotice& notice, bool amount_as_text);

}  // namespace kessai::gateway::transport
