#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "kessai/http/message.h"
#include "kessai/result/result.h"
#include "transport/request_scope.h"

namespace kessai::gateway::transport {

/// A refusal as problem details, in the name of the operator who asked.
http::Response RefuseOperator(const RequestScope& scope, const Status& why);

/// Puts a change that an operator asked for into the log, as its audit trail, with what became of
/// it and what was said about it (`why`, where the request has something). Gives the answer on.
http::Response NoteOperator(const RequestScope& scope, std::string_view action,
                            std::string_view object, http::Response answer,
                            std::string_view why = {});

/// {date} of the path as yyyymmdd, which names a day: not "today". INVALID_ARGUMENT
/// FIELD_MALFORMED.
Result<std::int32_t> NamedDate(const http::Request& request);

/// A field, of the path, query or body, that is not as its description says.
Status FieldMalformed(std::string why);

}  // namespace kessai::gateway::transport
