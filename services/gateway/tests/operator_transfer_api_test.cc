// Goal: what an operator asks of payouts reaches the payout service as it was meant, or is refused
// by name: a misspelt field is never taken for an absent one.
// Method: the real HTTP server and handlers, before a real gRPC server that notes what it was asked
// and answers what the test says.

#include "transport/operator_transfer_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "kessai/auth/key_ring.h"
#include "kessai/http/server.h"
#include "kessai/http/testing/raw_client.h"
#include "kessai/rpc/channel.h"
#include "kessai/rpc/server.h"
#include "kessai/testing/matchers.h"
#include "tests/fake_transfers.h"
#include "tests/served_routes.h"
#include "transport/routes.h"

namespace kessai::gateway {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kKeys[] =
    "key 1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\nsign 1\n";

class OperatorTransferApiTest : public ::testing::Test {
 protected:
    using Api = transport::OperatorTransferApi;

    OperatorTransferApiTest()
        : keys_(*auth::KeyRing::Parse(kKeys)),
          verifier_(keys_, SystemClock(), {.audience = "payout"}),
          signer_(keys_, SystemClock()),
          payout_server_(ServerOptions(), SystemClock(), verifier_, nullptr),
          workers_({.name = "test", .threads = 1}),
          router_(transport::MakeFamilies()) {
        payout_server_.Add(payout_.Make());
        EXPECT_OK(payout_server_.Start());
        rpc::ChannelOptions channel;
        channel.target = "127.0.0.1:" + std::to_string(payout_server_.port());
        channel_ =
            std::make_unique<rpc::Channel>(rpc::Channel::Create(channel, SystemClock()).value());
        api_ = std::make_unique<Api>(
            [this](const http::Request&) -> const rpc::Channel& { return *channel_; }, signer_,
            workers_, SystemClock(), kResultBytesMax);
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
    ~OperatorTransferApiTest() override {
        EXPECT_TRUE(http_server_->Drain(std::chrono::seconds(5)));
        loop_.Stop();
        workers_.Stop();
        channel_ = nullptr;
        (void)payout_server_.Stop(std::chrono::seconds(5));
    }

    /// More than what is so by default, here and of gRPC.
    static constexpr std::size_t kResultBytesMax = std::size_t{6} << 20;
    /// As payout's own, for a file of that size.
    static rpc::ServerOptions ServerOptions() {
        rpc::ServerOptions options;
        options.listen_address = "127.0.0.1:0";
        options.receive_bytes_max = kResultBytesMax + 64 * 1'024;
        return options;
    }

    struct Answer {
        int status = 0;
        std::string text;
        json body;
        std::string code() const { return body.is_object() ? body.value("code", "") : ""; }
    };
    /// `length`: what the header says of the body, if not what is so.
    Answer Send(const std::string& method, const std::string& target, const std::string& body = {},
                std::optional<std::size_t> length = {}) {
        http::testing::RawClient client(http_server_->port());
        client.Send(method + " /operator/v1" + target + " HTTP/1.1\r\nHost: x\r\n" +
                    (body.empty() ? "" : "Content-Type: application/json\r\n") +
                    "Content-Length: " + std::to_string(length.value_or(body.size())) + "\r\n\r\n" +
                    body);
        const std::string raw = client.Answer();
        Answer answer;
        answer.status = raw.size() > 12 ? std::stoi(raw.substr(9, 3)) : 0;
        answer.text = raw.substr(std::min(raw.find("\r\n\r\n") + 4, raw.size()));
        answer.body = json::parse(answer.text, nullptr, false);
        return answer;
    }

    FakeTransfers payout_;

 private:
    void AddRoutes() {
        const RouteMembers<Api> members{
            {"operator_putBankAccount", &Api::PutBankAccount},
            {"operator_listBankAccounts", &Api::ListBankAccounts},
            {"operator_verifyBankAccount", &Api::VerifyBankAccount},
            {"operator_confirmBankAccount", &Api::ConfirmBankAccount},
            {"operator_putPayoutTerms", &Api::PutPayoutTerms},
            {"operator_getPayoutTerms", &Api::GetPayoutTerms},
            {"operator_putPayoutHold", &Api::PutPayoutHold},
            {"operator_listPayoutHolds", &Api::ListPayoutHolds},
            {"operator_liftPayoutHold", &Api::LiftPayoutHold},
            {"operator_createTransfers", &Api::CreateTransfers},
            {"operator_gatherTransfers", &Api::GatherTransfers},
            {"operator_getTransferFile", &Api::GetTransferFile},
            {"operator_importResults", &Api::ImportResults},
            {"operator_requestPayout", &Api::RequestPayout},
            {"operator_listPayouts", &Api::ListPayouts},
            {"operator_getPayout", &Api::GetPayout},
            {"operator_reissuePayout", &Api::ReissuePayout},
            {"operator_cancelTransfer", &Api::CancelTransfer},
            {"operator_requestAdjustment", &Api::RequestAdjustment},
            {"operator_decideAdjustment", &Api::DecideAdjustment},
            {"operator_listAdjustments", &Api::ListAdjustments},
            {"operator_getTrialBalance", &Api::GetTrialBalance},
            {"operator_getFeeReport", &Api::GetFeeReport},
            {"operator_listJournal", &Api::ListJournal},
            {"operator_republishPayoutEvents", &Api::RepublishEvents},
            {"operator_traceTransfer", &Api::TraceTransfer},
            {"operator_listDayAccruals", &Api::ListDayAccruals},
            {"operator_tracePayment", &Api::TracePayment},
        };
        ServeRoutes(router_, *api_, members, operator_, kResultBytesMax);
    }

    auth::FixedKeyRing keys_;
    auth::TokenVerifier verifier_;
    auth::TokenSigner signer_;
    rpc::Server payout_server_;
    std::unique_ptr<rpc::Channel> channel_;
    net::Loop loop_{"test"};
    rpc::WorkerPool workers_;
    std::unique_ptr<Api> api_;
    auth::PrincipalPtr operator_;
    http::Router router_;
    http::ServerObserver observer_;
    std::unique_ptr<http::Server> http_server_;
};

TEST_F(OperatorTransferApiTest, BodiesArriveAsTheyAreAndMisspeltFieldsAreRefused) {
    const struct {
        const char* target;
        const char* body;
        const char* taken;
    } cases[] = {
        {"/merchants/7/bank-accounts",
         R"({"bankCode":"0001","branchCode":"004","accountType":2,"accountNumber":"1234567",)"
         R"("accountHolder":"MISE"})",
         R"(PutBankAccount by aiko: merchant_id: 7 bank_code: "0001" branch_code: "004" )"
         R"(account_type: 2 account_number: "1234567" account_holder: "MISE")"},
        // What is wrong with a number is payout's to say.
        {"/merchants/7/bank-accounts",
         R"({"bankCode":"00010","branchCode":"0040","accountType":2,"accountNumber":"12345678",)"
         R"("accountHolder":"MISE"})",
         R"(PutBankAccount by aiko: merchant_id: 7 bank_code: "00010" branch_code: "0040" )"
         R"(account_type: 2 account_number: "12345678" account_holder: "MISE")"},
        {"/payout-terms",
         R"({"merchantId":"7","cycle":"WEEKLY","weekday":5,"minimumAmount":100,)"
         R"("transferFee":110,"onDemandFee":220})",
         "PutPayoutTerms by aiko: merchant_id: 7 cycle: WEEKLY weekday: 5 minimum_amount: 100 "
         "transfer_fee: 110 on_demand_fee: 220"},
        {"/payout-terms", R"({"cycle":"MONTH_END"})",
         "PutPayoutTerms by aiko: cycle: MONTH_END minimum_amount: 1"},
        {"/merchants/7/payout-holds", R"({"note":"police"})",
         R"(PutPayoutHold by aiko: merchant_id: 7 note: "police")"},
        {"/merchants/7/payouts", R"({"requestKey":"k-1"})",
         R"(RequestPayout by aiko: merchant_id: 7 request_key: "k-1")"},
        {"/payouts/12/attempts", R"({"attempt":2})",
         "ReissuePayout by aiko: payout_id: 12 attempt: 2"},
        {"/transfers/13/cancel", R"({"reason":"typed twice"})",
         R"(CancelTransfer by aiko: transfer_id: 13 reason: "typed twice")"},
        {"/transfer-results", R"({"format":"csv","content":"a,b\nc,d\r\n"})",
         R"(ImportResults by aiko: format: "csv" content: "a,b\nc,d\r\n")"},
        // Bytes that are no UTF-8.
        {"/transfer-results", R"({"format":"zengin-statement","contentBase64":"MbHdIA=="})",
         R"(ImportResults by aiko: format: "zengin-statement" content: "1\261\335 ")"},
        {"/merchants/7/adjustments", R"({"requestKey":"c-1","amount":-500,"reason":"terminal"})",
         R"(RequestAdjustment by aiko: merchant_id: 7 request_key: "c-1" amount: -500 )"
         R"(reason: "terminal")"},
        {"/payout-events/republish",
         R"({"changes":[{"objectId":"1099511627780","version":3}],"reason":"the audit misses it"})",
         "RepublishEvents by aiko: events { object_id: 1099511627780 version: 3 }"},
        {"/adjustments/9/decision", R"({"decision":"APPROVE"})",
         "DecideAdjustment by aiko: adjustment_id: 9 approve: true"},
        {"/adjustments/9/decision", R"({"decision":"DECLINE"})",
         "DecideAdjustment by aiko: adjustment_id: 9"},
    };
    for (const auto& given : cases) {
        const Answer answer = Send("POST", given.target, given.body);
        EXPECT_EQ(answer.status, 200) << given.target << answer.text;
        EXPECT_THAT(payout_.Taken(), ::testing::ElementsAre(given.taken));
        const Answer misspelt =
            Send("POST", given.target, R"({"merchantID":"7",)" + std::string(given.body + 1));
        EXPECT_EQ(misspelt.status, 400) << given.target;
        EXPECT_EQ(misspelt.code(), "FIELD_UNKNOWN") << given.target;
        EXPECT_THAT(misspelt.text, HasSubstr("merchantID is no field"));
        EXPECT_EQ(Send("POST", given.target).code(), "BODY_MALFORMED") << given.target;
        EXPECT_THAT(payout_.Taken(), IsEmpty()) << given.target;
    }
}

TEST_F(OperatorTransferApiTest, WhatIsNamedInThePathArrives) {
    const struct {
        const char* method;
        const char* target;
        const char* taken;
    } cases[] = {
        {"GET", "/merchants/7/bank-accounts", "ListBankAccounts by aiko: merchant_id: 7"},
        {"POST", "/merchants/7/bank-accounts/3/verify",
         "VerifyBankAccount by aiko: merchant_id: 7 version: 3"},
        {"POST", "/merchants/7/bank-accounts/3/confirm",
         "ConfirmBankAccount by aiko: merchant_id: 7 version: 3"},
        {"GET", "/merchants/7/payout-terms", "GetPayoutTerms by aiko: merchant_id: 7"},
        {"GET", "/payout-holds?merchantId=7&pageSize=3",
         "ListPayoutHolds by aiko: merchant_id: 7 page_size: 3"},
        {"GET", "/payout-holds?pageToken=12", R"(ListPayoutHolds by aiko: page_token: "12")"},
        {"POST", "/payout-holds/5/lift", "LiftPayoutHold by aiko: hold_id: 5"},
        {"POST", "/days/2026-11-30/transfers", "CreateTransfers by aiko: due_date: 20261130"},
        {"POST", "/days/2026-11-30/transfer-files",
         "GatherTransfers by aiko: transfer_date: 20261130"},
        {"GET", "/merchants/7/payouts?pageSize=5&pageToken=40",
         R"(ListPayouts by aiko: merchant_id: 7 page_size: 5 page_token: "40")"},
        {"GET", "/payouts/12", "GetPayout by aiko: payout_id: 12"},
        {"GET", "/adjustments?merchantId=7", "ListAdjustments by aiko: merchant_id: 7"},
        {"GET", "/adjustments", "ListAdjustments by aiko"},
        {"GET", "/days/2026-11-30/trial-balance",
         "GetTrialBalance by aiko: business_date: 20261130"},
        {"GET", "/days/2026-11-30/fees", "GetFeeReport by aiko: business_date: 20261130"},
        {"GET", "/transfers/13/trace", "TraceTransfer by aiko: transfer_id: 13"},
        {"GET", "/payments/99/trace", "TracePayment by aiko: payment_id: 99"},
        {"GET", "/merchants/7/days/2026-11-30/accruals?pageSize=2&pageToken=32.0.0",
         R"(ListDayAccruals by aiko: merchant_id: 7 business_date: 20261130 page_size: 2 )"
         R"(page_token: "32.0.0")"},
    };
    for (const auto& given : cases) {
        EXPECT_EQ(Send(given.method, given.target).status, 200) << given.target;
        EXPECT_THAT(payout_.Taken(), ::testing::ElementsAre(given.taken));
    }
    EXPECT_EQ(Send("GET", "/merchants/x/payouts").code(), "MERCHANT_UNKNOWN");
    EXPECT_EQ(Send("GET", "/payouts/0").code(), "PAYOUT_UNKNOWN");
    EXPECT_EQ(Send("POST", "/transfers/0/cancel", R"({"reason":"x"})").code(), "TRANSFER_UNKNOWN");
    EXPECT_EQ(Send("POST", "/merchants/7/bank-accounts/x/verify").code(), "BANK_ACCOUNT_UNKNOWN");
    EXPECT_EQ(Send("POST", "/payout-holds/-1/lift").code(), "HOLD_UNKNOWN");
    EXPECT_EQ(Send("POST", "/merchants/7/bank-accounts/99999999999/confirm").code(),
              "BANK_ACCOUNT_UNKNOWN");
    EXPECT_EQ(Send("POST", "/days/today/transfers").code(), "FIELD_MALFORMED");
    for (const char* body : {R"({"format":"csv","contentBase64":"MbHdIA="})",
                             R"({"format":"csv","contentBase64":" bHdIA=="})",
                             R"({"format":"csv","contentBase64":"MQ==","content":"1"})"}) {
        EXPECT_EQ(Send("POST", "/transfer-results", body).code(), "FIELD_MALFORMED") << body;
    }
    EXPECT_EQ(Send("GET", "/adjustments?merchantId=x").code(), "FIELD_MALFORMED");
    EXPECT_EQ(Send("GET", "/transfers/x/trace").code(), "TRANSFER_UNKNOWN");
    EXPECT_EQ(Send("GET", "/payments/0/trace").code(), "ACCRUAL_UNKNOWN");
    EXPECT_EQ(Send("GET", "/merchants/7/days/today/accruals").code(), "FIELD_MALFORMED");
    EXPECT_THAT(payout_.Taken(), IsEmpty());
}

// Goal: a bank's file as large as the setting says arrives whole, also where that is more than by
// default; what is larger is refused by name, before payout is asked.
TEST_F(OperatorTransferApiTest, ResultFilesAsLargeAsTheSettingArrive) {
    const auto send = [&](std::size_t bytes) {
        // A line's end is two bytes more as JSON.
        const std::string line(62, '7');
        std::string content;
        for (std::size_t at = 0; at + 64 <= bytes; at += 64) content += line + R"(\r\n)";
        content += std::string(bytes % 64, '7');
        return Send("POST", "/transfer-results",
                    R"({"format":"csv","content":")" + content + R"("})");
    };
    const std::size_t sizes[] = {(std::size_t{3} << 20) + 1, (std::size_t{4} << 20) + 1,
                                 kResultBytesMax};
    for (const std::size_t bytes : sizes) {
        const Answer answer = send(bytes);
        EXPECT_EQ(answer.status, 200) << bytes << answer.text;
        const auto taken = payout_.Taken();
        ASSERT_EQ(taken.size(), 1u) << bytes;
        // As it is shown, an end of line is four bytes.
        const std::size_t shown = bytes + bytes / 64 * 2;
        EXPECT_EQ(taken[0].size(), std::string_view("ImportResults by aiko: ").size() +
                                       std::string_view(R"(format: "csv" content: "")").size() +
                                       shown);
    }
    EXPECT_EQ(send(kResultBytesMax + 1).code(), "RESULT_FILE_TOO_LARGE");
    EXPECT_EQ(Send("POST", "/transfer-results", "{", 2 * kResultBytesMax).code(), "BODY_TOO_LARGE");
    EXPECT_THAT(payout_.Taken(), IsEmpty());
}

TEST_F(OperatorTransferApiTest, AFileThatEndsRefusedIsNotGiven) {
    const Answer file = Send("GET", "/transfer-files/14");
    EXPECT_EQ(file.status, 200);
    EXPECT_EQ(file.text, "first second");
    EXPECT_EQ(Send("GET", "/transfer-files/14?again=true").status, 200);
    EXPECT_THAT(payout_.Taken(),
                ::testing::ElementsAre("GetTransferFile by aiko: batch_id: 14",
                                       "GetTransferFile by aiko: batch_id: 14 again: true"));
    EXPECT_EQ(Send("GET", "/transfer-files/14?again=1").code(), "FIELD_MALFORMED");
    EXPECT_THAT(payout_.Taken(), IsEmpty());
    payout_.Refuse(Status(Code::kFailedPrecondition, "TRANSFER_FILE_DIFFERS", "batch 14"));
    const Answer refused = Send("GET", "/transfer-files/14");
    EXPECT_EQ(refused.status, 409);
    EXPECT_EQ(refused.code(), "TRANSFER_FILE_DIFFERS");
    EXPECT_THAT(refused.text, Not(HasSubstr("first")));
}

// Operators have to know what is damaged, not only that it failed.
TEST_F(OperatorTransferApiTest, DamagedRowsAreNamed) {
    payout_.Refuse(Status(Code::kDataLoss, "TRANSFER_DIFFERS", "transfer 7 has other sums"));
    const Answer damaged = Send("GET", "/days/2026-11-30/trial-balance");
    EXPECT_EQ(damaged.status, 500);
    EXPECT_EQ(damaged.code(), "TRANSFER_DIFFERS");
    EXPECT_THAT(damaged.text, HasSubstr("transfer 7 has other sums"));
    payout_.Refuse(Status(Code::kInternal, "CONSTRAINT_VIOLATED", "journal.insert"));
    const Answer failed = Send("GET", "/days/2026-11-30/trial-balance");
    EXPECT_EQ(failed.code(), "INTERNAL_ERROR");
    EXPECT_THAT(failed.text, Not(HasSubstr("journal.insert")));
}

TEST_F(OperatorTransferApiTest, AJournalComesInPages) {
    const Answer page = Send("GET", "/days/2026-11-30/journal?pageSize=2");
    ASSERT_EQ(page.body["entries"].size(), 2u) << page.text;
    EXPECT_EQ(page.body["nextPageToken"], "j2");
    EXPECT_EQ(Send("GET", "/days/2026-11-30/journal?pageSize=3").body["nextPageToken"], "");
    EXPECT_THAT(payout_.Taken(),
                ::testing::ElementsAre("ListJournal by aiko: business_date: 20261130",
                                       "ListJournal by aiko: business_date: 20261130"));
    EXPECT_EQ(Send("GET", "/days/2026-11-30/journal?pageToken=j2").body["entries"].size(), 3u);
    EXPECT_THAT(
        payout_.Taken(),
        ::testing::ElementsAre(R"(ListJournal by aiko: business_date: 20261130 after: "j2")"));
    payout_.Refuse(Status(Code::kInvalidArgument, "FIELD_INVALID", "after is no position"));
    EXPECT_EQ(Send("GET", "/days/2026-11-30/journal?pageToken=x").code(), "FIELD_INVALID");
}

}  // namespace
}  // namespace kessai::gateway
