// Goal: a body that comes while it is sent reaches its receiver whole or is seen to be short, and
// no more of it is held than the network takes. Method: a source that counts what it is asked for,
// before receivers that read all, nothing, or go.

#include <atomic>
#include <string>

#include "http_fixture.h"

namespace kessai::http {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

struct Script {
    std::uint64_t bytes = 0;
    std::size_t piece = 1'000'000;
    /// The pieces before what goes wrong; negative: nothing does.
    int good = -1;
    enum class Wrong { kRefusal, kException, kNothing, kTooMuch } wrong = Wrong::kRefusal;
    Duration wait{};
};

char ByteAt(std::uint64_t at) {
    return static_cast<char>('a' + at % 23);
}

class BodySourceTest : public HttpFixture {
 protected:
    class Counting final : public BodySource {
     public:
        Counting(BodySourceTest& test, net::Loop& loop)
            : script_(test.script_), asked_(test.asked_), alive_(test.alive_), loop_(loop) {
            ++alive_;
        }
        ~Counting() override { --alive_; }
        std::uint64_t bytes() const override { return script_.bytes; }
        net::Task<Result<std::string>> Next() override {
            const int piece_number = asked_++;
            if (script_.wait > Duration{}) co_await loop_.Sleep(script_.wait);
            std::string piece(std::min<std::uint64_t>(script_.piece, script_.bytes - at_), '\0');
            for (char& byte : piece) byte = ByteAt(at_++);
            if (piece_number == script_.good) {
                if (script_.wrong == Script::Wrong::kException) throw std::runtime_error("broken");
                if (script_.wrong == Script::Wrong::kNothing) co_return std::string();
                if (script_.wrong == Script::Wrong::kTooMuch) {
                    co_return std::string(script_.bytes + 1, 'x');
                }
                co_return Status(Code::kUnavailable, "SOURCE_GONE", "gone");
            }
            co_return piece;
        }

     private:
        const Script script_;
        std::atomic<int>& asked_;
        std::atomic<int>& alive_;
        net::Loop& loop_;
        std::uint64_t at_ = 0;
    };

    void Serve(Server::Options options = {}) {
        Add(Method::kGet, "/file", [this](const Request& request) -> net::Task<Response> {
            Response response;
            response.content_type = "text/csv";
            response.body_source = std::make_shared<Counting>(*this, *request.loop);
            co_return response;
        });
        AddEcho();
        Start(std::move(options));
    }

    static constexpr const char* kGet = "GET /file HTTP/1.1\r\nHost: x\r\n\r\n";

    Script script_;
    std::atomic<int> asked_ = 0;
    std::atomic<int> alive_ = 0;
};

TEST_F(BodySourceTest, ComesWholeAndTheConnectionGoesOn) {
    script_ = {.bytes = 2'000'003, .piece = 100'000};
    Serve();
    RawClient client(port());
    client.Send(std::string(kGet) + "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    const std::string answer = client.Answer();
    EXPECT_THAT(answer.substr(0, 200),
                AllOf(StartsWith("HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\n"
                                 "Content-Length: 2000003\r\n"),
                      Not(HasSubstr("Connection: close"))));
    const std::string body = answer.substr(answer.find("\r\n\r\n") + 4);
    ASSERT_EQ(body.size(), script_.bytes);
    std::uint64_t wrong = 0;
    for (std::uint64_t at = 0; at < body.size(); ++at) wrong += body[at] != ByteAt(at) ? 1 : 0;
    EXPECT_EQ(wrong, 0);
    EXPECT_EQ(asked_, 21);
    EXPECT_THAT(client.Answer(), HasSubstr("GET /echo"));
    EXPECT_EQ(alive_, 0);
}

TEST_F(BodySourceTest, OfNoBytesIsNotAsked) {
    script_ = {.bytes = 0};
    Serve();
    RawClient client(port());
    client.Send(kGet);
    EXPECT_THAT(client.Answer(), HasSubstr("Content-Length: 0\r\n"));
    EXPECT_EQ(asked_, 0);
}

TEST_F(BodySourceTest, HeadGetsTheLengthAlone) {
    script_ = {.bytes = 5'000};
    Serve();
    RawClient client(port());
    client.Send("HEAD /file HTTP/1.1\r\nHost: x\r\n\r\n" + std::string(kGet));
    EXPECT_THAT(client.Answer(true), HasSubstr("Content-Length: 5000\r\n"));
    EXPECT_EQ(client.Answer().substr(0, 15), "HTTP/1.1 200 OK");
    EXPECT_EQ(asked_, 1);
}

TEST_F(BodySourceTest, IsNotAskedForMoreThanTheReceiverTakes) {
    script_ = {.bytes = 1'000'000'000, .piece = 1'000'000};
    Server::Options options;
    options.limits.transfer_grace = 300ms;
    options.limits.transfer_bytes_per_second_min = 1'000'000'000;
    Serve(options);
    RawClient client(port());
    client.Send(kGet);
    // Reads nothing: the buffers of both sides fill, and then the connection is given up.
    ASSERT_TRUE(Eventually([&] { return observer_.closed == 1; }));
    EXPECT_GE(asked_, 1);
    EXPECT_LE(asked_, 20);
    EXPECT_EQ(alive_, 0);
}

TEST_F(BodySourceTest, ThatIsSlowByItselfDoesNotCountAsASlowReceiver) {
    script_ = {.bytes = 300'000, .piece = 100'000, .wait = 200ms};
    Server::Options options;
    options.limits.transfer_grace = 100ms;
    options.limits.transfer_bytes_per_second_min = 1'000'000'000;
    Serve(options);
    RawClient client(port());
    client.Send(kGet);
    EXPECT_GT(client.Answer().size(), 300'000);
}

TEST_F(BodySourceTest, ThatFailsIsSeenToBeShort) {
    for (const auto wrong : {Script::Wrong::kRefusal, Script::Wrong::kException,
                             Script::Wrong::kNothing, Script::Wrong::kTooMuch}) {
        script_ = {.bytes = 5'000'000, .piece = 1'000'000, .good = 2, .wrong = wrong};
        asked_ = 0;
        if (server_ == nullptr) Serve();
        RawClient client(port());
        client.Send(kGet);
        // Fewer bytes than were said, and the connection's end.
        EXPECT_EQ(client.Answer(), "");
        EXPECT_TRUE(client.Ended());
        EXPECT_EQ(asked_, 3);
        ASSERT_TRUE(Eventually([&] { return alive_ == 0; }));
    }
}

TEST_F(BodySourceTest, GoesWithItsReceiver) {
    script_ = {.bytes = 1'000'000'000, .piece = 1'000'000};
    Serve();
    {
        RawClient client(port());
        client.Send(kGet);
        ASSERT_TRUE(Eventually([&] { return asked_ > 0; }));
    }
    ASSERT_TRUE(Eventually([&] { return observer_.closed == 1; }));
    EXPECT_EQ(alive_, 0);
    EXPECT_LE(asked_, 50);
}

}  // namespace
}  // namespace kessai::http
