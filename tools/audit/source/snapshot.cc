#include "source/snapshot.h"

namespace kessai::audit {
namespace {

constexpr mysql::Query kIsolation{"snapshot.isolation",
                                  "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ"};
constexpr mysql::Query kBegin{"snapshot.begin", "START TRANSACTION WITH CONSISTENT SNAPSHOT"};

}  // namespace

Result<std::unique_ptr<mysql::Session>> Connect(const mysql::ConnectOptions& options,
                                                const Clock& clock) {
    mysql::ConnectOptions patient = options;
    patient.read_timeout = std::chrono::minutes(5);
    // A snapshot waits while other schemas are read.
    patient.wait_timeout_s = 4 * 3600;
    auto session = mysql::Session::Connect(patient, clock);
    if (!session.ok()) return session.status().WithContext("schema " + options.schema);
    return session;
}

Result<Snapshot> Snapshot::Open(const mysql::ConnectOptions& options, const Clock& clock) {
    KESSAI_ASSIGN_OR_RETURN(auto session, Connect(options, clock));
    KESSAI_RETURN_IF_ERROR(session->Execute(kIsolation));
    KESSAI_RETURN_IF_ERROR(session->Execute(kBegin));
    KESSAI_ASSIGN_OR_RETURN(const Instant taken_at, session->DatabaseNow());
    return Snapshot(std::move(session), taken_at);
}

}  // namespace kessai::audit
