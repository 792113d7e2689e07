// Goal: what an operator writes of a plan is what payout gets, and what is written wrongly is
// refused by the name of its field. Method: bodies as text, read as the handlers read them.

#include "transport/fee_plan_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "kessai/http/message.h"
#include "kessai/testing/matchers.h"

namespace kessai::gateway::transport {
namespace {

using kessai::payment::v1::MethodAmount;

/// A body as the server hands it on, and what is read of it.
class Body {
 public:
    explicit Body(const std::string& text)
        : size_(text.size()), padded_(text + std::string(http::Request::kBodyPaddingBytes, '\0')) {}

    JsonFields Fields() const {
        return JsonFields(ParseJsonObject(std::string_view(padded_).substr(0, size_)).value());
    }

 private:
    std::size_t size_;
    std::string padded_;
};

TEST(FeePlanJsonTest, ReadsTiersAndRules) {
    const Body body(R"({"shared": true, "currency": "JPY", "rateBasisPoints": 198, "fixed": 3,
        "effectiveFrom": "2027-01-01",
        "tiers": [{"volumeFrom": 1000000, "rateBasisPoints": 150, "minimum": 1}],
        "rules": [{"method": "CREDIT_CARD", "rateBasisPoints": 324},
                  {"storeId": "shop-1", "fromDate": "2027-02-01", "toDate": "2027-02-28",
                   "rateBasisPoints": 100, "tiers": [{"volumeFrom": 5, "rateBasisPoints": 0}]},
                  {"firstDays": 90, "rateBasisPoints": 0}]})");
    JsonFields fields = body.Fields();
    const payout::v1::FeePlan plan = ReadFeePlan(fields);
    ASSERT_OK(fields.status());
    EXPECT_TRUE(plan.shared());
    EXPECT_EQ(plan.merchant_id(), 0);
    EXPECT_EQ(plan.rate_basis_points(), 198u);
    EXPECT_EQ(plan.fixed(), 3);
    EXPECT_EQ(plan.effective_from(), 20270101);
    ASSERT_EQ(plan.tiers().tiers_size(), 1);
    EXPECT_EQ(plan.tiers().tiers(0).volume_from(), 1'000'000);
    EXPECT_EQ(plan.tiers().tiers(0).terms().minimum(), 1);
    ASSERT_EQ(plan.rules_size(), 3);
    EXPECT_EQ(plan.rules(0).method(), MethodAmount::CREDIT_CARD);
    EXPECT_EQ(plan.rules(0).terms().rate_basis_points(), 324u);
    EXPECT_FALSE(plan.rules(0).has_tiers());
    EXPECT_EQ(plan.rules(1).store_id(), "shop-1");
    EXPECT_EQ(plan.rules(1).from_date(), 20270201);
    EXPECT_EQ(plan.rules(1).to_date(), 20270228);
    EXPECT_EQ(plan.rules(1).tiers().tiers_size(), 1);
    EXPECT_EQ(plan.rules(2).first_days(), 90u);
}

TEST(FeePlanJsonTest, EmptyTiersAreToldApartFromNone) {
    const Body body(R"({"currency": "JPY", "rateBasisPoints": 198, "tiers": []})");
    JsonFields fields = body.Fields();
    const payout::v1::FeePlan plan = ReadFeePlan(fields);
    ASSERT_OK(fields.status());
    EXPECT_TRUE(plan.has_tiers());
    EXPECT_EQ(plan.tiers().tiers_size(), 0);
}

TEST(FeePlanJsonTest, WrongFieldsAreRefusedByName) {
    const auto reason = [](const std::string& more) {
        const Body body(R"({"currency": "JPY", "rateBasisPoints": 198, )" + more + "}");
        JsonFields fields = body.Fields();
        (void)ReadFeePlan(fields);
        return std::string(fields.status().reason());
    };
    EXPECT_EQ(reason(R"("fixed": 0)"), "");
    EXPECT_EQ(reason(R"("fixd": 0)"), "FIELD_UNKNOWN");
    EXPECT_EQ(reason(R"("fromDate": "2027-02-01")"), "FIELD_UNKNOWN");
    EXPECT_EQ(reason(R"("tiers": [{"volumeFrom": 5, "rateBasisPoints": 1, "fixd": 0}])"),
              "FIELD_UNKNOWN");
    EXPECT_EQ(reason(R"("rules": [{"rateBasisPoints": 1, "store": "s-1"}])"), "FIELD_UNKNOWN");
    EXPECT_EQ(reason(R"("fixed": -1)"), "FIELD_MALFORMED");
    EXPECT_EQ(reason(R"("tiers": {})"), "FIELD_MALFORMED");
    EXPECT_EQ(reason(R"("tiers": [7])"), "FIELD_MALFORMED");
    EXPECT_EQ(reason(R"("tiers": [{"volumeFrom": 0, "rateBasisPoints": 1}])"), "FIELD_MALFORMED");
    EXPECT_EQ(reason(R"("tiers": [{"volumeFrom": 5}])"), "FIELD_MISSING");
    EXPECT_EQ(reason(R"("rules": [{}])"), "FIELD_MISSING");
    EXPECT_EQ(reason(R"("rules": [{"rateBasisPoints": 10001}])"), "FIELD_MALFORMED");
    EXPECT_EQ(reason(R"("rules": [{"rateBasisPoints": 1, "method": "GOLD"}])"), "FIELD_MALFORMED");
    EXPECT_EQ(reason(R"("rules": [{"rateBasisPoints": 1, "method": "METHOD_UNSPECIFIED"}])"),
              "FIELD_MALFORMED");
    EXPECT_EQ(reason(R"("rules": [{"rateBasisPoints": 1, "fromDate": "2027-02-30"}])"),
              "FIELD_MALFORMED");
    EXPECT_EQ(reason(R"("rules": [{"rateBasisPoints": 1, "firstDays": 3661}])"), "FIELD_MALFORMED");
}

TEST(FeePlanJsonTest, FieldsBesideThePlanAreThoseThatAreNamed) {
    const auto reason = [](const std::string& more) {
        const Body body(R"({"currency": "JPY", "rateBasisPoints": 198, )" + more + "}");
        JsonFields fields = body.Fields();
        (void)ReadFeePlan(fields, {"fromDate", "toDate"});
        return std::string(fields.status().reason());
    };
    EXPECT_EQ(reason(R"("fromDate": "2027-02-01", "toDate": "2027-02-02")"), "");
    EXPECT_EQ(reason(R"("form": "2027-02-01")"), "FIELD_UNKNOWN");
}

TEST(FeePlanJsonTest, MerchantsAreIds) {
    const auto read = [](const std::string& list, std::string* reason) {
        const Body body(R"({"merchantIds": )" + list + "}");
        JsonFields fields = body.Fields();
        const auto ids = ReadMerchantIds(fields, "merchantIds");
        *reason = fields.status().reason();
        return ids;
    };
    std::string reason;
    EXPECT_THAT(read(R"(["7", "8"])", &reason), ::testing::ElementsAre(7, 8));
    EXPECT_EQ(reason, "");
    for (const char* list : {R"(["x"])", R"([7])", R"("7")", R"(["-7"])"}) {
        (void)read(list, &reason);
        EXPECT_EQ(reason, "FIELD_MALFORMED") << list;
    }
    std::string many = "[\"1\"";
    for (int i = 2; i <= 501; ++i) many += ",\"" + std::to_string(i) + "\"";
    (void)read(many + "]", &reason);
    EXPECT_EQ(reason, "FIELD_MALFORMED");
}

}  // namespace
}  // namespace kessai::gateway::transport
