#pragma once

#include "app/enquiries.h"
#include "app/order_repair.h"
#include "kessai/auth/policy.h"
#include "kessai/reconciliation/v1/repair_service.pb.h"
#include "kessai/result/result.h"
#include "kessai/rpc/call_context.h"
#include "kessai/rpc/service.h"
#include "kessai/rpc/worker_pool.h"

namespace kessai::reconciliation::transport {

inline constexpr std::string_view kRepairServiceName = "kessai.reconciliation.v1.RepairService";

/// Who may call which of its methods.
auth::MethodPolicy RepairPolicy();

v1::Repair ToProto(const domain::Repair& repair);

/// The methods of RepairService: decode, call, encode. Thread safe.
class RepairService {
 public:
    /// All must outlive it.
    RepairService(app::OrderRepair& order, app::Enquiries& enquiries)
        : order_(order), enquiries_(enquiries) {}

    /// `asking_workers` wait for payment and payout, `workers` for the database only; both must
    /// outlive the server.
    void Register(rpc::Service& service, rpc::WorkerPool& workers, rpc::WorkerPool& asking_workers);

    Result<v1::Discrepancy> AssignDiscrepancy(const rpc::CallContext& context,
                                              const v1::AssignDiscrepancyRequest& request);
    Result<v1::RepairPreview> PreviewRepair(const rpc::CallContext& context,
                                            const v1::RequestRepairRequest& request);
    Result<v1::Repair> RequestRepair(const rpc::CallContext& context,
                                     const v1::RequestRepairRequest& request);
    Result<v1::Repair> DecideRepair(const rpc::CallContext& context,
                                    const v1::DecideRepairRequest& request);
    Result<v1::ListRepairsResponse> ListRepairs(const rpc::CallContext& context,
                                                const v1::ListRepairsRequest& request);

 private:
    app::OrderRepair& order_;
    app::Enquiries& enquiries_;
};

}  // namespace kessai::reconciliation::transport
