#include "storage/mysql_discrepancy_books.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <set>
#include <string>
#include <utility>

#include "kessai/mysql/error.h"
#include "kessai/outbox/batch_writer.h"
#include "kessai/result/check.h"
#include "storage/audit_chain.h"
#include "storage/event_encoding.h"
#include "storage/mysql_repair_books.h"
#include "storage/row_mapping.h"

namespace kessai::reconciliation::storage {

namespace {

using app::DiscrepancyChange;
using domain::Discrepancy;
using domain::DiscrepancyId;
using domain::Step;

constexpr std::size_t kKeysPerStatement = 500;

// With the latest step, which says what cannot be said again.
#define KESSAI_DISCREPANCY_SELECT                                                         \
    "SELECT d.discrepancy_id, d.business_date, d.kind, d.payment_id, d.version, d.book, " \
    "d.bucket, d.merchant_id, d.currency, d.payment_gross, d.payout_gross, d.evidence, "  \
    "d.state, d.step_count, d.last_event_id, d.found_at_us, d.found_by_run, "             \
    "d.found_by_deep_run, d.held_merchant, s.actor, s.note, s.at_us, d.owner, "           \
    "d.open_repair, d.corrected_by, s.chain_hash, s.repair_number "
#define KESSAI_LATEST_STEP         \
    " JOIN discrepancy_step AS s " \
    "ON s.discrepancy_id = d.discrepancy_id AND s.number = d.step_count "

constexpr mysql::Query kLockOfChanges{"discrepancy.lock_of_changes",
                                      KESSAI_DISCREPANCY_SELECT R"sql(
    FROM discrepancy AS d FORCE INDEX (discrepancy_of_change))sql" KESSAI_LATEST_STEP R"sql(
    WHERE d.payment_id IN ({keys})
    ORDER BY d.payment_id, d.version
    FOR UPDATE)sql"};
// Those about no change: of digests, at most three a bucket.
constexpr mysql::Query kLockOfDigests{"discrepancy.lock_of_digests",
                                      KESSAI_DISCREPANCY_SELECT R"sql(
    FROM discrepancy AS d FORCE INDEX (discrepancy_subject))sql" KESSAI_LATEST_STEP R"sql(
    WHERE d.business_date = ? AND d.kind = ? AND d.payment_id = 0
    FOR UPDATE)sql"};
constexpr mysql::Query kLockOfHolds{"discrepancy.lock_of_holds", KESSAI_DISCREPANCY_SELECT R"sql(
    FROM discrepancy AS d FORCE INDEX (discrepancy_subject))sql" KESSAI_LATEST_STEP R"sql(
    WHERE d.business_date = ? AND d.kind = ? AND d.payment_id = 0 AND d.version = 0
      AND d.book IN (0, 2) AND d.bucket = 0 AND d.held_merchant IN ({keys})
    FOR UPDATE)sql"};
constexpr mysql::Query kLockFoundBefore{"discrepancy.lock_found_before",
                                        KESSAI_DISCREPANCY_SELECT R"sql(
    FROM discrepancy AS d FORCE INDEX (discrepancy_by_day))sql" KESSAI_LATEST_STEP R"sql(
    WHERE d.business_date = ? AND d.discrepancy_id > ?
      AND (d.state IN (1, 2, 3) OR d.corrected_by > 0)
      AND d.found_by_run > 0 AND d.found_by_run < ?
    ORDER BY d.discrepancy_id
    LIMIT ?
    FOR UPDATE)sql"};
constexpr mysql::Query kLockOne{"discrepancy.lock_one", KESSAI_DISCREPANCY_SELECT R"sql(
    FROM discrepancy AS d)sql" KESSAI_LATEST_STEP R"sql(
    WHERE d.discrepancy_id = ?
    FOR UPDATE)sql"};
constexpr mysql::Query kFind{"discrepancy.find", KESSAI_DISCREPANCY_SELECT R"sql(
    FROM discrepancy AS d)sql" KESSAI_LATEST_STEP R"sql(
    WHERE d.discrepancy_id = ?)sql"};

#define KESSAI_NEWEST_FIRST " ORDER BY d.discrepancy_id DESC LIMIT ?"
constexpr mysql::Query kList{"discrepancy.list", KESSAI_DISCREPANCY_SELECT R"sql(
    FROM discrepancy AS d FORCE INDEX (PRIMARY))sql" KESSAI_LATEST_STEP R"sql(
    WHERE d.discrepancy_id < ?)sql" KESSAI_NEWEST_FIRST};
constexpr mysql::Query kListByState{"discrepancy.list_by_state", KESSAI_DISCREPANCY_SELECT R"sql(
    FROM discrepancy AS d FORCE INDEX (discrepancy_by_state))sql" KESSAI_LATEST_STEP R"sql(
    WHERE d.discrepancy_id < ? AND d.state = ?)sql" KESSAI_NEWEST_FIRST};
constexpr mysql::Query kListByDay{"discrepancy.list_by_day", KESSAI_DISCREPANCY_SELECT R"sql(
    FROM discrepancy AS d FORCE INDEX (discrepancy_by_day))sql" KESSAI_LATEST_STEP R"sql(
    WHERE d.discrepancy_id < ? AND d.business_date = ?)sql" KESSAI_NEWEST_FIRST};
constexpr mysql::Query kListByStateAndDay{"discrepancy.list_by_state_and_day",
                                          KESSAI_DISCREPANCY_SELECT R"sql(
    FROM discrepancy AS d FORCE INDEX (discrepancy_by_day))sql" KESSAI_LATEST_STEP R"sql(
    WHERE d.discrepancy_id < ? AND d.state = ? AND d.business_date = ?)sql" KESSAI_NEWEST_FIRST};

constexpr mysql::Query kInsert{"discrepancy.insert", R"sql(
    INSERT INTO discrepancy ()sql" KESSAI_DISCREPANCY_COLUMNS R"sql()
    VALUES {rows})sql"};
constexpr mysql::Query kUpdate{"discrepancy.update", R"sql(
    INSERT INTO discrepancy ()sql" KESSAI_DISCREPANCY_COLUMNS R"sql()
    VALUES {rows}
    ON DUPLICATE KEY UPDATE merchant_id = VALUES(merchant_id),
                            currency = VALUES(currency),
                            payment_gross = VALUES(payment_gross),
                            payout_gross = VALUES(payout_gross),
                            evidence = VALUES(evidence),
                            state = VALUES(state),
                            step_count = VALUES(step_count),
                            last_event_id = VALUES(last_event_id),
                            found_by_run = VALUES(found_by_run),
                            found_by_deep_run = VALUES(found_by_deep_run),
                            owner = VALUES(owner),
                            open_repair = VALUES(open_repair),
                            corrected_by = VALUES(corrected_by))sql"};
constexpr mysql::Query kInsertSteps{"discrepancy_step.insert", R"sql(
    INSERT INTO discrepancy_step (discrepancy_id, number, state, actor, note, at_us, event_id,
                                  merchant_id, currency, payment_gross, payout_gross, owner,
                                  repair_number, repair_hash, evidence_hash, chain_hash)
    VALUES {rows})sql"};
constexpr mysql::Query kPutRepairs{"repair.put", R"sql(
    INSERT INTO repair ()sql" KESSAI_REPAIR_COLUMNS R"sql()
    VALUES {rows}
    ON DUPLICATE KEY UPDATE state = VALUES(state),
                            decided_by = VALUES(decided_by),
                            outcome = VALUES(outcome),
                            decided_at_us = VALUES(decided_at_us),
                            carried_out_at_us = VALUES(carried_out_at_us),
                            ended_at_us = VALUES(ended_at_us))sql"};
constexpr mysql::Query kSteps{"discrepancy_step.list", R"sql(
    SELECT discrepancy_id, number, state, actor, note, at_us, repair_number
    FROM discrepancy_step FORCE INDEX (PRIMARY)
    WHERE discrepancy_id IN ({keys})
    ORDER BY discrepancy_id, number)sql"};

constexpr mysql::Query kLockUnsettledOfDay{"discrepancy.lock_unsettled_of_day",
                                           KESSAI_DISCREPANCY_SELECT R"sql(
    FROM discrepancy AS d FORCE INDEX (discrepancy_by_day))sql" KESSAI_LATEST_STEP R"sql(
    WHERE d.business_date = ? AND d.discrepancy_id > ? AND d.state IN (1, 2, 3)
      AND d.kind IN ({keys})
    ORDER BY d.discrepancy_id
    LIMIT ?
    FOR UPDATE)sql"};
// Amounts that somebody damaged may be any: as decimals they have a difference and a sum.
constexpr mysql::Query kUnsettled{"discrepancy.unsettled", R"sql(
    SELECT kind, COUNT(*),
           CAST(LEAST(COALESCE(SUM(ABS(CAST(COALESCE(payment_gross, 0) AS DECIMAL(20)) -
                                       CAST(COALESCE(payout_gross, 0) AS DECIMAL(20)))), 0),
                      9223372036854775807) AS SIGNED),
           MIN(found_at_us), MIN(business_date)
    FROM discrepancy FORCE INDEX (discrepancy_by_state)
    WHERE state IN (1, 2, 3)
    GROUP BY kind)sql"};

std::vector<Discrepancy> ReadAll(mysql::Rows& rows) {
    std::vector<Discrepancy> found;
    while (rows.Next()) found.push_back(ReadDiscrepancy(rows));
    return found;
}

Result<Discrepancy> ReadOne(Result<mysql::Rows> rows, DiscrepancyId id) {
    KESSAI_RETURN_IF_ERROR(rows.status());
    if (!rows->Next()) {
        return Status(Code::kNotFound, "DISCREPANCY_UNKNOWN", "no discrepancy " + id.ToString());
    }
    return ReadDiscrepancy(*rows);
}

void AddStep(const Discrepancy& discrepancy, const domain::ChainHash& repair,
             const domain::ChainHash& evidence, mysql::RowList& rows) {
    const Step& step = discrepancy.latest;
    const domain::Finding& finding = discrepancy.finding;
    rows.Add(discrepancy.id, step.number, static_cast<int>(step.state), step.actor, step.note,
             step.at, discrepancy.last_event, finding.merchant, finding.currency.code(),
             finding.payment_gross, finding.payout_gross, discrepancy.owner, step.repair,
             BytesOf(repair), BytesOf(evidence), BytesOf(discrepancy.last_hash));
}

/// Locks what is known of the payments, in order of their ids.
Status LockOfPayments(mysql::Session& session, const std::set<domain::PaymentId>& payments,
                      std::vector<Discrepancy>& found) {
    mysql::KeyList keys;
    const auto select = [&]() -> Status {
        if (keys.empty()) return OkStatus();
        KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kLockOfChanges, keys));
        std::ranges::move(ReadAll(rows), std::back_inserter(found));
        keys.Clear();
        return OkStatus();
    };
    for (const auto payment : payments) {
        keys.Add(payment);
        if (keys.size() == kKeysPerStatement) KESSAI_RETURN_IF_ERROR(select());
    }
    return select();
}

