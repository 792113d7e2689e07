#include "transport/transfer_service.h"

#include <algorithm>
#include <string>
#include <utility>

#include "app/parallel.h"
#include "domain/reason.h"
#include "domain/tax.h"
#include "domain/transfer_reason.h"
#include "transport/book_messages.h"
#include "transport/callers.h"
#include "transport/list_page.h"
#include "transport/trace_messages.h"
#include "transport/transfer_messages.h"

namespace kessai::payout::transport {
namespace {

constexpr std::size_t kPieceBytes = 48 * 1'024;
constexpr std::size_t kNoteMax = 255;
constexpr std::uint32_t kAccrualsMax = 1'000;

Status Invalid(std::string message) {
    return Status(Code::kInvalidArgument, domain::reason::kFieldInvalid, std::move(message));
}

Result<BusinessDate> ParseDate(const char* field, std::int32_t number) {
    const Result<BusinessDate> date = BusinessDate::FromNumber(number);
    if (!date.ok()) return Invalid(std::string(field) + " is no date (yyyymmdd)");
    return date;
}

}  // namespace

auth::MethodPolicy TransferPolicy() {
    const auth::Grant write = auth::Operator("transfer:write");
    const auth::Grant read = auth::Operator("payout:read");
    return auth::MethodPolicy({
        {"PutBankAccount", {write}},
        {"VerifyBankAccount", {write}},
        {"ConfirmBankAccount", {auth::Operator("transfer:approve")}},
        {"ListBankAccounts", {read, write, auth::Operator("transfer:approve")}},
        {"PutPayoutTerms", {write}},
        {"GetPayoutTerms", {read, write}},
        {"PutPayoutHold", {write}},
        {"LiftPayoutHold", {write}},
        {"ListPayoutHolds", {read, write}},
        {"CreateTransfers", {write}},
        {"RequestPayout", {write, auth::Merchant()}},
        {"ReissuePayout", {write}},
        {"CancelTransfer", {write}},
        {"GetPayout", {read, auth::Merchant()}},
        {"ListPayouts", {read, auth::Merchant()}},
        {"TraceTransfer", {read}},
        {"ListDayAccruals", {read}},
        {"TracePayment", {read}},
        {"GatherTransfers", {write}},
        {"GetTransferFile", {write}},
        {"ImportResults", {write}},
        {"RequestAdjustment", {auth::Operator("adjustment:write")}},
        {"DecideAdjustment", {auth::Operator("adjustment:approve")}},
        {"ListAdjustments", {read}},
        {"GetTrialBalance", {read}},
        {"GetFeeReport", {read}},
        {"ListJournal", {read}},
        {"RepublishEvents", {auth::Operator("event:republish")}},
    });
}

void TransferService::Register(rpc::Service& service, rpc::WorkerPool& quick,
                               rpc::WorkerPool& slow) {
    service.Blocking("PutBankAccount", quick, *this, &TransferService::PutBankAccount);
    service.Blocking("VerifyBankAccount", slow, *this, &TransferService::VerifyBankAccount);
    service.Blocking("ConfirmBankAccount", quick, *this, &TransferService::ConfirmBankAccount);
    service.Blocking("ListBankAccounts", quick, *this, &TransferService::ListBankAccounts);
    service.Blocking("PutPayoutTerms", quick, *this, &TransferService::PutPayoutTerms);
    service.Blocking("GetPayoutTerms", quick, *this, &TransferService::GetPayoutTerms);
    service.Blocking("PutPayoutHold", quick, *this, &TransferService::PutPayoutHold);
    service.Blocking("LiftPayoutHold", quick, *this, &TransferService::LiftPayoutHold);
    service.Blocking("ListPayoutHolds", quick, *this, &TransferService::ListPayoutHolds);
    service.Blocking("CreateTransfers", slow, *this, &TransferService::CreateTransfers);
    service.Blocking("RequestPayout", quick, *this, &TransferService::RequestPayout);
    service.Blocking("ReissuePayout", quick, *this, &TransferService::ReissuePayout);
    service.Blocking("CancelTransfer", quick, *this, &TransferService::CancelTransfer);
    service.Blocking("GetPayout", quick, *this, &TransferService::GetPayout);
    service.Blocking("ListPayouts", quick, *this, &TransferService::ListPayouts);
    service.Blocking("TraceTransfer", quick, *this, &TransferService::TraceTransfer);
    service.Blocking("ListDayAccruals", slow, *this, &TransferService::ListDayAccruals);
    service.Blocking("TracePayment", quick, *this, &TransferService::TracePayment);
    service.Blocking("GatherTransfers", slow, *this, &TransferService::GatherTransfers);
    service.Streaming<v1::GetTransferFileRequest, v1::FilePiece>(
        "GetTransferFile", slow,
        [this](const rpc::CallContext&, const v1::GetTransferFileRequest& request,
               rpc::StreamWriter<v1::FilePiece>& pieces) {
            return GetTransferFile(request, pieces);
        });
    service.Blocking("ImportResults", slow, *this, &TransferService::ImportResults);
    service.Blocking("RequestAdjustment", quick, *this, &TransferService::RequestAdjustment);
    service.Blocking("DecideAdjustment", quick, *this, &TransferService::DecideAdjustment);
    service.Blocking("ListAdjustments", quick, *this, &TransferService::ListAdjustments);
    service.Blocking("GetTrialBalance", slow, *this, &TransferService::GetTrialBalance);
    service.Blocking("GetFeeReport", slow, *this, &TransferService::GetFeeReport);
    service.Blocking("RepublishEvents", quick, *this, &TransferService::RepublishEvents);
    service.Streaming<v1::ListJournalRequest, v1::JournalEntry>(
        "ListJournal", slow,
        [this](const rpc::CallContext&, const v1::ListJournalRequest& request,
               rpc::StreamWriter<v1::JournalEntry>& entries) {
            return ListJournal(request, entries);
        });
}

Result<v1::BankAccount> TransferService::PutBankAccount(const rpc::CallContext& context,
                                                        const v1::PutBankAccountRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const auto merchant, ParseMerchant(request.merchant_id()));
    KESSAI_ASSIGN_OR_RETURN(const domain::BankAccount account,
                            use_.bank_accounts.Put({.merchant = merchant,
                                                    .bank_code = request.bank_code(),
                                                    .branch_code = request.branch_code(),
                                                    .type = request.account_type(),
                                                    .number = request.account_number(),
                                                    .holder = request.account_holder()},
                                                   Subject(context)));
    return ToMessage(account);
}

