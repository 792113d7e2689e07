#include "app/create_transfers.h"

#include <algorithm>
#include <string>
#include <vector>

#include "app/parallel.h"
#include "domain/transfer_reason.h"
#include "kessai/calendar/bank_days.h"
#include "kessai/faults/fault_point.h"
#include "kessai/money/money.h"

namespace kessai::payout::app {
namespace {

// Twice the longest cycle, a month.
constexpr int kDaysBehindMax = 62;

/// A run that begins.
Result<TransferRun> NewRun(const LedgerTransaction& transaction, BusinessDate due_date) {
    const BusinessDate today = transaction.book_date();
    if (due_date > today.PlusDays(kDaysAheadMax)) {
        return Status(Code::kFailedPrecondition, domain::reason::kDueDateTooEarly,
                      due_date.ToString() + " is more than a week after " + today.ToString());
    }
    if (due_date < today.PlusDays(-kDaysBehindMax)) {
        return Status(Code::kFailedPrecondition, domain::reason::kDueDateTooOld,
                      due_date.ToString() + " is more than " + std::to_string(kDaysBehindMax) +
                          " days before " + today.ToString() +
                          ": a later due date pays all that is available");
    }
    TransferRun run;
    run.due_date = due_date;
    run.started_at = transaction.at();
    return run;
}

/// By its cycle, or because it was held when it was due last.
bool IsDue(const PayableMerchant& merchant, BusinessDate previous, BusinessDate due_date) {
    if (domain::IsDue(merchant.terms, previous, due_date)) return true;
    return merchant.missed_due && merchant.terms.cycle != domain::PayoutCycle::kOnDemand;
}

}  // namespace

domain::Transfer NextAttempt(LedgerTransaction& transaction, const domain::Payout& payout,
                             int attempt, BusinessDate transfer_date,
                             std::string_view requested_by) {
    domain::Transfer transfer;
    transfer.id = domain::TransferId(transaction.NextObject());
    transfer.payout = payout.id;
    transfer.attempt = attempt;
    transfer.merchant = payout.merchant;
    transfer.bank_account = transaction.AccountOf(payout.merchant).bank_account;
    transfer.transfer_date = transfer_date;
    transfer.amount = payout.amounts.amount;
    transfer.requested_by = std::string(requested_by);
    return transfer;
}

domain::MerchantJournal JournalOf(const domain::Payout& payout, const domain::Transfer& transfer) {
    const bool first = transfer.attempt == 1;
    return {.kind = domain::JournalKind::kTransferCreated,
            .merchant = payout.merchant,
            .object = transfer.id.value(),
            .amount = transfer.amount,
            .fee = first ? payout.amounts.fee : 0,
            .tax = first ? payout.amounts.tax : 0};
}

Result<TransferRun> CreateTransfers::Run(BusinessDate due_date, std::string_view requested_by,
                                         std::stop_token stop) {
    KESSAI_ASSIGN_OR_RETURN(const bool business_day, calendar::IsBankDay(due_date));
    if (!business_day) {
        return Status(Code::kInvalidArgument, domain::reason::kNotABusinessDay,
                      "banks are closed on " + due_date.ToString());
    }
    KESSAI_ASSIGN_OR_RETURN(const BusinessDate previous, calendar::PreviousBankDay(due_date));
    TransferRun run;
    while (!run.finished) {
        if (stop.stop_requested()) return Stopping();
        KESSAI_RETURN_IF_ERROR(store_.InTransaction([&](LedgerTransaction& transaction) -> Status {
            KESSAI_RETURN_IF_ERROR(Chunk(transaction, due_date, previous, requested_by, run));
            KESSAI_FAULT_POINT("payout.transfers.before_chunk_commit");
            return OkStatus();
        }));
        KESSAI_FAULT_POINT("payout.transfers.after_chunk_commit");
    }
    return run;
}

Status CreateTransfers::Chunk(LedgerTransaction& transaction, BusinessDate due_date,
                              BusinessDate previous, std::string_view requested_by,
                              TransferRun& run) const {
    TransferRecords& records = transaction.transfers();
    KESSAI_ASSIGN_OR_RETURN(const auto found, records.FindRun(due_date));
    if (found) {
        run = *found;
        if (run.finished) return OkStatus();
    } else {
        KESSAI_ASSIGN_OR_RETURN(run, NewRun(transaction, due_date));
    }
    KESSAI_ASSIGN_OR_RETURN(
        run.transfer_date, calendar::BankDayAtOrAfter(std::max(due_date, transaction.book_date())));
    KESSAI_ASSIGN_OR_RETURN(
        const auto payable,
        records.PayableMerchants(run.merchants_through, options_.merchants_per_chunk));
    std::vector<PayableMerchant> due;
    std::vector<domain::MerchantId> merchants;
    for (const PayableMerchant& one : payable) {
        run.merchants_through = one.merchant;
        if (!IsDue(one, previous, due_date)) continue;
        due.push_back(one);
        merchants.push_back(one.merchant);
    }
    run.finished = payable.size() < static_cast<std::size_t>(options_.merchants_per_chunk);
    if (!due.empty()) KESSAI_RETURN_IF_ERROR(transaction.Lock(merchants));

    const domain::TaxRate& rate = taxes_.RateOf(taxes_.ClassOn(transaction.book_date()));
    std::vector<domain::Payout> payouts;
    std::vector<domain::Transfer> transfers;
    for (const PayableMerchant& one : due) {
        MerchantAccount& account = transaction.AccountOf(one.merchant);
        account.missed_due = account.open_holds > 0;
        if (account.missed_due) {
            ++run.held_count;
            continue;
        }
        KESSAI_ASSIGN_OR_RETURN(const std::int64_t available, domain::AvailableOf(account.funds));
        const auto amounts = domain::AmountsToPay(available, one.terms, /*on_demand=*/false, rate);
        if (!amounts) {
            ++run.below_minimum_count;
            continue;
        }
        payouts.push_back({.id = domain::PayoutId(transaction.NextObject()),
                           .merchant = one.merchant,
                           .request_key = domain::DueKey(due_date),
                           .on_demand = false,
                           .amounts = *amounts,
                           .requested_by = std::string(requested_by)});
        const domain::Payout& payout = payouts.back();
        transfers.push_back(NextAttempt(transaction, payout, 1, run.transfer_date, requested_by));
        KESSAI_RETURN_IF_ERROR(
            transaction.Post(JournalOf(payout, transfers.back()), transfers.back()));
        ++run.transfer_count;
        KESSAI_ASSIGN_OR_RETURN(run.amount, CheckedAdd(run.amount, amounts->amount));
    }
    KESSAI_RETURN_IF_ERROR(records.Insert(payouts));
    KESSAI_RETURN_IF_ERROR(records.Insert(transfers));
    return records.Put(run);
}

}  // namespace kessai::payout::app
