#pragma once

#include <stop_token>
#include <string_view>

#include "app/balance_books.h"
#include "app/book_reader.h"
#include "app/day_store.h"
#include "kessai/auth/policy.h"
#include "kessai/payment/v1/book_service.pb.h"
#include "kessai/rpc/service.h"
#include "kessai/rpc/worker_pool.h"

namespace kessai::payment::transport {

inline constexpr std::string_view kBookServiceName = "kessai.payment.v1.BookService";

auth::MethodPolicy BookPolicy();

/// The customers' ledger for accounting. What it is made of must outlive it, and it must outlive
/// the server.
class BookService {
 public:
    BookService(app::BalanceBooks& balance_books, app::BookReader& books, app::DayStore& days);

    /// Reports take long: `pool` is one that nobody else's calls wait for.
    void Register(rpc::Service& service, rpc::WorkerPool& pool);
    /// Ends reports that are under way, as UNAVAILABLE.
    void StopReports() { stop_.request_stop(); }

 private:
    Result<v1::TrialBalance> GetTrialBalance(const rpc::CallContext& context,
                                             const v1::GetTrialBalanceRequest& request);
    Status ListJournal(const v1::ListJournalRequest& request,
                       rpc::StreamWriter<v1::JournalEntry>& entries);

    app::BalanceBooks& balance_books_;
    app::BookReader& books_;
    app::DayStore& days_;
    std::stop_source stop_;
};

}  // namespace kessai::payment::transport
