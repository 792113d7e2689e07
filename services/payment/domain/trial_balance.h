#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "domain/ledger.h"
#include "kessai/result/result.h"

namespace kessai::payment::domain {

/// What postings sum to, account by account over all owners, in minor units: what we owe (see
/// AccountKind) rises with positive amounts.
class TrialBalance {
 public:
    /// OUT_OF_RANGE AMOUNT_OVERFLOW.
    Status Add(std::span<const Posting> journal);
    /// OUT_OF_RANGE AMOUNT_OVERFLOW.
    Status Add(const TrialBalance& other);

    std::int64_t Of(AccountKind account) const { return sums_[PlaceOf(account)]; }
    /// Over all accounts: zero, or a journal is wrong. OUT_OF_RANGE AMOUNT_OVERFLOW.
    Result<std::int64_t> Total() const;

    bool operator==(const TrialBalance&) const = default;

 private:
    /// Accounts are numbered from 1.
    static std::size_t PlaceOf(AccountKind account) {
        return static_cast<std::size_t>(account) - 1;
    }

    std::array<std::int64_t, kAccounts> sums_{};
};

}  // namespace kessai::payment::domain
