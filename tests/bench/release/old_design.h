#pragma once

#include "bench/release/contender.h"
#include "bench/release/generated_day.h"

namespace kessai::bench {

/// The design that broke on large merchants: each merchant belongs to one worker, which pages
/// through its accruals by an index on the merchant and stores its release and balance in a
/// transaction of their own. A sample of merchants is really released so, and the largest merchant
/// by itself; what all of them would take is computed from these.
class OldDesign final : public Rival {
 public:
    /// `sample`: how many merchants, beside the largest. `day` must outlive it.
    OldDesign(const GeneratedDay& day, std::int64_t sample) : day_(day), sample_(sample) {}
    std::string_view name() const override { return "old_design"; }
    Result<Contender> Run(const Contest& contest) override;

 private:
    const GeneratedDay& day_;
    const std::int64_t sample_;
};

/// What a sample says of the whole.
struct OldDesignSample {
    std::int64_t merchants = 0;
    std::int64_t accruals = 0;
    /// With all workers.
    double seconds = 0;
    /// Of the largest merchant, read by one worker.
    std::int64_t largest_accruals = 0;
    double largest_seconds = 0;
};

/// The seconds of a day of so many accruals and merchants: an accrual costs what it costs of the
/// largest merchant, a merchant what is left of the sample's time. Never less than the one worker
/// of the largest merchant takes.
double ExtrapolateOldDesign(const OldDesignSample& sample, std::int64_t accruals,
                            std::int64_t merchants, int workers);

}  // namespace kessai::bench
