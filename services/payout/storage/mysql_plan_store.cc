#include "storage/mysql_plan_store.h"

#include <string>

#include "kessai/mysql/query.h"
#include "kessai/mysql/transaction.h"
#include "storage/row_mapping.h"

namespace kessai::payout::storage {
namespace {

// In order, as everybody who locks more than one would.
constexpr mysql::Query kLockAllGates{"slot_gate.lock_all",
                                     "SELECT slot FROM slot_gate ORDER BY slot FOR UPDATE"};
constexpr mysql::Query kVersions{"fee_plan.of_merchant", "SELECT " KESSAI_PLAN_COLUMNS R"sql(
    FROM fee_plan WHERE merchant_id = ? ORDER BY plan_id, version)sql"};
// A point look-up a day.
constexpr mysql::Query kHasAccruals{"merchant_day_total.has_any", R"sql(
    SELECT 1 FROM payout_day d
    JOIN merchant_day_total t ON t.business_date = d.business_date AND t.merchant_id = ?
    LIMIT 1)sql"};
constexpr mysql::Query kHasAnyAccruals{"merchant_day_total.has_any_merchant",
                                       "SELECT 1 FROM merchant_day_total LIMIT 1"};
constexpr mysql::Query kLatestDay{"payout_day.latest", "SELECT MAX(business_date) FROM payout_day"};
constexpr mysql::Query kHighest{"fee_plan.highest", R"sql(
    SELECT COALESCE(MAX(plan_id), 0), COALESCE(MAX(revision), 0),
           COALESCE(MAX(CASE WHEN plan_id = ? THEN version END), 0)
    FROM fee_plan)sql"};
constexpr mysql::Query kInsert{"fee_plan.insert", "INSERT INTO fee_plan (" KESSAI_PLAN_COLUMNS
                                                  ", put_at_us, put_by) VALUES {rows}"};
constexpr mysql::Query kSetRevision{"slot_gate.set_plan_revision",
                                    "UPDATE slot_gate SET plan_revision = ?"};

constexpr std::size_t kPutByMax = 255;

class MysqlPlanTransaction final : public app::PlanTransaction {
 public:
    explicit MysqlPlanTransaction(mysql::Session& session) : session_(session) {}

    Result<std::vector<domain::FeePlan>> Versions(domain::MerchantId merchant) override {
        KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kVersions, merchant));
        std::vector<domain::FeePlan> plans;
        while (rows.Next()) plans.push_back(ReadPlan(rows));
        return plans;
    }

    Result<bool> HasAccruals(domain::MerchantId merchant) override {
        KESSAI_ASSIGN_OR_RETURN(auto rows, merchant.is_none()
                                               ? session_.Select(kHasAnyAccruals)
                                               : session_.Select(kHasAccruals, merchant));
        return rows.Next();
    }

    Result<std::optional<BusinessDate>> LatestDay() override {
        KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kLatestDay));
        if (!rows.Next() || rows.IsNull(0)) return std::optional<BusinessDate>();
        return std::optional<BusinessDate>(rows.Date(0));
    }

    Result<domain::FeePlan> Insert(const domain::FeePlan& plan, std::string_view put_by,
                                   Instant at) override {
        KESSAI_ASSIGN_OR_RETURN(auto highest, session_.Select(kHighest, plan.id));
        highest.Next();
        domain::FeePlan stored = plan;
        if (stored.id.is_none()) stored.id = domain::PlanId(highest.Int(0) + 1);
        stored.revision = highest.Int(1) + 1;
        stored.version = static_cast<std::uint32_t>(highest.Int(2)) + 1;

        mysql::RowList rows;
        rows.Add(stored.id, stored.version, stored.merchant, stored.currency.code(),
                 stored.terms.rate_basis_points, stored.terms.fixed, stored.terms.minimum,
                 stored.terms.maximum, stored.effective_from, stored.effective_to, stored.revision,
                 at, CutText(put_by, kPutByMax));
        KESSAI_RETURN_IF_ERROR(session_.Execute(kInsert, rows));
        KESSAI_RETURN_IF_ERROR(session_.Execute(kSetRevision, stored.revision));
        return stored;
    }

 private:
    mysql::Session& session_;
};

}  // namespace

Status MysqlPlanStore::InPlanTransaction(const std::function<Status(app::PlanTransaction&)>& work) {
    mysql::RetryPolicy policy;
    policy.rerun_unknown = true;  // The same plan again is found to be there.
    return mysql::InTransaction(pool_, policy, [&](mysql::Session& session) -> Status {
        KESSAI_RETURN_IF_ERROR(session.Select(kLockAllGates));
        MysqlPlanTransaction transaction(session);
        return work(transaction);
    });
}

}  // namespace kessai::payout::storage
