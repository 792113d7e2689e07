// Goal: over the wire, whoever may not do or see something is refused by name, by the unary methods
// and by the stream alike, and what was refused changed nothing.
// Method: the service's methods behind a real server with mutual TLS, over a real MariaDB; callers
// with internal tokens of every role, and certificates of other services.

#include <atomic>
#include <functional>
#include <future>
#include <map>
#include <set>

#include "app/balance_books.h"
#include "app/day_closer.h"
#include "domain/code_id.h"
#include "kessai/auth/key_ring.h"
#include "kessai/auth/token.h"
#include "kessai/metrics/registry.h"
#include "kessai/rpc/batch_stream_client.h"
#include "kessai/rpc/call.h"
#include "kessai/rpc/channel.h"
#include "kessai/rpc/server.h"
#include "kessai/rpc/worker_pool.h"
#include "kessai/testing/eventually.h"
#include "kessai/tracing/tracer.h"
#include "storage/mysql_book_reader.h"
#include "test_pki.h"
#include "tests/ledger_fixture.h"
#include "transport/book_service.h"
#include "transport/command_service.h"
#include "transport/day_service.h"
#include "transport/event_encoder.h"
#include "transport/method_policy.h"
#include "transport/query_service.h"

namespace kessai::payment {
namespace {

using namespace std::chrono_literals;
using testing::IsOk;
using testing::Refuses;
using transport::ExecuteStream;

constexpr rpc::Name kServiceName = "kessai.payment.v1.PaymentService";
constexpr auto& CreateCode =
    rpc::MethodOf<kServiceName, "CreateCode", v1::CreateCodeRequest, v1::Payment>;
constexpr auto& DeleteCode =
    rpc::MethodOf<kServiceName, "DeleteCode", v1::DeleteCodeRequest, v1::Payment>;
constexpr auto& PayCode = rpc::MethodOf<kServiceName, "PayCode", v1::PayCodeRequest, v1::Payment>;
constexpr auto& CancelPayment = rpc::MethodOf<kServiceName, "CancelPayment",
                                              v1::CancelPaymentRequest, v1::CancelPaymentResponse>;
constexpr auto& RefundPayment =
    rpc::MethodOf<kServiceName, "RefundPayment", v1::RefundPaymentRequest, v1::Refund>;
constexpr auto& TopUp = rpc::MethodOf<kServiceName, "TopUp", v1::TopUpRequest, v1::TopUpResponse>;
constexpr auto& OpenWallet =
    rpc::MethodOf<kServiceName, "OpenWallet", v1::OpenWalletRequest, v1::Wallet>;
constexpr auto& GetCode = rpc::MethodOf<kServiceName, "GetCode", v1::GetCodeRequest, v1::Payment>;
constexpr auto& GetPayment =
    rpc::MethodOf<kServiceName, "GetPayment", v1::GetPaymentRequest, v1::Payment>;
constexpr auto& GetRefund =
    rpc::MethodOf<kServiceName, "GetRefund", v1::GetRefundRequest, v1::Refund>;
constexpr auto& GetWallet =
    rpc::MethodOf<kServiceName, "GetWallet", v1::GetWalletRequest, v1::Wallet>;
constexpr auto& ListHistory =
    rpc::MethodOf<kServiceName, "ListHistory", v1::ListHistoryRequest, v1::ListHistoryResponse>;
constexpr auto& PutMerchant =
    rpc::MethodOf<kServiceName, "PutMerchant", v1::Merchant, v1::Merchant>;
constexpr auto& GetMerchant =
    rpc::MethodOf<kServiceName, "GetMerchant", v1::GetMerchantRequest, v1::Merchant>;
constexpr auto& CloseDay =
    rpc::MethodOf<kServiceName, "CloseDay", v1::CloseDayRequest, v1::BusinessDay>;
constexpr auto& GetBusinessDay =
    rpc::MethodOf<kServiceName, "GetBusinessDay", v1::GetBusinessDayRequest, v1::BusinessDay>;
constexpr auto& GetDayDigests =
    rpc::MethodOf<kServiceName, "GetDayDigests", v1::GetDayDigestsRequest, v1::DayDigests>;
constexpr auto& ListDayRows =
    rpc::MethodOf<kServiceName, "ListDayRows", v1::ListDayRowsRequest, v1::DayRowPage>;
constexpr auto& RepublishEvents =
    rpc::MethodOf<kServiceName, "RepublishEvents", v1::RepublishEventsRequest,
                  v1::RepublishEventsResponse>;
constexpr rpc::Name kBookName = "kessai.payment.v1.BookService";
constexpr auto& GetTrialBalance =
    rpc::MethodOf<kBookName, "GetTrialBalance", v1::GetTrialBalanceRequest, v1::TrialBalance>;
constexpr auto& ListJournal =
    rpc::MethodOf<kBookName, "ListJournal", v1::ListJournalRequest, v1::JournalEntry>;

class RpcTest : public LedgerTest {
 protected:
    RpcTest()
        : ring_(auth::KeyRing::Parse("key 1 " + std::string(64, 'a') + "\nsign 1\n").value()),
          verifier_(ring_, SystemClock(), {.audience = "payment"}),
          signer_(ring_, SystemClock()),
          closer_({.scheduled = false}, days_, ids_, transport::EncodeMark, SystemClock(),
                  [](const Status&) {}),
          tracer_({}, "test", "0", registry_),
          policy_of_methods_(transport::Policy()),
          commands_(Start({}), verifier_, policy_of_methods_, SystemClock(), tracer_),
          queries_(reader_, merchants_, SystemClock()),
          day_service_(closer_, days_, reader_, ids_, encoder_),
          book_reader_(pool_),
          balance_books_(book_reader_, days_),
          books_(balance_books_, book_reader_, days_),
          workers_({.name = "test", .threads = 2, .queue_max = 64}),
          server_(ServerWith(pki_), SystemClock(), verifier_, nullptr) {
        rpc::Service service(kServiceName.view(), policy_of_methods_);
        commands_.Register(service);
        queries_.Register(service, workers_);
        day_service_.Register(service, workers_);
        server_.Add(std::move(service));
        rpc::Service books(kBookName.view(), transport::BookPolicy());
        books_.Register(books, workers_);
        server_.Add(std::move(books));
        EXPECT_OK(server_.Start());
        rpc::ChannelOptions channel;
        channel.target = Address();
        channel.tls = pki_.Issue("gateway", {"gateway"});
        channel.server_name = "payment";
        channel_ =
            std::make_unique<rpc::Channel>(rpc::Channel::Create(channel, SystemClock()).value());
        stream_ = std::make_unique<rpc::BatchStreamClient<ExecuteStream>>(StreamAs("gateway"),
                                                                          SystemClock());
        EXPECT_OK(stream_->Start());
        EXPECT_OK(stream_->WaitReady(30s));
    }
    ~RpcTest() override {
        EXPECT_TRUE(stream_->Stop(5s));
        stream_ = nullptr;
        channel_ = nullptr;
        (void)server_.Stop(5s);
        workers_.Stop();
    }