Result<v1::BankAccount> TransferService::VerifyBankAccount(
    const rpc::CallContext& context, const v1::VerifyBankAccountRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const auto merchant, ParseMerchant(request.merchant_id()));
    KESSAI_ASSIGN_OR_RETURN(
        const domain::BankAccount account,
        use_.bank_accounts.Verify(merchant, request.version(), Subject(context)));
    return ToMessage(account);
}

Result<v1::BankAccount> TransferService::ConfirmBankAccount(
    const rpc::CallContext& context, const v1::ConfirmBankAccountRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const auto merchant, ParseMerchant(request.merchant_id()));
    KESSAI_ASSIGN_OR_RETURN(
        const domain::BankAccount account,
        use_.bank_accounts.Confirm(merchant, request.version(), Subject(context)));
    return ToMessage(account);
}

Result<v1::ListBankAccountsResponse> TransferService::ListBankAccounts(
    const rpc::CallContext&, const v1::ListBankAccountsRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const auto merchant, ParseMerchant(request.merchant_id()));
    KESSAI_ASSIGN_OR_RETURN(const auto accounts, use_.reader.BankAccounts(merchant));
    v1::ListBankAccountsResponse response;
    for (const domain::BankAccount& account : accounts) {
        *response.add_accounts() = ToMessage(account);
    }
    return response;
}

Result<v1::PayoutTerms> TransferService::PutPayoutTerms(const rpc::CallContext& context,
                                                        const v1::PayoutTerms& request) {
    if (request.merchant_id() < 0) return Invalid("merchant_id is negative");
    domain::PayoutTerms terms;
    terms.merchant = domain::MerchantId(request.merchant_id());
    terms.cycle = static_cast<domain::PayoutCycle>(request.cycle());
    // An open enum may carry what no PayoutCycle holds.
    if (!v1::PayoutTerms::Cycle_IsValid(request.cycle())) terms.cycle = domain::PayoutCycle{0};
    terms.weekday = request.weekday();
    terms.minimum_amount = request.minimum_amount();
    terms.transfer_fee = request.transfer_fee();
    terms.on_demand_fee = request.on_demand_fee();
    KESSAI_ASSIGN_OR_RETURN(const domain::PayoutTerms stored,
                            use_.terms.Put(terms, Subject(context)));
    return ToMessage(stored);
}

