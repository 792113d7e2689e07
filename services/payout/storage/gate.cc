#include "storage/gate.h"

#include "kessai/mysql/query.h"
#include "storage/row_mapping.h"

namespace kessai::payout::storage {
namespace {

constexpr mysql::Query kCount{"payout_gate.count_outbox_row",
                              "UPDATE payout_gate SET outbox_rows = outbox_rows + 1 WHERE id = ?"};
constexpr mysql::Query kRead{"payout_gate.read_outbox_rows",
                             "SELECT outbox_rows FROM payout_gate WHERE id = ?"};
constexpr mysql::Query kPlansAfter{"fee_plan.after", "SELECT " KESSAI_PLAN_COLUMNS R"sql(
    FROM fee_plan FORCE INDEX (fee_plan_revision) WHERE revision > ? ORDER BY revision)sql"};

}  // namespace

Result<std::int64_t> NextOutboxRow(mysql::Session& session, Gate gate) {
    const int id = static_cast<int>(gate);
    KESSAI_RETURN_IF_ERROR(session.Execute(kCount, id));
    KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kRead, id));
    if (!rows.Next()) return Status(Code::kInternal, "GATE_MISSING", "payout_gate lacks a row");
    return OutboxRowId(rows.Int(0), 1'024 - id);
}

Result<std::vector<domain::FeePlan>> LoadPlansAfter(mysql::Session& session,
                                                    std::int64_t revision) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kPlansAfter, revision));
    std::vector<domain::FeePlan> plans;
    while (rows.Next()) plans.push_back(ReadPlan(rows));
    return plans;
}

}  // namespace kessai::payout::storage
