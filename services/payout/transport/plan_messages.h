#pragma once

#include "app/payout_reader.h"
#include "app/preview_fee_plan.h"
#include "domain/plan_book.h"
#include "kessai/payout/v1/payout_service.pb.h"
#include "kessai/result/result.h"

/// Fee plans as messages.
namespace kessai::payout::transport {

/// Refuses with INVALID_ARGUMENT FIELD_INVALID, CURRENCY_UNKNOWN, METHOD_UNKNOWN and TIERS_EMPTY
/// what no plan can be made of.
Result<domain::FeePlan> ToPlan(const v1::FeePlan& message);

/// The same without its days, which may be absent: it begins with the first of all.
Result<domain::FeePlan> ToPlanWithoutDays(const v1::FeePlan& message);

void FillPlan(const domain::FeePlan& plan, v1::FeePlan* message);
void FillAssignment(const domain::PlanAssignment& assignment, v1::PlanAssignment* message);
void FillPlans(const app::MerchantPlans& plans, v1::ListFeePlansResponse* message);
void FillPreview(const app::FeePlanPreview& preview, v1::FeePlanPreview* message);

/// yyyymmdd. Refuses with INVALID_ARGUMENT FIELD_INVALID; the last one takes 0 for none.
Result<BusinessDate> ParseDate(const char* field, std::int32_t number);
Result<std::optional<BusinessDate>> ParseOptionalDate(const char* field, std::int32_t number);

}  // namespace kessai::payout::transport