Result<v1::PayoutTerms> TransferService::GetPayoutTerms(const rpc::CallContext&,
                                                        const v1::GetPayoutTermsRequest& request) {
    if (request.merchant_id() < 0) return Invalid("merchant_id is negative");
    KESSAI_ASSIGN_OR_RETURN(const domain::PayoutTerms terms,
                            use_.reader.TermsInForce(domain::MerchantId(request.merchant_id())));
    return ToMessage(terms);
}

Result<v1::PayoutHold> TransferService::PutPayoutHold(const rpc::CallContext& context,
                                                      const v1::PutPayoutHoldRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const auto merchant, ParseMerchant(request.merchant_id()));
    if (request.note().empty() || request.note().size() > kNoteMax) {
        return Invalid("a note has 1 to 255 bytes");
    }
    KESSAI_ASSIGN_OR_RETURN(const app::PayoutHold hold,
                            use_.terms.Hold(merchant, request.note(), Subject(context)));
    return ToMessage(hold);
}

Result<v1::PayoutHold> TransferService::LiftPayoutHold(const rpc::CallContext& context,
                                                       const v1::LiftPayoutHoldRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(
        const app::PayoutHold hold,
        use_.terms.Lift(domain::PayoutHoldId(request.hold_id()), Subject(context)));
    return ToMessage(hold);
}

Result<v1::ListPayoutHoldsResponse> TransferService::ListPayoutHolds(
    const rpc::CallContext&, const v1::ListPayoutHoldsRequest& request) {
    if (request.merchant_id() < 0) return Invalid("merchant_id is negative");
    KESSAI_ASSIGN_OR_RETURN(const ListPage page,
                            ListPageOf(request.page_size(), request.page_token()));
    KESSAI_ASSIGN_OR_RETURN(const auto holds,
                            use_.reader.ListOpenHolds(domain::MerchantId(request.merchant_id()),
                                                      domain::PayoutHoldId(page.at), page.size));
    v1::ListPayoutHoldsResponse response;
    for (const app::PayoutHold& hold : holds) {
        *response.add_holds() = ToMessage(hold);
        response.set_next_page_token(page.Next(holds.size(), hold.id.value()));
    }
    return response;
}

Result<v1::TransferRun> TransferService::CreateTransfers(
    const rpc::CallContext& context, const v1::CreateTransfersRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const BusinessDate date, ParseDate("due_date", request.due_date()));
    KESSAI_ASSIGN_OR_RETURN(const app::TransferRun run,
                            use_.create_transfers.Run(date, Subject(context), stop_.get_token()));
    return ToMessage(run);
}

Result<v1::Payout> TransferService::RequestPayout(const rpc::CallContext& context,
                                                  const v1::RequestPayoutRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const auto merchant, MerchantOf(context, request.merchant_id()));
    KESSAI_ASSIGN_OR_RETURN(
        const app::PayoutHistory payout,
        use_.request_payout.OnDemand(merchant, request.request_key(), Subject(context)));
    return ToMessage(payout);
}

Result<v1::Payout> TransferService::ReissuePayout(const rpc::CallContext& context,
                                                  const v1::ReissuePayoutRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const app::PayoutHistory payout,
                            use_.request_payout.Reissue(domain::PayoutId(request.payout_id()),
                                                        request.attempt(), Subject(context)));
    return ToMessage(payout);
}

Result<v1::Payout> TransferService::CancelTransfer(const rpc::CallContext& context,
                                                   const v1::CancelTransferRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const app::PayoutHistory payout,
                            use_.cancel_transfer.Run(domain::TransferId(request.transfer_id()),
                                                     request.reason(), Subject(context)));
    return ToMessage(payout);
}

