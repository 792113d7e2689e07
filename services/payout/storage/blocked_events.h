#pragma once

#include <string>
#include <vector>

#include "app/day_store.h"
#include "domain/ids.h"
#include "kessai/mysql/session.h"

namespace kessai::payout::storage {

/// What the inbox of payment.events.v1 is called.
struct InboxName {
    std::string group;
    std::string topic;
};

Result<std::vector<app::BlockedEvent>> LoadBlocked(mysql::Session& session, const InboxName& inbox,
                                                   BusinessDate day, int limit);
/// The merchant of any accrual of the payment.
Result<std::optional<domain::MerchantId>> LoadMerchantOfPayment(mysql::Session& session,
                                                                domain::PaymentId payment);

}  // namespace kessai::payout::storage
