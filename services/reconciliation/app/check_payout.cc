#include "app/check_payout.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "app/discrepancy_changes.h"
#include "app/record_day_mark.h"
#include "kessai/digest/lines.h"
#include "kessai/faults/fault_point.h"

namespace kessai::reconciliation::app {

namespace {

using domain::DayRunState;
using domain::DiscrepancyKind;
using domain::Finding;
using domain::MerchantId;
using domain::TransferId;

constexpr int kMerchantsPerPage = 2'000;
constexpr int kStepsPerPage = 5'000;
constexpr int kDaysPerRound = 32;
/// Findings recorded, and discrepancies looked through, in one transaction.
constexpr std::size_t kPerTransaction = 200;

/// What was matched of a day's merchants, rising, a page at a time.
class MatchedMerchants {
 public:
    MatchedMerchants(Transactions& transactions, BusinessDate day)
        : transactions_(transactions), day_(day) {}

    /// The next merchant's lines; empty at the end.
    Result<std::vector<MatchedLine>> Next() {
        if (position_ == page_.size() && !at_end_) {
            KESSAI_RETURN_IF_ERROR(transactions_.Run([this](Books& books) -> Status {
                KESSAI_ASSIGN_OR_RETURN(page_,
                                        books.payout.ListMatched(day_, last_, kMerchantsPerPage));
                return OkStatus();
            }));
            position_ = 0;
            at_end_ = page_.empty();
            if (!page_.empty()) last_ = page_.back().merchant;
        }
        std::vector<MatchedLine> lines;
        while (position_ < page_.size() &&
               (lines.empty() || page_[position_].merchant == lines.front().merchant)) {
            lines.push_back(page_[position_++]);
        }
        return lines;
    }

 private:
    Transactions& transactions_;
    BusinessDate day_;
    MerchantId last_{};
    std::vector<MatchedLine> page_;
    std::size_t position_ = 0;
    bool at_end_ = false;
};

}  // namespace

void JoinMatched(const std::vector<MatchedLine>& matched, domain::MerchantDay& merchant) {
    for (const MatchedLine& line : matched) {
        const auto found =
            std::ranges::find(merchant.lines, line.tax_class, &domain::MerchantDayLine::tax_class);
        if (found != merchant.lines.end()) {
            found->matched = line.sums;
        } else {
            merchant.lines.push_back({.tax_class = line.tax_class, .matched = line.sums});
        }
    }
}

/// One check's work, between its beginning and its end.
class CheckPayout::Pass {
 public:
    Pass(const CheckPayoutPorts& ports, RunLease& lease, domain::PayoutCheck& check,
         std::stop_token stop)
        : ports_(ports), lease_(lease), check_(check), stop_(std::move(stop)) {}

    Status Check() {
        // First, so that what is read of payout later has all that was told.
        ToldReleases told;
        KESSAI_RETURN_IF_ERROR(InTransaction([&](Books& books) -> Status {
            KESSAI_ASSIGN_OR_RETURN(told, books.payout.FindToldReleases(day()));
            return OkStatus();
        }));
        KESSAI_ASSIGN_OR_RETURN(PayoutDay payout, ports_.payout.Day(day()));
        // A release whose event is still on its way asks for another check when it comes.
        const bool listened = told.first_day && *told.first_day <= day();
        if (!listened) told.totals = payout.round_sums;
        payout.released = payout.released && (!listened || told.rounds >= payout.rounds_told);
        check_.released = payout.released;
        KESSAI_RETURN_IF_ERROR(CheckMerchants(payout));
        if (payout.released) {
            KESSAI_RETURN_IF_ERROR(Take(domain::CheckReleaseTotals(
                day(), told.totals, payout.round_sums, payout.released_sums)));
        }
        KESSAI_RETURN_IF_ERROR(CheckTransfers(day().Previous()));
        if (check_.deep && check_.transfers_compared) {
            KESSAI_RETURN_IF_ERROR(CheckMoved(day().Previous()));
        }
        KESSAI_RETURN_IF_ERROR(Record(/*all=*/true));
        KESSAI_RETURN_IF_ERROR(SettleGone());
        check_.discrepancies_found = static_cast<std::uint32_t>(found_.size());
        check_.state = found_.empty() ? DayRunState::kEqual : DayRunState::kDifferent;
        return OkStatus();
    }

