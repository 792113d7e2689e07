#pragma once

#include <string>

#include "kessai/http/message.h"
#include "kessai/result/result.h"
#include "transport/request_scope.h"

namespace kessai::gateway::transport {

/// A refusal as problem details, in the name of the operator who asked.
http::Response RefuseOperator(const RequestScope& scope, const Status& why);

/// A field, of the path, query or body, that is not as its description says.
Status FieldMalformed(std::string why);

}  // namespace kessai::gateway::transport
