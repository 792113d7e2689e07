#pragma once

#include <stop_token>
#include <string_view>

#include "app/adjust_balance.h"
#include "app/balance_books.h"
#include "app/cancel_transfer.h"
#include "app/create_transfers.h"
#include "app/import_results.h"
#include "app/ledger_reader.h"
#include "app/manage_bank_accounts.h"
#include "app/manage_payout_terms.h"
#include "app/report_fees.h"
#include "app/republish_events.h"
#include "app/request_payout.h"
#include "app/send_transfers.h"
#include "app/trace_funds.h"
#include "kessai/auth/policy.h"
#include "kessai/payout/v1/transfer_service.pb.h"
#include "kessai/rpc/service.h"
#include "kessai/rpc/worker_pool.h"

namespace kessai::payout::transport {

inline constexpr std::string_view kTransferServiceName = "kessai.payout.v1.TransferService";

/// Who may call what.
auth::MethodPolicy TransferPolicy();

/// The methods of TransferService. What it is made of must outlive it, and it the server.
class TransferService {
 public:
    struct UseCases {
        app::LedgerReader& reader;
        app::ManageBankAccounts& bank_accounts;
        app::ManagePayoutTerms& terms;
        app::CreateTransfers& create_transfers;
        app::RequestPayout& request_payout;
        app::CancelTransfer& cancel_transfer;
        app::SendTransfers& send_transfers;
        app::ImportResults& import_results;
        app::AdjustBalance& adjust_balance;
        app::TraceFunds& trace_funds;
        app::BalanceBooks& balance_books;
        app::ReportFees& report_fees;
        app::RepublishEvents& republish_events;
    };
    explicit TransferService(const UseCases& use_cases) : use_(use_cases) {}

    /// `slow` is for methods that go over all merchants, a file or a day.
    void Register(rpc::Service& service, rpc::WorkerPool& quick, rpc::WorkerPool& slow);

    /// Ends the making of transfers and reports soon: the process stops, and another goes on with
    /// transfers.
    void StopRuns() { stop_.request_stop(); }

 private:
    Result<v1::BankAccount> PutBankAccount(const rpc::CallContext& context,
                                           const v1::PutBankAccountRequest& request);
    Result<v1::BankAccount> VerifyBankAccount(const rpc::CallContext& context,
                                              const v1::VerifyBankAccountRequest& request);
    Result<v1::BankAccount> ConfirmBankAccount(const rpc::CallContext& context,
                                               const v1::ConfirmBankAccountRequest& request);
    Result<v1::ListBankAccountsResponse> ListBankAccounts(
        const rpc::CallContext& context, const v1::ListBankAccountsRequest& request);
    Result<v1::PayoutTerms> PutPayoutTerms(const rpc::CallContext& context,
                                           const v1::PayoutTerms& request);
    Result<v1::PayoutTerms> GetPayoutTerms(const rpc::CallContext& context,
                                           const v1::GetPayoutTermsRequest& request);
    Result<v1::PayoutHold> PutPayoutHold(const rpc::CallContext& context,
                                         const v1::PutPayoutHoldRequest& request);
    Result<v1::PayoutHold> LiftPayoutHold(const rpc::CallContext& context,
                                          const v1::LiftPayoutHoldRequest& request);
    Result<v1::ListPayoutHoldsResponse> ListPayoutHolds(const rpc::CallContext& context,
                                                        const v1::ListPayoutHoldsRequest& request);
    Result<v1::TransferRun> CreateTransfers(const rpc::CallContext& context,
                                            const v1::CreateTransfersRequest& request);
    Result<v1::Payout> RequestPayout(const rpc::CallContext& context,
                                     const v1::RequestPayoutRequest& request);
    Result<v1::Payout> ReissuePayout(const rpc::CallContext& context,
                                     const v1::ReissuePayoutRequest& request);
    Result<v1::Payout> CancelTransfer(const rpc::CallContext& context,
                                      const v1::CancelTransferRequest& request);
    Result<v1::Payout> GetPayout(const rpc::CallContext& context,
                                 const v1::GetPayoutRequest& request);
    Result<v1::ListPayoutsResponse> ListPayouts(const rpc::CallContext& context,
                                                const v1::ListPayoutsRequest& request);
    Result<v1::TransferTrace> TraceTransfer(const rpc::CallContext& context,
                                            const v1::TraceTransferRequest& request);
    Result<v1::ListDayAccrualsResponse> ListDayAccruals(const rpc::CallContext& context,
                                                        const v1::ListDayAccrualsRequest& request);
    Result<v1::PaymentTrace> TracePayment(const rpc::CallContext& context,
                                          const v1::TracePaymentRequest& request);
    Result<v1::ListTransferBatchesResponse> GatherTransfers(
        const rpc::CallContext& context, const v1::GatherTransfersRequest& request);
    Status GetTransferFile(const v1::GetTransferFileRequest& request,
                           rpc::StreamWriter<v1::FilePiece>& pieces);
    Result<v1::ImportedResults> ImportResults(const rpc::CallContext& context,
                                              const v1::ImportResultsRequest& request);
    Result<v1::Adjustment> RequestAdjustment(const rpc::CallContext& context,
                                             const v1::RequestAdjustmentRequest& request);
    Result<v1::Adjustment> DecideAdjustment(const rpc::CallContext& context,
                                            const v1::DecideAdjustmentRequest& request);
    Result<v1::ListAdjustmentsResponse> ListAdjustments(const rpc::CallContext& context,
                                                        const v1::ListAdjustmentsRequest& request);
    Result<v1::TrialBalance> GetTrialBalance(const rpc::CallContext& context,
                                             const v1::GetTrialBalanceRequest& request);
    Result<v1::FeeReport> GetFeeReport(const rpc::CallContext& context,
                                       const v1::GetFeeReportRequest& request);
    Result<v1::RepublishEventsResponse> RepublishEvents(const rpc::CallContext& context,
                                                        const v1::RepublishEventsRequest& request);
    /// What takes long goes on until the caller has gone, or the process stops.
    Status GoOn(const rpc::CallContext& context) const;
    Status ListJournal(const v1::ListJournalRequest& request,
                       rpc::StreamWriter<v1::JournalEntry>& entries);

    const UseCases use_;
    std::stop_source stop_;
};

}  // namespace kessai::payout::transport
