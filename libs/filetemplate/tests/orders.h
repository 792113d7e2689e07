#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kessai/filetemplate/writer.h"

/// A source with a field of each type, and a sink that keeps what it gets.
namespace kessai::filetemplate {

inline const Schema& Orders() {
    static const Schema schema{"orders",
                               {
                                   {"id", Type::kText, {}, 20},
                                   {"shop", Type::kText},
                                   {"note", Type::kText},
                                   {"status", Type::kEnum, {"PAID", "REFUNDED", "FAILED"}},
                                   {"methods", Type::kEnumSet, {"WALLET", "POINT", "CARD"}},
                                   {"amount", Type::kMoney, {}, 10},
                                   {"items", Type::kInteger},
                                   {"accepted_at", Type::kInstant},
                                   {"day", Type::kDate},
                                   {"details", Type::kJson},
                                   {"is_test", Type::kBoolean},
                               }};
    return schema;
}

struct Order {
    std::string_view id = "o-1";
    std::string_view shop = "s-1";
    std::string_view note = "";
    std::size_t status = 0;
    std::uint64_t methods = 1;
    std::int64_t amount = 1'200;
    std::int64_t items = 3;
    Instant accepted_at = FromMicros(1'580'349'205'000'000);  // 2020-01-30T10:53:25+09:00
    BusinessDate day = BusinessDate::FromNumber(20200130).value();
    std::string_view details = "[]";
    bool is_test = false;

    std::vector<Value> Values() const {
        return {Value::Text(id),       Value::Text(shop),       Value::Text(note),
                Value::Enum(status),   Value::EnumSet(methods), Value::Of(Yen(amount)),
                Value::Integer(items), Value::Of(accepted_at),  Value::Of(day),
                Value::Json(details),  Value::Boolean(is_test)};
    }
};

class KeepingSink final : public FileSink {
 public:
    struct Kept {
        std::string name;
        std::string bytes;
        bool ended = false;
        WrittenFile file;
    };
    Status Begin(const std::string& name) override {
        files.emplace_back().name = name;
        return OkStatus();
    }
    Status Write(std::string_view bytes) override {
        if (!refusal.ok()) return refusal;
        files.back().bytes += bytes;
        return OkStatus();
    }
    Status End(const WrittenFile& file) override {
        files.back().ended = true;
        files.back().file = file;
        return OkStatus();
    }

    std::vector<Kept> files;
    Status refusal;
};

inline FileContext SomeContext() {
    FileContext context;
    context.merchant_id = "m-1";
    context.date = BusinessDate::FromNumber(20200130).value();
    context.period = {context.date.StartsAt(), context.date.Next().StartsAt()};
    return context;
}

}  // namespace kessai::filetemplate
