#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "domain/ledger.h"
#include "kessai/result/result.h"

namespace kessai::payout::domain {

/// What postings sum to, account by account: what we owe (see Account) rises with positive amounts.
class TrialBalance {
 public:
    /// OUT_OF_RANGE AMOUNT_OVERFLOW.
    Status Add(std::span<const Posting> journal);
    /// OUT_OF_RANGE AMOUNT_OVERFLOW.
    Status Add(const TrialBalance& other);

    std::int64_t Of(Account account) const { return sums_[static_cast<std::size_t>(account)]; }
    /// Over all accounts: zero, or a journal is wrong. OUT_OF_RANGE AMOUNT_OVERFLOW.
    Result<std::int64_t> Total() const;

    bool operator==(const TrialBalance&) const = default;

 private:
    std::array<std::int64_t, kAccounts> sums_{};
};

}  // namespace kessai::payout::domain
