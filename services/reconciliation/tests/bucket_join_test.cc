#include "domain/bucket_join.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <utility>
#include <vector>

#include "tests/claims.h"

namespace kessai::reconciliation::domain {
namespace {

using testing::Day;
using ::testing::IsEmpty;
using testing::PaymentSays;
using testing::PayoutSays;

const Instant kNow = FromMicros(1'800'000'000'000'000);

template <class Row>
class VectorSource {
 public:
    explicit VectorSource(std::vector<Row> rows) : rows_(std::move(rows)) {}

    Result<std::optional<Row>> Next() {
        if (fail_at_ && position_ == *fail_at_) {
            return Status(Code::kUnavailable, "CONNECTION_LOST", "gone");
        }
        if (position_ == rows_.size()) return std::optional<Row>();
        return std::optional<Row>(rows_[position_++]);
    }
    void FailAt(std::size_t position) { fail_at_ = position; }

 private:
    std::vector<Row> rows_;
    std::size_t position_ = 0;
    std::optional<std::size_t> fail_at_;
};

struct Books {
    std::vector<BookRow> payment;
    std::vector<BookRow> payout;
    std::vector<Match> matches;

    void Sort() {
        const auto by_key = [](const auto& a, const auto& b) { return a.key < b.key; };
        std::ranges::sort(payment, by_key);
        std::ranges::sort(payout, by_key);
        std::ranges::sort(matches, by_key);
    }
};

Result<std::vector<Case>> CasesOf(const Books& books) {
    VectorSource payment(books.payment);
    VectorSource payout(books.payout);
    VectorSource matches(books.matches);
    std::vector<Case> cases;
    KESSAI_RETURN_IF_ERROR(JoinBucket(payment, payout, matches, [&cases](Case&& change) {
        cases.push_back(std::move(change));
        return OkStatus();
    }));
    return cases;
}

BookRow RowOf(const PaymentClaim& claim) {
    return {claim.key, claim.terms.merchant, claim.terms.gross.minor()};
}

TEST(BucketJoinTest, EmptyBooksHaveNoCases) {
    EXPECT_THAT(CasesOf({}).value(), IsEmpty());
}

// Goal: a book that is not in order is refused: what is found in it would be wrong.
TEST(BucketJoinTest, RefusesRowsOutOfOrder) {
    Books books;
    books.payment = {RowOf(PaymentSays(2)), RowOf(PaymentSays(1))};
    EXPECT_EQ(CasesOf(books).status().reason(), "ROWS_OUT_OF_ORDER");
    books.payment = {RowOf(PaymentSays(1)), RowOf(PaymentSays(1))};
    EXPECT_EQ(CasesOf(books).status().reason(), "ROWS_OUT_OF_ORDER");
    books.payment = {RowOf(PaymentSays(1, 1)), RowOf(PaymentSays(1, 2))};
    EXPECT_EQ(CasesOf(books).value().size(), 2u);
}

// Goal: a list that breaks off is no list: the join must not take its rest as missing.
// Method: let each source fail at each place.
TEST(BucketJoinTest, RefusalOfASourceEndsTheJoin) {
    for (std::size_t fail_at = 0; fail_at <= 3; ++fail_at) {
        VectorSource<BookRow> payment(
            {RowOf(PaymentSays(1)), RowOf(PaymentSays(2)), RowOf(PaymentSays(3))});
        VectorSource<BookRow> payout({RowOf(PaymentSays(3))});
        VectorSource<Match> matches({});
        payment.FailAt(fail_at);
        std::size_t visited = 0;
        const Status status = JoinBucket(payment, payout, matches, [&](Case&& change) {
            ++visited;
            EXPECT_LE(change.key.payment.value(), static_cast<std::int64_t>(fail_at));
            return OkStatus();
        });
        EXPECT_EQ(status.reason(), "CONNECTION_LOST");
        EXPECT_LE(visited, fail_at);
    }
}

TEST(BucketJoinTest, RefusalOfTheVisitorEndsTheJoin) {
    VectorSource<BookRow> payment({RowOf(PaymentSays(1)), RowOf(PaymentSays(2))});
    VectorSource<BookRow> payout({});
    VectorSource<Match> matches({});
    int visited = 0;
    const Status status = JoinBucket(payment, payout, matches, [&](Case&&) {
        ++visited;
        return Status(Code::kAborted, "ENOUGH", "");
    });
    EXPECT_EQ(status.reason(), "ENOUGH");
    EXPECT_EQ(visited, 1);
}

/// Ways to damage one change in the books, and what must be found.
struct Damage {
    std::vector<DiscrepancyKind> expected;
    void (*apply)(Books& books, const PaymentClaim& payment);
};

const std::vector<Damage>& Damages() {
    using enum DiscrepancyKind;
    static const std::vector<Damage> damages{
        {{kMissingInPayout},
         [](Books& books, const PaymentClaim& payment) {
             books.payment.push_back(RowOf(payment));
             books.matches.push_back(Begin(payment));
         }},
        {{kMissingInPayout, kPaymentEventMissing},
         [](Books& books, const PaymentClaim& payment) {
             books.payment.push_back(RowOf(payment));
         }},
        {{kMissingInPayment},
         [](Books& books, const PaymentClaim& payment) {
             books.payout.push_back(RowOf(payment));
             books.matches.push_back(Join(Begin(payment), PayoutSays(payment), kNow).match);
         }},
        {{kMissingInBoth},
         [](Books& books, const PaymentClaim& payment) {
             books.matches.push_back(Join(Begin(payment), PayoutSays(payment), kNow).match);
         }},
        {{kAmountDiffers},
         [](Books& books, const PaymentClaim& payment) {
             books.payment.push_back(RowOf(payment));
             books.payout.push_back(RowOf(payment));
             books.payout.back().gross += 1;
             books.matches.push_back(Join(Begin(payment), PayoutSays(payment), kNow).match);
         }},
        {{kMerchantDiffers},
         [](Books& books, const PaymentClaim& payment) {
             books.payment.push_back(RowOf(payment));
             books.payout.push_back(RowOf(payment));
             books.payout.back().merchant = MerchantId(99);
             books.matches.push_back(Join(Begin(payment), PayoutSays(payment), kNow).match);
         }},
        {{kChangedInBoth},
         [](Books& books, const PaymentClaim& payment) {
             books.payment.push_back(RowOf(payment));
             books.payment.back().gross += 1;
             books.payout.push_back(books.payment.back());
             books.matches.push_back(Join(Begin(payment), PayoutSays(payment), kNow).match);
         }},
        {{kPaymentEventMissing},
         [](Books& books, const PaymentClaim& payment) {
             books.payment.push_back(RowOf(payment));
             books.payout.push_back(RowOf(payment));
             books.matches.push_back(Begin(PayoutSays(payment)));
         }},
        {{kPayoutEventMissing},
         [](Books& books, const PaymentClaim& payment) {
             books.payment.push_back(RowOf(payment));
             books.payout.push_back(RowOf(payment));
             books.matches.push_back(Begin(payment));
         }},
        {{},
         [](Books& books, const PaymentClaim& payment) {
             books.payment.push_back(RowOf(payment));
             books.payout.push_back(RowOf(payment));
             books.matches.push_back(Join(Begin(payment), PayoutSays(payment), kNow).match);
         }},
    };
    return damages;
}

// Goal: in a bucket with any mixture of damage exactly that is found and rightly named.
// Method: 2,000 random buckets; each change is damaged in one known way or (mostly) in none.
TEST(BucketJoinTest, FindsExactlyWhatWasDamaged) {
    const auto seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);

    for (int round = 0; round < 2'000; ++round) {
        Books books;
        std::map<ChangeKey, std::vector<DiscrepancyKind>> expected;
        const auto rows = random() % 60;
        for (std::size_t i = 0; i < rows; ++i) {
            const auto claim = PaymentSays(static_cast<std::int64_t>(1 + random() % 1'000),
                                           static_cast<std::uint32_t>(1 + random() % 3));
            if (expected.contains(claim.key)) continue;
            const Damage& damage =
                random() % 2 ? Damages().back() : Damages()[random() % Damages().size()];
            damage.apply(books, claim);
            expected[claim.key] = damage.expected;
        }
        books.Sort();

        const auto cases = CasesOf(books).value();
        ASSERT_EQ(cases.size(), expected.size());
        for (const Case& change : cases) {
            std::vector<DiscrepancyKind> kinds;
            for (const Finding& finding : Classify(Day(), change)) {
                EXPECT_EQ(finding.subject.change, change.key);
                EXPECT_FALSE(finding.evidence.empty());
                kinds.push_back(finding.subject.kind);
            }
            ASSERT_EQ(kinds, expected[change.key]);
            ASSERT_EQ(Agrees(Day(), change), kinds.empty());
        }
    }
}

}  // namespace
}  // namespace kessai::reconciliation::domain
