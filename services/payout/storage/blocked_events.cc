#include "storage/blocked_events.h"

#include <utility>

#include "kessai/inbox/dead_letters.h"
#include "kessai/mysql/query.h"

namespace kessai::payout::storage {
namespace {

constexpr mysql::Query kMerchantOfPayment{"accrual.merchant_of_payment", R"sql(
    SELECT merchant_id FROM accrual FORCE INDEX (accrual_effect) WHERE payment_id = ?
    LIMIT 1)sql"};

}  // namespace

Result<std::vector<app::BlockedEvent>> LoadBlocked(mysql::Session& session, const InboxName& inbox,
                                                   BusinessDate day, int limit) {
    KESSAI_ASSIGN_OR_RETURN(auto blocked,
                            inbox::ListBlocked(session, inbox.group, inbox.topic, day, limit));
    std::vector<app::BlockedEvent> events;
    events.reserve(blocked.size());
    for (inbox::BlockedEvent& event : blocked) {
        events.push_back({event.object_id, event.business_date, std::move(event.value)});
    }
    return events;
}

Result<std::optional<domain::MerchantId>> LoadMerchantOfPayment(mysql::Session& session,
                                                                domain::PaymentId payment) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kMerchantOfPayment, payment));
    if (!rows.Next()) return std::optional<domain::MerchantId>();
    return std::optional<domain::MerchantId>(domain::MerchantId(rows.Int(0)));
}

}  // namespace kessai::payout::storage
