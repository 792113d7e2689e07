// Goal: commands and questions reach the payment service with their caller's token and come back as
// what they are; a command whose stream breaks is sent again within its deadline, and what nobody
// knows the outcome of is never called a failure. Method: a real gRPC server in this process that
// answers, stays silent or dies as the test says.

#include "transport/grpc_payment_gateway.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <mutex>

#include "domain/partner_contract.h"
#include "kessai/auth/key_ring.h"
#include "kessai/payment/v1/payment_service.pb.h"
#include "kessai/rpc/batch_stream_server.h"
#include "kessai/rpc/server.h"
#include "kessai/rpc/service.h"
#include "kessai/rpc/status.h"
#include "kessai/testing/eventually.h"
#include "kessai/testing/matchers.h"
#include "kessai/testing/temp_dir.h"

namespace kessai::gateway::transport {

struct ExecuteStream {
    using Request = payment::v1::Command;
    using RequestBatch = payment::v1::CommandBatch;
    using Response = payment::v1::Outcome;
    using ResponseBatch = payment::v1::OutcomeBatch;
    static const auto& Requests(const RequestBatch& batch) { return batch.commands(); }
    static auto& Responses(ResponseBatch& batch) { return *batch.mutable_outcomes(); }
};

namespace {

namespace v1 = payment::v1;
using namespace std::chrono_literals;
using testing::IsOk;
using testing::Refuses;

constexpr char kKeys[] =
    "key 1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\nsign 1\n";

auth::MethodPolicy Policy() {
    using auth::MethodRule;
    std::vector<MethodRule> rules;
    const auto* service = v1::Command::descriptor()->file()->FindServiceByName("PaymentService");
    for (int i = 0; i < service->method_count(); ++i) {
        const std::string name = service->method(i)->name();
        if (name == "Execute") {
            rules.push_back({name, {}, MethodRule::Token::kInMessages, {"gateway"}});
        } else {
            rules.push_back({name,
                             {auth::Merchant(), auth::User(), auth::Operator("any")},
                             MethodRule::Token::kInMetadata,
                             {}});
        }
    }
    return auth::MethodPolicy(std::move(rules));
}

/// Plays the payment service.
class FakeService {
 public:
    explicit FakeService(const Clock& clock)
        : keys_(*auth::KeyRing::Parse(kKeys)),
          verifier_(keys_, clock, {.audience = "payment"}),
          clock_(clock) {}

    void Start(int port = 0) {
        // One that was drained reads no more.
        stream_ = std::make_unique<rpc::BatchStreamServer<ExecuteStream>>(
            [this](rpc::ReceivedBatch<ExecuteStream> batch) { OnBatch(std::move(batch)); });
        rpc::ServerOptions options;
        options.listen_address = "127.0.0.1:" + std::to_string(port);
        server_ = std::make_unique<rpc::Server>(options, clock_, verifier_, nullptr);
        rpc::Service service("kessai.payment.v1.PaymentService", Policy());
        Refuse<v1::CreateCodeRequest, v1::Payment>(service, "CreateCode");
        Refuse<v1::DeleteCodeRequest, v1::Payment>(service, "DeleteCode");
        Refuse<v1::PayCodeRequest, v1::Payment>(service, "PayCode");
        Refuse<v1::CancelPaymentRequest, v1::CancelPaymentResponse>(service, "CancelPayment");
        Refuse<v1::RefundPaymentRequest, v1::Refund>(service, "RefundPayment");
        Refuse<v1::TopUpRequest, v1::TopUpResponse>(service, "TopUp");
        Refuse<v1::OpenWalletRequest, v1::Wallet>(service, "OpenWallet");
        Refuse<v1::GetCodeRequest, v1::Payment>(service, "GetCode");
        service.Async<v1::GetPaymentRequest, v1::Payment>(
            "GetPayment", [](const rpc::CallContext& context, const v1::GetPaymentRequest& request,
                             rpc::Answer<v1::Payment> answer) {
                v1::Payment payment;
                payment.set_merchant_payment_id(request.merchant_payment_id());
                payment.set_merchant_id(context.principal().merchant_id);
                payment.set_status(v1::REFUNDED);
                payment.mutable_amount()->set_minor(5);
                payment.mutable_amount()->set_currency("JPY");
                v1::Refund* refund = payment.add_refunds();
                refund->set_refund_id(9);
                refund->set_accepted_at_us(1);
                answer(payment);
            });
        Refuse<v1::GetRefundRequest, v1::Refund>(service, "GetRefund");
        Refuse<v1::GetWalletRequest, v1::Wallet>(service, "GetWallet");
        Refuse<v1::ListHistoryRequest, v1::ListHistoryResponse>(service, "ListHistory");
        Refuse<v1::Merchant, v1::Merchant>(service, "PutMerchant");
        Refuse<v1::GetMerchantRequest, v1::Merchant>(service, "GetMerchant");
        Refuse<v1::CloseDayRequest, v1::BusinessDay>(service, "CloseDay");
        Refuse<v1::GetBusinessDayRequest, v1::BusinessDay>(service, "GetBusinessDay");
        Refuse<v1::GetDayDigestsRequest, v1::DayDigests>(service, "GetDayDigests");
        Refuse<v1::RepublishEventsRequest, v1::RepublishEventsResponse>(service, "RepublishEvents");
        service.Streaming<v1::ListDayRowsRequest, v1::DayRow>(
            "ListDayRows", streaming_pool_,
            [](const rpc::CallContext&, const v1::ListDayRowsRequest&,
               rpc::StreamWriter<v1::DayRow>&) { return Status(Code::kUnimplemented, "X", ""); });
        service.Batches("Execute", *stream_);
        server_->Add(std::move(service));
        ASSERT_OK(server_->Start());
    }
    int port() const { return server_->port(); }
    /// Ends without answering what is open.
    void Die() {
        server_->Stop(0s);
        server_.reset();
    }

