#include "domain/file_sources.h"

#include <vector>

#include "kessai/result/check.h"

namespace kessai::reconciliation {
namespace {

using filetemplate::Field;
using filetemplate::Schema;
using filetemplate::Type;

// Characters of a 64-bit id above zero, and of an amount that a payment or a day can have.
constexpr std::size_t kIdLongest = 19;

Schema Transactions() {
    Schema schema{"transactions",
                  {
                      {"order_id", Type::kText, {}, kIdLongest},
                      {"merchant_id", Type::kText, {}, kIdLongest},
                      {"brand_name", Type::kText},
                      {"store_id", Type::kText},
                      {"store_name", Type::kText},
                      {"terminal_id", Type::kText},
                      {"status",
                       Type::kEnum,
                       {"AUTHORIZED", "CANCELED", "COMPLETED", "EXPIRED", "FAILED", "REFUNDED",
                        "REFUND_FAILED"}},
                      {"accepted_at", Type::kInstant},
                      {"business_date", Type::kDate},
                      {"amount", Type::kMoney},
                      {"order_receipt_number", Type::kText},
                      {"methods",
                       Type::kEnumSet,
                       {"WALLET", "CREDIT_CARD", "PAY_LATER_CC", "POINT", "GIFT_VOUCHER"}},
                      {"merchant_payment_id", Type::kText},
                      {"merchant_revert_id", Type::kText},
                      {"merchant_capture_id", Type::kText},
                      {"merchant_refund_id", Type::kText},
                      {"payment_details", Type::kJson},
                      {"payment_details_ja", Type::kJson},
                      {"is_captured_later", Type::kBoolean},
                  }};
    KESSAI_CHECK(schema.fields.size() == static_cast<std::size_t>(TransactionField::kCount),
                 "TransactionField names the fields");
    return schema;
}

Schema Releases() {
    Schema schema{"releases",
                  {
                      {"merchant_id", Type::kText, {}, kIdLongest},
                      {"business_date", Type::kDate},
                      {"gross", Type::kMoney},
                      {"fee", Type::kMoney},
                      {"tax", Type::kMoney},
                      {"net", Type::kMoney},
                      {"item_count", Type::kInteger},
                  }};
    KESSAI_CHECK(schema.fields.size() == static_cast<std::size_t>(ReleaseField::kCount),
                 "ReleaseField names the fields");
    return schema;
}

Schema Transfers() {
    Schema schema{
        "transfers",
        {
            {"transfer_id", Type::kText, {}, kIdLongest},
            {"payout_id", Type::kText, {}, kIdLongest},
            {"merchant_id", Type::kText, {}, kIdLongest},
            {"attempt", Type::kInteger},
            {"status", Type::kEnum, {"IN_TRANSIT", "SETTLED", "FAILED", "RETURNED", "CANCELLED"}},
            {"transfer_date", Type::kDate},
            {"amount", Type::kMoney},
            {"fee", Type::kMoney},
            {"tax", Type::kMoney},
            {"is_on_demand", Type::kBoolean},
            {"reason", Type::kText},
        }};
    KESSAI_CHECK(schema.fields.size() == static_cast<std::size_t>(TransferField::kCount),
                 "TransferField names the fields");
    return schema;
}

}  // namespace

std::span<const Schema> FileSources() {
    static const std::vector<Schema> sources = {Transactions(), Releases(), Transfers()};
    return sources;
}

}  // namespace kessai::reconciliation
