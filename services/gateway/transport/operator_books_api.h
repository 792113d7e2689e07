#pragma once

#include "kessai/auth/token.h"
#include "kessai/http/message.h"
#include "kessai/rpc/channel.h"
#include "kessai/rpc/worker_pool.h"
#include "kessai/time/clock.h"
#include "transport/operator_ledger_api.h"
#include "transport/request_scope.h"

namespace kessai::gateway::transport {

/// The operator interface over the customers' ledger, and over both ledgers of a day together.
/// Answers are shown as the services gave them (proto_json.h).
class OperatorBooksApi {
 public:
    /// All must outlive it.
    OperatorBooksApi(ChannelOf payment, const rpc::Channel& payout, auth::TokenSigner& signer,
                     rpc::WorkerPool& workers, const Clock& clock);

    net::Task<http::Response> GetPaymentTrialBalance(const RequestScope& scope) const;
    /// A thousand entries at a time.
    net::Task<http::Response> ListPaymentJournal(const RequestScope& scope) const;
    /// Both trial balances of a day, and what has to agree between them (ledger_agreement.h).
    net::Task<http::Response> GetDayBooks(const RequestScope& scope) const;

 private:
    const ChannelOf payment_;
    const rpc::Channel& payout_;
    auth::TokenSigner& signer_;
    /// For calls that answer with a stream.
    rpc::WorkerPool& workers_;
    const Clock& clock_;
};

}  // namespace kessai::gateway::transport
