#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "kessai/mysql/session.h"
#include "kessai/testing/eventually.h"
#include "kessai/testing/kafka_broker.h"
#include "kessai/testing/matchers.h"
#include "kessai/testing/mysql_server.h"
#include "kessai/testing/redis_server.h"
#include "kessai/testing/tcp_proxy.h"
#include "kessai/testing/temp_dir.h"

namespace kessai::testing {
namespace {

using std::chrono::seconds;

/// A connection that sends a text and reads what comes.
class RawClient {
 public:
    RawClient(const std::string& host, int port) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
        const timeval limit{5, 0};
        setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(static_cast<std::uint16_t>(port));
        inet_pton(AF_INET, host.c_str(), &address.sin_addr);
        connected_ = connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    }
    ~RawClient() { close(fd_); }
    bool connected() const { return connected_; }
    /// The answer, empty when the connection is gone.
    std::string Ask(const std::string& text) {
        if (send(fd_, text.data(), text.size(), MSG_NOSIGNAL) < 0) return {};
        char buffer[4096];
        const ssize_t size = recv(fd_, buffer, sizeof buffer, 0);
        return {buffer, size > 0 ? static_cast<std::size_t>(size) : 0};
    }

 private:
    const int fd_;
    bool connected_ = false;
};

TEST(RedisServerTest, APrivateOneIsStoppedAndStarted) {
    const auto server = RedisServer::Launch();
    const auto set = [&] {
        RawClient client(server->host(), server->port());
        EXPECT_EQ(client.Ask("AUTH " + server->password() + "\r\n"), "+OK\r\n");
        const std::string before = client.Ask("EXISTS key\r\n");
        EXPECT_EQ(client.Ask("SET key value\r\n"), "+OK\r\n");
        return before;
    };
    EXPECT_EQ(set(), ":0\r\n");
    EXPECT_EQ(set(), ":1\r\n");
    server->Kill9();
    EXPECT_FALSE(RawClient(server->host(), server->port()).connected());
    server->Start();
    EXPECT_EQ(set(), ":0\r\n") << "nothing is kept on disk";
    server->Restart();
    EXPECT_EQ(set(), ":0\r\n");
}

TEST(RedisServerTest, TheSharedOneAnswers) {
    const auto& server = RedisServer::Shared();
    RawClient client(server.host(), server.port());
    if (!server.password().empty()) {
        EXPECT_EQ(client.Ask("AUTH " + server.password() + "\r\n"), "+OK\r\n");
    }
    EXPECT_EQ(client.Ask("PING\r\n"), "+PONG\r\n");
}

// Goal: a test's schema is its own: its user reaches no other, and it is gone afterwards.
TEST(MysqlServerTest, SchemasAreApartAndDropped) {
    auto& server = MysqlServer::Shared();
    ASSERT_OK_AND_ASSIGN(auto admin, mysql::Session::Connect(server.admin()));
    const mysql::Query count{"test.count",
                             "SELECT COUNT(*) FROM information_schema.schemata WHERE "
                             "schema_name = ?"};
    std::string name;
    {
        const auto one = server.CreateSchema();
        const auto two = server.CreateSchema();
        name = one->name();
        ASSERT_OK_AND_ASSIGN(auto session, mysql::Session::Connect(one->options()));
        EXPECT_OK(session->Execute(mysql::Query{"q", "CREATE TABLE t (x INT)"}));
        const std::string foreign = "CREATE TABLE " + two->name() + ".t (x INT)";
        EXPECT_FALSE(session->Execute(mysql::Query{"q", foreign}).ok());
        ASSERT_OK_AND_ASSIGN(auto rows, admin->Select(count, name));
        ASSERT_TRUE(rows.Next());
        EXPECT_EQ(rows.Int(0), 1);
    }
    ASSERT_OK_AND_ASSIGN(auto rows, admin->Select(count, name));
    ASSERT_TRUE(rows.Next());
    EXPECT_EQ(rows.Int(0), 0);
}

TEST(MysqlServerTest, APrivateOneKeepsItsDataOverKill9) {
    const auto server = MysqlServer::Launch();
    const auto schema = server->CreateSchema();
    {
        ASSERT_OK_AND_ASSIGN(auto session, mysql::Session::Connect(schema->options()));
        ASSERT_OK(session->Execute(mysql::Query{"q", "CREATE TABLE t (x INT)"}));
        ASSERT_OK(session->Execute(mysql::Query{"q", "INSERT INTO t VALUES (7)"}));
    }
    server->Kill9();
    EXPECT_FALSE(mysql::Session::Connect(schema->options()).ok());
    server->Start();
    server->Restart();
    ASSERT_OK_AND_ASSIGN(auto session, mysql::Session::Connect(schema->options()));
    ASSERT_OK_AND_ASSIGN(auto rows, session->Select(mysql::Query{"q", "SELECT x FROM t"}));
    ASSERT_TRUE(rows.Next());
    EXPECT_EQ(rows.Int(0), 7);
}

TEST(KafkaBrokerTest, APrivateOneIsStoppedAndStarted) {
    if (!KafkaBroker::CanLaunch()) GTEST_SKIP() << "KESSAI_TEST_KAFKA_JARS is not set";
    const auto broker = KafkaBroker::Launch();
    const int port = std::stoi(broker->address().substr(broker->address().rfind(':') + 1));
    EXPECT_TRUE(RawClient("127.0.0.1", port).connected());
    broker->Kill9();
    EXPECT_FALSE(RawClient("127.0.0.1", port).connected());
    broker->Start();
    EXPECT_TRUE(RawClient("127.0.0.1", port).connected()) << broker->Log();
}

// Goal: each way the proxy fails is the one that a test asked for.
// Method: Redis behind it, which tells whether it got a command.
TEST(TcpProxyTest, FailsAsAsked) {
    const auto server = RedisServer::Launch();
    const auto other = RedisServer::Launch();
    TcpProxy proxy(server->host(), server->port());
    const auto connect = [&](const RedisServer& to) {
        auto client = std::make_unique<RawClient>("127.0.0.1", proxy.port());
        EXPECT_EQ(client->Ask("AUTH " + to.password() + "\r\n"), "+OK\r\n");
        return client;
    };
    EXPECT_EQ(connect(*server)->Ask("SET a 1\r\n"), "+OK\r\n");

    auto client = connect(*server);
    proxy.LoseReplyTo("INCR a");
    EXPECT_EQ(client->Ask("INCR a\r\n"), "");
    EXPECT_EQ(connect(*server)->Ask("GET a\r\n"), "$1\r\n2\r\n") << "the server did it";

    client = connect(*server);
    proxy.LoseRequest("INCR a");
    EXPECT_EQ(client->Ask("INCR a\r\n"), "");
    EXPECT_EQ(connect(*server)->Ask("GET a\r\n"), "$1\r\n2\r\n") << "the server never saw it";
    EXPECT_EQ(proxy.cuts(), 2);

    client = connect(*server);
    proxy.CutAll();
    EXPECT_EQ(client->Ask("PING\r\n"), "");

    proxy.Refuse(true);
    EXPECT_EQ(RawClient("127.0.0.1", proxy.port()).Ask("PING\r\n"), "");
    proxy.Refuse(false);

    proxy.PointTo(other->host(), other->port());
    EXPECT_EQ(connect(*other)->Ask("EXISTS a\r\n"), ":0\r\n");
    EXPECT_GE(proxy.accepted(), 7);
}

}  // namespace
}  // namespace kessai::testing
