// Goal: bytes cross a stream whole, in plain and over TLS; time-outs, closes and refused addresses
// end what waits by name. Method: two streams over real loopback sockets on one loop, with
// certificates made for the test.

#include "kessai/net/stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "kessai/net/testing/certificate.h"

namespace kessai::net {
namespace {

using namespace std::chrono_literals;

SteadyInstant In(Duration time) {
    return SystemClock().SteadyNow() + time;
}

class StreamTest : public ::testing::Test {
 protected:
    StreamTest() { loop_.Start(); }
    ~StreamTest() override {
        // What still waits when its loop stops is lost.
        Run([this]() -> Task<void> {
            if (listener_) listener_->Close();
            while (serving_ > 0) co_await loop_.Sleep(10ms);
        });
        loop_.Stop();
    }

    void Run(std::function<Task<void>()> work) {
        std::promise<void> done;
        const auto body = [&]() -> Task<void> {
            co_await work();
            done.set_value();
        };
        loop_.Post([&] { Spawn(body()); });
        done.get_future().get();
    }

    /// Listens, and serves every connection with `serve`.
    std::uint16_t Serve(std::function<Task<void>(Stream)> serve) {
        serve_ = std::move(serve);
        auto listener =
            Listener::Listen(loop_, "127.0.0.1", 0, [this](int descriptor, const IpAddress& peer) {
                EXPECT_TRUE(peer.is_loopback());
                Spawn(ServeOne(Stream(loop_, descriptor)));
            });
        EXPECT_TRUE(listener.ok());
        listener_ = std::move(*listener);
        listener_->Start();
        return listener_->port();
    }

    Task<void> ServeOne(Stream stream) {
        ++serving_;
        co_await serve_(std::move(stream));
        --serving_;
    }

