#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "app/payout_books.h"
#include "domain/claim.h"
#include "domain/merchant_day.h"
#include "domain/release_events.h"
#include "domain/transfer_check.h"
#include "kessai/digest/accumulator.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"

namespace kessai::reconciliation::app {

/// A closed day by payout's totals and releases: digests over merchants (digest::AddLine) and sums.
struct PayoutDay {
    bool released = false;
    digest::DayDigest accrued{};
    digest::DayDigest released_lines{};
    domain::ReleaseTotals released_sums{};
    /// What its rounds noted of themselves, and those of them that events told of.
    domain::ReleaseTotals round_sums{};
    std::vector<domain::ToldRound> rounds{};
    std::int64_t held_count = 0;
};

/// `next` is where to go on; none: at the end.
struct MerchantDayPage {
    /// What was matched is not in them.
    std::vector<domain::MerchantDay> merchants{};
    domain::MerchantId next{};
};
struct TransferSums {
    /// Nothing is added to the day any more.
    bool final = false;
    std::map<domain::TransferStep, PayoutBooks::ToldSteps> steps{};
};
struct TransferStepPage {
    std::vector<domain::TransferEntry> entries{};
    std::int64_t next = 0;
};
struct MovedFundsPage {
    struct Made {
        domain::TransferId transfer{};
        std::int64_t amount = 0;
        std::optional<std::int64_t> parts{};
    };
    struct Merchant {
        domain::MerchantFunds funds{};
        std::vector<Made> made{};
    };
    std::vector<Merchant> merchants{};
    domain::MerchantId next{};
};

/// An accrual whose fee or tax class is another when payout computes it again.
struct WrongFee {
    domain::ChangeKey key{};
    domain::Terms terms{};
    domain::ToldFee row{};
    domain::ToldFee expected{};
    std::string note{};
};

/// The port to what payout says of merchants' days, fees and transfers. Refusals as app::PeerBook.
class PayoutDayBook {
 public:
    virtual ~PayoutDayBook() = default;

    virtual Result<PayoutDay> Day(BusinessDate business_date) = 0;
    /// Rounds whose events are of `told_date`, whatever day they released.
    virtual Result<std::vector<domain::ToldRound>> ListToldReleases(BusinessDate told_date) = 0;
    /// Merchants of these buckets above `after`, rising.
    virtual Result<MerchantDayPage> ListMerchants(BusinessDate business_date,
                                                  const std::vector<int>& buckets,
                                                  domain::MerchantId after) = 0;
    /// Of the fees of the day's rows (digest::FeeRow).
    virtual Result<digest::DayDigest> FeeDigests(BusinessDate business_date) = 0;
    virtual Result<std::vector<WrongFee>> WrongFees(BusinessDate business_date) = 0;

    virtual Result<TransferSums> SumTransfers(BusinessDate business_date) = 0;
    virtual Result<TransferStepPage> ListTransferSteps(BusinessDate business_date,
                                                       std::int64_t after) = 0;
    /// Of merchants whose money moved on the day. Whoever is being released to is left out.
    virtual Result<MovedFundsPage> ListMovedFunds(BusinessDate business_date,
                                                  domain::MerchantId after) = 0;
    /// The same of these merchants, at most kFundsMax, whether or not it moved on the day.
    virtual Result<std::vector<MovedFundsPage::Merchant>> FindFunds(
        BusinessDate business_date, const std::vector<domain::MerchantId>& merchants) = 0;
    static constexpr std::size_t kFundsMax = 200;
};

/// Adds what was matched of a merchant to what payout says of its day.
void JoinMatched(const std::vector<MatchedLine>& matched, domain::MerchantDay& merchant);

}  // namespace kessai::reconciliation::app
