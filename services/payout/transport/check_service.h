#pragma once

#include <stop_token>
#include <string_view>

#include "app/check_fees.h"
#include "app/check_reader.h"
#include "app/trace_funds.h"
#include "domain/tax.h"
#include "kessai/auth/policy.h"
#include "kessai/payout/v1/check_service.pb.h"
#include "kessai/rpc/service.h"
#include "kessai/rpc/worker_pool.h"
#include "kessai/time/clock.h"

namespace kessai::payout::transport {

inline constexpr std::string_view kCheckServiceName = "kessai.payout.v1.CheckService";

/// Services only.
auth::MethodPolicy CheckPolicy();

/// The methods of CheckService. What it is made of must outlive it, and it the server. Thread safe.
class CheckService {
 public:
    CheckService(app::CheckReader& reader, app::CheckFees& fees, app::TraceFunds& trace,
                 const Clock& clock)
        : reader_(reader), fees_(fees), trace_(trace), clock_(clock) {}

    /// `slow` is for methods that read whole days, which all of these may.
    void Register(rpc::Service& service, rpc::WorkerPool& slow);

    /// Ends what reads whole days soon: the process stops.
    void Stop() { stop_.request_stop(); }

 private:
    Result<v1::DayCheck> GetDayCheck(const rpc::CallContext& context,
                                     const v1::GetDayCheckRequest& request);
    Result<v1::ListToldReleasesResponse> ListToldReleases(
        const rpc::CallContext& context, const v1::ListToldReleasesRequest& request);
    Result<v1::ListMerchantDaysResponse> ListMerchantDays(
        const rpc::CallContext& context, const v1::ListMerchantDaysRequest& request);
    Result<v1::DayDigests> GetFeeDigests(const rpc::CallContext& context,
                                         const v1::GetFeeDigestsRequest& request);
    Status ListWrongFees(const v1::ListWrongFeesRequest& request,
                         rpc::StreamWriter<v1::WrongFee>& fees);
    Result<v1::TransferSums> GetTransferSums(const rpc::CallContext& context,
                                             const v1::GetTransferSumsRequest& request);
    Result<v1::ListTransferStepsResponse> ListTransferSteps(
        const rpc::CallContext& context, const v1::ListTransferStepsRequest& request);
    Result<v1::ListMovedFundsResponse> ListMovedFunds(const rpc::CallContext& context,
                                                      const v1::ListMovedFundsRequest& request);
    void FillFunds(const app::MovedFunds& funds, v1::ListMovedFundsResponse::Funds& message);

    app::CheckReader& reader_;
    app::CheckFees& fees_;
    app::TraceFunds& trace_;
    const Clock& clock_;
    std::stop_source stop_;
};

}  // namespace kessai::payout::transport
