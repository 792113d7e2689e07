// Goal: nobody without a certificate of our CA and an allowed name gets in, nobody is talked to
// whose certificate has another name, and renewed certificates are used without a restart. Method:
// a CA of the test's own; servers and clients over loopback with right, wrong and renewed
// certificates.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>

#include "kessai/rpc/batch_stream_client.h"
#include "kessai/rpc/status.h"
#include "test_pki.h"
#include "test_service.h"

namespace kessai::rpc {
namespace {

TestServer::Handlers Handlers() {
    return {.get_payment = [](const CallContext& call,
                              const pb::GetPaymentRequest&) -> Result<pb::Payment> {
                pb::Payment payment;
                payment.set_merchant_name(call.peer());
                return payment;
            },
            .execute =
                [](ReceivedBatch<ExecuteStream> batch) {
                    BatchAnswers<ExecuteStream> answers;
                    for (const pb::Command& command : batch.message->commands()) {
                        answers.Add(batch.sink, command.sequence());
                    }
                }};
}

class TlsTest : public ::testing::Test {
 protected:
    ServerOptions ServerWith(TlsFiles files, std::vector<std::string> peers = {}) {
        ServerOptions options;
        options.tls = std::move(files);
        options.allowed_peers = std::move(peers);
        return options;
    }
    Result<pb::Payment> CallOnce(const std::string& address, std::optional<TlsFiles> files,
                                 const std::string& server_name = "payment.test") {
        return CallOn(ChannelTo(address, std::move(files), server_name));
    }
    Result<pb::Payment> CallOn(const Channel& channel) {
        const std::string token = tokens_.Merchant();
        return Call(channel, GetPaymentMethod(), pb::GetPaymentRequest(),
                    {.timeout = seconds(5), .token = token});
    }

