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

TEST_F(WebhookTest, AChangeIsToldAsTheContractSays) {
    const auto gateway = MakeGateway();
    const auto endpoint = PutEndpoint(*gateway, "hook");
    ASSERT_OK(gateway->directory.Refresh());
    gateway->Start();
    // What a change is told as; those not in the table are not told of.
    const std::string accepted = R"("2023-11-14T22:13:20Z")";
    const struct {
        PaymentChanged::Kind kind;
        std::string state, authorized_at, paid_at;
    } told[] = {{PaymentChanged::COMPLETED, "COMPLETED", "null", accepted},
                {PaymentChanged::AUTHORIZED, "AUTHORIZED", accepted, "null"},
                {PaymentChanged::CAPTURED, "COMPLETED", "null", accepted},
                {PaymentChanged::REVERTED, "CANCELED", "null", "null"},
                {PaymentChanged::EXPIRED, "EXPIRED", "null", "null"}};
    std::vector<event::Envelope> events;
    std::map<std::string, std::string> expected;  // by order
    std::int64_t payment = 7'000;
    for (const auto& line : told) {
        const std::string id = std::to_string(++payment);
        events.push_back(Event(Change(payment, line.kind)));
        expected["order-" + id] =
            R"({"notification_type":"Transaction","merchant_id":"501","store_id":"s-1",)"
            R"("pos_id":"t-1","order_id":")" +
            id + R"(","merchant_order_id":"order-)" + id + R"(","authorized_at":)" +
            line.authorized_at + R"(,"expires_at":null,"paid_at":)" + line.paid_at +
            R"(,"order_amount":"1200","state":")" + line.state + R"("})";
    }
    for (const auto kind : {PaymentChanged::CANCELED, PaymentChanged::REFUNDED}) {
        events.push_back(Event(Change(++payment, kind)));
    }
    EXPECT_THAT(gateway->Hear(events), IsEmpty());
    ASSERT_EVENTUALLY(gateway->Count(endpoint.endpoint_id, DeliveryState::kDelivered) ==
                      expected.size());
    EXPECT_EQ(gateway->Count(endpoint.endpoint_id, DeliveryState::kPending), 0u);

    std::map<std::string, std::string> bodies;
    for (const Receiver::Notice& notice : receiver_.notices()) {
        const auto at = notice.body.find("order-");
        ASSERT_NE(at, std::string::npos) << notice.body;
        bodies[notice.body.substr(at, notice.body.find('"', at) - at)] = notice.body;
        EXPECT_EQ(notice.content_type, "application/json");
        EXPECT_EQ(notice.attempt, "1");
        const std::int64_t signed_at_s = std::stoll(notice.signature.substr(2));
        EXPECT_NEAR(static_cast<double>(signed_at_s),
                    static_cast<double>(ToMicros(clock_.Now()) / 1'000'000), 60);
        EXPECT_EQ(notice.signature, domain::SignWebhook("whsec_hook", signed_at_s, notice.body));
    }
    EXPECT_EQ(bodies, expected);
    EXPECT_EQ(receiver_.count(), expected.size());
}

