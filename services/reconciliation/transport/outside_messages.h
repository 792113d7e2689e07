#pragma once

#include <string>
#include <string_view>

#include "app/match_outside.h"
#include "app/outside_books.h"
#include "app/outside_enquiries.h"
#include "domain/outside_record.h"
#include "kessai/reconciliation/v1/statement_service.pb.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"

namespace kessai::reconciliation::transport {

v1::OutsideText ToProto(const app::StoredText& text);
v1::StatementImport ToProto(const app::StatementImport& import);
v1::MatchingRun ToProto(const app::MatchingRun& run);
/// `today` and the account's `overdue_days` say how old it is; null: of an account that is not
/// configured any more.
v1::OutsideItem ToProto(const domain::OutsideRecord& item, BusinessDate today,
                        const domain::OutsideAccount* account);
v1::OutsideMatch ToProto(const app::MatchDetails& details, BusinessDate today,
                         const domain::OutsideAccounts& accounts);
v1::OutsideSummary::Account ToProto(const app::AccountSummary& summary);

/// The place in a list of unmatched items, as text that callers give back.
std::string PageTokenOf(const domain::OutsideRecord& item);
/// Sets where `filter` goes on. Empty: from the oldest. INVALID_ARGUMENT PAGE_TOKEN_INVALID.
Status ReadPageToken(std::string_view token, app::UnmatchedFilter& filter);

}  // namespace kessai::reconciliation::transport
