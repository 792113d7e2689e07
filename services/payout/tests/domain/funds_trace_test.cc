// Goal: the parts of every transfer sum to its amount to the yen, whatever a merchant's history
// was, and every yen that became available is in one place. Method: small histories by hand; and
// random ones, made by the ledger's own rules, whose parts are compared with the balances that
// these rules give.

#include "domain/funds_trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "domain/payout_terms.h"
#include "domain/transfer_reason.h"
#include "tests/seeded.h"

namespace kessai::payout::domain {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

BusinessDate Day(int day) {
    return BusinessDate(std::chrono::sys_days(std::chrono::year(2026) / 11 / 1)).PlusDays(day - 1);
}

FundsSource OfDay(int day) {
    return {.kind = FundsKind::kRelease, .day = Day(day)};
}
FundsSource OfAdjustment(std::int64_t id) {
    return {.kind = FundsKind::kAdjustment, .object = id};
}
FundsSource OfPrice(std::int64_t transfer) {
    return {.kind = FundsKind::kPrice, .object = transfer};
}

MerchantJournal Created(std::int64_t transfer, std::int64_t amount, std::int64_t price = 0) {
    return {
        .kind = JournalKind::kTransferCreated, .object = transfer, .amount = amount, .fee = price};
}
MerchantJournal Failed(std::int64_t transfer, std::int64_t amount) {
    return {.kind = JournalKind::kTransferFailed, .object = transfer, .amount = amount};
}
MerchantJournal Cancelled(std::int64_t transfer, std::int64_t amount, std::int64_t price = 0) {
    return {.kind = JournalKind::kTransferCancelled,
            .object = transfer,
            .amount = amount,
            .fee = price};
}
MerchantJournal Adjusted(std::int64_t id, std::int64_t amount) {
    return {.kind = JournalKind::kAdjustment, .object = id, .amount = amount};
}

std::int64_t Sum(const std::vector<FundsPart>& parts) {
    std::int64_t sum = 0;
    for (const FundsPart& part : parts) sum += part.amount;
    return sum;
}

TEST(FundsTraceTest, ATransferOfAllTakesTheDaysSinceTheLastOne) {
    FundsTrace trace;
    trace.Release(Day(1), 1'000);
    trace.Release(Day(2), -300);
    ASSERT_TRUE(trace.Post(Adjusted(9, 50)).ok());
    ASSERT_TRUE(trace.Post(Created(100, 640, 110)).ok());
    EXPECT_THAT(trace.PartsOf(TransferId(100)),
                ElementsAre(FundsPart{OfDay(1), 1'000}, FundsPart{OfDay(2), -300},
                            FundsPart{OfAdjustment(9), 50}, FundsPart{OfPrice(100), -110}));
    EXPECT_THAT(trace.Left(), IsEmpty());
    trace.Release(Day(3), 7);
    ASSERT_TRUE(trace.Post(Created(101, 7)).ok());
    EXPECT_THAT(trace.PartsOf(TransferId(101)), ElementsAre(FundsPart{OfDay(3), 7}));
    EXPECT_THAT(trace.PartsOf(TransferId(102)), IsEmpty());
}

TEST(FundsTraceTest, ATransferOfLessTakesTheOldestAndAllDebts) {
    FundsTrace trace;
    trace.Release(Day(1), 1'000);
    trace.Release(Day(2), 500);
    trace.Release(Day(3), 0);
    trace.Release(Day(4), -200);
    ASSERT_TRUE(trace.Post(Created(100, 900)).ok());
    EXPECT_THAT(trace.PartsOf(TransferId(100)),
                ElementsAre(FundsPart{OfDay(1), 1'000}, FundsPart{OfDay(2), 100},
                            FundsPart{OfDay(3), 0}, FundsPart{OfDay(4), -200}));
    EXPECT_THAT(trace.Left(), ElementsAre(FundsPart{OfDay(2), 400}));
    EXPECT_THAT(trace.TransfersWith(OfDay(2)), ElementsAre(Pair(TransferId(100), 100)));
    EXPECT_THAT(trace.TransfersWith(OfDay(5)), IsEmpty());
}

// A debt that comes after a transfer took the balance is of the next one.
TEST(FundsTraceTest, ALaterDebtIsTheNextTransfers) {
    FundsTrace trace;
    trace.Release(Day(1), 100);
    ASSERT_TRUE(trace.Post(Created(100, 100)).ok());
    trace.Release(Day(2), -30);
    EXPECT_EQ(Sum(trace.Left()), -30);
    trace.Release(Day(3), 80);
    ASSERT_TRUE(trace.Post(Created(101, 50)).ok());
    EXPECT_THAT(trace.PartsOf(TransferId(101)),
                ElementsAre(FundsPart{OfDay(2), -30}, FundsPart{OfDay(3), 80}));
}

TEST(FundsTraceTest, WhatCameBackIsPaidOfTheSameDaysAgain) {
    FundsTrace trace;
    trace.Release(Day(1), 100);
    trace.Release(Day(2), 200);
    ASSERT_TRUE(trace.Post(Created(100, 290, 10)).ok());
    trace.Release(Day(3), 50);
    ASSERT_TRUE(trace.Post(Failed(100, 290)).ok());
    EXPECT_EQ(Sum(trace.Left()), 340);
    // The next attempt has no price of its own.
    ASSERT_TRUE(trace.Post(Created(101, 290)).ok());
    EXPECT_EQ(trace.PartsOf(TransferId(101)), trace.PartsOf(TransferId(100)));
    EXPECT_THAT(trace.Left(), ElementsAre(FundsPart{OfDay(3), 50}));
    EXPECT_THAT(trace.TransfersWith(OfDay(1)),
                ElementsAre(Pair(TransferId(100), 100), Pair(TransferId(101), 100)));
}

// As if it had never been made: its days are left as they were, and its price is nowhere.
TEST(FundsTraceTest, WhatIsCancelledLeavesNothingBehind) {
    FundsTrace trace;
    trace.Release(Day(1), 100);
    trace.Release(Day(2), 200);
    const auto before = trace.Left();
    ASSERT_TRUE(trace.Post(Created(100, 290, 10)).ok());
    ASSERT_TRUE(trace.Post(Cancelled(100, 290, 10)).ok());
    EXPECT_EQ(trace.Left(), before);
    // What it was made of is still told.
    EXPECT_THAT(trace.PartsOf(TransferId(100)),
                ElementsAre(FundsPart{OfDay(1), 100}, FundsPart{OfDay(2), 200},
                            FundsPart{OfPrice(100), -10}));
    ASSERT_TRUE(trace.Post(Created(101, 300)).ok());
    EXPECT_THAT(trace.PartsOf(TransferId(101)),
                ElementsAre(FundsPart{OfDay(1), 100}, FundsPart{OfDay(2), 200}));
    EXPECT_EQ(trace.Post(Cancelled(7, 1)).reason(), reason::kTraceDiffers);
}

TEST(FundsTraceTest, WhatCannotHaveBeenIsRefused) {
    FundsTrace trace;
    trace.Release(Day(1), 100);
    EXPECT_EQ(trace.Post(Created(100, 101)).reason(), reason::kTraceDiffers);
    EXPECT_EQ(trace.Post(Failed(7, 1)).reason(), reason::kTraceDiffers);

    const std::vector<ReleasedDay> days{{.day = Day(1), .net = 100}, {.day = Day(2), .net = 50}};
    const auto refused = [&](std::optional<std::int64_t> released) {
        const SeenJournal seen[] = {{Created(1, 90), released}};
        return std::string(TraceFunds(days, seen).status().reason());
    };
    EXPECT_EQ(refused(100), "");
    EXPECT_EQ(refused(150), "");
    EXPECT_EQ(refused(50), reason::kTraceDiffers);
    EXPECT_EQ(refused(151), reason::kTraceDiffers);
    EXPECT_EQ(refused(0), reason::kTraceDiffers);  // no money for it
    EXPECT_EQ(refused(std::nullopt), reason::kTraceUnknown);
}

/// One merchant's history by the ledger's rules, traced as it goes.
class TracedHistory {
 public:
    explicit TracedHistory(Seeded& random) : random_(random) {
        terms_.transfer_fee = random.OneIn(2) ? 0 : random.Between(1, 500);
        terms_.minimum_amount = random.Between(1, 2'000);
    }

    void Step() {
        switch (random_.Between(1, 7)) {
            case 1:
            case 2:
                return Release();
            case 3:
                return Pay();
            case 4:
                return TakeResult();
            case 5:
                return Reissue();
            case 6:
                return Cancel();
            default:
                return Adjust();
        }
    }

    void Check() {
        const auto left = trace_.Left();
        ASSERT_EQ(Sum(left), AvailableOf(funds_).value());
        std::map<FundsSource, std::int64_t> placed;
        for (const FundsPart& part : left) placed[part.source] += part.amount;
        for (const auto& [id, transfer] : transfers_) {
            const auto parts = trace_.PartsOf(id);
            ASSERT_EQ(Sum(parts), transfer.amount) << id.ToString();
            // What a transfer was made of never changes.
            ASSERT_EQ(parts, transfer.parts) << id.ToString();
            for (const FundsPart& part : parts) {
                // Given back.
                if (part.source == OfPrice(id.value()) && transfer.cancelled) continue;
                if (transfer.live) placed[part.source] += part.amount;
                if (sources_.at(part.source) <= 0) {
                    ASSERT_EQ(part.amount, sources_.at(part.source)) << "a debt was split";
                }
                ASSERT_THAT(trace_.TransfersWith(part.source),
                            ::testing::Contains(Pair(id, part.amount)));
            }
        }
        // Every yen is in one place.
        for (const auto& [source, amount] : sources_) ASSERT_EQ(placed[source], amount);
        ASSERT_EQ(placed.size(), sources_.size());
    }

    /// The same from what is stored.
    void CheckReplay() {
        const auto replayed = TraceFunds(days_, journals_);
        ASSERT_TRUE(replayed.ok()) << replayed.status().ToString();
        ASSERT_EQ(Sum(replayed->Left()), AvailableOf(funds_).value());
        for (const auto& [id, transfer] : transfers_) {
            ASSERT_EQ(Sum(replayed->PartsOf(id)), transfer.amount);
            // Days that sum to nothing may be put behind a journal that saw them.
            if (ambiguous_) continue;
            ASSERT_EQ(replayed->PartsOf(id), transfer.parts);
        }
    }

    std::size_t transfers() const { return transfers_.size(); }
    bool ambiguous() const { return ambiguous_; }

 private:
    struct Made {
        std::int64_t amount = 0;
        bool live = true;
        bool settled = false;
        bool cancelled = false;
        std::int64_t fee = 0;
        std::int64_t tax = 0;
        std::vector<FundsPart> parts;
    };

    void Release() {
        const int day = static_cast<int>(days_.size()) + 1;
        const std::int64_t net =
            random_.OneIn(10) ? 0 : random_.UpTo(1'000'000) * (random_.OneIn(4) ? -1 : 1);
        funds_.released += net;
        // A sum that there was since the last journal: where days stand is told by sums.
        ambiguous_ = !seen_.insert(funds_.released).second || ambiguous_;
        days_.push_back({.day = Day(day), .net = net});
        sources_[OfDay(day)] = net;
        trace_.Release(Day(day), net);
    }
    void PostIt(MerchantJournal journal) {
        journal.merchant = funds_.merchant;
        const Status posted = Post(journal, funds_);
        ASSERT_TRUE(posted.ok()) << posted.ToString();
        journals_.push_back({journal, funds_.released});
        seen_ = {funds_.released};
        const Status traced = trace_.Post(journal);
        ASSERT_TRUE(traced.ok()) << traced.ToString();
    }
    void Make(std::int64_t amount, std::int64_t fee, std::int64_t tax) {
        const TransferId id(++last_);
        if (fee + tax > 0) sources_[OfPrice(id.value())] = -(fee + tax);
        PostIt({.kind = JournalKind::kTransferCreated,
                .object = id.value(),
                .amount = amount,
                .fee = fee,
                .tax = tax});
        transfers_[id] = {.amount = amount, .fee = fee, .tax = tax, .parts = trace_.PartsOf(id)};
    }
    void Pay() {
        const std::int64_t available = AvailableOf(funds_).value();
        // Some take not all of it, as the greatest amount of a transfer makes it.
        const std::int64_t taken =
            random_.OneIn(3) && available > 1 ? random_.Between(1, available) : available;
        const auto amounts =
            AmountsToPay(taken, terms_, false, TaxTable::Japan().RateOf(TaxClass::kStandard10));
        if (amounts) Make(amounts->amount, amounts->fee, amounts->tax);
    }
    Made* Any(TransferId* id) {
        if (transfers_.empty()) return nullptr;
        auto place = transfers_.begin();
        std::advance(place, random_.Between(0, static_cast<std::int64_t>(transfers_.size()) - 1));
        *id = place->first;
        return &place->second;
    }
    void TakeResult() {
        TransferId id;
        Made* const made = Any(&id);
        if (made == nullptr || !made->live) return;
        const bool comes_back = random_.OneIn(2);
        if (!made->settled && !comes_back) {
            made->settled = true;
            return PostIt({.kind = JournalKind::kTransferSettled,
                           .object = id.value(),
                           .amount = made->amount});
        }
        if (!comes_back) return;
        made->live = false;
        PostIt(
            {.kind = made->settled ? JournalKind::kTransferReturned : JournalKind::kTransferFailed,
             .object = id.value(),
             .amount = made->amount});
    }
    /// It may be in no file yet.
    void Cancel() {
        TransferId id;
        Made* const made = Any(&id);
        if (made == nullptr || !made->live || made->settled) return;
        made->live = false;
        made->cancelled = true;
        sources_.erase(OfPrice(id.value()));
        PostIt({.kind = JournalKind::kTransferCancelled,
                .object = id.value(),
                .amount = made->amount,
                .fee = made->fee,
                .tax = made->tax});
    }
    void Reissue() {
        TransferId id;
        const Made* const made = Any(&id);
        if (made == nullptr || made->live || AvailableOf(funds_).value() < made->amount) return;
        Make(made->amount, 0, 0);
    }
    void Adjust() {
        std::int64_t amount = random_.UpTo(100'000) + 1;
        if (random_.OneIn(2)) amount = -amount;
        sources_[OfAdjustment(++last_)] = amount;
        PostIt(Adjusted(last_, amount));
    }

    Seeded& random_;
    PayoutTerms terms_;
    MerchantFunds funds_{.merchant = MerchantId(7)};
    FundsTrace trace_;
    std::int64_t last_ = 0;
    std::vector<ReleasedDay> days_;
    std::vector<SeenJournal> journals_;
    std::map<TransferId, Made> transfers_;
    std::map<FundsSource, std::int64_t> sources_;
    std::set<std::int64_t> seen_{0};
    bool ambiguous_ = false;
};

TEST(FundsTraceTest, PropertyEveryYenIsInOnePlace) {
    Seeded random;
    std::size_t transfers = 0;
    int exact = 0;
    for (int run = 0; run < 300 && !::testing::Test::HasFailure(); ++run) {
        TracedHistory history(random);
        const std::int64_t steps = random.Between(1, 60);
        for (std::int64_t i = 0; i < steps; ++i) {
            history.Step();
            history.Check();
            if (::testing::Test::HasFatalFailure()) return;
        }
        history.CheckReplay();
        transfers += history.transfers();
        if (!history.ambiguous()) ++exact;
    }
    EXPECT_GT(transfers, 500u);
    EXPECT_GT(exact, 30);
}

}  // namespace
}  // namespace kessai::payout::domain
