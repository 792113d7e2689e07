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

void AppendVarint(std::uint64_t number, std::string& bytes) {
    while (number >= 0x80) {
        bytes.push_back(static_cast<char>(number | 0x80));
        number >>= 7;
    }
    bytes.push_back(static_cast<char>(number));
}
void AppendText(std::string_view text, std::string& bytes) {
    AppendVarint(text.size(), bytes);
    bytes += text;
}

/// Reads what was appended; once something is lacking all that follows is.
class PackedBytes {
 public:
    explicit PackedBytes(std::string_view bytes) : bytes_(bytes) {}

    std::uint64_t Varint() {
        std::uint64_t number = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            if (bytes_.empty()) return Lacking();
            const auto byte = static_cast<std::uint8_t>(bytes_.front());
            bytes_.remove_prefix(1);
            number |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
            if (byte < 0x80) return number;
        }
        return Lacking();
    }
    std::string_view Text(std::size_t size) {
        if (size > bytes_.size()) {
            Lacking();
            return {};
        }
        const std::string_view text = bytes_.substr(0, size);
        bytes_.remove_prefix(size);
        return text;
    }
    std::string_view Text() { return Text(Varint()); }
    bool is_whole() const { return !is_lacking_ && bytes_.empty(); }

 private:
    std::uint64_t Lacking() {
        is_lacking_ = true;
        bytes_ = {};
        return 0;
    }

    std::string_view bytes_;
    bool is_lacking_ = false;
};

Status Damaged() {
    return Status(Code::kDataLoss, "ROW_DAMAGED", "a row came back other than it was kept");
}

// Payment, version, time and merchant are the row's place. An amount of no method never is.
void Pack(const ToldTransaction& told, std::string& bytes) {
    AppendText(told.merchant_name, bytes);
    bytes += told.currency.code();
    AppendVarint(static_cast<std::uint64_t>(told.business_date), bytes);
    AppendVarint(static_cast<std::uint64_t>(told.status), bytes);
    AppendVarint(static_cast<std::uint64_t>(told.amount), bytes);
    for (const std::string_view text : {told.merchant_payment_id, told.store_id, told.terminal_id,
                                        told.order_receipt_number, told.merchant_refund_id}) {
        AppendText(text, bytes);
    }
    AppendVarint(told.split.size(), bytes);
    for (const ToldTransaction::Part& part : told.split) {
        AppendVarint(static_cast<std::uint64_t>(part.method), bytes);
        AppendVarint(static_cast<std::uint64_t>(part.amount), bytes);
    }
}

}  // namespace

TransactionValues::TransactionValues(const std::vector<bool>& fields) : wanted_(fields) {}

void TransactionValues::SetMethods(const ToldTransaction& told) {
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
    if (told.split.empty()) {
        add(MethodAmount::WALLET, told.amount);
    } else {
        for (const ToldTransaction::Part& part : told.split) add(part.method, part.amount);
    }
    if (wants_details) details_ += ']';
    if (wants_details_ja) details_ja_ += ']';
    At(TransactionField::kMethods) = Value::EnumSet(methods);
    At(TransactionField::kPaymentDetails) = Value::Json(details_);
    At(TransactionField::kPaymentDetailsJa) = Value::Json(details_ja_);
}

Result<filetemplate::Row> TransactionValues::Of(const ToldTransaction& told) {
    order_id_.clear();
    AppendNumber(told.payment_id, order_id_);
    if (told.merchant_id != merchant_id_number_) {
        merchant_id_number_ = told.merchant_id;
        merchant_id_ = std::to_string(told.merchant_id);
    }
    if (told.business_date != date_number_) {
        const auto date = BusinessDate::FromNumber(told.business_date);
        if (!date.ok()) return Senseless("a day that is none");
        date_number_ = told.business_date;
        At(TransactionField::kBusinessDate) = Value::Of(*date);
    }
    At(TransactionField::kOrderId) = Value::Text(order_id_);
    At(TransactionField::kMerchantId) = Value::Text(merchant_id_);
    At(TransactionField::kBrandName) = Value::Text(told.merchant_name);
    At(TransactionField::kStatus) = Value::Enum(static_cast<std::size_t>(told.status));
    At(TransactionField::kAcceptedAt) = Value::Of(FromMicros(told.accepted_us));
    At(TransactionField::kAmount) = Value::Of(Money(told.amount, told.currency));
    At(TransactionField::kMerchantPaymentId) = Value::Text(told.merchant_payment_id);
    At(TransactionField::kStoreId) = Value::Text(told.store_id);
    At(TransactionField::kTerminalId) = Value::Text(told.terminal_id);
    At(TransactionField::kOrderReceiptNumber) = Value::Text(told.order_receipt_number);
    At(TransactionField::kMerchantRefundId) = told.status == TransactionStatus::kRefunded
                                                  ? Value::Text(told.merchant_refund_id)
                                                  : filetemplate::Value();
    SetMethods(told);
    At(TransactionField::kIsCapturedLater) = Value::Boolean(false);
    return filetemplate::Row(values_);
}

