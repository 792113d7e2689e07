#include "source/payout_tables.h"

#include "kessai/mysql/query.h"
#include "source/columns.h"

namespace kessai::audit {
namespace {

// Dates are read, and compared, as numbers: a damaged row may hold what is no date. A page begins
// behind a key of several columns: the alternatives are disjoint ranges of that key, in its order.

#define KESSAI_AUDIT_ACCRUAL                                                                \
    "SELECT business_date + 0, bucket, payment_id, version, merchant_id, kind, tax_class, " \
    "currency, gross, fee, captured_total, refunded_before, payment_date + 0, plan_id, "    \
    "plan_version, event_id, recorded_at_us, content_hash FROM accrual FORCE INDEX (PRIMARY) "
#define KESSAI_AUDIT_ACCRUAL_ORDER " ORDER BY business_date, bucket, payment_id, version LIMIT ?"
constexpr mysql::Query kAccrualsFirst{"accrual.first_page",
                                      KESSAI_AUDIT_ACCRUAL KESSAI_AUDIT_ACCRUAL_ORDER};
constexpr mysql::Query kAccrualsNext{"accrual.next_page", KESSAI_AUDIT_ACCRUAL R"sql(
    WHERE business_date > ? OR (business_date = ? AND bucket > ?)
       OR (business_date = ? AND bucket = ? AND payment_id > ?)
       OR (business_date = ? AND bucket = ? AND payment_id = ? AND version > ?)
    )sql" KESSAI_AUDIT_ACCRUAL_ORDER};

#define KESSAI_AUDIT_DETAIL                                                              \
    "SELECT business_date + 0, bucket, payment_id, version, captured_methods, methods, " \
    "store_id FROM accrual_detail FORCE INDEX (PRIMARY) "
constexpr mysql::Query kDetailsFirst{"accrual_detail.first_page",
                                     KESSAI_AUDIT_DETAIL KESSAI_AUDIT_ACCRUAL_ORDER};
constexpr mysql::Query kDetailsNext{"accrual_detail.next_page", KESSAI_AUDIT_DETAIL R"sql(
    WHERE business_date > ? OR (business_date = ? AND bucket > ?)
       OR (business_date = ? AND bucket = ? AND payment_id > ?)
       OR (business_date = ? AND bucket = ? AND payment_id = ? AND version > ?)
    )sql" KESSAI_AUDIT_ACCRUAL_ORDER};

#define KESSAI_AUDIT_TOTAL                                                           \
    "SELECT business_date + 0, merchant_id, slot, tax_class, currency, gross, fee, " \
    "item_count FROM merchant_day_total FORCE INDEX (PRIMARY) "
#define KESSAI_AUDIT_TOTAL_ORDER " ORDER BY business_date, merchant_id, slot, tax_class LIMIT ?"
constexpr mysql::Query kTotalsFirst{"merchant_day_total.first_page",
                                    KESSAI_AUDIT_TOTAL KESSAI_AUDIT_TOTAL_ORDER};
constexpr mysql::Query kTotalsNext{"merchant_day_total.next_page", KESSAI_AUDIT_TOTAL R"sql(
    WHERE business_date > ? OR (business_date = ? AND merchant_id > ?)
       OR (business_date = ? AND merchant_id = ? AND slot > ?)
       OR (business_date = ? AND merchant_id = ? AND slot = ? AND tax_class > ?)
    )sql" KESSAI_AUDIT_TOTAL_ORDER};

#define KESSAI_AUDIT_PART                                                               \
    "SELECT business_date + 0, merchant_id, slot, tax_class, part, gross, fee, item_count, " \
    "payment_first + 0, payment_last + 0 FROM merchant_day_part FORCE INDEX (PRIMARY) "
#define KESSAI_AUDIT_PART_ORDER \
    " ORDER BY business_date, merchant_id, slot, tax_class, part LIMIT ?"
constexpr mysql::Query kPartsFirst{"merchant_day_part.first_page",
                                   KESSAI_AUDIT_PART KESSAI_AUDIT_PART_ORDER};
constexpr mysql::Query kPartsNext{"merchant_day_part.next_page", KESSAI_AUDIT_PART R"sql(
    WHERE business_date > ? OR (business_date = ? AND merchant_id > ?)
       OR (business_date = ? AND merchant_id = ? AND slot > ?)
       OR (business_date = ? AND merchant_id = ? AND slot = ? AND tax_class > ?)
       OR (business_date = ? AND merchant_id = ? AND slot = ? AND tax_class = ? AND part > ?)
    )sql" KESSAI_AUDIT_PART_ORDER};

#define KESSAI_AUDIT_HOLD                                                         \
    "SELECT business_date + 0, merchant_id, open_at_close, seal, released_round " \
    "FROM merchant_hold FORCE INDEX (PRIMARY) "
#define KESSAI_AUDIT_HOLD_ORDER " ORDER BY business_date, merchant_id LIMIT ?"
constexpr mysql::Query kHoldsFirst{"merchant_hold.first_page",
                                   KESSAI_AUDIT_HOLD KESSAI_AUDIT_HOLD_ORDER};
constexpr mysql::Query kHoldsNext{
    "merchant_hold.next_page", KESSAI_AUDIT_HOLD
    "WHERE business_date > ? OR (business_date = ? AND merchant_id > ?)" KESSAI_AUDIT_HOLD_ORDER};

#define KESSAI_AUDIT_RELEASE                                                               \
    "SELECT business_date + 0, merchant_id, tax_class, round, currency, gross, fee, tax, " \
    "net, item_count FROM merchant_release FORCE INDEX (PRIMARY) "
#define KESSAI_AUDIT_RELEASE_ORDER " ORDER BY business_date, merchant_id, tax_class LIMIT ?"
constexpr mysql::Query kReleasesFirst{"merchant_release.first_page",
                                      KESSAI_AUDIT_RELEASE KESSAI_AUDIT_RELEASE_ORDER};
constexpr mysql::Query kReleasesNext{"merchant_release.next_page", KESSAI_AUDIT_RELEASE R"sql(
    WHERE business_date > ? OR (business_date = ? AND merchant_id > ?)
       OR (business_date = ? AND merchant_id = ? AND tax_class > ?)
    )sql" KESSAI_AUDIT_RELEASE_ORDER};

#define KESSAI_AUDIT_CHUNK                                                             \
    "SELECT business_date + 0, chunk, merchant_first, merchant_last, merchant_count, " \
    "seal FROM day_chunk FORCE INDEX (PRIMARY) "
#define KESSAI_AUDIT_CHUNK_ORDER " ORDER BY business_date, chunk LIMIT ?"
constexpr mysql::Query kChunksFirst{"day_chunk.first_page",
                                    KESSAI_AUDIT_CHUNK KESSAI_AUDIT_CHUNK_ORDER};
constexpr mysql::Query kChunksNext{
    "day_chunk.next_page", KESSAI_AUDIT_CHUNK
    "WHERE business_date > ? OR (business_date = ? AND chunk > ?)" KESSAI_AUDIT_CHUNK_ORDER};

constexpr mysql::Query kPlans{"fee_plan.all", R"sql(
    SELECT plan_id, version, merchant_id, currency, rate_basis_points, fixed_fee, minimum_fee,
           maximum_fee, effective_from + 0, effective_to + 0 FROM fee_plan)sql"};
constexpr mysql::Query kRules{"fee_plan_rule.all", R"sql(
    SELECT plan_id, version, rule, volume_from, store_id, method, date_from + 0, date_to + 0,
           first_days, rate_basis_points, fixed_fee, minimum_fee, maximum_fee
    FROM fee_plan_rule)sql"};
constexpr mysql::Query kAssignments{"plan_assignment.all", R"sql(
    SELECT merchant_id, revision, plan_id, effective_from + 0, effective_to + 0
    FROM plan_assignment)sql"};
constexpr mysql::Query kVolumes{"merchant_volume.all", R"sql(
    SELECT merchant_id, month_start + 0, volume, effective_from + 0 FROM merchant_volume)sql"};
constexpr mysql::Query kDays{"payout_day.all", R"sql(
    SELECT business_date + 0, state, seal, merchant_count, rounds FROM payout_day)sql"};
constexpr mysql::Query kRounds{"release_round.all", R"sql(
    SELECT business_date + 0, round, finished_at_us, merchant_count, held_back_count, gross, fee,
           tax, net FROM release_round ORDER BY business_date, round)sql"};

std::int64_t Magnitude(std::int64_t amount) {
    // The lowest number has no positive counterpart; it is damage, and stays itself.
    return amount < 0 && amount != INT64_MIN ? -amount : amount;
}

}  // namespace

Result<mysql::Rows> AccrualTable::Fetch(mysql::Session& session, const Row* after,
                                        int limit) const {
    if (after == nullptr) return session.Select(kAccrualsFirst, limit);
    const DayNumber day = after->business_date;
    const int bucket = after->bucket;
    const auto& [payment, version] = after->key;
    return session.Select(kAccrualsNext, day, day, bucket, day, bucket, payment, day, bucket,
                          payment, version, limit);
}

void AccrualTable::Read(const mysql::Rows& from, Row& row) const {
    row.business_date = Day(from, 0);
    row.bucket = static_cast<std::int16_t>(from.Int(1));
    row.key = {from.Int(2), Uint32(from, 3)};
    row.merchant_id = from.Int(4);
    row.kind = static_cast<std::int8_t>(from.Int(5));
    row.tax_class = static_cast<std::int8_t>(from.Int(6));
    row.currency = CurrencyCode(from.Text(7));
    row.gross = from.Int(8);
    row.fee = from.Int(9);
    // NULL, as for nearly every row: the magnitude of gross, 0, and the business date.
    row.captured_total = from.OptionalInt(10).value_or(Magnitude(row.gross));
    row.refunded_before = from.OptionalInt(11).value_or(0);
    row.payment_date = static_cast<DayNumber>(from.OptionalInt(12).value_or(row.business_date));
    row.plan_id = SmallInt(from, 13);
    row.plan_version = SmallInt(from, 14);
    row.event_id = from.Int(15);
    row.recorded_at_us = from.Int(16);
    row.content_hash = Hash16Of(from.Bytes(17));
}

Result<mysql::Rows> DetailTable::Fetch(mysql::Session& session, const Row* after, int limit) const {
    if (after == nullptr) return session.Select(kDetailsFirst, limit);
    const DayNumber day = after->business_date;
    const int bucket = after->bucket;
    const auto& [payment, version] = after->key;
    return session.Select(kDetailsNext, day, day, bucket, day, bucket, payment, day, bucket,
                          payment, version, limit);
}

void DetailTable::Read(const mysql::Rows& from, Row& row) const {
    row.business_date = Day(from, 0);
    row.bucket = static_cast<std::int16_t>(from.Int(1));
    row.key = {from.Int(2), Uint32(from, 3)};
    row.captured_methods = from.Text(4);
    row.methods = from.Text(5);
    row.store_id = from.Text(6);
}

Result<mysql::Rows> TotalTable::Fetch(mysql::Session& session, const Row* after, int limit) const {
    if (after == nullptr) return session.Select(kTotalsFirst, limit);
    const DayNumber day = after->business_date;
    const std::int64_t merchant = after->merchant_id;
    return session.Select(kTotalsNext, day, day, merchant, day, merchant, after->slot, day,
                          merchant, after->slot, after->tax_class, limit);
}

void TotalTable::Read(const mysql::Rows& from, Row& row) const {
    row.business_date = Day(from, 0);
    row.merchant_id = from.Int(1);
    row.slot = SmallInt(from, 2);
    row.tax_class = SmallInt(from, 3);
    row.currency = CurrencyCode(from.Text(4));
    row.gross = from.Int(5);
    row.fee = from.Int(6);
    row.item_count = from.Int(7);
}

Result<mysql::Rows> PartTable::Fetch(mysql::Session& session, const Row* after, int limit) const {
    if (after == nullptr) return session.Select(kPartsFirst, limit);
    const DayNumber day = after->business_date;
    const std::int64_t merchant = after->merchant_id;
    const std::int32_t slot = after->slot;
    return session.Select(kPartsNext, day, day, merchant, day, merchant, slot, day, merchant, slot,
                          after->tax_class, day, merchant, slot, after->tax_class, after->part,
                          limit);
}

void PartTable::Read(const mysql::Rows& from, Row& row) const {
    row.business_date = Day(from, 0);
    row.merchant_id = from.Int(1);
    row.slot = SmallInt(from, 2);
    row.tax_class = SmallInt(from, 3);
    row.part = SmallInt(from, 4);
    row.gross = from.Int(5);
    row.fee = from.Int(6);
    row.item_count = from.Int(7);
    row.payment_first = Day(from, 8);
    row.payment_last = Day(from, 9);
}

Result<mysql::Rows> HoldTable::Fetch(mysql::Session& session, const Row* after, int limit) const {
    if (after == nullptr) return session.Select(kHoldsFirst, limit);
    return session.Select(kHoldsNext, after->business_date, after->business_date,
                          after->merchant_id, limit);
}

void HoldTable::Read(const mysql::Rows& from, Row& row) const {
    row.business_date = Day(from, 0);
    row.merchant_id = from.Int(1);
    row.open_at_close = from.Bool(2);
    row.seal = OptionalHash32(from, 3);
    row.released_round.reset();
    if (!from.IsNull(4)) row.released_round = SmallInt(from, 4);
}

Result<mysql::Rows> ReleaseTable::Fetch(mysql::Session& session, const Row* after,
                                        int limit) const {
    if (after == nullptr) return session.Select(kReleasesFirst, limit);
    const DayNumber day = after->business_date;
    return session.Select(kReleasesNext, day, day, after->merchant_id, day, after->merchant_id,
                          after->tax_class, limit);
}

void ReleaseTable::Read(const mysql::Rows& from, Row& row) const {
    row.business_date = Day(from, 0);
    row.merchant_id = from.Int(1);
    row.tax_class = SmallInt(from, 2);
    row.round = SmallInt(from, 3);
    row.currency = CurrencyCode(from.Text(4));
    row.gross = from.Int(5);
    row.fee = from.Int(6);
    row.tax = from.Int(7);
    row.net = from.Int(8);
    row.item_count = from.Int(9);
}

Result<mysql::Rows> ChunkTable::Fetch(mysql::Session& session, const Row* after, int limit) const {
    if (after == nullptr) return session.Select(kChunksFirst, limit);
    return session.Select(kChunksNext, after->business_date, after->business_date, after->chunk,
                          limit);
}

void ChunkTable::Read(const mysql::Rows& from, Row& row) const {
    row.business_date = Day(from, 0);
    row.chunk = SmallInt(from, 1);
    row.merchant_first = from.Int(2);
    row.merchant_last = from.Int(3);
    row.merchant_count = from.Int(4);
    row.seal = Hash32Of(from.Bytes(5));
}

Result<std::vector<FeePlanRow>> ReadFeePlans(mysql::Session& session) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kPlans));
    std::vector<FeePlanRow> plans;
    while (rows.Next()) {
        FeePlanRow& plan = plans.emplace_back();
        plan.plan_id = SmallInt(rows, 0);
        plan.version = SmallInt(rows, 1);
        plan.merchant_id = rows.Int(2);
        plan.currency = CurrencyCode(rows.Text(3));
        plan.rate_basis_points = rows.Int(4);
        plan.fixed = rows.Int(5);
        plan.minimum = rows.Int(6);
        plan.maximum = rows.Int(7);
        plan.effective_from = Day(rows, 8);
        if (!rows.IsNull(9)) plan.effective_to = Day(rows, 9);
    }
    std::map<std::pair<std::int32_t, std::int32_t>, FeePlanRow*> versions;
    for (FeePlanRow& plan : plans) versions[{plan.plan_id, plan.version}] = &plan;
    KESSAI_ASSIGN_OR_RETURN(auto rules, session.Select(kRules));
    while (rules.Next()) {
        FeeRuleRow rule;
        rule.plan_id = SmallInt(rules, 0);
        rule.version = SmallInt(rules, 1);
        rule.rule = SmallInt(rules, 2);
        rule.volume_from = rules.Int(3);
        rule.store_hash = HashOfText(rules.Text(4));
        rule.method = SmallInt(rules, 5);
        if (!rules.IsNull(6)) rule.date_from = Day(rules, 6);
        if (!rules.IsNull(7)) rule.date_to = Day(rules, 7);
        rule.first_days = rules.Int(8);
        rule.rate_basis_points = rules.Int(9);
        rule.fixed = rules.Int(10);
        rule.minimum = rules.Int(11);
        rule.maximum = rules.Int(12);
        // One of no version is nobody's terms.
        const auto of = versions.find({rule.plan_id, rule.version});
        if (of != versions.end()) of->second->rules.push_back(rule);
    }
    return plans;
}

