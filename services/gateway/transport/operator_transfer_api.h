#pragma once

#include <cstddef>
#include <functional>

#include "kessai/auth/token.h"
#include "kessai/http/message.h"
#include "kessai/rpc/channel.h"
#include "kessai/rpc/worker_pool.h"
#include "transport/operator_ledger_api.h"
#include "transport/request_scope.h"

namespace kessai::gateway::transport {

/// The operator interface over merchants' payouts: bank accounts, terms, transfers and their
/// results, adjustments, the books of a day. Requests are decoded here, answers are shown as payout
/// gave them (proto_json.h).
class OperatorTransferApi {
 public:
    OperatorTransferApi(ChannelOf payout, auth::TokenSigner& signer, rpc::WorkerPool& workers,
                        const Clock& clock, std::size_t result_bytes_max = std::size_t{3} << 20);

    net::Task<http::Response> PutBankAccount(const RequestScope& scope) const;
    net::Task<http::Response> VerifyBankAccount(const RequestScope& scope) const;
    net::Task<http::Response> ConfirmBankAccount(const RequestScope& scope) const;
    net::Task<http::Response> ListBankAccounts(const RequestScope& scope) const;
    net::Task<http::Response> PutPayoutTerms(const RequestScope& scope) const;
    net::Task<http::Response> GetPayoutTerms(const RequestScope& scope) const;
    net::Task<http::Response> PutPayoutHold(const RequestScope& scope) const;
    net::Task<http::Response> LiftPayoutHold(const RequestScope& scope) const;
    net::Task<http::Response> ListPayoutHolds(const RequestScope& scope) const;

    net::Task<http::Response> CreateTransfers(const RequestScope& scope) const;
    net::Task<http::Response> RequestPayout(const RequestScope& scope) const;
    net::Task<http::Response> ReissuePayout(const RequestScope& scope) const;
    net::Task<http::Response> CancelTransfer(const RequestScope& scope) const;
    net::Task<http::Response> GetPayout(const RequestScope& scope) const;
    net::Task<http::Response> ListPayouts(const RequestScope& scope) const;
    net::Task<http::Response> TraceTransfer(const RequestScope& scope) const;
    net::Task<http::Response> ListDayAccruals(const RequestScope& scope) const;
    net::Task<http::Response> TracePayment(const RequestScope& scope) const;
    net::Task<http::Response> GatherTransfers(const RequestScope& scope) const;
    /// The file's bytes.
    net::Task<http::Response> GetTransferFile(const RequestScope& scope) const;
    net::Task<http::Response> ImportResults(const RequestScope& scope) const;

    net::Task<http::Response> RequestAdjustment(const RequestScope& scope) const;
    net::Task<http::Response> DecideAdjustment(const RequestScope& scope) const;
    net::Task<http::Response> ListAdjustments(const RequestScope& scope) const;
    net::Task<http::Response> GetTrialBalance(const RequestScope& scope) const;
    net::Task<http::Response> GetFeeReport(const RequestScope& scope) const;
    /// A thousand entries at a time.
    net::Task<http::Response> ListJournal(const RequestScope& scope) const;
    /// Of transfers and of merchants held back.
    net::Task<http::Response> RepublishEvents(const RequestScope& scope) const;

 private:
    template <class Request, class Response>
    net::Task<http::Response> Forward(const RequestScope& scope,
                                      const rpc::Method<Request, Response>& method,
                                      Request request) const;
    /// Calls for a stream, off the loop. `take` returning false ends it well.

    const ChannelOf payout_;
    auth::TokenSigner& signer_;
    rpc::WorkerPool& workers_;
    const Clock& clock_;
    const std::size_t result_bytes_max_;
};

}  // namespace kessai::gateway::transport