 private:
    Status GoOn() {
        if (stop_.stop_requested()) {
            return Status(Code::kCancelled, "RUN_STOPPED", "this replica is being stopped");
        }
        return lease_.Renew();
    }

    /// Merchants in the buckets in which totals, releases and what was matched are not all equal.
    Status CheckMerchants(const PayoutDay& payout) {
        digest::Accumulator sums(ports_.hasher);
        MatchedMerchants matched(ports_.transactions, day());
        for (int merchant = 0;; ++merchant) {
            if (merchant % kMerchantsPerPage == 0) KESSAI_RETURN_IF_ERROR(GoOn());
            KESSAI_ASSIGN_OR_RETURN(const auto lines, matched.Next());
            if (lines.empty()) break;
            for (const MatchedLine& line : lines) {
                digest::AddLine(day(),
                                {.merchant_id = line.merchant.value(),
                                 .tax_class = static_cast<std::uint8_t>(line.tax_class),
                                 .gross = line.sums.gross,
                                 .fee = line.sums.fee,
                                 .item_count = line.sums.item_count},
                                sums);
            }
        }
        const digest::DayDigest ours = sums.Day(day());
        std::vector<int> buckets = digest::UnequalBuckets(ours, payout.accrued);
        if (payout.released) {
            const auto released = digest::UnequalBuckets(payout.accrued, payout.released_lines);
            std::vector<int> either;
            std::ranges::set_union(buckets, released, std::back_inserter(either));
            buckets = std::move(either);
        }
        check_.buckets_different = static_cast<std::uint32_t>(buckets.size());
        // Net and tax are in no digest: of a release they are looked at in every row once, deep.
        if (check_.deep && payout.released) buckets = AllBuckets();
        return buckets.empty() ? OkStatus() : ListMerchants(buckets, payout.released);
    }

    static std::vector<int> AllBuckets() {
        std::vector<int> all(digest::kBuckets);
        for (int bucket = 0; bucket < digest::kBuckets; ++bucket) {
            all[static_cast<std::size_t>(bucket)] = bucket;
        }
        return all;
    }

    /// Joins payout's pages with what was matched, in order of merchants.
    Status ListMerchants(const std::vector<int>& buckets, bool released) {
        const std::set<int> listed(buckets.begin(), buckets.end());
        MatchedMerchants matched(ports_.transactions, day());
        std::vector<MatchedLine> ours;
        const auto next_of_ours = [&]() -> Status {
            do {
                KESSAI_ASSIGN_OR_RETURN(ours, matched.Next());
            } while (!ours.empty() &&
                     !listed.contains(digest::BucketOf(ours.front().merchant.value())));
            return OkStatus();
        };
        KESSAI_RETURN_IF_ERROR(next_of_ours());
        const auto only_ours = [&]() -> Status {
            domain::MerchantDay alone{.merchant = ours.front().merchant};
            JoinMatched(ours, alone);
            KESSAI_RETURN_IF_ERROR(Take(domain::CheckMerchantDay(day(), alone, released)));
            return next_of_ours();
        };
        MerchantId after;
        do {
            KESSAI_RETURN_IF_ERROR(GoOn());
            KESSAI_ASSIGN_OR_RETURN(auto page, ports_.payout.ListMerchants(day(), buckets, after));
            check_.merchants_listed += page.merchants.size();
            for (domain::MerchantDay& merchant : page.merchants) {
                while (!ours.empty() && ours.front().merchant < merchant.merchant) {
                    KESSAI_RETURN_IF_ERROR(only_ours());
                }
                if (!ours.empty() && ours.front().merchant == merchant.merchant) {
                    JoinMatched(ours, merchant);
                    KESSAI_RETURN_IF_ERROR(next_of_ours());
                }
                KESSAI_RETURN_IF_ERROR(Take(domain::CheckMerchantDay(day(), merchant, released)));
            }
            after = page.next;
        } while (!after.is_none());
        while (!ours.empty()) KESSAI_RETURN_IF_ERROR(only_ours());
        return OkStatus();
    }

