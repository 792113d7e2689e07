#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "checks/payment_passes.h"
#include "rules/account_rules.h"

namespace kessai::audit {
namespace {

using enum Invariant;

/// (owner, kind): the order of tables account and posting.
using AccountId = std::pair<std::int64_t, int>;

class AccountPass {
 public:
    AccountPass(mysql::Session& session, Sorted<ImpliedPosting> implied,
                Sorter<MerchantDaySum>& payable, MovedByDay& moved, Report& report)
        : accounts_(session),
          postings_(session),
          implied_(std::move(implied)),
          payable_(payable),
          moved_(moved),
          report_(report) {}

    Status Run() {
        while (const auto id = NextAccount()) CheckAccount(*id);
        KESSAI_RETURN_IF_ERROR(accounts_.status());
        KESSAI_RETURN_IF_ERROR(postings_.status());
        KESSAI_RETURN_IF_ERROR(implied_.status());
        CheckTrialBalance();
        report_.LookedAt(kM1, "postings", postings_.count());
        report_.LookedAt(kM2, "accounts", accounts_.count());
        report_.LookedAt(kM2, "postings", postings_.count());
        report_.LookedAt(kM3, "accounts", accounts_.count());
        report_.LookedAt(kM3, "running balances", stored_postings_);
        return OkStatus();
    }

 private:
    std::optional<AccountId> NextAccount() {
        std::optional<AccountId> next;
        const auto see = [&](const auto* row) {
            if (row == nullptr) return;
            const AccountId id(row->owner_id, row->kind);
            if (!next.has_value() || id < *next) next = id;
        };
        see(accounts_.Peek());
        see(postings_.Peek());
        see(implied_.Peek());
        return next;
    }
    template <class Row>
    static bool IsOf(const Row* row, const AccountId& id) {
        return row != nullptr && row->owner_id == id.first && row->kind == id.second;
    }

    void CheckAccount(const AccountId& id) {
        std::optional<AccountRow> account;
        if (IsOf(accounts_.Peek(), id)) {
            account = *accounts_.Peek();
            accounts_.Pop();
        }
        std::optional<AccountFollower> follower;
        if (account.has_value() || IsOf(postings_.Peek(), id)) {
            follower.emplace(id.second, id.first, account, report_);
        }
        while (IsOf(postings_.Peek(), id) || IsOf(implied_.Peek(), id)) {
            const ImpliedPosting* implied = IsOf(implied_.Peek(), id) ? implied_.Peek() : nullptr;
            const PostingRow* posting = IsOf(postings_.Peek(), id) ? postings_.Peek() : nullptr;
            if (implied && posting && implied->event_id != posting->event_id) {
                const bool implied_first = implied->event_id < posting->event_id;
                posting = implied_first ? nullptr : posting;
                implied = implied_first ? implied : nullptr;
            }
            CheckPosting(implied, posting, report_);
            if (posting != nullptr) {
                follower->Follow(*posting);
                AddUp(*posting);
                postings_.Pop();
            }
            if (implied != nullptr) implied_.Pop();
        }
        if (follower.has_value()) follower->End();
        PassOnPayable(id);
    }

    void AddUp(const PostingRow& posting) {
        if (HasStoredBalance(posting.kind)) ++stored_postings_;
        sums_[posting.currency] += posting.amount;
        moved_[{posting.business_date, posting.kind}] += posting.amount;
        if (posting.kind == kMerchantPayable) {
            payable_by_day_[{posting.business_date, posting.currency}] += posting.amount;
        }
    }

    void PassOnPayable(const AccountId& id) {
        for (const auto& [key, amount] : payable_by_day_) {
            payable_.Add({key.first, key.second, id.first, amount});
        }
        payable_by_day_.clear();
    }

    void CheckTrialBalance() {
        for (const auto& [currency, sum] : sums_) {
            report_.Expect(
                kM1, "sum of all postings",
                [&] {
                    return Subject{{"currency", currency.ToString()}};
                },
                Wide{0}, sum);
        }
    }

    Paged<AccountTable> accounts_;
    Paged<PostingTable> postings_;
    Sorted<ImpliedPosting> implied_;
    Sorter<MerchantDaySum>& payable_;
    MovedByDay& moved_;
    Report& report_;
    std::uint64_t stored_postings_ = 0;
    std::map<CurrencyCode, Wide> sums_;
    /// Of the account at hand: as many entries as it has days.
    std::map<std::pair<DayNumber, CurrencyCode>, Wide> payable_by_day_;
};

}  // namespace

Status PassOverAccounts(mysql::Session& session, Sorted<ImpliedPosting> implied,
                        Sorter<MerchantDaySum>& payable, MovedByDay& moved, Report& report) {
    return AccountPass(session, std::move(implied), payable, moved, report).Run();
}

}  // namespace kessai::audit
