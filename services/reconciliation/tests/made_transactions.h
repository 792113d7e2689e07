#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "domain/file_sources.h"

namespace kessai::reconciliation {

/// A row of `transactions` for tests and the bench.
struct MadeTransaction {
    std::string_view order_id = "1234567890123456789";
    std::string_view brand_name = "カフェ決済";
    std::string_view store_id = "shop-0001";
    std::string_view store_name = "渋谷駅前店";
    std::string_view terminal_id = "POS-07";
    TransactionStatus status = TransactionStatus::kCompleted;
    std::int64_t accepted_at_us = 1'580'349'205'000'000;  // 2020-01-30T10:53:25+09:00
    std::int64_t amount = 480;
    std::string_view receipt = "R-000123";
    std::uint64_t methods = 1;
    std::string_view details =
        R"([{"paymentMethod":"POINT","amount":80,"breakdown":[{"type":"REGULAR","amount":80}]},)"
        R"({"paymentMethod":"WALLET","amount":400}])";
    std::string_view details_ja =
        R"([{"paymentMethod":"PayPayポイント","amount":80},{"paymentMethod":"PayPay残高","amount":400}])";
    bool is_captured_later = false;

    using Values =
        std::array<filetemplate::Value, static_cast<std::size_t>(TransactionField::kCount)>;
    Values Row() const {
        using filetemplate::Value;
        const Instant accepted_at = FromMicros(accepted_at_us);
        return {Value::Text(order_id),
                Value::Text("287654321"),
                Value::Text(brand_name),
                Value::Text(store_id),
                Value::Text(store_name),
                Value::Text(terminal_id),
                Value::Enum(static_cast<std::size_t>(status)),
                Value::Of(accepted_at),
                Value::Of(BusinessDate::OfJst(accepted_at)),
                Value::Of(Yen(amount)),
                Value::Text(receipt),
                Value::EnumSet(methods),
                Value::Text("pay-2020-000001"),
                Value::Text("revert-1"),
                Value::Text("capture-1"),
                Value::Text("refund-1"),
                Value::Json(details),
                Value::Json(details_ja),
                Value::Boolean(is_captured_later)};
    }
};

inline constexpr std::uint64_t Bit(TransactionMethod method) {
    return std::uint64_t{1} << static_cast<std::size_t>(method);
}

}  // namespace kessai::reconciliation
