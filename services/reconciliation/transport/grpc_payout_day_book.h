#pragma once

#include <utility>

#include "app/payout_day_book.h"
#include "kessai/auth/token.h"
#include "kessai/rpc/channel.h"
#include "transport/grpc_peer_book.h"

namespace kessai::reconciliation::transport {

/// What payout says of merchants' days, fees and transfers, over gRPC. Thread safe.
class GrpcPayoutDayBook final : public app::PayoutDayBook {
 public:
    /// `signer` must outlive it.
    GrpcPayoutDayBook(rpc::Channel channel, auth::TokenSigner& signer, PeerBookOptions options)
        : channel_(std::move(channel)), signer_(signer), options_(options) {}

    Result<app::PayoutDay> Day(BusinessDate business_date) override;
    Result<std::vector<domain::ToldRound>> ListToldReleases(BusinessDate told_date) override;
    Result<app::MerchantDayPage> ListMerchants(BusinessDate business_date,
                                               const std::vector<int>& buckets,
                                               domain::MerchantId after) override;
    Result<digest::DayDigest> FeeDigests(BusinessDate business_date) override;
    Result<std::vector<app::WrongFee>> WrongFees(BusinessDate business_date) override;
    Result<app::TransferSums> SumTransfers(BusinessDate business_date) override;
    Result<app::TransferStepPage> ListTransferSteps(BusinessDate business_date,
                                                    std::int64_t after) override;
    Result<app::MovedFundsPage> ListMovedFunds(BusinessDate business_date,
                                               domain::MerchantId after) override;
    Result<std::vector<app::MovedFundsPage::Merchant>> FindFunds(
        BusinessDate business_date, const std::vector<domain::MerchantId>& merchants) override;

 private:
    template <class Method, class Request>
    auto Call(const Method& method, const Request& request);

    rpc::Channel channel_;
    auth::TokenSigner& signer_;
    const PeerBookOptions options_;
};

}  // namespace kessai::reconciliation::transport
