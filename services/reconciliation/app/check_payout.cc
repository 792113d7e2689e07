#include "app/check_payout.h"

#include <algorithm>
#include <array>
#include <functional>
#include <iterator>
#include <optional>
#include <set>
#include <span>
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
/// What is found by looking at a merchant's balances, and at the parts of its transfers.
constexpr std::array kOfFunds{DiscrepancyKind::kBalanceDiffers, DiscrepancyKind::kTransferDiffers};

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
        ToldReleases heard;
        KESSAI_RETURN_IF_ERROR(InTransaction([&](Books& books) -> Status {
            KESSAI_ASSIGN_OR_RETURN(heard, books.payout.FindToldReleases(day()));
            return OkStatus();
        }));
        KESSAI_ASSIGN_OR_RETURN(PayoutDay payout, ports_.payout.Day(day()));
        KESSAI_ASSIGN_OR_RETURN(const domain::ReleaseEvents events,
                                LookForReleases(payout.rounds, heard));
        KESSAI_RETURN_IF_ERROR(Take(domain::MissingReleaseEvents(day(), events.missing)));
        // A release whose event is still on its way asks for another check when it comes.
        payout.released = payout.released && !events.on_the_way;
        check_.released = payout.released;
        KESSAI_RETURN_IF_ERROR(CheckMerchants(payout));
        if (payout.released) {
            KESSAI_RETURN_IF_ERROR(Take(domain::CheckReleaseTotals(
                day(), events.told, payout.round_sums, payout.released_sums)));
        }
        KESSAI_RETURN_IF_ERROR(CheckTransfers(day().Previous()));
        if (check_.transfers_compared) {
            if (check_.deep) KESSAI_RETURN_IF_ERROR(CheckMoved(day().Previous()));
            KESSAI_RETURN_IF_ERROR(CheckNamed(day().Previous()));
        }
        KESSAI_RETURN_IF_ERROR(Record(/*all=*/true));
        KESSAI_RETURN_IF_ERROR(SettleGone());
        KESSAI_RETURN_IF_ERROR(AskForDaysToldOf());
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

    /// Which of the rounds were told and heard of. That a round's event can come no more is asked
    /// first, and then once more whether it came.
    Result<domain::ReleaseEvents> LookForReleases(const std::vector<domain::ToldRound>& rounds,
                                                  ToldReleases& heard) {
        std::set<BusinessDate> told_dates;
        for (const domain::ToldRound& round : rounds) {
            if (round.told_date && !heard.rounds.contains(round.version)) {
                told_dates.insert(*round.told_date);
            }
        }
        std::set<BusinessDate> ended;
        if (!told_dates.empty()) {
            KESSAI_RETURN_IF_ERROR(InTransaction([&](Books& books) -> Status {
                ended.clear();
                for (const BusinessDate date : told_dates) {
                    KESSAI_ASSIGN_OR_RETURN(const bool closed, IsDayClosed(books, date));
                    if (closed) ended.insert(date);
                }
                KESSAI_ASSIGN_OR_RETURN(auto now, books.payout.FindToldReleases(day()));
                for (const domain::ToldRound& round : rounds) {
                    const auto found = now.rounds.find(round.version);
                    if (found != now.rounds.end()) heard.rounds.insert(*found);
                }
                return OkStatus();
            }));
        }
        const bool listened = heard.first_day && *heard.first_day <= day();
        return domain::HoldRounds(rounds, heard.rounds, ended, listened);
    }

    /// Payout's mark of this day stands behind every DayReleased of this date. A day of which one
    /// never came is checked: that finds it, and compares the release.
    Status AskForDaysToldOf() {
        KESSAI_ASSIGN_OR_RETURN(const auto rounds, ports_.payout.ListToldReleases(day()));
        if (rounds.empty()) return OkStatus();
        return InTransaction([&](Books& books) -> Status {
            std::map<BusinessDate, std::vector<std::uint32_t>> by_day;
            for (const domain::ToldRound& round : rounds) {
                by_day[round.day].push_back(round.version);
            }
            for (const auto& [date, versions] : by_day) {
                KESSAI_ASSIGN_OR_RETURN(const auto heard, books.payout.FindToldReleases(date));
                const bool all = std::ranges::all_of(versions, [&](std::uint32_t version) {
                    return heard.rounds.contains(version);
                });
                if (all || date == day()) continue;
                KESSAI_ASSIGN_OR_RETURN(const bool closed, IsDayClosed(books, date));
                if (closed) KESSAI_RETURN_IF_ERROR(books.payout.AskForCheck(date));
            }
            return OkStatus();
        });
    }

    /// Whose unsettled discrepancies of these kinds a date has. Of transfers only what was found in
    /// payout's rows.
    Result<std::set<MerchantId>> Unsettled(BusinessDate date,
                                           std::span<const DiscrepancyKind> kinds) {
        std::set<MerchantId> merchants;
        KESSAI_RETURN_IF_ERROR(
            ForUnsettled(date, kinds, [&](Books&, const auto& discrepancies) -> Status {
                for (const domain::Discrepancy& discrepancy : discrepancies) {
                    if (IsOurs(discrepancy)) merchants.insert(discrepancy.finding.merchant);
                }
                return OkStatus();
            }));
        return merchants;
    }

    static bool IsOurs(const domain::Discrepancy& discrepancy) {
        const domain::Subject& subject = discrepancy.finding.subject;
        return !domain::IsAboutTransfer(subject.kind) || subject.book.has_value();
    }

    /// Goes over the unsettled discrepancies of a date, some in each transaction.
    Status ForUnsettled(
        BusinessDate date, std::span<const DiscrepancyKind> kinds,
        const std::function<Status(Books&, const std::vector<domain::Discrepancy>&)>& work) {
        domain::DiscrepancyId after;
        bool more = true;
        while (more) {
            domain::DiscrepancyId last = after;
            KESSAI_RETURN_IF_ERROR(InTransaction([&](Books& books) -> Status {
                KESSAI_ASSIGN_OR_RETURN(const auto some,
                                        books.payout.LockUnsettledOfDay(
                                            date, kinds, after, static_cast<int>(kPerTransaction)));
                if (!some.empty()) last = some.back().id;
                more = some.size() == kPerTransaction;
                return work(books, some);
            }));
            after = last;
        }
        return OkStatus();
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
        listed_.insert(buckets.begin(), buckets.end());
        if (payout.released) {
            // Net and tax are in no digest: of a release they are looked at in every row once,
            // deep, and after that of those in whom something was found.
            KESSAI_ASSIGN_OR_RETURN(
                const auto merchants,
                Unsettled(day(), std::array{DiscrepancyKind::kReleasedDiffers}));
            for (const MerchantId merchant : merchants) {
                listed_.insert(digest::BucketOf(merchant.value()));
            }
            if (check_.deep) {
                for (int bucket = 0; bucket < digest::kBuckets; ++bucket) listed_.insert(bucket);
            }
        }
        return listed_.empty() ? OkStatus() : ListMerchants(payout.released);
    }

    /// Joins payout's pages with what was matched, in order of merchants.
    Status ListMerchants(bool released) {
        const std::vector<int> buckets(listed_.begin(), listed_.end());
        MatchedMerchants matched(ports_.transactions, day());
        std::vector<MatchedLine> ours;
        const auto next_of_ours = [&]() -> Status {
            do {
                KESSAI_ASSIGN_OR_RETURN(ours, matched.Next());
            } while (!ours.empty() &&
                     !listed_.contains(digest::BucketOf(ours.front().merchant.value())));
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
                KESSAI_RETURN_IF_ERROR(CheckFunds(date, merchant));
            }
            after = page.next;
        } while (!after.is_none());
        return OkStatus();
    }

    /// Those in whom an earlier check found something are looked at, whatever moves now.
    Status CheckNamed(BusinessDate date) {
        KESSAI_ASSIGN_OR_RETURN(const auto unsettled, Unsettled(date, kOfFunds));
        std::vector<MerchantId> named;
        std::ranges::set_difference(unsettled, seen_funds_, std::back_inserter(named));
        for (std::size_t at = 0; at < named.size(); at += PayoutDayBook::kFundsMax) {
            KESSAI_RETURN_IF_ERROR(GoOn());
            const auto from = named.begin() + static_cast<long>(at);
            const std::size_t count = std::min(PayoutDayBook::kFundsMax, named.size() - at);
            const std::vector<MerchantId> some(from, from + static_cast<long>(count));
            KESSAI_ASSIGN_OR_RETURN(const auto found, ports_.payout.FindFunds(date, some));
            for (const MovedFundsPage::Merchant& merchant : found) {
                KESSAI_RETURN_IF_ERROR(CheckFunds(date, merchant));
            }
        }
        return OkStatus();
    }

    Status CheckFunds(BusinessDate date, const MovedFundsPage::Merchant& merchant) {
        seen_funds_.insert(merchant.funds.merchant);
        KESSAI_RETURN_IF_ERROR(Take(domain::CheckFunds(date, merchant.funds)));
        for (const MovedFundsPage::Made& made : merchant.made) {
            if (!made.parts) continue;
            KESSAI_RETURN_IF_ERROR(Take(domain::CheckParts(
                date, merchant.funds.merchant, made.transfer, made.amount, *made.parts)));
        }
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
        const auto all = [](const domain::Discrepancy&) { return true; };
        KESSAI_RETURN_IF_ERROR(SettleGoneOf(
            day(),
            std::array{DiscrepancyKind::kAccruedDiffers, DiscrepancyKind::kReleaseEventMissing},
            all));
        if (check_.released) {
            KESSAI_RETURN_IF_ERROR(
                SettleGoneOf(day(), std::array{DiscrepancyKind::kReleaseToldDiffers}, all));
            KESSAI_RETURN_IF_ERROR(SettleGoneOf(
                day(), std::array{DiscrepancyKind::kReleasedDiffers},
                [this](const domain::Discrepancy& one) {
                    return listed_.contains(digest::BucketOf(one.finding.merchant.value()));
                }));
        }
        if (!check_.transfers_compared) return OkStatus();
        return SettleGoneOf(day().Previous(), kOfFunds, [this](const domain::Discrepancy& one) {
            return seen_funds_.contains(one.finding.merchant);
        });
    }

    Status SettleGoneOf(BusinessDate date, std::span<const DiscrepancyKind> kinds,
                        const std::function<bool(const domain::Discrepancy&)>& looked_for) {
        const std::string why =
            "check " + std::to_string(check_.number) + " against payout did not find it any more";
        return ForUnsettled(date, kinds, [&](Books& books, const auto& candidates) -> Status {
            DiscrepancyChanges changes(ports_.clock.Now());
            for (const domain::Discrepancy& discrepancy : candidates) {
                if (IsOurs(discrepancy) && looked_for(discrepancy) &&
                    !found_.contains(discrepancy.finding.subject)) {
                    changes.AddGone(discrepancy, why);
                }
            }
            return changes.Store(books);
        });
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
    /// Buckets whose merchants were looked at one by one, and merchants whose balances were.
    std::set<int> listed_;
    std::set<MerchantId> seen_funds_;
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