Result<std::vector<AssignmentRow>> ReadAssignments(mysql::Session& session) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kAssignments));
    std::vector<AssignmentRow> assignments;
    while (rows.Next()) {
        AssignmentRow& row = assignments.emplace_back();
        row.merchant_id = rows.Int(0);
        row.revision = rows.Int(1);
        row.plan_id = SmallInt(rows, 2);
        row.effective_from = Day(rows, 3);
        if (!rows.IsNull(4)) row.effective_to = Day(rows, 4);
    }
    return assignments;
}

Result<std::vector<VolumeRow>> ReadVolumes(mysql::Session& session) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kVolumes));
    std::vector<VolumeRow> volumes;
    while (rows.Next()) {
        volumes.push_back({rows.Int(0), Day(rows, 1), rows.Int(2), Day(rows, 3)});
    }
    return volumes;
}

Result<std::map<DayNumber, PayoutDayRow>> ReadPayoutDays(mysql::Session& session) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kDays));
    std::map<DayNumber, PayoutDayRow> days;
    while (rows.Next()) {
        PayoutDayRow& day = days[Day(rows, 0)];
        day.business_date = Day(rows, 0);
        day.state = SmallInt(rows, 1);
        day.seal = OptionalHash32(rows, 2);
        day.merchant_count = rows.Int(3);
        day.rounds = SmallInt(rows, 4);
    }
    return days;
}

Result<std::vector<RoundRow>> ReadRounds(mysql::Session& session) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kRounds));
    std::vector<RoundRow> rounds;
    while (rows.Next()) {
        RoundRow& round = rounds.emplace_back();
        round.business_date = Day(rows, 0);
        round.round = SmallInt(rows, 1);
        round.finished = !rows.IsNull(2);
        round.finished_at_us = round.finished ? rows.Int(2) : 0;
        round.merchant_count = rows.Int(3);
        round.held_back_count = rows.Int(4);
        round.gross = rows.Int(5);
        round.fee = rows.Int(6);
        round.tax = rows.Int(7);
        round.net = rows.Int(8);
    }
    return rounds;
}

}  // namespace kessai::audit
