#include "rules/implied_postings.h"

namespace kessai::audit {
namespace {

constexpr std::int64_t kNoOwner = 0;

/// Damaged amounts wrap instead of being undefined; they are found either way.
std::int64_t Negated(std::int64_t amount) {
    return static_cast<std::int64_t>(0 - static_cast<std::uint64_t>(amount));
}

}  // namespace

std::optional<std::array<ImpliedPosting, 2>> ImpliedPostings(const Change& change) {
    ImpliedPosting plain;
    plain.event_id = change.event_id;
    plain.key = change.key;
    plain.business_date = change.business_date;
    plain.currency = change.currency;
    std::array<ImpliedPosting, 2> postings{plain, plain};

    const auto move = [&](AccountKind from, std::int64_t from_owner, AccountKind to,
                          std::int64_t to_owner) {
        postings[0].kind = from;
        postings[0].owner_id = from_owner;
        postings[0].amount = Negated(change.amount);
        postings[1].kind = to;
        postings[1].owner_id = to_owner;
        postings[1].amount = change.amount;
        return postings;
    };
    switch (change.kind) {
        case kCompleted:
            return move(kUserMoney, change.user_id, kMerchantPayable, change.merchant_id);
        case kCanceled:
        case kRefunded:
            return move(kMerchantPayable, change.merchant_id, kUserMoney, change.user_id);
        case kToppedUp:
            return move(kDevelopmentFunding, kNoOwner, kUserMoney, change.user_id);
        case kReleaseCleared:
            return move(kPayableReleased, kNoOwner, kPayoutClearing, kNoOwner);
        default:
            return std::nullopt;
    }
}

}  // namespace kessai::audit
