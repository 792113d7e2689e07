#pragma once

#include <stop_token>
#include <string_view>

#include "app/list_transactions.h"
#include "app/merchant_cache.h"
#include "app/payment_reader.h"
#include "kessai/auth/policy.h"
#include "kessai/payment/v1/transaction_service.pb.h"
#include "kessai/rpc/service.h"
#include "kessai/rpc/worker_pool.h"

namespace kessai::payment::transport {

inline constexpr std::string_view kTransactionServiceName = "kessai.payment.v1.TransactionService";

auth::MethodPolicy TransactionPolicy();

/// What merchants' files are made from. What it is made of must outlive it, and it must outlive the
/// server.
class TransactionService {
 public:
    /// `names`: of its own, so that it takes no room from those that payments need.
    TransactionService(app::ListTransactions& list, app::PaymentReader& reader,
                       app::MerchantCache& names);

    /// Lists take long: `pool` is one that nobody else's calls wait for.
    void Register(rpc::Service& service, rpc::WorkerPool& pool);
    /// Ends lists that are under way, as UNAVAILABLE.
    void StopLists() { stop_.request_stop(); }

 private:
    Status ListTransactions(const v1::ListTransactionsRequest& request,
                            rpc::StreamWriter<v1::TransactionBatch>& batches);

    app::ListTransactions& list_;
    app::PaymentReader& reader_;
    app::MerchantCache& names_;
    std::stop_source stop_;
};

}  // namespace kessai::payment::transport