    /// What a command gets; nothing leaves it without an answer.
    std::function<bool(const v1::Command&, const auth::Principal&, v1::Outcome&)> handle;
    std::vector<v1::Command> seen() {
        const std::lock_guard lock(mutex_);
        return seen_;
    }

 private:
    template <class Request, class Response>
    static void Refuse(rpc::Service& service, const char* method) {
        service.Async<Request, Response>(
            method, [](const rpc::CallContext&, const Request&, rpc::Answer<Response> answer) {
                answer(Status(Code::kNotFound, "WALLET_UNKNOWN", "as the test wants"));
            });
    }
    void OnBatch(rpc::ReceivedBatch<ExecuteStream> batch) {
        rpc::BatchAnswers<ExecuteStream> answers;
        for (const v1::Command& command : batch.message->commands()) {
            {
                const std::lock_guard lock(mutex_);
                seen_.push_back(command);
            }
            auto principal = verifier_.Verify(command.token());
            ASSERT_THAT(principal, IsOk());
            v1::Outcome outcome;
            if (!handle(command, **principal, outcome)) continue;
            outcome.set_sequence(command.sequence());
            answers.Add(batch.sink, command.sequence()) = outcome;
        }
    }

    auth::FixedKeyRing keys_;
    auth::TokenVerifier verifier_;
    const Clock& clock_;
    rpc::WorkerPool streaming_pool_{{.name = "stream", .threads = 1}};
    std::unique_ptr<rpc::BatchStreamServer<ExecuteStream>> stream_;
    std::unique_ptr<rpc::Server> server_;
    std::mutex mutex_;
    std::vector<v1::Command> seen_;
};

class GrpcPaymentGatewayTest : public ::testing::Test {
 protected:
    GrpcPaymentGatewayTest()
        : keys_(*auth::KeyRing::Parse(kKeys)),
          signer_(keys_, SystemClock()),
          service_(SystemClock()) {
        service_.handle = [](const v1::Command& command, const auth::Principal& principal,
                             v1::Outcome& outcome) {
            v1::Payment* payment = outcome.mutable_payment();
            payment->set_payment_id(7);
            payment->set_merchant_id(principal.merchant_id);
            payment->set_user_id(principal.user_id);
            payment->set_merchant_payment_id(command.create_code().merchant_payment_id());
            payment->mutable_code()->set_code_id("04-x");
            return true;
        };
        loop_.Start();
        service_.Start();
        port_ = service_.port();
        GrpcPaymentGateway::Options options;
        options.target = "127.0.0.1:" + std::to_string(port_);
        gateway_ = std::move(*GrpcPaymentGateway::Create(options, signer_, SystemClock(), nullptr));
        EXPECT_OK(gateway_->Start());
        EXPECT_EVENTUALLY(gateway_->Ready());
        auto principal = std::make_shared<auth::Principal>();
        principal->role = auth::Role::kMerchant;
        principal->subject = "key";
        principal->merchant_id = 501;
        caller_ = std::move(principal);
    }
    ~GrpcPaymentGatewayTest() override {
        gateway_->Stop(1s);
        loop_.Stop();
    }

