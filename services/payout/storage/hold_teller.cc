#include "storage/hold_teller.h"

#include <map>
#include <string>
#include <utility>

#include "kessai/mysql/query.h"
#include "kessai/outbox/batch_writer.h"
#include "storage/gate.h"
#include "storage/hold_step_rows.h"
#include "storage/row_mapping.h"

namespace kessai::payout::storage {
namespace {

// A count of the gate numbers so many holds, and one batch of the outbox.
constexpr int kHoldsPerCountBits = 9;
constexpr std::size_t kHoldsPerCount = std::size_t{1} << kHoldsPerCountBits;
constexpr std::size_t kNoteMax = 255;

constexpr mysql::Query kStepsOf{"merchant_hold_step.of_merchants",
                                "SELECT " KESSAI_HOLD_STEP_COLUMNS R"sql(
    FROM merchant_hold_step FORCE INDEX (PRIMARY)
    WHERE business_date = ? AND merchant_id IN ({keys}) ORDER BY merchant_id, version)sql"};
constexpr mysql::Query kInsert{"merchant_hold_step.insert", R"sql(
    INSERT INTO merchant_hold_step (business_date, merchant_id, version, hold_number, reason,
                                    total_gross, total_fee, total_count, recount_gross,
                                    recount_fee, recount_count, note, released_round, at_us)
    VALUES {rows})sql"};

/// The latest step of each of the merchants that has one.
Result<std::map<domain::MerchantId, domain::HoldStep>> LatestSteps(
    mysql::Session& session, BusinessDate day, std::span<const domain::HoldStep> wanted) {
    mysql::KeyList keys;
    for (const domain::HoldStep& step : wanted) keys.Add(step.held.merchant);
    std::map<domain::MerchantId, domain::HoldStep> latest;
    KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kStepsOf, day, keys));
    while (rows.Next()) {
        domain::HoldStep step = ReadHoldStep(rows);
        latest[step.held.merchant] = std::move(step);
    }
    return latest;
}

void AddRow(const domain::HoldStep& step, mysql::RowList& rows) {
    const domain::HeldBack& held = step.held;
    rows.Add(step.day, held.merchant, step.version, step.number, static_cast<int>(held.reason),
             held.totals.gross, held.totals.fee, held.totals.item_count, held.recounted.gross,
             held.recounted.fee, held.recounted.item_count, held.note, step.released_round,
             step.at);
}

}  // namespace

Status HoldTeller::Tell(std::span<const domain::HeldBack> held,
                        std::span<const domain::MerchantId> released, int round) {
    std::vector<domain::HoldStep> steps;
    const auto add = [&](domain::HeldBack what, std::optional<int> released_round) -> Status {
        domain::HoldStep& step = steps.emplace_back();
        step.day = day_;
        step.held = std::move(what);
        step.held.note = std::string(CutText(step.held.note, kNoteMax));
        step.released_round = released_round;
        step.at = at_;
        return steps.size() < kHoldsPerCount ? OkStatus() : TellSome(std::exchange(steps, {}));
    };
    for (const domain::HeldBack& merchant : held) {
        KESSAI_RETURN_IF_ERROR(add(merchant, std::nullopt));
    }
    for (const domain::MerchantId merchant : released) {
        KESSAI_RETURN_IF_ERROR(add({merchant, domain::HoldReason{}, {}, {}, {}}, round));
    }
    return steps.empty() ? OkStatus() : TellSome(std::move(steps));
}

Status HoldTeller::TellSome(std::vector<domain::HoldStep> steps) {
    KESSAI_ASSIGN_OR_RETURN(const auto latest, LatestSteps(session_, day_, steps));
    std::erase_if(steps, [&](domain::HoldStep& step) {
        const auto found = latest.find(step.held.merchant);
        // Held by a version that told nobody: nobody is told of its end.
        if (found == latest.end()) return step.released_round.has_value();
        step.number = found->second.number;
        step.version = found->second.version;
        return step.SaysTheSame(found->second);
    });
    if (steps.empty()) return OkStatus();

    KESSAI_ASSIGN_OR_RETURN(const std::int64_t count, NextCount(session_, Gate::kHolds));
    mysql::RowList rows;
    outbox::BatchWriter writer;
    std::int64_t next = count << kHoldsPerCountBits;
    for (domain::HoldStep& step : steps) {
        if (step.version == 0) step.number = next++;
        ++step.version;
        AddRow(step, rows);
        KESSAI_ASSIGN_OR_RETURN(const std::string envelope, events_.HoldChanged(step));
        KESSAI_RETURN_IF_ERROR(writer.Add(
            {.object_id = domain::EventObjectOfHold(step.number), .envelope = envelope}));
    }
    KESSAI_RETURN_IF_ERROR(session_.Execute(kInsert, rows));
    shards_ |= writer.shards();
    // No day's end waits for them: a mark is of changes of payments.
    return writer.Store(session_, OutboxRowId(count, WriterOf(Gate::kHolds)), kNoDay);
}

}  // namespace kessai::payout::storage
