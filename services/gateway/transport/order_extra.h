#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kessai/money/money.h"
#include "transport/json_fields.h"

namespace kessai::gateway::transport {

/// What an order carries that only the partner interface reads. The payment service keeps it as one
/// JSON object.
struct OrderExtra {
    static constexpr std::size_t kBytesMax = 16 * 1024;
    static constexpr std::size_t kItemsMax = 100;

    struct Item {
        std::string name;
        std::string category;
        std::int64_t quantity = 0;
        std::string product_id;
        Money unit_price;
    };

    bool has_items = false;
    std::vector<Item> items;
    /// A JSON object as the merchant sent it; empty: none.
    std::string metadata_json;
    std::string store_info;
    std::string product_type;
    std::string redirect_url;
    std::string redirect_type;
    std::string user_agent;

    /// From a request; what is wrong is refused in `fields`.
    static OrderExtra Read(JsonFields& fields);
    /// From what ToJson gave. What can't be read is left out: it was checked when it came.
    static OrderExtra Parse(const std::string& json);

    /// Empty when there is nothing.
    std::string ToJson() const;
    /// The items as a JSON list, empty when there were none. `price_name` is "unit_price" where a
    /// code is created and "unitPrice" elsewhere, as the contract has it.
    std::string OrderItemsJson(std::string_view price_name) const;
};

}  // namespace kessai::gateway::transport
