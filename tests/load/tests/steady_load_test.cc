// Goal: a steady load gets everything settled that can be, asks for nothing twice under another
// key, and its journal alone tells what must be stored. Method: a real HTTPS server in this process
// that loses answers, refuses and stops; its record judged by the journal.

#include "load/steady_load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_gateway.h"
#include "kessai/testing/temp_dir.h"
#include "load/on_loop.h"
#include "load/oracle.h"
#include "load/population_maker.h"

namespace kessai::load {
namespace {

using namespace std::chrono_literals;

class SteadyLoadTest : public ::testing::Test {
 protected:
    SteadyLoadTest() {
        loop_.Start();
        for (int i = 0; i < 5; ++i) {
            population_.merchants.push_back({100 + i, "key-" + std::to_string(i), "secret"});
            population_.users.push_back({200 + i, "token-" + std::to_string(i), 0});
        }
        Client::Options options;
        options.port = gateway_.port();
        options.tls = gateway_.ClientTls();
        options.connections = 128;  // more than requests under way: none waits for one
        AwaitOn(loop_, [&]() -> net::Task<void> {
            client_ = std::make_unique<Client>(loop_, options);
            co_return;
        });
    }
    ~SteadyLoadTest() override {
        AwaitOn(loop_, [&]() -> net::Task<void> {
            co_await client_->Close();
            client_.reset();
        });
        loop_.Stop();
    }

    SteadyReport Run(SteadyOptions options) {
        auto writer = JournalWriter::Create(path(), {"t", 100, 5, 3});
        EXPECT_TRUE(writer.ok());
        const auto merchants = WeightedChoice::Zipf(5, 1.0);
        return AwaitOn(loop_, [&]() -> net::Task<SteadyReport> {
            SteadyLoad load(loop_, *client_, population_, merchants, **writer, "t-", "localhost",
                            3);
            co_return co_await load.Run(options);
        });
    }
    OracleReport Judge() {
        auto journal = ReadJournal(path());
        EXPECT_TRUE(journal.ok()) << journal.status().ToString();
        std::map<std::string, const journal::Sent*> sent;
        for (const auto& record : journal->records) {
            if (const auto* request = std::get_if<journal::Sent>(&record)) {
                sent[request->key] = request;
            }
        }
        std::vector<StoredPayment> stored;
        for (const auto& [code_id, code] : gateway_.codes()) {
            StoredPayment payment;
            payment.payment_id = code.payment_id;
            payment.key = code.merchant_payment_id;
            payment.merchant_id = sent.at(payment.key)->merchant_id;
            payment.user_id = sent.at(payment.key)->user_id;
            payment.amount = payment.accrued_gross = code.amount;
            payment.paid = code.payment_id != 0;
            payment.created_at_us = payment.accepted_at_us = code.paid_at_us;
            payment.completions = payment.accruals = payment.matches = payment.paid ? 1 : 0;
            stored.push_back(payment);
        }
        return Oracle(*journal).Judge(stored);
    }
    std::string path() const { return directory_.Path("journal"); }

