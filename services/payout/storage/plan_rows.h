#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "domain/plan_book.h"
#include "kessai/mysql/rows.h"
#include "kessai/mysql/session.h"
#include "kessai/result/result.h"

/// Fee plans, assignments and volumes as rows.
namespace kessai::payout::storage {

#define KESSAI_PLAN_COLUMNS                                                                \
    "plan_id, version, merchant_id, currency, rate_basis_points, fixed_fee, minimum_fee, " \
    "maximum_fee, effective_from, effective_to, revision"

inline constexpr int kPlanColumns = 11;

/// All of `rows`, with their rules. `also` sees each row, and what columns it has beyond these.
Result<std::vector<domain::FeePlan>> ReadPlans(
    mysql::Session& session, mysql::Rows& rows,
    const std::function<void(const mysql::Rows&)>& also = {});
/// The rows of a plan version, rules included.
Status InsertPlan(mysql::Session& session, const domain::FeePlan& plan, Instant at,
                  std::string_view put_by);

#define KESSAI_ASSIGNMENT_COLUMNS "merchant_id, revision, plan_id, effective_from, effective_to"

inline constexpr int kAssignmentColumns = 5;

domain::PlanAssignment ReadAssignment(const mysql::Rows& row);

#define KESSAI_VOLUME_COLUMNS "merchant_id, month_start, volume, effective_from, revision"

domain::MonthVolume ReadVolume(const mysql::Rows& row);

/// What was put above `revision`, whole revisions only, whoever puts another meanwhile.
Result<domain::PlanUpdates> LoadPlansAfter(mysql::Session& session, std::int64_t revision);

}  // namespace kessai::payout::storage