    TestTokens tokens_;
    TestPki pki_;
};

TEST_F(TlsTest, BothSidesKnowEachOtherByName) {
    TestServer server(tokens_, Handlers(),
                      ServerWith(pki_.Issue("server", {"payment.test"}), {"gateway.test"}));
    const auto payment = CallOnce(server.address(), pki_.Issue("gateway", {"gateway.test"}));
    ASSERT_TRUE(payment.ok()) << payment.status().ToString();
    EXPECT_EQ(payment->merchant_name(), "gateway.test");
}

TEST_F(TlsTest, StrangersAreKeptOut) {
    TestServer server(
        tokens_, Handlers(),
        ServerWith(pki_.Issue("server", {"payment.test"}), {"gateway.test", "payout.test"}));
    TestPki other("other-ca");
    const TlsFiles good = pki_.Issue("gateway", {"gateway.test"});
    const auto code = [&](std::optional<TlsFiles> files, const std::string& name) {
        return CallOnce(server.address(), std::move(files), name).status().code();
    };
    EXPECT_EQ(code(good, "payment.test"), Code::kOk);
    EXPECT_EQ(code(pki_.Issue("payout", {"x.test", "payout.test"}), "payment.test"), Code::kOk);
    // A name that isn't on the list, though our CA signed it.
    EXPECT_EQ(code(pki_.Issue("recon", {"recon.test"}), "payment.test"), Code::kUnavailable);
    // The right name by another CA: refused by the server, and refusing the server.
    TlsFiles forged = other.Issue("gateway", {"gateway.test"});
    EXPECT_EQ(code(forged, "payment.test"), Code::kUnavailable);
    forged.ca_path = good.ca_path;
    EXPECT_EQ(code(forged, "payment.test"), Code::kUnavailable);
    // A server whose certificate has another name than was asked for.
    EXPECT_EQ(code(good, "payout.test"), Code::kUnavailable);
    // No TLS at all.
    EXPECT_EQ(code(std::nullopt, ""), Code::kUnavailable);
}

TEST_F(TlsTest, StreamOfCommandsIsForTheGatewayOnly) {
    // The server lets both in; the method's rule names gateway.test.
    TestServer server(tokens_, Handlers(), ServerWith(pki_.Issue("server", {"payment.test"})));
    const auto client_as = [&](const std::string& name) {
        BatchStreamClientOptions options;
        options.method = "kessai.payment.v1.PaymentService.Execute";
        options.target = server.address();
        options.tls = pki_.Issue(name, {name});
        options.server_name = "payment.test";
        return options;
    };
    BatchStreamClient<ExecuteStream> gateway(client_as("gateway.test"), SystemClock());
    ASSERT_TRUE(gateway.Start().ok());
    EXPECT_TRUE(gateway.WaitReady(seconds(10)).ok());
    std::atomic<int> answered = 0;
    ASSERT_TRUE(gateway
                    .Send(pb::Command(), seconds(10),
                          [&](const Status& status, pb::Outcome*) { answered += status.ok(); })
                    .ok());
    EXPECT_TRUE(Eventually([&] { return answered == 1; }));

    std::mutex mutex;
    std::vector<Status> ends;
    auto options = client_as("payout.test");
    options.on_stream = [&](const std::string&, const Status& status) {
        const std::lock_guard lock(mutex);
        ends.push_back(status);
    };
    BatchStreamClient<ExecuteStream> payout(options, SystemClock());
    ASSERT_TRUE(payout.Start().ok());
    ASSERT_TRUE(Eventually([&] {
        const std::lock_guard lock(mutex);
        return !ends.empty();
    }));
    EXPECT_FALSE(payout.Ready());
    const std::lock_guard lock(mutex);
    EXPECT_EQ(ends.front().reason(), reason::kPeerNotAllowed);
}

// A renewal: the files are replaced while server and client run. Connections that exist go on, new
// ones are made with the new certificates; an old name no longer works once it is gone.
TEST_F(TlsTest, RenewedCertificatesAreTakenUp) {
    const TlsFiles server_files = pki_.Issue("server", {"old.test"});
    TestServer server(tokens_, Handlers(), ServerWith(server_files));
    const TlsFiles client_files = pki_.Issue("gateway", {"gateway-old.test"});
    const Channel lasting = ChannelTo(server.address(), client_files, "old.test");
    ASSERT_EQ(CallOn(lasting)->merchant_name(), "gateway-old.test");

    pki_.Issue("server", {"new.test"});
    pki_.Issue("gateway", {"gateway-new.test"});
    EXPECT_TRUE(Eventually([&] {
        const auto payment = CallOnce(server.address(), client_files, "new.test");
        return payment.ok() && payment->merchant_name() == "gateway-new.test";
    }));
    EXPECT_EQ(CallOnce(server.address(), client_files, "old.test").status().code(),
              Code::kUnavailable);
    EXPECT_TRUE(CallOn(lasting).ok());
}

TEST_F(TlsTest, FilesThatCannotBeUsedAreNamed) {
    const TlsFiles good = pki_.Issue("one", {"one.test"});
    EXPECT_TRUE(good.Check().ok());
    const TlsFiles other = pki_.Issue("two", {"two.test"});
    TlsFiles mixed = good;
    mixed.private_key_path = other.private_key_path;
    TlsFiles missing = good;
    missing.certificate_chain_path = pki_.folder() / "absent.pem";
    TlsFiles garbage = good;
    garbage.ca_path = pki_.folder() / "garbage.pem";
    std::ofstream(garbage.ca_path) << "no certificate";
    for (const auto& [files, name] :
         {std::pair{mixed, "two.key"}, {missing, "absent.pem"}, {garbage, "garbage.pem"}}) {
        const Status refused = files.Check();
        EXPECT_EQ(refused.reason(), reason::kTlsFilesInvalid);
        EXPECT_THAT(std::string(refused.message()), ::testing::HasSubstr(name));
        Server server(ServerWith(files), SystemClock(), tokens_.verifier, nullptr);
        EXPECT_EQ(server.Start().reason(), reason::kTlsFilesInvalid);
        EXPECT_EQ(Channel::Create({.target = "127.0.0.1:1", .tls = files}, SystemClock())
                      .status()
                      .reason(),
                  reason::kTlsFilesInvalid);
    }
}

}  // namespace
}  // namespace kessai::rpc