/// The same of merchants' days and of transfers.
Status LockOfHolds(mysql::Session& session, BusinessDate day, domain::DiscrepancyKind kind,
                   const std::set<std::int64_t>& objects, std::vector<Discrepancy>& found) {
    mysql::KeyList keys;
    const auto select = [&]() -> Status {
        if (keys.empty()) return OkStatus();
        KESSAI_ASSIGN_OR_RETURN(auto rows,
                                session.Select(kLockOfHolds, day, static_cast<int>(kind), keys));
        std::ranges::move(ReadAll(rows), std::back_inserter(found));
        keys.Clear();
        return OkStatus();
    };
    for (const auto object : objects) {
        keys.Add(object);
        if (keys.size() == kKeysPerStatement) KESSAI_RETURN_IF_ERROR(select());
    }
    return select();
}

/// Spreads transactions over the slots of the audit trail; never the one of older steps.
int SlotOf(std::int64_t row_id) {
    const std::uint64_t mixed = static_cast<std::uint64_t>(row_id) * 0x9E37'79B9'7F4A'7C15;
    return 1 + static_cast<int>((mixed >> 32) % (kAuditSlots - 1));
}

}  // namespace

Result<std::vector<Discrepancy>> LockUnsettledDiscrepancies(
    mysql::Session& session, BusinessDate business_date,
    std::span<const domain::DiscrepancyKind> kinds, DiscrepancyId after, int limit) {
    mysql::KeyList keys;
    for (const auto kind : kinds) keys.Add(static_cast<int>(kind));
    KESSAI_ASSIGN_OR_RETURN(auto rows,
                            session.Select(kLockUnsettledOfDay, business_date, after, keys, limit));
    return ReadAll(rows);
}

