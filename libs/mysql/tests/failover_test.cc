#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "database_fixture.h"
#include "kessai/testing/process.h"
#include "kessai/testing/tcp_proxy.h"
#include "kessai/testing/temp_dir.h"

namespace kessai::mysql {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::MysqlServer;
using testing::Refuses;

class FailoverTest : public ::testing::Test {
 protected:
    static Status Run(Session& session, std::string_view sql) {
        return session.Execute(Query{"test.run", sql}).status();
    }
    static std::int64_t Number(const ConnectOptions& options, std::string_view sql) {
        auto session = Session::Connect(options);
        EXPECT_OK(session);
        auto rows = (*session)->Select(Query{"test.number", sql});
        EXPECT_OK(rows);
        return rows->Next() ? rows->Int(0) : -1;
    }
};

// Goal: what was acknowledged survives kill -9 of the server, the pool finds its way back, and
// what is not known is reported as that.
// Method: threads insert numbers through the pool while the server is killed and started again
// three times; afterwards every acknowledged number is there, and every one that is there was
// acknowledged or reported unknown.
TEST_F(FailoverTest, AcknowledgedRowsSurviveKill9) {
    const auto server = MysqlServer::Launch();
    const auto schema = server->CreateSchema();
    {
        ASSERT_OK_AND_ASSIGN(auto session, Session::Connect(schema->options()));
        ASSERT_OK(Run(*session, "CREATE TABLE entry (id BIGINT PRIMARY KEY)"));
    }
    PoolOptions options;
    options.connect = schema->options();
    options.sessions_max = 3;
    Pool pool(options);

    std::mutex mutex;
    std::set<std::int64_t> acknowledged;
    std::set<std::int64_t> unknown;
    std::atomic<bool> done{false};
    std::vector<std::thread> writers;
    for (int t = 0; t < 3; ++t) {
        writers.emplace_back([&, t] {
            for (std::int64_t id = t; !done; id += 3) {
                RetryPolicy policy;
                policy.attempts_max = 1'000;
                policy.backoff_max = milliseconds(50);
                const Status status = InTransaction(pool, policy, [&](Session& session) {
                    return session
                        .Execute(Query{"entry.insert", "INSERT INTO entry VALUES (?)"}, id)
                        .status();
                });
                const std::lock_guard lock(mutex);
                if (status.ok()) {
                    acknowledged.insert(id);
                } else {
                    EXPECT_THAT(status, Refuses(Code::kUnknown, reason::kCommitUnknown));
                    unknown.insert(id);
                }
            }
        });
    }
    const auto count = [&] {
        const std::lock_guard lock(mutex);
        return acknowledged.size();
    };
    for (int kill = 0; kill < 3; ++kill) {
        const std::size_t before = count();
        EXPECT_EVENTUALLY(count() > before + 100);
        server->Kill9();
        server->Start();
    }
    const std::size_t before = count();
    EXPECT_EVENTUALLY(count() > before + 100);
    done = true;
    for (auto& writer : writers) writer.join();

    ASSERT_OK_AND_ASSIGN(auto session, Session::Connect(schema->options()));
    ASSERT_OK_AND_ASSIGN(auto rows, session->Select(Query{"q", "SELECT id FROM entry"}));
    std::set<std::int64_t> stored;
    while (rows.Next()) stored.insert(rows.Int(0));
    for (const auto id : acknowledged) EXPECT_TRUE(stored.contains(id)) << id << " was lost";
    for (const auto id : stored) {
        EXPECT_TRUE(acknowledged.contains(id) || unknown.contains(id))
            << id << " came from nowhere";
    }
    EXPECT_GE(pool.stats().broken_total, 3u);
}

// Goal: a primary that became a replica is left: its sessions are dropped, and when the name leads
// to the new primary writing goes on.
TEST_F(FailoverTest, AReadOnlyServerIsLeftForTheNewPrimary) {
    const auto old_primary = MysqlServer::Launch();
    const auto new_primary = MysqlServer::Launch();
    const auto schema = old_primary->CreateSchema();
    const auto other = new_primary->CreateSchema();
    for (const auto* each : {schema.get(), other.get()}) {
        ASSERT_OK_AND_ASSIGN(auto session, Session::Connect(each->options()));
        ASSERT_OK(Run(*session, "CREATE TABLE entry (id BIGINT PRIMARY KEY)"));
    }
    testing::TcpProxy name(schema->options().host, schema->options().port);
    PoolOptions options;
    options.connect = schema->options();
    options.connect.port = name.port();
    options.sessions_max = 2;
    Pool pool(options);
    const auto insert = [&](std::int64_t id) {
        RetryPolicy policy;
        policy.attempts_max = 3;
        policy.backoff_first = milliseconds(1);
        return InTransaction(pool, policy, [&](Session& session) {
            return session.Execute(Query{"entry.insert", "INSERT INTO entry VALUES (?)"}, id)
                .status();
        });
    };
    {
        // Two idle sessions, so that there is one that does not see the refusal itself.
        ASSERT_OK_AND_ASSIGN(const Lease first, pool.Acquire(seconds(1)));
        ASSERT_OK_AND_ASSIGN(const Lease second, pool.Acquire(seconds(1)));
    }
    ASSERT_OK(insert(1));
    ASSERT_OK_AND_ASSIGN(auto admin, Session::Connect(old_primary->admin()));
    ASSERT_OK(Run(*admin, "SET GLOBAL read_only = ON"));
    EXPECT_THAT(insert(2), Refuses(Code::kUnavailable, reason::kReadOnly));
    EXPECT_EQ(pool.stats().idle, 0);
    EXPECT_GE(pool.stats().broken_total, 3u);

    // The new primary has the same accounts.
    auto credentials = other->options();
    ASSERT_OK_AND_ASSIGN(auto setup, Session::Connect(new_primary->admin()));
    const std::string database = schema->name();
    const std::string account = "'" + schema->options().user + "'@'%'";
    ASSERT_OK(Run(*setup, "CREATE DATABASE " + database));
    ASSERT_OK(Run(
        *setup, "CREATE USER " + account + " IDENTIFIED BY '" + schema->options().password + "'"));
    ASSERT_OK(Run(*setup, "GRANT ALL ON " + database + ".* TO " + account));
    ASSERT_OK(Run(*setup, "CREATE TABLE " + database + ".entry (id BIGINT PRIMARY KEY)"));
    name.PointTo(other->options().host, other->options().port);
    EXPECT_OK(insert(3));
    auto there = schema->options();
    there.port = other->options().port;
    EXPECT_EQ(Number(there, "SELECT COUNT(*) FROM entry"), 1);
    EXPECT_EQ(Number(schema->options(), "SELECT COUNT(*) FROM entry"), 1);
}

// Goal: with an authority's file the connection is TLS to a server that it signed for, or none.
TEST_F(FailoverTest, TlsIsVerifiedWhenAskedFor) {
    const testing::TempDir pki("pki");
    const auto openssl = [&](std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), "openssl");
        auto process = testing::Process::Start({.command = std::move(arguments),
                                                .environment = {},
                                                .working_directory = pki.path(),
                                                .output_file = pki.Path("openssl.log")});
        ASSERT_OK(process);
        ASSERT_EQ((*process)->Wait(seconds(60)), 0) << testing::ReadFile(pki.Path("openssl.log"));
    };
    for (const char* name : {"ca", "other-ca"}) {
        openssl({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                 "-subj", std::string("/CN=") + name, "-days", "2", "-keyout",
                 std::string(name) + ".key", "-out", std::string(name) + ".pem"});
    }
    pki.Write("extensions", "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
    openssl({"req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout",
             "server.key", "-out", "server.csr"});
    openssl({"x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
             "-CAcreateserial", "-days", "2", "-extfile", "extensions", "-out", "server.pem"});

    const auto server = MysqlServer::Launch({"--ssl-ca=" + pki.Path("ca.pem"),
                                             "--ssl-cert=" + pki.Path("server.pem"),
                                             "--ssl-key=" + pki.Path("server.key")});
    const auto plain_server = MysqlServer::Launch({"--skip-ssl"});
    const auto cipher_length = [](const ConnectOptions& options) -> Result<std::int64_t> {
        KESSAI_ASSIGN_OR_RETURN(auto session, Session::Connect(options));
        KESSAI_ASSIGN_OR_RETURN(auto rows,
                                session->Select(Query{"q",
                                                      "SELECT LENGTH(VARIABLE_VALUE) FROM "
                                                      "information_schema.session_status WHERE "
                                                      "VARIABLE_NAME = 'SSL_CIPHER'"}));
        rows.Next();
        return rows.Int(0);
    };
    auto options = server->admin();
    options.tls_ca_file = pki.Path("ca.pem");
    EXPECT_THAT(cipher_length(options), testing::IsOkAnd(::testing::Gt(0)));
    options.host = "localhost";
    EXPECT_THAT(cipher_length(options), testing::IsOkAnd(::testing::Gt(0)));
    options.host = "127.0.0.1";

    const auto refused = Refuses(Code::kUnavailable, reason::kConnectionLost);
    options.tls_ca_file = pki.Path("other-ca.pem");
    EXPECT_THAT(Session::Connect(options), refused) << "signed by somebody else";
    options.tls_ca_file = pki.Path("missing.pem");
    EXPECT_THAT(Session::Connect(options), refused);
    options = plain_server->admin();
    options.tls_ca_file = pki.Path("ca.pem");
    EXPECT_THAT(Session::Connect(options), refused) << "the server has no TLS";
}

}  // namespace
}  // namespace kessai::mysql
