#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "domain/claim.h"
#include "domain/discrepancy.h"
#include "domain/match.h"
#include "kessai/digest/accumulator.h"
#include "kessai/time/business_date.h"

namespace kessai::reconciliation::domain {

/// A day as the three books sum it up: payment's changes, payout's accruals, and what we matched.
struct DayDigests {
    digest::DayDigest payment;
    digest::DayDigest payout;
    digest::DayDigest matched;
};

/// The buckets in which the three are not all equal, rising: only these are listed.
/// Precondition: each has digest::kBuckets entries.
std::vector<int> BucketsToList(const DayDigests& digests);

/// A change as payment's and payout's books list it.
struct BookRow {
    ChangeKey key{};
    MerchantId merchant{};
    /// Minor units, signed as the merchant gains.
    std::int64_t gross = 0;
    /// Of payout's rows, where it lists them.
    ToldFee fee{};

    /// In what both books have; only payout's has fees.
    bool operator==(const BookRow& other) const {
        return key == other.key && merchant == other.merchant && gross == other.gross;
    }
};

/// A row that a book has, and the day that it is dated to.
struct DatedRow {
    BusinessDate business_date{};
    BookRow row{};
};

/// What the three books have of one change. At least one of them has it.
struct Case {
    ChangeKey key{};
    std::optional<BookRow> payment{};
    std::optional<BookRow> payout{};
    std::optional<Match> match{};
    /// The row of a book whose list of the day lacks the change, if it has it under another date.
    std::optional<DatedRow> payment_elsewhere{};
    std::optional<DatedRow> payout_elsewhere{};
};

/// Whether nothing is to be said about it: both books have the same, and it was matched as such.
bool Agrees(BusinessDate day, const Case& change);

/// What is wrong with a case of `day`; empty if it agrees. Give it the match of the change whatever
/// its date, and the rows that books have elsewhere: a change that is dated otherwise is in another
/// day's list. From either list the findings are the same.
///
///     payment | payout | match            | findings
///     --------+--------+------------------+------------------------------------------------------
///     row     | row of | any              | DATE_DIFFERS, and AMOUNT_DIFFERS and/or
///             | other  |                  | MERCHANT_DIFFERS
///             | date   |                  |
///     row     | other  | any              | AMOUNT_DIFFERS and/or MERCHANT_DIFFERS
///     row     | same   | matched as other | CHANGED_IN_BOTH
///     row     | same   | matched, but told | FEE_DIFFERS and/or TAX_DIFFERS
///             |        | with another fee |
///     row     | same   | differs          | CONTENT_DIFFERS
///     row     | same   | waiting or none  | PAYMENT_EVENT_MISSING and/or PAYOUT_EVENT_MISSING
///     row     | none   | any              | MISSING_IN_PAYOUT, and PAYMENT_EVENT_MISSING if it is,
///             |        |                  | because that is why
///     none    | row    | any              | MISSING_IN_PAYMENT
///     none    | none   | any              | MISSING_IN_BOTH
std::vector<Finding> Classify(BusinessDate day, const Case& change);

/// The finding that a book's digest of a bucket does not fit the rows it lists.
Finding DigestFinding(BusinessDate day, Book book, int bucket, const digest::BucketDigest& kept,
                      const digest::BucketDigest& of_rows);

}  // namespace kessai::reconciliation::domain
