#pragma once

#include <optional>
#include <string>

#include "app/books.h"
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
    LookAgain(Transactions& transactions, PeerBook& payment, PeerBook& payout, RepairPeers& peers,
              const digest::RowHasher& hasher)
        : transactions_(transactions),
          payment_(payment),
          payout_(payout),
          peers_(peers),
          hasher_(hasher) {}

    /// The refusals of the books: nothing is known then.
    Result<Look> Run(const domain::Discrepancy& discrepancy, const domain::Repair& repair) const;

    /// Whether the rows of the bucket are the same in all three books, so that a digest may be
    /// computed from them; the number of changes that are not.
    Result<int> DifferentRows(BusinessDate day, int bucket) const;
    /// Our own matches' digest of the bucket, from the rows.
    Result<digest::BucketDigest> DigestOfMatches(BusinessDate day, int bucket) const;

 private:
    Result<Look> AtChange(const domain::Discrepancy& discrepancy) const;
    Result<Look> AtDigest(const domain::Discrepancy& discrepancy) const;
    Result<Look> AtJournal(const domain::Repair& repair) const;

    Transactions& transactions_;
    PeerBook& payment_;
    PeerBook& payout_;
    RepairPeers& peers_;
    const digest::RowHasher& hasher_;
};

}  // namespace kessai::reconciliation::app
