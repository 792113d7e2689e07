// Goal: what accounting asks of the customers' ledger reaches payment as it was meant, and a day's
// two ledgers are asked, compared and shown together; what either refuses is refused.
// Method: the real HTTP server and handlers, before real gRPC servers that note what they were
// asked and answer what the test says.

#include "transport/operator_books_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>

#include "kessai/auth/key_ring.h"
#include "kessai/http/server.h"
#include "kessai/http/testing/raw_client.h"
#include "kessai/payment/v1/book_service.pb.h"
#include "kessai/payout/v1/transfer_service.pb.h"
#include "kessai/rpc/server.h"
#include "kessai/rpc/service.h"
#include "kessai/testing/matchers.h"
#include "tests/fake_transfers.h"
#include "tests/served_routes.h"
#include "transport/routes.h"

namespace kessai::gateway {
namespace {

namespace pa = payment::v1;
namespace po = payout::v1;
using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kKeys[] =
    "key 1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\nsign 1\n";

/// Notes what payment is asked.
class Asked {
 public:
    void Take(const std::string& what, const rpc::CallContext& context,
              const std::string& request) {
        const std::lock_guard lock(mutex_);
        taken_.push_back(what + " by " + context.principal().subject + ": " + request);
    }
    std::vector<std::string> Taken() {
        const std::lock_guard lock(mutex_);
        return std::exchange(taken_, {});
    }

 private:
    std::mutex mutex_;
    std::vector<std::string> taken_;
};

auth::MethodPolicy Anybody(const google::protobuf::ServiceDescriptor& contract) {
    std::vector<auth::MethodRule> rules;
    for (int i = 0; i < contract.method_count(); ++i) {
        rules.push_back({contract.method(i)->name(),
                         {auth::Operator("any")},
                         auth::MethodRule::Token::kInMetadata,
                         {}});
    }
    return auth::MethodPolicy(std::move(rules));
}

/// A service behind a server of its own.
class Behind {
 public:
    Behind(const auth::KeyRingSource& keys, const std::string& audience)
        : verifier_(keys, SystemClock(), {.audience = audience}),
          server_({.listen_address = "127.0.0.1:0"}, SystemClock(), verifier_, nullptr) {}
    ~Behind() {
        channel_ = nullptr;
        (void)server_.Stop(std::chrono::seconds(5));
    }
    void Start(rpc::Service service) {
        server_.Add(std::move(service));
        EXPECT_OK(server_.Start());
        rpc::ChannelOptions channel;
        channel.target = "127.0.0.1:" + std::to_string(server_.port());
        channel_ =
            std::make_unique<rpc::Channel>(rpc::Channel::Create(channel, SystemClock()).value());
    }
    const rpc::Channel& channel() const { return *channel_; }

 private:
    auth::TokenVerifier verifier_;
    rpc::Server server_;
    std::unique_ptr<rpc::Channel> channel_;
};

class OperatorBooksApiTest : public ::testing::Test {
 protected:
    using Api = transport::OperatorBooksApi;

    OperatorBooksApiTest()
        : keys_(*auth::KeyRing::Parse(kKeys)),
          signer_(keys_, SystemClock()),
          payment_(keys_, "payment"),
          payout_(keys_, "payout"),
          streams_({.name = "streams", .threads = 1}),
          workers_({.name = "test", .threads = 1}),
          router_(transport::MakeFamilies()) {
        payment_.Start(MakePayment());
        payout_.Start(transfers_.Make());
        api_ = std::make_unique<Api>(
            [this](const http::Request&) -> const rpc::Channel& { return payment_.channel(); },
            payout_.channel(), signer_, workers_, SystemClock());
        auto caller = std::make_shared<auth::Principal>();
        caller->role = auth::Role::kOperator;
        caller->subject = "aiko";
        caller->scopes = {"any"};
        operator_ = std::move(caller);
        AddRoutes();
        loop_.Start();
        http_server_ = std::make_unique<http::Server>(http::Server::Options(), router_,
                                                      std::vector<net::Loop*>{&loop_}, observer_);
        EXPECT_OK(http_server_->Listen("127.0.0.1", 0));
    }
    ~OperatorBooksApiTest() override {
        EXPECT_TRUE(http_server_->Drain(std::chrono::seconds(5)));
        loop_.Stop();
        workers_.Stop();
        streams_.Stop();
    }