Result<v1::Payout> TransferService::GetPayout(const rpc::CallContext& context,
                                              const v1::GetPayoutRequest& request) {
    const domain::PayoutId id(request.payout_id());
    KESSAI_ASSIGN_OR_RETURN(const app::PayoutHistory payout, use_.reader.FindPayout(id));
    const auth::Principal& caller = context.principal();
    if (caller.role == auth::Role::kMerchant &&
        payout.payout.merchant.value() != caller.merchant_id) {
        return Status(Code::kNotFound, domain::reason::kPayoutUnknown,
                      "there is no payout " + id.ToString());
    }
    return ToMessage(payout);
}

Result<v1::ListPayoutsResponse> TransferService::ListPayouts(
    const rpc::CallContext& context, const v1::ListPayoutsRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const auto merchant, MerchantOf(context, request.merchant_id()));
    KESSAI_ASSIGN_OR_RETURN(const ListPage page,
                            ListPageOf(request.page_size(), request.page_token()));
    KESSAI_ASSIGN_OR_RETURN(
        const auto payouts,
        use_.reader.ListPayouts(merchant, domain::PayoutId(page.at), page.size));
    v1::ListPayoutsResponse response;
    for (const app::PayoutHistory& payout : payouts) {
        *response.add_payouts() = ToMessage(payout);
        response.set_next_page_token(page.Next(payouts.size(), payout.payout.id.value()));
    }
    return response;
}

Result<v1::TransferTrace> TransferService::TraceTransfer(const rpc::CallContext&,
                                                         const v1::TraceTransferRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const app::TransferTrace trace,
                            use_.trace_funds.OfTransfer(domain::TransferId(request.transfer_id())));
    return ToMessage(trace);
}

Result<v1::ListDayAccrualsResponse> TransferService::ListDayAccruals(
    const rpc::CallContext&, const v1::ListDayAccrualsRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const auto merchant, ParseMerchant(request.merchant_id()));
    KESSAI_ASSIGN_OR_RETURN(const BusinessDate date,
                            ParseDate("business_date", request.business_date()));
    KESSAI_ASSIGN_OR_RETURN(const auto from, ParseAccrualPosition(request.page_token()));
    const std::uint32_t size =
        request.page_size() == 0 ? kAccrualsMax : std::min(request.page_size(), kAccrualsMax);
    KESSAI_ASSIGN_OR_RETURN(
        const app::AccrualPage page,
        use_.trace_funds.AccrualsOf(merchant, date, from, static_cast<int>(size)));
    return ToMessage(page);
}

Result<v1::PaymentTrace> TransferService::TracePayment(const rpc::CallContext&,
                                                       const v1::TracePaymentRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const app::PaymentTrace trace,
                            use_.trace_funds.OfPayment(domain::PaymentId(request.payment_id())));
    return ToMessage(trace);
}

Result<v1::ListTransferBatchesResponse> TransferService::GatherTransfers(
    const rpc::CallContext& context, const v1::GatherTransfersRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const BusinessDate date,
                            ParseDate("transfer_date", request.transfer_date()));
    KESSAI_ASSIGN_OR_RETURN(const auto batches, use_.send_transfers.Gather(date, Subject(context)));
    v1::ListTransferBatchesResponse response;
    for (const app::TransferBatch& batch : batches) *response.add_batches() = ToMessage(batch);
    return response;
}

Status TransferService::GetTransferFile(const v1::GetTransferFileRequest& request,
                                        rpc::StreamWriter<v1::FilePiece>& pieces) {
    v1::FilePiece piece;
    const auto flush = [&]() -> Status {
        if (piece.content().empty()) return OkStatus();
        if (!pieces.Write(piece)) return Status(Code::kCancelled, "CANCELLED", "nobody listens");
        piece.clear_content();
        return OkStatus();
    };
    KESSAI_RETURN_IF_ERROR(use_.send_transfers.WriteFile(
        domain::BatchId(request.batch_id()), request.again(),
        [&](std::string_view bytes) -> Status {
            piece.mutable_content()->append(bytes);
            return piece.content().size() < kPieceBytes ? OkStatus() : flush();
        }));
    return flush();
}

