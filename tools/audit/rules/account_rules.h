#pragma once

#include <cstdint>
#include <optional>

#include "model/payment_rows.h"
#include "model/wide.h"
#include "report.h"
#include "rules/implied_postings.h"

namespace kessai::audit {

/// M2 and M3 of one account: follows its postings in the order of their events.
/// - Of accounts with a stored balance each posting's balance is the one before it and its amount,
///   and the account's row has the sum of all, the last one's event and the currency. Other
///   accounts have neither.
/// - A customer's balance is at no point below zero.
class AccountFollower {
 public:
    AccountFollower(int kind, std::int64_t owner_id, const std::optional<AccountRow>& account,
                    Report& report);

    void Follow(const PostingRow& posting);
    /// After the last posting.
    void End();

 private:
    Subject OfAccount() const;
    Subject OfPosting(const PostingRow& posting) const;

    const int kind_;
    const std::int64_t owner_id_;
    const std::optional<AccountRow>& account_;
    Report& report_;
    const bool stored_;
    Wide sum_ = 0;
    /// What the last posting says.
    Wide balance_ = 0;
    std::int64_t last_event_id_ = 0;
};

/// M1 of one place in table `posting`: the row there, and what journals imply to be there. Either
/// may be absent, not both.
void CheckPosting(const ImpliedPosting* implied, const PostingRow* posting, Report& report);

/// How an account shows in findings: {{"account", "user_money"}, {"owner", 7}}.
Subject SubjectOfAccount(int kind, std::int64_t owner_id);

}  // namespace kessai::audit
