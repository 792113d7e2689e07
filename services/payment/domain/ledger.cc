#include "domain/ledger.h"

#include "kessai/result/check.h"

namespace kessai::payment::domain {
namespace {

constexpr std::int64_t kNoOwner = 0;

}  // namespace

std::string_view AccountName(AccountKind account) {
    switch (account) {
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

std::int64_t MerchantGross(const Change& change) {
    switch (change.kind) {
        case ChangeKind::kCompleted:
            return change.amount.minor();
        case ChangeKind::kCanceled:
        case ChangeKind::kRefunded:
            return -change.amount.minor();
        case ChangeKind::kToppedUp:
        case ChangeKind::kReleaseCleared:
            return 0;
    }
    return 0;
}

std::array<Posting, 2> PostingsOf(const Change& change) {
    const std::int64_t amount = change.amount.minor();
    const std::int64_t user = change.user.value();
    const std::int64_t merchant = change.merchant.value();
    switch (change.kind) {
        case ChangeKind::kCompleted:
            return {Posting{AccountKind::kUserMoney, user, -amount},
                    Posting{AccountKind::kMerchantPayable, merchant, amount}};
        case ChangeKind::kCanceled:
        case ChangeKind::kRefunded:
            return {Posting{AccountKind::kUserMoney, user, amount},
                    Posting{AccountKind::kMerchantPayable, merchant, -amount}};
        case ChangeKind::kToppedUp:
            return {Posting{AccountKind::kUserMoney, user, amount},
                    Posting{AccountKind::kDevelopmentFunding, kNoOwner, -amount}};
        case ChangeKind::kReleaseCleared:
            return {Posting{AccountKind::kPayableReleased, kNoOwner, -amount},
                    Posting{AccountKind::kPayoutClearing, kNoOwner, amount}};
    }
    KESSAI_CHECK(false, "a change has a kind");
}

bool IsChangeKind(std::int64_t number) {
    return number >= static_cast<int>(ChangeKind::kCompleted) &&
           number <= static_cast<int>(ChangeKind::kReleaseCleared);
}

}  // namespace kessai::payment::domain
