#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "app/call_context.h"
#include "domain/payment.h"
#include "kessai/net/task.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"

namespace kessai::gateway::app {

struct BusinessDay {
    enum class State : std::uint8_t { kUnknown, kOpen, kClosing, kClosed };
    std::int32_t date_number = 0;
    State state = State::kUnknown;
};

/// The payment service, as the gateway needs it. Refusals are those of
/// proto/kessai/payment/v1/payment_service.proto. Commands may be asked again after a lost reply
/// and give the first outcome; an implementation does so by itself while the deadline allows. What
/// it then refuses with UNAVAILABLE or DEADLINE_EXCEEDED OUTCOME_UNKNOWN may have been done:
/// callers must not be told that it failed. Called, and answers, on `context.loop`; references
/// outlive the await.
class PaymentGateway {
 public:
    virtual ~PaymentGateway() = default;

    // Commands
    virtual net::Task<Result<domain::Payment>> CreateCode(const CallContext& context,
                                                          const domain::CreateCode& command) = 0;
    virtual net::Task<Result<domain::Payment>> DeleteCode(const CallContext& context,
                                                          std::string_view code_id) = 0;
    virtual net::Task<Result<domain::Payment>> PayCode(const CallContext& context,
                                                       std::string_view code_id, Money amount) = 0;
    /// Ok also for an id that was not known: it is barred from then on.
    virtual net::Task<Status> CancelPayment(const CallContext& context,
                                            std::string_view merchant_payment_id) = 0;
    virtual net::Task<Result<domain::Refund>> RefundPayment(
        const CallContext& context, const domain::RefundPayment& command) = 0;
    virtual net::Task<Result<domain::TopUp>> TopUp(const CallContext& context,
                                                   std::string_view idempotency_key, Money amount,
                                                   std::string_view source) = 0;
    virtual net::Task<Result<domain::Wallet>> OpenWallet(const CallContext& context) = 0;

    // Questions
    virtual net::Task<Result<domain::Payment>> GetCode(const CallContext& context,
                                                       std::string_view code_id) = 0;
    virtual net::Task<Result<domain::Payment>> GetPaymentByOrder(
        const CallContext& context, std::string_view merchant_payment_id) = 0;
    virtual net::Task<Result<domain::Payment>> GetPayment(const CallContext& context,
                                                          std::int64_t payment_id) = 0;
    /// `payment_id` 0: the newest refund of that id.
    virtual net::Task<Result<domain::Refund>> GetRefund(const CallContext& context,
                                                        std::string_view merchant_refund_id,
                                                        std::int64_t payment_id) = 0;
    virtual net::Task<Result<domain::Wallet>> GetWallet(const CallContext& context) = 0;
    virtual net::Task<Result<domain::HistoryPage>> ListHistory(const CallContext& context,
                                                               std::uint32_t page_size,
                                                               std::string_view page_token) = 0;

    // For operators
    virtual net::Task<Result<domain::Merchant>> PutMerchant(const CallContext& context,
                                                            const domain::Merchant& merchant) = 0;
    virtual net::Task<Result<domain::Merchant>> GetMerchant(const CallContext& context,
                                                            std::int64_t merchant_id) = 0;
    /// `early`: also a day that is not over in Japan.
    virtual net::Task<Result<BusinessDay>> CloseDay(const CallContext& context,
                                                    std::int32_t date_number, bool early) = 0;
    /// 0: the open day.
    virtual net::Task<Result<BusinessDay>> GetBusinessDay(const CallContext& context,
                                                          std::int32_t date_number) = 0;
    /// Publishes the events of the changes again; how many.
    virtual net::Task<Result<std::uint32_t>> RepublishEvents(
        const CallContext& context, const std::vector<domain::ChangeName>& changes) = 0;
};

}  // namespace kessai::gateway::app
