#include "transport/transaction_service.h"

#include <array>
#include <charconv>
#include <string>
#include <unordered_map>
#include <vector>

#include "domain/refusal.h"

namespace kessai::payment::transport {
namespace {

using domain::Refusal;
using domain::Refuse;

constexpr int kRowsPerBatch = 1'000;
constexpr std::size_t kTextBytesPerBatch = std::size_t{512} << 10;
// A list of keys is at most some hundred long: see mysql/query.h.
constexpr std::size_t kNamesPerLookUp = 500;
constexpr std::size_t kTextsPerRow = 5;
// 9999-12-31 in microseconds.
constexpr std::int64_t kLatestUs = 253'402'300'799'000'000;

Status Stopping() {
    return Status(Code::kUnavailable, "STOPPING", "the service is stopping");
}

/// "PASS-DATE-BUCKET-OBJECT-VERSION", in decimal.
std::string PositionText(const app::TransactionPosition& position) {
    std::string text = std::to_string(position.pass);
    for (const std::int64_t number : {static_cast<std::int64_t>(position.date.ToNumber()),
                                      static_cast<std::int64_t>(position.bucket), position.object,
                                      static_cast<std::int64_t>(position.version)}) {
        text += '-' + std::to_string(number);
    }
    return text;
}

Result<app::TransactionPosition> ParsePosition(std::string_view text) {
    app::TransactionPosition position;
    if (text.empty()) return position;
    const Status malformed = Refuse(Refusal::kPageTokenInvalid, "after is no position of a batch");
    std::array<std::int64_t, 5> numbers{};
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        const auto [end, error] =
            std::from_chars(text.data(), text.data() + text.size(), numbers[i]);
        if (error != std::errc() || numbers[i] < 0) return malformed;
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
        const bool last = i + 1 == numbers.size();
        if (last ? !text.empty() : !text.starts_with('-')) return malformed;
        if (!last) text.remove_prefix(1);
    }
    const auto date = BusinessDate::FromNumber(static_cast<std::int32_t>(numbers[1]));
    if (numbers[0] > 1 || numbers[1] > 99'991'231 || !date.ok() || numbers[2] > INT32_MAX ||
        numbers[4] > UINT32_MAX) {
        return malformed;
    }
    position.pass = static_cast<int>(numbers[0]);
    position.date = *date;
    position.bucket = static_cast<int>(numbers[2]);
    position.object = numbers[3];
    position.version = static_cast<std::uint32_t>(numbers[4]);
    return position;
}

Result<app::TransactionQuery> ToQuery(const v1::ListTransactionsRequest& request) {
    app::TransactionQuery query;
    switch (request.rows_case()) {
        case v1::ListTransactionsRequest::kBusinessDate: {
            KESSAI_ASSIGN_OR_RETURN(query.business_date,
                                    BusinessDate::FromNumber(request.business_date()));
            break;
        }
        case v1::ListTransactionsRequest::kPeriod: {
            const auto& period = request.period();
            if (period.from_us() < 0 || period.from_us() >= period.to_us() ||
                period.to_us() > kLatestUs) {
                return Refuse(Refusal::kFieldInvalid, "the period is none");
            }
            query.from = FromMicros(period.from_us());
            query.to = FromMicros(period.to_us());
            break;
        }
        case v1::ListTransactionsRequest::ROWS_NOT_SET:
            return Refuse(Refusal::kFieldInvalid, "name a date or a period");
    }
    if (request.merchant_id() < 0) {
        return Refuse(Refusal::kFieldInvalid, "merchant_id is negative");
    }
    query.merchant = domain::MerchantId(request.merchant_id());
    if (request.parts() < 1 || request.parts() > app::kTransactionPartsMax ||
        request.part() >= request.parts()) {
        return Refuse(Refusal::kFieldInvalid, "there is no such part: parts are 1 to 1,024");
    }
    query.part = static_cast<int>(request.part());
    query.parts = static_cast<int>(request.parts());
    KESSAI_ASSIGN_OR_RETURN(query.after, ParsePosition(request.after()));
    return query;
}

v1::PaymentChanged::Kind KindOf(domain::ChangeKind kind) {
    switch (kind) {
        case domain::ChangeKind::kCompleted:
            return v1::PaymentChanged::COMPLETED;
        case domain::ChangeKind::kCanceled:
            return v1::PaymentChanged::CANCELED;
        case domain::ChangeKind::kRefunded:
            return v1::PaymentChanged::REFUNDED;
        case domain::ChangeKind::kToppedUp:
        case domain::ChangeKind::kReleaseCleared:
            break;  // No merchant has these.
    }
    return v1::PaymentChanged::KIND_UNSPECIFIED;
}

/// Gathers rows into a message that is used again and again.
class BatchBuilder {
 public:
    bool empty() const { return batch_.payment_id_size() == 0; }
    bool TakesCurrency(std::string_view currency) const {
        return empty() || batch_.currency() == currency;
    }
    bool full() const {
        return batch_.payment_id_size() >= kRowsPerBatch ||
               batch_.texts().size() >= kTextBytesPerBatch;
    }

