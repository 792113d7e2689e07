#pragma once

#include <stop_token>
#include <string>
#include <string_view>

#include "app/assign_fee_plan.h"
#include "app/payout_reader.h"
#include "app/preview_fee_plan.h"
#include "app/put_fee_plan.h"
#include "app/release_day.h"
#include "kessai/auth/policy.h"
#include "kessai/payout/v1/payout_service.pb.h"
#include "kessai/rpc/service.h"
#include "kessai/rpc/worker_pool.h"

namespace kessai::payout::transport {

inline constexpr std::string_view kServiceName = "kessai.payout.v1.PayoutService";

/// Who may call what.
auth::MethodPolicy Policy();

/// The methods of PayoutService. What it is made of must outlive it, and it the server.
class PayoutService {
 public:
    struct FeePlanCases {
        app::PutFeePlan& put;
        app::AssignFeePlan& assign;
        app::PreviewFeePlan& preview;
    };
    PayoutService(app::PayoutReader& reader, FeePlanCases plans, app::ReleaseDay& release_day);

    /// `slow` is for methods that read whole days.
    void Register(rpc::Service& service, rpc::WorkerPool& quick, rpc::WorkerPool& slow);

    /// Ends releases and previews soon: the process stops, and another goes on with releases.
    void StopReleases() { stop_.request_stop(); }

 private:
    Result<v1::FeePlan> PutFeePlan(const rpc::CallContext& context, const v1::FeePlan& request);
    Result<v1::AssignFeePlanResponse> AssignFeePlan(const rpc::CallContext& context,
                                                    const v1::AssignFeePlanRequest& request);
    Result<v1::FeePlanPreview> PreviewFeePlan(const rpc::CallContext& context,
                                              const v1::PreviewFeePlanRequest& request);
    Result<v1::ListFeePlansResponse> ListFeePlans(const rpc::CallContext& context,
                                                  const v1::ListFeePlansRequest& request);
    Result<v1::MerchantBalance> GetMerchantBalance(const rpc::CallContext& context,
                                                   const v1::GetMerchantBalanceRequest& request);
    Result<v1::MerchantDay> GetMerchantDay(const rpc::CallContext& context,
                                           const v1::GetMerchantDayRequest& request);
    Result<v1::Accrual> GetAccrual(const rpc::CallContext& context,
                                   const v1::GetAccrualRequest& request);
    Result<v1::DayRelease> ReleaseDay(const rpc::CallContext& context,
                                      const v1::ReleaseDayRequest& request);
    Result<v1::PayoutDay> GetDay(const rpc::CallContext& context, const v1::GetDayRequest& request);
    Result<v1::ReleaseProgress> GetReleaseProgress(const rpc::CallContext& context,
                                                   const v1::GetReleaseProgressRequest& request);
    Result<v1::DayDigests> GetDayDigests(const rpc::CallContext& context,
                                         const v1::GetDayDigestsRequest& request);
    Status ListDayRows(const v1::ListDayRowsRequest& request,
                       rpc::StreamWriter<v1::DayRowPage>& pages);
    Status ListHeldBack(const v1::ListHeldBackRequest& request,
                        rpc::StreamWriter<v1::HeldBackMerchant>& merchants);

    app::PayoutReader& reader_;
    const FeePlanCases plans_;
    app::ReleaseDay& release_day_;
    std::stop_source stop_;
};

}  // namespace kessai::payout::transport
