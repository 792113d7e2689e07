#pragma once

#include "domain/payment.h"
#include "kessai/payment/v1/payment_service.pb.h"
#include "kessai/result/result.h"

namespace kessai::gateway::transport {

// Between the payment service's messages and the gateway's view of them. Texts are moved out of the
// messages.

Money ToMoney(const type::v1::Money& message);
void FillMoney(Money money, type::v1::Money* message);
domain::Payment ToPayment(payment::v1::Payment& message);
domain::Refund ToRefund(payment::v1::Refund& message);
domain::Wallet ToWallet(const payment::v1::Wallet& message);
domain::TopUp ToTopUp(const payment::v1::TopUpResponse& message);
domain::HistoryPage ToHistoryPage(payment::v1::ListHistoryResponse& message);
domain::Merchant ToMerchant(payment::v1::Merchant& message);
void FillCreateCode(const domain::CreateCode& command, payment::v1::CreateCodeRequest* message);
void FillRefundPayment(const domain::RefundPayment& command,
                       payment::v1::RefundPaymentRequest* message);

}  // namespace kessai::gateway::transport
