#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "domain/ids.h"
#include "domain/transfer.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"

namespace kessai::payout::app {

/// What a day released to a merchant, over all of its rounds and tax classes.
struct ReleasedMerchant {
    domain::MerchantId merchant;
    std::string currency;
    std::int64_t gross = 0;
    std::int64_t fee = 0;
    std::int64_t tax = 0;
    std::int64_t net = 0;
    std::int64_t item_count = 0;
};

/// Where a transfer stands among those of a date. The default is before all.
struct TransferPosition {
    /// Of the file that it was sent in; those in none come last.
    std::int64_t batch = 0;
    std::int64_t transfer = 0;
};

struct TransferAttempt {
    domain::Transfer transfer;
    std::string currency;
    /// Of its payout.
    std::int64_t fee = 0;
    std::int64_t tax = 0;
    bool on_demand = false;

    TransferPosition position;
};

/// What merchants' files tell of payouts, from committed rows, page by page: memory is bounded, and
/// no session is held while `take` runs. `take` returning false ends it. Merchant none: of all.
/// Thread safe.
class FileRowReader {
 public:
    virtual ~FileRowReader() = default;

    /// By rising merchant, behind `after`.
    virtual Status StreamReleases(BusinessDate day, domain::MerchantId merchant,
                                  domain::MerchantId after,
                                  const std::function<bool(const ReleasedMerchant&)>& take) = 0;
    /// FAILED_PRECONDITION TRANSFER_NOT_SENT.
    virtual Status StreamTransfers(BusinessDate transfer_date, domain::MerchantId merchant,
                                   TransferPosition after,
                                   const std::function<bool(const TransferAttempt&)>& take) = 0;
};

}  // namespace kessai::payout::app
