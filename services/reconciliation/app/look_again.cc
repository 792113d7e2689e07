#include "app/look_again.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "app/match_pages.h"
#include "domain/bucket_join.h"
#include "domain/day_comparison.h"
#include "kessai/digest/accumulator.h"

namespace kessai::reconciliation::app {

namespace {

using domain::Book;
using domain::BookRow;
using domain::Case;

Result<digest::BucketDigest> DigestOfRows(PeerBook& book, BusinessDate day, int bucket,
                                          const digest::RowHasher& hasher) {
    KESSAI_ASSIGN_OR_RETURN(const auto rows, book.ListDay(day, bucket));
    digest::Accumulator sums(hasher);
    while (true) {
        KESSAI_ASSIGN_OR_RETURN(const auto row, rows->Next());
        if (!row) break;
        sums.Add({.object_id = row->key.payment.value(),
                  .version = row->key.version,
                  .business_date = day,
                  .merchant_id = row->merchant.value(),
                  .signed_gross = row->gross},
                 bucket);
    }
    return sums.Day(day)[static_cast<std::size_t>(bucket)];
}

/// A source of rows for the join.
struct ListedRows {
    std::unique_ptr<BookRows> rows;
    Result<std::optional<BookRow>> Next() { return rows->Next(); }
};

}  // namespace

Result<Look> LookAgain::Run(const domain::Discrepancy& discrepancy,
                            const domain::Repair& repair) const {
    if (repair.kind == domain::RepairKind::kCorrectingJournal) return AtJournal(repair);
    if (discrepancy.finding.subject.kind == domain::DiscrepancyKind::kDigestDiffers) {
        return AtDigest(discrepancy);
    }
    if (discrepancy.finding.subject.kind == domain::DiscrepancyKind::kReleaseEventMissing) {
        // Its coming asks for a check of the day, and that settles the discrepancy.
        return Look{false, "the day's check has not seen the event"};
    }
    return AtChange(discrepancy);
}

Result<Look> LookAgain::AtChange(const domain::Discrepancy& discrepancy) const {
    const domain::Subject& subject = discrepancy.finding.subject;
    const BusinessDate day = subject.business_date;
    Case change{.key = subject.change};
    KESSAI_ASSIGN_OR_RETURN(change.payment, peers_.FindRow(Book::kPayment, day, subject.change));
    KESSAI_ASSIGN_OR_RETURN(change.payout, peers_.FindRow(Book::kPayout, day, subject.change));
    KESSAI_RETURN_IF_ERROR(transactions_.Run([&](Books& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(const auto found, books.matches.Find({&subject.change, 1}));
        change.match = found.empty() ? std::optional<domain::Match>() : found.front();
        return OkStatus();
    }));
    if (!change.payment && !change.payout && !change.match) {
        return Look{true, "no book has the change any more"};
    }
    if (domain::Agrees(day, change)) return Look{true, "both books and the match agree"};
    for (const domain::Finding& finding : domain::Classify(day, change)) {
        if (finding.subject.kind == subject.kind) return Look{false, finding.evidence};
    }
    return Look{true, "the books no longer differ so"};
}

Result<digest::BucketDigest> LookAgain::DigestOfMatches(BusinessDate day, int bucket) const {
    MatchPages pages(transactions_, day, bucket);
    MatchedSums sums(hasher_);
    while (true) {
        KESSAI_ASSIGN_OR_RETURN(const auto match, pages.Next());
        if (!match) break;
        if (match->state == domain::MatchState::kMatched) sums.Add(*match);
    }
    return sums.digest().Day(day)[static_cast<std::size_t>(bucket)];
}

Result<Look> LookAgain::AtDigest(const domain::Discrepancy& discrepancy) const {
    const domain::Subject& subject = discrepancy.finding.subject;
    const BusinessDate day = subject.business_date;
    const int bucket = static_cast<int>(subject.bucket);
    const digest::BucketRange range{.first = bucket, .count = 1};
    digest::DayDigest kept;
    digest::BucketDigest of_rows;
    switch (subject.book.value_or(Book::kMatched)) {
        case Book::kPayment: {
            KESSAI_ASSIGN_OR_RETURN(kept, payment_.DayDigest(day, /*deep=*/false, range));
            KESSAI_ASSIGN_OR_RETURN(of_rows, DigestOfRows(payment_, day, bucket, hasher_));
            break;
        }
        case Book::kPayout: {
            KESSAI_ASSIGN_OR_RETURN(kept, payout_.DayDigest(day, /*deep=*/false, range));
            KESSAI_ASSIGN_OR_RETURN(of_rows, DigestOfRows(payout_, day, bucket, hasher_));
            break;
        }
        case Book::kMatched: {
            KESSAI_RETURN_IF_ERROR(transactions_.Run([&](Books& books) -> Status {
                KESSAI_ASSIGN_OR_RETURN(kept, books.matches.KeptDigest(day));
                return OkStatus();
            }));
            KESSAI_ASSIGN_OR_RETURN(of_rows, DigestOfMatches(day, bucket));
            break;
        }
    }
    if (kept[subject.bucket] == of_rows) return Look{true, "the kept digest is that of the rows"};
    return Look{false, "the kept digest is not that of the rows"};
}

Result<Look> LookAgain::AtJournal(const domain::Repair& repair) const {
    const auto is_posted = [&](const domain::CorrectionLeg& leg,
                               const std::string& name) -> Result<bool> {
        if (leg.none()) return true;
        KESSAI_ASSIGN_OR_RETURN(const auto posted, peers_.FindCorrection(leg.merchant, name));
        return posted && *posted == leg;
    };
    KESSAI_ASSIGN_OR_RETURN(const bool first, is_posted(repair.leg, domain::EffectKeyOf(repair)));
    KESSAI_ASSIGN_OR_RETURN(const bool other,
                            is_posted(repair.other_leg, domain::OtherEffectKeyOf(repair)));
    if (first && other) return Look{true, "payout's ledger has the correction"};
    return Look{false, "payout's ledger has no such correction"};
}

Result<int> LookAgain::DifferentRows(BusinessDate day, int bucket) const {
    ListedRows payment;
    ListedRows payout;
    KESSAI_ASSIGN_OR_RETURN(payment.rows, payment_.ListDay(day, bucket));
    KESSAI_ASSIGN_OR_RETURN(payout.rows, payout_.ListDay(day, bucket));
    MatchPages matches(transactions_, day, bucket);
    int different = 0;
    KESSAI_RETURN_IF_ERROR(
        domain::JoinBucket(payment, payout, matches, [&](Case&& change) -> Status {
            if (!domain::Agrees(day, change)) ++different;
            return OkStatus();
        }));
    return different;
}

}  // namespace kessai::reconciliation::app
