#include "storage/first_day.h"

#include "kessai/mysql/query.h"
#include "kessai/mysql/transaction.h"

namespace kessai::payment::storage {
namespace {

constexpr mysql::Query kLockTimes{"gate.lock_times",
                                  "SELECT last_time_us FROM gate ORDER BY slot FOR UPDATE"};
constexpr mysql::Query kCountDays{"business_day.count", "SELECT COUNT(*) FROM business_day"};
constexpr mysql::Query kSetFirst{"gate.set_first_day", "UPDATE gate SET business_date = ?"};

}  // namespace

Status SetFirstDay(mysql::Session& session, BusinessDate day) {
    KESSAI_ASSIGN_OR_RETURN(auto transaction, mysql::Transaction::Begin(session));
    KESSAI_ASSIGN_OR_RETURN(auto times, session.Select(kLockTimes));
    while (times.Next()) {
        if (times.Int(0) != 0) return OkStatus();
    }
    KESSAI_ASSIGN_OR_RETURN(auto days, session.Select(kCountDays));
    if (days.Next() && days.Int(0) != 0) return OkStatus();
    KESSAI_RETURN_IF_ERROR(session.Execute(kSetFirst, day));
    return transaction.Commit();
}

}  // namespace kessai::payment::storage
