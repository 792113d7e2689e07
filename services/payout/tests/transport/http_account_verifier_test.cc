// Goal: only what a bank plainly said makes an account verified or refused; whatever else comes, or
// does not, is "not known", in bounded time. Method: the real adapter against an HTTP server of the
// test's own.

#include "transport/http_account_verifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "kessai/http/server.h"
#include "kessai/testing/matchers.h"

namespace kessai::payout {
namespace {

using namespace std::chrono_literals;

using domain::VerificationState;
using ::testing::ElementsAre;
using testing::Refuses;
using ::testing::SizeIs;

/// A bank's inquiry service, or what a test makes of one.
class Bank {
 public:
    Bank() : loop_("bank"), router_(Families()) {
        http::Route route;
        route.name = "inquiry";
        route.method = http::Method::kPost;
        route.path = "/inquiry";
        route.family = &router_.FamilyOf("/inquiry");
        route.handler = [this](const http::Request& request) -> net::Task<http::Response> {
            http::Response response;
            Duration wait{};
            {
                const std::lock_guard lock(mutex_);
                questions_.push_back(std::string(request.Header("authorization")) + " " +
                                     request.body);
                response.status = status_;
                response.body = answer_;
                wait = wait_;
            }
            co_await loop_.Sleep(wait);
            co_return response;
        };
        EXPECT_OK(router_.Add(std::move(route)));
        loop_.Start();
        server_ = std::make_unique<http::Server>(http::Server::Options{}, router_,
                                                 std::vector<net::Loop*>{&loop_}, observer_);
        EXPECT_OK(server_->Listen("127.0.0.1", 0));
    }
    ~Bank() {
        EXPECT_TRUE(server_->Drain(10s));
        loop_.Stop();
    }
    void Answer(std::string answer, int status = 200, Duration wait = {}) {
        const std::lock_guard lock(mutex_);
        answer_ = std::move(answer);
        status_ = status;
        wait_ = wait;
    }
    std::vector<std::string> questions() const {
        const std::lock_guard lock(mutex_);
        return questions_;
    }
    std::string url() const {
        return "http://127.0.0.1:" + std::to_string(server_->port()) + "/inquiry";
    }

 private:
    static std::vector<std::unique_ptr<http::Family>> Families() {
        std::vector<std::unique_ptr<http::Family>> families;
        families.push_back(std::make_unique<http::Family>());
        families.back()->name = "bank";
        return families;
    }

    net::Loop loop_;
    http::Router router_;
    http::ServerObserver observer_;
    std::unique_ptr<http::Server> server_;
    mutable std::mutex mutex_;
    std::string answer_;
    int status_ = 200;
    Duration wait_{};
    std::vector<std::string> questions_;
};

domain::BankAccount Account() {
    domain::BankAccount account;
    account.merchant = domain::MerchantId(7);
    account.version = 1;
    account.bank_code = "0001";
    account.branch_code = "004";
    account.type = domain::AccountType::kCurrent;
    account.number = "1234567";
    account.holder_kana = "ｶ)ﾐｾ";
    return account;
}

std::unique_ptr<transport::HttpAccountVerifier> Asking(const std::string& url,
                                                       Duration timeout = 5s) {
    transport::HttpAccountVerifier::Options options;
    options.url = http::Url::Parse(url).value();
    options.token = "secret";
    options.timeout = timeout;
    return transport::HttpAccountVerifier::Create(std::move(options), SystemClock()).value();
}

TEST(HttpAccountVerifierTest, EachCodeOfABankIsWhatItSays) {
    Bank bank;
    const auto verifier = Asking(bank.url());
    const struct {
        const char* answer;
        VerificationState state;
        const char* reason;
    } cases[] = {
        {R"({"code": "0"})", VerificationState::kVerified, ""},
        {R"({"bank": "0001", "code": "1"})", VerificationState::kRefused, "NO_SUCH_ACCOUNT"},
        {R"({"code": "2"})", VerificationState::kRefused, "HOLDER_DIFFERS"},
        {R"({"code": "9"})", VerificationState::kRefused, "OTHER"},
    };
    for (const auto& given : cases) {
        bank.Answer(given.answer);
        const auto said = verifier->Ask(Account());
        ASSERT_OK(said.status()) << given.answer;
        EXPECT_EQ(said->state, given.state);
        EXPECT_EQ(said->reason, given.reason);
    }
    ASSERT_THAT(bank.questions(), SizeIs(4));
    EXPECT_EQ(bank.questions()[0],
              R"(Bearer secret {"bankCode":"0001","branchCode":"004","accountType":2,)"
              R"("accountNumber":"1234567","accountHolder":"ｶ)ﾐｾ"})");
}

TEST(HttpAccountVerifierTest, WhatIsNoPlainAnswerIsNotKnown) {
    Bank bank;
    const auto verifier = Asking(bank.url());
    for (const char* answer :
         {"", "{}", "0", R"("0")", R"({"code": 0})", R"({"code": null})", R"({"code": ""})",
          R"({"code": "00"})", R"({"code": "3"})", R"({"code": "0")", R"([{"code": "0"}])",
          "<html>code 0</html>"}) {
        bank.Answer(answer);
        EXPECT_THAT(verifier->Ask(Account()),
                    Refuses(Code::kUnavailable, "VERIFIER_ANSWER_MALFORMED"))
            << answer;
    }
    bank.Answer(R"({"code": "0", "padding": ")" + std::string(20'000, 'x') + R"("})");
    EXPECT_THAT(verifier->Ask(Account()),
                Refuses(Code::kUnavailable, "VERIFIER_ANSWER_MALFORMED"));
    for (const int status : {201, 302, 401, 404, 500, 503}) {
        bank.Answer(R"({"code": "0"})", status);
        EXPECT_THAT(verifier->Ask(Account()), Refuses(Code::kUnavailable, "VERIFIER_FAILED"))
            << status;
    }
    bank.Answer(R"({"code": "0"})");
    EXPECT_OK(verifier->Ask(Account()).status());
}

TEST(HttpAccountVerifierTest, ABankThatDoesNotAnswerIsNotWaitedForLong) {
    std::string nobody;
    {
        Bank bank;
        nobody = bank.url();
        bank.Answer(R"({"code": "0"})", 200, 2s);
        const auto verifier = Asking(bank.url(), 200ms);
        const SteadyInstant begin = SystemClock().SteadyNow();
        EXPECT_THAT(verifier->Ask(Account()), Refuses(Code::kUnavailable, "VERIFIER_UNREACHABLE"));
        EXPECT_LT(SystemClock().SteadyNow() - begin, 2s);
    }
    EXPECT_THAT(Asking(nobody)->Ask(Account()),
                Refuses(Code::kUnavailable, "VERIFIER_UNREACHABLE"));
    EXPECT_THAT(Asking("http://bank.invalid/inquiry")->Ask(Account()),
                Refuses(Code::kUnavailable, "VERIFIER_UNREACHABLE"));
}

// What a holder's name may have is no part of the question's form.
TEST(HttpAccountVerifierTest, NamesAreQuoted) {
    Bank bank;
    bank.Answer(R"({"code": "2"})");
    domain::BankAccount account = Account();
    account.holder_kana = R"(A\B")";
    EXPECT_OK(Asking(bank.url())->Ask(account).status());
    ASSERT_THAT(bank.questions(), SizeIs(1));
    EXPECT_THAT(bank.questions()[0], ::testing::HasSubstr(R"("accountHolder":"A\\B\""})"));
}

}  // namespace
}  // namespace kessai::payout
