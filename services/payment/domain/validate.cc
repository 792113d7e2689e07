#include <string>
#include <string_view>

#include "domain/commands.h"
#include "domain/refusal.h"

namespace kessai::payment::domain {
namespace {

constexpr std::size_t kKeyLengthMax = 64;
constexpr std::size_t kTextLengthMax = 255;
constexpr std::size_t kExtraJsonBytesMax = 16 * 1024;

Status Invalid(std::string_view field, std::string_view why) {
    return Refuse(Refusal::kFieldInvalid, std::string(field) + " " + std::string(why));
}

/// The partner contract's id alphabet: a-z A-Z 0-9 - _, 1 to 64 characters.
Status CheckKey(std::string_view field, std::string_view key) {
    if (key.empty()) return Invalid(field, "is missing");
    if (key.size() > kKeyLengthMax) return Invalid(field, "is longer than 64 characters");
    for (const char letter : key) {
        const bool fits = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                          (letter >= '0' && letter <= '9') || letter == '-' || letter == '_';
        if (!fits) return Invalid(field, "has characters other than a-z, A-Z, 0-9, - and _");
    }
    return OkStatus();
}

/// The number of code points of a UTF-8 text without controls, or -1 when it is not one (RFC 3629).
std::ptrdiff_t CodePoints(std::string_view text) {
    std::ptrdiff_t count = 0;
    for (std::size_t i = 0; i < text.size(); ++count) {
        const auto lead = static_cast<unsigned char>(text[i]);
        const std::size_t length = lead < 0x80   ? 1
                                   : lead < 0xC2 ? 0
                                   : lead < 0xE0 ? 2
                                   : lead < 0xF0 ? 3
                                   : lead < 0xF5 ? 4
                                                 : 0;
        if (length == 0 || i + length > text.size()) return -1;
        if (length == 1 && (lead < 0x20 || lead == 0x7F) && lead != '\t' && lead != '\n' &&
            lead != '\r') {
            return -1;
        }
        for (std::size_t k = 1; k < length; ++k) {
            if ((static_cast<unsigned char>(text[i + k]) & 0xC0) != 0x80) return -1;
        }
        const auto second = length > 1 ? static_cast<unsigned char>(text[i + 1]) : 0;
        const bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
        const bool surrogate = lead == 0xED && second >= 0xA0;
        const bool beyond = lead == 0xF4 && second >= 0x90;
        if (overlong || surrogate || beyond) return -1;
        i += length;
    }
    return count;
}

Status CheckText(std::string_view field, std::string_view text) {
    const std::ptrdiff_t length = CodePoints(text);
    if (length < 0) return Invalid(field, "is not valid UTF-8 text");
    if (length > static_cast<std::ptrdiff_t>(kTextLengthMax)) {
        return Invalid(field, "is longer than 255 characters");
    }
    return OkStatus();
}

Status CheckAmount(Money amount, std::int64_t max) {
    if (amount.minor() < 1 || amount.minor() > max) {
        return Refuse(Refusal::kAmountOutOfRange,
                      "the amount must be from 1 to " + std::to_string(max));
    }
    return OkStatus();
}

Status CheckDetails(const OrderDetails& details) {
    KESSAI_RETURN_IF_ERROR(CheckText("orderDescription", details.order_description));
    KESSAI_RETURN_IF_ERROR(CheckText("storeId", details.store_id));
    KESSAI_RETURN_IF_ERROR(CheckText("terminalId", details.terminal_id));
    KESSAI_RETURN_IF_ERROR(CheckText("orderReceiptNumber", details.order_receipt_number));
    if (details.requested_at_s < 0) return Invalid("requestedAt", "is negative");
    if (details.extra_json.size() > kExtraJsonBytesMax) {
        return Invalid("the order's other fields", "take more than 16 KiB");
    }
    if (CodePoints(details.extra_json) < 0) {
        return Invalid("the order's other fields", "are not valid UTF-8 text");
    }
    return OkStatus();
}

Status Check(const CreateCode& command, const Policy& policy) {
    KESSAI_RETURN_IF_ERROR(CheckKey("merchantPaymentId", command.merchant_payment_id));
    KESSAI_RETURN_IF_ERROR(CheckAmount(command.amount, policy.payment_amount_max));
    return CheckDetails(command.details);
}

Status Check(const DeleteCode&, const Policy&) {
    return OkStatus();
}

Status Check(const PayCode& command, const Policy&) {
    // Its range was checked when the code was made; another amount is refused as changed.
    return command.amount.is_positive()
               ? OkStatus()
               : Refuse(Refusal::kAmountOutOfRange, "the amount must be positive");
}

Status Check(const CancelPayment& command, const Policy&) {
    return CheckKey("merchantPaymentId", command.order.merchant_payment_id);
}

Status Check(const RefundPayment& command, const Policy& policy) {
    KESSAI_RETURN_IF_ERROR(CheckKey("merchantRefundId", command.merchant_refund_id));
    if (command.payment.value() < 1) return Refuse(Refusal::kPaymentUnknown, "no such payment");
    KESSAI_RETURN_IF_ERROR(CheckAmount(command.amount, policy.payment_amount_max));
    if (command.requested_at_s < 0) return Invalid("requestedAt", "is negative");
    return CheckText("reason", command.reason);
}

Status Check(const TopUpWallet& command, const Policy& policy) {
    KESSAI_RETURN_IF_ERROR(CheckKey("the idempotency key", command.idempotency_key));
    KESSAI_RETURN_IF_ERROR(CheckAmount(command.amount, policy.top_up_amount_max));
    if (command.source != "development" || !policy.development_funding) {
        return Refuse(Refusal::kSourceUnknown, "there is no such funding source");
    }
    return OkStatus();
}

Status Check(const OpenWallet& command, const Policy&) {
    return command.user.value() > 0 ? OkStatus() : Invalid("the user's id", "is not positive");
}

Status Check(const ClearRelease&, const Policy&) {
    return OkStatus();
}

}  // namespace

Status Validate(const Command& command, const Policy& policy) {
    return std::visit([&](const auto& one) { return Check(one, policy); }, command);
}

}  // namespace kessai::payment::domain
