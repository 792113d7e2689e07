#pragma once

#include <cstdint>

#include "app/change_discrepancy.h"
#include "app/enquiries.h"
#include "kessai/auth/policy.h"
#include "kessai/reconciliation/v1/reconciliation_service.pb.h"
#include "kessai/result/result.h"
#include "kessai/rpc/call_context.h"
#include "kessai/rpc/service.h"
#include "kessai/rpc/worker_pool.h"
#include "kessai/time/clock.h"
#include "transport/day_run_worker.h"

namespace kessai::reconciliation::transport {

/// "kessai.reconciliation.v1.ReconciliationService".
inline constexpr std::string_view kServiceName = "kessai.reconciliation.v1.ReconciliationService";

/// Who may call which method.
auth::MethodPolicy Policy();

/// The contract's methods: decode, call, encode. Thread safe.
class ReconciliationService {
 public:
    /// All must outlive it.
    ReconciliationService(app::Enquiries& enquiries, app::ChangeDiscrepancy& change,
                          DayRunWorker& runs)
        : enquiries_(enquiries), change_(change), runs_(runs) {}

    /// Adds every method to `service`. RunDay waits on `run_workers`, all others on `workers`; both
    /// must outlive the server.
    void Register(rpc::Service& service, rpc::WorkerPool& workers, rpc::WorkerPool& run_workers);

    Result<v1::Match> GetMatch(const rpc::CallContext& context, const v1::GetMatchRequest& request);
    Result<v1::ListDiscrepanciesResponse> ListDiscrepancies(
        const rpc::CallContext& context, const v1::ListDiscrepanciesRequest& request);
    Result<v1::Discrepancy> GetDiscrepancy(const rpc::CallContext& context,
                                           const v1::GetDiscrepancyRequest& request);
    Result<v1::Discrepancy> ChangeDiscrepancy(const rpc::CallContext& context,
                                              const v1::ChangeDiscrepancyRequest& request);
    Result<v1::DayRun> RunDay(const rpc::CallContext& context, const v1::RunDayRequest& request);
    Result<v1::DayRun> GetDayRun(const rpc::CallContext& context,
                                 const v1::GetDayRunRequest& request);

 private:
    /// With the latest check of the day against payout.
    Result<v1::DayRun> WithCheck(v1::DayRun run, BusinessDate date);

    app::Enquiries& enquiries_;
    app::ChangeDiscrepancy& change_;
    DayRunWorker& runs_;
};

}  // namespace kessai::reconciliation::transport
