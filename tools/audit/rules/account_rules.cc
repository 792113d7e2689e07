#include "rules/account_rules.h"

#include <string>
#include <utility>

namespace kessai::audit {
namespace {

using enum Invariant;

Subject OfChange(ChangeKey key, int kind, std::int64_t owner_id, std::int64_t event_id) {
    Subject subject{{"object", key.object}, {"version", std::int64_t{key.version}}};
    for (auto& part : SubjectOfAccount(kind, owner_id)) subject.push_back(std::move(part));
    subject.emplace_back("event", event_id);
    return subject;
}

}  // namespace

Subject SubjectOfAccount(int kind, std::int64_t owner_id) {
    return {{"account", AccountKindText(kind)}, {"owner", owner_id}};
}

AccountFollower::AccountFollower(int kind, std::int64_t owner_id,
                                 const std::optional<AccountRow>& account, Report& report)
    : kind_(kind),
      owner_id_(owner_id),
      account_(account),
      report_(report),
      stored_(HasStoredBalance(kind)) {
    if (stored_ == account_.has_value()) return;
    report_.Found(kM2, stored_ ? "account row is missing" : "account row that should not be", [&] {
        return Finding{OfAccount(), stored_ ? "a row with its balance" : "no stored balance",
                       stored_ ? "none" : "a row"};
    });
}

Subject AccountFollower::OfAccount() const {
    return SubjectOfAccount(kind_, owner_id_);
}

Subject AccountFollower::OfPosting(const PostingRow& posting) const {
    return OfChange(posting.key, kind_, owner_id_, posting.event_id);
}

void AccountFollower::Follow(const PostingRow& posting) {
    sum_ += posting.amount;
    last_event_id_ = posting.event_id;
    const auto subject = [&] { return OfPosting(posting); };
    if (!stored_) {
        report_.Expect(kM2, "balance after", subject, std::int64_t{0}, posting.balance_after);
        return;
    }
    // From the balance that the posting before left, so that one fault is one finding.
    report_.Expect(kM2, "balance after", subject, balance_ + posting.amount,
                   Wide{posting.balance_after});
    balance_ = posting.balance_after;
    if (sum_ < 0 || posting.balance_after < 0) {
        report_.Found(kM3, "balance after", [&] {
            return Finding{subject(), "not below 0",
                           ToText(sum_ < 0 ? sum_ : Wide{posting.balance_after})};
        });
    }
    if (account_.has_value()) {
        report_.Expect(kM2, "currency", subject, account_->currency, posting.currency);
    }
}

void AccountFollower::End() {
    if (!stored_ || !account_.has_value()) return;
    const auto subject = [&] { return OfAccount(); };
    report_.Expect(kM2, "stored balance", subject, sum_, Wide{account_->balance});
    report_.Expect(kM2, "last event", subject, last_event_id_, account_->last_event_id);
    if (account_->balance < 0) {
        report_.Found(kM3, "stored balance", [&] {
            return Finding{OfAccount(), "not below 0", std::to_string(account_->balance)};
        });
    }
}

void CheckPosting(const ImpliedPosting* implied, const PostingRow* posting, Report& report) {
    if (posting == nullptr) {
        report.Found(kM1, "posting is missing", [&] {
            return Finding{
                OfChange(implied->key, implied->kind, implied->owner_id, implied->event_id),
                ToText(implied->amount) + " " + implied->currency.ToString(), "none"};
        });
        return;
    }
    const auto subject = [&] {
        return OfChange(posting->key, posting->kind, posting->owner_id, posting->event_id);
    };
    if (implied == nullptr) {
        report.Found(kM1, "posting that no journal implies", [&] {
            return Finding{subject(), "none",
                           ToText(posting->amount) + " " + posting->currency.ToString()};
        });
        return;
    }
    report.Expect(kM1, "posting's object", subject, implied->key.object, posting->key.object);
    report.Expect(kM1, "posting's version", subject, implied->key.version, posting->key.version);
    report.Expect(kM1, "posting's amount", subject, implied->amount, posting->amount);
    report.Expect(kM1, "posting's currency", subject, implied->currency, posting->currency);
    report.Expect(kM1, "posting's business date", subject, DayText(implied->business_date),
                  DayText(posting->business_date));
    if (implied->balance_after != ImpliedPosting::kUnknown) {
        report.Expect(kM4, "top-up's balance after", subject, posting->balance_after,
                      implied->balance_after);
    }
}

}  // namespace kessai::audit