    struct Answer {
        int status = 0;
        std::string text;
        json body;
        std::string code() const { return body.is_object() ? body.value("code", "") : ""; }
    };
    Answer Get(const std::string& target) {
        http::testing::RawClient client(http_server_->port());
        client.Send("GET /operator/v1" + target + " HTTP/1.1\r\nHost: x\r\n\r\n");
        const std::string raw = client.Answer();
        Answer answer;
        answer.status = raw.size() > 12 ? std::stoi(raw.substr(9, 3)) : 0;
        answer.text = raw.substr(std::min(raw.find("\r\n\r\n") + 4, raw.size()));
        answer.body = json::parse(answer.text, nullptr, false);
        return answer;
    }

    Asked asked_;
    // What payment answers.
    pa::TrialBalance of_payment_;
    Status payment_refuses_;
    FakeTransfers transfers_;

 private:
    rpc::Service MakePayment() {
        const auto& contract = *pa::JournalEntry::descriptor()->file()->service(0);
        rpc::Service service(contract.full_name(), Anybody(contract));
        service.Async<pa::GetTrialBalanceRequest, pa::TrialBalance>(
            "GetTrialBalance",
            [this](const rpc::CallContext& context, const pa::GetTrialBalanceRequest& request,
                   rpc::Answer<pa::TrialBalance> answer) {
                asked_.Take("payment", context, request.ShortDebugString());
                if (!payment_refuses_.ok()) return answer(payment_refuses_);
                answer(of_payment_);
            });
        service.Streaming<pa::ListJournalRequest, pa::JournalEntry>(
            "ListJournal", streams_,
            [this](const rpc::CallContext& context, const pa::ListJournalRequest& request,
                   rpc::StreamWriter<pa::JournalEntry>& entries) {
                asked_.Take("journal", context, request.ShortDebugString());
                for (int i = 1; i <= 3; ++i) {
                    pa::JournalEntry entry;
                    entry.set_kind(pa::JournalEntry::REFUNDED);
                    entry.set_object_id(i);
                    auto* posting = entry.add_postings();
                    posting->set_account("USER_MONEY");
                    posting->set_owner_id(42);
                    posting->set_amount(-7);
                    entry.set_position("9-" + std::to_string(i) + "-1");
                    if (!entries.Write(entry)) break;
                }
                return payment_refuses_;
            });
        return service;
    }
    void AddRoutes() {
        const RouteMembers<Api> members{
            {"operator_getPaymentTrialBalance", &Api::GetPaymentTrialBalance},
            {"operator_listPaymentJournal", &Api::ListPaymentJournal},
            {"operator_getDayBooks", &Api::GetDayBooks},
        };
        ServeRoutes(router_, *api_, members, operator_);
    }

