#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "kessai/mysql/migration.h"
#include "kessai/mysql/session.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::lease {

/// The table `lease`, for the owner of a schema to migrate together with its own.
mysql::MigrationSet Migrations();

/// LEASE_LOST: FAILED_PRECONDITION, somebody else took the lease over.
inline constexpr std::string_view kLeaseLost = "LEASE_LOST";
/// NO_FREE_NUMBER: RESOURCE_EXHAUSTED, all worker numbers are in use.
inline constexpr std::string_view kNoFreeNumber = "NO_FREE_NUMBER";
/// WORKER_NUMBER_NOT_HELD: UNAVAILABLE, ids were made that must not be committed (yet).
inline constexpr std::string_view kNumberNotHeld = "WORKER_NUMBER_NOT_HELD";

/// A lease as it was given: who, under which fence, until when by the holder's steady clock.
struct Grant {
    std::string name;
    /// Unique to one run of one process (host, pid and a random number).
    std::string owner;
    /// Rises by one at every take-over, so later holders have larger ones.
    std::int64_t fence = 0;
    /// What the last holder left; this one may raise it and store it with a renewal.
    std::int64_t data = 0;
    /// Lower bound of the lease's end in the database: counted from before the statement was sent.
    SteadyInstant ends_at{};
};

/// The statements on leases, without any thread. Time is the database's (NOW(6)), so that holders
/// agree about expiry whatever their clocks say.
///
/// Acquire: the grant if the lease is free, expired, or held by `owner` already; nullopt while
/// somebody else holds it. Opens its own transaction.
Result<std::optional<Grant>> TryAcquire(mysql::Session& session, std::string_view name,
                                        std::string_view owner, Duration duration,
                                        const Clock& clock);
/// Prolongs the grant and raises the row's data to grant.data. Also works after expiry while nobody
/// took it over. FAILED_PRECONDITION LEASE_LOST.
Status Renew(mysql::Session& session, Grant& grant, Duration duration, const Clock& clock);
/// Stores grant.data and lets others take it at once. Nothing happens if it was taken over already.
Status Release(mysql::Session& session, const Grant& grant);
/// Until when somebody holds it unless it is renewed, by the database's clock; nullopt when nobody
/// does. To be told to people: it may be free or prolonged by the time they read it.
Result<std::optional<Instant>> HeldUntil(mysql::Session& session, std::string_view name);
/// Inside the caller's transaction: locks the lease's row until its end and refuses with
/// FAILED_PRECONDITION LEASE_LOST if it was taken over. While the transaction is open nobody can
/// take it over: this is what makes an effect exclusive; clocks only make it unlikely to fail.
Status ConfirmInTransaction(mysql::Session& session, const Grant& grant);

/// "host:pid:random", for `owner`.
std::string NewOwner();

}  // namespace kessai::lease
