#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/books.h"
#include "app/payout_day_book.h"
#include "app/peer_book.h"
#include "app/repair_peers.h"
#include "domain/discrepancy.h"
#include "domain/repair.h"
#include "kessai/digest/row_hash.h"
#include "kessai/result/result.h"

namespace kessai::reconciliation::app {

/// What was seen of a difference that a repair should have ended.
struct Look {
    bool gone = false;
    /// How it was seen, or what is still there.
    std::string seen{};
};

/// Compares one change, or one bucket's digest, as a deep run of its day would, and no more than
/// that: whether a difference is still there. Thread safe.
class LookAgain {
 public:
    /// All must outlive it.
    LookAgain(Transactions& transactions, PeerBook& payment, PeerBook& payout,
              PayoutDayBook& payout_day, RepairPeers& peers, const digest::RowHasher& hasher)
        : transactions_(transactions),
          payment_(payment),
          payout_(payout),
          payout_day_(payout_day),
          peers_(peers),
          hasher_(hasher) {}

    /// The refusals of the books: nothing is known then.
    Result<Look> Run(const domain::Discrepancy& discrepancy, const domain::Repair& repair) const;

    /// What a deep run of the day would find of one change; empty: nothing.
    Result<std::vector<domain::Finding>> FindingsOf(BusinessDate day,
                                                    domain::ChangeKey change) const;
    /// Whether the rows of the bucket are the same in all three books, so that a digest may be
    /// computed from them; the number of changes that are not.
    Result<int> DifferentRows(BusinessDate day, int bucket) const;
    /// Whether the digest that a book keeps of a bucket is that of its rows.
    Result<bool> DigestFits(domain::Book book, BusinessDate day, int bucket) const;
    /// The books whose kept digest of the bucket does not fit their rows, as a deep run says it.
    Result<std::vector<domain::Finding>> WrongDigests(BusinessDate day, int bucket) const;
    /// A merchant's day as payout's totals say it, and ours of what was matched.
    Result<domain::MerchantDay> AtMerchant(BusinessDate day, domain::MerchantId merchant) const;
    /// Our own matches' digest of the bucket, from the rows.
    Result<digest::BucketDigest> DigestOfMatches(BusinessDate day, int bucket) const;

 private:
    Result<Look> AtChange(const domain::Discrepancy& discrepancy) const;
    Result<Look> AtDigest(const domain::Discrepancy& discrepancy) const;
    Result<Look> AtTotals(const domain::Discrepancy& discrepancy) const;
    Result<Look> AtJournal(const domain::Repair& repair) const;
    /// What a book keeps of a bucket, and what its rows sum up to.
    struct Digests {
        digest::BucketDigest kept;
        digest::BucketDigest of_rows;
    };
    Result<Digests> DigestsOf(domain::Book book, BusinessDate day, int bucket) const;

    Transactions& transactions_;
    PeerBook& payment_;
    PeerBook& payout_;
    PayoutDayBook& payout_day_;
    RepairPeers& peers_;
    const digest::RowHasher& hasher_;
};

}  // namespace kessai::reconciliation::app
