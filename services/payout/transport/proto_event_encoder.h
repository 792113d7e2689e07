#pragma once

#include "app/event_encoder.h"
#include "domain/tax.h"

namespace kessai::payout::transport {

/// Events as protobuf in the platform's envelope.
class ProtoEventEncoder final : public app::EventEncoder {
 public:
    /// `taxes` must outlive it. `partition_count` is that of payout.events.v1.
    ProtoEventEncoder(const domain::TaxTable& taxes, int partition_count)
        : taxes_(taxes), partition_count_(partition_count) {}

    Result<std::string> AccrualRecorded(const domain::Accrual& accrual,
                                        Instant recorded_at) const override;
    Result<std::string> DayReleased(const app::DayReleasedEvent& released) const override;
    Result<std::string> TransferChanged(const domain::TransferEvent& event) const override;
    Result<std::string> HoldChanged(const domain::HoldStep& step) const override;
    Result<std::string> DayClosed(BusinessDate day, Instant closed_at) const override;
    std::optional<domain::MerchantId> MerchantOf(std::string_view sealed_event) const override;

 private:
    const domain::TaxTable& taxes_;
    const int partition_count_;
};

}  // namespace kessai::payout::transport
