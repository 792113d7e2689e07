#include "storage/mysql_plan_store.h"

#include <set>
#include <string>

#include "domain/release.h"
#include "domain/tax.h"
#include "kessai/mysql/query.h"
#include "kessai/mysql/transaction.h"
#include "storage/plan_rows.h"
#include "storage/row_mapping.h"

namespace kessai::payout::storage {
namespace {

// In order, as everybody who locks more than one would.
constexpr mysql::Query kLockAllGates{"slot_gate.lock_all",
                                     "SELECT slot FROM slot_gate ORDER BY slot FOR UPDATE"};
constexpr mysql::Query kVersions{"fee_plan.of_merchant", "SELECT " KESSAI_PLAN_COLUMNS R"sql(
    FROM fee_plan WHERE merchant_id = ? ORDER BY plan_id, version)sql"};
constexpr mysql::Query kVersionsOf{"fee_plan.of_plan", "SELECT " KESSAI_PLAN_COLUMNS R"sql(
    FROM fee_plan WHERE plan_id = ? ORDER BY version)sql"};
constexpr mysql::Query kAssignments{"plan_assignment.of_merchant",
                                    "SELECT " KESSAI_ASSIGNMENT_COLUMNS R"sql(
    FROM plan_assignment WHERE merchant_id = ? ORDER BY revision)sql"};
// A point look-up a day.
constexpr mysql::Query kHasAccruals{"merchant_day_total.has_any", R"sql(
    SELECT 1 FROM payout_day d
    JOIN merchant_day_total t ON t.business_date = d.business_date AND t.merchant_id = ?
    LIMIT 1)sql"};
constexpr mysql::Query kHasAnyAccruals{"merchant_day_total.has_any_merchant",
                                       "SELECT 1 FROM merchant_day_total LIMIT 1"};
constexpr mysql::Query kLatestDay{"payout_day.latest", "SELECT MAX(business_date) FROM payout_day"};
constexpr mysql::Query kHighest{"fee_plan.highest", R"sql(
    SELECT COALESCE(MAX(plan_id), 0), COALESCE(MAX(CASE WHEN plan_id = ? THEN version END), 0)
    FROM fee_plan)sql"};
constexpr mysql::Query kRevision{"slot_gate.highest_plan_revision",
                                 "SELECT MAX(plan_revision) FROM slot_gate"};
constexpr mysql::Query kSetRevision{"slot_gate.set_plan_revision",
                                    "UPDATE slot_gate SET plan_revision = ?"};
constexpr mysql::Query kInsertAssignments{"plan_assignment.insert",
                                          "INSERT INTO plan_assignment (" KESSAI_ASSIGNMENT_COLUMNS
                                          ", put_at_us, put_by) VALUES {rows}"};
constexpr mysql::Query kInsertVolumes{"merchant_volume.insert",
                                      "INSERT INTO merchant_volume (" KESSAI_VOLUME_COLUMNS
                                      ", fixed_at_us) VALUES {rows}"};
constexpr mysql::Query kWithVolume{"merchant_volume.of_month", R"sql(
    SELECT merchant_id FROM merchant_volume FORCE INDEX (PRIMARY)
    WHERE merchant_id IN ({keys}) AND month_start = ?)sql"};
constexpr mysql::Query kLastClosed{"payout_day.last_closed",
                                   "SELECT MAX(business_date) FROM payout_day WHERE state <> ?"};
constexpr mysql::Query kHasOpenDay{"payout_day.has_open", R"sql(
    SELECT 1 FROM payout_day WHERE business_date BETWEEN ? AND ? AND state = ? LIMIT 1)sql"};
constexpr mysql::Query kTieredWithoutVolume{"merchant_volume.lacking", R"sql(
    SELECT m.merchant_id FROM (
        SELECT p.merchant_id FROM fee_plan_rule r JOIN fee_plan p ON p.plan_id = r.plan_id
        WHERE r.volume_from > 0 AND p.merchant_id > 0
        UNION
        SELECT a.merchant_id FROM fee_plan_rule r JOIN plan_assignment a ON a.plan_id = r.plan_id
        WHERE r.volume_from > 0
    ) m
    LEFT JOIN merchant_volume v ON v.merchant_id = m.merchant_id AND v.month_start = ?
    WHERE v.merchant_id IS NULL
    ORDER BY m.merchant_id LIMIT ?)sql"};
// A point look-up a day.
constexpr mysql::Query kGross{"merchant_day_total.gross_of_month", R"sql(
    SELECT COALESCE(SUM(t.gross), 0) FROM payout_day d
    JOIN merchant_day_total t ON t.business_date = d.business_date AND t.merchant_id = ?
    WHERE d.business_date BETWEEN ? AND ? AND d.state <> ?)sql"};

constexpr std::size_t kPutByMax = 255;
constexpr Duration kAcquireTimeout = std::chrono::seconds(1);
constexpr int kOpen = static_cast<int>(domain::DayState::kOpen);

BusinessDate MonthBefore(BusinessDate month) {
    return domain::CycleStart(month.Previous());
}

Result<std::int64_t> HighestRevision(mysql::Session& session) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kRevision));
    if (!rows.Next() || rows.IsNull(0)) {
        return Status(Code::kInternal, "GATE_MISSING", "slot_gate has no rows");
    }
    return rows.Int(0);
}

