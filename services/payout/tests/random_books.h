#pragma once

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <vector>

#include "domain/accrual.h"
#include "domain/ledger.h"
#include "domain/statement.h"
#include "domain/transfer.h"
#include "tests/reference.h"
#include "tests/seeded.h"

namespace kessai::payout {

/// A merchant's history, with the rows that the service would keep of it: trade under random flat
/// fees, days released (each a day or some days later, in any order), transfers, results,
/// adjustments.
class RandomBooks {
 public:
    RandomBooks(Seeded& random, domain::MerchantId merchant, BusinessDate first, int days)
        : random_(random), merchant_(merchant), first_(first), days_(days) {
        funds_.merchant = merchant;
        Trade();
        for (int i = 0; i < days_ + 3; ++i) Live(first_.PlusDays(i));
    }

    domain::MerchantId merchant() const { return merchant_; }
    const std::vector<domain::Accrual>& accruals() const { return accruals_; }
    const std::vector<domain::DayRelease>& releases() const { return releases_; }
    const std::vector<domain::StatementMove>& moves() const { return moves_; }

    /// What a store would load of the cycle.
    domain::StatementRows RowsOf(BusinessDate cycle_start) const {
        domain::StatementRows rows;
        rows.merchant = merchant_;
        rows.cycle_start = cycle_start;
        rows.opening.merchant = merchant_;
        const BusinessDate end = domain::CycleEnd(cycle_start);
        const auto within = [&](BusinessDate day) { return day >= cycle_start && day <= end; };
        for (const domain::DayRelease& release : releases_) {
            if (release.business_date < cycle_start) rows.opening.released += release.line.net;
            if (within(release.business_date)) rows.releases.push_back(release);
        }
        for (const domain::DayPart& part : domain::SumParts(accruals_)) {
            if (within(part.business_date)) rows.parts.push_back(part);
        }
        for (const domain::StatementMove& move : moves_) {
            if (move.business_date < cycle_start) {
                EXPECT_TRUE(domain::Post(move.row, rows.opening).ok());
            }
            if (within(move.business_date)) rows.moves.push_back(move);
        }
        return rows;
    }

    /// The ledger's accounts over all that is of days up to `end`.
    std::array<std::int64_t, domain::kAccounts> AccountsThrough(BusinessDate end) const {
        std::array<std::int64_t, domain::kAccounts> accounts{};
        const auto post = [&](const auto& row) {
            for (const domain::Posting& posting : domain::PostingsOf(row)) {
                accounts[static_cast<std::size_t>(posting.account)] += posting.amount;
            }
        };
        for (const domain::DayRelease& release : releases_) {
            if (release.business_date <= end) post(release.line);
        }
        for (const domain::StatementMove& move : moves_) {
            if (move.business_date <= end) post(move.row);
        }
        return accounts;
    }

