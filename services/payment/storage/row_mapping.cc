#include "storage/row_mapping.h"

#include <openssl/evp.h>

#include <optional>

#include "kessai/event/bucket.h"
#include "kessai/result/check.h"

namespace kessai::payment::storage {
namespace {

constexpr std::size_t kKeyBytes = 16;

/// SHA-256 over the numbers (8 bytes each) and then the text, which so needs no separator.
template <class... Numbers>
std::string HashOf(std::string_view text, Numbers... numbers) {
    std::string input;
    input.reserve(sizeof...(numbers) * sizeof(std::int64_t) + text.size());
    const auto add = [&input](std::int64_t number) {
        for (unsigned shift = 0; shift < 64; shift += 8) {
            input.push_back(static_cast<char>(static_cast<std::uint64_t>(number) >> shift));
        }
    };
    (add(numbers), ...);
    input += text;
    // SHA256() and EVP_sha256() look the algorithm up each time, which costs more than this hash.
    static EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    unsigned char digest[EVP_MAX_MD_SIZE];
    KESSAI_CHECK(EVP_Digest(input.data(), input.size(), digest, nullptr, sha256, nullptr) == 1,
                 "OpenSSL has SHA-256");
    return {reinterpret_cast<const char*>(digest), kKeyBytes};
}

}  // namespace

std::string OrderKeyHash(const domain::OrderKey& key) {
    return HashOf(key.merchant_payment_id, key.merchant.value());
}

std::string RefundKeyHash(const domain::RefundKey& key) {
    return HashOf(key.merchant_refund_id, key.merchant.value(), key.payment.value());
}

std::string TopUpKeyHash(const domain::TopUpKey& key) {
    return HashOf(key.idempotency_key, key.user.value());
}

Currency ReadCurrency(const mysql::Rows& row, int column) {
    return Currency::Parse(row.Text(column)).value();
}

domain::Payment ReadPayment(const mysql::Rows& row) {
    domain::Payment payment;
    payment.id = domain::PaymentId(row.Int(0));
    payment.merchant = domain::MerchantId(row.Int(1));
    payment.merchant_payment_id = row.Text(2);
    payment.amount = Money(row.Int(4), ReadCurrency(row, 3));
    payment.code_salt = static_cast<std::uint32_t>(row.Uint(5));
    payment.code_expires_at = row.At(6);
    payment.created_at = row.At(7);
    payment.details.order_description = row.Text(8);
    payment.details.store_id = row.Text(9);
    payment.details.terminal_id = row.Text(10);
    payment.details.order_receipt_number = row.Text(11);
    payment.details.requested_at_s = row.Int(12);
    payment.details.extra_json = row.OptionalText(13).value_or(std::string());
    payment.status = static_cast<domain::PaymentStatus>(row.Int(14));
    payment.user = domain::UserId(row.Int(15));
    payment.accepted_at = row.At(16);
    payment.business_date = row.Date(17);
    payment.canceled_at = row.At(18);
    payment.captured = row.Int(19);
    payment.refunded = row.Int(20);
    payment.refund_count = static_cast<std::uint32_t>(row.Uint(21));
    payment.version = static_cast<std::uint32_t>(row.Uint(22));
    payment.last_event = domain::EventId(row.Int(23));
    return payment;
}

domain::Refund ReadRefund(const mysql::Rows& row) {
    domain::Refund refund;
    refund.id = domain::RefundId(row.Int(0));
    refund.payment = domain::PaymentId(row.Int(1));
    refund.merchant = domain::MerchantId(row.Int(2));
    refund.merchant_refund_id = row.Text(3);
    refund.amount = Money(row.Int(5), ReadCurrency(row, 4));
    refund.accepted_at = row.At(6);
    refund.requested_at_s = row.Int(7);
    refund.reason = row.Text(8);
    return refund;
}

domain::Change ReadChange(const mysql::Rows& row) {
    domain::Change change;
    change.object = row.Int(0);
    change.version = static_cast<std::uint32_t>(row.Uint(1));
    change.event = domain::EventId(row.Int(2));
    change.kind = static_cast<domain::ChangeKind>(row.Int(3));
    change.business_date = row.Date(4);
    change.occurred_at = row.At(5);
    change.merchant = domain::MerchantId(row.Int(6));
    change.user = domain::UserId(row.Int(7));
    change.amount = Money(row.Int(9), ReadCurrency(row, 8));
    change.merchant_payment_id = row.Text(10);
    change.store_id = row.Text(11);
    change.terminal_id = row.Text(12);
    change.order_receipt_number = row.Text(13);
    change.order_amount = row.Int(14);
    change.captured_total = row.Int(15);
    change.refunded_before = row.Int(16);
    change.payment_date = row.Date(17);
    change.payment_accepted_at = row.At(18);
    change.refund = domain::RefundId(row.Int(19));
    change.merchant_refund_id = row.Text(20);
    change.source = row.Text(21);
    return change;
}

void AddPayment(const domain::Payment& payment, mysql::RowList& rows) {
    const domain::OrderDetails& details = payment.details;
    std::optional<std::string_view> extra;
    if (!details.extra_json.empty()) extra = details.extra_json;
    rows.Add(payment.id, payment.merchant, payment.merchant_payment_id,
             payment.amount.currency().code(), payment.amount.minor(), payment.code_salt,
             payment.code_expires_at, payment.created_at, details.order_description,
             details.store_id, details.terminal_id, details.order_receipt_number,
             details.requested_at_s, extra, static_cast<int>(payment.status), payment.user,
             payment.accepted_at, payment.business_date, payment.canceled_at, payment.captured,
             payment.refunded, payment.refund_count, payment.version, payment.last_event);
}

bool IsFreshCode(const domain::Payment& payment) {
    return payment.status == domain::PaymentStatus::kCreated && payment.user.is_none() &&
           payment.accepted_at == Instant{} && payment.business_date == BusinessDate{} &&
           payment.canceled_at == Instant{} && payment.captured == 0 && payment.refunded == 0 &&
           payment.refund_count == 0 && payment.version == 0 && payment.last_event.is_none();
}

void AddCode(const domain::Payment& payment, mysql::RowList& rows) {
    const domain::OrderDetails& details = payment.details;
    std::optional<std::string_view> extra;
    if (!details.extra_json.empty()) extra = details.extra_json;
    rows.Add(payment.id, payment.merchant, payment.merchant_payment_id,
             payment.amount.currency().code(), payment.amount.minor(), payment.code_salt,
             payment.code_expires_at, payment.created_at, details.order_description,
             details.store_id, details.terminal_id, details.order_receipt_number,
             details.requested_at_s, extra);
}

bool IsCapture(const domain::Change& change) {
    return change.refunded_before == 0 && change.refund.is_none() &&
           change.merchant_refund_id.empty() && change.source.empty();
}

void AddCapture(const domain::Change& change, mysql::RowList& rows) {
    rows.Add(change.object, change.version, change.event, static_cast<int>(change.kind),
             change.business_date, change.occurred_at, change.merchant, change.user,
             change.amount.currency().code(), change.amount.minor(), change.merchant_payment_id,
             change.store_id, change.terminal_id, change.order_receipt_number, change.order_amount,
             change.captured_total, change.payment_date, change.payment_accepted_at,
             event::BucketOf(change.object));
}

void AddJournal(const domain::Change& change, mysql::RowList& rows) {
    rows.Add(change.object, change.version, change.event, static_cast<int>(change.kind),
             change.business_date, change.occurred_at, change.merchant, change.user,
             change.amount.currency().code(), change.amount.minor(), change.merchant_payment_id,
             change.store_id, change.terminal_id, change.order_receipt_number, change.order_amount,
             change.captured_total, change.refunded_before, change.payment_date,
             change.payment_accepted_at, change.refund, change.merchant_refund_id, change.source,
             event::BucketOf(change.object));
}

}  // namespace kessai::payment::storage
