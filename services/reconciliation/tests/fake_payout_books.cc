#include "tests/fake_payout_books.h"

#include <algorithm>

#include "kessai/digest/lines.h"

namespace kessai::reconciliation::testing {

namespace {

Status ThereAlready() {
    return Status(Code::kAlreadyExists, "DUPLICATE_KEY", "it is there");
}

digest::MerchantLine ToLine(domain::MerchantId merchant, domain::TaxClass tax_class,
                            const domain::LineSums& sums) {
    return {.merchant_id = merchant.value(),
            .tax_class = static_cast<std::uint8_t>(tax_class),
            .gross = sums.gross,
            .fee = sums.fee,
            .item_count = sums.item_count};
}

}  // namespace

Result<std::vector<domain::Match>> FakePayoutBooks::ChangesOf(
    std::span<const domain::PaymentId> payments) {
    ++histories;
    std::vector<domain::Match> found;
    for (const auto& [key, match] : matches_) {
        if (std::ranges::binary_search(payments, key.payment)) found.push_back(match);
    }
    return found;
}

Status FakePayoutBooks::AddWaiting(const app::WaitingSums& sums, int) {
    for (const auto& [period, sum] : sums.periods()) {
        waiting[period].changes += sum.changes;
        waiting[period].value += sum.value;
    }
    return OkStatus();
}

Result<app::WaitingTotal> FakePayoutBooks::Waiting() {
    app::WaitingTotal total;
    for (const auto& [period, sum] : waiting) {
        if (sum.changes > 0 && total.changes == 0) total.oldest = period;
        total.changes += sum.changes;
        total.value += sum.value;
    }
    return total;
}

Status FakePayoutBooks::TrimWaiting(Instant before) {
    std::erase_if(waiting, [&](const auto& one) {
        return one.first < before && one.second.changes == 0 && one.second.value == 0;
    });
    return OkStatus();
}

Result<std::vector<domain::NotedHold>> FakePayoutBooks::FindNotedEvents(
    std::span<const std::int64_t> objects) {
    std::vector<domain::NotedHold> found;
    for (const auto& [key, notice] : releases) {
        if (std::ranges::count(objects, key.object) > 0) found.push_back({key, notice.content});
    }
    for (const auto& [key, notice] : steps) {
        const std::int64_t object = domain::ObjectOf(key.first);
        if (std::ranges::count(objects, object) > 0) {
            found.push_back({{object, key.second}, notice.content});
        }
    }
    return found;
}

Status FakePayoutBooks::InsertReleases(std::span<const app::ReleaseNotice> notices) {
    for (const auto& notice : notices) {
        if (!releases.emplace(notice.key, notice).second) return ThereAlready();
    }
    return OkStatus();
}

Result<app::ToldReleases> FakePayoutBooks::FindToldReleases(BusinessDate date) {
    app::ToldReleases told;
    for (const auto& [key, notice] : releases) {
        if (!told.first_day) told.first_day = notice.released_date;
        if (notice.released_date != date) continue;
        told.rounds[key.version] = notice.totals;
    }
    return told;
}

Result<std::vector<domain::NotedTransfer>> FakePayoutBooks::LockTransfers(
    std::span<const domain::TransferId> ids) {
    std::vector<domain::NotedTransfer> found;
    for (const auto id : ids) {
        if (const auto known = transfers.find(id); known != transfers.end()) {
            found.push_back(known->second);
        }
    }
    return found;
}

Result<domain::TransferId> FakePayoutBooks::FirstTransfer() {
    for (const auto& [id, transfer] : transfers) {
        if (transfer.first.step == domain::TransferStep::kCreated) return id;
    }
    return domain::TransferId();
}

Status FakePayoutBooks::InsertTransferSteps(std::span<const domain::TransferNotice> notices) {
    for (const auto& notice : notices) {
        if (!steps.emplace(std::pair(notice.transfer, notice.version), notice).second) {
            return ThereAlready();
        }
    }
    return OkStatus();
}

Status FakePayoutBooks::PutTransfers(std::span<const domain::NotedTransfer> stored) {
    for (const auto& transfer : stored) transfers[transfer.id()] = transfer;
    return OkStatus();
}

Result<std::vector<domain::NotedTransfer>> FakePayoutBooks::LockOverdue(BusinessDate since,
                                                                        int limit) {
    std::vector<domain::NotedTransfer> found;
    for (const auto& [id, transfer] : transfers) {
        if (transfer.awaited_since && *transfer.awaited_since < since && !overdue.contains(id) &&
            found.size() < static_cast<std::size_t>(limit)) {
            found.push_back(transfer);
        }
    }
    return found;
}

Status FakePayoutBooks::MarkOverdue(std::span<const domain::TransferId> ids) {
    overdue.insert(ids.begin(), ids.end());
    return OkStatus();
}

Result<std::map<domain::TransferStep, app::PayoutBooks::ToldSteps>>
FakePayoutBooks::SumTransferSteps(BusinessDate date) {
    std::map<domain::TransferStep, ToldSteps> sums;
    for (const auto& [key, notice] : steps) {
        if (notice.business_date != date) continue;
        ToldSteps& sum = sums[notice.step];
        ++sum.count;
        sum.amount += notice.amount;
        sum.fee += notice.fee;
        sum.tax += notice.tax;
    }
    return sums;
}

Result<std::vector<domain::TransferEntry>> FakePayoutBooks::ListTransferSteps(
    BusinessDate date, domain::TransferId after, int) {
    std::vector<domain::TransferEntry> entries;
    for (const auto& [key, notice] : steps) {
        if (notice.business_date != date || key.first <= after ||
            notice.step == domain::TransferStep::kSent) {
            continue;
        }
        entries.push_back(
            {notice.step, notice.transfer, notice.merchant, notice.amount, notice.fee, notice.tax});
    }
    return entries;
}

Result<std::vector<app::MatchedLine>> FakePayoutBooks::ListMatched(BusinessDate date,
                                                                   domain::MerchantId after,
                                                                   int limit) {
    std::vector<app::MatchedLine> lines;
    int merchants = 0;
    for (auto next = matched.upper_bound({date, after});
         next != matched.end() && next->first.first == date && merchants < limit; ++next) {
        ++merchants;
        lines.insert(lines.end(), next->second.begin(), next->second.end());
    }
    return lines;
}

Status FakePayoutBooks::AskForCheck(BusinessDate date) {
    ++asked_and_answered[date].first;
    return OkStatus();
}

Result<std::vector<app::DueCheck>> FakePayoutBooks::ListDueChecks(int) {
    std::vector<app::DueCheck> due;
    for (const auto& [date, counts] : asked_and_answered) {
        if (counts.first > counts.second) due.push_back({date, counts.first});
    }
    return due;
}

Result<app::DueCheck> FakePayoutBooks::FindDueCheck(BusinessDate date) {
    return app::DueCheck{date, asked_and_answered[date].first};
}

Result<std::optional<domain::PayoutCheck>> FakePayoutBooks::LatestCheck(BusinessDate date) {
    const auto& of_day = checks[date];
    if (of_day.empty()) return std::optional<domain::PayoutCheck>();
    return std::optional(of_day.back());
}

Status FakePayoutBooks::InsertCheck(const domain::PayoutCheck& check) {
    checks[check.business_date].push_back(check);
    return OkStatus();
}

Status FakePayoutBooks::FinishCheck(const domain::PayoutCheck& check,
                                    const std::optional<app::DueCheck>& answered) {
    for (auto& stored : checks[check.business_date]) {
        if (stored.number == check.number) stored = check;
    }
    if (answered) asked_and_answered[check.business_date].second = answered->asked;
    return OkStatus();
}

Result<std::vector<domain::Discrepancy>> FakePayoutBooks::LockUnsettledOfDay(
    BusinessDate date, std::span<const domain::DiscrepancyKind> kinds, domain::DiscrepancyId after,
    int limit) {
    std::map<domain::DiscrepancyId, domain::Discrepancy> by_id;
    for (const auto& [subject, discrepancy] : discrepancies_) {
        if (subject.business_date == date && discrepancy.Unsettled() && discrepancy.id > after &&
            std::ranges::count(kinds, subject.kind) > 0) {
            by_id.emplace(discrepancy.id, discrepancy);
        }
    }
    std::vector<domain::Discrepancy> found;
    for (const auto& [id, discrepancy] : by_id) {
        if (found.size() < static_cast<std::size_t>(limit)) found.push_back(discrepancy);
    }
    return found;
}

domain::ReleaseTotals FakePayoutDayBook::TotalsOf(BusinessDate date) const {
    domain::ReleaseTotals totals;
    const auto day = days.find(date);
    if (day == days.end()) return totals;
    for (const auto& [id, merchant] : day->second) {
        bool any = false;
        for (const auto& line : merchant.lines) {
            if (!line.released) continue;
            any = true;
            totals.gross += line.released->sums.gross;
            totals.fee += line.released->sums.fee;
            totals.tax += line.released->tax;
            totals.net += line.released->net;
        }
        if (any) ++totals.merchant_count;
    }
    return totals;
}

Result<app::PayoutDay> FakePayoutDayBook::Day(BusinessDate date) {
    if (!refuses.ok()) return refuses;
    digest::Accumulator accrued(hasher_);
    digest::Accumulator lines(hasher_);
    app::PayoutDay day;
    for (const auto& [id, merchant] : days[date]) {
        if (merchant.held_back) ++day.held_count;
        for (const auto& line : merchant.lines) {
            if (line.accrued.item_count != 0) {
                digest::AddLine(date, ToLine(id, line.tax_class, line.accrued), accrued);
            }
            if (line.released) {
                digest::AddLine(date, ToLine(id, line.tax_class, line.released->sums), lines);
            }
        }
    }
    day.accrued = accrued.Day(date);
    day.released_lines = lines.Day(date);
    day.released = released.contains(date);
    day.released_sums = TotalsOf(date);
    day.round_sums = round_sums.contains(date) ? round_sums[date] : day.released_sums;
    day.rounds = RoundsOf(date);
    return day;
}

std::vector<domain::ToldRound> FakePayoutDayBook::RoundsOf(BusinessDate date) const {
    if (const auto found = rounds.find(date); found != rounds.end()) return found->second;
    if (!released.contains(date)) return {};
    return {{.day = date, .version = 1, .totals = TotalsOf(date)}};
}

Result<std::vector<domain::ToldRound>> FakePayoutDayBook::ListToldReleases(BusinessDate told_date) {
    std::vector<domain::ToldRound> told;
    for (const BusinessDate date : released) {
        for (const domain::ToldRound& round : RoundsOf(date)) {
            if (round.told_date == told_date) told.push_back(round);
        }
    }
    return told;
}

Result<std::vector<app::MovedFundsPage::Merchant>> FakePayoutDayBook::FindFunds(
    BusinessDate date, const std::vector<domain::MerchantId>& merchants) {
    std::vector<app::MovedFundsPage::Merchant> found;
    for (const auto& merchant : funds[date]) {
        if (std::ranges::count(merchants, merchant.funds.merchant) > 0) found.push_back(merchant);
    }
    for (const auto& [id, merchant] : unmoved) {
        if (std::ranges::count(merchants, id) > 0) found.push_back(merchant);
    }
    return found;
}

Result<app::MerchantDayPage> FakePayoutDayBook::ListMerchants(BusinessDate date,
                                                              const std::vector<int>& buckets,
                                                              domain::MerchantId after) {
    app::MerchantDayPage page;
    const auto& merchants = days[date];
    for (auto next = merchants.upper_bound(after); next != merchants.end(); ++next) {
        if (!std::ranges::binary_search(buckets, digest::BucketOf(next->first.value()))) continue;
        if (page.merchants.size() == page_size) {
            page.next = page.merchants.back().merchant;
            break;
        }
        page.merchants.push_back(next->second);
        ++merchants_listed;
    }
    return page;
}

Result<digest::DayDigest> FakePayoutDayBook::FeeDigests(BusinessDate date) {
    digest::Accumulator sums(hasher_);
    for (const auto& [key, fee] : fees[date]) {
        sums.Add(digest::FeeRow(key.payment.value(), key.version, date,
                                static_cast<std::uint8_t>(fee.tax_class), fee.fee));
    }
    return sums.Day(date);
}

Result<std::vector<app::WrongFee>> FakePayoutDayBook::WrongFees(BusinessDate date) {
    return wrong_fees[date];
}

Result<app::TransferSums> FakePayoutDayBook::SumTransfers(BusinessDate date) {
    app::TransferSums sums{.final = final};
    for (const auto& entry : journal[date]) {
        auto& sum = sums.steps[entry.step];
        ++sum.count;
        sum.amount += entry.amount;
        sum.fee += entry.fee;
        sum.tax += entry.tax;
    }
    return sums;
}

Result<app::TransferStepPage> FakePayoutDayBook::ListTransferSteps(BusinessDate date,
                                                                   std::int64_t after) {
    ++steps_listed;
    app::TransferStepPage page;
    const auto& entries = journal[date];
    const auto from = static_cast<std::size_t>(after);
    for (std::size_t i = from; i < entries.size() && i < from + page_size; ++i) {
        page.entries.push_back(entries[i]);
    }
    if (from + page_size < entries.size()) page.next = after + static_cast<std::int64_t>(page_size);
    return page;
}

Result<app::MovedFundsPage> FakePayoutDayBook::ListMovedFunds(BusinessDate date,
                                                              domain::MerchantId) {
    return app::MovedFundsPage{.merchants = funds[date]};
}

}  // namespace kessai::reconciliation::testing
