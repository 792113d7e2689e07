// Goal: only what a bank plainly said makes an account verified or refused; whatever else comes, or
// does not, is "not known", in bounded time. Method: the real adapter against an HTTP server of the
// test's own.

#include "transport/http_account_verifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "kessai/testing/matchers.h"
#include "tests/inquiry_server.h"

namespace kessai::payout {
namespace {

using namespace std::chrono_literals;

using domain::VerificationState;
using testing::Refuses;
using ::testing::SizeIs;

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
    InquiryServer bank;
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
    InquiryServer bank;
    const auto verifier = Asking(bank.url());
    for (const char* answer : {"", "{}", "0", R"("0")", R"({"code": 0})", R"({"code": null})",
                               R"({"code": ""})", R"({"code": "00"})", R"({"code": "3"})",
                               R"({"code": "0")", R"([{"code": "0"}])", "<html>code 0</html>"}) {
        bank.Answer(answer);
        EXPECT_THAT(verifier->Ask(Account()),
                    Refuses(Code::kUnavailable, "VERIFIER_ANSWER_MALFORMED"))
            << answer;
    }
    bank.Answer(R"({"code": "0", "padding": ")" + std::string(20'000, 'x') + R"("})");
    EXPECT_THAT(verifier->Ask(Account()), Refuses(Code::kUnavailable, "VERIFIER_ANSWER_MALFORMED"));
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
        InquiryServer bank;
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
    InquiryServer bank;
    bank.Answer(R"({"code": "2"})");
    domain::BankAccount account = Account();
    account.holder_kana = R"(A\B")";
    EXPECT_OK(Asking(bank.url())->Ask(account).status());
    ASSERT_THAT(bank.questions(), SizeIs(1));
    EXPECT_THAT(bank.questions()[0], ::testing::HasSubstr(R"("accountHolder":"A\\B\""})"));
}

}  // namespace
}  // namespace kessai::payout
