// Goal: the server answers well-formed requests, in order, and gives every other kind its named
// refusal; slow, greedy and ambiguous clients cannot hold or confuse it.
// Method: a real server on loopback and a raw socket that decides every byte.

#include "kessai/http/server.h"

#include <future>

#include "http_fixture.h"
#include "kessai/http/client.h"
#include "kessai/net/testing/certificate.h"

namespace kessai::http {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class ServerTest : public HttpFixture {};

TEST_F(ServerTest, AnswersAndKeepsTheConnection) {
    AddEcho();
    Start();
    RawClient client(port());
    client.Send("GET /echo?a=%20b HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(client.Answer(), AllOf(StartsWith("HTTP/1.1 200 OK\r\n"),
                                       HasSubstr("Content-Type: application/json\r\n"),
                                       HasSubstr("X-REQUEST-ID: OPA"), HasSubstr("Date: "),
                                       HasSubstr("\r\n\r\nGET /echo?a=%20b  from 127.0.0.1"),
                                       Not(HasSubstr("Connection: close"))));
    client.Send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
    EXPECT_THAT(client.Answer(), HasSubstr("POST /echo hello from"));
    client.Send("\r\nGET /echo/7 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(client.Answer(), AllOf(HasSubstr("GET /echo/7"), HasSubstr("Connection: close")));
    EXPECT_TRUE(client.Ended());
    ASSERT_TRUE(Eventually([&] { return observer_.closed == 1; }));
    EXPECT_EQ(observer_.request_ids.size(), 3u);
    EXPECT_THAT(*observer_.request_ids.begin(), ::testing::MatchesRegex("OPA[0-9a-f]{32}"));
}

TEST_F(ServerTest, AnswersPipelinedRequestsInTheirOrder) {
    // The first handlers take longest.
    Add(Method::kPost, "/slow/{id}", [](const Request& request) -> net::Task<Response> {
        const std::string id(request.Parameter("id"));
        const int number = std::stoi(id);
        if (number < 5) co_await request.loop->Sleep(std::chrono::milliseconds(50 - 10 * number));
        Response response;
        response.body = id + ":" + std::string(request.body);
        co_return response;
    });
    Start();
    RawClient client(port());
    std::string all;
    for (int i = 0; i < 200; ++i) {
        all +=
            "POST /slow/" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n";
        all += "b" + std::to_string(i % 10) + ".";
    }
    // In two pieces, cut inside a request.
    client.Send(all.substr(0, 1'501));
    SystemClock().SleepFor(std::chrono::microseconds(5'000));
    client.Send(all.substr(1'501));
    for (int i = 0; i < 200; ++i) {
        const std::string wanted = std::to_string(i) + ":b" + std::to_string(i % 10) + ".";
        ASSERT_THAT(client.Answer(), ::testing::EndsWith("\r\n\r\n" + wanted));
    }
}

TEST_F(ServerTest, TakesARequestByteByByte) {
    AddEcho();
    Start();
    RawClient client(port());
    for (const char c :
         std::string("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody")) {
        ASSERT_TRUE(client.Send({&c, 1}));
        SystemClock().SleepFor(std::chrono::microseconds(200));
    }
    EXPECT_THAT(client.Answer(), HasSubstr("POST /echo body from"));
}

TEST_F(ServerTest, TakesBodiesUpToTheRoutesLimit) {
    AddEcho(100'000);
    Start();
    RawClient client(port());
    const std::string body(100'000, 'b');
    client.Send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n" + body +
                "GET /echo/next HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(client.Answer(), HasSubstr("POST /echo " + body + " from"));
    EXPECT_THAT(client.Answer(), HasSubstr("/echo/next"));

    client.Send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100001\r\n\r\n" + body);
    EXPECT_THAT(client.Answer(), AllOf(StartsWith("HTTP/1.1 413 "), HasSubstr("BODY_TOO_LARGE"),
                                       HasSubstr("Connection: close")));
    EXPECT_TRUE(client.Ended());
}

TEST_F(ServerTest, TakesChunkedBodies) {
    AddEcho(1'000);
    Start();
    RawClient client(port());
    client.Send("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel");
    SystemClock().SleepFor(std::chrono::microseconds(5'000));
    client.Send("lo\r\n6;ext=1\r\n world\r\n0\r\nTrailer: x\r\n\r\nGET /echo/n");
    EXPECT_THAT(client.Answer(), HasSubstr("POST /echo hello world from"));
    client.Send("ext HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(client.Answer(), HasSubstr("GET /echo/next"));

    client.Send("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.Send("3e9\r\n" + std::string(1'001, 'x') + "\r\n0\r\n\r\n");
    EXPECT_THAT(client.Answer(), StartsWith("HTTP/1.1 413 "));
    EXPECT_TRUE(client.Ended());
    for (const char* chunks : {"zz\r\nabc\r\n0\r\n\r\n", "3\r\nabcXX\r\n", "-1\r\nabc\r\n0\r\n\r\n",
                               "ffffffffffffffffff\r\nabc"}) {
        RawClient broken(port());
        broken.Send("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
        broken.Send(chunks);
        EXPECT_THAT(broken.Answer(),
                    ::testing::AnyOf(StartsWith("HTTP/1.1 400 "), StartsWith("HTTP/1.1 413 ")))
            << chunks;
    }
}

TEST_F(ServerTest, RefusesMalformedAndAmbiguousRequests) {
    AddEcho();
    Start();
    struct Case {
        std::string request;
        int status;
    };
    for (const auto& given : std::initializer_list<Case>{
             {"nonsense\r\n\r\n", 400},
             {"GET /echo HTTP/1.1\r\n\r\n", 400},  // no Host
             {"GET /echo HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
             {"GET echo HTTP/1.1\r\nHost: x\r\n\r\n", 400},
             {"GET http://x/echo HTTP/1.1\r\nHost: x\r\n\r\n", 400},
             {"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 400},
             {"GET /echo HTTP/2.0\r\nHost: x\r\n\r\n", 505},
             {"GET /echo HTTP/1.1\nHost: x\n\r\n\r\n", 400},
             {"GET /echo HTTP/1.1\r\nHost: x\r\nA b: c\r\n\r\n", 400},
             {"GET /echo HTTP/1.1\r\nHost: x\r\nA : c\r\n\r\n", 400},
             {"GET /echo HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n", 400},  // folded
             {"GET /echo HTTP/1.1\r\nHost: x\r\nA: b\x01\r\n\r\n", 400},
             {std::string("GET /echo HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n", 39), 400},
             {"GET /ec ho HTTP/1.1\r\nHost: x\r\n\r\n", 400},
             {"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
              400},
             {"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400},
             {"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1x\r\n\r\na", 400},
             {"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
              400},
             {"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: "
              "chunked\r\n\r\n"
              "0\r\n\r\n",
              400},
             {"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 501},
             {"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
              501},
             {"GET /echo HTTP/1.1\r\nHost: x\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n", 400},
             {"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: a\r\nContent-Type: b\r\n\r\n", 400},
             {"GET /echo HTTP/1.1\r\nHost: x\r\nA: " + std::string(17'000, 'a') + "\r\n\r\n", 431},
             {"GET /" + std::string(17'000, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n", 431},
             {std::string(20'000, 'a'), 431},
         }) {
        RawClient client(port());
        client.Send(given.request);
        const std::string answer = client.Answer();
        EXPECT_THAT(answer, StartsWith("HTTP/1.1 " + std::to_string(given.status) + " "))
            << given.request.substr(0, 120);
        EXPECT_THAT(answer, HasSubstr("\"code\":\""));
        EXPECT_TRUE(client.Ended()) << given.request.substr(0, 120);
    }
    std::string many = "GET /echo HTTP/1.1\r\nHost: x\r\n";
    for (int i = 0; i < 101; ++i) many += "A: b\r\n";
    RawClient client(port());
    client.Send(many + "\r\n");
    EXPECT_THAT(client.Answer(), StartsWith("HTTP/1.1 431 "));
}

TEST_F(ServerTest, AnswersUnknownPathsAndMethodsInTheirFamilysForm) {
    AddEcho();
    Start();
    RawClient client(port());
    client.Send("POST /v2/none HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody");
    EXPECT_THAT(client.Answer(), AllOf(StartsWith("HTTP/1.1 404 "), HasSubstr("\"family\":\"v2\""),
                                       HasSubstr("PATH_UNKNOWN")));
    client.Send("DELETE /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(client.Answer(),
                AllOf(StartsWith("HTTP/1.1 405 "), HasSubstr("Allow: GET, POST\r\n"),
                      HasSubstr("\"family\":\"plain\"")));
    client.Send("BREW /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(client.Answer(), StartsWith("HTTP/1.1 405 "));
    client.Send("GET /v2/" + std::string(17'000, 'x'));
    EXPECT_THAT(client.Answer(),
                AllOf(StartsWith("HTTP/1.1 431 "), HasSubstr("\"family\":\"v2\"")));
}

TEST_F(ServerTest, AnswersHeadWithoutABody) {
    AddEcho();
    Start();
    RawClient client(port());
    client.Send("HEAD /echo HTTP/1.1\r\nHost: x\r\n\r\nGET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(client.Answer(true),
                AllOf(StartsWith("HTTP/1.1 200 "), HasSubstr("Content-Length: ")));
    EXPECT_THAT(client.Answer(), HasSubstr("GET /echo"));
}

TEST_F(ServerTest, InvitesABodyThatAsksFirst) {
    AddEcho();
    Start();
    RawClient client(port());
    client.Send(
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_EQ(client.Answer(), "HTTP/1.1 100 Continue\r\n\r\n");
    client.Send("body");
    EXPECT_THAT(client.Answer(), HasSubstr("POST /echo body"));
    client.Send(
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 70000\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_THAT(client.Answer(), StartsWith("HTTP/1.1 413 "));
}

TEST_F(ServerTest, EndsSlowAndIdleConnections) {
    AddEcho();
    Server::Options options;
    options.limits.header_timeout = 100ms;
    options.limits.transfer_grace = 100ms;
    options.limits.transfer_bytes_per_second_min = 10'000;
    options.limits.idle_timeout = 200ms;
    Start(options);

    RawClient header(port());
    header.Send("GET /echo HTTP/1.1\r\nHost");
    EXPECT_THAT(header.Answer(), StartsWith("HTTP/1.1 408 "));
    EXPECT_TRUE(header.Ended());

    RawClient body(port());
    body.Send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\nslow");
    EXPECT_THAT(body.Answer(), StartsWith("HTTP/1.1 408 "));
    EXPECT_TRUE(body.Ended());

    RawClient idle(port());
    EXPECT_TRUE(idle.Ended());
    RawClient idle_later(port());
    idle_later.Send("GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(idle_later.Answer(), StartsWith("HTTP/1.1 200 "));
    EXPECT_TRUE(idle_later.Ended());
}

TEST_F(ServerTest, EndsAClientThatDoesNotReadItsAnswer) {
    Add(Method::kGet, "/large", [](const Request&) -> net::Task<Response> {
        Response response;
        response.body.assign(30'000'000, 'x');
        co_return response;
    });
    Server::Options options;
    options.limits.transfer_grace = 100ms;
    options.limits.transfer_bytes_per_second_min = 100'000'000;
    Start(options);
    RawClient client(port());
    client.Send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(Eventually([&] { return observer_.closed == 1; }));
}

TEST_F(ServerTest, BoundsConnections) {
    AddEcho();
    Server::Options options;
    options.limits.connections_per_address_max = 3;
    Start(options);
    std::vector<std::unique_ptr<RawClient>> clients;
    for (int i = 0; i < 3; ++i) {
        clients.push_back(std::make_unique<RawClient>(port()));
        clients.back()->Send("GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
        EXPECT_THAT(clients.back()->Answer(), StartsWith("HTTP/1.1 200 "));
    }
    RawClient refused(port());
    EXPECT_TRUE(refused.Ended());
    EXPECT_EQ(observer_.refused, 1);
    clients.clear();
    ASSERT_TRUE(Eventually([&] { return server_->connections() == 0; }));
    RawClient again(port());
    again.Send("GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(again.Answer(), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ServerTest, EndsAConnectionAfterItsShareOfRequests) {
    AddEcho();
    Server::Options options;
    options.limits.requests_per_connection_max = 3;
    Start(options);
    RawClient client(port());
    for (int i = 0; i < 3; ++i) {
        client.Send("GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
        const std::string answer = client.Answer();
        EXPECT_EQ(answer.find("Connection: close") != std::string::npos, i == 2);
    }
    EXPECT_TRUE(client.Ended());
}

TEST_F(ServerTest, BoundsWhatRunsAndWhatIsBufferedAtOnce) {
    net::Arrival<int> gate;
    Add(Method::kGet, "/wait", [&](const Request&) -> net::Task<Response> {
        co_await gate;
        co_return Response{};
    });
    AddEcho(1'000'000);
    Server::Options options;
    options.limits.requests_in_flight_max = 1;
    options.limits.buffered_bytes_max = 500'000;
    Start(options);
    RawClient first(port());
    first.Send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(Eventually([&] { return server_->requests_in_flight() == 1; }));
    RawClient second(port());
    second.Send("GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(second.Answer(), AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("Retry-After: 1")));

    auto greedy = std::make_unique<RawClient>(port());
    greedy->Send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 400000\r\n\r\n");
    SystemClock().SleepFor(std::chrono::microseconds(20'000));
    RawClient too_much(port());
    too_much.Send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 400000\r\n\r\n");
    EXPECT_THAT(too_much.Answer(), StartsWith("HTTP/1.1 503 "));

    // Set it on the loop that the waiting connection is on: the first one accepted.
    for (auto& loop : loops_) {
        loop.Post([&] {
            static std::mutex once;
            const std::lock_guard lock(once);
            if (loop.InLoop() && &loop == &loops_[0] && !gate.is_set()) gate.Set(1);
        });
    }
    EXPECT_THAT(first.Answer(), StartsWith("HTTP/1.1 200 "));

    // What a client that went away in mid-body had taken is given back.
    greedy.reset();
    const std::string whole = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 400000\r\n\r\n" +
                              std::string(400'000, 'x');
    EXPECT_TRUE(Eventually([&] {
        RawClient next(port());
        next.Send(whole);
        return next.Answer().starts_with("HTTP/1.1 200 ");
    }));
    EXPECT_TRUE(Eventually([&] { return server_->buffered_bytes() == 0; }));
}

TEST_F(ServerTest, AHandlerThatThrowsIsAnInternalError) {
    Add(Method::kGet, "/throw", [](const Request&) -> net::Task<Response> {
        throw std::runtime_error("secret detail");
        co_return Response{};
    });
    Start();
    RawClient client(port());
    client.Send("GET /throw HTTP/1.1\r\nHost: x\r\n\r\nGET /throw HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(client.Answer(), AllOf(StartsWith("HTTP/1.1 500 "), HasSubstr("INTERNAL_ERROR"),
                                       Not(HasSubstr("secret"))));
    EXPECT_THAT(client.Answer(), StartsWith("HTTP/1.1 500 "));
}

TEST_F(ServerTest, BelievesForwardedAddressesOfTrustedProxiesOnly) {
    AddEcho();
    Start();
    {
        RawClient client(port());
        client.Send("GET /echo HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 8.8.8.8\r\n\r\n");
        EXPECT_THAT(client.Answer(), HasSubstr("from 127.0.0.1"));
    }
    ASSERT_TRUE(server_->Drain(5s));
    Server::Options options;
    options.trusted_proxies = {*net::IpNetwork::Parse("127.0.0.0/8"),
                               *net::IpNetwork::Parse("10.0.0.0/8")};
    Start(options);
    RawClient client(port());
    client.Send(
        "GET /echo HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 6.6.6.6, 8.8.8.8, 10.1.1.1\r\n\r\n");
    EXPECT_THAT(client.Answer(), HasSubstr("from 8.8.8.8"));
    client.Send("GET /echo HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: nonsense\r\n\r\n");
    EXPECT_THAT(client.Answer(), HasSubstr("from 127.0.0.1"));
}

TEST_F(ServerTest, DrainsWithoutLosingARequest) {
    net::Arrival<int> gate;
    Add(Method::kGet, "/wait", [&](const Request&) -> net::Task<Response> {
        co_await gate;
        Response response;
        response.body = "done";
        co_return response;
    });
    AddEcho();
    Start();
    RawClient busy(port());
    busy.Send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(Eventually([&] { return server_->requests_in_flight() == 1; }));
    RawClient idle(port());
    idle.Send("GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(idle.Answer(), StartsWith("HTTP/1.1 200 "));

    auto drained = std::async(std::launch::async, [&] { return server_->Drain(10s); });
    EXPECT_TRUE(idle.Ended());
    EXPECT_EQ(drained.wait_for(50ms), std::future_status::timeout);
    EXPECT_FALSE(RawClient(port()).connected());
    loops_[0].Post([&] { gate.Set(1); });
    EXPECT_THAT(busy.Answer(), AllOf(HasSubstr("Connection: close"), ::testing::EndsWith("done")));
    EXPECT_TRUE(drained.get());
}

// Goal: nothing touches a server that has gone; what its drain asked of a loop may come late.
// Method: one of its loops is busy until the server has been drained and destroyed.
TEST_F(ServerTest, MayGoWhileALoopIsBusy) {
    AddEcho();
    Start();
    std::promise<void> go;
    loops_[1].Post([busy = go.get_future()] { busy.wait(); });
    EXPECT_TRUE(server_->Drain(10s));
    server_.reset();
    go.set_value();
}

TEST_F(ServerTest, DrainsBusyConnectionsWithTheirNextAnswer) {
    AddEcho();
    Server::Options options;
    options.limits.drain_idle = 5s;  // no connection here is idle so long
    Start(options);
    std::atomic<int> answered = 0;
    std::vector<std::future<bool>> told_to_close;
    for (int i = 0; i < 8; ++i) {
        told_to_close.push_back(std::async(std::launch::async, [&] {
            RawClient client(port());
            while (true) {
                client.Send("GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
                const std::string answer = client.Answer();
                if (!answer.starts_with("HTTP/1.1 200 ")) return false;
                ++answered;
                if (answer.find("Connection: close") != std::string::npos) return true;
            }
        }));
    }
    ASSERT_TRUE(Eventually([&] { return answered > 200; }));
    EXPECT_TRUE(server_->Drain(10s));
    for (auto& told : told_to_close) EXPECT_TRUE(told.get()) << "a request got no answer";
}

TEST_F(ServerTest, EndsAConnectionThatStaysIdleWhileItDrains) {
    AddEcho();
    Server::Options options;
    options.limits.drain_idle = 200ms;
    Start(options);
    RawClient idle(port());
    idle.Send("GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(idle.Answer(), StartsWith("HTTP/1.1 200 "));
    EXPECT_TRUE(server_->Drain(10s));
    EXPECT_TRUE(idle.Ended());
}

TEST_F(ServerTest, SpeaksTlsAndResumesSessions) {
    net::testing::Certificates files;
    auto tls = net::TlsServerContext::Load({files.cert_file(), files.key_file()});
    ASSERT_TRUE(tls.ok());
    AddEcho();
    Server::Options options;
    options.tls = *tls;
    Start(options);

    const auto curl = [&](const std::string& arguments) {
        const std::string command =
            "openssl s_client -connect 127.0.0.1:" + std::to_string(port()) +
            " -servername localhost -CAfile " + files.ca_file() +
            " -verify_return_error -alpn h2,http/1.1 -ign_eof " + arguments +
            " 2>&1 <<'END'\nGET /echo/tls HTTP/1.1\r\nHost: x\r\n"
            "Connection: close\r\n\r\nEND";
        std::string output;
        FILE* pipe = ::popen(command.c_str(), "r");
        char piece[1'024];
        while (std::size_t got = std::fread(piece, 1, sizeof(piece), pipe))
            output.append(piece, got);
        ::pclose(pipe);
        return output;
    };
    const std::string session = files.directory() + "/session";
    const std::string first = curl("-sess_out " + session);
    EXPECT_THAT(first, AllOf(HasSubstr("TLSv1.3"), HasSubstr("ALPN protocol: http/1.1"),
                             HasSubstr("GET /echo/tls")));
    // A renewed certificate keeps the sessions.
    files.Renew(9);
    ASSERT_TRUE((*tls)->ReloadIfChanged().value_or(false));
    const std::string second = curl("-sess_in " + session);
    EXPECT_THAT(second, AllOf(HasSubstr("Reused, TLSv1.3"), HasSubstr("GET /echo/tls")));
    EXPECT_THAT(curl("-tls1_2"), AllOf(HasSubstr("TLSv1.2"), HasSubstr("GET /echo/tls")));
    EXPECT_THAT(curl("-tls1_1"), Not(HasSubstr("GET /echo/tls")));
    ASSERT_TRUE(Eventually([&] { return observer_.handshake_failures == 1; }));
    EXPECT_EQ(observer_.handshakes, 3);
    EXPECT_EQ(observer_.resumptions, 1);

    RawClient plain(port());
    plain.Send("GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(plain.Ended());
}

}  // namespace
}  // namespace kessai::http
