// Goal: what two ledgers have to agree in is named when it does not, and not taken for a difference
// while one of them does not have all of it. Method: balances of a day in every state, changed one
// at a time.

#include "transport/ledger_agreement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace kessai::gateway::transport {
namespace {

namespace pa = payment::v1;
namespace po = payout::v1;
using ::testing::ElementsAre;

struct Ledgers {
    pa::TrialBalance payment;
    po::TrialBalance payout;
};

/// A day of 900 yen behind days of 5,000, all of it released and cleared in two rounds.
Ledgers Settled() {
    Ledgers ledgers;
    ledgers.payment.set_final(true);
    ledgers.payment.set_cleared_count(2);
    ledgers.payment.set_cleared_gross(900);
    for (const auto& [account, amount, opening] :
         {std::tuple("USER_MONEY", -900, -5'000), std::tuple("MERCHANT_PAYABLE", 900, 5'000)}) {
        auto* line = ledgers.payment.add_lines();
        line->set_account(account);
        line->set_amount(amount);
        line->set_opening(opening);
        line->set_closing(opening + amount);
    }
    ledgers.payout.set_state(po::PayoutDay::RELEASED);
    ledgers.payout.set_openings_closed(true);
    ledgers.payout.set_released_count(2);
    ledgers.payout.set_released_gross(900);
    auto* line = ledgers.payout.add_lines();
    line->set_account("CLEARING");
    line->set_amount(-900);
    line->set_opening(-5'000);
    line->set_closing(-5'900);
    return ledgers;
}

/// "NAME STATE BECAUSE" of each.
std::vector<std::string> Said(const Ledgers& ledgers) {
    std::vector<std::string> said;
    for (const LedgerAgreement& one : CompareLedgers(ledgers.payment, ledgers.payout)) {
        said.push_back(std::string(one.name) + " " + std::string(AccordName(one.accord)));
        if (!one.because.empty()) said.back() += " " + std::string(one.because);
    }
    return said;
}
std::vector<std::string> SaidAfter(const std::function<void(Ledgers&)>& change) {
    Ledgers ledgers = Settled();
    change(ledgers);
    return Said(ledgers);
}
Accord WorstAfter(const std::function<void(Ledgers&)>& change) {
    Ledgers ledgers = Settled();
    change(ledgers);
    return AccordOf(CompareLedgers(ledgers.payment, ledgers.payout));
}

TEST(LedgerAgreementTest, ASettledDayAgrees) {
    const auto agreements = CompareLedgers(Settled().payment, Settled().payout);
    EXPECT_EQ(AccordOf(agreements), Accord::kAgrees);
    ASSERT_EQ(agreements.size(), 3u);
    EXPECT_EQ(agreements[0].payment, 900);
    EXPECT_EQ(agreements[0].payout, 900);
    EXPECT_EQ(agreements[1].payment, 5'900);
    EXPECT_EQ(agreements[1].payout, 5'900);
    EXPECT_EQ(agreements[2].payment, 900);
    EXPECT_EQ(agreements[2].payout, 900);
}

TEST(LedgerAgreementTest, AnUnfinishedDayIsNotYetWhateverItsNumbersAre) {
    EXPECT_THAT(
        SaidAfter([](Ledgers& day) {
            day.payment.set_final(false);
            day.payment.mutable_lines(1)->set_amount(950);
        }),
        ElementsAre("PAYABLE_OF_THE_DAY NOT_YET PAYMENT_DAY_OPEN",
                    "PAYABLE_TO_DATE NOT_YET PAYMENT_DAY_OPEN", "RELEASES_OF_THE_DAY AGREES"));
    for (const auto state : {po::PayoutDay::STATE_UNSPECIFIED, po::PayoutDay::OPEN}) {
        EXPECT_THAT(SaidAfter([&](Ledgers& day) { day.payout.set_state(state); }),
                    ElementsAre("PAYABLE_OF_THE_DAY NOT_YET PAYOUT_DAY_NOT_CLOSED",
                                "PAYABLE_TO_DATE NOT_YET PAYOUT_DAY_NOT_CLOSED",
                                "RELEASES_OF_THE_DAY NOT_YET PAYOUT_DAY_NOT_RELEASED"));
    }
    EXPECT_THAT(SaidAfter([](Ledgers& day) {
                    day.payout.set_state(po::PayoutDay::CLOSED);
                    day.payout.set_released_count(0);
                    day.payout.set_released_gross(0);
                    day.payment.set_cleared_count(0);
                    day.payment.set_cleared_gross(0);
                }),
                ElementsAre("PAYABLE_OF_THE_DAY AGREES", "PAYABLE_TO_DATE AGREES",
                            "RELEASES_OF_THE_DAY NOT_YET PAYOUT_DAY_NOT_RELEASED"));
    EXPECT_THAT(SaidAfter([](Ledgers& day) {
                    day.payment.set_cleared_count(1);
                    day.payment.set_cleared_gross(600);
                }),
                ElementsAre("PAYABLE_OF_THE_DAY AGREES", "PAYABLE_TO_DATE AGREES",
                            "RELEASES_OF_THE_DAY NOT_YET RELEASE_NOT_CLEARED"));
    EXPECT_EQ(WorstAfter([](Ledgers& day) { day.payment.set_cleared_count(1); }), Accord::kNotYet);
}

TEST(LedgerAgreementTest, WhatDiffersIsNamed) {
    const auto loses_one_yen = [](Ledgers& day) {
        day.payout.mutable_lines(0)->set_amount(-899);
        day.payout.mutable_lines(0)->set_closing(-5'899);
    };
    EXPECT_THAT(SaidAfter(loses_one_yen),
                ElementsAre("PAYABLE_OF_THE_DAY DIFFERS", "PAYABLE_TO_DATE DIFFERS",
                            "RELEASES_OF_THE_DAY AGREES"));
    EXPECT_THAT(
        SaidAfter([&](Ledgers& day) {
            loses_one_yen(day);
            day.payout.set_has_holds(true);
        }),
        ElementsAre("PAYABLE_OF_THE_DAY DIFFERS MERCHANTS_HELD_BACK",
                    "PAYABLE_TO_DATE DIFFERS MERCHANTS_HELD_BACK", "RELEASES_OF_THE_DAY AGREES"));
    // Of a day before: it differs there, unless it goes on.
    const auto opens_lower = [](Ledgers& day) { day.payout.mutable_lines(0)->set_closing(-5'899); };
    EXPECT_THAT(SaidAfter(opens_lower),
                ElementsAre("PAYABLE_OF_THE_DAY AGREES", "PAYABLE_TO_DATE DIFFERS",
                            "RELEASES_OF_THE_DAY AGREES"));
    EXPECT_THAT(
        SaidAfter([&](Ledgers& day) {
            opens_lower(day);
            day.payout.set_openings_closed(false);
        }),
        ElementsAre("PAYABLE_OF_THE_DAY AGREES", "PAYABLE_TO_DATE NOT_YET EARLIER_DAY_NOT_CLOSED",
                    "RELEASES_OF_THE_DAY AGREES"));
    // Cleared otherwise than released, and cleared without a release.
    EXPECT_THAT(SaidAfter([](Ledgers& day) { day.payment.set_cleared_gross(901); }),
                ElementsAre("PAYABLE_OF_THE_DAY AGREES", "PAYABLE_TO_DATE AGREES",
                            "RELEASES_OF_THE_DAY DIFFERS"));
    EXPECT_THAT(SaidAfter([](Ledgers& day) { day.payout.set_released_count(1); }),
                ElementsAre("PAYABLE_OF_THE_DAY AGREES", "PAYABLE_TO_DATE AGREES",
                            "RELEASES_OF_THE_DAY DIFFERS"));
    EXPECT_EQ(WorstAfter(loses_one_yen), Accord::kDiffers);
}

}  // namespace
}  // namespace kessai::gateway::transport
