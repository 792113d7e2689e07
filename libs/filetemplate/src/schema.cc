#include "kessai/filetemplate/schema.h"

namespace kessai::filetemplate {

std::string_view TypeName(Type type) {
    switch (type) {
        case Type::kText:
            return "text";
        case Type::kInteger:
            return "integer";
        case Type::kMoney:
            return "money";
        case Type::kInstant:
            return "instant";
        case Type::kDate:
            return "date";
        case Type::kEnum:
            return "enum";
        case Type::kEnumSet:
            return "enum set";
        case Type::kJson:
            return "JSON";
        case Type::kBoolean:
            return "boolean";
    }
    return "text";
}

}  // namespace kessai::filetemplate