template <class F>
Status TransactionRows::Each(const TransactionBatch& batch, F take) {
    KESSAI_RETURN_IF_ERROR(Check(batch));
    ToldTransaction told;
    KESSAI_ASSIGN_OR_RETURN(told.currency, Currency::Parse(batch.currency()));
    std::string_view texts = batch.texts();
    int text = 0;
    const auto next_text = [&] {
        const std::string_view taken = texts.substr(0, batch.text_bytes(text++));
        texts.remove_prefix(taken.size());
        return taken;
    };
    int split = 0;
    for (int i = 0; i < batch.payment_id_size(); ++i) {
        const auto& merchant = batch.merchants(static_cast<int>(batch.merchant(i)));
        told.payment_id = batch.payment_id(i);
        told.version = batch.version(i);
        told.status = *StatusOf(batch.kind(i));
        told.business_date = batch.business_date(i);
        told.accepted_us = batch.accepted_at_us(i);
        told.amount = batch.amount(i);
        told.merchant_id = merchant.merchant_id();
        told.merchant_name = merchant.name();
        told.merchant_payment_id = next_text();
        told.store_id = next_text();
        told.terminal_id = next_text();
        told.order_receipt_number = next_text();
        told.merchant_refund_id = next_text();
        told.split.clear();
        if (split < batch.splits_size() &&
            batch.splits(split).row() == static_cast<std::uint32_t>(i)) {
            for (const MethodAmount& part : batch.splits(split++).methods()) {
                told.split.push_back({part.method(), part.amount()});
            }
        }
        KESSAI_RETURN_IF_ERROR(take(told));
    }
    return OkStatus();
}

Status TransactionRows::Take(const TransactionBatch& batch, const app::FileRows::Take& take) {
    app::FileRow row;
    return Each(batch, [&](const ToldTransaction& told) -> Status {
        KESSAI_ASSIGN_OR_RETURN(row.values, values_.Of(told));
        row.merchant = domain::MerchantId(told.merchant_id);
        row.accepted_us = told.accepted_us;
        row.id = told.payment_id;
        row.step = told.version;
        return take(row);
    });
}

Status TransactionRows::TakePacked(const TransactionBatch& batch,
                                   const app::FileRows::TakePacked& take) {
    std::optional<std::int32_t> date_number;
    return Each(batch, [&](const ToldTransaction& told) -> Status {
        if (told.business_date != date_number) {
            if (!BusinessDate::FromNumber(told.business_date).ok()) {
                return Senseless("a day that is none");
            }
            date_number = told.business_date;
        }
        packed_.clear();
        Pack(told, packed_);
        return take({domain::MerchantId(told.merchant_id), told.accepted_us, told.payment_id,
                     told.version, packed_});
    });
}

Result<filetemplate::Row> TransactionUnpacker::Unpack(const app::PackedRow& row) {
    constexpr std::size_t kCurrencyBytes = 3;
    PackedBytes bytes(row.bytes);
    told_.payment_id = row.id;
    told_.version = row.step;
    told_.accepted_us = row.accepted_us;
    told_.merchant_id = row.merchant.value();
    told_.merchant_name = bytes.Text();
    const std::string_view currency = bytes.Text(kCurrencyBytes);
    if (told_.currency.code() != currency) {
        const auto parsed = Currency::Parse(currency);
        if (!parsed.ok()) return Damaged();
        told_.currency = *parsed;
    }
    told_.business_date = static_cast<std::int32_t>(bytes.Varint());
    told_.status = static_cast<TransactionStatus>(bytes.Varint());
    told_.amount = static_cast<std::int64_t>(bytes.Varint());
    told_.merchant_payment_id = bytes.Text();
    told_.store_id = bytes.Text();
    told_.terminal_id = bytes.Text();
    told_.order_receipt_number = bytes.Text();
    told_.merchant_refund_id = bytes.Text();
    told_.split.clear();
    const std::uint64_t parts = bytes.Varint();
    for (std::uint64_t i = 0; i < parts && i < row.bytes.size(); ++i) {
        const auto method = static_cast<MethodAmount::Method>(bytes.Varint());
        told_.split.push_back({method, static_cast<std::int64_t>(bytes.Varint())});
    }
    if (!bytes.is_whole() || told_.status > TransactionStatus::kRefundFailed) return Damaged();
    return values_.Of(told_);
}

}  // namespace kessai::reconciliation::transport