    static Task<Result<std::string>> ReadAll(Stream& stream) {
        std::string all;
        std::string buffer(4'000, 0);
        while (true) {
            auto got = co_await stream.Read(buffer.data(), buffer.size());
            if (!got.ok()) co_return got.status();
            if (*got == 0) co_return all;
            all.append(buffer, 0, *got);
        }
    }

    Loop loop_{"test"};
    std::function<Task<void>(Stream)> serve_;
    std::unique_ptr<Listener> listener_;
    int serving_ = 0;  // the loop's own
};

TEST_F(StreamTest, CarriesBytesBothWaysInPlain) {
    const auto port = Serve([](Stream stream) -> Task<void> {
        char byte;
        auto got = co_await stream.Read(&byte, 1);
        EXPECT_TRUE(got.ok());
        const std::string answer(3'000'000, byte);
        Status written = co_await stream.Write(answer);
        EXPECT_TRUE(written.ok()) << written.ToString();
        stream.Close();
    });
    Run([&]() -> Task<void> {
        auto stream = co_await Connect(loop_, "127.0.0.1", port, In(10s));
        EXPECT_TRUE(stream.ok()) << stream.status().ToString();
        if (!stream.ok()) co_return;
        (void)co_await stream->Write("x");
        auto all = co_await ReadAll(*stream);
        EXPECT_TRUE(all.ok()) << all.status().ToString();
        EXPECT_EQ(all.value_or(""), std::string(3'000'000, 'x'));
    });
}

TEST_F(StreamTest, CarriesBytesOverTlsAndResumesNothingFromStrangers) {
    testing::Certificates files;
    auto server = TlsServerContext::Load({files.cert_file(), files.key_file()});
    auto client = TlsClientContext::Create(files.ca_file());
    ASSERT_TRUE(server.ok() && client.ok());
    EXPECT_GT((*server)->expires_at_s(), 0);
    const auto port = Serve([&](Stream stream) -> Task<void> {
        Status shaken = co_await stream.HandshakeAsServer(**server);
        EXPECT_TRUE(shaken.ok()) << shaken.ToString();
        std::string request(5, 0);
        auto got = co_await stream.Read(request.data(), request.size());
        EXPECT_EQ(got.value_or(0), 5u);
        const std::string answer = request + std::string(1'000'000, 'y');
        Status written = co_await stream.Write(answer);
        EXPECT_TRUE(written.ok()) << written.ToString();
        stream.Close();
    });
    Run([&]() -> Task<void> {
        auto stream = co_await Connect(loop_, "localhost", port, In(10s));
        EXPECT_TRUE(stream.ok()) << stream.status().ToString();
        if (!stream.ok()) co_return;
        const std::string name = "localhost";
        Status shaken = co_await stream->HandshakeAsClient(**client, name);
        EXPECT_TRUE(shaken.ok()) << shaken.ToString();
        (void)co_await stream->Write("hello");
        auto all = co_await ReadAll(*stream);
        EXPECT_TRUE(all.ok()) << all.status().ToString();
        EXPECT_EQ(all.value_or(""), "hello" + std::string(1'000'000, 'y'));
    });
}

TEST_F(StreamTest, AClientRefusesAStrangerOrAnotherName) {
    testing::Certificates files;
    testing::Certificates others;
    auto server = TlsServerContext::Load({files.cert_file(), files.key_file()});
    auto trusting = TlsClientContext::Create(files.ca_file());
    auto stranger = TlsClientContext::Create(others.ca_file());
    const auto port = Serve(
        [&](Stream stream) -> Task<void> { (void)co_await stream.HandshakeAsServer(**server); });
    struct Case {
        TlsClientContext* context;
        std::string name;
    };
    for (const auto& given :
         {Case{trusting->get(), "example.com"}, Case{trusting->get(), "127.0.0.2"},
          Case{stranger->get(), "localhost"}}) {
        Run([&]() -> Task<void> {
            auto stream = co_await Connect(loop_, "127.0.0.1", port, In(10s));
            Status shaken = co_await stream->HandshakeAsClient(*given.context, given.name);
            EXPECT_EQ(shaken.reason(), "TLS_FAILED") << given.name << " " << shaken.ToString();
        });
    }
}

TEST_F(StreamTest, ARenewedCertificateIsUsedAndABrokenOneIsNot) {
    testing::Certificates files;
    auto server = TlsServerContext::Load({files.cert_file(), files.key_file()});
    ASSERT_TRUE(server.ok());
    EXPECT_FALSE((*server)->ReloadIfChanged().value_or(true));
    files.Renew(3);
    EXPECT_TRUE((*server)->ReloadIfChanged().value_or(false));
    EXPECT_FALSE((*server)->ReloadIfChanged().value_or(true));
    std::rename(files.ca_file().c_str(), files.cert_file().c_str());  // no certificate of the key
    EXPECT_EQ((*server)->ReloadIfChanged().status().reason(), "TLS_FILES_UNUSABLE");

    EXPECT_FALSE(TlsServerContext::Load({"/nonexistent", "/nonexistent"}).ok());
    EXPECT_FALSE(TlsClientContext::Create("/nonexistent").ok());
}

TEST_F(StreamTest, ADeadlineEndsAWait) {
    const auto port = Serve([this](Stream stream) -> Task<void> {
        char byte;
        (void)co_await stream.Read(&byte, 1);
        co_await loop_.Yield();
    });
    Run([&]() -> Task<void> {
        auto stream = co_await Connect(loop_, "127.0.0.1", port, In(10s));
        stream->SetDeadline(In(50ms));
        char byte;
        auto got = co_await stream->Read(&byte, 1);
        EXPECT_EQ(got.status().reason(), "STREAM_DEADLINE");
        Status written = co_await stream->Write("x");
        EXPECT_EQ(written.reason(), "STREAM_DEADLINE");
    });
}

TEST_F(StreamTest, AWriteToAPeerThatDoesNotReadEndsAtItsDeadline) {
    const auto port = Serve([this](Stream stream) -> Task<void> {
        co_await loop_.Sleep(300ms);
        stream.Close();
    });
    Run([&]() -> Task<void> {
        auto stream = co_await Connect(loop_, "127.0.0.1", port, In(10s));
        stream->SetDeadline(In(100ms));
        const std::string much(30'000'000, 'x');
        Status written = co_await stream->Write(much);
        EXPECT_EQ(written.reason(), "STREAM_DEADLINE");
    });
}

TEST_F(StreamTest, CloseEndsAWait) {
    const auto port = Serve([this](Stream stream) -> Task<void> {
        co_await loop_.Sleep(500ms);
        stream.Close();
    });
    Run([&]() -> Task<void> {
        auto stream = co_await Connect(loop_, "127.0.0.1", port, In(10s));
        loop_.Post([&] { stream->Close(); });
        char byte;
        auto got = co_await stream->Read(&byte, 1);
        EXPECT_EQ(got.status().reason(), "STREAM_CLOSED");
        EXPECT_FALSE(stream->is_open());
    });
}

TEST_F(StreamTest, ConnectChecksTheAddressItConnectsTo) {
    bool connected = false;
    const auto port = Serve([&](Stream) -> Task<void> {
        connected = true;
        co_return;
    });
    Run([&]() -> Task<void> {
        std::vector<std::string> asked;
        const AddressGuard guard = [&](const IpAddress& address) {
            asked.push_back(address.ToString());
            return address.is_public();
        };
        auto stream = co_await Connect(loop_, "localhost", port, In(10s), guard);
        EXPECT_EQ(stream.status().reason(), "ADDRESS_REFUSED") << stream.status().ToString();
        EXPECT_THAT(asked, ::testing::Contains("127.0.0.1"));
        co_await loop_.Sleep(20ms);
        EXPECT_FALSE(connected);
    });
}

TEST_F(StreamTest, ConnectNamesWhyItFailed) {
    const auto port = Serve([](Stream) -> Task<void> { co_return; });
    Run([&]() -> Task<void> {
        auto unknown = co_await Connect(loop_, "no-such-host.invalid", port, In(10s));
        EXPECT_EQ(unknown.status().reason(), "HOST_UNKNOWN");
        listener_->Close();
        auto refused = co_await Connect(loop_, "127.0.0.1", port, In(10s));
        EXPECT_EQ(refused.status().reason(), "CONNECT_FAILED") << refused.status().ToString();
    });
}

TEST_F(StreamTest, ListeningOnATakenPortIsRefusedByName) {
    const auto port = Serve([](Stream) -> Task<void> { co_return; });
    auto second = Listener::Listen(loop_, "127.0.0.1", port, [](int, const IpAddress&) {});
    EXPECT_EQ(second.status().reason(), "LISTEN_FAILED");
    EXPECT_FALSE(Listener::Listen(loop_, "example.com", 0, [](int, const IpAddress&) {}).ok());
}

}  // namespace
}  // namespace kessai::net