    std::string Address() const { return "127.0.0.1:" + std::to_string(server_.port()); }
    rpc::BatchStreamClientOptions StreamAs(const std::string& name) {
        rpc::BatchStreamClientOptions options;
        options.method = std::string(kServiceName.view()) + ".Execute";
        options.target = Address();
        options.tls = pki_.Issue(name, {name});
        options.server_name = "payment";
        return options;
    }

    static auth::Principal Somebody(auth::Role role, std::vector<std::string> scopes = {},
                                    std::int64_t id = 0) {
        auth::Principal principal;
        principal.role = role;
        principal.subject = "tester";
        principal.scopes = std::move(scopes);
        if (role == auth::Role::kMerchant) principal.merchant_id = id;
        if (role == auth::Role::kUser) principal.user_id = id;
        return principal;
    }
    std::string Token(const auth::Principal& principal) {
        return signer_.Mint(principal, "payment").value();
    }
    std::string Merchant(std::int64_t id = 7) {
        return Token(Somebody(auth::Role::kMerchant, {}, id));
    }
    std::string User(std::int64_t id = 1) { return Token(Somebody(auth::Role::kUser, {}, id)); }
    std::string Operator(const std::string& scope) {
        return Token(Somebody(auth::Role::kOperator, {scope}));
    }
    std::string Service() { return Token(Somebody(auth::Role::kService)); }

    template <class Request, class Response>
    Result<Response> Call(const rpc::Method<Request, Response>& method, const Request& request,
                          const std::string& token) {
        rpc::CallOptions options;
        options.timeout = 20s;
        options.token = token;
        options.wait_for_ready = true;
        return rpc::Call(*channel_, method, request, options);
    }
    /// The refusal or OK of a command that goes by the stream.
    Status Stream(v1::Command command, const std::string& token) {
        command.set_token(token);
        std::promise<Status> answered;
        const Status sent =
            stream_->Send(std::move(command), 20s, [&](const Status& status, v1::Outcome* answer) {
                if (!status.ok() || !answer->has_refusal()) {
                    answered.set_value(status);
                    return;
                }
                answered.set_value(Status(static_cast<Code>(answer->refusal().code()),
                                          answer->refusal().reason(), answer->refusal().message()));
            });
        return sent.ok() ? answered.get_future().get() : sent;
    }