class MysqlPlanTransaction final : public app::PlanTransaction {
 public:
    explicit MysqlPlanTransaction(mysql::Session& session) : session_(session) {}

    Result<std::vector<domain::FeePlan>> Versions(domain::MerchantId merchant) override {
        KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kVersions, merchant));
        return ReadPlans(session_, rows);
    }

    Result<std::vector<domain::FeePlan>> VersionsOf(domain::PlanId plan) override {
        KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kVersionsOf, plan));
        return ReadPlans(session_, rows);
    }

    Result<std::vector<domain::PlanAssignment>> Assignments(domain::MerchantId merchant) override {
        KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kAssignments, merchant));
        std::vector<domain::PlanAssignment> assignments;
        while (rows.Next()) assignments.push_back(ReadAssignment(rows));
        return assignments;
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

    Result<std::vector<domain::MerchantId>> WithoutVolume(
        BusinessDate month, std::span<const domain::MerchantId> merchants) override {
        KESSAI_ASSIGN_OR_RETURN(auto rows,
                                session_.Select(kWithVolume, mysql::KeyList(merchants), month));
        std::set<domain::MerchantId> with;
        while (rows.Next()) with.insert(domain::MerchantId(rows.Int(0)));
        std::vector<domain::MerchantId> without;
        for (const domain::MerchantId merchant : merchants) {
            if (!with.contains(merchant)) without.push_back(merchant);
        }
        return without;
    }

    Result<domain::FeePlan> Insert(const domain::FeePlan& plan, std::string_view put_by,
                                   Instant at) override {
        KESSAI_ASSIGN_OR_RETURN(auto highest, session_.Select(kHighest, plan.id));
        highest.Next();
        domain::FeePlan stored = plan;
        if (stored.id.is_none()) stored.id = domain::PlanId(highest.Int(0) + 1);
        stored.version = static_cast<std::uint32_t>(highest.Int(1)) + 1;
        KESSAI_ASSIGN_OR_RETURN(stored.revision, TakeRevision());
        KESSAI_RETURN_IF_ERROR(InsertPlan(session_, stored, at, put_by));
        return stored;
    }

    Result<std::vector<domain::PlanAssignment>> Insert(
        std::span<const domain::PlanAssignment> assignments, std::string_view put_by,
        Instant at) override {
        KESSAI_ASSIGN_OR_RETURN(const std::int64_t revision, TakeRevision());
        std::vector<domain::PlanAssignment> stored(assignments.begin(), assignments.end());
        mysql::RowList rows;
        for (domain::PlanAssignment& assignment : stored) {
            assignment.revision = revision;
            rows.Add(assignment.merchant, revision, assignment.plan, assignment.effective_from,
                     assignment.effective_to, at, CutText(put_by, kPutByMax));
        }
        KESSAI_RETURN_IF_ERROR(session_.Execute(kInsertAssignments, rows));
        return stored;
    }

    Status Insert(std::span<const domain::MonthVolume> volumes, Instant at) override {
        KESSAI_ASSIGN_OR_RETURN(const std::int64_t revision, TakeRevision());
        mysql::RowList rows;
        for (const domain::MonthVolume& volume : volumes) {
            rows.Add(volume.merchant, volume.month, volume.volume, volume.effective_from, revision,
                     at);
        }
        return internal::TakeStatus(session_.Execute(kInsertVolumes, rows));
    }

 private:
    /// The next revision, for all partitions.
    Result<std::int64_t> TakeRevision() {
        KESSAI_ASSIGN_OR_RETURN(const std::int64_t highest, HighestRevision(session_));
        KESSAI_RETURN_IF_ERROR(session_.Execute(kSetRevision, highest + 1));
        return highest + 1;
    }

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

Result<std::int64_t> MysqlPlanStore::Revision() {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    return HighestRevision(*session);
}

Result<std::optional<BusinessDate>> MysqlPlanStore::LastMonthClosed() {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(auto last, session->Select(kLastClosed, kOpen));
    if (!last.Next() || last.IsNull(0)) return std::optional<BusinessDate>();
    const BusinessDate month = MonthBefore(domain::CycleStart(last.Date(0).Next()));
    KESSAI_ASSIGN_OR_RETURN(auto open,
                            session->Select(kHasOpenDay, month, domain::CycleEnd(month), kOpen));
    return open.Next() ? std::optional<BusinessDate>() : std::optional<BusinessDate>(month);
}

Result<std::vector<domain::MerchantId>> MysqlPlanStore::TieredWithoutVolume(BusinessDate month,
                                                                            int limit) {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(auto rows, session->Select(kTieredWithoutVolume, month, limit));
    std::vector<domain::MerchantId> merchants;
    while (rows.Next()) merchants.push_back(domain::MerchantId(rows.Int(0)));
    return merchants;
}

Result<std::int64_t> MysqlPlanStore::GrossOf(domain::MerchantId merchant, BusinessDate month) {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(
        auto rows, session->Select(kGross, merchant, month, domain::CycleEnd(month), kOpen));
    return rows.Next() ? rows.Int(0) : std::int64_t{0};
}

}  // namespace kessai::payout::storage
