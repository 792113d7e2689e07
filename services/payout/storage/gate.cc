#include "storage/gate.h"

#include "kessai/mysql/query.h"

namespace kessai::payout::storage {
namespace {

constexpr mysql::Query kCount{"payout_gate.count_outbox_row",
                              "UPDATE payout_gate SET outbox_rows = outbox_rows + 1 WHERE id = ?"};
constexpr mysql::Query kRead{"payout_gate.read_outbox_rows",
                             "SELECT outbox_rows FROM payout_gate WHERE id = ?"};

}  // namespace

Result<std::int64_t> NextCount(mysql::Session& session, Gate gate) {
    const int id = static_cast<int>(gate);
    KESSAI_RETURN_IF_ERROR(session.Execute(kCount, id));
    KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kRead, id));
    if (!rows.Next()) return Status(Code::kInternal, "GATE_MISSING", "payout_gate lacks a row");
    return rows.Int(0);
}

Result<std::int64_t> NextOutboxRow(mysql::Session& session, Gate gate) {
    KESSAI_ASSIGN_OR_RETURN(const std::int64_t count, NextCount(session, gate));
    return OutboxRowId(count, WriterOf(gate));
}

}  // namespace kessai::payout::storage
