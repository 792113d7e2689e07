#include "transport/query_service.h"

#include <charconv>

#include "domain/code_id.h"
#include "domain/refusal.h"
#include "transport/proto_mapping.h"

namespace kessai::payment::transport {
namespace {

using domain::Refusal;
using domain::Refuse;

constexpr int kPageSizeDefault = 20;
constexpr int kPageSizeMax = 100;
constexpr std::size_t kMerchantNameBytesMax = 255;

/// A page token is the event id below which the next page begins, in decimal.
Result<domain::EventId> ParsePageToken(const std::string& token) {
    if (token.empty()) return domain::EventId();
    std::int64_t id = 0;
    const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), id);
    if (error != std::errc() || end != token.data() + token.size() || id < 1) {
        return Refuse(Refusal::kPageTokenInvalid, "not a page token of this service");
    }
    return domain::EventId(id);
}

}  // namespace

QueryService::QueryService(app::PaymentReader& reader, app::MerchantCache& merchants,
                           const Clock& clock)
    : reader_(reader), merchants_(merchants), clock_(clock) {}

void QueryService::Register(rpc::Service& service, rpc::WorkerPool& pool) {
    service.Blocking("GetCode", pool, *this, &QueryService::GetCode);
    service.Blocking("GetPayment", pool, *this, &QueryService::GetPayment);
    service.Blocking("GetRefund", pool, *this, &QueryService::GetRefund);
    service.Blocking("GetWallet", pool, *this, &QueryService::GetWallet);
    service.Blocking("ListHistory", pool, *this, &QueryService::ListHistory);
    service.Blocking("PutMerchant", pool, *this, &QueryService::PutMerchant);
    service.Blocking("GetMerchant", pool, *this, &QueryService::GetMerchant);
}

Result<std::string> QueryService::MerchantName(domain::MerchantId id) {
    if (const auto known = merchants_.Find(id)) return known->name;
    KESSAI_ASSIGN_OR_RETURN(const auto found, reader_.Merchants({id}));
    if (found.empty()) return std::string();
    merchants_.Put(found.front());
    return found.front().name;
}

Result<v1::Payment> QueryService::GetCode(const rpc::CallContext& context,
                                          const v1::GetCodeRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const domain::CodeId code, domain::ParseCodeId(request.code_id()));
    const auto payment = reader_.PaymentById(code.payment);
    if (payment.status().code() == Code::kNotFound ||
        (payment.ok() && payment->code_salt != code.salt)) {
        return Refuse(Refusal::kCodeUnknown, "there is no such code");
    }
    KESSAI_RETURN_IF_ERROR(payment.status());
    KESSAI_ASSIGN_OR_RETURN(const std::string name, MerchantName(payment->merchant));
    v1::Payment response;
    FillPayment(*payment, name, clock_.Now(), &response);
    // Who paid is nobody else's business.
    if (response.user_id() != context.principal().user_id) response.clear_user_id();
    return response;
}

Result<v1::Payment> QueryService::GetPayment(const rpc::CallContext& context,
                                             const v1::GetPaymentRequest& request) {
    const auth::Principal& caller = context.principal();
    const domain::MerchantId merchant(caller.merchant_id);
    const bool by_order = request.key_case() == v1::GetPaymentRequest::kMerchantPaymentId;
    if (by_order && caller.role != auth::Role::kMerchant) {
        return Refuse(Refusal::kPaymentUnknown, "there is no such payment");
    }
    KESSAI_ASSIGN_OR_RETURN(const domain::Payment payment,
                            by_order
                                ? reader_.PaymentByOrder({merchant, request.merchant_payment_id()})
                                : reader_.PaymentById(domain::PaymentId(request.payment_id())));
    const bool own = caller.role == auth::Role::kMerchant
                         ? payment.merchant == merchant
                         : !payment.user.is_none() && payment.user.value() == caller.user_id;
    if (!own) return Refuse(Refusal::kPaymentUnknown, "there is no such payment");

    KESSAI_ASSIGN_OR_RETURN(const std::string name, MerchantName(payment.merchant));
    v1::Payment response;
    FillPayment(payment, name, clock_.Now(), &response);
    if (payment.refund_count > 0) {
        KESSAI_ASSIGN_OR_RETURN(const auto refunds, reader_.RefundsOf(payment.id));
        for (const domain::Refund& refund : refunds) FillRefund(refund, response.add_refunds());
    }
    return response;
}

Result<v1::Refund> QueryService::GetRefund(const rpc::CallContext& context,
                                           const v1::GetRefundRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(
        const domain::Refund refund,
        reader_.RefundByKey({domain::MerchantId(context.principal().merchant_id),
                             request.merchant_refund_id(),
                             domain::PaymentId(request.payment_id())}));
    v1::Refund response;
    FillRefund(refund, &response);
    return response;
}

Result<v1::Wallet> QueryService::GetWallet(const rpc::CallContext& context,
                                           const v1::GetWalletRequest&) {
    KESSAI_ASSIGN_OR_RETURN(const domain::Wallet wallet,
                            reader_.WalletOf(domain::UserId(context.principal().user_id)));
    v1::Wallet response;
    FillWallet(wallet, &response);
    return response;
}

Result<v1::ListHistoryResponse> QueryService::ListHistory(const rpc::CallContext& context,
                                                          const v1::ListHistoryRequest& request) {
    if (request.page_size() > kPageSizeMax) {
        return Refuse(Refusal::kPageSizeOutOfRange, "a page has 1 to 100 entries");
    }
    const int page_size =
        request.page_size() == 0 ? kPageSizeDefault : static_cast<int>(request.page_size());
    KESSAI_ASSIGN_OR_RETURN(const domain::EventId before, ParsePageToken(request.page_token()));
    // One more than the page tells whether there is another.
    KESSAI_ASSIGN_OR_RETURN(
        const auto entries,
        reader_.HistoryOf(domain::UserId(context.principal().user_id), before, page_size + 1));
    v1::ListHistoryResponse response;
    for (const app::HistoryEntry& entry : entries) {
        if (response.entries_size() == page_size) {
            response.set_next_page_token(
                std::to_string(response.entries(page_size - 1).event_id()));
            break;
        }
        std::string name;
        if (!entry.change.merchant.is_none()) {
            KESSAI_ASSIGN_OR_RETURN(name, MerchantName(entry.change.merchant));
        }
        FillHistoryEntry(entry, name, response.add_entries());
    }
    return response;
}

Result<v1::Merchant> QueryService::PutMerchant(const rpc::CallContext&,
                                               const v1::Merchant& request) {
    if (request.merchant_id() < 1) {
        return Refuse(Refusal::kFieldInvalid, "merchant_id is not positive");
    }
    if (request.name().empty() || request.name().size() > kMerchantNameBytesMax) {
        return Refuse(Refusal::kFieldInvalid, "name must have 1 to 255 bytes");
    }
    const domain::Merchant merchant{domain::MerchantId(request.merchant_id()), request.name(),
                                    request.suspended(), request.multiple_refunds()};
    KESSAI_RETURN_IF_ERROR(reader_.PutMerchant(merchant));
    merchants_.Forget(merchant.id);
    return request;
}

Result<v1::Merchant> QueryService::GetMerchant(const rpc::CallContext&,
                                               const v1::GetMerchantRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const auto found,
                            reader_.Merchants({domain::MerchantId(request.merchant_id())}));
    if (found.empty()) return Refuse(Refusal::kMerchantUnknown, "there is no such merchant");
    v1::Merchant response;
    FillMerchant(found.front(), &response);
    return response;
}

}  // namespace kessai::payment::transport
