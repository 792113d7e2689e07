#include "domain/discrepancy.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>

#include "tests/claims.h"

namespace kessai::reconciliation::domain {
namespace {

using enum DiscrepancyState;

const Instant kNow = FromMicros(1'800'000'000'000'000);

Discrepancy Given(DiscrepancyState state) {
    Discrepancy discrepancy;
    discrepancy.id = DiscrepancyId(5);
    discrepancy.finding = {.subject = {.business_date = testing::Day(),
                                       .kind = DiscrepancyKind::kAmountDiffers,
                                       .change = {PaymentId(1), 1}},
                           .merchant = MerchantId(7),
                           .payment_gross = 1'000,
                           .payout_gross = 900,
                           .evidence = "1000 against 900"};
    discrepancy.latest = FirstStep(discrepancy.finding, kNow);
    discrepancy.latest.state = state;
    discrepancy.found_at = kNow;
    return discrepancy;
}

// Goal: an operator can move a discrepancy exactly along the documented ways.
// Method: all 25 pairs of states.
TEST(DiscrepancyTest, OperatorMovesAlongTheTable) {
    const std::set<std::pair<DiscrepancyState, DiscrepancyState>> allowed{
        {kOpen, kExplained}, {kOpen, kRepairing},      {kOpen, kAccepted},
        {kExplained, kOpen}, {kExplained, kRepairing}, {kExplained, kAccepted},
        {kRepairing, kOpen}, {kRepairing, kRepaired},  {kAccepted, kOpen}};
    for (const auto from : {kOpen, kExplained, kRepairing, kRepaired, kAccepted}) {
        for (const auto to : {kOpen, kExplained, kRepairing, kRepaired, kAccepted}) {
            const auto outcome = Carry(Given(from), {to, "alice", "because"}, kNow);
            if (allowed.contains({from, to})) {
                ASSERT_TRUE(outcome.ok()) << StateName(from) << " to " << StateName(to);
                EXPECT_EQ(**outcome, (Step{2, to, "alice", "because", kNow}));
            } else {
                EXPECT_EQ(outcome.status().reason(), "STATE_NOT_ALLOWED")
                    << StateName(from) << " to " << StateName(to);
            }
        }
    }
}

// Goal: what is stored as text is text, wherever it had to be cut.
TEST(DiscrepancyTest, NotesEndWithAWholeCharacter) {
    Discrepancy discrepancy = Given(kRepaired);
    const std::string odd = std::string(kNoteBytesMax - 1, 'a') + "円";
    const std::string cut(kNoteBytesMax - 1, 'a');
    discrepancy.finding.evidence = odd;
    EXPECT_EQ(FirstStep(discrepancy.finding, kNow).note, cut);
    Finding again = discrepancy.finding;
    again.evidence = std::string(kNoteBytesMax - 14, 'a') + "円";
    const auto found = FoundAgain(discrepancy, again, kNow);
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->note, "found again: " + std::string(kNoteBytesMax - 14, 'a'));
    discrepancy.latest.state = kOpen;
    EXPECT_EQ(Gone(discrepancy, odd, kNow)->note, cut);
    EXPECT_EQ(CutText("円円", 5), "円");
    EXPECT_EQ(CutText("円円", 6), "円円");
    EXPECT_EQ(CutText("円", 2), "");
}

// Goal: an operator who lost our reply can say it again.
TEST(DiscrepancyTest, RepeatedOrderChangesNothing) {
    Discrepancy discrepancy = Given(kOpen);
    const Order order{kExplained, "alice", "the event was lost"};
    discrepancy.latest = Carry(discrepancy, order, kNow).value().value();

    EXPECT_EQ(Carry(discrepancy, order, kNow).value(), std::nullopt);
    EXPECT_EQ(Carry(discrepancy, {kExplained, "bob", order.note}, kNow).status().reason(),
              "STATE_NOT_ALLOWED");
}

TEST(DiscrepancyTest, EveryOrderNeedsAReasonAndAnActor) {
    const Discrepancy open = Given(kOpen);
    EXPECT_EQ(Carry(open, {kExplained, "alice", ""}, kNow).status().reason(), "FIELD_INVALID");
    EXPECT_EQ(Carry(open, {kExplained, "", "why"}, kNow).status().reason(), "FIELD_INVALID");
    EXPECT_TRUE(Carry(open, {kExplained, "alice", std::string(1'000, 'x')}, kNow).ok());
    EXPECT_EQ(Carry(open, {kExplained, "alice", std::string(1'001, 'x')}, kNow).status().reason(),
              "FIELD_INVALID");
}

// Goal: finding the same again adds nothing; finding it after it was repaired, or other than it was
// accepted, opens it.
TEST(DiscrepancyTest, FoundAgain) {
    const Finding same = Given(kOpen).finding;
    Finding other = same;
    other.payout_gross = 800;
    other.evidence = "1000 against 800";

    for (const auto state : {kOpen, kExplained, kRepairing, kAccepted}) {
        EXPECT_EQ(FoundAgain(Given(state), same, kNow), std::nullopt) << StateName(state);
    }
    EXPECT_EQ(FoundAgain(Given(kRepaired), same, kNow)->state, kOpen);
    EXPECT_EQ(FoundAgain(Given(kAccepted), other, kNow)->state, kOpen);
    for (const auto state : {kOpen, kExplained, kRepairing}) {
        const auto step = FoundAgain(Given(state), other, kNow);
        ASSERT_TRUE(step) << StateName(state);
        EXPECT_EQ(step->state, state);
        EXPECT_EQ(step->note, "now: 1000 against 800");
    }
    Finding one_sided = same;
    one_sided.payout_gross.reset();
    EXPECT_EQ(FoundAgain(Given(kOpen), one_sided, kNow), std::nullopt);
}

// Goal: only a look at least as deep as the one that found it shows that something is gone.
TEST(DiscrepancyTest, GoneAfterRun) {
    Discrepancy discrepancy = Given(kOpen);
    EXPECT_FALSE(GoneAfterRun(discrepancy, 3, true)) << "only the events said it";

    discrepancy.found_by_run = 2;
    EXPECT_TRUE(GoneAfterRun(discrepancy, 3, false));
    EXPECT_FALSE(GoneAfterRun(discrepancy, 2, false)) << "this run found it";

    discrepancy.found_by_deep_run = true;
    EXPECT_FALSE(GoneAfterRun(discrepancy, 3, false));
    EXPECT_TRUE(GoneAfterRun(discrepancy, 3, true));

    for (const auto state : {kRepaired, kAccepted}) {
        discrepancy.latest.state = state;
        EXPECT_FALSE(GoneAfterRun(discrepancy, 3, true));
        EXPECT_EQ(Gone(discrepancy, "run 3 did not find it", kNow), std::nullopt);
    }
    discrepancy.latest.state = kRepairing;
    EXPECT_EQ(*Gone(discrepancy, "run 3 did not find it", kNow),
              (Step{2, kRepaired, "reconciliation", "run 3 did not find it", kNow}));
}

// Goal: a history never runs backwards, though replicas' clocks differ.
TEST(DiscrepancyTest, StepsAreNeverDatedBeforeTheOneTheyFollow) {
    const auto step =
        Carry(Given(kOpen), {kExplained, "alice", "why"}, kNow - std::chrono::hours(1));
    EXPECT_EQ((*step)->at, kNow);
}

// Goal: whatever happens to a discrepancy, its history is numbered without a gap and its state is
// that of its last step.
// Method: random walks of orders, findings and disappearances.
TEST(DiscrepancyTest, HistoriesHaveNoGaps) {
    const auto seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    for (int walk = 0; walk < 2'000; ++walk) {
        Discrepancy discrepancy = Given(kOpen);
        for (int event = 0; event < 50; ++event) {
            const Instant now = kNow + std::chrono::seconds(random() % 100);
            std::optional<Step> step;
            switch (random() % 3) {
                case 0: {
                    const auto to = static_cast<DiscrepancyState>(1 + random() % 5);
                    step = Carry(discrepancy, {to, "alice", std::to_string(random() % 3)}, now)
                               .value_or(std::nullopt);
                    break;
                }
                case 1: {
                    Finding finding = discrepancy.finding;
                    finding.payout_gross = static_cast<std::int64_t>(random() % 3);
                    step = FoundAgain(discrepancy, finding, now);
                    if (step) discrepancy.finding = finding;
                    break;
                }
                default:
                    step = Gone(discrepancy, "gone", now);
            }
            if (!step) continue;
            ASSERT_EQ(step->number, discrepancy.latest.number + 1);
            ASSERT_GE(step->at, discrepancy.latest.at);
            ASSERT_FALSE(step->actor.empty());
            discrepancy.latest = *step;
        }
    }
}

TEST(DiscrepancyTest, EveryKindAndStateHasAName) {
    std::set<std::string_view> names;
    const auto kinds = DiscrepancyKinds();
    for (const DiscrepancyKind kind : kinds) names.insert(KindName(kind));
    EXPECT_EQ(names.size(), kinds.size());
    EXPECT_FALSE(names.contains("UNKNOWN"));
    EXPECT_EQ(static_cast<int>(kinds.back()), kDiscrepancyKinds);
    EXPECT_TRUE(names.contains("RELEASE_EVENT_MISSING"));
}

}  // namespace
}  // namespace kessai::reconciliation::domain
