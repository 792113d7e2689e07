#include "storage/mysql_user_directory.h"

#include "kessai/faults/fault_point.h"
#include "kessai/mysql/error.h"
#include "kessai/mysql/query.h"
#include "kessai/mysql/rows.h"
#include "kessai/mysql/session.h"

namespace kessai::gateway::storage {

namespace {

constexpr Duration kAcquireTimeout = std::chrono::seconds(1);

constexpr mysql::Query kFind{"app_user.find",
                             "SELECT user_id FROM app_user WHERE subject = ? AND issuer = ?"};
constexpr mysql::Query kAdd{
    "app_user.add",
    "INSERT INTO app_user (user_id, issuer, subject, created_at_us) VALUES (?, ?, ?, ?)"};

Result<std::optional<std::int64_t>> FindOn(mysql::Session& session, std::string_view issuer,
                                           std::string_view subject) {
    KESSAI_ASSIGN_OR_RETURN(mysql::Rows rows, session.Select(kFind, subject, issuer));
    if (!rows.Next()) return std::optional<std::int64_t>();
    return std::optional(rows.Int(0));
}

}  // namespace

Result<std::optional<std::int64_t>> MysqlUserDirectory::Find(std::string_view issuer,
                                                             std::string_view subject) {
    KESSAI_ASSIGN_OR_RETURN(const mysql::Lease session, pool_.Acquire(kAcquireTimeout));
    return FindOn(*session, issuer, subject);
}

Result<std::int64_t> MysqlUserDirectory::FindOrCreate(std::string_view issuer,
                                                      std::string_view subject) {
    KESSAI_ASSIGN_OR_RETURN(const mysql::Lease session, pool_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(const auto known, FindOn(*session, issuer, subject));
    if (known) return *known;
    KESSAI_ASSIGN_OR_RETURN(const std::int64_t id, ids_.Next());
    const Status added = session->Execute(kAdd, id, issuer, subject, clock_.Now()).status();
    if (added.ok()) {
        KESSAI_FAULT_POINT("gateway.sign_in.after_commit");
        return id;
    }
    if (added.reason() != mysql::reason::kDuplicateKey) return added;
    // Somebody made it meanwhile.
    KESSAI_ASSIGN_OR_RETURN(const auto made, FindOn(*session, issuer, subject));
    if (!made) return added;
    return *made;
}

}  // namespace kessai::gateway::storage