    /// What payout's journal and its events say of transfers on `date`: sums first.
    Status CheckTransfers(BusinessDate date) {
        KESSAI_RETURN_IF_ERROR(GoOn());
        KESSAI_ASSIGN_OR_RETURN(const TransferSums journal, ports_.payout.SumTransfers(date));
        check_.transfers_compared = journal.final;
        if (!journal.final) return OkStatus();
        std::map<domain::TransferStep, PayoutBooks::ToldSteps> told;
        TransferId first;
        KESSAI_RETURN_IF_ERROR(InTransaction([&](Books& books) -> Status {
            KESSAI_ASSIGN_OR_RETURN(told, books.payout.SumTransferSteps(date));
            KESSAI_ASSIGN_OR_RETURN(first, books.payout.FirstTransfer());
            return OkStatus();
        }));
        told.erase(domain::TransferStep::kSent);
        if (told == journal.steps) return OkStatus();
        return ListTransfers(date, first);
    }

    Status ListTransfers(BusinessDate date, TransferId first) {
        std::vector<domain::TransferEntry> journal;
        std::int64_t after = 0;
        do {
            KESSAI_RETURN_IF_ERROR(GoOn());
            KESSAI_ASSIGN_OR_RETURN(auto page, ports_.payout.ListTransferSteps(date, after));
            std::ranges::move(page.entries, std::back_inserter(journal));
            after = page.next;
        } while (after != 0);
        std::vector<domain::TransferEntry> told;
        TransferId last;
        while (true) {
            std::vector<domain::TransferEntry> page;
            KESSAI_RETURN_IF_ERROR(InTransaction([&](Books& books) -> Status {
                KESSAI_ASSIGN_OR_RETURN(page,
                                        books.payout.ListTransferSteps(date, last, kStepsPerPage));
                return OkStatus();
            }));
            if (page.empty()) break;
            last = page.back().transfer;
            std::ranges::move(page, std::back_inserter(told));
        }
        // What became of transfers before this service listened was not noted.
        const auto before_us = [&](const domain::TransferEntry& entry) {
            return first.is_none() || entry.transfer < first;
        };
        std::erase_if(journal, before_us);
        std::erase_if(told, before_us);
        return Take(domain::CompareEntries(date, journal, told));
    }

    Status CheckMoved(BusinessDate date) {
        MerchantId after;
        do {
            KESSAI_RETURN_IF_ERROR(GoOn());
            KESSAI_ASSIGN_OR_RETURN(const auto page, ports_.payout.ListMovedFunds(date, after));
            for (const MovedFundsPage::Merchant& merchant : page.merchants) {
                KESSAI_RETURN_IF_ERROR(Take(domain::CheckFunds(date, merchant.funds)));
                for (const MovedFundsPage::Made& made : merchant.made) {
                    if (!made.parts) continue;
                    KESSAI_RETURN_IF_ERROR(Take(domain::CheckParts(
                        date, merchant.funds.merchant, made.transfer, made.amount, *made.parts)));
                }
            }
            after = page.next;
        } while (!after.is_none());
        return OkStatus();
    }

    Status Take(std::vector<Finding> findings) {
        for (Finding& finding : findings) {
            found_.insert(finding.subject);
            unrecorded_.push_back(std::move(finding));
        }
        return Record(/*all=*/false);
    }

