#include "model/payment_rows.h"

namespace kessai::audit {

std::string AccountKindText(int account_kind) {
    switch (account_kind) {
        case kUserMoney:
            return "user_money";
        case kMerchantPayable:
            return "merchant_payable";
        case kPayableReleased:
            return "payable_released";
        case kPayoutClearing:
            return "payout_clearing";
        case kDevelopmentFunding:
            return "development_funding";
        default:
            return "kind_" + std::to_string(account_kind);
    }
}

}  // namespace kessai::audit