 private:
    void Trade() {
        domain::FeePlan plan;
        plan.terms.rate_basis_points = static_cast<std::uint32_t>(random_.Between(0, 1'000));
        for (domain::PaymentChange& change :
             RandomTrade(random_, random_.Between(0, 60), 1, 1, first_, days_)) {
            change.merchant = merchant_;
            domain::Accrual accrual;
            accrual.key = change.key;
            accrual.merchant = merchant_;
            accrual.business_date = change.business_date;
            accrual.payment_date = change.payment_date;
            accrual.kind = change.kind;
            accrual.tax_class = domain::TaxTable::Japan().ClassOn(change.payment_date);
            accrual.gross = domain::GrossSign(change.kind) * change.amount;
            accrual.fee = domain::SignedFee(plan, {}, change);
            accruals_.push_back(accrual);
            if (random_.OneIn(10)) AddBenefit(accrual);
        }
    }

    void AddBenefit(domain::Accrual accrual) {
        accrual.kind = random_.OneIn(2) ? domain::ChangeKind::kMerchantCoupon
                                        : domain::ChangeKind::kOperatorCashback;
        accrual.key.version += 100;
        accrual.gross = domain::GrossSign(accrual.kind) * random_.Between(1, 500);
        accrual.fee = 0;
        accruals_.push_back(accrual);
    }

    void Live(BusinessDate today) {
        if (today < first_.PlusDays(days_)) due_.push_back(today);
        while (!due_.empty() && !random_.OneIn(3)) {
            const auto at = due_.begin() + random_.Between(0, static_cast<int>(due_.size()) - 1);
            Release(*at);
            due_.erase(at);
        }
        // In the end all days are released.
        if (today == first_.PlusDays(days_ + 2)) {
            for (const BusinessDate day : due_) Release(day);
        }
        for (std::int64_t i = random_.Between(0, 3); i > 0; --i) Move(today);
        std::sort(releases_.begin(), releases_.end(), [](const auto& a, const auto& b) {
            return std::pair(a.business_date, a.line.tax_class) <
                   std::pair(b.business_date, b.line.tax_class);
        });
    }

    void Release(BusinessDate day) {
        std::map<domain::TaxClass, domain::Sums> sums;
        for (const domain::Accrual& accrual : accruals_) {
            if (accrual.business_date != day) continue;
            sums[accrual.tax_class] =
                sums[accrual.tax_class] + domain::Sums{accrual.gross, accrual.fee, 1};
        }
        for (const auto& [tax_class, sum] : sums) {
            std::int64_t& fees = fees_[{domain::CycleStart(day), tax_class}];
            const auto line = domain::MakeReleaseLine({merchant_, tax_class, sum}, fees,
                                                      domain::TaxTable::Japan());
            ASSERT_TRUE(line.ok()) << line.status().ToString();
            fees += sum.fee;
            funds_.released += line->net;
            releases_.push_back({day, *line});
        }
    }

    void Move(BusinessDate today) {
        domain::StatementMove move;
        move.business_date = move.transfer_date = today;
        move.row.merchant = merchant_;
        const std::int64_t kind = random_.Between(1, 5);
        if (kind == 1) {
            domain::PayoutTerms terms;
            terms.transfer_fee = random_.Between(0, 500);
            const auto amounts = domain::AmountsToPay(
                *domain::AvailableOf(funds_), terms, false,
                domain::TaxTable::Japan().RateOf(domain::TaxTable::Japan().ClassOn(today)));
            if (!amounts) return;
            move.row.kind = domain::JournalKind::kTransferCreated;
            move.row.object = ++last_;
            move.row.amount = amounts->amount;
            move.row.fee = amounts->fee;
            move.row.tax = amounts->tax;
            sent_.push_back(move.row);
            charged_[move.row.object] = today;
        } else if (kind == 2 && !sent_.empty()) {
            move.row.object = sent_.back().object;
            move.row.amount = sent_.back().amount;
            sent_.pop_back();
            const bool settled = random_.OneIn(2);
            move.row.kind = settled ? domain::JournalKind::kTransferSettled
                                    : domain::JournalKind::kTransferFailed;
            if (settled) settled_.push_back(move.row);
        } else if (kind == 3 && !settled_.empty()) {
            move.row = settled_.back();
            settled_.pop_back();
            move.row.kind = domain::JournalKind::kTransferReturned;
        } else if (kind == 5 && !sent_.empty()) {
            // It may be in no file yet.
            move.row = sent_.back();
            sent_.pop_back();
            move.row.kind = domain::JournalKind::kTransferCancelled;
            move.charged_on = charged_.at(move.row.object);
        } else if (kind == 4) {
            move.row.kind = domain::JournalKind::kAdjustment;
            move.row.object = ++last_;
            move.row.amount = random_.Between(1, 10'000) * (random_.OneIn(2) ? 1 : -1);
        } else {
            return;
        }
        move.journal = domain::JournalId(++last_);
        move.payout = domain::PayoutId(move.row.object);
        move.attempt = 1;
        ASSERT_TRUE(domain::Post(move.row, funds_).ok());
        moves_.push_back(move);
    }

    Seeded& random_;
    const domain::MerchantId merchant_;
    const BusinessDate first_;
    const int days_;
    std::vector<domain::Accrual> accruals_;
    std::vector<domain::DayRelease> releases_;
    std::vector<domain::StatementMove> moves_;
    std::map<std::pair<BusinessDate, domain::TaxClass>, std::int64_t> fees_;
    std::vector<BusinessDate> due_;
    std::vector<domain::MerchantJournal> sent_;
    std::vector<domain::MerchantJournal> settled_;
    std::map<std::int64_t, BusinessDate> charged_;
    domain::MerchantFunds funds_;
    std::int64_t last_ = 0;
};

}  // namespace kessai::payout
