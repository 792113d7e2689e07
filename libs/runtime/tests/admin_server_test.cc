#include "admin_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "http_get.h"

namespace kessai::runtime {
namespace {

using testing::HasSubstr;

class AdminServerTest : public testing::Test {
 protected:
    AdminServerTest()
        : server_([](const std::string& path) {
              if (path == "/here") return AdminReply{.body = "{\"here\":true}"};
              return AdminReply{.status = 404, .body = "{}"};
          }) {
        EXPECT_TRUE(server_.Start("127.0.0.1", 0).ok());
    }

    AdminServer server_;
};

TEST_F(AdminServerTest, AnswersGetAndHead) {
    const HttpReply get = Get(server_.port(), "/here?x=1");
    EXPECT_EQ(get.status, 200);
    EXPECT_EQ(get.body, "{\"here\":true}");
    EXPECT_THAT(get.head, HasSubstr("Content-Type: application/json"));
    EXPECT_THAT(get.head, HasSubstr("Cache-Control: no-store"));
    EXPECT_EQ(Get(server_.port(), "/elsewhere").status, 404);
    const HttpReply head = Get(server_.port(), "/here", "HEAD");
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.body, "");
    EXPECT_THAT(head.head, HasSubstr("Content-Length: 13"));
    EXPECT_EQ(Get(server_.port(), "/here", "DELETE").status, 405);
}

TEST_F(AdminServerTest, KeepsConnectionsAlive) {
    RawConnection connection(server_.port());
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(connection.Send("GET /here HTTP/1.1\r\nHost: x\r\n\r\n"));
        EXPECT_THAT(connection.ReadUntil("true}"), HasSubstr("200 OK"));
    }
}

// Goal: what is not a small GET ends the connection, and the server goes on.
TEST_F(AdminServerTest, RefusesWhatItIsNotFor) {
    for (const std::string& request :
         {std::string("nonsense\r\n\r\n"), std::string(20'000, 'x'),
          "GET /here HTTP/1.1\r\nX: " + std::string(10'000, 'y') + "\r\n\r\n",
          std::string("GET /here HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello")}) {
        RawConnection connection(server_.port());
        connection.Send(request);
        EXPECT_EQ(connection.ReadToEnd().find("200 OK"), std::string::npos);
        EXPECT_EQ(Get(server_.port(), "/here").status, 200);
    }
}

// Goal: clients that say nothing do not keep probes from being answered, until there are more of
// them than connections are allowed; when they go, so does the refusal.
TEST_F(AdminServerTest, SilentClientsDoNotBlockOthers) {
    std::vector<std::unique_ptr<RawConnection>> silent;
    for (int i = 0; i < 63; ++i) {
        silent.push_back(std::make_unique<RawConnection>(server_.port()));
        ASSERT_TRUE(silent.back()->Send("GET /he"));
    }
    EXPECT_EQ(Get(server_.port(), "/here").status, 200);
    // At most 64 stay: of two more, one at least is closed at once.
    silent.push_back(std::make_unique<RawConnection>(server_.port()));
    silent.push_back(std::make_unique<RawConnection>(server_.port()));
    EXPECT_EQ(silent.back()->ReadToEnd(), "");
    silent.clear();
    HttpReply reply;
    for (int i = 0; i < 1'000 && reply.status != 200; ++i) reply = Get(server_.port(), "/here");
    EXPECT_EQ(reply.status, 200);
}

TEST_F(AdminServerTest, SaysWhenItCannotListen) {
    AdminServer second([](const std::string&) { return AdminReply{}; });
    const Status taken = second.Start("127.0.0.1", server_.port());
    EXPECT_EQ(taken.code(), Code::kUnavailable);
    EXPECT_EQ(taken.reason(), "ADMIN_LISTEN_FAILED");
    EXPECT_THAT(taken.message(), HasSubstr("Address already in use"));
}

TEST_F(AdminServerTest, SaysWhenTheHostIsUnknown) {
    AdminServer second([](const std::string&) { return AdminReply{}; });
    EXPECT_EQ(second.Start("no-such-host.invalid", 0).reason(), "ADMIN_LISTEN_FAILED");
}

}  // namespace
}  // namespace kessai::runtime
