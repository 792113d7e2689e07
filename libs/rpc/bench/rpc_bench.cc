// What a call and a command cost, in CPU time of each side: run by hand, see README.md.
//
//     rpc_bench unary plain|interceptor|async|pool [in flight]
//     rpc_bench stream <commands a message> [hold us] [open]
//     rpc_bench token
//
// The server is a process of its own, so that both sides can be told apart.
#include <grpcpp/channel.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/support/server_interceptor.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "kessai/payment/v1/payment_service.grpc.pb.h"
#include "kessai/rpc/batch_stream_client.h"
#include "kessai/rpc/metadata.h"
#include "kessai/rpc/telemetry.h"
#include "test_service.h"

namespace kessai::rpc {
namespace {

constexpr auto kRun = std::chrono::seconds(5);
constexpr const char* kServiceName = "kessai.payment.v1.PaymentService";

double CpuUs(const rusage& usage) {
    const auto us = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_usec);
    };
    return us(usage.ru_utime) + us(usage.ru_stime);
}

double OwnCpuUs() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return CpuUs(usage);
}

pb::Payment SomePayment() {
    pb::Payment payment;
    payment.set_payment_id(123456789012345);
    payment.set_merchant_id(77);
    payment.set_merchant_payment_id("order-2026-11-22-000001");
    payment.set_status(pb::COMPLETED);
    payment.mutable_amount()->set_minor(1'200);
    payment.mutable_amount()->set_currency("JPY");
    payment.mutable_balance()->set_minor(98'800);
    payment.mutable_balance()->set_currency("JPY");
    payment.set_user_id(4242);
    payment.set_accepted_at_us(1'790'000'000'000'000);
    payment.mutable_code()->set_code_id("04-aB3dE6gH9jK2mN5pQ8");
    return payment;
}

// --- servers ------------------------------------------------------------------------------------

/// As gRPC's generated code has it, without anything of ours.
class PlainService final : public pb::PaymentService::CallbackService {
    grpc::ServerUnaryReactor* GetCode(grpc::CallbackServerContext* context,
                                      const pb::GetCodeRequest*, pb::Payment* response) override {
        *response = SomePayment();
        auto* reactor = context->DefaultReactor();
        reactor->Finish(grpc::Status());
        return reactor;
    }
};

/// The least that an interceptor in place of our Service has to do: read the token and verify it,
/// count the call at its end. It can't refuse a call, only cancel it.
class Interceptor final : public grpc::experimental::Interceptor {
 public:
    Interceptor(const auth::TokenVerifier& verifier, std::atomic<std::uint64_t>& calls)
        : verifier_(verifier), calls_(calls) {}
    void Intercept(grpc::experimental::InterceptorBatchMethods* methods) override {
        using Point = grpc::experimental::InterceptionHookPoints;
        if (methods->QueryInterceptionHookPoint(Point::POST_RECV_INITIAL_METADATA)) {
            const auto* received = methods->GetRecvInitialMetadata();
            const auto found = received->find(metadata::kToken);
            if (found != received->end()) {
                (void)verifier_.Verify({found->second.data(), found->second.size()});
            }
        }
        if (methods->QueryInterceptionHookPoint(Point::PRE_SEND_STATUS)) ++calls_;
        methods->Proceed();
    }

 private:
    const auth::TokenVerifier& verifier_;
    std::atomic<std::uint64_t>& calls_;
};

class InterceptorFactory final : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
    explicit InterceptorFactory(const auth::TokenVerifier& verifier) : verifier_(verifier) {}
    grpc::experimental::Interceptor* CreateServerInterceptor(
        grpc::experimental::ServerRpcInfo*) override {
        return new Interceptor(verifier_, calls_);
    }

 private:
    const auth::TokenVerifier& verifier_;
    std::atomic<std::uint64_t> calls_{0};
};

void WaitForParent(int port) {
    std::printf("%d\n", port);
    std::fflush(stdout);
    char byte = 0;
    while (::read(STDIN_FILENO, &byte, 1) > 0) {
    }
}

void ServePlain(bool intercept, const TestTokens& tokens) {
    PlainService service;
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&service);
    if (intercept) {
        std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> all;
        all.push_back(std::make_unique<InterceptorFactory>(tokens.verifier));
        builder.experimental().SetInterceptorCreators(std::move(all));
    }
    const auto server = builder.BuildAndStart();
    WaitForParent(port);
    server->Shutdown();
}

void ServeOurs(TestTokens& tokens) {
    metrics::Registry registry;
    CallTelemetry telemetry(registry, {kServiceName});
    const pb::Payment payment = SomePayment();
    TestServer server(tokens,
                      {.get_payment = [&](const CallContext&, const pb::GetPaymentRequest&)
                           -> Result<pb::Payment> { return payment; },
                       .get_code = [&](const CallContext&, const pb::GetCodeRequest&,
                                       Answer<pb::Payment> answer) { answer(payment); },
                       .execute =
                           [&](ReceivedBatch<ExecuteStream> batch) {
                               BatchAnswers<ExecuteStream> answers;
                               for (const pb::Command& command : batch.message->commands()) {
                                   *answers.Add(batch.sink, command.sequence()).mutable_payment() =
                                       payment;
                               }
                           },
                       .threads = 2,
                       .queue_max = 10'000},
                      {}, &telemetry);
    WaitForParent(std::atoi(server.address().substr(server.address().rfind(':') + 1).c_str()));
}

// --- the client ---------------------------------------------------------------------------------

/// The server's process, and its CPU time once it has ended.
class ServerProcess {
 public:
    ServerProcess(const char* self, const std::string& kind) {
        int to_child[2];
        int from_child[2];
        KESSAI_CHECK(::pipe(to_child) == 0 && ::pipe(from_child) == 0, "pipe");
        pid_ = ::fork();
        KESSAI_CHECK(pid_ >= 0, "fork");
        if (pid_ == 0) {
            ::dup2(to_child[0], STDIN_FILENO);
            ::dup2(from_child[1], STDOUT_FILENO);
            for (const int fd : {to_child[0], to_child[1], from_child[0], from_child[1]}) {
                ::close(fd);
            }
            ::execl(self, self, "serve", kind.c_str(), nullptr);
            ::_exit(127);
        }
        ::close(to_child[0]);
        ::close(from_child[1]);
        stop_ = to_child[1];
        std::FILE* out = ::fdopen(from_child[0], "r");
        KESSAI_CHECK(std::fscanf(out, "%d", &port_) == 1, "the server did not start");
        std::fclose(out);
    }
    std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
    double Stop() {
        ::close(stop_);
        rusage usage{};
        int status = 0;
        ::wait4(pid_, &status, 0, &usage);
        return CpuUs(usage);
    }

 private:
    pid_t pid_ = 0;
    int stop_ = -1;
    int port_ = 0;
};

void Report(const char* what, std::uint64_t count, double seconds, double client_us,
            double server_us) {
    const auto n = static_cast<double>(count);
    std::printf("%s: %.0f/s; CPU us each: client %.2f, server %.2f\n", what, n / seconds,
                client_us / n, server_us / n);
}

void RunUnary(const char* self, const std::string& kind, int in_flight) {
    TestTokens tokens;
    ServerProcess server(self, kind);
    const Channel channel = ChannelTo(server.address());
    KESSAI_CHECK(channel.WaitReady(seconds(10)).ok(), "no connection");
    const std::string token = tokens.Merchant();
    std::atomic<bool> stop = false;
    std::atomic<std::uint64_t> answered = 0;
    std::atomic<int> running = in_flight;
    std::function<void()> start;
    const auto again = [&](const Result<pb::Payment>& payment) {
        KESSAI_CHECK(payment.ok(), payment.status().ToString());
        ++answered;
        if (stop) {
            --running;
        } else {
            start();
        }
    };
    const CallOptions options{.timeout = seconds(10), .token = token};
    pb::GetCodeRequest by_code;
    by_code.set_code_id("04-aB3dE6gH9jK2mN5pQ8");
    pb::GetPaymentRequest by_id;
    by_id.set_merchant_payment_id("order-2026-11-22-000001");
    if (kind == "pool") {
        start = [&] {
            CallAsync<pb::GetPaymentRequest, pb::Payment>(channel, GetPaymentMethod(), by_id,
                                                          options, again);
        };
    } else {
        start = [&] {
            CallAsync<pb::GetCodeRequest, pb::Payment>(channel, GetCodeMethod(), by_code, options,
                                                       again);
        };
    }
    const double cpu = OwnCpuUs();
    for (int i = 0; i < in_flight; ++i) start();
    SystemClock().SleepFor(kRun);
    stop = true;
    while (running > 0) SystemClock().SleepFor(milliseconds(1));
    const double client_us = OwnCpuUs() - cpu;
    Report(("unary " + kind + ", " + std::to_string(in_flight) + " in flight").c_str(), answered,
           std::chrono::duration<double>(kRun).count(), client_us, server.Stop());
}

void RunStream(const char* self, int per_message, Duration hold, int open) {
    ServerProcess server(self, "ours");
    BatchStreamClientOptions options;
    options.method = std::string(kServiceName) + ".Execute";
    options.target = server.address();
    options.batch_items_max = per_message;
    options.hold = hold;
    BatchStreamClient<ExecuteStream> client(options, SystemClock());
    KESSAI_CHECK(client.Start().ok() && client.WaitReady(seconds(10)).ok(), "no stream");
    TestTokens tokens;
    pb::Command command;
    command.set_token(tokens.User());
    command.mutable_pay_code()->set_code_id("04-aB3dE6gH9jK2mN5pQ8");
    command.mutable_pay_code()->mutable_amount()->set_minor(1'200);
    command.mutable_pay_code()->mutable_amount()->set_currency("JPY");
    std::atomic<bool> stop = false;
    std::atomic<std::uint64_t> answered = 0;
    std::function<void()> start = [&] {
        const Status sent =
            client.Send(command, seconds(10), [&](const Status& status, const pb::Outcome*) {
                KESSAI_CHECK(status.ok(), status.ToString());
                ++answered;
                if (!stop) start();
            });
        KESSAI_CHECK(sent.ok(), sent.ToString());
    };
    const double cpu = OwnCpuUs();
    for (int i = 0; i < open; ++i) start();
    SystemClock().SleepFor(kRun);
    stop = true;
    KESSAI_CHECK(client.Stop(seconds(10)), "did not drain");
    const double client_us = OwnCpuUs() - cpu;
    const auto counts = client.counts();
    const double server_us = server.Stop();
    char what[160];
    std::snprintf(
        what, sizeof what,
        "stream, at most %d a message, hold %ld us, %d open: %.1f a message out, %.1f in; "
        "us a message: client %.0f, server %.0f",
        per_message, static_cast<long>(hold.count()), open,
        static_cast<double>(counts.sent) / static_cast<double>(counts.messages_out),
        static_cast<double>(counts.sent) / static_cast<double>(counts.messages_in),
        client_us / static_cast<double>(counts.messages_out),
        server_us / static_cast<double>(counts.messages_out));
    Report(what, answered, std::chrono::duration<double>(kRun).count(), client_us, server_us);
}

template <class F>
void Time(const char* what, int times, F work) {
    const double cpu = OwnCpuUs();
    for (int i = 0; i < times; ++i) work(i);
    std::printf("%s: %.0f ns\n", what, (OwnCpuUs() - cpu) * 1'000 / times);
}

void RunToken() {
    TestTokens tokens;
    const auto user = [](int id) {
        return auth::Principal{.role = auth::Role::kUser,
                               .subject = "0af76519-16cd-43dd-8448-eb211c80319c",
                               .user_id = id,
                               .scopes = {"payment:write", "wallet:read"}};
    };
    const std::string_view audience[] = {"payment"};
    std::vector<std::string> known;
    for (int id = 1; id <= 4'000; ++id) {
        known.push_back(
            tokens.signer.MintOnce(user(id), audience, std::chrono::minutes(2)).value());
        KESSAI_CHECK(tokens.verifier.Verify(known.back()).ok(), "token");
    }
    auth::TokenVerifier forgetful(tokens.keys, SystemClock(),
                                  {.audience = "payment", .cache_entries_max = 0});
    const auto same = user(7);
    std::printf("a token has %zu bytes\n", known[0].size());
    Time("verify, one token again", 2'000'000,
         [&](int) { (void)tokens.verifier.Verify(known[0]); });
    Time("verify, 4,000 known tokens in turn", 2'000'000,
         [&](int i) { (void)tokens.verifier.Verify(known[static_cast<std::size_t>(i) % 4'000]); });
    Time("verify, not known", 200'000, [&](int) { (void)forgetful.Verify(known[0]); });
    Time("mint, kept", 1'000'000, [&](int) { (void)tokens.signer.Mint(same, "payment"); });
    Time("mint, new", 200'000,
         [&](int) { (void)tokens.signer.MintOnce(same, audience, std::chrono::minutes(2)); });
}

int Main(int argc, char** argv) {
    const std::string mode = argc > 1 ? argv[1] : "";
    const auto number = [&](int index, int otherwise) {
        return argc > index ? std::atoi(argv[index]) : otherwise;
    };
    if (mode == "serve" && argc == 3) {
        TestTokens tokens;
        if (std::strcmp(argv[2], "plain") == 0 || std::strcmp(argv[2], "interceptor") == 0) {
            ServePlain(std::strcmp(argv[2], "interceptor") == 0, tokens);
        } else {
            ServeOurs(tokens);
        }
    } else if (mode == "unary" && argc > 2) {
        RunUnary(argv[0], argv[2], number(3, 64));
    } else if (mode == "stream" && argc > 2) {
        const int per_message = number(2, 64);
        RunStream(argv[0], per_message, Duration(number(3, 1'000)), number(4, 4 * per_message));
    } else if (mode == "token") {
        RunToken();
    } else {
        std::fprintf(stderr,
                     "rpc_bench unary plain|interceptor|async|pool [in flight]\n"
                     "rpc_bench stream <commands a message> [hold us] [open]\n"
                     "rpc_bench token\n");
        return 2;
    }
    return 0;
}

}  // namespace
}  // namespace kessai::rpc

int main(int argc, char** argv) {
    return kessai::rpc::Main(argc, argv);
}