    Status Record(bool all) {
        while (unrecorded_.size() >= kPerTransaction || (all && !unrecorded_.empty())) {
            const std::size_t count = std::min(kPerTransaction, unrecorded_.size());
            const std::vector<Finding> part(unrecorded_.begin(),
                                            unrecorded_.begin() + static_cast<long>(count));
            KESSAI_RETURN_IF_ERROR(InTransaction([&](Books& books) -> Status {
                DiscrepancyChanges changes(ports_.clock.Now());
                KESSAI_RETURN_IF_ERROR(changes.AddFindings(books, part, nullptr));
                return changes.Store(books);
            }));
            unrecorded_.erase(unrecorded_.begin(), unrecorded_.begin() + static_cast<long>(count));
            KESSAI_FAULT_POINT("reconciliation.after_payout_findings");
        }
        return OkStatus();
    }

    /// What earlier checks found and this one looked for and did not.
    Status SettleGone() {
        std::vector<DiscrepancyKind> kinds{DiscrepancyKind::kAccruedDiffers};
        if (check_.released) kinds.push_back(DiscrepancyKind::kReleaseToldDiffers);
        // Net and tax need the deep check's look at every row.
        if (check_.released && check_.deep) kinds.push_back(DiscrepancyKind::kReleasedDiffers);
        KESSAI_RETURN_IF_ERROR(SettleGoneOf(day(), kinds));
        if (!check_.transfers_compared || !check_.deep) return OkStatus();
        return SettleGoneOf(day().Previous(), std::array{DiscrepancyKind::kBalanceDiffers,
                                                         DiscrepancyKind::kTransferDiffers});
    }

    Status SettleGoneOf(BusinessDate date, std::span<const DiscrepancyKind> kinds) {
        const std::string why =
            "check " + std::to_string(check_.number) + " against payout did not find it any more";
        domain::DiscrepancyId after;
        bool more = true;
        while (more) {
            domain::DiscrepancyId last = after;
            KESSAI_RETURN_IF_ERROR(InTransaction([&](Books& books) -> Status {
                KESSAI_ASSIGN_OR_RETURN(const auto candidates,
                                        books.payout.LockUnsettledOfDay(
                                            date, kinds, after, static_cast<int>(kPerTransaction)));
                DiscrepancyChanges changes(ports_.clock.Now());
                for (const auto& discrepancy : candidates) {
                    last = discrepancy.id;
                    const domain::Subject& subject = discrepancy.finding.subject;
                    // Of transfers only what was found in payout's rows, not what events said.
                    const bool ours = !domain::IsAboutTransfer(subject.kind) || subject.book;
                    if (ours && !found_.contains(subject)) changes.AddGone(discrepancy, why);
                }
                more = candidates.size() == kPerTransaction;
                return changes.Store(books);
            }));
            after = last;
        }
        return OkStatus();
    }

    /// Only whoever holds the right to the day writes.
    Status InTransaction(const std::function<Status(Books&)>& work) {
        return ports_.transactions.Run([&](Books& books) -> Status {
            KESSAI_RETURN_IF_ERROR(books.days.Confirm(lease_.grant()));
            return work(books);
        });
    }

    BusinessDate day() const { return check_.business_date; }

