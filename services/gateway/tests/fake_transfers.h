#pragma once

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "kessai/payout/v1/transfer_service.pb.h"
#include "kessai/rpc/service.h"
#include "kessai/rpc/worker_pool.h"

namespace kessai::gateway {

/// Plays payout's transfer service: notes what it is asked, and answers with nothing, or as it is
/// told.
class FakeTransfers {
 public:
    FakeTransfers() : workers_({.name = "streams", .threads = 1}) {}
    ~FakeTransfers() { workers_.Stop(); }

    rpc::Service Make() {
        std::vector<auth::MethodRule> rules;
        const auto* contract = payout::v1::Payout::descriptor()->file()->service(0);
        for (int i = 0; i < contract->method_count(); ++i) {
            rules.push_back({contract->method(i)->name(),
                             {auth::Operator("any")},
                             auth::MethodRule::Token::kInMetadata,
                             {}});
        }
        rpc::Service service(contract->full_name(), auth::MethodPolicy(std::move(rules)));
        Note<payout::v1::PutBankAccountRequest, payout::v1::BankAccount>(service, "PutBankAccount");
        Note<payout::v1::VerifyBankAccountRequest, payout::v1::BankAccount>(service,
                                                                            "VerifyBankAccount");
        Note<payout::v1::ConfirmBankAccountRequest, payout::v1::BankAccount>(service,
                                                                             "ConfirmBankAccount");
        Note<payout::v1::ListBankAccountsRequest, payout::v1::ListBankAccountsResponse>(
            service, "ListBankAccounts");
        Note<payout::v1::PayoutTerms, payout::v1::PayoutTerms>(service, "PutPayoutTerms");
        Note<payout::v1::GetPayoutTermsRequest, payout::v1::PayoutTerms>(service, "GetPayoutTerms");
        Note<payout::v1::PutPayoutHoldRequest, payout::v1::PayoutHold>(service, "PutPayoutHold");
        Note<payout::v1::LiftPayoutHoldRequest, payout::v1::PayoutHold>(service, "LiftPayoutHold");
        Note<payout::v1::ListPayoutHoldsRequest, payout::v1::ListPayoutHoldsResponse>(
            service, "ListPayoutHolds");
        Note<payout::v1::CreateTransfersRequest, payout::v1::TransferRun>(service,
                                                                          "CreateTransfers");
        Note<payout::v1::RequestPayoutRequest, payout::v1::Payout>(service, "RequestPayout");
        Note<payout::v1::ReissuePayoutRequest, payout::v1::Payout>(service, "ReissuePayout");
        Note<payout::v1::CancelTransferRequest, payout::v1::Payout>(service, "CancelTransfer");
        Note<payout::v1::GetPayoutRequest, payout::v1::Payout>(service, "GetPayout");
        Note<payout::v1::ListPayoutsRequest, payout::v1::ListPayoutsResponse>(service,
                                                                              "ListPayouts");
        Note<payout::v1::TraceTransferRequest, payout::v1::TransferTrace>(service, "TraceTransfer");
        Note<payout::v1::ListDayAccrualsRequest, payout::v1::ListDayAccrualsResponse>(
            service, "ListDayAccruals");
        Note<payout::v1::TracePaymentRequest, payout::v1::PaymentTrace>(service, "TracePayment");
        Note<payout::v1::GatherTransfersRequest, payout::v1::ListTransferBatchesResponse>(
            service, "GatherTransfers");
        Note<payout::v1::ImportResultsRequest, payout::v1::ImportedResults>(service,
                                                                            "ImportResults");
        Note<payout::v1::RequestAdjustmentRequest, payout::v1::Adjustment>(service,
                                                                           "RequestAdjustment");
        Note<payout::v1::DecideAdjustmentRequest, payout::v1::Adjustment>(service,
                                                                          "DecideAdjustment");
        Note<payout::v1::ListAdjustmentsRequest, payout::v1::ListAdjustmentsResponse>(
            service, "ListAdjustments");
        service.Async<payout::v1::GetTrialBalanceRequest, payout::v1::TrialBalance>(
            "GetTrialBalance", [this](const rpc::CallContext& context,
                                      const payout::v1::GetTrialBalanceRequest& request,
                                      rpc::Answer<payout::v1::TrialBalance> answer) {
                Take("GetTrialBalance", context, request.ShortDebugString());
                const Status refused = refusal();
                if (!refused.ok()) return answer(refused);
                answer(balance());
            });
        Note<payout::v1::GetFeeReportRequest, payout::v1::FeeReport>(service, "GetFeeReport");
        Note<payout::v1::RepublishEventsRequest, payout::v1::RepublishEventsResponse>(
            service, "RepublishEvents");
        service.Streaming<payout::v1::GetTransferFileRequest, payout::v1::FilePiece>(
            "GetTransferFile", workers_,
            [this](const rpc::CallContext& context,
                   const payout::v1::GetTransferFileRequest& request,
                   rpc::StreamWriter<payout::v1::FilePiece>& pieces) {
                Take("GetTransferFile", context, request.ShortDebugString());
                for (const char* content : {"first ", "second"}) {
                    payout::v1::FilePiece piece;
                    piece.set_content(content);
                    pieces.Write(piece);
                }
                return refusal();
            });
        service.Streaming<payout::v1::ListJournalRequest, payout::v1::JournalEntry>(
            "ListJournal", workers_,
            [this](const rpc::CallContext& context, const payout::v1::ListJournalRequest& request,
                   rpc::StreamWriter<payout::v1::JournalEntry>& entries) {
                Take("ListJournal", context, request.ShortDebugString());
                for (int i = 1; i <= 3; ++i) {
                    payout::v1::JournalEntry entry;
                    entry.set_journal_id(i);
                    entry.set_position("j" + std::to_string(i));
                    if (!entries.Write(entry)) break;
                }
                return refusal();
            });
        return service;
    }

    /// "METHOD by SUBJECT: request" of the calls since it was last asked.
    std::vector<std::string> Taken() {
        const std::lock_guard lock(mutex_);
        return std::exchange(taken_, {});
    }
    /// What GetTrialBalance answers.
    void Tell(payout::v1::TrialBalance balance) {
        const std::lock_guard lock(mutex_);
        balance_ = std::move(balance);
    }
    void Refuse(Status status) {
        const std::lock_guard lock(mutex_);
        refusal_ = std::move(status);
    }

 private:
    void Take(const std::string& method, const rpc::CallContext& context, std::string request) {
        const std::lock_guard lock(mutex_);
        if (!request.empty()) request = ": " + request;
        taken_.push_back(method + " by " + context.principal().subject + request);
    }
    Status refusal() {
        const std::lock_guard lock(mutex_);
        return refusal_;
    }
    payout::v1::TrialBalance balance() {
        const std::lock_guard lock(mutex_);
        return balance_;
    }
    template <class Request, class Response>
    void Note(rpc::Service& service, const char* method) {
        service.Async<Request, Response>(
            method, [this, method](const rpc::CallContext& context, const Request& request,
                                   rpc::Answer<Response> answer) {
                Take(method, context, request.ShortDebugString());
                const Status refused = refusal();
                if (!refused.ok()) return answer(refused);
                answer(Response());
            });
    }

    rpc::WorkerPool workers_;
    std::mutex mutex_;
    std::vector<std::string> taken_;
    Status refusal_;
    payout::v1::TrialBalance balance_;
};

}  // namespace kessai::gateway