Result<std::vector<Discrepancy>> MysqlDiscrepancyBooks::Lock(
    std::span<const domain::Subject> subjects) {
    std::set<domain::PaymentId> payments;
    std::set<std::pair<BusinessDate, domain::DiscrepancyKind>> digests;
    std::map<std::pair<BusinessDate, domain::DiscrepancyKind>, std::set<std::int64_t>> holds;
    for (const auto& subject : subjects) {
        if (domain::IsAboutMerchantDay(subject.kind) || domain::IsAboutTransfer(subject.kind)) {
            holds[{subject.business_date, subject.kind}].insert(HeldObject(subject));
        } else if (subject.change.payment.is_none()) {
            digests.emplace(subject.business_date, subject.kind);
        } else {
            payments.insert(subject.change.payment);
        }
    }
    std::vector<Discrepancy> found;
    KESSAI_RETURN_IF_ERROR(LockOfPayments(session_, payments, found));
    for (const auto& [business_date, kind] : digests) {
        KESSAI_ASSIGN_OR_RETURN(
            auto rows, session_.Select(kLockOfDigests, business_date, static_cast<int>(kind)));
        std::ranges::move(ReadAll(rows), std::back_inserter(found));
    }
    for (const auto& [day, objects] : holds) {
        KESSAI_RETURN_IF_ERROR(LockOfHolds(session_, day.first, day.second, objects, found));
    }
    std::erase_if(found, [&](const Discrepancy& discrepancy) {
        return !std::ranges::binary_search(subjects, discrepancy.finding.subject);
    });
    return found;
}

