#pragma once

#include "app/adjust_balance.h"
#include "app/ledger_store.h"
#include "app/republish_events.h"
#include "app/restore_accrual.h"
#include "kessai/auth/policy.h"
#include "kessai/payout/v1/repair_service.pb.h"
#include "kessai/rpc/service.h"
#include "kessai/rpc/worker_pool.h"

namespace kessai::payout::transport {

inline constexpr std::string_view kRepairServiceName = "kessai.payout.v1.RepairService";

/// Reconciliation only.
auth::MethodPolicy RepairPolicy();

/// The methods of RepairService. Thread safe.
class RepairService {
 public:
    /// All must outlive it.
    RepairService(app::RestoringStore& store, app::RestoreAccrual& restore,
                  app::AdjustBalance& adjust, app::LedgerStore& ledger,
                  app::RepublishEvents& republish)
        : store_(store),
          restore_(restore),
          adjust_(adjust),
          ledger_(ledger),
          republish_(republish) {}

    /// `slow` is for what looks for long.
    void Register(rpc::Service& service, rpc::WorkerPool& quick, rpc::WorkerPool& slow);

    Result<v1::RepublishAccrualsResponse> RepublishAccruals(
        const rpc::CallContext& context, const v1::RepublishAccrualsRequest& request);
    Result<v1::RepublishReleasesResponse> RepublishReleases(
        const rpc::CallContext& context, const v1::RepublishReleasesRequest& request);
    Result<v1::RestoredAccrual> RestoreAccrual(const rpc::CallContext& context,
                                               const v1::RestoreAccrualRequest& request);
    Result<v1::FoundRows> FindRows(const rpc::CallContext& context,
                                   const v1::FindRowsRequest& request);
    Result<v1::RecomputedDigest> RecomputeDigest(const rpc::CallContext& context,
                                                 const v1::RecomputeDigestRequest& request);
    Result<v1::Correction> PostCorrection(const rpc::CallContext& context,
                                          const v1::PostCorrectionRequest& request);
    Result<v1::Correction> WithdrawCorrection(const rpc::CallContext& context,
                                              const v1::PostCorrectionRequest& request);
    Result<v1::Correction> GetCorrection(const rpc::CallContext& context,
                                         const v1::GetCorrectionRequest& request);

 private:
    app::RestoringStore& store_;
    app::RestoreAccrual& restore_;
    app::AdjustBalance& adjust_;
    app::LedgerStore& ledger_;
    app::RepublishEvents& republish_;
};

}  // namespace kessai::payout::transport
