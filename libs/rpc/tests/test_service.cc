#include "test_service.h"

#include <chrono>
#include <utility>

namespace kessai::rpc {
namespace {

constexpr const char* kService = "kessai.payment.v1.PaymentService";
constexpr const char* kKeys =
    "key 1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\nsign 1\n";
// What the test server leaves out.
constexpr const char* kLeftOut[] = {
    "CreateCode",    "DeleteCode",     "PayCode",       "CancelPayment",
    "RefundPayment", "TopUp",          "OpenWallet",    "GetRefund",
    "GetWallet",     "ListHistory",    "PutMerchant",   "GetMerchant",
    "CloseDay",      "GetBusinessDay", "GetDayDigests", "RepublishEvents"};

auth::MethodPolicy PaymentRules() {
    std::vector<auth::MethodRule> rules;
    for (const char* method : kLeftOut) rules.push_back({method, {auth::Merchant()}});
    rules.push_back({"GetPayment", {auth::Merchant()}});
    rules.push_back({"GetCode", {auth::Merchant(), auth::User()}});
    rules.push_back({"ListDayRows", {auth::Operator("day:read")}});
    rules.push_back({"Execute", {}, auth::MethodRule::Token::kInMessages, {"gateway.test"}});
    return auth::MethodPolicy(std::move(rules));
}

template <class Request, class Response>
Method<Request, Response> Named(const char* method) {
    return Method<Request, Response>(std::string(kService) + "." + method);
}

}  // namespace

bool Eventually(const std::function<bool()>& condition, Duration bound) {
    const auto until = SystemClock().SteadyNow() + bound;
    while (!condition()) {
        if (SystemClock().SteadyNow() > until) return false;
        SystemClock().SleepFor(milliseconds(2));
    }
    return true;
}

namespace {
thread_local bool in_call = false;
}

class RecordingObserver::One final : public ObservedCall {
 public:
    One(RecordingObserver& observer, const CallStart& start)
        : observer_(observer),
          method_(start.method),
          parent_(start.parent_traceparent),
          traceparent_(parent_.empty() ? "" : "child-of-" + parent_) {}
    std::string_view traceparent() const override { return traceparent_; }
    void Within(const std::function<void()>& work) override {
        in_call = true;
        work();
        in_call = false;
    }
    void End(const CallEnd& end) override {
        const std::lock_guard lock(observer_.mutex_);
        observer_.seen_.push_back({method_, end.status.code(), std::string(end.status.reason()),
                                   end.principal != nullptr ? end.principal->subject : "",
                                   std::string(end.peer), parent_});
    }

 private:
    RecordingObserver& observer_;
    const std::string method_;
    const std::string parent_;
    const std::string traceparent_;
};

std::unique_ptr<ObservedCall> RecordingObserver::Begin(const CallStart& start) {
    {
        const std::lock_guard lock(mutex_);
        ++started_;
    }
    return std::make_unique<One>(*this, start);
}

bool RecordingObserver::InCall() {
    return in_call;
}

std::vector<RecordingObserver::Seen> RecordingObserver::seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
}

std::size_t RecordingObserver::started() const {
    const std::lock_guard lock(mutex_);
    return started_;
}

TestTokens::TestTokens()
    : keys(auth::KeyRing::Parse(kKeys).value()),
      signer(keys, SystemClock()),
      verifier(keys, SystemClock(), {.audience = "payment"}) {}

std::string TestTokens::Merchant() {
    return signer
        .Mint({.role = auth::Role::kMerchant, .subject = "key-7", .merchant_id = 7}, "payment")
        .value();
}

std::string TestTokens::User() {
    return signer.Mint({.role = auth::Role::kUser, .subject = "user-9", .user_id = 9}, "payment")
        .value();
}

std::string TestTokens::Operator(const std::string& scope) {
    return signer
        .Mint({.role = auth::Role::kOperator, .subject = "operator-1", .scopes = {scope}},
              "payment")
        .value();
}

TestServer::TestServer(TestTokens& tokens, Handlers handlers, ServerOptions options,
                       CallObserver* observer)
    : handlers_(std::move(handlers)),
      pool_({.name = "test", .threads = handlers_.threads, .queue_max = handlers_.queue_max}),
      server_(
          std::make_unique<Server>(std::move(options), SystemClock(), tokens.verifier, observer)) {
    Service service(kService, PaymentRules());
    stream_ = std::make_unique<BatchStreamServer<ExecuteStream>>(
        [this](ReceivedBatch<ExecuteStream> batch) { handlers_.execute(std::move(batch)); },
        handlers_.stream);
    for (const char* method : kLeftOut) service.Unimplemented(method);
    service.Blocking<pb::GetPaymentRequest, pb::Payment>("GetPayment", pool_,
                                                         handlers_.get_payment);
    service.Async<pb::GetCodeRequest, pb::Payment>("GetCode", handlers_.get_code);
    service.Streaming<pb::ListDayRowsRequest, pb::DayRowPage>("ListDayRows", pool_,
                                                              handlers_.list_day_rows);
    service.Batches("Execute", *stream_);
    server_->Add(std::move(service));
    const Status started = server_->Start();
    KESSAI_CHECK(started.ok(), started.ToString());
    server_->SetServing(true);
}

Service MinimalService() {
    Service service(kService, PaymentRules());
    for (const char* method : kLeftOut) service.Unimplemented(method);
    for (const char* method : {"GetPayment", "ListDayRows", "Execute"}) {
        service.Unimplemented(method);
    }
    service.Async<pb::GetCodeRequest, pb::Payment>(
        "GetCode", [](const CallContext&, const pb::GetCodeRequest&, Answer<pb::Payment>) {});
    return service;
}

TestServer::~TestServer() {
    server_.reset();
    pool_.Stop();
}

std::string TestServer::address() const {
    return "127.0.0.1:" + std::to_string(server_->port());
}

const Method<pb::GetPaymentRequest, pb::Payment>& GetPaymentMethod() {
    static const auto method = Named<pb::GetPaymentRequest, pb::Payment>("GetPayment");
    return method;
}

const Method<pb::GetCodeRequest, pb::Payment>& GetCodeMethod() {
    static const auto method = Named<pb::GetCodeRequest, pb::Payment>("GetCode");
    return method;
}

const Method<pb::ListDayRowsRequest, pb::DayRowPage>& ListDayRowsMethod() {
    static const auto method = Named<pb::ListDayRowsRequest, pb::DayRowPage>("ListDayRows");
    return method;
}

const Method<pb::GetWalletRequest, pb::Wallet>& GetWalletMethod() {
    static const auto method = Named<pb::GetWalletRequest, pb::Wallet>("GetWallet");
    return method;
}

Channel ChannelTo(const std::string& address, std::optional<TlsFiles> tls,
                  std::string server_name) {
    return Channel::Create(
               {.target = address, .tls = std::move(tls), .server_name = std::move(server_name)},
               SystemClock())
        .value();
}

}  // namespace kessai::rpc
