#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kessai/mysql/session.h"
#include "kessai/testing/mysql_server.h"
#include "options.h"
#include "report.h"
#include "world.h"

namespace kessai::audit::testing {

/// A world on a real MariaDB and a real broker: four schemas and two topics, which can be damaged
/// and put right again.
class Platform {
 public:
    Platform();

    /// The schemas, as whoever may change anything in them.
    World::Schemas sessions() const {
        return {payment_session_.get(), payout_session_.get(), reconciliation_session_.get()};
    }
    mysql::Session& gateway() const { return *gateway_session_; }

    /// Writes the world, keeps a copy of every table, and publishes its events.
    void Settle(World& world);
    /// Puts the tables back as they were then, and the topics.
    void Restore();
    /// Publishes these events to new topics, and lets all consumers have applied them.
    void Publish(const std::vector<WorldEvent>& events);
    // The same in steps.
    void MakeTopics();
    void Append(const std::vector<WorldEvent>& events);
    void StoreOffsets();
    const std::vector<WorldEvent>& events() const { return events_; }

    /// One statement; it must change something. `schema`: 'p'ayment, 'o' payout, 'r'econciliation.
    void Damage(char schema, const std::string& sql);

    AuditOptions Options() const;

 private:
    struct Topics {
        std::string payment;
        std::string payout;
    };
    static void Exec(mysql::Session& session, const std::string& sql);
    static std::vector<std::string> TablesOf(mysql::Session& session);
    void Keep(mysql::Session& session);
    void PutBack(mysql::Session& session);

    std::unique_ptr<kessai::testing::MysqlSchema> payment_;
    std::unique_ptr<kessai::testing::MysqlSchema> payout_;
    std::unique_ptr<kessai::testing::MysqlSchema> reconciliation_;
    std::unique_ptr<kessai::testing::MysqlSchema> gateway_;
    std::unique_ptr<mysql::Session> payment_session_;
    std::unique_ptr<mysql::Session> payout_session_;
    std::unique_ptr<mysql::Session> reconciliation_session_;
    std::unique_ptr<mysql::Session> gateway_session_;
    std::vector<WorldEvent> events_;
    Topics settled_topics_;
    Topics topics_;
};

}  // namespace kessai::audit::testing
