#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "app/repair_peers.h"
#include "tests/fake_books.h"

namespace kessai::reconciliation::testing {

/// Payment and payout as repairs ask them, over the books that a test compares.
class FakeRepairPeers final : public app::RepairPeers {
 public:
    FakeRepairPeers(FakePeerBook& payment, FakePeerBook& payout)
        : payment_(payment), payout_(payout) {}

    std::vector<domain::ChangeKey> published_by_payment;
    std::vector<domain::ChangeKey> published_by_payout;
    std::vector<BusinessDate> published_releases;
    /// Accruals that are lost: what payout would put back.
    std::map<domain::ChangeKey, app::AccrualTerms> lost;
    std::map<domain::ChangeKey, app::AccrualTerms> accruals;
    std::map<std::string, app::Correction> corrections;
    /// Keys that are never posted any more.
    std::set<std::string> withdrawn;
    /// Merchants to whom nothing was released.
    std::set<domain::MerchantId> unknown;
    /// Changes of payment's book that nothing else shows.
    std::map<domain::ChangeKey, std::string> doubts;
    int asked = 0;
    /// The answer to the next question, behind its effect: a reply that is lost.
    Status lost_reply;
    /// The answer to every question, before any effect.
    Status refuses;

    Result<std::string> DoubtOfPayment(domain::ChangeKey change) override {
        KESSAI_RETURN_IF_ERROR(Asked());
        const auto found = doubts.find(change);
        return found == doubts.end() ? std::string() : found->second;
    }
    Status PublishPaymentEvent(domain::ChangeKey change) override {
        KESSAI_RETURN_IF_ERROR(Asked());
        published_by_payment.push_back(change);
        return std::exchange(lost_reply, OkStatus());
    }
    Status PublishPayoutEvent(domain::ChangeKey change) override {
        KESSAI_RETURN_IF_ERROR(Asked());
        published_by_payout.push_back(change);
        return std::exchange(lost_reply, OkStatus());
    }
    Status PublishRelease(BusinessDate day) override {
        KESSAI_RETURN_IF_ERROR(Asked());
        published_releases.push_back(day);
        return std::exchange(lost_reply, OkStatus());
    }
    Result<app::AccrualTerms> AccrueAgain(domain::ChangeKey change, bool dry_run) override {
        KESSAI_RETURN_IF_ERROR(Asked());
        const auto found = lost.find(change);
        if (found == lost.end()) {
            return Status(Code::kFailedPrecondition, "DAY_CLOSED", "sealed without it");
        }
        found->second.restored = true;
        if (!dry_run) {
            payout_.Put(found->second.business_date,
                        {change, found->second.merchant, found->second.gross});
            KESSAI_RETURN_IF_ERROR(std::exchange(lost_reply, OkStatus()));
        }
        return found->second;
    }
    Result<std::optional<app::AccrualTerms>> FindAccrual(domain::ChangeKey change) override {
        KESSAI_RETURN_IF_ERROR(Asked());
        const auto found = accruals.find(change);
        if (found == accruals.end()) return std::optional<app::AccrualTerms>();
        return std::optional(found->second);
    }
    Result<digest::RecomputedBucket> RecomputeDigest(domain::Book book, BusinessDate day,
                                                     std::uint32_t bucket,
                                                     const std::string& key) override {
        KESSAI_RETURN_IF_ERROR(Asked());
        FakePeerBook& of = book == domain::Book::kPayment ? payment_ : payout_;
        KESSAI_ASSIGN_OR_RETURN(const auto rows,
                                of.DayDigest(day, /*deep=*/true, digest::BucketRange{}));
        digest::DayDigest& kept = of.kept[day];
        const digest::RecomputedBucket digests{kept[bucket], rows[bucket]};
        if (!key.empty()) kept[bucket] = rows[bucket];
        return digests;
    }
    /// Both parts, or none.
    Status PostCorrection(const app::Correction& correction) override {
        KESSAI_RETURN_IF_ERROR(Asked());
        if (withdrawn.contains(correction.key)) {
            return Status(Code::kFailedPrecondition, "ADJUSTMENT_DECIDED", "it was declined");
        }
        for (const auto& leg : {correction.leg, correction.other_leg}) {
            if (!leg.none() && unknown.contains(leg.merchant)) {
                return Status(Code::kNotFound, "MERCHANT_UNKNOWN", "nothing was released to it");
            }
        }
        corrections.emplace(correction.key, correction);
        if (!correction.other_leg.none()) {
            app::Correction other = correction;
            other.leg = correction.other_leg;
            corrections.emplace(correction.other_key, other);
        }
        return std::exchange(lost_reply, OkStatus());
    }
    Result<bool> WithdrawCorrection(const app::Correction& correction) override {
        KESSAI_RETURN_IF_ERROR(Asked());
        if (corrections.contains(correction.key)) return false;
        withdrawn.insert(correction.key);
        return true;
    }
    Result<std::optional<domain::CorrectionLeg>> FindCorrection(domain::MerchantId,
                                                                const std::string& key) override {
        KESSAI_RETURN_IF_ERROR(Asked());
        const auto found = corrections.find(key);
        if (found == corrections.end()) return std::optional<domain::CorrectionLeg>();
        return std::optional(found->second.leg);
    }

 private:
    Status Asked() {
        ++asked;
        return refuses;
    }

    FakePeerBook& payment_;
    FakePeerBook& payout_;
};

}  // namespace kessai::reconciliation::testing
