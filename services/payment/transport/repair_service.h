#pragma once

#include "app/batch_executor.h"
#include "app/day_store.h"
#include "app/digest_repairs.h"
#include "app/payment_reader.h"
#include "kessai/auth/policy.h"
#include "kessai/payment/v1/repair_service.pb.h"
#include "kessai/rpc/service.h"
#include "kessai/rpc/worker_pool.h"

namespace kessai::payment::transport {

inline constexpr std::string_view kRepairServiceName = "kessai.payment.v1.RepairService";

/// Reconciliation only.
auth::MethodPolicy RepairPolicy();

/// The methods of RepairService. Thread safe.
class RepairService {
 public:
    /// All must outlive it.
    RepairService(app::PaymentReader& reader, const app::EventEncoder& encoder, app::DayStore& days,
                  app::DigestRepairs& digests)
        : reader_(reader), encoder_(encoder), days_(days), digests_(digests) {}

    void Register(rpc::Service& service, rpc::WorkerPool& pool);

    Result<v1::FoundRows> FindRows(const rpc::CallContext& context,
                                   const v1::FindRowsRequest& request);
    Result<v1::SealedEvent> GetEvent(const rpc::CallContext& context,
                                     const v1::GetEventRequest& request);
    Result<v1::RecomputedDigest> RecomputeDigest(const rpc::CallContext& context,
                                                 const v1::RecomputeDigestRequest& request);

 private:
    app::PaymentReader& reader_;
    const app::EventEncoder& encoder_;
    app::DayStore& days_;
    app::DigestRepairs& digests_;
};

}  // namespace kessai::payment::transport
