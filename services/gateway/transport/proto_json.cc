#include "transport/proto_json.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <string_view>

#include "kessai/time/business_date.h"
#include "transport/json_writer.h"

namespace kessai::gateway::transport {

namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

bool EndsWith(std::string_view text, std::string_view end) {
    return text.ends_with(end);
}

std::string CamelCase(std::string_view name) {
    std::string camel;
    for (std::size_t i = 0; i < name.size(); ++i) {
        if (name[i] == '_' && i + 1 < name.size()) {
            ++i;
            camel.push_back(name[i] >= 'a' && name[i] <= 'z' ? static_cast<char>(name[i] - 32)
                                                             : name[i]);
        } else {
            camel.push_back(name[i]);
        }
    }
    return camel;
}

bool IsId(std::string_view name) {
    return EndsWith(name, "_id");
}
bool IsTime(std::string_view name) {
    return EndsWith(name, "at_us");
}
bool IsDate(std::string_view name) {
    return EndsWith(name, "_date") || name == "effective_from" || name == "effective_to";
}

void WriteMessage(JsonWriter& json, const Message& message);

void WriteInteger(JsonWriter& json, std::string_view name, std::int64_t number) {
    if (IsId(name)) {
        json.Id(number);
    } else if (IsTime(name)) {
        if (number == 0) {
            json.Null();
        } else {
            json.Text(FormatUtc(FromMicros(number)));
        }
    } else if (IsDate(name)) {
        const auto date = BusinessDate::FromNumber(static_cast<std::int32_t>(number));
        if (date.ok()) {
            json.Text(date->ToString());
        } else {
            json.Null();
        }
    } else {
        json.Number(number);
    }
}

std::string Hex(std::string_view bytes) {
    static constexpr char kHex[] = "0123456789abcdef";
    std::string hex;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        hex.push_back(kHex[byte >> 4]);
        hex.push_back(kHex[byte & 15]);
    }
    return hex;
}

/// `index` -1: the field is not repeated.
void WriteValue(JsonWriter& json, const Message& message, const FieldDescriptor& field, int index) {
    const Reflection& read = *message.GetReflection();
    const bool many = index >= 0;
    switch (field.cpp_type()) {
        case FieldDescriptor::CPPTYPE_INT32:
            return WriteInteger(json, field.name(),
                                many ? read.GetRepeatedInt32(message, &field, index)
                                     : read.GetInt32(message, &field));
        case FieldDescriptor::CPPTYPE_INT64:
            return WriteInteger(json, field.name(),
                                many ? read.GetRepeatedInt64(message, &field, index)
                                     : read.GetInt64(message, &field));
        case FieldDescriptor::CPPTYPE_UINT32:
            json.Number(many ? read.GetRepeatedUInt32(message, &field, index)
                             : read.GetUInt32(message, &field));
            return;
        case FieldDescriptor::CPPTYPE_UINT64:
            json.Number(
                static_cast<std::int64_t>(many ? read.GetRepeatedUInt64(message, &field, index)
                                               : read.GetUInt64(message, &field)));
            return;
        case FieldDescriptor::CPPTYPE_BOOL:
            json.Bool(many ? read.GetRepeatedBool(message, &field, index)
                           : read.GetBool(message, &field));
            return;
        case FieldDescriptor::CPPTYPE_ENUM:
            json.Text((many ? read.GetRepeatedEnum(message, &field, index)
                            : read.GetEnum(message, &field))
                          ->name());
            return;
        case FieldDescriptor::CPPTYPE_STRING: {
            const std::string text = many ? read.GetRepeatedString(message, &field, index)
                                          : read.GetString(message, &field);
            json.Text(field.type() == FieldDescriptor::TYPE_BYTES ? Hex(text) : text);
            return;
        }
        case FieldDescriptor::CPPTYPE_MESSAGE:
            return WriteMessage(json, many ? read.GetRepeatedMessage(message, &field, index)
                                           : read.GetMessage(message, &field));
        default:
            json.Null();  // floating point is in none of our contracts
    }
}

void WriteMessage(JsonWriter& json, const Message& message) {
    const auto& type = *message.GetDescriptor();
    const Reflection& read = *message.GetReflection();
    json.BeginObject();
    for (int i = 0; i < type.field_count(); ++i) {
        const FieldDescriptor& field = *type.field(i);
        std::string_view name = field.name();
        if (IsTime(name)) name.remove_suffix(3);
        json.Key(CamelCase(name));
        if (field.is_repeated()) {
            json.BeginArray();
            const int size = read.FieldSize(message, &field);
            for (int index = 0; index < size; ++index) WriteValue(json, message, field, index);
            json.EndArray();
        } else if (field.has_presence() && !read.HasField(message, &field)) {
            json.Null();
        } else {
            WriteValue(json, message, field, -1);
        }
    }
    json.EndObject();
}

}  // namespace

std::string ProtoToJson(const Message& message) {
    std::string out;
    JsonWriter json(out);
    WriteMessage(json, message);
    return out;
}

}  // namespace kessai::gateway::transport
