#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "app/waiting_sums.h"
#include "domain/claim.h"
#include "domain/discrepancy.h"
#include "domain/hold_notice.h"
#include "domain/match.h"
#include "domain/merchant_day.h"
#include "domain/payout_check.h"
#include "domain/release_events.h"
#include "domain/transfer_check.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"
#include "kessai/time/clock.h"

namespace kessai::reconciliation::app {

/// A round of a day's release, as its event told it.
struct ReleaseNotice {
    /// The date as yyyymmdd, and the round plus one.
    domain::HoldKey key{};
    domain::ContentHash content{};
    BusinessDate released_date{};
    domain::ReleaseTotals totals{};
};

/// What events told of a day's releases.
struct ToldReleases {
    domain::HeardRounds rounds{};
    /// The first day of which any release was told: this service did not listen before.
    std::optional<BusinessDate> first_day{};
};

/// What was matched of a merchant, day and tax class.
struct MatchedLine {
    domain::MerchantId merchant{};
    domain::TaxClass tax_class = domain::TaxClass::kNotNoted;
    domain::LineSums sums{};
};

/// A day whose check against payout is asked for, and how often it was: who checks it says which
/// askings that answers, so one that comes meanwhile is not lost.
struct DueCheck {
    BusinessDate business_date{};
    std::int64_t asked = 0;
};

/// What reconciliation keeps for holding payout against what it heard. Good for one transaction, as
/// the other ports of books.h.
class PayoutBooks {
 public:
    virtual ~PayoutBooks() = default;

    /// All known changes of these payments, rising; not locked. `payments` rise.
    virtual Result<std::vector<domain::Match>> ChangesOf(
        std::span<const domain::PaymentId> payments) = 0;

    /// `slot` is one per writer.
    virtual Status AddWaiting(const WaitingSums& sums, int slot) = 0;
    virtual Result<WaitingTotal> Waiting() = 0;
    /// Forgets periods before `before` in which nothing waits any more.
    virtual Status TrimWaiting(Instant before) = 0;

    /// Effects of transfers' events and of releases among `objects`, which rise.
    virtual Result<std::vector<domain::NotedHold>> FindNotedEvents(
        std::span<const std::int64_t> objects) = 0;
    /// ALREADY_EXISTS when one of them is there.
    virtual Status InsertReleases(std::span<const ReleaseNotice> notices) = 0;
    virtual Result<ToldReleases> FindToldReleases(BusinessDate business_date) = 0;

    /// Those of the transfers that are known, locked. `transfers` rise.
    virtual Result<std::vector<domain::NotedTransfer>> LockTransfers(
        std::span<const domain::TransferId> transfers) = 0;
    /// The lowest transfer whose creation was heard; none when none was.
    virtual Result<domain::TransferId> FirstTransfer() = 0;
    virtual Status InsertTransferSteps(std::span<const domain::TransferNotice> notices) = 0;
    virtual Status PutTransfers(std::span<const domain::NotedTransfer> transfers) = 0;
    /// At most `limit` that await a result since before `since` and were not marked as overdue, by
    /// transfer date; locked.
    virtual Result<std::vector<domain::NotedTransfer>> LockOverdue(BusinessDate since,
                                                                   int limit) = 0;
    virtual Status MarkOverdue(std::span<const domain::TransferId> transfers) = 0;
    /// What the events of a day told of transfers, by step: number, amount, fee and tax.
    struct ToldSteps {
        std::int64_t count = 0;
        std::int64_t amount = 0;
        std::int64_t fee = 0;
        std::int64_t tax = 0;

        bool operator==(const ToldSteps&) const = default;
    };
    virtual Result<std::map<domain::TransferStep, ToldSteps>> SumTransferSteps(
        BusinessDate business_date) = 0;
    /// The same one by one (files apart: kSent is no journal), behind `after`, rising by transfer
    /// and step; whole transfers, about `limit` rows.
    virtual Result<std::vector<domain::TransferEntry>> ListTransferSteps(BusinessDate business_date,
                                                                         domain::TransferId after,
                                                                         int limit) = 0;

    /// What was matched of the day's merchants above `after`, rising by merchant and class; whole
    /// merchants, `limit` of them.
    virtual Result<std::vector<MatchedLine>> ListMatched(BusinessDate business_date,
                                                         domain::MerchantId after, int limit) = 0;

    virtual Status AskForCheck(BusinessDate business_date) = 0;
    /// At most `limit`, rising.
    virtual Result<std::vector<DueCheck>> ListDueChecks(int limit) = 0;
    /// How often the day's check was asked for so far.
    virtual Result<DueCheck> FindDueCheck(BusinessDate business_date) = 0;
    virtual Result<std::optional<domain::PayoutCheck>> LatestCheck(BusinessDate business_date) = 0;
    virtual Status InsertCheck(const domain::PayoutCheck& check) = 0;
    /// Ends a check. `answered`: the askings that it answers; none when it has to come again.
    virtual Status FinishCheck(const domain::PayoutCheck& check,
                               const std::optional<DueCheck>& answered) = 0;

    /// At most `limit` unsettled discrepancies of a day and of these kinds, behind `after` by id,
    /// locked; rising by id.
    virtual Result<std::vector<domain::Discrepancy>> LockUnsettledOfDay(
        BusinessDate business_date, std::span<const domain::DiscrepancyKind> kinds,
        domain::DiscrepancyId after, int limit) = 0;
};

}  // namespace kessai::reconciliation::app
