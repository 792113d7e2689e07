#include "kessai/lease/lease_table.h"

#include <unistd.h>

#include <cstdio>
#include <random>

#include "kessai/mysql/error.h"
#include "kessai/mysql/transaction.h"

namespace kessai::lease {
namespace {

using mysql::Query;

constexpr Query kLock{"lease.lock", R"sql(
    SELECT owner, fence, data,
           expires_at_us > CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED)
      FROM lease WHERE name = ? FOR UPDATE)sql"};
constexpr Query kInsert{"lease.insert", R"sql(
    INSERT INTO lease (name, owner, fence, expires_at_us, data)
    VALUES (?, ?, 1, CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED) + ?, 0))sql"};
constexpr Query kTake{"lease.take", R"sql(
    UPDATE lease SET owner = ?, fence = ?,
                     expires_at_us = CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED) + ?
     WHERE name = ?)sql"};
// A renewal whose reply was lost may run on the server after a later one: nothing goes back by it.
constexpr Query kRenew{"lease.renew", R"sql(
    UPDATE lease
       SET expires_at_us = GREATEST(expires_at_us,
                                    CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED) + ?),
           data = GREATEST(data, ?)
     WHERE name = ? AND owner = ? AND fence = ?)sql"};
// Without an owner even the same one takes it over under a new fence.
constexpr Query kRelease{"lease.release", R"sql(
    UPDATE lease SET expires_at_us = 0, owner = '', data = ?
     WHERE name = ? AND owner = ? AND fence = ?)sql"};
constexpr Query kHeldUntil{"lease.held_until", R"sql(
    SELECT expires_at_us FROM lease
     WHERE name = ? AND expires_at_us > CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED))sql"};
constexpr Query kConfirm{"lease.confirm", R"sql(
    SELECT COUNT(*) FROM lease WHERE name = ? AND owner = ? AND fence = ? FOR UPDATE)sql"};

Status Lost(const Grant& grant) {
    return Status(Code::kFailedPrecondition, kLeaseLost,
                  "the lease " + grant.name + " was taken over from " + grant.owner);
}

}  // namespace

Result<std::optional<Grant>> TryAcquire(mysql::Session& session, std::string_view name,
                                        std::string_view owner, Duration duration,
                                        const Clock& clock) {
    Grant grant;
    grant.name = name;
    grant.owner = owner;
    KESSAI_ASSIGN_OR_RETURN(auto transaction, mysql::Transaction::Begin(session));
    KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kLock, name));
    // Counted from before the database reads its own clock: never later than the row says.
    grant.ends_at = clock.SteadyNow() + duration;
    if (!rows.Next()) {
        const auto inserted = session.Execute(kInsert, name, owner, duration.count());
        if (!inserted.ok()) {
            // Another candidate was first.
            if (inserted.status().reason() == mysql::reason::kDuplicateKey)
                return std::optional<Grant>();
            return inserted.status();
        }
        grant.fence = 1;
    } else {
        const bool own = rows.Text(0) == owner;
        if (!own && rows.Bool(3)) return std::optional<Grant>();
        grant.fence = own ? rows.Int(1) : rows.Int(1) + 1;
        grant.data = rows.Int(2);
        KESSAI_RETURN_IF_ERROR(session.Execute(kTake, owner, grant.fence, duration.count(), name));
    }
    KESSAI_RETURN_IF_ERROR(transaction.Commit());
    return std::optional<Grant>(std::move(grant));
}

Status Renew(mysql::Session& session, Grant& grant, Duration duration, const Clock& clock) {
    const SteadyInstant ends_at = clock.SteadyNow() + duration;
    KESSAI_ASSIGN_OR_RETURN(const std::uint64_t renewed,
                            session.Execute(kRenew, duration.count(), grant.data, grant.name,
                                            grant.owner, grant.fence));
    if (renewed == 0) return Lost(grant);
    grant.ends_at = ends_at;
    return {};
}

Status Release(mysql::Session& session, const Grant& grant) {
    return session.Execute(kRelease, grant.data, grant.name, grant.owner, grant.fence).status();
}

Result<std::optional<Instant>> HeldUntil(mysql::Session& session, std::string_view name) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kHeldUntil, name));
    if (!rows.Next()) return std::optional<Instant>();
    return std::optional<Instant>(FromMicros(rows.Int(0)));
}

Status ConfirmInTransaction(mysql::Session& session, const Grant& grant) {
    KESSAI_CHECK(session.in_transaction(), "a lease is confirmed inside a transaction");
    KESSAI_ASSIGN_OR_RETURN(auto rows,
                            session.Select(kConfirm, grant.name, grant.owner, grant.fence));
    if (!rows.Next() || rows.Int(0) == 0) return Lost(grant);
    return {};
}

std::string NewOwner() {
    char host[64] = "";
    (void)gethostname(host, sizeof host - 1);
    std::random_device random;
    char owner[128];
    std::snprintf(owner, sizeof owner, "%s:%ld:%08x%08x", host, static_cast<long>(getpid()),
                  random(), random());
    return owner;
}

}  // namespace kessai::lease
