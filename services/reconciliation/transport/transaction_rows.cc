#include "transport/transaction_rows.h"

#include <charconv>
#include <optional>

namespace kessai::reconciliation::transport {
namespace {

using filetemplate::Value;
using payment::v1::MethodAmount;
using payment::v1::PaymentChanged;
using payment::v1::TransactionBatch;

constexpr int kTextsPerRow = 5;

Status Senseless(std::string_view what) {
    return Status(Code::kDataLoss, "PEER_ANSWER_INVALID",
                  "payment answered with " + std::string(what));
}

std::optional<TransactionStatus> StatusOf(PaymentChanged::Kind kind) {
    switch (kind) {
        case PaymentChanged::COMPLETED:
        case PaymentChanged::CAPTURED:
            return TransactionStatus::kCompleted;
        // The partner contract's word for a payment that its merchant took back.
        case PaymentChanged::CANCELED:
            return TransactionStatus::kFailed;
        case PaymentChanged::REVERTED:
            return TransactionStatus::kCanceled;
        case PaymentChanged::REFUNDED:
            return TransactionStatus::kRefunded;
        case PaymentChanged::AUTHORIZED:
            return TransactionStatus::kAuthorized;
        case PaymentChanged::EXPIRED:
            return TransactionStatus::kExpired;
        default:
            return std::nullopt;
    }
}

/// A method as merchants' files name it. What they have no word for was paid from the wallet, as
/// far as a merchant is concerned.
struct MethodWords {
    TransactionMethod method;
    std::string_view name;
    std::string_view name_ja;
};
const MethodWords& WordsOf(MethodAmount::Method method) {
    static constexpr MethodWords kWallet{TransactionMethod::kWallet, "WALLET", "PayPay残高"};
    static constexpr MethodWords kCard{TransactionMethod::kCreditCard, "CREDIT_CARD",
                                       "クレジットカード"};
    static constexpr MethodWords kPayLater{TransactionMethod::kPayLaterCc, "PAY_LATER_CC",
                                           "PayPay(クレジット)"};
    static constexpr MethodWords kPoint{TransactionMethod::kPoint, "POINT", "PayPayポイント"};
    static constexpr MethodWords kVoucher{TransactionMethod::kGiftVoucher, "GIFT_VOUCHER",
                                          "PayPay商品券"};
    switch (method) {
        case MethodAmount::CREDIT_CARD:
            return kCard;
        case MethodAmount::PAY_LATER:
            return kPayLater;
        case MethodAmount::POINT:
            return kPoint;
        case MethodAmount::GIFT_VOUCHER:
            return kVoucher;
        default:
            return kWallet;
    }
}

void AppendNumber(std::int64_t number, std::string& text) {
    char digits[20];
    const auto [end, error] = std::to_chars(digits, digits + sizeof digits, number);
    text.append(digits, end);
}

/// [{"paymentMethod":"POINT","amount":80},…]
void AppendDetail(std::string_view method, std::int64_t amount, std::string& json) {
    json += json.empty() ? R"([{"paymentMethod":")" : R"(,{"paymentMethod":")";
    json += method;
    json += R"(","amount":)";
    AppendNumber(amount, json);
    json += '}';
}

/// The columns fit each other, and each row its merchant and texts.
Status Check(const TransactionBatch& batch) {
    const int rows = batch.payment_id_size();
    const bool even = batch.version_size() == rows && batch.kind_size() == rows &&
                      batch.business_date_size() == rows && batch.accepted_at_us_size() == rows &&
                      batch.amount_size() == rows && batch.merchant_size() == rows &&
                      batch.text_bytes_size() == kTextsPerRow * rows;
    if (!even || batch.position().empty()) return Senseless("a batch of uneven columns");
    std::uint64_t bytes = 0;
    for (const std::uint32_t length : batch.text_bytes()) bytes += length;
    if (bytes != batch.texts().size()) return Senseless("texts of another length");
    for (int row = 0; row < rows; ++row) {
        if (batch.merchant(row) >= static_cast<std::uint32_t>(batch.merchants_size())) {
            return Senseless("a row of no merchant");
        }
        if (batch.version(row) == 0 || batch.amount(row) < 0 ||
            !StatusOf(batch.kind(row)).has_value()) {
            return Senseless("a change that is none: payment " +
                             std::to_string(batch.payment_id(row)));
        }
    }
    int last = -1;
    for (const TransactionBatch::Split& split : batch.splits()) {
        if (split.row() >= static_cast<std::uint32_t>(rows) ||
            static_cast<int>(split.row()) <= last || split.methods().empty()) {
            return Senseless("a split of no row");
        }
        last = static_cast<int>(split.row());
    }
    return OkStatus();
}

}  // namespace

TransactionRows::TransactionRows(const std::vector<bool>& fields) : wanted_(fields) {}

void TransactionRows::SetMethods(const TransactionBatch::Split* split, std::int64_t amount) {
    std::uint64_t methods = 0;
    details_.clear();
    details_ja_.clear();
    const bool wants_details = IsWanted(TransactionField::kPaymentDetails);
    const bool wants_details_ja = IsWanted(TransactionField::kPaymentDetailsJa);
    const auto add = [&](MethodAmount::Method method, std::int64_t part) {
        const MethodWords& words = WordsOf(method);
        methods |= std::uint64_t{1} << static_cast<std::size_t>(words.method);
        if (wants_details) AppendDetail(words.name, part, details_);
        if (wants_details_ja) AppendDetail(words.name_ja, part, details_ja_);
    };
    if (split == nullptr) {
        add(MethodAmount::WALLET, amount);
    } else {
        for (const MethodAmount& part : split->methods()) add(part.method(), part.amount());
    }
    if (wants_details) details_ += ']';
    if (wants_details_ja) details_ja_ += ']';
    At(TransactionField::kMethods) = Value::EnumSet(methods);
    At(TransactionField::kPaymentDetails) = Value::Json(details_);
    At(TransactionField::kPaymentDetailsJa) = Value::Json(details_ja_);
}

Status TransactionRows::Take(const TransactionBatch& batch,
                             const std::function<Status(const app::FileRow&)>& take) {
    KESSAI_RETURN_IF_ERROR(Check(batch));
    KESSAI_ASSIGN_OR_RETURN(const Currency currency, Currency::Parse(batch.currency()));
    merchant_ids_.clear();
    for (const auto& merchant : batch.merchants()) {
        merchant_ids_.push_back(std::to_string(merchant.merchant_id()));
    }
    std::int32_t date_number = 0;
    std::string_view texts = batch.texts();
    int split = 0;
    app::FileRow row;
    for (int i = 0; i < batch.payment_id_size(); ++i) {
        auto next_text = [&batch, &texts, at = kTextsPerRow * i]() mutable {
            const std::string_view taken = texts.substr(0, batch.text_bytes(at++));
            texts.remove_prefix(taken.size());
            return taken;
        };
        const TransactionStatus status = *StatusOf(batch.kind(i));
        const bool refunded = status == TransactionStatus::kRefunded;
        const auto& merchant = batch.merchants(static_cast<int>(batch.merchant(i)));
        order_id_.clear();
        AppendNumber(batch.payment_id(i), order_id_);
        At(TransactionField::kOrderId) = Value::Text(order_id_);
        At(TransactionField::kMerchantId) = Value::Text(merchant_ids_[batch.merchant(i)]);
        At(TransactionField::kBrandName) = Value::Text(merchant.name());
        At(TransactionField::kStatus) = Value::Enum(static_cast<std::size_t>(status));
        At(TransactionField::kAcceptedAt) = Value::Of(FromMicros(batch.accepted_at_us(i)));
        if (batch.business_date(i) != date_number) {
            date_number = batch.business_date(i);
            const auto date = BusinessDate::FromNumber(date_number);
            if (!date.ok()) return Senseless("a day that is none");
            At(TransactionField::kBusinessDate) = Value::Of(*date);
        }
        At(TransactionField::kAmount) = Value::Of(Money(batch.amount(i), currency));
        At(TransactionField::kMerchantPaymentId) = Value::Text(next_text());
        At(TransactionField::kStoreId) = Value::Text(next_text());
        At(TransactionField::kTerminalId) = Value::Text(next_text());
        At(TransactionField::kOrderReceiptNumber) = Value::Text(next_text());
        const std::string_view refund_id = next_text();
        At(TransactionField::kMerchantRefundId) =
            refunded ? Value::Text(refund_id) : filetemplate::Value();
        const bool has_split = split < batch.splits_size() &&
                               batch.splits(split).row() == static_cast<std::uint32_t>(i);
        SetMethods(has_split ? &batch.splits(split) : nullptr, batch.amount(i));
        if (has_split) ++split;
        At(TransactionField::kIsCapturedLater) = Value::Boolean(false);

        row.merchant = domain::MerchantId(merchant.merchant_id());
        row.accepted_us = batch.accepted_at_us(i);
        row.id = batch.payment_id(i);
        row.step = batch.version(i);
        row.values = values_;
        KESSAI_RETURN_IF_ERROR(take(row));
    }
    return OkStatus();
}

}  // namespace kessai::reconciliation::transport