Result<std::vector<Discrepancy>> MysqlDiscrepancyBooks::LockUnsettled(
    std::span<const domain::ChangeKey> keys) {
    std::set<domain::PaymentId> payments;
    for (const auto& key : keys) payments.insert(key.payment);
    std::vector<Discrepancy> found;
    KESSAI_RETURN_IF_ERROR(LockOfPayments(session_, payments, found));
    std::erase_if(found, [&](const Discrepancy& discrepancy) {
        return !discrepancy.Unsettled() ||
               !std::ranges::binary_search(keys, discrepancy.finding.subject.change);
    });
    return found;
}

Result<std::vector<Discrepancy>> MysqlDiscrepancyBooks::LockFoundBefore(BusinessDate business_date,
                                                                        std::uint32_t run,
                                                                        DiscrepancyId after,
                                                                        int limit) {
    KESSAI_ASSIGN_OR_RETURN(auto rows,
                            session_.Select(kLockFoundBefore, business_date, after, run, limit));
    return ReadAll(rows);
}

Result<Discrepancy> MysqlDiscrepancyBooks::LockOne(DiscrepancyId id) {
    return ReadOne(session_.Select(kLockOne, id), id);
}

Result<Discrepancy> MysqlDiscrepancyBooks::Find(DiscrepancyId id) {
    return ReadOne(session_.Select(kFind, id), id);
}