    const CheckPayoutPorts& ports_;
    RunLease& lease_;
    domain::PayoutCheck& check_;
    std::stop_token stop_;
    std::set<domain::Subject> found_;
    std::vector<Finding> unrecorded_;
};

Result<domain::PayoutCheck> CheckPayout::Run(BusinessDate business_date, bool deep,
                                             std::stop_token stop) {
    KESSAI_ASSIGN_OR_RETURN(const auto lease, ports_.leases.TryAcquire(business_date));
    if (lease == nullptr) {
        return Status(Code::kAborted, "RUN_RUNNING",
                      business_date.ToString() + " is being compared");
    }
    DueCheck answered;
    KESSAI_ASSIGN_OR_RETURN(domain::PayoutCheck check,
                            Begin(business_date, deep, *lease, answered));
    const Status outcome = Pass(ports_, *lease, check, std::move(stop)).Check();
    KESSAI_FAULT_POINT("reconciliation.before_payout_check_finished");
    if (!outcome.ok()) {
        check.state = DayRunState::kFailed;
        check.failure = outcome.ToString().substr(0, domain::kNoteBytesMax);
    }
    check.finished_at = std::max(ports_.clock.Now(), check.started_at);
    std::optional<DueCheck> done;
    if (outcome.ok() && check.transfers_compared) done = answered;
    // If this fails too, the next check of the day finds the row and marks it as failed.
    const Status finished = ports_.transactions.Run([&](Books& books) -> Status {
        KESSAI_RETURN_IF_ERROR(books.days.Confirm(lease->grant()));
        return books.payout.FinishCheck(check, done);
    });
    KESSAI_RETURN_IF_ERROR(outcome);
    KESSAI_RETURN_IF_ERROR(finished);
    return check;
}

Result<domain::PayoutCheck> CheckPayout::Begin(BusinessDate business_date, bool deep,
                                               const RunLease& lease, DueCheck& answered) {
    domain::PayoutCheck check;
    KESSAI_RETURN_IF_ERROR(ports_.transactions.Run([&](Books& books) -> Status {
        KESSAI_RETURN_IF_ERROR(books.days.Confirm(lease.grant()));
        KESSAI_ASSIGN_OR_RETURN(const bool closed, IsDayClosed(books, business_date));
        if (!closed) {
            return Status(Code::kFailedPrecondition, "DAY_OPEN",
                          "not all marks of " + business_date.ToString() + " have come");
        }
        KESSAI_ASSIGN_OR_RETURN(answered, books.payout.FindDueCheck(business_date));
        KESSAI_ASSIGN_OR_RETURN(auto latest, books.payout.LatestCheck(business_date));
        if (latest && latest->state == DayRunState::kRunning) {
            // Whoever ran it is gone: it would hold the lease.
            latest->state = DayRunState::kFailed;
            latest->failure = "its replica died";
            latest->finished_at = std::max(ports_.clock.Now(), latest->started_at);
            KESSAI_RETURN_IF_ERROR(books.payout.FinishCheck(*latest, std::nullopt));
        }
        check = {.business_date = business_date,
                 .number = latest ? latest->number + 1 : 1,
                 .deep = deep,
                 .started_at = ports_.clock.Now()};
        return books.payout.InsertCheck(check);
    }));
    return check;
}

Status RunDueChecks::Run(const std::stop_token& stop) {
    std::vector<DueCheck> due;
    KESSAI_RETURN_IF_ERROR(transactions_.Run([&](Books& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(due, books.payout.ListDueChecks(kDaysPerRound));
        return OkStatus();
    }));
    std::erase_if(retries_, [&](const auto& retry) {
        return std::ranges::find(due, retry.first, &DueCheck::business_date) == due.end();
    });
    for (const DueCheck& check : due) {
        if (stop.stop_requested()) break;
        const auto retry = retries_.find(check.business_date);
        if (retry != retries_.end() && clock_.SteadyNow() < retry->second.at) continue;
        Check(check.business_date, stop);
    }
    return OkStatus();
}

void RunDueChecks::Check(BusinessDate business_date, const std::stop_token& stop) {
    const auto outcome = check_.Run(business_date, /*deep=*/false, stop);
    // A day that is released before its marks are here is checked once it is compared.
    const bool early = outcome.status().reason() == "DAY_OPEN";
    const bool elsewhere = outcome.status().reason() == "RUN_RUNNING";
    if (!early && !elsewhere) on_check_(business_date, outcome);
    if (outcome.ok() && outcome->transfers_compared) {
        retries_.erase(business_date);
        return;
    }
    Retry& retry = retries_[business_date];
    retry.wait = std::clamp(retry.wait * 2, options_.retry_first, options_.retry_max);
    if (early || elsewhere) retry.wait = options_.retry_first;
    retry.at = clock_.SteadyNow() + retry.wait;
}

}  // namespace kessai::reconciliation::app