    template <class F>
    auto Run(Duration timeout, F call) {
        using Outcome = decltype(call(std::declval<const app::CallContext&>()));
        using Value = decltype(std::declval<Outcome>().operator co_await().await_resume());
        std::promise<Value> done;
        const app::CallContext context{caller_, SystemClock().SteadyNow() + timeout,
                                       "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                                       &loop_};
        const auto body = [&]() -> net::Task<void> {
            Value value = co_await call(context);
            EXPECT_TRUE(loop_.InLoop());
            done.set_value(std::move(value));
        };
        loop_.Post([&] { net::Spawn(body()); });
        return done.get_future().get();
    }
    Result<domain::Payment> Create(Duration timeout = 5s) {
        domain::CreateCode command;
        command.merchant_payment_id = "order-1";
        command.amount = Yen(100);
        command.salt = 77;
        command.details.extra_json = "{}";
        return Run(timeout, [&](const app::CallContext& context) {
            return gateway_->CreateCode(context, command);
        });
    }

    auth::FixedKeyRing keys_;
    auth::TokenSigner signer_;
    FakeService service_;
    net::Loop loop_{"test"};
    int port_ = 0;
    std::unique_ptr<GrpcPaymentGateway> gateway_;
    auth::PrincipalPtr caller_;
};

TEST_F(GrpcPaymentGatewayTest, CarriesACommandThereAndBack) {
    ASSERT_OK_AND_ASSIGN(auto payment, Create());
    EXPECT_EQ(payment.payment_id, 7);
    EXPECT_EQ(payment.merchant_id, 501);
    EXPECT_EQ(payment.merchant_payment_id, "order-1");
    const auto seen = service_.seen();
    ASSERT_EQ(seen.size(), 1u);
    EXPECT_EQ(seen[0].create_code().amount().minor(), 100);
    EXPECT_EQ(seen[0].create_code().salt(), 77u);
    EXPECT_GT(seen[0].timeout_ms(), 0u);
    EXPECT_THAT(seen[0].traceparent(), ::testing::StartsWith("00-0af7"));
}

TEST_F(GrpcPaymentGatewayTest, ARefusalIsFinal) {
    service_.handle = [](const v1::Command&, const auth::Principal&, v1::Outcome& outcome) {
        rpc::ToProto(Status(Code::kAlreadyExists, "DUPLICATE_CODE", "again"),
                     outcome.mutable_refusal());
        return true;
    };
    EXPECT_THAT(Create(), Refuses(Code::kAlreadyExists, "DUPLICATE_CODE"));
    EXPECT_EQ(service_.seen().size(), 1u);
}

TEST_F(GrpcPaymentGatewayTest, AsksAgainWhereTheServiceCouldNot) {
    std::atomic<int> calls = 0;
    service_.handle = [&](const v1::Command&, const auth::Principal&, v1::Outcome& outcome) {
        if (++calls < 4) {
            rpc::ToProto(Status(Code::kUnavailable, "CONNECTION_LOST", "database"),
                         outcome.mutable_refusal());
        } else {
            outcome.mutable_payment()->set_payment_id(8);
        }
        return true;
    };
    ASSERT_OK_AND_ASSIGN(auto payment, Create());
    EXPECT_EQ(payment.payment_id, 8);
    EXPECT_EQ(calls, 4);
    EXPECT_EQ(gateway_->counts().retries, 3u);
}

TEST_F(GrpcPaymentGatewayTest, ACommandWhoseStreamBreaksIsSentAgain) {
    std::promise<void> arrived;
    std::atomic<int> calls = 0;
    service_.handle = [&](const v1::Command&, const auth::Principal&, v1::Outcome& outcome) {
        if (calls++ == 0) {
            arrived.set_value();
            return false;  // and dies before it answers
        }
        outcome.mutable_payment()->set_payment_id(9);
        return true;
    };
    auto created = std::async(std::launch::async, [&] { return Create(10s); });
    arrived.get_future().get();
    service_.Die();
    service_.Start(port_);
    auto payment = created.get();
    ASSERT_THAT(payment, IsOk());
    EXPECT_EQ(payment->payment_id, 9);
    const auto seen = service_.seen();
    ASSERT_EQ(seen.size(), 2u);
    EXPECT_EQ(seen[0].create_code().salt(), seen[1].create_code().salt());
}

// Goal: a refusal that decides nothing does not take back that an earlier attempt may be done.
// Method: the first command's stream breaks, what comes after it meets a full queue or a service
// that refuses tokens: for ever, or until the third attempt.
TEST_F(GrpcPaymentGatewayTest, WhatMayBeDoneIsNotRefusedByALaterAttempt) {
    const Status queue_full(Code::kResourceExhausted, "QUEUE_FULL", "too many");
    const Status expired(Code::kUnauthenticated, "TOKEN_EXPIRED", "of yesterday");
    for (const Status& refusal : {queue_full, expired}) {
        for (const int refused_until : {1'000'000, 3}) {
            SCOPED_TRACE(refusal.ToString() + " until " + std::to_string(refused_until));
            std::promise<void> arrived;
            std::atomic<int> calls = 0;
            service_.handle = [&](const v1::Command&, const auth::Principal&,
                                  v1::Outcome& outcome) {
                const int call = ++calls;
                if (call == 1) {
                    arrived.set_value();
                    return false;  // and dies before it answers
                }
                if (call < refused_until) {
                    rpc::ToProto(refusal, outcome.mutable_refusal());
                } else {
                    outcome.mutable_payment()->set_payment_id(9);
                }
                return true;
            };
            auto created = std::async(std::launch::async, [&] { return Create(3s); });
            arrived.get_future().get();
            service_.Die();
            service_.Start(port_);
            auto outcome = created.get();
            EXPECT_GE(calls, 2);
            if (refused_until == 3) {
                ASSERT_THAT(outcome, IsOk());
                EXPECT_EQ(outcome->payment_id, 9);
            } else {
                EXPECT_THAT(outcome, Refuses(Code::kUnavailable, "OUTCOME_UNKNOWN"));
            }
        }
        // Where nothing may have been done, it is the answer.
        service_.handle = [&](const v1::Command&, const auth::Principal&, v1::Outcome& outcome) {
            rpc::ToProto(refusal, outcome.mutable_refusal());
            return true;
        };
        EXPECT_THAT(Create(), Refuses(refusal.code(), refusal.reason()));
    }
}

TEST_F(GrpcPaymentGatewayTest, SilenceIsAnUnknownOutcome) {
    service_.handle = [](const v1::Command&, const auth::Principal&, v1::Outcome&) {
        return false;
    };
    auto outcome = Create(200ms);
    EXPECT_THAT(outcome, Refuses(Code::kUnavailable, "OUTCOME_UNKNOWN"));
    EXPECT_EQ(PartnerResultOf(domain::PartnerOperation::kCreateCode, outcome.status()).code,
              "INTERNAL_SERVER_ERROR");
    EXPECT_EQ(gateway_->counts().outcomes_unknown, 1u);
    service_.Die();
    service_.Start(port_);
}

TEST_F(GrpcPaymentGatewayTest, AServiceThatIsNotThereWasNotReached) {
    service_.Die();
    ASSERT_EVENTUALLY(!gateway_->Ready());
    EXPECT_THAT(Create(800ms), Refuses(Code::kUnavailable, "NOT_SENT"));
    service_.Start(port_);
    EXPECT_THAT(Create(10s), IsOk());
}

TEST_F(GrpcPaymentGatewayTest, AsksQuestions) {
    auto payment = Run(5s, [&](const app::CallContext& context) {
        return gateway_->GetPaymentByOrder(context, "order-9");
    });
    ASSERT_THAT(payment, IsOk());
    EXPECT_EQ(payment->merchant_payment_id, "order-9");
    EXPECT_EQ(payment->merchant_id, 501);
    EXPECT_EQ(payment->status, domain::PaymentStatus::kRefunded);
    ASSERT_EQ(payment->refunds.size(), 1u);
    auto wallet =
        Run(5s, [&](const app::CallContext& context) { return gateway_->GetWallet(context); });
    EXPECT_THAT(wallet, Refuses(Code::kNotFound, "WALLET_UNKNOWN"));
}

TEST_F(GrpcPaymentGatewayTest, ManyAtOnceShareMessages) {
    constexpr int kCommands = 2'000;
    std::atomic<int> done = 0;
    std::atomic<int> fine = 0;
    const app::CallContext context{caller_, SystemClock().SteadyNow() + 30s, "", &loop_};
    const auto one = [&]() -> net::Task<void> {
        auto outcome = co_await gateway_->DeleteCode(context, "04-y");
        if (outcome.ok()) ++fine;
        ++done;
    };
    loop_.Post([&] {
        for (int i = 0; i < kCommands; ++i) net::Spawn(one());
    });
    ASSERT_EVENTUALLY(done == kCommands);
    EXPECT_EQ(fine, kCommands);
    EXPECT_LT(gateway_->counts().messages_out, 100u);
}

TEST(PaymentReasonTest, ThePartnerContractKnowsEveryReasonThatConcernsPartners) {
    // Only users' and operators' calls are refused with these.
    const std::set<std::string> others{
        "UNSPECIFIED",    "AMOUNT_CHANGED", "INSUFFICIENT_FUNDS",     "WALLET_UNKNOWN",
        "SOURCE_UNKNOWN", "BALANCE_LIMIT",  "PAGE_SIZE_OUT_OF_RANGE", "DAY_NOT_CURRENT",
        "DAY_NOT_OVER",   "DAY_OPEN",       "CHANGE_UNKNOWN"};
    const auto* reasons = v1::Reason_descriptor();
    for (int i = 0; i < reasons->value_count(); ++i) {
        const std::string name = reasons->value(i)->name().substr(std::string("REASON_").size());
        EXPECT_NE(domain::PartnerContractNames(name), others.contains(name)) << name;
    }
}

}  // namespace
}  // namespace kessai::gateway::transport
