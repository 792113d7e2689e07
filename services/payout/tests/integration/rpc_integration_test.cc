#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kessai/auth/key_ring.h"
#include "kessai/auth/token.h"
#include "kessai/digest/accumulator.h"
#include "kessai/payout/v1/payout_service.pb.h"
#include "kessai/rpc/call.h"
#include "kessai/rpc/channel.h"
#include "kessai/rpc/server.h"
#include "kessai/rpc/worker_pool.h"
#include "tests/payout_fixture.h"
#include "transport/payout_service.h"

namespace kessai::payout {
namespace {

using testing::Refuses;

const BusinessDate kDay = Day(20261122);

constexpr rpc::Name kPayout = "kessai.payout.v1.PayoutService";
constexpr auto& PutFeePlan = rpc::MethodOf<kPayout, "PutFeePlan", v1::FeePlan, v1::FeePlan>;
constexpr auto& AssignFeePlan =
    rpc::MethodOf<kPayout, "AssignFeePlan", v1::AssignFeePlanRequest, v1::AssignFeePlanResponse>;
constexpr auto& PreviewFeePlan =
    rpc::MethodOf<kPayout, "PreviewFeePlan", v1::PreviewFeePlanRequest, v1::FeePlanPreview>;
constexpr auto& ListFeePlans =
    rpc::MethodOf<kPayout, "ListFeePlans", v1::ListFeePlansRequest, v1::ListFeePlansResponse>;
constexpr auto& GetMerchantBalance =
    rpc::MethodOf<kPayout, "GetMerchantBalance", v1::GetMerchantBalanceRequest,
                  v1::MerchantBalance>;
constexpr auto& GetMerchantDay =
    rpc::MethodOf<kPayout, "GetMerchantDay", v1::GetMerchantDayRequest, v1::MerchantDay>;
constexpr auto& GetAccrual =
    rpc::MethodOf<kPayout, "GetAccrual", v1::GetAccrualRequest, v1::Accrual>;
constexpr auto& ReleaseDay =
    rpc::MethodOf<kPayout, "ReleaseDay", v1::ReleaseDayRequest, v1::DayRelease>;
constexpr auto& GetDay = rpc::MethodOf<kPayout, "GetDay", v1::GetDayRequest, v1::PayoutDay>;
constexpr auto& GetReleaseProgress =
    rpc::MethodOf<kPayout, "GetReleaseProgress", v1::GetReleaseProgressRequest,
                  v1::ReleaseProgress>;
constexpr auto& ListHeldBack =
    rpc::MethodOf<kPayout, "ListHeldBack", v1::ListHeldBackRequest, v1::HeldBackMerchant>;
constexpr auto& GetDayDigests =
    rpc::MethodOf<kPayout, "GetDayDigests", v1::GetDayDigestsRequest, v1::DayDigests>;
constexpr auto& ListDayRows =
    rpc::MethodOf<kPayout, "ListDayRows", v1::ListDayRowsRequest, v1::DayRowPage>;

/// The service's methods behind a real server, called over a real connection.
class RpcTest : public PayoutTest {
 protected:
    RpcTest()
        : ring_(auth::KeyRing::Parse("key 1 " + std::string(64, 'a') + "\nsign 1\n").value()),
          verifier_(ring_, SystemClock(), {.audience = "payout"}),
          signer_(ring_, SystemClock()),
          methods_(payout_->reader,
                   {payout_->put_fee_plan, payout_->assign_fee_plan, payout_->preview_fee_plan},
                   payout_->release_day),
          pool_({.name = "test", .threads = 2, .queue_max = 16}),
          server_({}, SystemClock(), verifier_, nullptr) {
        rpc::Service service(transport::kServiceName, transport::Policy());
        methods_.Register(service, pool_, pool_);
        server_.Add(std::move(service));
        EXPECT_OK(server_.Start());
        rpc::ChannelOptions options;
        options.target = "127.0.0.1:" + std::to_string(server_.port());
        channel_ =
            std::make_unique<rpc::Channel>(rpc::Channel::Create(options, SystemClock()).value());
    }
    ~RpcTest() override {
        channel_ = nullptr;
        (void)server_.Stop(std::chrono::seconds(5));
        pool_.Stop();
    }