    kessai::testing::TempDir directory_{"load"};
    testing::FakeGateway gateway_;
    net::Loop loop_{"steady"};
    Population population_;
    std::unique_ptr<Client> client_;
};

SteadyOptions Short() {
    SteadyOptions options;
    options.payments_per_second = 200;
    options.time = 500ms;
    options.think_time = 50ms;
    options.timeout = 2s;
    options.settle = 20s;
    return options;
}

TEST_F(SteadyLoadTest, HasEverythingAcknowledgedWhenNothingFails) {
    SteadyOptions options = Short();
    options.timeout = 10s;  // no answer is lost, and a late one is none to ask again for
    const auto report = Run(options);
    EXPECT_EQ(report.begun, 100u);
    EXPECT_EQ(report.acknowledged, 100u);
    EXPECT_EQ(report.retries, 0u);
    const auto judged = Judge();
    EXPECT_TRUE(judged.clean());
    EXPECT_EQ(judged.payments_acknowledged, 100u);
    EXPECT_EQ(judged.payments_stored, 100u);
}

TEST_F(SteadyLoadTest, RefundsCancelsAndTopsUpWhatItIsToldTo) {
    SteadyOptions options = Short();
    options.refund_share = 0.3;
    options.cancel_share = 0.2;
    options.top_up_share = 0.5;
    const auto report = Run(options);
    EXPECT_EQ(report.acknowledged, 100u);
    EXPECT_EQ(report.refused, 0u);
    const auto refunds = gateway_.refunds();
    const auto canceled = gateway_.canceled();
    const auto top_ups = gateway_.top_ups();
    EXPECT_GT(refunds.size(), 10u);
    EXPECT_GT(canceled.size(), 5u);
    EXPECT_GT(top_ups.size(), 20u);
    EXPECT_EQ(report.others_acknowledged, refunds.size() + canceled.size() + top_ups.size());
    EXPECT_EQ(report.begun, 100u + top_ups.size());
    for (const auto& [code_id, code] : gateway_.codes()) {
        const auto refund = refunds.find(code.merchant_payment_id);
        if (refund == refunds.end()) continue;
        EXPECT_FALSE(canceled.contains(code.merchant_payment_id));
        EXPECT_EQ(refund->second.first, code.payment_id);
        EXPECT_LE(refund->second.second, code.amount);
    }
}

TEST_F(SteadyLoadTest, AsksAgainWithTheSameKeyWhenAnAnswerIsLost) {
    gateway_.pay_answers_lost_every = 10;
    const auto report = Run(Short());
    EXPECT_EQ(report.acknowledged, 100u);
    // Ten of the hundred, and the tenth of their retries.
    EXPECT_EQ(report.unknown_outcomes, 11u);
    EXPECT_EQ(report.retries, 11u);
    EXPECT_EQ(report.not_settled, 0u);
    const auto judged = Judge();
    EXPECT_TRUE(judged.clean()) << judged.offences.front().kind;
    EXPECT_EQ(judged.payments_stored, 100u);
    EXPECT_EQ(judged.retries_that_found_an_outcome, 10u);
}

TEST_F(SteadyLoadTest, TakesARefusalForFinal) {
    gateway_.pays_refused_every = 4;
    const auto report = Run(Short());
    EXPECT_EQ(report.refused, 25u);
    EXPECT_EQ(report.acknowledged, 75u);
    EXPECT_EQ(report.retries, 0u);
    EXPECT_EQ(report.reasons.at("INSUFFICIENT_FUNDS"), 25u);
    EXPECT_TRUE(Judge().clean());
}

TEST_F(SteadyLoadTest, LeavesOpenWhatCannotBeSettledAndSaysSo) {
    gateway_.stalled_until = SystemClock().SteadyNow() + 4s;
    SteadyOptions options = Short();
    options.timeout = 300ms;
    options.settle = 1'500ms;
    const auto report = Run(options);
    EXPECT_EQ(report.begun, 100u);
    EXPECT_EQ(report.acknowledged, 0u);
    EXPECT_EQ(report.not_settled, 100u);
    const auto judged = Judge();
    EXPECT_EQ(judged.offences_total, 100u);
    EXPECT_EQ(judged.offences.front().kind, "NOT_SETTLED");
}

TEST_F(SteadyLoadTest, BeginsNoMoreThanItMayHaveOpen) {
    gateway_.answer_after = 300ms;
    SteadyOptions options = Short();
    options.timeout = 5s;
    options.open_max = 10;
    const auto report = Run(options);
    EXPECT_EQ(report.begun + report.held_back, 100u);
    EXPECT_GE(report.begun, 10u);
    EXPECT_LE(report.begun, 30u);
    EXPECT_EQ(report.acknowledged, report.begun);
}

TEST_F(SteadyLoadTest, SetsItsPopulationUpThroughThePublicInterfaces) {
    PopulationMaker setup(loop_, *client_, "localhost", "run1");
    PopulationOptions options;
    options.merchants = 30;
    options.first_merchant_id = 9'000;
    options.users = 40;
    options.balance_min = 1'500'000;  // two top-ups each
    auto made =
        AwaitOn(loop_, [&]() -> net::Task<Result<Population>> { return setup.Run(options); });
    ASSERT_TRUE(made.ok()) << made.status().ToString();
    ASSERT_EQ(made->merchants.size(), 30u);
    ASSERT_EQ(made->users.size(), 40u);
    EXPECT_EQ(made->merchants[29].id, 9'029);
    EXPECT_FALSE(made->merchants[29].api_key.empty());
    EXPECT_FALSE(made->merchants[29].secret.empty());
    EXPECT_EQ(gateway_.merchants_made(), 30);
    for (const User& user : made->users) {
        EXPECT_GT(user.id, 0);
        EXPECT_EQ(user.balance, 2'000'000);
        EXPECT_FALSE(user.token.empty());
    }
    // The same users again have their money still.
    PopulationMaker again(loop_, *client_, "localhost", "run2");
    auto same =
        AwaitOn(loop_, [&]() -> net::Task<Result<Population>> { return again.Run(options); });
    ASSERT_TRUE(same.ok()) << same.status().ToString();
    EXPECT_EQ(same->users[7].id, made->users[7].id);
    EXPECT_EQ(same->users[7].balance, 2'000'000);
}

TEST_F(SteadyLoadTest, SaysWhichStepOfASetUpFailed) {
    gateway_.sign_ins_refused = true;
    PopulationMaker setup(loop_, *client_, "localhost", "run1");
    PopulationOptions options;
    options.merchants = 1;
    options.users = 3;
    auto made =
        AwaitOn(loop_, [&]() -> net::Task<Result<Population>> { return setup.Run(options); });
    EXPECT_EQ(made.status().reason(), "SETUP_FAILED");
    EXPECT_THAT(made.status().ToString(), ::testing::HasSubstr("sign-in: 403"));
}

}  // namespace
}  // namespace kessai::load
