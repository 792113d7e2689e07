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

}  // namespace
}  // namespace kessai::gateway