Status MysqlDiscrepancyBooks::Store(std::span<const DiscrepancyChange> changes) {
    KESSAI_ASSIGN_OR_RETURN(const auto ids, ids_.Current());
    for (const auto& change : changes) ids->Observe(change.discrepancy.last_event.value());
    // Before the event ids, as BatchWriter::Store wants it.
    const std::int64_t row_id = ids->Next();

    mysql::RowList inserted;
    mysql::RowList updated;
    mysql::RowList steps;
    mysql::RowList repairs;
    AnchoredSteps anchored;
    Instant latest_step;
    outbox::BatchWriter events;
    BusinessDate latest_date;
    for (const auto& change : changes) {
        Discrepancy discrepancy = change.discrepancy;
        KESSAI_CHECK(!change.IsNew() || change.step, "a new discrepancy begins with a step");
        if (change.IsNew()) discrepancy.id = DiscrepancyId(ids->Next());
        if (change.step) {
            discrepancy.last_event = domain::EventId(ids->Next());
            domain::ChainHash repair{};
            if (change.repair) {
                repair = chain_.OfRepair(*change.repair);
                AddRepair(*change.repair, repairs);
            }
            const auto evidence = AuditChain::OfEvidence(StoredEvidence(discrepancy.finding));
            discrepancy.last_hash =
                chain_.OfStep(discrepancy.last_hash, discrepancy, repair, evidence);
            AddStep(discrepancy, repair, evidence, steps);
            anchored.Add(discrepancy.id, discrepancy.latest.number, discrepancy.last_hash);
            latest_step = std::max(latest_step, discrepancy.latest.at);
            KESSAI_ASSIGN_OR_RETURN(const std::string event, SealStep(discrepancy));
            KESSAI_RETURN_IF_ERROR(
                events.Add({.object_id = discrepancy.id.value(), .envelope = event}));
        }
        latest_date = std::max(latest_date, discrepancy.finding.subject.business_date);
        AddDiscrepancy(discrepancy, change.IsNew() ? inserted : updated);
    }
    if (!inserted.empty()) {
        const auto outcome = session_.Execute(kInsert, inserted);
        if (outcome.status().reason() == mysql::reason::kDuplicateKey) {
            // Somebody else found the same after our look-up: look again.
            return Status(Code::kAborted, mysql::reason::kWriteConflict,
                          std::string(outcome.status().message()));
        }
        KESSAI_RETURN_IF_ERROR(outcome.status());
    }
    if (!updated.empty()) KESSAI_RETURN_IF_ERROR(session_.Execute(kUpdate, updated).status());
    if (!steps.empty()) KESSAI_RETURN_IF_ERROR(session_.Execute(kInsertSteps, steps).status());
    if (!repairs.empty()) KESSAI_RETURN_IF_ERROR(session_.Execute(kPutRepairs, repairs).status());
    KESSAI_RETURN_IF_ERROR(events.Store(session_, row_id, latest_date));
    // Last of all, because the slot's end is locked from here on; one slot a transaction.
    if (!anchored.empty()) {
        if (slot_ == 0) slot_ = SlotOf(row_id);
        KESSAI_RETURN_IF_ERROR(AddAnchor(session_, chain_, slot_, latest_step, anchored));
    }
    return ids_.Confirm(*ids);
}

Result<std::vector<Discrepancy>> MysqlDiscrepancyBooks::List(const app::DiscrepancyFilter& filter) {
    const std::int64_t before =
        filter.before.is_none() ? std::numeric_limits<std::int64_t>::max() : filter.before.value();
    const auto select = [&]() -> Result<mysql::Rows> {
        if (filter.state && filter.business_date) {
            return session_.Select(kListByStateAndDay, before, static_cast<int>(*filter.state),
                                   *filter.business_date, filter.limit);
        }
        if (filter.state) {
            return session_.Select(kListByState, before, static_cast<int>(*filter.state),
                                   filter.limit);
        }
        if (filter.business_date) {
            return session_.Select(kListByDay, before, *filter.business_date, filter.limit);
        }
        return session_.Select(kList, before, filter.limit);
    };
    KESSAI_ASSIGN_OR_RETURN(auto rows, select());
    return ReadAll(rows);
}

Result<std::map<DiscrepancyId, std::vector<Step>>> MysqlDiscrepancyBooks::Steps(
    std::span<const DiscrepancyId> ids) {
    std::vector<DiscrepancyId> sorted(ids.begin(), ids.end());
    std::ranges::sort(sorted);
    std::map<DiscrepancyId, std::vector<Step>> steps;
    for (std::size_t at = 0; at < sorted.size(); at += kKeysPerStatement) {
        const auto size = std::min(kKeysPerStatement, sorted.size() - at);
        const std::span chunk(sorted.data() + at, size);
        const mysql::KeyList keys(chunk);
        KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kSteps, keys));
        while (rows.Next()) {
            steps[DiscrepancyId(rows.Int(0))].push_back(
                {.number = static_cast<std::uint32_t>(rows.Uint(1)),
                 .state = static_cast<domain::DiscrepancyState>(rows.Int(2)),
                 .actor = rows.Text(3),
                 .note = rows.Text(4),
                 .at = rows.At(5),
                 .repair = static_cast<std::uint32_t>(rows.Uint(6))});
        }
    }
    return steps;
}

Result<std::vector<app::UnsettledTotal>> MysqlDiscrepancyBooks::Unsettled() {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kUnsettled));
    std::vector<app::UnsettledTotal> totals;
    while (rows.Next()) {
        totals.push_back({.kind = static_cast<domain::DiscrepancyKind>(rows.Int(0)),
                          .count = rows.Int(1),
                          .at_risk = rows.Int(2),
                          .oldest_found = rows.At(3),
                          .oldest_day = rows.Date(4)});
    }
    return totals;
}

}  // namespace kessai::reconciliation::storage
