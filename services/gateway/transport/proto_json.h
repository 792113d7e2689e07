#pragma once

#include <string>

namespace google::protobuf {
class Message;
}

namespace kessai::gateway::transport {

/// A message as JSON, the way this interface writes things: names in camelCase; ids ("…_id") as
/// strings; times ("…_at_us") as RFC 3339 without the suffix, dates (yyyymmdd in "…_date",
/// "effective_…") as "2026-11-22", both null when 0; enums by name; bytes in hex; other numbers as
/// numbers; absent messages and optional fields as null.
std::string ProtoToJson(const google::protobuf::Message& message);

}  // namespace kessai::gateway::transport
