// Goal: a merchant hears of each of its files once an endpoint, with a link that is good when it
// comes, however late that is. Method: events of reconciliation through consumer, store and
// delivery over a real MariaDB, sent to a real HTTP server; time is the test's.

#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "domain/sha256.h"
#include "kessai/reconciliation/v1/reconciliation_event.pb.h"
#include "tests/webhook_fixture.h"

namespace kessai::gateway {
namespace {

namespace rc = reconciliation::v1;
using domain::DeliveryState;
using nlohmann::json;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

class FileWebhookTest : public WebhookTest {
 protected:
    static constexpr std::int64_t kFile = 7'000'000'001;

    rc::FileCreated Created(std::int64_t file_id = kFile, std::uint32_t announcement = 1) const {
        rc::FileCreated created;
        rc::File& file = *created.mutable_file();
        file.set_file_id(file_id);
        file.set_merchant_id(kMerchant);
        file.set_name("取引_501.csv");
        file.set_template_name("instant");
        file.set_business_date(20261129);
        file.set_version(1);
        file.set_part(1);
        file.set_bytes(300'007);
        file.set_sha256(domain::Sha256::Of("content"));
        created.set_announcement(announcement);
        return created;
    }
    event::Envelope FileEvent(const rc::FileCreated& created) const {
        const std::string payload = created.SerializeAsString();
        const event::Fields fields{
            .type = "kessai.reconciliation.v1.FileCreated",
            .object_id = created.file().file_id(),
            .version = created.announcement(),
            .event_id = created.file().file_id() * 100 + created.announcement(),
            .business_date = BusinessDate::FromNumber(20261129).value(),
            .occurred_at = made_at_,
            .payload = payload};
        return event::Open(event::Seal(fields).value()).value();
    }
    /// The link's query by name.
    static std::string ValueOf(const std::string& url, const std::string& name) {
        const std::size_t at = url.find(name + "=") + name.size() + 1;
        return url.substr(at, url.find('&', at) - at);
    }
    Result<domain::FileLink> Check(WebhookGateway& gateway, const std::string& url, Instant now) {
        return gateway.links.Check(kFile, ValueOf(url, "merchant"), ValueOf(url, "expires"),
                                   ValueOf(url, "signature"), now);
    }

    const Instant made_at_ = FromMicros(ToMicros(clock_.Now()));
};

TEST_F(FileWebhookTest, EachEndpointIsToldWithALinkThatOpensTheFile) {
    const auto gateway = MakeGateway();
    PutEndpoint(*gateway, "one");
    PutEndpoint(*gateway, "two");
    PutEndpoint(*gateway, "off", receiver_.Url("off"), false);
    PutEndpoint(*gateway, "stranger", receiver_.Url("stranger"), true, 777);
    ASSERT_OK(gateway->directory.Refresh());
    EXPECT_THAT(gateway->HearOfFiles({FileEvent(Created())}), IsEmpty());
    gateway->Start();
    ASSERT_EVENTUALLY(receiver_.count() == 2);

    std::set<std::string> names, ids;
    for (const auto& notice : receiver_.notices()) {
        names.insert(notice.name);
        const json body = json::parse(notice.body);
        EXPECT_EQ(body["notification_type"], "file.created");
        EXPECT_EQ(body["fileType"], "transaction_recon");
        EXPECT_EQ(body["requestedAt"], std::to_string(ToMicros(made_at_) / 1'000'000));
        EXPECT_EQ(body["merchant_id"], "501");
        EXPECT_EQ(body["file_id"], "7000000001");
        EXPECT_EQ(body["file_name"], "取引_501.csv");
        EXPECT_EQ(body["business_date"], "2026-11-29");
        EXPECT_EQ(body["bytes"], 300'007);
        EXPECT_EQ(body["sha256"], domain::ToHex(domain::Sha256::Of("content")));
        EXPECT_THAT(body["notification_id"].get<std::string>(),
                    ::testing::MatchesRegex(
                        "[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
        ids.insert(body["notification_id"]);
        const std::string url = body["path"];
        EXPECT_THAT(url, StartsWith("https://api.example/v2/files/7000000001/content?"));
        const auto link = Check(*gateway, url, clock_.Now());
        ASSERT_THAT(link, testing::IsOk());
        EXPECT_EQ(link->merchant_id, kMerchant);
        EXPECT_GT(link->expires_at, clock_.Now() + 110min);
        EXPECT_EQ(body["expires_at"], FormatUtc(link->expires_at));
        // What is signed is what is sent.
        const std::string timestamp = notice.signature.substr(2, notice.signature.find(',') - 2);
        EXPECT_EQ(notice.signature,
                  domain::SignWebhook("whsec_" + notice.name, std::stoll(timestamp), notice.body));
    }
    EXPECT_EQ(names, (std::set<std::string>{"one", "two"}));
    EXPECT_THAT(ids, SizeIs(1));
}

TEST_F(FileWebhookTest, ARepeatIsToldOnceAndAnotherContentIsRejected) {
    const auto gateway = MakeGateway();
    const auto endpoint = PutEndpoint(*gateway, "one");
    ASSERT_OK(gateway->directory.Refresh());
    EXPECT_THAT(gateway->HearOfFiles({FileEvent(Created())}), IsEmpty());
    EXPECT_THAT(gateway->HearOfFiles({FileEvent(Created())}), IsEmpty());
    EXPECT_EQ(gateway->Count(endpoint.endpoint_id, DeliveryState::kPending), 1);
    rc::FileCreated other = Created();
    other.mutable_file()->set_rows(9);
    const auto rejected = gateway->HearOfFiles({FileEvent(other)});
    ASSERT_EQ(rejected.size(), 1);
    EXPECT_EQ(rejected.at(0).reason(), "EFFECT_CONFLICT");
    // Announced again, it is told again.
    EXPECT_THAT(gateway->HearOfFiles({FileEvent(Created(kFile, 2))}), IsEmpty());
    EXPECT_EQ(gateway->Count(endpoint.endpoint_id, DeliveryState::kPending), 2);
}

TEST_F(FileWebhookTest, AFileAndAPaymentOfOneNumberAreTwoThings) {
    const auto gateway = MakeGateway();
    const auto endpoint = PutEndpoint(*gateway, "one");
    ASSERT_OK(gateway->directory.Refresh());
    EXPECT_THAT(gateway->Hear({Event(Change(kFile))}), IsEmpty());
    EXPECT_THAT(gateway->HearOfFiles({FileEvent(Created())}), IsEmpty());
    EXPECT_EQ(gateway->Count(endpoint.endpoint_id, DeliveryState::kPending), 2);
}

TEST_F(FileWebhookTest, WhatIsNoFileIsRejectedAndOtherEventsPassBy) {
    const auto gateway = MakeGateway();
    PutEndpoint(*gateway, "one");
    ASSERT_OK(gateway->directory.Refresh());
    const auto reason_of = [&](const event::Envelope& event) {
        const auto rejected = gateway->HearOfFiles({event});
        return rejected.empty() ? std::string() : std::string(rejected.at(0).reason());
    };
    event::Envelope garbled = FileEvent(Created());
    garbled.payload = "\xff\xff";
    EXPECT_EQ(reason_of(garbled), "PAYLOAD_MALFORMED");
    event::Envelope another = FileEvent(Created());
    another.object_id = 5;
    EXPECT_EQ(reason_of(another), "PAYLOAD_MALFORMED");
    rc::FileCreated without_hash = Created();
    without_hash.mutable_file()->clear_sha256();
    EXPECT_EQ(reason_of(FileEvent(without_hash)), "PAYLOAD_MALFORMED");
    event::Envelope discrepancy = FileEvent(Created());
    discrepancy.type = "kessai.reconciliation.v1.DiscrepancyChanged";
    EXPECT_EQ(reason_of(discrepancy), "");
    EXPECT_EQ(reason_of(FileEvent(Created())), "");
}

TEST_F(FileWebhookTest, ALateAttemptHasAFreshLink) {
    const auto gateway = MakeGateway();
    const auto endpoint = PutEndpoint(*gateway, "one");
    ASSERT_OK(gateway->directory.Refresh());
    receiver_.Answer(500);
    EXPECT_THAT(gateway->HearOfFiles({FileEvent(Created())}), IsEmpty());
    gateway->Start();
    ASSERT_EVENTUALLY(receiver_.count() == 1);
    const std::string first = json::parse(receiver_.notices().at(0).body)["path"];
    receiver_.Answer(200);
    clock_.Advance(3h);
    ASSERT_EVENTUALLY(receiver_.count() == 2);
    const std::string second = json::parse(receiver_.notices().at(1).body)["path"];
    EXPECT_THAT(Check(*gateway, first, clock_.Now()),
                testing::Refuses(Code::kFailedPrecondition, domain::reason::kFileLinkExpired));
    EXPECT_THAT(Check(*gateway, second, clock_.Now()), testing::IsOk());
    ASSERT_EVENTUALLY(gateway->Count(endpoint.endpoint_id, DeliveryState::kDelivered) == 1);
}

TEST_F(FileWebhookTest, SentAgainAfterAWeekItHasNoLink) {
    const auto gateway = MakeGateway();
    const auto endpoint = PutEndpoint(*gateway, "one");
    ASSERT_OK(gateway->directory.Refresh());
    EXPECT_THAT(gateway->HearOfFiles({FileEvent(Created())}), IsEmpty());
    gateway->Start();
    ASSERT_EVENTUALLY(gateway->Count(endpoint.endpoint_id, DeliveryState::kDelivered) == 1);
    const auto delivered = gateway->store.ListDeliveries(endpoint.endpoint_id, std::nullopt, 0, 1);
    ASSERT_OK(delivered.status());
    clock_.Advance(6 * 24h);
    ASSERT_OK(gateway->store.Redeliver(delivered->at(0).delivery_id, clock_.Now()).status());
    gateway->deliver.Wake();
    ASSERT_EVENTUALLY(receiver_.count() == 2);
    EXPECT_THAT(Check(*gateway, json::parse(receiver_.notices().at(1).body)["path"], clock_.Now()),
                testing::IsOk());
    ASSERT_EVENTUALLY(gateway->Count(endpoint.endpoint_id, DeliveryState::kDelivered) == 1);
    clock_.Advance(2 * 24h);
    ASSERT_OK(gateway->store.Redeliver(delivered->at(0).delivery_id, clock_.Now()).status());
    gateway->deliver.Wake();
    ASSERT_EVENTUALLY(receiver_.count() == 3);
    const json last = json::parse(receiver_.notices().at(2).body);
    EXPECT_TRUE(last["path"].is_null());
    EXPECT_TRUE(last["expires_at"].is_null());
    EXPECT_EQ(last["file_id"], "7000000001");
}

TEST_F(FileWebhookTest, AFileOfLongAgoIsNotTold) {
    const auto gateway = MakeGateway();
    const auto endpoint = PutEndpoint(*gateway, "one");
    ASSERT_OK(gateway->directory.Refresh());
    clock_.Advance(8 * 24h);
    EXPECT_THAT(gateway->HearOfFiles({FileEvent(Created())}), IsEmpty());
    EXPECT_EQ(gateway->Count(endpoint.endpoint_id, DeliveryState::kPending), 0);
}

}  // namespace
}  // namespace kessai::gateway
