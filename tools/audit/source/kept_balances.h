#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kessai/mysql/session.h"
#include "kessai/result/result.h"
#include "rules/running_balances.h"
#include "source/paged.h"

namespace kessai::audit {

/// A row of running_balance, of one day.
struct BalancePiece {
    std::int64_t merchant_first = 0;
    std::int64_t merchant_last = 0;
    std::string balances;
};

/// The pieces of a day, by first merchant.
struct BalancePieceTable {
    DayNumber business_date = 0;

    using Row = BalancePiece;
    Result<mysql::Rows> Fetch(mysql::Session& session, const Row* after, int limit) const;
    void Read(const mysql::Rows& from, Row& row) const;
};

/// Merchants from the first to the last.
struct MerchantRun {
    std::int64_t first = 0;
    std::int64_t last = 0;
};

/// The running balances that payout keeps, by merchant and tax class: those in force, and in the
/// place of some those of a day whose first round is under way. Constant memory but for the runs of
/// merchants that such a round has done. One thread at a time.
class KeptBalances {
 public:
    static Result<KeptBalances> Open(mysql::Session& session);

    /// Null at the end, and after a failure: see status(). Lives until Pop.
    const RunningBalance* Peek() const;
    void Pop();
    Status status() const;

    /// Whether there is a balance for this merchant, if it ever was released anything. Asked with
    /// rising merchants.
    bool Cover(std::int64_t merchant);
    std::uint64_t count() const { return count_; }
    /// What is wrong with the pieces, so far: in words, and the merchant where it is.
    struct Fault {
        std::string what;
        std::int64_t merchant = 0;
    };
    const std::vector<Fault>& faults() const { return faults_; }

 private:
    /// The balances of a day's pieces, one after the other.
    struct Stream {
        std::optional<Paged<BalancePieceTable>> pieces;
        std::vector<RunningBalance> balances;
        std::size_t at = 0;
        /// The merchant behind the last piece; nothing: that one reached the highest id.
        std::optional<std::int64_t> next;
        /// Every merchant has to be in a piece.
        bool whole = false;

        const RunningBalance* Peek() const {
            return at < balances.size() ? &balances[at] : nullptr;
        }
    };

    KeptBalances() = default;
    void Fill(Stream& stream);
    void SkipWhatIsDone();
    bool IsDone(std::int64_t merchant, std::size_t& run) const;

    Stream in_force_;
    Stream under_way_;
    /// What the round under way has done.
    std::vector<MerchantRun> done_;
    std::size_t skip_run_ = 0;
    std::size_t cover_run_ = 0;
    std::uint64_t count_ = 0;
    std::vector<Fault> faults_;
};

}  // namespace kessai::audit
