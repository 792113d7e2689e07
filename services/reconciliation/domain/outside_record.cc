#include "domain/outside_record.h"

#include <algorithm>
#include <set>

namespace kessai::reconciliation::domain {
namespace {

Status Invalid(std::string message) {
    return Status(Code::kInvalidArgument, "OUTSIDE_ACCOUNTS_INVALID", std::move(message));
}

bool IsName(std::string_view name) {
    return !name.empty() && name.size() <= OutsideAccounts::kNameMax &&
           std::ranges::all_of(name, [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
           });
}

}  // namespace

bool MayBeOurs(std::string_view reference_kind) {
    return reference_kind != "照会番号" && reference_kind != "AcctSvcrRef" &&
           reference_kind != "NtryRef";
}

std::string_view NameOf(OutsideMatchState state) {
    switch (state) {
        case OutsideMatchState::kSuggested:
            return "SUGGESTED";
        case OutsideMatchState::kMatched:
            return "MATCHED";
        case OutsideMatchState::kRejected:
            return "REJECTED";
        case OutsideMatchState::kTakenApart:
            return "TAKEN_APART";
        case OutsideMatchState::kWithdrawn:
            return "WITHDRAWN";
    }
    return "UNKNOWN";
}

Result<OutsideAccounts> OutsideAccounts::Make(std::vector<OutsideAccount> accounts) {
    if (accounts.size() > kAccountsMax) {
        return Invalid("more than " + std::to_string(kAccountsMax) + " accounts");
    }
    std::set<std::string> names;
    std::set<std::string> numbers;
    std::set<std::string> sources;
    bool has_transfers = false;
    for (const OutsideAccount& account : accounts) {
        const std::string where = "account \"" + account.name + "\" ";
        if (!IsName(account.name)) {
            return Invalid(where + "needs a name of a to z, 0 to 9 and -, of at most " +
                           std::to_string(kNameMax) + " characters");
        }
        if (account.number.empty()) return Invalid(where + "has no number");
        if (!names.insert(account.name).second) return Invalid(where + "is there twice");
        if (!numbers.insert(account.number).second) {
            return Invalid(where + "has an earlier account's number");
        }
        if (account.transfers && has_transfers) {
            return Invalid(where + "is the second one that transfers leave from");
        }
        has_transfers = has_transfers || account.transfers;
        for (const std::string& source : account.top_up_sources) {
            if (!sources.insert(source).second) {
                return Invalid(where + "has top-ups of \"" + source + "\", as an earlier one");
            }
        }
    }
    OutsideAccounts made;
    made.accounts_ = std::move(accounts);
    return made;
}

const OutsideAccount* OutsideAccounts::Find(std::string_view name) const {
    const auto found = std::ranges::find(accounts_, name, &OutsideAccount::name);
    return found == accounts_.end() ? nullptr : &*found;
}

const OutsideAccount* OutsideAccounts::FindNumber(std::string_view number) const {
    const auto found = std::ranges::find(accounts_, number, &OutsideAccount::number);
    return found == accounts_.end() ? nullptr : &*found;
}

const OutsideAccount* OutsideAccounts::OfTransfers() const {
    const auto found = std::ranges::find(accounts_, true, &OutsideAccount::transfers);
    return found == accounts_.end() ? nullptr : &*found;
}

const OutsideAccount* OutsideAccounts::OfTopUps(std::string_view source) const {
    const auto found = std::ranges::find_if(accounts_, [&](const OutsideAccount& account) {
        return std::ranges::find(account.top_up_sources, source) != account.top_up_sources.end();
    });
    return found == accounts_.end() ? nullptr : &*found;
}

std::string_view AgeBucketName(int bucket) {
    constexpr std::string_view kNames[kAgeBuckets] = {"0-1", "2-3", "4-7", "8-30", "31+"};
    return kNames[std::clamp(bucket, 0, kAgeBuckets - 1)];
}

int AgeBucketOf(int age_days) {
    constexpr int kLastDays[kAgeBuckets - 1] = {1, 3, 7, 30};
    int bucket = 0;
    while (bucket < kAgeBuckets - 1 && age_days > kLastDays[bucket]) ++bucket;
    return bucket;
}

Status UnmatchedTotal::Add(int age_days, std::int64_t count_of, std::int64_t value_of,
                           int overdue_days) {
    const auto bucket = static_cast<std::size_t>(AgeBucketOf(age_days));
    count += count_of;
    bucket_count[bucket] += count_of;
    KESSAI_ASSIGN_OR_RETURN(value, CheckedAdd(value, value_of));
    bucket_value[bucket] += value_of;
    if (age_days > overdue_days) {
        overdue_count += count_of;
        overdue_value += value_of;
    }
    oldest_days = std::max(oldest_days, age_days);
    return OkStatus();
}

}  // namespace kessai::reconciliation::domain
