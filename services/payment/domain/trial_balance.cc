#include "domain/trial_balance.h"

#include "domain/refusal.h"
#include "kessai/money/money.h"

namespace kessai::payment::domain {

std::string_view AccountKindName(AccountKind kind) {
    switch (kind) {
        case AccountKind::kUserMoney:
            return "USER_MONEY";
        case AccountKind::kMerchantPayable:
            return "MERCHANT_PAYABLE";
        case AccountKind::kPayableReleased:
            return "PAYABLE_RELEASED";
        case AccountKind::kPayoutClearing:
            return "PAYOUT_CLEARING";
        case AccountKind::kDevelopmentFunding:
            return "DEVELOPMENT_FUNDING";
    }
    return "UNKNOWN";
}

Status TrialBalance::Add(AccountKind account, std::int64_t amount) {
    std::int64_t& sum = sums_[Place(account)];
    const auto after = CheckedAdd(sum, amount);
    if (!after.ok()) return Refuse(Refusal::kAmountOutOfRange, "the sums do not fit 64 bits");
    sum = *after;
    return OkStatus();
}

Status TrialBalance::Add(ChangeKind kind, std::int64_t amount) {
    const auto move = [&](AccountKind from, AccountKind to) -> Status {
        const auto taken = CheckedSubtract(0, amount);
        if (!taken.ok()) return Refuse(Refusal::kAmountOutOfRange, "the sums do not fit 64 bits");
        KESSAI_RETURN_IF_ERROR(Add(from, *taken));
        return Add(to, amount);
    };
    switch (kind) {
        case ChangeKind::kCompleted:
            return move(AccountKind::kUserMoney, AccountKind::kMerchantPayable);
        case ChangeKind::kCanceled:
        case ChangeKind::kRefunded:
            return move(AccountKind::kMerchantPayable, AccountKind::kUserMoney);
        case ChangeKind::kToppedUp:
            return move(AccountKind::kDevelopmentFunding, AccountKind::kUserMoney);
        case ChangeKind::kReleaseCleared:
            return move(AccountKind::kPayableReleased, AccountKind::kPayoutClearing);
    }
    return OkStatus();
}

Status TrialBalance::Add(const TrialBalance& other) {
    for (int number = 1; number <= kAccountKinds; ++number) {
        const auto account = static_cast<AccountKind>(number);
        KESSAI_RETURN_IF_ERROR(Add(account, other.Of(account)));
    }
    return OkStatus();
}

}  // namespace kessai::payment::domain
