#include "app/request_payout.h"

#include <array>
#include <span>

#include "app/create_transfers.h"
#include "app/manage_payout_terms.h"
#include "app/request_key.h"
#include "domain/transfer_reason.h"
#include "kessai/calendar/bank_days.h"

namespace kessai::payout::app {
namespace {

Status Refused(std::string_view reason, domain::MerchantId merchant, std::string_view why) {
    return Status(Code::kFailedPrecondition, reason,
                  "merchant " + merchant.ToString() + " " + std::string(why));
}

Status CheckPayable(const MerchantAccount& account) {
    const domain::MerchantId merchant = account.funds.merchant;
    if (account.bank_account == 0) {
        return Refused(domain::reason::kBankAccountMissing, merchant, "has no confirmed account");
    }
    if (account.open_holds > 0) {
        return Refused(domain::reason::kPayoutHeld, merchant, "is not paid while a hold is open");
    }
    return OkStatus();
}

/// Lifts what the failed attempts of a payout held.
Status LiftHoldsOf(LedgerTransaction& transaction, const domain::Payout& payout,
                   std::string_view lifted_by) {
    KESSAI_ASSIGN_OR_RETURN(const auto holds, transaction.merchants().OpenHolds(payout.merchant));
    for (const PayoutHold& hold : holds) {
        if (hold.payout != payout.id) continue;
        KESSAI_RETURN_IF_ERROR(transaction.merchants().SetLifted(hold.id, lifted_by));
        --transaction.AccountOf(payout.merchant).open_holds;
    }
    return OkStatus();
}

Status AddAttempt(LedgerTransaction& transaction, int attempt, std::string_view requested_by,
                  PayoutHistory& history) {
    KESSAI_ASSIGN_OR_RETURN(const BusinessDate date,
                            calendar::BankDayAtOrAfter(transaction.book_date()));
    history.transfers.push_back(
        NextAttempt(transaction, history.payout, attempt, date, requested_by));
    const domain::Transfer& transfer = history.transfers.back();
    KESSAI_RETURN_IF_ERROR(transaction.Post(JournalOf(history.payout, transfer), transfer));
    return transaction.transfers().Insert(std::span(&transfer, 1));
}

}  // namespace

Result<PayoutHistory> RequestPayout::OnDemand(domain::MerchantId merchant,
                                              std::string_view request_key,
                                              std::string_view requested_by) {
    KESSAI_RETURN_IF_ERROR(CheckRequestKey(request_key));
    // Apart from those of due dates.
    const std::string key = "ask:" + std::string(request_key);
    PayoutHistory history;
    KESSAI_RETURN_IF_ERROR(store_.InTransaction([&](LedgerTransaction& transaction) -> Status {
        history = {};
        KESSAI_ASSIGN_OR_RETURN(const auto found,
                                transaction.transfers().FindPayout(merchant, key));
        if (found) {
            history.payout = *found;
            KESSAI_ASSIGN_OR_RETURN(history.transfers,
                                    transaction.transfers().TransfersOf(found->id));
            return OkStatus();
        }
        KESSAI_RETURN_IF_ERROR(transaction.Lock(std::array{merchant}));
        const MerchantAccount& account = transaction.AccountOf(merchant);
        KESSAI_RETURN_IF_ERROR(CheckPayable(account));
        KESSAI_ASSIGN_OR_RETURN(const auto terms, TermsInForce(transaction, merchant));
        KESSAI_ASSIGN_OR_RETURN(const std::int64_t available, domain::AvailableOf(account.funds));
        const auto amounts =
            domain::AmountsToPay(available, terms, /*on_demand=*/true,
                                 taxes_.RateOf(taxes_.ClassOn(transaction.book_date())));
        if (!amounts) {
            return Refused(domain::reason::kNothingToPay, merchant,
                           "has " + std::to_string(available) + " available");
        }
        history.payout = {.id = domain::PayoutId(transaction.NextObject()),
                          .merchant = merchant,
                          .request_key = key,
                          .on_demand = true,
                          .amounts = *amounts,
                          .requested_by = std::string(requested_by)};
        KESSAI_RETURN_IF_ERROR(
            transaction.transfers().Insert(std::span<const domain::Payout>(&history.payout, 1)));
        return AddAttempt(transaction, 1, requested_by, history);
    }));
    return history;
}

Result<PayoutHistory> RequestPayout::Reissue(domain::PayoutId payout, int attempt,
                                             std::string_view requested_by) {
    PayoutHistory history;
    KESSAI_RETURN_IF_ERROR(store_.InTransaction([&](LedgerTransaction& transaction) -> Status {
        history = {};
        KESSAI_ASSIGN_OR_RETURN(const auto found, transaction.transfers().FindPayout(payout));
        if (!found) {
            return Status(Code::kNotFound, domain::reason::kPayoutUnknown,
                          "there is no payout " + payout.ToString());
        }
        history.payout = *found;
        KESSAI_ASSIGN_OR_RETURN(history.transfers, transaction.transfers().TransfersOf(payout));
        const int last = static_cast<int>(history.transfers.size());
        if (attempt >= 2 && attempt <= last) return OkStatus();
        if (attempt != last + 1 || last == 0) {
            return Refused(
                domain::reason::kAttemptOutOfTurn, found->merchant,
                "had " + std::to_string(last) + " attempts of payout " + payout.ToString());
        }
        if (!domain::CameBack(history.transfers.back())) {
            return Refused(
                domain::reason::kTransferUnderWay, found->merchant,
                "was paid, or will be, by transfer " + history.transfers.back().id.ToString());
        }
        if (domain::IsCancelled(history.transfers.back())) {
            return Refused(domain::reason::kPayoutCancelled, found->merchant,
                           "is not owed payout " + payout.ToString() + ": it was cancelled");
        }
        KESSAI_RETURN_IF_ERROR(transaction.Lock(std::array{found->merchant}));
        KESSAI_RETURN_IF_ERROR(LiftHoldsOf(transaction, *found, requested_by));
        const MerchantAccount& account = transaction.AccountOf(found->merchant);
        KESSAI_RETURN_IF_ERROR(CheckPayable(account));
        KESSAI_ASSIGN_OR_RETURN(const std::int64_t available, domain::AvailableOf(account.funds));
        if (available < found->amounts.amount) {
            return Refused(domain::reason::kNothingToPay, found->merchant,
                           "has " + std::to_string(available) +
                               " available, and the payout is of " +
                               std::to_string(found->amounts.amount));
        }
        return AddAttempt(transaction, attempt, requested_by, history);
    }));
    return history;
}

}  // namespace kessai::payout::app
