#include "transport/order_extra.h"

#include "kessai/net/address.h"
#include "transport/json_writer.h"

namespace kessai::gateway::transport {

namespace {

constexpr std::int64_t kQuantityMax = 99'999'999'999;
constexpr std::size_t kUrlLengthMax = 2'048;
constexpr std::size_t kUserAgentLengthMax = 1'024;

OrderExtra::Item ReadItem(JsonFields& fields) {
    OrderExtra::Item item;
    item.name = fields.Text("name");
    item.category = fields.OptionalText("category");
    item.quantity = fields.Integer("quantity", 1, kQuantityMax);
    item.product_id = fields.OptionalText("productId");
    item.unit_price = fields.Amount("unitPrice", true);
    return item;
}

bool IsOneOf(std::string_view text, std::initializer_list<std::string_view> names) {
    for (const auto name : names) {
        if (text == name) return true;
    }
    return false;
}

void ReadItems(JsonFields& fields, OrderExtra& extra) {
    const auto items = fields.OptionalArray("orderItems");
    if (!items) return;
    extra.has_items = true;
    if (items->size() > OrderExtra::kItemsMax) {
        return fields.Malformed("orderItems", "has more than 100 items");
    }
    for (const auto entry : *items) {
        simdjson::dom::object object;
        if (entry.get(object) != simdjson::SUCCESS) {
            return fields.Malformed("orderItems", "holds what is no object");
        }
        JsonFields inner(object, "orderItems");
        extra.items.push_back(ReadItem(inner));
        if (!inner.ok()) {
            // Prices are no amount of the payment: a wrong one is a malformed field.
            const bool named = inner.status().reason() == "FIELD_MISSING";
            if (named) return fields.Refuse(inner.status());
            return fields.Malformed("orderItems", inner.status().message());
        }
    }
}

}  // namespace

OrderExtra OrderExtra::Read(JsonFields& fields) {
    OrderExtra extra;
    ReadItems(fields, extra);
    if (const auto metadata = fields.OptionalObject("metadata")) {
        extra.metadata_json = simdjson::minify(*metadata);
    }
    extra.store_info = fields.OptionalText("storeInfo");
    extra.product_type = fields.OptionalText("productType");
    if (!extra.product_type.empty() &&
        !IsOneOf(extra.product_type, {"VIRTUAL_BONUS_INVESTMENT", "PAY_LATER_REPAYMENT",
                                      "REAL_INVESTMENT", "UTILITY_BILL"})) {
        fields.Malformed("productType", "is unknown");
    }
    extra.redirect_url = fields.OptionalText("redirectUrl", kUrlLengthMax);
    extra.redirect_type = fields.OptionalText("redirectType");
    if (!extra.redirect_type.empty() &&
        !IsOneOf(extra.redirect_type, {"WEB_LINK", "APP_DEEP_LINK"})) {
        fields.Malformed("redirectType", "is neither WEB_LINK nor APP_DEEP_LINK");
    }
    extra.user_agent = fields.OptionalText("userAgent", kUserAgentLengthMax);
    const std::string address = fields.OptionalText("ipAddress");
    if (!address.empty() && !net::IpAddress::Parse(address).ok()) {
        fields.Malformed("ipAddress", "is no address");
    }
    return extra;
}

OrderExtra OrderExtra::Parse(const std::string& json) {
    OrderExtra extra;
    if (json.empty()) return extra;
    std::string padded = json;
    padded.append(simdjson::SIMDJSON_PADDING, '\0');
    auto object = ParseJsonObject(std::string_view(padded).substr(0, json.size()));
    if (!object.ok()) return extra;
    JsonFields fields(*object);
    return Read(fields);
}

std::string OrderExtra::ToJson() const {
    if (!has_items && metadata_json.empty() && store_info.empty() && product_type.empty() &&
        redirect_url.empty() && redirect_type.empty() && user_agent.empty()) {
        return {};
    }
    std::string out;
    JsonWriter json(out);
    json.BeginObject();
    if (has_items) json.Key("orderItems").Raw(OrderItemsJson("unitPrice"));
    if (!metadata_json.empty()) json.Key("metadata").Raw(metadata_json);
    const auto text = [&](std::string_view name, const std::string& value) {
        if (!value.empty()) json.Key(name).Text(value);
    };
    text("storeInfo", store_info);
    text("productType", product_type);
    text("redirectUrl", redirect_url);
    text("redirectType", redirect_type);
    text("userAgent", user_agent);
    json.EndObject();
    return out;
}

std::string OrderExtra::OrderItemsJson(std::string_view price_name) const {
    if (!has_items) return {};
    std::string out;
    JsonWriter json(out);
    json.BeginArray();
    for (const auto& item : items) {
        json.BeginObject();
        json.Key("name").Text(item.name);
        json.Key("category").TextOrNull(item.category);
        json.Key("quantity").Number(item.quantity);
        json.Key("productId").TextOrNull(item.product_id);
        json.Key(price_name).Amount(item.unit_price);
        json.EndObject();
    }
    json.EndArray();
    return out;
}

}  // namespace kessai::gateway::transport