    std::string Token(auth::Role role, std::vector<std::string> scopes, std::int64_t merchant = 0) {
        auth::Principal principal;
        principal.role = role;
        principal.subject = "tester";
        principal.scopes = std::move(scopes);
        principal.merchant_id = merchant;
        return signer_.Mint(principal, "payout").value();
    }
    std::string Operator(const std::string& scope) { return Token(auth::Role::kOperator, {scope}); }
    std::string Service() { return Token(auth::Role::kService, {}); }

    template <class Request, class Response>
    Result<Response> Call(const rpc::Method<Request, Response>& method, const Request& request,
                          const std::string& token) {
        rpc::CallOptions options;
        options.timeout = std::chrono::seconds(20);
        options.token = token;
        options.wait_for_ready = true;
        return rpc::Call(*channel_, method, request, options);
    }
    template <class Request, class Item>
    Result<std::vector<Item>> List(const rpc::Method<Request, Item>& method, const Request& request,
                                   const std::string& token) {
        rpc::CallOptions options;
        options.timeout = std::chrono::seconds(20);
        options.token = token;
        options.wait_for_ready = true;
        std::vector<Item> items;
        KESSAI_RETURN_IF_ERROR(
            rpc::CallStreaming(*channel_, method, request, options, [&](const Item& item) {
                items.push_back(item);
                return OkStatus();
            }));
        return items;
    }

