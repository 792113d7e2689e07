// Goal: a merchant hears of its payments as the contract says, at least once, whatever fails: its
// own server, a gateway, or what a gateway knows.
// Method: consumer, store and delivery over a real MariaDB, sending to a real HTTP server; time for
// the ladder is the test's.

#include <set>
#include <thread>

#include "tests/webhook_fixture.h"

namespace kessai::gateway {
namespace {

using domain::DeliveryState;
using payment::v1::PaymentChanged;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_F(WebhookTest, AnEndpointThatWasMadeAtAnotherGatewayIsServed) {
    const auto other = MakeGateway();
    const auto gateway = MakeGateway();
    ASSERT_OK(gateway->directory.Refresh());  // before there was anything
    gateway->Start();

    const auto endpoint = PutEndpoint(*other, "new");
    const std::int64_t first = AddDelivery(*other, endpoint);
    ASSERT_EVENTUALLY(gateway->Find(endpoint.endpoint_id, first).state != DeliveryState::kPending);
    EXPECT_EQ(gateway->Find(endpoint.endpoint_id, first).state, DeliveryState::kDelivered);
}

TEST_F(WebhookTest, AGatewayThatCouldNotReadEndpointsYetGivesNothingUp) {
    const auto other = MakeGateway();
    const auto endpoint = PutEndpoint(*other, "kept");
    const std::int64_t due = AddDelivery(*other, endpoint);
    const auto gateway = MakeGateway();  // its directory was never refreshed
    gateway->Start();
    ASSERT_EVENTUALLY(gateway->Find(endpoint.endpoint_id, due).state != DeliveryState::kPending);
    EXPECT_EQ(gateway->Find(endpoint.endpoint_id, due).state, DeliveryState::kDelivered);
}

TEST_F(WebhookTest, OneUnreadableSecretHoldsUpItsOwnEndpointOnly) {
    const auto gateway = MakeGateway();
    const auto broken = PutEndpoint(*gateway, "broken");
    const auto well = PutEndpoint(*gateway, "well");
    {
        auto session = gateway->pool.Acquire(5s);
        ASSERT_OK(session.status());
        ASSERT_OK((*session)
                      ->Execute(mysql::Query{"test.break", R"sql(
                          UPDATE webhook_endpoint SET secret_box = CONCAT(secret_box, 'x')
                          WHERE endpoint_id = ?)sql"},
                                broken.endpoint_id)
                      .status());
    }
    EXPECT_OK(gateway->directory.Refresh());
    EXPECT_THAT(gateway->directory.EnabledOf(kMerchant), SizeIs(2));
    const std::int64_t waits = AddDelivery(*gateway, broken);
    const std::int64_t goes = AddDelivery(*gateway, well);
    gateway->Start();
    ASSERT_EVENTUALLY(gateway->Find(well.endpoint_id, goes).state == DeliveryState::kDelivered);
    ASSERT_EVENTUALLY(gateway->observer.Saw("SECRET_UNREADABLE"));
    EXPECT_EQ(gateway->Find(broken.endpoint_id, waits).state, DeliveryState::kPending);

    // The key that was missing is given to the gateway: nothing was lost.
    {
        auto session = gateway->pool.Acquire(5s);
        ASSERT_OK(session.status());
        ASSERT_OK((*session)
                      ->Execute(mysql::Query{"test.mend", R"sql(
                          UPDATE webhook_endpoint
                          SET secret_box = SUBSTRING(secret_box, 1, LENGTH(secret_box) - 1)
                          WHERE endpoint_id = ?)sql"},
                                broken.endpoint_id)
                      .status());
    }
    ASSERT_EVENTUALLY(gateway->Find(broken.endpoint_id, waits).state == DeliveryState::kDelivered);
}

TEST_F(WebhookTest, ADeliverySentAgainCountsOnAndKeepsItsRecord) {
    const auto gateway = MakeGateway();
    const auto endpoint = PutEndpoint(*gateway, "hook");
    ASSERT_OK(gateway->directory.Refresh());
    receiver_.Answer(500);
    const std::int64_t id = AddDelivery(*gateway, endpoint);
    gateway->Start();
    const auto run_out = [&](std::uint32_t attempts) {
        return testing::Eventually([&] {
            const auto delivery = gateway->Find(endpoint.endpoint_id, id);
            if (delivery.state == DeliveryState::kPending) clock_.Advance(1min);
            return delivery.state == DeliveryState::kDead && delivery.attempts == attempts;
        });
    };
    ASSERT_TRUE(run_out(3));
    // The ladder begins anew; the numbers of its attempts go on.
    ASSERT_OK(gateway->store.Redeliver(id, clock_.Now()).status());
    ASSERT_TRUE(run_out(6));
    receiver_.Answer(200);
    ASSERT_OK(gateway->store.Redeliver(id, clock_.Now()).status());
    ASSERT_EVENTUALLY(gateway->Find(endpoint.endpoint_id, id).state == DeliveryState::kDelivered);

    ASSERT_OK_AND_ASSIGN(const auto attempts, gateway->store.AttemptsOf(id));
    std::vector<std::pair<std::uint32_t, int>> kept;
    for (const auto& attempt : attempts) {
        kept.emplace_back(attempt.number, attempt.outcome.http_status);
    }
    EXPECT_THAT(kept, ElementsAre(std::pair(1u, 500), std::pair(2u, 500), std::pair(3u, 500),
                                  std::pair(4u, 500), std::pair(5u, 500), std::pair(6u, 500),
                                  std::pair(7u, 200)));
    EXPECT_EQ(receiver_.notices().back().attempt, "7");
}

}  // namespace
}  // namespace kessai::gateway