TEST_F(WebhookTest, AmountsAreNumbersWhereThatIsConfigured) {
    options_.order_amount_as_text = false;
    const auto gateway = MakeGateway();
    PutEndpoint(*gateway, "hook");
    ASSERT_OK(gateway->directory.Refresh());
    gateway->Start();
    EXPECT_THAT(gateway->Hear({Event(Change(7'001))}), IsEmpty());
    ASSERT_EVENTUALLY(receiver_.count() == 1);
    EXPECT_THAT(receiver_.notices()[0].body, HasSubstr(R"("order_amount":1200,)"));
}

TEST_F(WebhookTest, EachEndpointHearsOfAChangeOnce) {
    const auto gateway = MakeGateway();
    const auto one = PutEndpoint(*gateway, "one");
    const auto two = PutEndpoint(*gateway, "two");
    const auto off = PutEndpoint(*gateway, "off", receiver_.Url("off"), false);
    const auto foreign = PutEndpoint(*gateway, "foreign", receiver_.Url("foreign"), true, 502);
    // Before all endpoints were read nothing is applied: nobody would be told.
    {
        inbox::Rejections rejections;
        auto session = gateway->pool.Acquire(5s);
        ASSERT_OK(session.status());
        EXPECT_THAT(gateway->consumer.Apply(**session, {"payment.events.v1", 0, {}}, rejections),
                    testing::Refuses(Code::kUnavailable, "ENDPOINTS_NOT_LOADED"));
    }
    ASSERT_OK(gateway->directory.Refresh());

    const auto event = Event(Change(7'001));
    const auto later = Event(Change(7'001, PaymentChanged::CAPTURED), 2);
    EXPECT_THAT(gateway->Hear({event}), IsEmpty());
    EXPECT_THAT(gateway->Hear({event, later}), IsEmpty());  // the topic holds it twice
    // Another content under the same key is reported, and nothing else of its batch is done.
    auto forged = Change(7'001);
    forged.set_order_amount(1);
    const auto rejected = gateway->Hear({Event(Change(7'002)), Event(forged)});
    ASSERT_THAT(rejected, SizeIs(1));
    EXPECT_THAT(rejected.at(1), testing::Refuses(Code::kAlreadyExists, "EFFECT_CONFLICT"));
    // What is no change of its object is rejected by its index.
    auto strange = Event(Change(7'003));
    strange.payload = "no message";
    const auto malformed = gateway->Hear({strange});
    ASSERT_THAT(malformed, SizeIs(1));
    EXPECT_THAT(malformed.at(0), testing::Refuses(Code::kInvalidArgument, "PAYLOAD_MALFORMED"));

    for (const auto& endpoint : {one, two}) {
        EXPECT_EQ(gateway->Count(endpoint.endpoint_id, DeliveryState::kPending), 2u);
    }
    for (const auto& endpoint : {off, foreign}) {
        EXPECT_EQ(gateway->Count(endpoint.endpoint_id, DeliveryState::kPending), 0u);
    }
}

TEST_F(WebhookTest, WhatFailsComesBackByItsLadder) {
    const auto gateway = MakeGateway();
    const auto endpoint = PutEndpoint(*gateway, "hook");
    receiver_.Answer(503);
    std::vector<std::int64_t> ids;
    for (int i = 0; i < 20; ++i) ids.push_back(AddDelivery(*gateway, endpoint));
    const Instant start = clock_.Now();
    gateway->Start();
    const auto made = [&](std::uint32_t attempts) {
        return testing::Eventually([&] {
            return std::all_of(ids.begin(), ids.end(), [&](std::int64_t id) {
                return gateway->Find(endpoint.endpoint_id, id).attempts == attempts;
            });
        });
    };
    ASSERT_TRUE(made(1));
    const Instant end = clock_.Now();
    std::set<std::int64_t> waits_us;
    for (const std::int64_t id : ids) {
        const auto delivery = gateway->Find(endpoint.endpoint_id, id);
        EXPECT_EQ(delivery.state, DeliveryState::kPending);
        EXPECT_EQ(delivery.last_http_status, 503);
        EXPECT_EQ(delivery.last_error, "answered 503");
        // A quarter of the wait is by chance.
        EXPECT_GE(delivery.next_attempt_at, start + 7500ms);
        EXPECT_LE(delivery.next_attempt_at, end + 10s);
        ASSERT_OK_AND_ASSIGN(const auto attempts, gateway->store.AttemptsOf(id));
        ASSERT_THAT(attempts, SizeIs(1));
        const Instant over = attempts[0].outcome.started_at + attempts[0].outcome.took;
        waits_us.insert((delivery.next_attempt_at - over) / 100ms);
    }
    EXPECT_GT(waits_us.size(), 5u);
    clock_.Advance(10s);
    ASSERT_TRUE(made(2));
    EXPECT_EQ(gateway->Count(endpoint.endpoint_id, DeliveryState::kPending), ids.size());
    clock_.Advance(60s);
    ASSERT_TRUE(made(3));
    EXPECT_EQ(gateway->Count(endpoint.endpoint_id, DeliveryState::kDead), ids.size());
    clock_.Advance(1h);
    EXPECT_EQ(receiver_.count(), 3 * ids.size());
}

TEST_F(WebhookTest, ADisabledOrDeletedEndpointIsGivenUp) {
    const auto gateway = MakeGateway();
    const auto disabled = PutEndpoint(*gateway, "off", receiver_.Url("off"), false);
    const auto deleted = PutEndpoint(*gateway, "gone");
    const std::int64_t first = AddDelivery(*gateway, disabled);
    const std::int64_t second = AddDelivery(*gateway, deleted);
    ASSERT_OK(gateway->store.DeleteEndpoint(kMerchant, "gone", clock_.Now()));
    EXPECT_EQ(gateway->Find(deleted.endpoint_id, second).state, DeliveryState::kDead);
    // A gateway that had not heard of it yet can add one still.
    const std::int64_t third = AddDelivery(*gateway, deleted);
    gateway->Start();
    ASSERT_EVENTUALLY(gateway->Find(disabled.endpoint_id, first).state == DeliveryState::kDead);
    ASSERT_EVENTUALLY(gateway->Find(deleted.endpoint_id, third).state == DeliveryState::kDead);
    EXPECT_THAT(gateway->Find(disabled.endpoint_id, first).last_error, HasSubstr("disabled"));

    PutEndpoint(*gateway, "off");
    ASSERT_OK(gateway->store.Redeliver(first, clock_.Now()).status());
    ASSERT_EVENTUALLY(gateway->Find(disabled.endpoint_id, first).state ==
                      DeliveryState::kDelivered);
    EXPECT_EQ(receiver_.count(), 1u);
}

TEST_F(WebhookTest, TwoGatewaysSendEachOnce) {
    constexpr std::size_t kCount = 150;
    const auto one = MakeGateway();
    const auto two = MakeGateway();
    const auto endpoint = PutEndpoint(*one, "hook");
    for (std::size_t i = 0; i < kCount; ++i) AddDelivery(*one, endpoint);
    one->Start();
    two->Start();
    ASSERT_EVENTUALLY(one->Count(endpoint.endpoint_id, DeliveryState::kDelivered) == kCount);
    std::set<std::int64_t> told;
    for (const auto& notice : receiver_.notices()) told.insert(notice.delivery_id);
    EXPECT_EQ(told.size(), kCount);
    EXPECT_EQ(receiver_.count(), kCount);
}

TEST_F(WebhookTest, TwoClaimsShareNothing) {
    const auto one = MakeGateway();
    const auto two = MakeGateway();
    const auto endpoint = PutEndpoint(*one, "hook");
    for (int round = 0; round < 20; ++round) {
        for (int i = 0; i < 8; ++i) AddDelivery(*one, endpoint);
        const Instant now = clock_.Now();
        const auto claim = [&](WebhookGateway& gateway, Duration own) {
            auto claimed = gateway.store.Claim(endpoint.endpoint_id, 100, now, now + 1h + own);
            EXPECT_OK(claimed.status());
            return claimed.ok() ? claimed->deliveries : std::vector<domain::WebhookDelivery>();
        };
        std::vector<domain::WebhookDelivery> first;
        std::thread other([&] { first = claim(*one, 1us); });
        std::vector<domain::WebhookDelivery> all = claim(*two, 2us);
        other.join();
        all.insert(all.end(), first.begin(), first.end());
        std::set<std::int64_t> ids;
        for (const auto& delivery : all) ids.insert(delivery.delivery_id);
        EXPECT_EQ(all.size(), 8u);
        EXPECT_EQ(ids.size(), 8u);
    }
}

// Goal: what one claim takes of many endpoints is each endpoint's own, and no one's twice.
TEST_F(WebhookTest, ClaimsOfManyEndpointsShareNothing) {
    const auto one = MakeGateway();
    const auto two = MakeGateway();
    std::vector<app::ClaimWish> wishes;
    std::map<std::int64_t, std::set<std::int64_t>> added;
    for (int i = 0; i < 30; ++i) {
        const auto endpoint = PutEndpoint(*one, "hook-" + std::to_string(i));
        wishes.push_back({endpoint.endpoint_id, 2});
        for (int j = 0; j < 1 + i % 3; ++j) {
            added[endpoint.endpoint_id].insert(AddDelivery(*one, endpoint));
        }
    }
    // One was deleted, of one nobody can read the secret any more.
    const std::int64_t deleted = wishes[3].endpoint_id;
    const std::int64_t unreadable = wishes[6].endpoint_id;
    ASSERT_OK(one->store.DeleteEndpoint(kMerchant, "hook-3", clock_.Now()));
    {
        auto session = one->pool.Acquire(5s);
        ASSERT_OK(session.status());
        ASSERT_OK((*session)
                      ->Execute(mysql::Query{"test.break", R"sql(
                          UPDATE webhook_endpoint SET secret_box = CONCAT(secret_box, 'x')
                          WHERE endpoint_id = ?)sql"},
                                unreadable)
                      .status());
    }
    const Instant now = clock_.Now();
    std::map<std::int64_t, std::set<std::int64_t>> claimed;
    std::mutex mutex;
    const auto claim = [&](WebhookGateway& gateway, Duration own) {
        const auto taken = gateway.store.ClaimOfMany(wishes, now, now + 1h + own);
        ASSERT_OK(taken.status());
        const std::lock_guard lock(mutex);
        for (const app::ClaimedDeliveries& part : *taken) {
            ASSERT_THAT(part.deliveries, ::testing::Not(::testing::IsEmpty()));
            EXPECT_LE(part.deliveries.size(), 2u);
            for (const auto& delivery : part.deliveries) {
                EXPECT_EQ(delivery.endpoint_id, part.endpoint.endpoint_id);
                EXPECT_TRUE(claimed[delivery.endpoint_id].insert(delivery.delivery_id).second);
            }
            EXPECT_EQ(part.endpoint.secret, "whsec_" + part.endpoint.name);
        }
    };
    std::thread other([&] { claim(*one, 1us); });
    claim(*two, 2us);
    other.join();
    // Again, for those of which two were not all.
    claim(*one, 3us);
    EXPECT_FALSE(claimed.contains(deleted)) << "its deliveries were given up";
    EXPECT_FALSE(claimed.contains(unreadable));
    added.erase(deleted);
    added.erase(unreadable);
    EXPECT_EQ(claimed, added);
    EXPECT_THAT(one->store.Claim(unreadable, 1, now, now + 1h),
                testing::Refuses(Code::kDataLoss, "SECRET_UNREADABLE"));
}

// Goal: many endpoints with a delivery or some each, and one with more than fit, are all served.
TEST_F(WebhookTest, ManyEndpointsAreServed) {
    const auto gateway = MakeGateway();
    std::map<std::int64_t, std::size_t> expected;
    for (int i = 0; i < 250; ++i) {
        const auto endpoint = PutEndpoint(*gateway, "hook-" + std::to_string(i));
        const int count = i == 7 ? 60 : 1 + i % 2;
        for (int j = 0; j < count; ++j) AddDelivery(*gateway, endpoint);
        expected[endpoint.endpoint_id] = static_cast<std::size_t>(count);
    }
    gateway->Start();
    std::size_t all = 0;
    for (const auto& [endpoint, count] : expected) all += count;
    ASSERT_EVENTUALLY(receiver_.count() == all);
    for (const auto& [endpoint, count] : expected) {
        ASSERT_EVENTUALLY(gateway->Count(endpoint, DeliveryState::kDelivered) == count);
    }
    EXPECT_EQ(receiver_.count(), all);
}

TEST_F(WebhookTest, WhatAGatewayHeldWhenItDiedIsSentByAnother) {
    const auto dead = MakeGateway();
    const auto endpoint = PutEndpoint(*dead, "hook");
    const std::int64_t held = AddDelivery(*dead, endpoint);
    const Instant now = clock_.Now();
    ASSERT_OK_AND_ASSIGN(const auto claim,
                         dead->store.Claim(endpoint.endpoint_id, 10, now, now + 15s));
    ASSERT_THAT(claim.deliveries, SizeIs(1));
    EXPECT_EQ(claim.endpoint.secret, "whsec_hook");

    const auto gateway = MakeGateway();
    const std::int64_t free = AddDelivery(*gateway, endpoint);
    gateway->Start();
    ASSERT_EVENTUALLY(gateway->Find(endpoint.endpoint_id, free).state == DeliveryState::kDelivered);
    EXPECT_EQ(gateway->Find(endpoint.endpoint_id, held).state, DeliveryState::kPending);
    clock_.Advance(15s);
    ASSERT_EVENTUALLY(gateway->Find(endpoint.endpoint_id, held).state == DeliveryState::kDelivered);

    // The one that was thought dead comes late with its own record: the first stands.
    app::AttemptRecord late;
    late.delivery = claim.deliveries[0];
    late.state = DeliveryState::kDead;
    late.outcome.error = "late";
    ASSERT_OK(dead->store.Record(std::vector{late}));
    EXPECT_EQ(gateway->Find(endpoint.endpoint_id, held).state, DeliveryState::kDelivered);
    ASSERT_OK_AND_ASSIGN(const auto attempts, gateway->store.AttemptsOf(held));
    ASSERT_THAT(attempts, SizeIs(1));
    EXPECT_EQ(attempts[0].outcome.http_status, 200);
}

TEST_F(WebhookTest, AnEndpointThatHangsDelaysNobodyElseAndAStopWaitsForIt) {
    options_.delivery.in_flight_max = 12;
    options_.delivery.attempt_timeout = 20s;
    auto gateway = MakeGateway();
    const auto slow = PutEndpoint(*gateway, "slow");
    const auto quick = PutEndpoint(*gateway, "quick");
    receiver_.Hold("slow");
    for (int i = 0; i < 20; ++i) AddDelivery(*gateway, slow);
    gateway->Start();
    ASSERT_EVENTUALLY(receiver_.count() == 8);  // its share
    for (int i = 0; i < 20; ++i) AddDelivery(*gateway, quick);
    ASSERT_EVENTUALLY(gateway->Count(quick.endpoint_id, DeliveryState::kDelivered) == 20);
    EXPECT_EQ(gateway->Count(slow.endpoint_id, DeliveryState::kDelivered), 0u);

    std::thread stopped([&] { gateway->Stop(); });
    receiver_.Hold({});
    stopped.join();
    // What was under way is recorded, nothing else was begun; the next start sends the rest.
    EXPECT_EQ(gateway->Count(slow.endpoint_id, DeliveryState::kDelivered), receiver_.count() - 20);
    gateway = MakeGateway();
    gateway->Start();
    ASSERT_EVENTUALLY(gateway->Count(slow.endpoint_id, DeliveryState::kDelivered) == 20);
    EXPECT_EQ(receiver_.count(), 40u);
}

TEST_F(WebhookTest, PrivateAddressesAreRefusedWhenConnecting) {
    options_.allow_private_addresses = false;
    const auto gateway = MakeGateway();
    const auto literal = PutEndpoint(*gateway, "literal");
    const auto name = PutEndpoint(*gateway, "name", receiver_.Url("name", "localhost"));
    const std::int64_t first = AddDelivery(*gateway, literal);
    const std::int64_t second = AddDelivery(*gateway, name);
    gateway->Start();
    for (const auto& [endpoint, id] : {std::pair(literal, first), std::pair(name, second)}) {
        ASSERT_EVENTUALLY(gateway->Find(endpoint.endpoint_id, id).attempts == 1);
        const auto delivery = gateway->Find(endpoint.endpoint_id, id);
        EXPECT_EQ(delivery.state, DeliveryState::kPending);
        EXPECT_EQ(delivery.last_http_status, 0);
        EXPECT_THAT(delivery.last_error, HasSubstr("ADDRESS_REFUSED"));
    }
    EXPECT_EQ(receiver_.count(), 0u);
}

TEST_F(WebhookTest, RedirectsAreNotFollowed) {
    const auto gateway = MakeGateway();
    const auto endpoint = PutEndpoint(*gateway, "hook");
    receiver_.Answer(307);
    const std::int64_t id = AddDelivery(*gateway, endpoint);
    gateway->Start();
    ASSERT_EVENTUALLY(gateway->Find(endpoint.endpoint_id, id).attempts == 1);
    EXPECT_EQ(gateway->Find(endpoint.endpoint_id, id).last_error, "answered 307");
    EXPECT_EQ(receiver_.count(), 1u);
}

}  // namespace
}  // namespace kessai::gateway