    auth::FixedKeyRing keys_;
    auth::TokenSigner signer_;
    Behind payment_;
    Behind payout_;
    rpc::WorkerPool streams_;
    net::Loop loop_{"test"};
    rpc::WorkerPool workers_;
    std::unique_ptr<Api> api_;
    auth::PrincipalPtr operator_;
    http::Router router_;
    http::ServerObserver observer_;
    std::unique_ptr<http::Server> http_server_;
};

TEST_F(OperatorBooksApiTest, TheCustomersLedgerIsShownAsPaymentGaveIt) {
    of_payment_.set_business_date(20261130);
    of_payment_.set_state(pa::BusinessDay::OPEN);
    auto* line = of_payment_.add_lines();
    line->set_account("MERCHANT_PAYABLE");
    line->set_amount(-5);
    const Answer answer = Get("/days/2026-11-30/payment/trial-balance");
    EXPECT_EQ(answer.status, 200) << answer.text;
    EXPECT_EQ(answer.body["lines"][0]["account"], "MERCHANT_PAYABLE");
    EXPECT_EQ(answer.body["lines"][0]["amount"], -5);
    EXPECT_EQ(answer.body["state"], "OPEN");
    EXPECT_EQ(answer.body["final"], false);
    EXPECT_THAT(asked_.Taken(), ElementsAre("payment by aiko: business_date: 20261130"));
    EXPECT_EQ(Get("/days/today/payment/trial-balance").code(), "FIELD_MALFORMED");
    payment_refuses_ = Status(Code::kFailedPrecondition, "DAY_NOT_CURRENT", "not open yet");
    const Answer refused = Get("/days/2026-11-30/payment/trial-balance");
    EXPECT_EQ(refused.status, 409);
    EXPECT_EQ(refused.code(), "DAY_NOT_CURRENT");
}

TEST_F(OperatorBooksApiTest, TheCustomersJournalComesInPages) {
    const Answer page = Get("/days/2026-11-30/payment/journal?pageSize=2");
    ASSERT_EQ(page.body["entries"].size(), 2u) << page.text;
    EXPECT_EQ(page.body["entries"][0]["kind"], "REFUNDED");
    EXPECT_EQ(page.body["entries"][0]["objectId"], "1");
    EXPECT_EQ(page.body["entries"][0]["postings"][0]["ownerId"], "42");
    EXPECT_EQ(page.body["nextPageToken"], "9-2-1");
    EXPECT_THAT(asked_.Taken(), ElementsAre("journal by aiko: business_date: 20261130"));
    EXPECT_EQ(Get("/days/2026-11-30/payment/journal?pageToken=9-2-1").body["nextPageToken"], "");
    EXPECT_THAT(asked_.Taken(),
                ElementsAre(R"(journal by aiko: business_date: 20261130 after: "9-2-1")"));
    EXPECT_EQ(Get("/days/2026-11-30/payment/journal?pageSize=1001").code(), "FIELD_MALFORMED");
    // What ends refused is not given as if it were all.
    payment_refuses_ = Status(Code::kInvalidArgument, "PAGE_TOKEN_INVALID", "no position");
    EXPECT_EQ(Get("/days/2026-11-30/payment/journal?pageToken=x").code(), "PAGE_TOKEN_INVALID");
}

TEST_F(OperatorBooksApiTest, BothLedgersOfADayAreShownWithWhatDiffers) {
    of_payment_.set_business_date(20261130);
    of_payment_.set_final(true);
    auto* payable = of_payment_.add_lines();
    payable->set_account("MERCHANT_PAYABLE");
    payable->set_amount(900);
    payable->set_closing(900);
    po::TrialBalance of_payout;
    of_payout.set_state(po::PayoutDay::RELEASED);
    of_payout.set_openings_closed(true);
    auto* clearing = of_payout.add_lines();
    clearing->set_account("CLEARING");
    clearing->set_amount(-880);
    clearing->set_closing(-880);
    transfers_.Tell(of_payout);
    const Answer answer = Get("/days/2026-11-30/books");
    ASSERT_EQ(answer.status, 200) << answer.text;
    EXPECT_THAT(asked_.Taken(), ElementsAre("payment by aiko: business_date: 20261130"));
    EXPECT_THAT(transfers_.Taken(),
                ElementsAre("GetTrialBalance by aiko: business_date: 20261130"));
    EXPECT_EQ(answer.body["businessDate"], "2026-11-30");
    EXPECT_EQ(answer.body["state"], "DIFFERS");
    EXPECT_EQ(answer.body["payment"]["lines"][0]["closing"], 900);
    EXPECT_EQ(answer.body["payout"]["lines"][0]["account"], "CLEARING");
    ASSERT_EQ(answer.body["agreements"].size(), 3u);
    const json expected = {{"name", "PAYABLE_OF_THE_DAY"},
                           {"payment", 900},
                           {"payout", 880},
                           {"state", "DIFFERS"},
                           {"because", nullptr}};
    EXPECT_EQ(answer.body["agreements"][0], expected);
}

TEST_F(OperatorBooksApiTest, WhatEitherLedgerRefusesIsRefused) {
    transfers_.Refuse(Status(Code::kDataLoss, "TRANSFER_DIFFERS", "transfer 7 has other sums"));
    const Answer damaged = Get("/days/2026-11-30/books");
    EXPECT_EQ(damaged.status, 500);
    EXPECT_EQ(damaged.code(), "TRANSFER_DIFFERS");
    EXPECT_THAT(damaged.text, HasSubstr("transfer 7 has other sums"));
    transfers_.Taken();
    payment_refuses_ = Status(Code::kFailedPrecondition, "DAY_NOT_CURRENT", "never open");
    EXPECT_EQ(Get("/days/2026-11-30/books").code(), "DAY_NOT_CURRENT");
    EXPECT_THAT(transfers_.Taken(), ::testing::IsEmpty());
}

}  // namespace
}  // namespace kessai::gateway
