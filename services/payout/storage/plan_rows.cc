#include "storage/plan_rows.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "kessai/mysql/query.h"
#include "storage/row_mapping.h"

namespace kessai::payout::storage {
namespace {

constexpr mysql::Query kInsertPlan{"fee_plan.insert", "INSERT INTO fee_plan (" KESSAI_PLAN_COLUMNS
                                                      ", put_at_us, put_by) VALUES {rows}"};
constexpr mysql::Query kInsertRules{"fee_plan_rule.insert", R"sql(
    INSERT INTO fee_plan_rule (plan_id, version, rule, volume_from, store_id, method, date_from,
                               date_to, first_days, rate_basis_points, fixed_fee, minimum_fee,
                               maximum_fee)
    VALUES {rows})sql"};
constexpr mysql::Query kRulesOf{"fee_plan_rule.of_plans", R"sql(
    SELECT plan_id, version, rule, volume_from, rate_basis_points, fixed_fee, minimum_fee,
           maximum_fee, store_id, method, date_from, date_to, first_days
    FROM fee_plan_rule FORCE INDEX (PRIMARY) WHERE plan_id IN ({keys})
    ORDER BY plan_id, version, rule, volume_from)sql"};
// All gates are changed together.
constexpr mysql::Query kRevision{"slot_gate.plan_revision",
                                 "SELECT plan_revision FROM slot_gate WHERE slot = 0"};
constexpr mysql::Query kPlansAfter{"fee_plan.after", "SELECT " KESSAI_PLAN_COLUMNS R"sql(
    FROM fee_plan FORCE INDEX (fee_plan_revision)
    WHERE revision > ? AND revision <= ? ORDER BY revision)sql"};
constexpr mysql::Query kAssignmentsAfter{"plan_assignment.after",
                                         "SELECT " KESSAI_ASSIGNMENT_COLUMNS R"sql(
    FROM plan_assignment FORCE INDEX (plan_assignment_revision)
    WHERE revision > ? AND revision <= ?)sql"};
constexpr mysql::Query kVolumesAfter{"merchant_volume.after", "SELECT " KESSAI_VOLUME_COLUMNS R"sql(
    FROM merchant_volume FORCE INDEX (merchant_volume_revision)
    WHERE revision > ? AND revision <= ?)sql"};

constexpr std::size_t kPlansPerList = 500;
constexpr std::size_t kPutByMax = 255;

domain::FeeTerms ReadTerms(const mysql::Rows& row, int column) {
    return {.rate_basis_points = static_cast<std::uint32_t>(row.Int(column)),
            .fixed = row.Int(column + 1),
            .minimum = row.Int(column + 2),
            .maximum = row.Int(column + 3)};
}

domain::FeePlan ReadPlan(const mysql::Rows& row) {
    domain::FeePlan plan;
    plan.id = domain::PlanId(row.Int(0));
    plan.version = static_cast<std::uint32_t>(row.Int(1));
    plan.merchant = domain::MerchantId(row.Int(2));
    plan.currency = ReadCurrency(row, 3);
    plan.terms = ReadTerms(row, 4);
    plan.effective_from = row.Date(8);
    if (!row.IsNull(9)) plan.effective_to = row.Date(9);
    plan.revision = row.Int(10);
    return plan;
}

domain::FeeRule ReadConditions(const mysql::Rows& row) {
    domain::FeeRule rule;
    rule.store = row.Text(8);
    if (row.Int(9) != 0) rule.method = static_cast<domain::Method>(row.Int(9));
    if (!row.IsNull(10)) rule.from = row.Date(10);
    if (!row.IsNull(11)) rule.to = row.Date(11);
    rule.first_days = static_cast<std::uint32_t>(row.Int(12));
    return rule;
}

using Versions = std::map<std::pair<domain::PlanId, std::uint32_t>, domain::FeePlan*>;

void ReadRules(mysql::Rows& rows, const Versions& versions) {
    while (rows.Next()) {
        const auto found =
            versions.find({domain::PlanId(rows.Int(0)), static_cast<std::uint32_t>(rows.Int(1))});
        if (found == versions.end()) continue;
        domain::FeePlan& plan = *found->second;
        const auto rule = static_cast<std::size_t>(rows.Int(2));
        const std::int64_t volume_from = rows.Int(3);
        const domain::FeeTerms terms = ReadTerms(rows, 4);
        if (rule > plan.rules.size()) plan.rules.push_back(ReadConditions(rows));
        if (volume_from == 0) {
            plan.rules.back().terms = terms;
        } else {
            (rule == 0 ? plan.tiers : plan.rules.back().tiers).push_back({volume_from, terms});
        }
    }
}

void AddRule(const domain::FeePlan& plan, std::size_t number, std::int64_t volume_from,
             const domain::FeeRule& rule, const domain::FeeTerms& terms, mysql::RowList& rows) {
    rows.Add(plan.id, plan.version, static_cast<std::int64_t>(number), volume_from, rule.store,
             rule.method ? static_cast<int>(*rule.method) : 0, rule.from, rule.to, rule.first_days,
             terms.rate_basis_points, terms.fixed, terms.minimum, terms.maximum);
}

mysql::RowList RuleRows(const domain::FeePlan& plan) {
    mysql::RowList rows;
    for (const domain::FeeTier& tier : plan.tiers) {
        AddRule(plan, 0, tier.volume_from, domain::FeeRule(), tier.terms, rows);
    }
    for (std::size_t i = 0; i < plan.rules.size(); ++i) {
        const domain::FeeRule& rule = plan.rules[i];
        AddRule(plan, i + 1, 0, rule, rule.terms, rows);
        for (const domain::FeeTier& tier : rule.tiers) {
            AddRule(plan, i + 1, tier.volume_from, rule, tier.terms, rows);
        }
    }
    return rows;
}

}  // namespace

Result<std::vector<domain::FeePlan>> ReadPlans(
    mysql::Session& session, mysql::Rows& rows,
    const std::function<void(const mysql::Rows&)>& also) {
    std::vector<domain::FeePlan> plans;
    while (rows.Next()) {
        plans.push_back(ReadPlan(rows));
        if (also) also(rows);
    }
    for (std::size_t at = 0; at < plans.size(); at += kPlansPerList) {
        Versions versions;
        mysql::KeyList ids;
        for (std::size_t i = at; i < std::min(plans.size(), at + kPlansPerList); ++i) {
            versions[{plans[i].id, plans[i].version}] = &plans[i];
            ids.Add(plans[i].id);
        }
        KESSAI_ASSIGN_OR_RETURN(auto rules, session.Select(kRulesOf, ids));
        ReadRules(rules, versions);
    }
    return plans;
}

Status InsertPlan(mysql::Session& session, const domain::FeePlan& plan, Instant at,
                  std::string_view put_by) {
    mysql::RowList rows;
    rows.Add(plan.id, plan.version, plan.merchant, plan.currency.code(),
             plan.terms.rate_basis_points, plan.terms.fixed, plan.terms.minimum, plan.terms.maximum,
             plan.effective_from, plan.effective_to, plan.revision, at, CutText(put_by, kPutByMax));
    KESSAI_RETURN_IF_ERROR(session.Execute(kInsertPlan, rows));
    const mysql::RowList rules = RuleRows(plan);
    if (rules.empty()) return OkStatus();
    return internal::TakeStatus(session.Execute(kInsertRules, rules));
}

domain::PlanAssignment ReadAssignment(const mysql::Rows& row) {
    domain::PlanAssignment assignment;
    assignment.merchant = domain::MerchantId(row.Int(0));
    assignment.revision = row.Int(1);
    assignment.plan = domain::PlanId(row.Int(2));
    assignment.effective_from = row.Date(3);
    if (!row.IsNull(4)) assignment.effective_to = row.Date(4);
    return assignment;
}

domain::MonthVolume ReadVolume(const mysql::Rows& row) {
    return {domain::MerchantId(row.Int(0)), row.Date(1), row.Int(2), row.Date(3), row.Int(4)};
}

Result<domain::PlanUpdates> LoadPlansAfter(mysql::Session& session, std::int64_t revision) {
    domain::PlanUpdates updates;
    KESSAI_ASSIGN_OR_RETURN(auto gate, session.Select(kRevision));
    if (!gate.Next()) return Status(Code::kInternal, "GATE_MISSING", "slot_gate lacks a row");
    updates.revision = std::max(revision, gate.Int(0));
    if (updates.revision == revision) return updates;
    KESSAI_ASSIGN_OR_RETURN(auto plans, session.Select(kPlansAfter, revision, updates.revision));
    KESSAI_ASSIGN_OR_RETURN(updates.plans, ReadPlans(session, plans));
    KESSAI_ASSIGN_OR_RETURN(auto assignments,
                            session.Select(kAssignmentsAfter, revision, updates.revision));
    while (assignments.Next()) updates.assignments.push_back(ReadAssignment(assignments));
    KESSAI_ASSIGN_OR_RETURN(auto volumes,
                            session.Select(kVolumesAfter, revision, updates.revision));
    while (volumes.Next()) updates.volumes.push_back(ReadVolume(volumes));
    return updates;
}

}  // namespace kessai::payout::storage
