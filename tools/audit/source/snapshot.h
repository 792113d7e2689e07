#pragma once

#include <memory>

#include "kessai/mysql/session.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::audit {

/// One schema as it was at one moment: a read-only REPEATABLE READ transaction on a session of its
/// own, begun WITH CONSISTENT SNAPSHOT. Everything that a service commits in one transaction is in
/// it whole or not at all. One thread at a time.
class Snapshot {
 public:
    /// Refusals: those of kessai/mysql/error.h.
    static Result<Snapshot> Open(const mysql::ConnectOptions& options, const Clock& clock);

    mysql::Session& session() const { return *session_; }
    /// The database's clock just after it was taken.
    Instant taken_at() const { return taken_at_; }

 private:
    Snapshot(std::unique_ptr<mysql::Session> session, Instant taken_at)
        : session_(std::move(session)), taken_at_(taken_at) {}

    std::unique_ptr<mysql::Session> session_;
    Instant taken_at_;
};

/// A session for plain reads of what is committed now, with time-outs that suit large reads.
Result<std::unique_ptr<mysql::Session>> Connect(const mysql::ConnectOptions& options,
                                                const Clock& clock);

}  // namespace kessai::audit