    auth::FixedKeyRing ring_;
    auth::TokenVerifier verifier_;
    auth::TokenSigner signer_;
    transport::PayoutService methods_;
    rpc::WorkerPool pool_;
    rpc::Server server_;
    std::unique_ptr<rpc::Channel> channel_;
};

// Goal: a day's questions and its release, over the wire.
TEST_F(RpcTest, DayOverTheWire) {
    ASSERT_TRUE(payout_->Deliver({Sale(1, 7, kDay, 10'000), Sale(2, 8, kDay, 500)}).empty());
    v1::GetAccrualRequest accrual;
    accrual.set_payment_id(1);
    accrual.set_version(1);
    ASSERT_OK_AND_ASSIGN(const auto found, Call(GetAccrual(), accrual, Service()));
    EXPECT_EQ(found.merchant_id(), 7);
    EXPECT_EQ(found.gross(), 10'000);
    EXPECT_EQ(found.fee(), 198);
    EXPECT_EQ(found.currency(), "JPY");
    EXPECT_EQ(found.business_date(), 20261122);
    EXPECT_GT(found.recorded_at_us(), 0);
    accrual.set_version(2);
    EXPECT_THAT(Call(GetAccrual(), accrual, Service()),
                Refuses(Code::kNotFound, "ACCRUAL_UNKNOWN"));

    v1::ReleaseDayRequest release;
    release.set_business_date(20261122);
    EXPECT_THAT(Call(ReleaseDay(), release, Operator("day:release")),
                Refuses(Code::kFailedPrecondition, "DAY_OPEN"));
    v1::GetDayDigestsRequest digests;
    digests.set_business_date(20261122);
    EXPECT_THAT(Call(GetDayDigests(), digests, Service()),
                Refuses(Code::kFailedPrecondition, "DAY_OPEN"));
    payout_->Close(kDay);
    v1::GetDayRequest day;
    day.set_business_date(20261122);
    ASSERT_OK_AND_ASSIGN(auto view, Call(GetDay(), day, Service()));
    EXPECT_EQ(view.state(), v1::PayoutDay::CLOSED);
    EXPECT_EQ(view.seal().size(), 32u);
    ASSERT_OK_AND_ASSIGN(const auto released, Call(ReleaseDay(), release, Operator("day:release")));
    EXPECT_EQ(released.merchant_count(), 2);
    EXPECT_EQ(released.gross(), 10'500);
    EXPECT_EQ(released.net(), released.gross() - released.fee() - released.tax());
    ASSERT_OK_AND_ASSIGN(view, Call(GetDay(), day, Operator("payout:read")));
    EXPECT_EQ(view.state(), v1::PayoutDay::RELEASED);

    v1::GetMerchantDayRequest merchant_day;
    merchant_day.set_merchant_id(7);
    merchant_day.set_business_date(20261122);
    ASSERT_OK_AND_ASSIGN(const auto of_day,
                         Call(GetMerchantDay(), merchant_day, Operator("payout:read")));
    EXPECT_TRUE(of_day.released());
    EXPECT_EQ(of_day.net(), 10'000 - 198 - 19);
    EXPECT_EQ(of_day.held_back_reason(), "");
    v1::GetMerchantBalanceRequest balance;
    ASSERT_OK_AND_ASSIGN(const auto own,
                         Call(GetMerchantBalance(), balance, Token(auth::Role::kMerchant, {}, 7)));
    EXPECT_EQ(own.merchant_id(), 7);
    EXPECT_EQ(own.available(), 10'000 - 198 - 19);
    EXPECT_EQ(own.currency(), "JPY");

    ASSERT_OK_AND_ASSIGN(const auto kept, Call(GetDayDigests(), digests, Service()));
    digests.set_deep(true);
    ASSERT_OK_AND_ASSIGN(const auto deep, Call(GetDayDigests(), digests, Service()));
    EXPECT_EQ(kept.SerializeAsString(), deep.SerializeAsString());
    ASSERT_EQ(kept.buckets_size(), digest::kBuckets);
    v1::ListDayRowsRequest rows;
    rows.set_business_date(20261122);
    rows.set_bucket(static_cast<std::uint32_t>(digest::BucketOf(1)));
    ASSERT_OK_AND_ASSIGN(const auto listed, List(ListDayRows(), rows, Service()));
    ASSERT_EQ(listed.size(), 1u);
    ASSERT_EQ(listed[0].rows_size(), 1);
    EXPECT_EQ(listed[0].rows(0).object_id(), 1);
    EXPECT_EQ(listed[0].rows(0).amount(), 10'000);

    digests.set_bucket_first(1'000);
    digests.set_bucket_count(24);
    ASSERT_OK_AND_ASSIGN(const auto last, Call(GetDayDigests(), digests, Service()));
    ASSERT_EQ(last.buckets_size(), 24);
    EXPECT_EQ(last.buckets(0).bucket(), 1'000u);
    digests.set_bucket_count(25);
    EXPECT_THAT(Call(GetDayDigests(), digests, Service()),
                testing::Refuses(Code::kInvalidArgument, "FIELD_INVALID"));
}

TEST_F(RpcTest, HeldBackMerchantsAreListed) {
    ASSERT_TRUE(payout_->Deliver({Sale(1, 7, kDay, 10'000), Sale(2, 8, kDay, 500)}).empty());
    payout_->Close(kDay);
    payout_->Run("UPDATE accrual SET gross = 9999 WHERE payment_id = 1");
    v1::ReleaseDayRequest release;
    release.set_business_date(20261122);
    release.set_dry_run(true);
    ASSERT_OK_AND_ASSIGN(const auto foreseen, Call(ReleaseDay(), release, Operator("day:release")));
    release.set_dry_run(false);
    ASSERT_OK_AND_ASSIGN(const auto released, Call(ReleaseDay(), release, Operator("day:release")));
    EXPECT_EQ(released.held_back_count(), 1);
    EXPECT_EQ(released.held_back_size(), 0);  // They are listed:
    v1::ListHeldBackRequest request;
    request.set_business_date(20261122);
    ASSERT_OK_AND_ASSIGN(const auto held, List(ListHeldBack(), request, Operator("payout:read")));
    ASSERT_EQ(held.size(), 1u);
    EXPECT_EQ(held[0].merchant_id(), 7);
    EXPECT_EQ(held[0].reason(), "RECOUNT_DIFFERS");
    EXPECT_EQ(held[0].totals().gross(), 10'000);
    EXPECT_EQ(held[0].recounted().gross(), 9'999);
    ASSERT_EQ(foreseen.held_back_size(), 1);
    EXPECT_EQ(foreseen.held_back(0).SerializeAsString(), held[0].SerializeAsString());
}

TEST_F(RpcTest, WrongFeeThatWasReleasedIsInTheAnswerOfADeepRun) {
    ASSERT_TRUE(payout_->Deliver({Sale(1, 7, kDay, 10'000), Sale(2, 7, kDay, 10'000)}).empty());
    payout_->Close(kDay);
    payout_->Run("UPDATE accrual SET fee = IF(payment_id = 1, fee + 1, fee - 1)");
    v1::ReleaseDayRequest release;
    release.set_business_date(20261122);
    ASSERT_OK_AND_ASSIGN(const auto released, Call(ReleaseDay(), release, Operator("day:release")));
    EXPECT_EQ(released.merchant_count(), 1);
    EXPECT_EQ(released.released_fault_count(), 0);
    release.set_deep(true);
    for (const bool dry_run : {true, false}) {
        release.set_dry_run(dry_run);
        ASSERT_OK_AND_ASSIGN(const auto deep, Call(ReleaseDay(), release, Operator("day:release")));
        EXPECT_EQ(deep.held_back_count(), 0);
        EXPECT_EQ(deep.released_fault_count(), 1);
        ASSERT_EQ(deep.released_faults_size(), 1);
        EXPECT_EQ(deep.released_faults(0).merchant_id(), 7);
        EXPECT_THAT(deep.released_faults(0).note(),
                    ::testing::HasSubstr(" version 1: the fee is 198"));
    }
}

TEST_F(RpcTest, PlansAreKeptWithTheirHistory) {
    const BusinessDate next = BusinessDate::OfJst(SystemClock().Now()).Next();
    v1::FeePlan plan;
    plan.set_merchant_id(7);
    plan.set_currency("JPY");
    plan.set_rate_basis_points(150);
    plan.set_effective_from(next.ToNumber());
    ASSERT_OK_AND_ASSIGN(const auto first, Call(PutFeePlan(), plan, Operator("plan:write")));
    EXPECT_EQ(first.version(), 1u);
    plan.set_plan_id(first.plan_id());
    plan.set_rate_basis_points(100);
    plan.set_effective_from(next.PlusDays(30).ToNumber());
    ASSERT_OK_AND_ASSIGN(const auto second, Call(PutFeePlan(), plan, Operator("plan:write")));
    EXPECT_EQ(second.version(), 2u);
    v1::ListFeePlansRequest list;
    list.set_merchant_id(7);
    ASSERT_OK_AND_ASSIGN(const auto plans, Call(ListFeePlans(), list, Operator("plan:write")));
    ASSERT_EQ(plans.plans_size(), 2);
    EXPECT_EQ(plans.next_page_token(), "");
    EXPECT_EQ(plans.plans(0).rate_basis_points(), 150u);
    list.set_page_size(1);
    ASSERT_OK_AND_ASSIGN(const auto page, Call(ListFeePlans(), list, Operator("plan:write")));
    ASSERT_EQ(page.plans_size(), 1);
    EXPECT_EQ(page.plans(0).version(), 1u);
    list.set_page_token(page.next_page_token());
    ASSERT_OK_AND_ASSIGN(const auto next_page, Call(ListFeePlans(), list, Operator("plan:write")));
    ASSERT_EQ(next_page.plans_size(), 1);
    EXPECT_EQ(next_page.plans(0).version(), 2u);
    list.set_page_token("x");
    EXPECT_THAT(Call(ListFeePlans(), list, Operator("plan:write")),
                Refuses(Code::kInvalidArgument, "FIELD_INVALID"));
    EXPECT_EQ(payout_->Number("SELECT COUNT(*) FROM fee_plan WHERE put_by = 'tester'"), 2);
    EXPECT_EQ(plans.plans(0).put_by(), "tester");
    EXPECT_GT(plans.plans(0).put_at_us(), 0);
}

v1::FeePlan SharedPlan(BusinessDate from) {
    v1::FeePlan plan;
    plan.set_shared(true);
    plan.set_currency("JPY");
    plan.set_rate_basis_points(300);
    plan.set_effective_from(from.ToNumber());
    v1::FeeTiers::Tier* tier = plan.mutable_tiers()->add_tiers();
    tier->set_volume_from(1'000'000);
    tier->mutable_terms()->set_rate_basis_points(250);
    v1::FeeRule* card = plan.add_rules();
    card->set_method(payment::v1::MethodAmount::CREDIT_CARD);
    card->mutable_terms()->set_rate_basis_points(350);
    v1::FeeRule* store = plan.add_rules();
    store->set_store_id("shop-1");
    store->set_from_date(from.ToNumber());
    store->set_to_date(from.PlusDays(30).ToNumber());
    store->mutable_terms()->set_fixed(5);
    *store->mutable_tiers() = plan.tiers();
    v1::FeeRule* free = plan.add_rules();
    free->set_first_days(90);
    free->mutable_terms();
    return plan;
}

// Goal: what operators put by RPC is what they get back, rules, tiers and assignments included.
TEST_F(RpcTest, SharedPlansAreListedAsPut) {
    const BusinessDate next = BusinessDate::OfJst(SystemClock().Now()).Next();
    v1::FeePlan plan = SharedPlan(next);
    ASSERT_OK_AND_ASSIGN(const auto stored, Call(PutFeePlan(), plan, Operator("plan:write")));
    v1::AssignFeePlanRequest assign;
    assign.add_merchant_ids(7);
    assign.add_merchant_ids(8);
    assign.set_plan_id(stored.plan_id());
    assign.set_effective_from(next.PlusDays(1).ToNumber());
    ASSERT_OK_AND_ASSIGN(const auto assigned,
                         Call(AssignFeePlan(), assign, Operator("plan:write")));
    ASSERT_EQ(assigned.assignments_size(), 2);
    EXPECT_EQ(assigned.assignments(1).merchant_id(), 8);

    v1::ListFeePlansRequest list;
    list.set_shared(true);
    ASSERT_OK_AND_ASSIGN(const auto shared, Call(ListFeePlans(), list, Operator("payout:read")));
    ASSERT_EQ(shared.plans_size(), 1);
    v1::FeePlan listed = shared.plans(0);
    EXPECT_EQ(listed.put_by(), "tester");
    listed.clear_put_by();
    listed.clear_put_at_us();
    plan.set_plan_id(stored.plan_id());
    plan.set_version(1);
    EXPECT_EQ(listed.SerializeAsString(), plan.SerializeAsString());
    list.set_shared(false);
    list.set_merchant_id(8);
    ASSERT_OK_AND_ASSIGN(const auto of_merchant,
                         Call(ListFeePlans(), list, Operator("payout:read")));
    EXPECT_EQ(of_merchant.plans_size(), 0);
    ASSERT_EQ(of_merchant.assignments_size(), 1);
    EXPECT_EQ(of_merchant.assignments(0).plan_id(), stored.plan_id());
    EXPECT_EQ(of_merchant.assignments(0).put_by(), "tester");
}

TEST_F(RpcTest, PreviewTellsTheDifferenceByMerchant) {
    ASSERT_TRUE(payout_
                    ->Deliver({Sale(1, 7, kDay, 10'000), Sale(2, 8, kDay, 20'000),
                               Refund(Sale(1, 7, kDay, 10'000), 2, kDay, 5'000, 0)})
                    .empty());
    payout_->Close(kDay);
    v1::PreviewFeePlanRequest request;
    request.mutable_plan()->set_currency("JPY");
    request.mutable_plan()->set_plan_id(1);
    request.mutable_plan()->set_rate_basis_points(300);
    request.set_from_date(20261101);
    request.set_to_date(20261130);
    EXPECT_EQ(Call(PreviewFeePlan(), request, Operator("payout:read")).status().reason(),
              "DAY_OPEN");  // the day after
    request.set_to_date(kDay.ToNumber());
    ASSERT_OK_AND_ASSIGN(const auto preview,
                         Call(PreviewFeePlan(), request, Operator("payout:read")));
    EXPECT_EQ(preview.merchant_count(), 2);
    EXPECT_EQ(preview.accrual_count(), 3);
    EXPECT_EQ(preview.gross(), 25'000);
    EXPECT_EQ(preview.fee_then(), 99 + 396);
    EXPECT_EQ(preview.fee_now(), 150 + 600);
    EXPECT_EQ(preview.difference(), 255);
    ASSERT_EQ(preview.merchants_size(), 2);
    EXPECT_EQ(preview.merchants(0).merchant_id(), 8);  // The larger difference first.
    EXPECT_EQ(preview.merchants(0).difference(), 204);
    EXPECT_EQ(preview.merchants(1).accrual_count(), 2);
    EXPECT_EQ(payout_->Number("SELECT COUNT(*) FROM fee_plan"), 1);
}

// Goal: bad input is refused by name, and changes nothing.
TEST_F(RpcTest, BadInputIsRefusedByName) {
    const auto put = [&](const std::function<void(v1::FeePlan&)>& damage) {
        v1::FeePlan plan;
        plan.set_merchant_id(7);
        plan.set_currency("JPY");
        plan.set_effective_from(20991231);
        damage(plan);
        return std::string(Call(PutFeePlan(), plan, Operator("plan:write")).status().reason());
    };
    EXPECT_EQ(put([](v1::FeePlan& p) { p.set_currency("USD"); }), "CURRENCY_UNKNOWN");
    EXPECT_EQ(put([](v1::FeePlan& p) { p.set_rate_basis_points(10'001); }), "PLAN_INVALID");
    EXPECT_EQ(put([](v1::FeePlan& p) { p.set_fixed(-1); }), "PLAN_INVALID");
    EXPECT_EQ(put([](v1::FeePlan& p) { p.set_minimum(INT64_MAX); }), "PLAN_INVALID");
    EXPECT_EQ(put([](v1::FeePlan& p) {
                  p.set_minimum(10);
                  p.set_maximum(9);
              }),
              "PLAN_INVALID");
    EXPECT_EQ(put([](v1::FeePlan& p) { p.set_effective_from(20991331); }), "FIELD_INVALID");
    EXPECT_EQ(put([](v1::FeePlan& p) { p.set_effective_from(-1); }), "FIELD_INVALID");
    EXPECT_EQ(put([](v1::FeePlan& p) { p.set_effective_to(20991230); }), "PLAN_INVALID");
    EXPECT_EQ(put([](v1::FeePlan& p) { p.set_merchant_id(-7); }), "FIELD_INVALID");
    EXPECT_EQ(put([](v1::FeePlan& p) { p.set_plan_id(77); }), "PLAN_INVALID");
    EXPECT_EQ(put([](v1::FeePlan& p) {
                  p.set_merchant_id(0);
                  p.set_plan_id(1);
                  p.set_effective_from(20200102);
              }),
              "PLAN_IN_PAST");
    EXPECT_EQ(put([](v1::FeePlan& p) { p.set_merchant_id(0); }), "PLAN_OVERLAPS");
    // Whatever came after it could never be accrued.
    EXPECT_EQ(put([](v1::FeePlan& p) {
                  p.set_merchant_id(0);
                  p.set_plan_id(1);
                  p.set_effective_to(20991231);
              }),
              "PLAN_INVALID");
    EXPECT_EQ(put([](v1::FeePlan& p) { p.set_shared(true); }), "FIELD_INVALID");
    EXPECT_EQ(put([](v1::FeePlan& p) { p.mutable_tiers(); }), "TIERS_EMPTY");
    const auto add_tier = [](v1::FeeTiers& tiers, std::int64_t volume) {
        tiers.add_tiers()->set_volume_from(volume);
    };
    EXPECT_EQ(put([&](v1::FeePlan& p) { add_tier(*p.mutable_tiers(), 0); }), "TIERS_NOT_RISING");
    EXPECT_EQ(put([&](v1::FeePlan& p) {
                  add_tier(*p.mutable_tiers(), 7);
                  add_tier(*p.mutable_tiers(), 7);
              }),
              "TIERS_NOT_RISING");
    const auto put_rule = [&](const std::function<void(v1::FeeRule&)>& damage) {
        return put([&](v1::FeePlan& p) {
            p.add_rules()->mutable_terms();
            damage(*p.mutable_rules(0));
        });
    };
    EXPECT_EQ(put_rule([](v1::FeeRule& r) { r.clear_terms(); }), "FIELD_INVALID");
    EXPECT_EQ(put_rule([](v1::FeeRule& r) {
                  r.set_method(static_cast<payment::v1::MethodAmount::Method>(99));
              }),
              "METHOD_UNKNOWN");
    EXPECT_EQ(put_rule([](v1::FeeRule& r) { r.set_store_id(std::string(256, 'x')); }),
              "STORE_INVALID");
    EXPECT_EQ(put_rule([](v1::FeeRule& r) { r.mutable_tiers(); }), "TIERS_EMPTY");
    EXPECT_EQ(put_rule([](v1::FeeRule& r) { r.set_from_date(20991331); }), "FIELD_INVALID");
    EXPECT_EQ(put_rule([](v1::FeeRule& r) { r.set_to_date(20991230); }), "CAMPAIGN_INVALID");
    EXPECT_EQ(put_rule([](v1::FeeRule& r) {
                  r.set_first_days(3);
                  r.set_to_date(20991231);
              }),
              "CAMPAIGN_INVALID");
    EXPECT_EQ(put_rule([](v1::FeeRule& r) { r.mutable_terms()->set_rate_basis_points(10'001); }),
              "PLAN_INVALID");
    EXPECT_EQ(put([](v1::FeePlan& p) {
                  p.add_rules()->mutable_terms();
                  p.add_rules()->mutable_terms();
              }),
              "RULES_OVERLAP");
    EXPECT_EQ(payout_->Number("SELECT COUNT(*) FROM fee_plan"), 1);

    EXPECT_EQ(payout_->Number("SELECT COUNT(*) FROM fee_plan_rule"), 0);
    v1::AssignFeePlanRequest assign;
    assign.set_effective_from(20991231);
    EXPECT_THAT(Call(AssignFeePlan(), assign, Operator("plan:write")),
                Refuses(Code::kInvalidArgument, "FIELD_INVALID"));
    assign.add_merchant_ids(7);
    assign.set_plan_id(77);
    EXPECT_THAT(Call(AssignFeePlan(), assign, Operator("plan:write")),
                Refuses(Code::kNotFound, "PLAN_UNKNOWN"));
    assign.set_plan_id(1);  // The default plan is nobody's to be assigned to.
    EXPECT_THAT(Call(AssignFeePlan(), assign, Operator("plan:write")),
                Refuses(Code::kInvalidArgument, "PLAN_INVALID"));
    EXPECT_EQ(payout_->Number("SELECT COUNT(*) FROM plan_assignment"), 0);

    v1::ReleaseDayRequest release;
    for (const int date : {0, -1, 20261131, 99999999}) {
        release.set_business_date(date);
        EXPECT_THAT(Call(ReleaseDay(), release, Operator("day:release")),
                    Refuses(Code::kInvalidArgument, "FIELD_INVALID"));
    }
    v1::ListDayRowsRequest rows;
    rows.set_business_date(20261122);
    rows.set_bucket(1'024);
    EXPECT_THAT(List(ListDayRows(), rows, Service()),
                Refuses(Code::kInvalidArgument, "FIELD_INVALID"));
    v1::GetMerchantBalanceRequest balance;
    balance.set_merchant_id(99);
    EXPECT_THAT(Call(GetMerchantBalance(), balance, Operator("payout:read")),
                Refuses(Code::kNotFound, "MERCHANT_UNKNOWN"));
}

// Goal: nobody does or sees what is not theirs.
TEST_F(RpcTest, OnlyWhoMayIsServed) {
    ASSERT_TRUE(payout_->Deliver({Sale(1, 7, kDay, 10'000)}).empty());
    const auto not_allowed = Refuses(Code::kPermissionDenied, "ROLE_NOT_ALLOWED");
    v1::ReleaseDayRequest release;
    release.set_business_date(20261122);
    EXPECT_THAT(Call(ReleaseDay(), release, Operator("payout:read")), not_allowed);
    EXPECT_THAT(Call(ReleaseDay(), release, Service()), not_allowed);
    EXPECT_THAT(Call(ReleaseDay(), release, Token(auth::Role::kMerchant, {"day:release"}, 7)),
                not_allowed);
    EXPECT_THAT(Call(PutFeePlan(), v1::FeePlan(), Token(auth::Role::kMerchant, {}, 7)),
                not_allowed);
    EXPECT_THAT(Call(AssignFeePlan(), v1::AssignFeePlanRequest(), Operator("payout:read")),
                not_allowed);
    EXPECT_THAT(Call(PreviewFeePlan(), v1::PreviewFeePlanRequest(),
                     Token(auth::Role::kMerchant, {"payout:read"}, 7)),
                not_allowed);
    EXPECT_THAT(Call(GetDayDigests(), v1::GetDayDigestsRequest(), Operator("payout:read")),
                not_allowed);
    EXPECT_THAT(Call(GetReleaseProgress(), v1::GetReleaseProgressRequest(), Service()),
                not_allowed);
    EXPECT_THAT(Call(GetDay(), v1::GetDayRequest(), "no token"),
                Refuses(Code::kUnauthenticated, "TOKEN_INVALID"));
    // Another merchant's balance is as if it were not there.
    v1::GetMerchantBalanceRequest balance;
    balance.set_merchant_id(7);
    EXPECT_THAT(Call(GetMerchantBalance(), balance, Token(auth::Role::kMerchant, {}, 8)),
                Refuses(Code::kNotFound, "MERCHANT_UNKNOWN"));
    EXPECT_OK(Call(GetMerchantBalance(), balance, Token(auth::Role::kMerchant, {}, 7)).status());
}

// Goal: how far a release is, is told from its checkpoints while it runs, and after it.
// Method: seven merchants in chunks of three; the round's chunks are checked off one by one, as the
// release does it, with the question in between.
TEST_F(RpcTest, TheProgressOfAReleaseIsTold) {
    std::vector<domain::PaymentChange> sales;
    for (std::int64_t merchant = 1; merchant <= 7; ++merchant) {
        sales.push_back(Sale(merchant, merchant, kDay, 1'000));
    }
    ASSERT_TRUE(payout_->Deliver(std::move(sales)).empty());
    v1::GetReleaseProgressRequest request;
    request.set_business_date(kDay.ToNumber());
    const auto ask = [&] {
        const auto progress = Call(GetReleaseProgress(), request, Operator("payout:read"));
        EXPECT_OK(progress.status());
        return progress.ok() ? *progress : v1::ReleaseProgress();
    };
    EXPECT_EQ(ask().state(), v1::PayoutDay::OPEN);
    payout_->Close(kDay);
    EXPECT_EQ(ask().state(), v1::PayoutDay::CLOSED);
    EXPECT_EQ(ask().chunk_count(), 0);

    ASSERT_OK(payout_->release_store.Begin(kDay, true, {}, SystemClock().Now()).status());
    const auto begun = ask();
    EXPECT_EQ(begun.state(), v1::PayoutDay::RELEASING);
    EXPECT_TRUE(begun.deep());
    EXPECT_GT(begun.started_at_us(), 0);
    EXPECT_EQ(begun.finished_at_us(), 0);
    EXPECT_EQ(begun.chunks_done(), 0);
    EXPECT_EQ(begun.chunk_count(), 3);
    EXPECT_EQ(begun.merchant_count(), 7);
    EXPECT_EQ(begun.merchants_per_second(), 0);

    // As one chunk that is done leaves it.
    payout_->Run(
        "UPDATE release_chunk SET done = 1, merchant_count = 3, gross = 3000, net = 2937 "
        "WHERE business_date = '2026-11-22' AND chunk = 0");
    payout_->Run("UPDATE release_round SET started_at_us = started_at_us - 2000000");
    const auto half = ask();
    EXPECT_EQ(half.chunks_done(), 1);
    EXPECT_EQ(half.merchants_done(), 3);
    EXPECT_EQ(half.released_count(), 3);
    EXPECT_EQ(half.gross(), 3'000);
    EXPECT_EQ(half.net(), 2'937);
    EXPECT_LE(half.merchants_per_second(), 1);
    ASSERT_EQ(half.chunks_size(), 3);
    EXPECT_TRUE(half.chunks(0).done());
    EXPECT_FALSE(half.chunks(1).done());
    EXPECT_EQ(half.chunks(2).merchant_count(), 1);
    payout_->Run("UPDATE release_chunk SET done = 0, merchant_count = 0, gross = 0, net = 0");

    v1::ReleaseDayRequest release;
    release.set_business_date(kDay.ToNumber());
    ASSERT_OK(Call(ReleaseDay(), release, Operator("day:release")).status());
    const auto done = ask();
    EXPECT_EQ(done.state(), v1::PayoutDay::RELEASED);
    EXPECT_GT(done.finished_at_us(), done.started_at_us());
    EXPECT_EQ(done.chunks_done(), 3);
    EXPECT_EQ(done.released_count(), 7);
    EXPECT_EQ(done.gross(), 7'000);
    request.set_business_date(20200101);
    EXPECT_THAT(Call(GetReleaseProgress(), request, Operator("day:release")),
                Refuses(Code::kNotFound, "DAY_UNKNOWN"));
}

}  // namespace
}  // namespace kessai::payout
