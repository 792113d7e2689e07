#include "app/count_matches.h"

#include <cstdint>
#include <utility>

#include "kessai/digest/accumulator.h"

namespace kessai::reconciliation::app {

namespace {

using domain::MerchantId;

constexpr int kMerchantsPerPage = 2'000;
/// Matches are summed up so many buckets at a time, so that no query takes as long as the day is
/// large.
constexpr int kBucketsPerQuery = 32;
static_assert(digest::kBuckets % kBucketsPerQuery == 0);
/// How often a day is counted because matches of the merchant came meanwhile.
constexpr int kAttempts = 3;
/// So long a count serves other merchants of the day: some rounds of repairs.
constexpr Duration kGoodFor = std::chrono::seconds(20);

/// Whose totals rise right behind it.
MerchantId Before(MerchantId merchant) {
    return MerchantId(merchant.value() - 1);
}

// A damaged row may say any number: a sum of such wraps around, and is then no other's.
std::int64_t Plus(std::int64_t a, std::int64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

void Add(const domain::LineSums& sums, domain::LineSums& to) {
    to.gross = Plus(to.gross, sums.gross);
    to.fee = Plus(to.fee, sums.fee);
    to.item_count = Plus(to.item_count, sums.item_count);
}

}  // namespace

Result<ClassSums> KeptTotals(Books& books, BusinessDate business_date, MerchantId merchant) {
    KESSAI_ASSIGN_OR_RETURN(const auto lines,
                            books.payout.ListMatched(business_date, Before(merchant), 1));
    ClassSums kept;
    for (const MatchedLine& line : lines) {
        if (line.merchant == merchant) kept[line.tax_class] = line.sums;
    }
    return kept;
}

Result<CountedMerchant> CountMatches::Run(BusinessDate business_date, MerchantId merchant) {
    const std::lock_guard lock(mutex_);
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
        const bool is_good = attempt == 0 && counted_ && counted_->business_date == business_date &&
                             clock_.SteadyNow() < counted_->until;
        if (!is_good) {
            KESSAI_ASSIGN_OR_RETURN(counted_, CountDay(business_date));
        }
        ClassSums kept;
        KESSAI_RETURN_IF_ERROR(transactions_.Run([&](Books& books) -> Status {
            KESSAI_ASSIGN_OR_RETURN(kept, KeptTotals(books, business_date, merchant));
            return OkStatus();
        }));
        if (counted_->moved.contains(merchant)) continue;
        const auto found = counted_->merchants.find(merchant);
        const CountedMerchant counted =
            found == counted_->merchants.end() ? CountedMerchant{} : found->second;
        if (counted.kept == kept) return counted;
    }
    return Status(Code::kAborted, "TOTALS_MOVED",
                  "matches of merchant " + merchant.ToString() + " kept coming while those of " +
                      business_date.ToString() + " were counted");
}

Result<CountMatches::Counted> CountMatches::CountDay(BusinessDate business_date) {
    Counted counted{.business_date = business_date};
    KESSAI_ASSIGN_OR_RETURN(const auto before, KeptOfAll(business_date));
    std::map<MerchantId, ClassSums> of_rows;
    for (int first = 0; first < digest::kBuckets; first += kBucketsPerQuery) {
        std::vector<MatchedLine> lines;
        KESSAI_RETURN_IF_ERROR(transactions_.Run([&](Books& books) -> Status {
            KESSAI_ASSIGN_OR_RETURN(
                lines, books.matches.SumMatched(business_date,
                                                {.first = first, .count = kBucketsPerQuery}));
            return OkStatus();
        }));
        for (const MatchedLine& line : lines) {
            Add(line.sums, of_rows[line.merchant][line.tax_class]);
        }
    }
    KESSAI_ASSIGN_OR_RETURN(const auto after, KeptOfAll(business_date));
    for (auto& [merchant, sums] : of_rows) counted.merchants[merchant].of_rows = std::move(sums);
    for (const auto& [merchant, sums] : before) counted.merchants[merchant].kept = sums;
    for (const auto& [merchant, sums] : after) {
        const auto was = before.find(merchant);
        if (was == before.end() || was->second != sums) counted.moved.insert(merchant);
    }
    for (const auto& [merchant, sums] : before) {
        if (!after.contains(merchant)) counted.moved.insert(merchant);
    }
    counted.until = clock_.SteadyNow() + kGoodFor;
    return counted;
}

Result<std::map<MerchantId, ClassSums>> CountMatches::KeptOfAll(BusinessDate business_date) {
    std::map<MerchantId, ClassSums> kept;
    MerchantId last;
    while (true) {
        std::vector<MatchedLine> page;
        KESSAI_RETURN_IF_ERROR(transactions_.Run([&](Books& books) -> Status {
            KESSAI_ASSIGN_OR_RETURN(
                page, books.payout.ListMatched(business_date, last, kMerchantsPerPage));
            return OkStatus();
        }));
        if (page.empty()) return kept;
        last = page.back().merchant;
        for (const MatchedLine& line : page) kept[line.merchant][line.tax_class] = line.sums;
    }
}

}  // namespace kessai::reconciliation::app