Result<v1::ImportedResults> TransferService::ImportResults(
    const rpc::CallContext& context, const v1::ImportResultsRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(
        const app::ImportedResults results,
        use_.import_results.Run(request.format(), request.content(), Subject(context)));
    return ToMessage(results);
}

Result<v1::Adjustment> TransferService::RequestAdjustment(
    const rpc::CallContext& context, const v1::RequestAdjustmentRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const auto merchant, ParseMerchant(request.merchant_id()));
    domain::Adjustment wish;
    wish.merchant = merchant;
    wish.request_key = request.request_key();
    wish.amount = request.amount();
    wish.reason = request.reason();
    wish.requested_by = std::string(Subject(context));
    KESSAI_ASSIGN_OR_RETURN(const domain::Adjustment adjustment, use_.adjust_balance.Request(wish));
    return ToMessage(adjustment);
}

Result<v1::Adjustment> TransferService::DecideAdjustment(
    const rpc::CallContext& context, const v1::DecideAdjustmentRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(
        const domain::Adjustment adjustment,
        use_.adjust_balance.Decide(domain::AdjustmentId(request.adjustment_id()), request.approve(),
                                   Subject(context)));
    return ToMessage(adjustment);
}

Result<v1::ListAdjustmentsResponse> TransferService::ListAdjustments(
    const rpc::CallContext&, const v1::ListAdjustmentsRequest& request) {
    if (request.merchant_id() < 0) return Invalid("merchant_id is negative");
    KESSAI_ASSIGN_OR_RETURN(const ListPage page,
                            ListPageOf(request.page_size(), request.page_token()));
    KESSAI_ASSIGN_OR_RETURN(const auto adjustments,
                            use_.reader.ListAdjustments(domain::MerchantId(request.merchant_id()),
                                                        domain::AdjustmentId(page.at), page.size));
    v1::ListAdjustmentsResponse response;
    for (const domain::Adjustment& adjustment : adjustments) {
        *response.add_adjustments() = ToMessage(adjustment);
        response.set_next_page_token(page.Next(adjustments.size(), adjustment.id.value()));
    }
    return response;
}

Result<v1::RepublishEventsResponse> TransferService::RepublishEvents(
    const rpc::CallContext&, const v1::RepublishEventsRequest& request) {
    std::vector<app::EventName> events;
    for (const auto& event : request.events()) {
        events.push_back({event.object_id(), event.version()});
    }
    KESSAI_ASSIGN_OR_RETURN(const int published, use_.republish_events.Run(events));
    v1::RepublishEventsResponse response;
    response.set_published(static_cast<std::uint32_t>(published));
    return response;
}

Status TransferService::GoOn(const rpc::CallContext& context) const {
    if (stop_.stop_requested()) return app::Stopping();
    return context.cancelled() ? Status(Code::kCancelled, "CALLER_GONE", "nobody waits for it")
                               : OkStatus();
}

Result<v1::TrialBalance> TransferService::GetTrialBalance(
    const rpc::CallContext& context, const v1::GetTrialBalanceRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const BusinessDate date,
                            ParseDate("business_date", request.business_date()));
    KESSAI_ASSIGN_OR_RETURN(const app::DayBalance balance,
                            use_.balance_books.Run(date, [&] { return GoOn(context); }));
    return ToMessage(balance);
}

Result<v1::FeeReport> TransferService::GetFeeReport(const rpc::CallContext& context,
                                                    const v1::GetFeeReportRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const BusinessDate date,
                            ParseDate("business_date", request.business_date()));
    KESSAI_ASSIGN_OR_RETURN(const app::FeeReport report,
                            use_.report_fees.Run(date, [&] { return GoOn(context); }));
    return ToMessage(report, domain::TaxTable::Japan());
}

Status TransferService::ListJournal(const v1::ListJournalRequest& request,
                                    rpc::StreamWriter<v1::JournalEntry>& entries) {
    KESSAI_ASSIGN_OR_RETURN(const BusinessDate date,
                            ParseDate("business_date", request.business_date()));
    KESSAI_ASSIGN_OR_RETURN(const app::JournalPosition from, ParsePosition(request.after()));
    return use_.reader.StreamJournal(
        date, from, [&](const app::JournalLine& line) { return entries.Write(ToMessage(line)); });
}

}  // namespace kessai::payout::transport
