#pragma once

#include <stop_token>

#include "app/balance_books.h"
#include "kessai/payment/v1/payment_service.pb.h"
#include "kessai/rpc/service.h"
#include "kessai/rpc/worker_pool.h"

namespace kessai::payment::transport {

/// Reports for accounting. What it is made of must outlive it, and it must outlive the server.
class BooksService {
 public:
    explicit BooksService(app::BalanceBooks& balance_books) : balance_books_(balance_books) {}

    void Register(rpc::Service& service, rpc::WorkerPool& pool);
    /// Ends reports soon: the process stops.
    void Stop() { stop_.request_stop(); }

 private:
    Result<v1::TrialBalance> GetTrialBalance(const rpc::CallContext& context,
                                             const v1::GetTrialBalanceRequest& request);

    app::BalanceBooks& balance_books_;
    std::stop_source stop_;
};

}  // namespace kessai::payment::transport