    static v1::CreateCodeRequest NewCode(const std::string& order, std::int64_t amount) {
        v1::CreateCodeRequest request;
        request.set_merchant_payment_id(order);
        request.mutable_amount()->set_minor(amount);
        request.mutable_amount()->set_currency("JPY");
        return request;
    }
    static v1::PayCodeRequest Payment(const std::string& code_id, std::int64_t amount) {
        v1::PayCodeRequest request;
        request.set_code_id(code_id);
        request.mutable_amount()->set_minor(amount);
        request.mutable_amount()->set_currency("JPY");
        return request;
    }
    static v1::RefundPaymentRequest Back(const std::string& refund, std::int64_t payment,
                                         std::int64_t amount) {
        v1::RefundPaymentRequest request;
        request.set_merchant_refund_id(refund);
        request.set_payment_id(payment);
        request.mutable_amount()->set_minor(amount);
        request.mutable_amount()->set_currency("JPY");
        return request;
    }
    static v1::TopUpRequest Money(const std::string& key, std::int64_t amount,
                                  const std::string& source = "development") {
        v1::TopUpRequest request;
        request.set_idempotency_key(key);
        request.mutable_amount()->set_minor(amount);
        request.mutable_amount()->set_currency("JPY");
        request.set_source(source);
        return request;
    }
    /// A payment of user 1 to merchant 7.
    v1::Payment GivenPayment(std::int64_t amount) {
        EXPECT_OK(Call(OpenWallet(), {}, User()).status());
        EXPECT_OK(Call(TopUp(), Money("given", 10'000), User()).status());
        const auto code = Call(CreateCode(), NewCode("order-1", amount), Merchant());
        EXPECT_OK(code.status());
        const auto paid = Call(PayCode(), Payment(code->code().code_id(), amount), User());
        EXPECT_OK(paid.status());
        return paid.value_or(v1::Payment());
    }

    rpc::TestPki pki_;
    auth::FixedKeyRing ring_;
    auth::TokenVerifier verifier_;
    auth::TokenSigner signer_;
    app::DayCloser closer_;
    metrics::Registry registry_;
    tracing::Tracer tracer_;
    auth::MethodPolicy policy_of_methods_;
    transport::CommandService commands_;
    transport::QueryService queries_;
    transport::DayService day_service_;
    storage::MysqlBookReader book_reader_;
    app::BalanceBooks balance_books_;
    transport::BookService books_;
    rpc::WorkerPool workers_;
    rpc::Server server_;
    std::unique_ptr<rpc::Channel> channel_;
    std::unique_ptr<rpc::BatchStreamClient<ExecuteStream>> stream_;

 private:
    static rpc::ServerOptions ServerWith(rpc::TestPki& pki) {
        rpc::ServerOptions options;
        options.tls = pki.Issue("server", {"payment"});
        return options;
    }
};

/// The seven commands with empty bodies, as the stream carries them.
std::map<std::string, v1::Command> EmptyCommands() {
    std::map<std::string, v1::Command> commands;
    commands["CreateCode"].mutable_create_code();
    commands["DeleteCode"].mutable_delete_code();
    commands["PayCode"].mutable_pay_code();
    commands["CancelPayment"].mutable_cancel_payment();
    commands["RefundPayment"].mutable_refund_payment();
    commands["TopUp"].mutable_top_up();
    commands["OpenWallet"].mutable_open_wallet();
    return commands;
}

TEST_F(RpcTest, ASaleOverTheWire) {
    const v1::Payment paid = GivenPayment(1'200);
    EXPECT_EQ(paid.status(), v1::COMPLETED);
    EXPECT_EQ(paid.balance().minor(), 8'800);
    EXPECT_EQ(paid.merchant_name(), "Kissa");
    v1::GetPaymentRequest by_order;
    by_order.set_merchant_payment_id("order-1");
    ASSERT_OK(Call(RefundPayment(), Back("r-1", paid.payment_id(), 200), Merchant()).status());
    ASSERT_OK_AND_ASSIGN(const auto seen, Call(GetPayment(), by_order, Merchant()));
    EXPECT_EQ(seen.payment_id(), paid.payment_id());
    ASSERT_EQ(seen.refunds_size(), 1);
    EXPECT_EQ(seen.refunds(0).amount().minor(), 200);

    // By the stream the same commands find what was done by the unary methods.
    v1::Command again;
    *again.mutable_create_code() = NewCode("order-1", 1'200);
    EXPECT_THAT(Stream(again, Merchant()), Refuses(Code::kAlreadyExists, "DUPLICATE_CODE"));
    *again.mutable_pay_code() = Payment(paid.code().code_id(), 1'200);
    EXPECT_THAT(Stream(again, User()), IsOk());
    *again.mutable_top_up() = Money("given", 9'999);
    EXPECT_THAT(Stream(again, User()), Refuses(Code::kAlreadyExists, "KEY_REUSED"));

    v1::ListHistoryRequest page;
    page.set_page_size(2);
    ASSERT_OK_AND_ASSIGN(const auto first, Call(ListHistory(), page, User()));
    ASSERT_EQ(first.entries_size(), 2);
    page.set_page_token(first.next_page_token());
    ASSERT_OK_AND_ASSIGN(const auto last, Call(ListHistory(), page, User()));
    ASSERT_EQ(last.entries_size(), 1);
    EXPECT_EQ(last.entries(0).kind(), v1::HistoryEntry::TOP_UP);
    EXPECT_EQ(last.next_page_token(), "");
    ExpectBooksBalance();
}

// Goal: every method is for exactly the roles and scopes that are written here.
TEST_F(RpcTest, OnlyWhoMayIsServed) {
    const std::map<std::string, std::string> callers{
        {"merchant", Merchant()},
        {"user", User()},
        {"service", Service()},
        {"merchant:write", Operator("merchant:write")},
        {"merchant:read", Operator("merchant:read")},
        {"day:close", Operator("day:close")},
        {"day:read", Operator("day:read")},
        {"event:republish", Operator("event:republish")},
        {"payout:read", Operator("payout:read")},
        // Scopes are of operators: they open nothing to others.
        {"merchant with scopes",
         Token(Somebody(auth::Role::kMerchant, {"merchant:write", "day:close", "event:republish"},
                        7))},
    };
    struct Case {
        std::string method;
        std::function<Status(const std::string&)> call;
        std::set<std::string> allowed;
    };
    const auto unary = [this](const auto& method, auto request) {
        return [this, &method, request](const std::string& token) {
            return Call(method, request, token).status();
        };
    };
    const std::set<std::string> merchants{"merchant", "merchant with scopes"};
    const std::set<std::string> users{"user"};
    const Case cases[] = {
        {"CreateCode", unary(CreateCode(), v1::CreateCodeRequest()), merchants},
        {"DeleteCode", unary(DeleteCode(), v1::DeleteCodeRequest()), merchants},
        {"PayCode", unary(PayCode(), v1::PayCodeRequest()), users},
        {"CancelPayment", unary(CancelPayment(), v1::CancelPaymentRequest()), merchants},
        {"RefundPayment", unary(RefundPayment(), v1::RefundPaymentRequest()), merchants},
        {"TopUp", unary(TopUp(), v1::TopUpRequest()), users},
        {"OpenWallet", unary(OpenWallet(), v1::OpenWalletRequest()), users},
        {"GetCode", unary(GetCode(), v1::GetCodeRequest()), users},
        {"GetPayment",
         unary(GetPayment(), v1::GetPaymentRequest()),
         {"merchant", "merchant with scopes", "user"}},
        {"GetRefund", unary(GetRefund(), v1::GetRefundRequest()), merchants},
        {"GetWallet", unary(GetWallet(), v1::GetWalletRequest()), users},
        {"ListHistory", unary(ListHistory(), v1::ListHistoryRequest()), users},
        {"PutMerchant", unary(PutMerchant(), v1::Merchant()), {"merchant:write"}},
        {"GetMerchant",
         unary(GetMerchant(), v1::GetMerchantRequest()),
         {"merchant:read", "service"}},
        {"CloseDay", unary(CloseDay(), v1::CloseDayRequest()), {"day:close"}},
        {"GetBusinessDay",
         unary(GetBusinessDay(), v1::GetBusinessDayRequest()),
         {"day:read", "service"}},
        {"GetDayDigests", unary(GetDayDigests(), v1::GetDayDigestsRequest()), {"service"}},
        {"ListDayRows",
         [this](const std::string& token) {
             rpc::CallOptions options;
             options.timeout = 20s;
             options.token = token;
             return rpc::CallStreaming(*channel_, ListDayRows(), v1::ListDayRowsRequest(), options,
                                       [](const v1::DayRowPage&) { return OkStatus(); });
         },
         {"service"}},
        {"RepublishEvents",
         unary(RepublishEvents(), v1::RepublishEventsRequest()),
         {"event:republish", "service"}},
    };
    // Execute is the one that is not here.
    EXPECT_EQ(std::size(cases) + 1, policy_of_methods_.rules().size());
    const auto commands = EmptyCommands();
    for (const Case& given : cases) {
        for (const auto& [name, token] : callers) {
            const bool allowed = given.allowed.contains(name);
            const Status by_unary = given.call(token);
            EXPECT_EQ(by_unary.reason() != "ROLE_NOT_ALLOWED", allowed)
                << given.method << " for " << name << ": " << by_unary.ToString();
            const auto command = commands.find(given.method);
            if (command == commands.end()) continue;
            const Status by_stream = Stream(command->second, token);
            EXPECT_EQ(by_stream.reason() != "ROLE_NOT_ALLOWED", allowed)
                << given.method << " by the stream for " << name << ": " << by_stream.ToString();
            EXPECT_EQ(by_stream.reason(), by_unary.reason()) << given.method << " for " << name;
        }
    }
}

TEST_F(RpcTest, TheBooksAreForOperatorsWhoMayReadDays) {
    const v1::Payment paid = GivenPayment(1'000);
    ASSERT_OK(Call(RefundPayment(), Back("r-1", paid.payment_id(), 300), Merchant()).status());
    ASSERT_OK_AND_ASSIGN(const auto today,
                         Call(GetBusinessDay(), v1::GetBusinessDayRequest(), Operator("day:read")));
    v1::GetTrialBalanceRequest balance;
    balance.set_business_date(today.business_date());
    v1::ListJournalRequest journal;
    journal.set_business_date(today.business_date());
    const auto list = [&](const std::string& token, std::vector<v1::JournalEntry>& entries) {
        rpc::CallOptions options;
        options.timeout = 20s;
        options.token = token;
        return rpc::CallStreaming(*channel_, ListJournal(), journal, options,
                                  [&](const v1::JournalEntry& entry) {
                                      entries.push_back(entry);
                                      return OkStatus();
                                  });
    };
    std::vector<v1::JournalEntry> entries;
    for (const std::string& token :
         {Merchant(), User(), Service(), Operator("payout:read"), Operator("day:close")}) {
        EXPECT_EQ(Call(GetTrialBalance(), balance, token).status().reason(), "ROLE_NOT_ALLOWED");
        EXPECT_EQ(list(token, entries).reason(), "ROLE_NOT_ALLOWED");
    }
    const std::string reader = Operator("day:read");
    ASSERT_OK_AND_ASSIGN(const auto open, Call(GetTrialBalance(), balance, reader));
    EXPECT_EQ(open.state(), v1::BusinessDay::OPEN);
    EXPECT_FALSE(open.final());
    std::map<std::string, std::int64_t> moved;
    for (const auto& line : open.lines()) {
        moved[line.account()] = line.amount();
        EXPECT_EQ(line.closing(), line.opening() + line.amount());
    }
    EXPECT_EQ(moved.size(), 5u);
    EXPECT_EQ(moved["MERCHANT_PAYABLE"], 700);
    EXPECT_EQ(moved["USER_MONEY"] + moved["DEVELOPMENT_FUNDING"], -700);

    ASSERT_OK(list(reader, entries));
    std::map<std::string, std::int64_t> listed;
    for (const auto& entry : entries) {
        ASSERT_EQ(entry.postings_size(), 2);
        for (const auto& posting : entry.postings()) listed[posting.account()] += posting.amount();
        if (entry.kind() != v1::JournalEntry::REFUNDED) continue;
        EXPECT_EQ(entry.object_id(), paid.payment_id());
        EXPECT_EQ(entry.version(), 2u);
        EXPECT_EQ(entry.merchant_refund_id(), "r-1");
        EXPECT_EQ(entry.postings(0).account(), "USER_MONEY");
        EXPECT_EQ(entry.postings(0).owner_id(), 1);
        EXPECT_EQ(entry.postings(0).amount(), 300);
        EXPECT_EQ(entry.postings(1).owner_id(), 7);
    }
    for (const auto& [account, amount] : listed) EXPECT_EQ(amount, moved[account]) << account;
    // Behind each of them the rest.
    for (std::size_t at = 0; at < entries.size(); ++at) {
        journal.set_after(entries[at].position());
        std::vector<v1::JournalEntry> rest;
        ASSERT_OK(list(reader, rest));
        EXPECT_EQ(rest.size(), entries.size() - at - 1);
    }
    for (const char* after : {"x", "1", "1-2", "1-2-3-4", "-1-2-3", "1--2-3", "1024-1-1", "1-2-3 ",
                              "99999999999-1-1"}) {
        journal.set_after(after);
        EXPECT_THAT(list(reader, entries), Refuses(Code::kInvalidArgument, "PAGE_TOKEN_INVALID"))
            << after;
    }

    journal.clear_after();
    for (const int date : {0, -1, 20261131}) {
        balance.set_business_date(date);
        journal.set_business_date(date);
        EXPECT_EQ(Call(GetTrialBalance(), balance, reader).status().code(), Code::kInvalidArgument);
        EXPECT_EQ(list(reader, entries).code(), Code::kInvalidArgument);
    }
    for (const int date : {20010101, 20991231}) {
        balance.set_business_date(date);
        journal.set_business_date(date);
        const auto not_ours = Refuses(Code::kFailedPrecondition, "DAY_NOT_CURRENT");
        EXPECT_THAT(Call(GetTrialBalance(), balance, reader), not_ours);
        EXPECT_THAT(list(reader, entries), not_ours);
    }

    // Who is stopping says so, and gives no part as if it were all.
    books_.StopReports();
    balance.set_business_date(today.business_date());
    journal.set_business_date(today.business_date());
    EXPECT_THAT(Call(GetTrialBalance(), balance, reader), Refuses(Code::kUnavailable, "STOPPING"));
    EXPECT_THAT(list(reader, entries), Refuses(Code::kUnavailable, "STOPPING"));
}

TEST_F(RpcTest, TokensThatAreNotForThisServiceAreRefused) {
    const auth::FixedKeyRing other_ring(
        auth::KeyRing::Parse("key 1 " + std::string(64, 'b') + "\nsign 1\n").value());
    auth::TokenSigner forger(other_ring, SystemClock());
    const ManualClock past(SystemClock().Now() - 30min);
    auth::TokenSigner late(ring_, past);
    const auth::Principal merchant = Somebody(auth::Role::kMerchant, {}, 7);
    std::string changed = Merchant();
    changed[changed.size() / 2] = static_cast<char>(changed[changed.size() / 2] ^ 1);
    const std::pair<std::string, const char*> tokens[] = {
        {"", "TOKEN_INVALID"},
        {"no token", "TOKEN_INVALID"},
        {std::string(5'000, 'x'), "TOKEN_INVALID"},
        {changed, "TOKEN_INVALID"},
        {forger.Mint(merchant, "payment").value(), "TOKEN_INVALID"},
        {signer_.Mint(merchant, "payout").value(), "TOKEN_INVALID"},
        {late.Mint(merchant, "payment").value(), "TOKEN_EXPIRED"},
    };
    v1::Command command;
    *command.mutable_create_code() = NewCode("order-1", 100);
    for (const auto& [token, reason] : tokens) {
        EXPECT_THAT(Call(CreateCode(), NewCode("order-1", 100), token),
                    Refuses(Code::kUnauthenticated, reason));
        EXPECT_THAT(Stream(command, token), Refuses(Code::kUnauthenticated, reason));
    }
    EXPECT_EQ(Number("SELECT COUNT(*) FROM payment"), 0);
    // The stream that carried them goes on for others.
    EXPECT_THAT(Stream(command, Merchant()), IsOk());
}

TEST_F(RpcTest, TheStreamIsForTheGatewayOnly) {
    std::mutex mutex;
    std::vector<Status> ends;
    auto options = StreamAs("payout");
    options.on_stream = [&](const std::string&, const Status& status) {
        const std::lock_guard lock(mutex);
        ends.push_back(status);
    };
    rpc::BatchStreamClient<ExecuteStream> payout(options, SystemClock());
    ASSERT_OK(payout.Start());
    ASSERT_EVENTUALLY([&] {
        const std::lock_guard lock(mutex);
        return !ends.empty();
    }());
    EXPECT_FALSE(payout.Ready());
    EXPECT_TRUE(payout.Stop(5s));
    const std::lock_guard lock(mutex);
    EXPECT_EQ(ends.front().reason(), "PEER_NOT_ALLOWED");
}

TEST_F(RpcTest, OthersIdsAreAsIfTheyWereNotThere) {
    ASSERT_OK(reader_.PutMerchant({domain::MerchantId(8), "Other", false, true}));
    const v1::Payment paid = GivenPayment(1'000);
    ASSERT_OK(Call(RefundPayment(), Back("r-1", paid.payment_id(), 100), Merchant()).status());
    ASSERT_OK_AND_ASSIGN(const auto open, Call(CreateCode(), NewCode("order-2", 50), Merchant()));
    const std::int64_t changes = Number("SELECT COUNT(*) FROM journal");

    const auto unknown = Refuses(Code::kNotFound, "PAYMENT_UNKNOWN");
    v1::GetPaymentRequest by_id;
    by_id.set_payment_id(paid.payment_id());
    EXPECT_THAT(Call(GetPayment(), by_id, Merchant(8)), unknown);
    EXPECT_THAT(Call(GetPayment(), by_id, User(2)), unknown);
    EXPECT_THAT(Call(GetPayment(), by_id, User()), IsOk());
    v1::GetPaymentRequest by_order;
    by_order.set_merchant_payment_id("order-1");
    EXPECT_THAT(Call(GetPayment(), by_order, Merchant(8)), unknown);
    EXPECT_THAT(Call(GetPayment(), by_order, User()), unknown);
    v1::GetRefundRequest refund;
    refund.set_merchant_refund_id("r-1");
    EXPECT_THAT(Call(GetRefund(), refund, Merchant(8)), Refuses(Code::kNotFound, "REFUND_UNKNOWN"));
    EXPECT_THAT(Call(GetRefund(), refund, Merchant()), IsOk());
    EXPECT_THAT(Call(GetWallet(), {}, User(2)), Refuses(Code::kNotFound, "WALLET_UNKNOWN"));
    ASSERT_OK_AND_ASSIGN(const auto history, Call(ListHistory(), {}, User(2)));
    EXPECT_EQ(history.entries_size(), 0);
    // A paid code can be looked at by others, without who paid it.
    v1::GetCodeRequest look;
    look.set_code_id(paid.code().code_id());
    ASSERT_OK_AND_ASSIGN(const auto seen, Call(GetCode(), look, User(2)));
    EXPECT_EQ(seen.user_id(), 0);

    v1::Command command;
    *command.mutable_refund_payment() = Back("r-2", paid.payment_id(), 100);
    EXPECT_THAT(Call(RefundPayment(), command.refund_payment(), Merchant(8)), unknown);
    EXPECT_THAT(Stream(command, Merchant(8)), unknown);
    command.mutable_delete_code()->set_code_id(open.code().code_id());
    EXPECT_THAT(Call(DeleteCode(), command.delete_code(), Merchant(8)),
                Refuses(Code::kNotFound, "CODE_UNKNOWN"));
    EXPECT_THAT(Stream(command, Merchant(8)), Refuses(Code::kNotFound, "CODE_UNKNOWN"));
    // Another merchant's order of the same name is another order.
    command.mutable_cancel_payment()->set_merchant_payment_id("order-1");
    (void)Stream(command, Merchant(8));
    ASSERT_OK_AND_ASSIGN(const auto still, Call(GetPayment(), by_id, Merchant()));
    EXPECT_EQ(still.status(), v1::REFUNDED);  // by its own merchant, a part of it
    EXPECT_EQ(still.refunded().minor(), 100);
    EXPECT_EQ(Number("SELECT COUNT(*) FROM journal"), changes);
    ExpectBooksBalance();
}

TEST_F(RpcTest, BadInputIsRefusedByName) {
    const v1::Payment paid = GivenPayment(1'000);
    ASSERT_OK_AND_ASSIGN(const auto open, Call(CreateCode(), NewCode("order-2", 50), Merchant()));
    const std::int64_t payments = Number("SELECT COUNT(*) FROM payment");
    const std::int64_t changes = Number("SELECT COUNT(*) FROM journal");

    struct Bad {
        v1::Command command;
        std::string token;
        const char* reason;
    };
    std::vector<Bad> cases;
    const auto add = [&](const std::string& token, const char* reason, const auto& fill) {
        Bad bad{{}, token, reason};
        fill(bad.command);
        cases.push_back(std::move(bad));
    };
    const auto code = [&](const char* reason, const v1::CreateCodeRequest& request) {
        add(Merchant(), reason, [&](v1::Command& c) { *c.mutable_create_code() = request; });
    };
    const auto changed = [](const std::function<void(v1::CreateCodeRequest&)>& damage) {
        v1::CreateCodeRequest request = NewCode("order-3", 100);
        damage(request);
        return request;
    };
    for (const std::int64_t amount : {std::int64_t{0}, std::int64_t{-1}, INT64_MIN, INT64_MAX}) {
        code("AMOUNT_OUT_OF_RANGE", NewCode("order-3", amount));
    }
    code("AMOUNT_OUT_OF_RANGE", changed([](auto& r) { r.clear_amount(); }));
    for (const char* currency : {"USD", "", "jpy", "JPYJPY"}) {
        code("CURRENCY_UNKNOWN",
             changed([&](auto& r) { r.mutable_amount()->set_currency(currency); }));
    }
    for (const auto& key :
         {std::string(), std::string(65, 'a'), std::string("a b"), std::string("' OR 1=1 --"),
          std::string("a\0b", 3), std::string("注文")}) {
        code("FIELD_INVALID", NewCode(key, 100));
    }
    code("FIELD_INVALID", changed([](auto& r) {
             r.mutable_details()->set_order_description(std::string(256, 'x'));
         }));
    code("FIELD_INVALID", changed([](auto& r) { r.mutable_details()->set_requested_at_s(-1); }));
    code("FIELD_INVALID",
         changed([](auto& r) { r.mutable_details()->set_extra_json(std::string(20'000, 'x')); }));
    code("EXPIRY_OUT_OF_RANGE", changed([](auto& r) { r.set_expires_at_us(1); }));
    code("EXPIRY_OUT_OF_RANGE", changed([](auto& r) { r.set_expires_at_us(INT64_MAX); }));
    code("DUPLICATE_CODE", NewCode("order-1", 1'000));
    const auto pay = [&](const char* reason, const v1::PayCodeRequest& request) {
        add(User(), reason, [&](v1::Command& c) { *c.mutable_pay_code() = request; });
    };
    for (const char* id : {"", "04-", "04-zzzzzzzzzzzzzzzz", "' OR 1=1", "04-0000000000000000"}) {
        pay("CODE_UNKNOWN", Payment(id, 50));
    }
    pay("AMOUNT_OUT_OF_RANGE", Payment(open.code().code_id(), 0));
    pay("AMOUNT_OUT_OF_RANGE", Payment(open.code().code_id(), -50));
    pay("AMOUNT_CHANGED", Payment(open.code().code_id(), 51));
    const auto back = [&](const char* reason, const v1::RefundPaymentRequest& request) {
        add(Merchant(), reason, [&](v1::Command& c) { *c.mutable_refund_payment() = request; });
    };
    back("PAYMENT_UNKNOWN", Back("r-1", 0, 10));
    back("PAYMENT_UNKNOWN", Back("r-1", -1, 10));
    back("PAYMENT_UNKNOWN", Back("r-1", INT64_MAX, 10));
    back("AMOUNT_OUT_OF_RANGE", Back("r-1", paid.payment_id(), 0));
    back("REFUND_EXCEEDS_PAYMENT", Back("r-1", paid.payment_id(), 1'001));
    back("FIELD_INVALID", Back("", paid.payment_id(), 10));
    const auto top_up = [&](const char* reason, const v1::TopUpRequest& request) {
        add(User(), reason, [&](v1::Command& c) { *c.mutable_top_up() = request; });
    };
    top_up("SOURCE_UNKNOWN", Money("k", 10, "bank"));
    top_up("AMOUNT_OUT_OF_RANGE", Money("k", INT64_MAX));
    top_up("FIELD_INVALID", Money("", 10));
    top_up("KEY_REUSED", Money("given", 11));
    add(Merchant(), "FIELD_INVALID", [](v1::Command& c) { c.mutable_cancel_payment(); });
    // A command without a body, or with one of a newer client's.
    add(Merchant(), "FIELD_INVALID", [](v1::Command&) {});

    for (const Bad& bad : cases) {
        EXPECT_EQ(Stream(bad.command, bad.token).reason(), bad.reason)
            << bad.command.ShortDebugString().substr(0, 200);
    }
    EXPECT_EQ(Number("SELECT COUNT(*) FROM payment"), payments);
    EXPECT_EQ(Number("SELECT COUNT(*) FROM journal"), changes);
    ExpectBooksBalance();

    v1::ListHistoryRequest page;
    page.set_page_size(101);
    EXPECT_THAT(Call(ListHistory(), page, User()),
                Refuses(Code::kInvalidArgument, "PAGE_SIZE_OUT_OF_RANGE"));
    page.set_page_size(1);
    for (const char* token : {"x", "-1", "0", "1 OR 1=1", "99999999999999999999"}) {
        page.set_page_token(token);
        EXPECT_THAT(Call(ListHistory(), page, User()),
                    Refuses(Code::kInvalidArgument, "PAGE_TOKEN_INVALID"));
    }
    v1::Merchant merchant;
    merchant.set_name("x");
    EXPECT_THAT(Call(PutMerchant(), merchant, Operator("merchant:write")),
                Refuses(Code::kInvalidArgument, "FIELD_INVALID"));
    merchant.set_merchant_id(9);
    merchant.set_name(std::string(256, 'x'));
    EXPECT_THAT(Call(PutMerchant(), merchant, Operator("merchant:write")),
                Refuses(Code::kInvalidArgument, "FIELD_INVALID"));
    v1::GetMerchantRequest unknown;
    unknown.set_merchant_id(-1);
    EXPECT_THAT(Call(GetMerchant(), unknown, Service()),
                Refuses(Code::kNotFound, "MERCHANT_UNKNOWN"));
    for (const int date : {-1, 20261131, 99999999}) {
        v1::CloseDayRequest day;
        day.set_business_date(date);
        EXPECT_EQ(Call(CloseDay(), day, Operator("day:close")).status().code(),
                  Code::kInvalidArgument);
    }
    v1::CloseDayRequest future;
    future.set_business_date(20991231);
    EXPECT_THAT(Call(CloseDay(), future, Operator("day:close")),
                Refuses(Code::kFailedPrecondition, "DAY_NOT_CURRENT"));
    v1::BusinessDay today;
    ASSERT_OK_AND_ASSIGN(today,
                         Call(GetBusinessDay(), v1::GetBusinessDayRequest(), Operator("day:read")));
    v1::CloseDayRequest too_early;
    too_early.set_business_date(today.business_date());
    EXPECT_THAT(Call(CloseDay(), too_early, Operator("day:close")),
                Refuses(Code::kFailedPrecondition, "DAY_NOT_OVER"));
    v1::GetBusinessDayRequest of_future;
    of_future.set_business_date(20991231);
    EXPECT_EQ(Call(GetBusinessDay(), of_future, Operator("day:read")).status().message(),
              "2099-12-31 is not open yet");
    v1::RepublishEventsRequest republish;
    EXPECT_THAT(Call(RepublishEvents(), republish, Service()),
                Refuses(Code::kInvalidArgument, "FIELD_INVALID"));
    auto* change = republish.add_changes();
    change->set_object_id(paid.payment_id());
    change->set_version(9);
    EXPECT_THAT(Call(RepublishEvents(), republish, Service()),
                Refuses(Code::kNotFound, "CHANGE_UNKNOWN"));
}

}  // namespace
}  // namespace kessai::payment
