#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "kessai/payout/v1/payout_service.pb.h"
#include "transport/json_fields.h"

namespace kessai::gateway::transport {

/// A fee plan as operators write it; what is wrong is refused in `fields`, and so are fields that
/// are neither the plan's nor among `beside`. Whether the plan can be is payout's to say.
payout::v1::FeePlan ReadFeePlan(JsonFields& fields,
                                std::initializer_list<std::string_view> beside = {});

/// A date field as yyyymmdd; 0 when absent.
std::int32_t ReadDate(JsonFields& fields, std::string_view name);

/// At most 500 merchants by their ids, as texts of digits.
std::vector<std::int64_t> ReadMerchantIds(JsonFields& fields, std::string_view name);

}  // namespace kessai::gateway::transport
