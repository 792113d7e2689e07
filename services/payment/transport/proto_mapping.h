#pragma once

#include <string_view>

#include "app/payment_reader.h"
#include "domain/commands.h"
#include "kessai/auth/principal.h"
#include "kessai/payment/v1/payment_service.pb.h"
#include "kessai/result/result.h"

namespace kessai::payment::transport {

// Between the wire's messages and the domain, nothing else.

/// INVALID_ARGUMENT CURRENCY_UNKNOWN, AMOUNT_OUT_OF_RANGE (absent).
Result<Money> ToMoney(const type::v1::Money& money, bool present);
void FillMoney(Money money, type::v1::Money* message);

void FillPayment(const domain::Payment& payment, std::string_view merchant_name, Instant now,
                 v1::Payment* message);
void FillRefund(const domain::Refund& refund, v1::Refund* message);
void FillWallet(const domain::Wallet& wallet, v1::Wallet* message);
void FillMerchant(const domain::Merchant& merchant, v1::Merchant* message);
void FillHistoryEntry(const app::HistoryEntry& entry, std::string_view merchant_name,
                      v1::HistoryEntry* message);

// A message and who sent it, as a command. Refusals are INVALID_ARGUMENT and NOT_FOUND
// CODE_UNKNOWN; what needs no state is checked again by domain::Validate.
Result<domain::Command> ToCommand(const v1::CreateCodeRequest& request,
                                  const auth::Principal& principal);
Result<domain::Command> ToCommand(const v1::DeleteCodeRequest& request,
                                  const auth::Principal& principal);
Result<domain::Command> ToCommand(const v1::PayCodeRequest& request,
                                  const auth::Principal& principal);
Result<domain::Command> ToCommand(const v1::CancelPaymentRequest& request,
                                  const auth::Principal& principal);
Result<domain::Command> ToCommand(const v1::RefundPaymentRequest& request,
                                  const auth::Principal& principal);
Result<domain::Command> ToCommand(const v1::TopUpRequest& request,
                                  const auth::Principal& principal);
Result<domain::Command> ToCommand(const v1::OpenWalletRequest& request,
                                  const auth::Principal& principal);

// What came of a command, as the message its method answers with. Precondition: it is an outcome of
// that method's command.
void FillOutcome(const domain::Outcome& outcome, Instant now, v1::Payment* message);
void FillOutcome(const domain::Outcome& outcome, Instant now, v1::CancelPaymentResponse* message);
void FillOutcome(const domain::Outcome& outcome, Instant now, v1::Refund* message);
void FillOutcome(const domain::Outcome& outcome, Instant now, v1::TopUpResponse* message);
void FillOutcome(const domain::Outcome& outcome, Instant now, v1::Wallet* message);
/// Whichever of them fits, or the refusal.
void FillOutcome(const Result<domain::Outcome>& outcome, Instant now, v1::Outcome* message);

}  // namespace kessai::payment::transport
