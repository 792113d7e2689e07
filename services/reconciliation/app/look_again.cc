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

Result<std::optional<BookRow>> FindRow(PeerBook& book, BusinessDate day, domain::ChangeKey key) {
    KESSAI_ASSIGN_OR_RETURN(const auto rows, book.FindRows({&key, 1}));
    for (const domain::DatedRow& dated : rows) {
        if (dated.business_date == day) return std::optional(dated.row);
    }
    return std::optional<BookRow>();
}

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
    if (discrepancy.finding.subject.kind == domain::DiscrepancyKind::kAccruedDiffers) {
        return AtTotals(discrepancy);
    }
    return AtChange(discrepancy);
}

Result<std::vector<domain::Finding>> LookAgain::FindingsOf(BusinessDate day,
                                                           domain::ChangeKey key) const {
    Case change{.key = key};
    KESSAI_ASSIGN_OR_RETURN(change.payment, FindRow(payment_, day, key));
    KESSAI_ASSIGN_OR_RETURN(change.payout, FindRow(payout_, day, key));
    KESSAI_RETURN_IF_ERROR(transactions_.Run([&](Books& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(const auto found, books.matches.Find({&key, 1}));
        change.match = found.empty() ? std::optional<domain::Match>() : found.front();
        return OkStatus();
    }));
    KESSAI_RETURN_IF_ERROR(FindElsewhere(payment_, payout_, day, {&change, 1}));
    const bool nowhere = !change.payment && !change.payout && !change.payment_elsewhere &&
                         !change.payout_elsewhere && !change.match;
    if (nowhere || domain::Agrees(day, change)) return std::vector<domain::Finding>();
    return domain::Classify(day, change);
}

Result<Look> LookAgain::AtChange(const domain::Discrepancy& discrepancy) const {
    const domain::Subject& subject = discrepancy.finding.subject;
    KESSAI_ASSIGN_OR_RETURN(const auto findings, FindingsOf(subject.business_date, subject.change));
    for (const domain::Finding& finding : findings) {
        if (finding.subject.kind == subject.kind) return Look{false, finding.evidence};
    }
    if (findings.empty()) return Look{true, "no book has it otherwise than the others any more"};
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

Result<LookAgain::Digests> LookAgain::DigestsOf(Book book, BusinessDate day, int bucket) const {
    const digest::BucketRange range{.first = bucket, .count = 1};
    digest::DayDigest kept;
    Digests digests;
    switch (book) {
        case Book::kPayment: {
            KESSAI_ASSIGN_OR_RETURN(kept, payment_.DayDigest(day, /*deep=*/false, range));
            KESSAI_ASSIGN_OR_RETURN(digests.of_rows, DigestOfRows(payment_, day, bucket, hasher_));
            break;
        }
        case Book::kPayout: {
            KESSAI_ASSIGN_OR_RETURN(kept, payout_.DayDigest(day, /*deep=*/false, range));
            KESSAI_ASSIGN_OR_RETURN(digests.of_rows, DigestOfRows(payout_, day, bucket, hasher_));
            break;
        }
        case Book::kMatched: {
            KESSAI_RETURN_IF_ERROR(transactions_.Run([&](Books& books) -> Status {
                KESSAI_ASSIGN_OR_RETURN(kept, books.matches.KeptDigest(day));
                return OkStatus();
            }));
            KESSAI_ASSIGN_OR_RETURN(digests.of_rows, DigestOfMatches(day, bucket));
            break;
        }
    }
    digests.kept = kept[static_cast<std::size_t>(bucket)];
    return digests;
}

Result<bool> LookAgain::DigestFits(Book book, BusinessDate day, int bucket) const {
    KESSAI_ASSIGN_OR_RETURN(const Digests digests, DigestsOf(book, day, bucket));
    return digests.kept == digests.of_rows;
}

Result<std::vector<domain::Finding>> LookAgain::WrongDigests(BusinessDate day, int bucket) const {
    std::vector<domain::Finding> findings;
    for (const Book book : {Book::kPayment, Book::kPayout, Book::kMatched}) {
        KESSAI_ASSIGN_OR_RETURN(const Digests digests, DigestsOf(book, day, bucket));
        if (digests.kept == digests.of_rows) continue;
        // A late event changes both, but we read them one after the other.
        KESSAI_ASSIGN_OR_RETURN(const Digests again, DigestsOf(book, day, bucket));
        if (again.kept != digests.kept || again.of_rows != digests.of_rows) continue;
        findings.push_back(domain::DigestFinding(day, book, bucket, digests.kept, digests.of_rows));
    }
    return findings;
}

Result<Look> LookAgain::AtDigest(const domain::Discrepancy& discrepancy) const {
    const domain::Subject& subject = discrepancy.finding.subject;
    KESSAI_ASSIGN_OR_RETURN(const bool fits,
                            DigestFits(subject.book.value_or(Book::kMatched), subject.business_date,
                                       static_cast<int>(subject.bucket)));
    if (fits) return Look{true, "the kept digest is that of the rows"};
    return Look{false, "the kept digest is not that of the rows"};
}

Result<domain::MerchantDay> LookAgain::AtMerchant(BusinessDate day,
                                                  domain::MerchantId merchant) const {
    const domain::MerchantId before(merchant.value() - 1);
    std::vector<MatchedLine> matched;
    KESSAI_RETURN_IF_ERROR(transactions_.Run([&](Books& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(matched, books.payout.ListMatched(day, before, 1));
        return OkStatus();
    }));
    std::erase_if(matched, [&](const MatchedLine& line) { return line.merchant != merchant; });
    KESSAI_ASSIGN_OR_RETURN(
        const MerchantDayPage page,
        payout_day_.ListMerchants(day, {digest::BucketOf(merchant.value())}, before));
    domain::MerchantDay found{.merchant = merchant};
    for (const domain::MerchantDay& listed : page.merchants) {
        if (listed.merchant == merchant) found = listed;
    }
    JoinMatched(matched, found);
    return found;
}

Result<Look> LookAgain::AtTotals(const domain::Discrepancy& discrepancy) const {
    const domain::Subject& subject = discrepancy.finding.subject;
    KESSAI_ASSIGN_OR_RETURN(const domain::MerchantDay merchant,
                            AtMerchant(subject.business_date, subject.held_merchant));
    for (const domain::Finding& finding :
         domain::CheckMerchantDay(subject.business_date, merchant, /*released=*/false)) {
        if (finding.subject.kind == subject.kind) return Look{false, finding.evidence};
    }
    return Look{true, "payout's totals are what was matched"};
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
