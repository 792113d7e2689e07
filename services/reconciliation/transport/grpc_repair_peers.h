#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/books.h"
#include "app/repair_peers.h"
#include "kessai/auth/token.h"
#include "kessai/rpc/channel.h"
#include "kessai/time/clock.h"

namespace kessai::reconciliation::transport {

/// The contracts that repairs call the peers by, for rpc::CallTelemetry.
std::vector<std::string_view> RepairContracts();

/// Payment and payout over gRPC. Thread safe.
class GrpcRepairPeers final : public app::RepairPeers {
 public:
    /// `signer` and `transactions` must outlive it; `timeout` is for each call.
    GrpcRepairPeers(rpc::Channel payment, rpc::Channel payout, auth::TokenSigner& signer,
                    app::Transactions& transactions, Duration timeout)
        : payment_(std::move(payment)),
          payout_(std::move(payout)),
          signer_(signer),
          transactions_(transactions),
          timeout_(timeout) {}

    Result<std::string> DoubtOfPayment(domain::ChangeKey change) override;
    Status PublishPaymentEvent(domain::ChangeKey change) override;
    Status PublishPayoutEvent(domain::ChangeKey change) override;
    Status PublishRelease(BusinessDate day) override;
    /// DATA_LOSS EVENT_DIFFERS when payment's event is another than the one that was heard.
    Result<app::AccrualTerms> AccrueAgain(domain::ChangeKey change, bool dry_run) override;
    Result<std::optional<app::AccrualTerms>> FindAccrual(domain::ChangeKey change) override;
    Result<digest::RecomputedBucket> RecomputeDigest(domain::Book book, BusinessDate day,
                                                     std::uint32_t bucket,
                                                     const std::string& key) override;
    Status PostCorrection(const app::Correction& correction) override;
    Result<bool> WithdrawCorrection(const app::Correction& correction) override;
    Result<std::optional<domain::CorrectionLeg>> FindCorrection(domain::MerchantId merchant,
                                                                const std::string& key) override;

 private:
    rpc::Channel payment_;
    rpc::Channel payout_;
    auth::TokenSigner& signer_;
    app::Transactions& transactions_;
    const Duration timeout_;
};

}  // namespace kessai::reconciliation::transport