    void Add(const app::TransactionRow& row) {
        if (empty()) batch_.set_currency(std::string(row.currency));
        batch_.add_payment_id(row.object);
        batch_.add_version(row.version);
        batch_.add_kind(KindOf(row.kind));
        batch_.add_business_date(row.business_date.ToNumber());
        batch_.add_accepted_at_us(row.occurred_us);
        batch_.add_amount(row.amount);
        const auto [found, is_new] = merchants_.try_emplace(
            row.merchant, static_cast<std::uint32_t>(batch_.merchants_size()));
        if (is_new) batch_.add_merchants()->set_merchant_id(row.merchant);
        batch_.add_merchant(found->second);
        std::string& texts = *batch_.mutable_texts();
        const std::array<std::string_view, kTextsPerRow> parts{
            row.merchant_payment_id, row.store_id, row.terminal_id, row.order_receipt_number,
            row.merchant_refund_id};
        for (const std::string_view text : parts) {
            batch_.add_text_bytes(static_cast<std::uint32_t>(text.size()));
            texts += text;
        }
        position_ = row.position;
    }
    v1::TransactionBatch& Finish() {
        batch_.set_position(PositionText(position_));
        return batch_;
    }
    void Clear() {
        batch_.Clear();
        merchants_.clear();
    }

 private:
    v1::TransactionBatch batch_;
    std::unordered_map<std::int64_t, std::uint32_t> merchants_;
    app::TransactionPosition position_;
};

Status FillNames(app::PaymentReader& reader, app::MerchantCache& names,
                 v1::TransactionBatch& batch) {
    std::unordered_map<std::int64_t, v1::TransactionBatch::Merchant*> missing;
    std::vector<domain::MerchantId> ids;
    const auto look_up = [&]() -> Status {
        KESSAI_ASSIGN_OR_RETURN(const auto found, reader.Merchants(ids));
        for (const domain::Merchant& merchant : found) {
            names.Put(merchant);
            missing.at(merchant.id.value())->set_name(merchant.name);
        }
        ids.clear();
        return OkStatus();
    };
    for (auto& merchant : *batch.mutable_merchants()) {
        const domain::MerchantId id(merchant.merchant_id());
        if (const auto known = names.Find(id)) {
            merchant.set_name(known->name);
            continue;
        }
        missing.emplace(id.value(), &merchant);
        ids.push_back(id);
        if (ids.size() == kNamesPerLookUp) KESSAI_RETURN_IF_ERROR(look_up());
    }
    return ids.empty() ? OkStatus() : look_up();
}

}  // namespace

auth::MethodPolicy TransactionPolicy() {
    return auth::MethodPolicy({{"ListTransactions", {auth::AnyService()}}});
}

TransactionService::TransactionService(app::ListTransactions& list, app::PaymentReader& reader,
                                       app::MerchantCache& names)
    : list_(list), reader_(reader), names_(names) {}

void TransactionService::Register(rpc::Service& service, rpc::WorkerPool& pool) {
    service.Streaming<v1::ListTransactionsRequest, v1::TransactionBatch>(
        "ListTransactions", pool,
        [this](const rpc::CallContext&, const v1::ListTransactionsRequest& request,
               rpc::StreamWriter<v1::TransactionBatch>& batches) {
            return ListTransactions(request, batches);
        });
}

Status TransactionService::ListTransactions(const v1::ListTransactionsRequest& request,
                                            rpc::StreamWriter<v1::TransactionBatch>& batches) {
    KESSAI_ASSIGN_OR_RETURN(const app::TransactionQuery query, ToQuery(request));
    BatchBuilder builder;
    Status failure;
    bool is_wanted = true;
    const auto send = [&] {
        v1::TransactionBatch& batch = builder.Finish();
        failure = stop_.stop_requested() ? Stopping() : FillNames(reader_, names_, batch);
        is_wanted = failure.ok() && batches.Write(batch);
        builder.Clear();
        return is_wanted;
    };
    KESSAI_RETURN_IF_ERROR(list_.Run(query, [&](const app::TransactionRow& row) {
        if (!builder.TakesCurrency(row.currency) && !send()) return false;
        builder.Add(row);
        return !builder.full() || send();
    }));
    if (is_wanted && !builder.empty()) send();
    // Never as if it had come to its end.
    return failure;
}

}  // namespace kessai::payment::transport
