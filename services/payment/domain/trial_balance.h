#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "domain/ledger.h"
#include "kessai/result/result.h"

namespace kessai::payment::domain {

inline constexpr int kAccountKinds = 5;

/// "USER_MONEY" and so on, as reports show it.
std::string_view AccountKindName(AccountKind kind);

/// What postings sum to, by kind of account over all owners, minor units: what we owe rises with
/// positive amounts.
class TrialBalance {
 public:
    /// OUT_OF_RANGE AMOUNT_OUT_OF_RANGE.
    Status Add(AccountKind account, std::int64_t amount);
    /// The postings of changes of a kind that move `amount` together (see apply.cc); of a kind that
    /// is none, nothing.
    Status Add(ChangeKind kind, std::int64_t amount);
    Status Add(const TrialBalance& other);

    std::int64_t Of(AccountKind account) const { return sums_[Place(account)]; }

    bool operator==(const TrialBalance&) const = default;

 private:
    static std::size_t Place(AccountKind account) { return static_cast<std::size_t>(account) - 1; }

    std::array<std::int64_t, kAccountKinds> sums_{};
};

}  // namespace kessai::payment::domain
