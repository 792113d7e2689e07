#include "app/peer_book.h"

#include <map>

namespace kessai::reconciliation::app {

namespace {

using domain::Case;
using domain::ChangeKey;

Status FindElsewhere(PeerBook& book, BusinessDate day, std::span<Case> cases,
                     std::optional<domain::BookRow> Case::*listed,
                     std::optional<domain::DatedRow> Case::*elsewhere) {
    std::map<ChangeKey, Case*> lacking;
    std::vector<ChangeKey> keys;
    for (Case& change : cases) {
        if (change.*listed) continue;
        keys.push_back(change.key);
        lacking.emplace(change.key, &change);
    }
    if (keys.empty()) return OkStatus();
    KESSAI_ASSIGN_OR_RETURN(auto found, book.FindRows(keys));
    for (domain::DatedRow& row : found) {
        const auto change = lacking.find(row.row.key);
        // One of this day that was not listed stands in a bucket that is not its own, or has come
        // since: the day's list is what is compared.
        if (change == lacking.end() || row.business_date == day) continue;
        change->second->*elsewhere = std::move(row);
    }
    return OkStatus();
}

}  // namespace

Status FindElsewhere(PeerBook& payment, PeerBook& payout, BusinessDate day, std::span<Case> cases) {
    KESSAI_RETURN_IF_ERROR(
        FindElsewhere(payment, day, cases, &Case::payment, &Case::payment_elsewhere));
    return FindElsewhere(payout, day, cases, &Case::payout, &Case::payout_elsewhere);
}

}  // namespace kessai::reconciliation::app
