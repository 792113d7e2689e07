#include "domain/transfer_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "tests/claims.h"

namespace kessai::reconciliation::domain {
namespace {

using testing::Day;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using enum TransferStep;

std::uint32_t VersionOf(TransferStep step) {
    switch (step) {
        case kCreated:
            return 1;
        case kSent:
        case kCancelled:
            return 2;
        case kSettled:
        case kFailed:
            return 3;
        case kReturned:
            break;
    }
    return 4;
}

TransferNotice NoticeOf(std::int64_t transfer, TransferStep step) {
    TransferNotice notice{.transfer = TransferId(transfer),
                          .version = VersionOf(step),
                          .step = step,
                          .business_date = Day(),
                          .merchant = MerchantId(7),
                          .payout = transfer + 100,
                          .attempt = 1,
                          .amount = 5'000};
    if (step == kSent) notice.transfer_date = Day(1);
    return notice;
}

std::vector<DiscrepancyKind> KindsOf(const std::vector<Finding>& findings) {
    std::vector<DiscrepancyKind> kinds;
    for (const Finding& finding : findings) kinds.push_back(finding.subject.kind);
    return kinds;
}

/// Takes steps of one transfer, and gives all that was found.
std::vector<DiscrepancyKind> Take(const std::vector<TransferStep>& steps) {
    std::optional<NotedTransfer> known;
    std::vector<DiscrepancyKind> kinds;
    for (const TransferStep step : steps) {
        const NotedStep taken =
            TakeNotice(NoticeOf(5, step), known ? &*known : nullptr, TransferId(1));
        known = taken.transfer;
        for (const auto kind : KindsOf(taken.findings)) kinds.push_back(kind);
    }
    return kinds;
}

// Goal: exactly the ways that a transfer can go pass.
// Method: all sequences of up to four steps with rising versions, as the topic gives them, against
// a list of the ways.
TEST(TransferCheckTest, OnlyTheWaysThatThereArePass) {
    const std::set<std::vector<TransferStep>> ways{{kCreated},
                                                   {kCreated, kSent},
                                                   {kCreated, kCancelled},
                                                   {kCreated, kSent, kSettled},
                                                   {kCreated, kSent, kFailed},
                                                   {kCreated, kSent, kSettled, kReturned}};
    int looked_at = 0;
    std::vector<std::vector<TransferStep>> sequences{{}};
    for (std::size_t at = 0; at < sequences.size(); ++at) {
        const auto before = sequences[at];
        for (const TransferStep step :
             {kCreated, kSent, kCancelled, kSettled, kFailed, kReturned}) {
            if (!before.empty() && VersionOf(step) <= VersionOf(before.back())) continue;
            auto longer = before;
            longer.push_back(step);
            ++looked_at;
            const bool fine = Take(longer).empty();
            EXPECT_EQ(fine, ways.contains(longer)) << ::testing::PrintToString(longer);
            sequences.push_back(std::move(longer));
        }
    }
    EXPECT_EQ(looked_at, 2 * 3 * 3 * 2 - 1);
}

TEST(TransferCheckTest, UnknownTransfersAreNamedUnlessTheyAreOfBefore) {
    const auto settled = NoticeOf(5, kSettled);
    EXPECT_EQ(KindsOf(TakeNotice(settled, nullptr, TransferId(1)).findings),
              std::vector{DiscrepancyKind::kTransferUnknown});
    EXPECT_THAT(TakeNotice(settled, nullptr, TransferId(6)).findings, IsEmpty());
    EXPECT_THAT(TakeNotice(settled, nullptr, TransferId()).findings, IsEmpty());
    // Of before, and what comes later is not held against what was not heard.
    const auto sent = TakeNotice(NoticeOf(5, kSent), nullptr, TransferId(6));
    EXPECT_EQ(sent.transfer.awaited_since, Day(1));
    EXPECT_THAT(TakeNotice(settled, &sent.transfer, TransferId(6)).findings, IsEmpty());
}

TEST(TransferCheckTest, WhatIsToldOtherwiseLaterIsFound) {
    const auto created = TakeNotice(NoticeOf(5, kCreated), nullptr, TransferId()).transfer;
    TransferNotice sent = NoticeOf(5, kSent);
    sent.amount = 4'000;
    const auto findings = TakeNotice(sent, &created, TransferId(5)).findings;
    ASSERT_EQ(KindsOf(findings), std::vector{DiscrepancyKind::kTransferDiffers});
    EXPECT_EQ(findings[0].payment_gross, 5'000);
    EXPECT_EQ(findings[0].payout_gross, 4'000);
    EXPECT_EQ(findings[0].subject.transfer, TransferId(5));
    TransferNotice cancelled = NoticeOf(5, kCancelled);
    cancelled.fee = 10;
    EXPECT_EQ(KindsOf(TakeNotice(cancelled, &created, TransferId(5)).findings),
              std::vector{DiscrepancyKind::kTransferDiffers});
}

TEST(TransferCheckTest, AResultIsAwaitedFromTheFileOn) {
    auto transfer = TakeNotice(NoticeOf(5, kCreated), nullptr, TransferId()).transfer;
    EXPECT_FALSE(transfer.awaited_since);
    transfer = TakeNotice(NoticeOf(5, kSent), &transfer, TransferId(5)).transfer;
    EXPECT_EQ(transfer.awaited_since, Day(1));
    const auto result = TakeNotice(NoticeOf(5, kFailed), &transfer, TransferId(5));
    EXPECT_TRUE(result.result_came);
    EXPECT_FALSE(result.transfer.awaited_since);
}

TEST(TransferCheckTest, TheEvidenceOfAResultSaysWhyItCannotBe) {
    const auto created = TakeNotice(NoticeOf(5, kCreated), nullptr, TransferId()).transfer;
    const auto unsent = TakeNotice(NoticeOf(5, kFailed), &created, TransferId(5)).findings;
    ASSERT_EQ(KindsOf(unsent), std::vector{DiscrepancyKind::kResultDiffers});
    EXPECT_THAT(unsent[0].evidence, HasSubstr("the transfer is in no file"));

    NotedTransfer settled = created;
    settled.latest = kSettled;
    const auto twice = TakeNotice(NoticeOf(5, kFailed), &settled, TransferId(5)).findings;
    ASSERT_EQ(KindsOf(twice), std::vector{DiscrepancyKind::kResultDiffers});
    EXPECT_THAT(twice[0].evidence, HasSubstr("the bank has told a result before"));
}

// Goal: journal and events of a day are compared whatever they have.
// Method: random entries on both sides, and the transfers that differ by comparing their multisets.
TEST(TransferCheckTest, EntriesAreComparedByTransfer) {
    const auto seed = std::random_device()();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    const auto upto = [&](std::int64_t max) {
        return std::uniform_int_distribution<std::int64_t>(0, max)(random);
    };
    for (int round = 0; round < 5'000; ++round) {
        std::vector<TransferEntry> journal;
        for (std::int64_t i = 1; i <= upto(8); ++i) {
            journal.push_back({kCreated, TransferId(i), MerchantId(i % 3 + 1), 100 * i, 5, 0});
            if (upto(1) == 0) {
                journal.push_back({kSettled, TransferId(i), MerchantId(i % 3 + 1), 100 * i, 0, 0});
            }
        }
        std::vector<TransferEntry> told = journal;
        std::erase_if(told, [&](const TransferEntry&) { return upto(9) == 0; });
        for (TransferEntry& entry : told) {
            if (upto(9) == 0) entry.amount += 1;
        }
        if (upto(5) == 0) told.push_back({kFailed, TransferId(99), MerchantId(1), 1, 0, 0});
        std::ranges::shuffle(told, random);
        std::set<TransferId> expected;
        for (std::int64_t id = 1; id <= 99; ++id) {
            std::multiset<TransferEntry> a;
            std::multiset<TransferEntry> b;
            for (const auto& entry : journal) {
                if (entry.transfer == TransferId(id)) a.insert(entry);
            }
            for (const auto& entry : told) {
                if (entry.transfer == TransferId(id)) b.insert(entry);
            }
            if (a != b) expected.insert(TransferId(id));
        }
        std::set<TransferId> found;
        for (const Finding& finding : CompareEntries(Day(), journal, told)) {
            ASSERT_EQ(finding.subject.kind, DiscrepancyKind::kTransferDiffers);
            ASSERT_EQ(finding.subject.book, Book::kPayout);
            found.insert(finding.subject.transfer);
        }
        ASSERT_EQ(found, expected) << round;
    }
}

TEST(TransferCheckTest, PartsSumToTheAmount) {
    EXPECT_THAT(CheckParts(Day(), MerchantId(7), TransferId(5), 100, 100), IsEmpty());
    const auto findings = CheckParts(Day(), MerchantId(7), TransferId(5), 100, 99);
    ASSERT_THAT(findings, SizeIs(1));
    EXPECT_EQ(findings[0].payment_gross, 99);
    EXPECT_EQ(findings[0].payout_gross, 100);
}

TEST(TransferCheckTest, ObjectsOfTransfersAreASpaceOfTheirOwn) {
    EXPECT_TRUE(IsTransfer(ObjectOf(TransferId(1))));
    EXPECT_EQ(TransferOf(ObjectOf(TransferId(77))), TransferId(77));
    EXPECT_FALSE(IsTransfer(20261122));
    EXPECT_FALSE(IsTransfer((std::int64_t{1} << 41) + 5));
}

}  // namespace
}  // namespace kessai::reconciliation::domain
