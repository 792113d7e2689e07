// Goal: what reconciliation asks is what the rows say, over the wire, and only services are told.
// Method: real days, releases and transfers in a real MariaDB; rows that a test damages.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/check_fees.h"
#include "kessai/auth/key_ring.h"
#include "kessai/auth/token.h"
#include "kessai/digest/lines.h"
#include "kessai/payout/v1/check_service.pb.h"
#include "kessai/rpc/call.h"
#include "kessai/rpc/channel.h"
#include "kessai/rpc/server.h"
#include "kessai/rpc/worker_pool.h"
#include "storage/mysql_check_reader.h"
#include "tests/payout_fixture.h"
#include "tests/transfer_fixture.h"
#include "transport/check_service.h"

namespace kessai::payout {
namespace {

using testing::Refuses;

const BusinessDate kDay = Day(20261122);
const BusinessDate kDue = Day(20261130);

constexpr rpc::Name kChecks = "kessai.payout.v1.CheckService";
template <rpc::Name method, class Request, class Response>
constexpr auto& Of = rpc::MethodOf<kChecks, method, Request, Response>;
constexpr auto& GetDayCheck = Of<"GetDayCheck", v1::GetDayCheckRequest, v1::DayCheck>;
constexpr auto& ListToldReleases =
    Of<"ListToldReleases", v1::ListToldReleasesRequest, v1::ListToldReleasesResponse>;
constexpr auto& ListMerchantDays =
    Of<"ListMerchantDays", v1::ListMerchantDaysRequest, v1::ListMerchantDaysResponse>;
constexpr auto& GetFeeDigests = Of<"GetFeeDigests", v1::GetFeeDigestsRequest, v1::DayDigests>;
constexpr auto& ListWrongFees = Of<"ListWrongFees", v1::ListWrongFeesRequest, v1::WrongFee>;
constexpr auto& GetTransferSums =
    Of<"GetTransferSums", v1::GetTransferSumsRequest, v1::TransferSums>;
constexpr auto& ListTransferSteps =
    Of<"ListTransferSteps", v1::ListTransferStepsRequest, v1::ListTransferStepsResponse>;
constexpr auto& ListMovedFunds =
    Of<"ListMovedFunds", v1::ListMovedFundsRequest, v1::ListMovedFundsResponse>;

class CheckRpcTest : public PayoutTest {
 protected:
    CheckRpcTest()
        : clock_(kDue.At(std::chrono::hours(10))),
          transfers_(payout_->pool, clock_),
          hasher_(TestHasher()),
          reader_(payout_->pool, hasher_),
          fees_({.threads = 2, .segments = 8}, payout_->release_store, payout_->plans,
                domain::TaxTable::Japan()),
          ring_(auth::KeyRing::Parse("key 1 " + std::string(64, 'a') + "\nsign 1\n").value()),
          verifier_(ring_, SystemClock(), {.audience = "payout"}),
          signer_(ring_, SystemClock()),
          methods_(reader_, fees_, transfers_.trace, clock_),
          pool_({.name = "test", .threads = 2, .queue_max = 16}),
          server_({}, SystemClock(), verifier_, nullptr) {
        rpc::Service service(transport::kCheckServiceName, transport::CheckPolicy());
        methods_.Register(service, pool_);
        server_.Add(std::move(service));
        EXPECT_OK(server_.Start());
        rpc::ChannelOptions options;
        options.target = "127.0.0.1:" + std::to_string(server_.port());
        channel_ =
            std::make_unique<rpc::Channel>(rpc::Channel::Create(options, SystemClock()).value());
    }
    ~CheckRpcTest() override {
        channel_ = nullptr;
        (void)server_.Stop(std::chrono::seconds(5));
        pool_.Stop();
    }

    rpc::CallOptions Options(auth::Role role = auth::Role::kService) {
        auth::Principal principal;
        principal.role = role;
        principal.subject = "reconciliation";
        principal.scopes = {"payout:read", "day:release"};
        rpc::CallOptions options;
        options.timeout = std::chrono::seconds(20);
        // The options only refer to it.
        options.token = tokens_[role] = signer_.Mint(principal, "payout").value();
        options.wait_for_ready = true;
        return options;
    }
    template <class Request, class Response>
    Result<Response> Call(const rpc::Method<Request, Response>& method, const Request& request) {
        return rpc::Call(*channel_, method, request, Options());
    }
    Result<v1::DayCheck> CheckDay() {
        v1::GetDayCheckRequest request;
        request.set_business_date(kDay.ToNumber());
        return Call(GetDayCheck(), request);
    }
    Result<v1::ListToldReleasesResponse> ToldOn(BusinessDate date) {
        v1::ListToldReleasesRequest request;
        request.set_told_date(date.ToNumber());
        return Call(ListToldReleases(), request);
    }
    std::map<std::int64_t, v1::ListMerchantDaysResponse::Merchant> Merchants(
        std::uint32_t page_size, std::vector<std::uint32_t> buckets = {}, BusinessDate day = kDay) {
        std::map<std::int64_t, v1::ListMerchantDaysResponse::Merchant> merchants;
        v1::ListMerchantDaysRequest request;
        request.set_business_date(day.ToNumber());
        request.set_page_size(page_size);
        for (const auto bucket : buckets) request.add_buckets(bucket);
        do {
            const auto page = Call(ListMerchantDays(), request);
            EXPECT_OK(page.status());
            if (!page.ok()) break;
            EXPECT_LE(page->merchants_size(), static_cast<int>(page_size));
            for (const auto& merchant : page->merchants()) {
                EXPECT_TRUE(merchants.emplace(merchant.merchant_id(), merchant).second);
            }
            request.set_after_merchant_id(page->next_merchant_id());
        } while (request.after_merchant_id() != 0);
        return merchants;
    }
    Result<std::vector<v1::WrongFee>> WrongFees() {
        v1::ListWrongFeesRequest request;
        request.set_business_date(kDay.ToNumber());
        std::vector<v1::WrongFee> fees;
        KESSAI_RETURN_IF_ERROR(rpc::CallStreaming(*channel_, ListWrongFees(), request, Options(),
                                                  [&](const v1::WrongFee& fee) {
                                                      fees.push_back(fee);
                                                      return OkStatus();
                                                  }));
        return fees;
    }
    /// Three sales a merchant of `merchants`, one of them with a refund.
    void Trade(std::int64_t merchants) {
        std::vector<domain::PaymentChange> changes;
        for (std::int64_t merchant = 1; merchant <= merchants; ++merchant) {
            for (std::int64_t i = 0; i < 3; ++i) {
                changes.push_back(Sale(merchant * 10 + i, merchant, kDay, 1'000 * (i + 1)));
            }
            changes.push_back(Refund(changes.back(), 2, kDay, 500, 0));
        }
        ASSERT_TRUE(payout_->Deliver(changes).empty());
    }

    ManualClock clock_;
    Transfers transfers_;
    digest::RowHasher hasher_;
    storage::MysqlCheckReader reader_;
    app::CheckFees fees_;
    auth::FixedKeyRing ring_;
    auth::TokenVerifier verifier_;
    auth::TokenSigner signer_;
    transport::CheckService methods_;
    rpc::WorkerPool pool_;
    rpc::Server server_;
    std::unique_ptr<rpc::Channel> channel_;
    std::map<auth::Role, std::string> tokens_;
    std::vector<std::int64_t> told_;
};

TEST(CheckPolicyTest, FitsTheContract) {
    const auto* service =
        v1::GetDayCheckRequest::descriptor()->file()->FindServiceByName("CheckService");
    ASSERT_NE(service, nullptr);
    EXPECT_OK(transport::CheckPolicy().CheckAgainst(*service));
}

TEST_F(CheckRpcTest, OnlyServicesAreTold) {
    v1::GetDayCheckRequest request;
    request.set_business_date(kDay.ToNumber());
    for (const auto role : {auth::Role::kOperator, auth::Role::kMerchant}) {
        EXPECT_THAT(rpc::Call(*channel_, GetDayCheck(), request, Options(role)),
                    Refuses(Code::kPermissionDenied, "ROLE_NOT_ALLOWED"));
    }
}

TEST_F(CheckRpcTest, OpenDaysAndSenselessRequestsAreRefused) {
    Trade(1);
    EXPECT_THAT(CheckDay(), Refuses(Code::kFailedPrecondition, "DAY_OPEN"));
    EXPECT_THAT(WrongFees(), Refuses(Code::kFailedPrecondition, "DAY_OPEN"));
    v1::ListMerchantDaysRequest merchants;
    merchants.set_business_date(kDay.ToNumber());
    EXPECT_THAT(Call(ListMerchantDays(), merchants),
                Refuses(Code::kFailedPrecondition, "DAY_OPEN"));
    v1::GetFeeDigestsRequest fees;
    fees.set_business_date(kDay.ToNumber());
    EXPECT_THAT(Call(GetFeeDigests(), fees), Refuses(Code::kFailedPrecondition, "DAY_OPEN"));
    fees.set_business_date(20261332);
    EXPECT_THAT(Call(GetFeeDigests(), fees), Refuses(Code::kInvalidArgument, "FIELD_INVALID"));
    payout_->Close(kDay);
    merchants.add_buckets(1'024);
    EXPECT_THAT(Call(ListMerchantDays(), merchants),
                Refuses(Code::kInvalidArgument, "FIELD_INVALID"));
    merchants.clear_buckets();
    merchants.set_page_size(5'001);
    EXPECT_THAT(Call(ListMerchantDays(), merchants),
                Refuses(Code::kInvalidArgument, "FIELD_INVALID"));
}

// Goal: totals and releases are told as they are, by digest, by sum and one by one.
TEST_F(CheckRpcTest, ADayByItsMerchants) {
    Trade(25);
    payout_->Close(kDay);
    ASSERT_OK_AND_ASSIGN(const auto closed, CheckDay());
    EXPECT_EQ(closed.state(), v1::PayoutDay::CLOSED);
    EXPECT_EQ(closed.released_size(), 0);
    EXPECT_EQ(closed.round_count(), 0u);

    ASSERT_OK(payout_->release_day.Run(kDay, false).status());
    ASSERT_OK_AND_ASSIGN(const auto check, CheckDay());
    EXPECT_EQ(check.state(), v1::PayoutDay::RELEASED);
    EXPECT_EQ(check.round_count(), 1u);
    EXPECT_EQ(check.released_sums().merchant_count(), 25);
    EXPECT_EQ(check.released_sums().gross(), 25 * 5'500);
    EXPECT_EQ(check.round_sums().SerializeAsString(), check.released_sums().SerializeAsString());
    ASSERT_EQ(check.accrued_size(), check.released_size());

    const auto merchants = Merchants(4);
    ASSERT_EQ(merchants.size(), 25u);
    digest::Accumulator sums(hasher_);
    for (const auto& [id, merchant] : merchants) {
        ASSERT_EQ(merchant.lines_size(), 1);
        const auto& line = merchant.lines(0);
        EXPECT_EQ(line.tax_class(), "standard_10");
        EXPECT_EQ(line.accrued_gross(), 5'500);
        EXPECT_EQ(line.accrued_count(), 4);
        EXPECT_TRUE(line.released());
        EXPECT_EQ(line.released_gross(), line.accrued_gross());
        EXPECT_EQ(line.released_fee(), line.accrued_fee());
        EXPECT_EQ(line.net(), line.released_gross() - line.released_fee() - line.tax());
        EXPECT_FALSE(merchant.held_back());
        digest::AddLine(kDay,
                        {id, static_cast<std::uint8_t>(domain::TaxClass::kStandard10),
                         line.accrued_gross(), line.accrued_fee(), line.accrued_count()},
                        sums);
    }
    // The digests are those of what was listed.
    const digest::DayDigest day = sums.Day(kDay);
    std::size_t filled = 0;
    for (const auto& bucket : day) filled += bucket == digest::BucketDigest{} ? 0 : 1;
    EXPECT_EQ(static_cast<std::size_t>(check.accrued_size()), filled);
    for (const auto* side : {&check.accrued(), &check.released()}) {
        for (const auto& bucket : *side) {
            EXPECT_EQ(bucket.amount(), day[bucket.bucket()].signed_gross);
            EXPECT_EQ(bucket.count(), static_cast<std::uint64_t>(day[bucket.bucket()].count));
        }
    }
    const auto bucket = static_cast<std::uint32_t>(digest::BucketOf(7));
    const auto some = Merchants(100, {bucket});
    EXPECT_TRUE(some.contains(7));
    for (const auto& [id, merchant] : some) {
        EXPECT_EQ(static_cast<std::uint32_t>(digest::BucketOf(id)), bucket);
    }

    payout_->Run("UPDATE merchant_release SET gross = gross + 1 WHERE merchant_id = 7");
    ASSERT_OK_AND_ASSIGN(const auto damaged, CheckDay());
    EXPECT_EQ(damaged.released_sums().gross(), 25 * 5'500 + 1);
    EXPECT_EQ(damaged.round_sums().gross(), 25 * 5'500);
    int different = 0;
    for (int i = 0; i < check.released_size(); ++i) {
        if (damaged.released(i).hash_sum() != damaged.accrued(i).hash_sum()) ++different;
    }
    EXPECT_EQ(different, 1);
}

// Goal: each round says what its event told and of which day that is, so that an event that was
// lost can be missed, and made again byte for byte.
TEST_F(CheckRpcTest, RoundsSayWhatTheyTold) {
    Trade(3);
    payout_->Close(kDay);
    payout_->Run("UPDATE accrual SET gross = gross + 1 WHERE payment_id = 20");
    ASSERT_OK(payout_->release_day.Run(kDay, false).status());
    payout_->Run("UPDATE accrual SET gross = gross - 1 WHERE payment_id = 20");
    ASSERT_OK(payout_->release_day.Run(kDay, false).status());
    ASSERT_OK_AND_ASSIGN(const auto check, CheckDay());
    EXPECT_EQ(check.round_count(), 2u);
    ASSERT_EQ(check.rounds_size(), 2);
    EXPECT_EQ(check.rounds(0).version(), 1u);
    EXPECT_EQ(check.rounds(0).sums().merchant_count(), 2);
    EXPECT_EQ(check.rounds(1).version(), 2u);
    EXPECT_EQ(check.rounds(1).sums().gross(), 5'500);
    EXPECT_EQ(check.round_sums().gross(), 3 * 5'500);
    const BusinessDate told_date = BusinessDate::FromNumber(check.rounds(0).told_date()).value();
    EXPECT_GT(told_date, kDay);
    EXPECT_EQ(check.rounds(1).told_date(), told_date.ToNumber());
    ASSERT_OK_AND_ASSIGN(const auto told, ToldOn(told_date));
    ASSERT_EQ(told.rounds_size(), 2);
    for (int round = 0; round < 2; ++round) {
        EXPECT_EQ(told.rounds(round).SerializeAsString(), check.rounds(round).SerializeAsString());
    }
    ASSERT_OK_AND_ASSIGN(const auto nothing, ToldOn(told_date.Next()));
    EXPECT_EQ(nothing.rounds_size(), 0);
    EXPECT_THAT(Call(ListToldReleases(), v1::ListToldReleasesRequest()),
                Refuses(Code::kInvalidArgument, "FIELD_INVALID"));

    // They are in the outbox once more, and the same.
    const auto in_outbox = [&] {
        ASSERT_OK_AND_ASSIGN(const auto events,
                             transfers_.told_releases.Find(std::vector<BusinessDate>{kDay}));
        std::vector<std::int64_t> counts;
        ASSERT_OK_AND_ASSIGN(auto session, payout_->pool.Acquire(std::chrono::seconds(5)));
        for (const auto& event : events) {
            ASSERT_OK_AND_ASSIGN(const std::string sealed, payout_->encoder.DayReleased(event));
            ASSERT_OK_AND_ASSIGN(auto found,
                                 session->Select(mysql::Query{"test.told",
                                                              "SELECT COUNT(*) FROM outbox "
                                                              "WHERE INSTR(entries, ?) > 0"},
                                                 mysql::Bytes{sealed}));
            found.Next();
            counts.push_back(found.Int(0));
        }
        told_ = counts;
    };
    in_outbox();
    EXPECT_THAT(told_, ::testing::ElementsAre(1, 1));
    const std::int64_t object = kDay.ToNumber();
    const auto unknown = Refuses(Code::kNotFound, "EVENT_UNKNOWN");
    for (const std::uint32_t version : {3u, 4u}) {
        EXPECT_THAT(
            transfers_.republish.Run(std::vector<app::EventName>{{object, 1}, {object, version}}),
            unknown);
    }
    EXPECT_THAT(transfers_.republish.Run(std::vector<app::EventName>{{kDay.Next().ToNumber(), 1}}),
                unknown);
    EXPECT_THAT(transfers_.republish.Run(std::vector<app::EventName>{{object, 2}}),
                testing::IsOkAnd(1));
    in_outbox();
    EXPECT_THAT(told_, ::testing::ElementsAre(1, 2));
    EXPECT_THAT(transfers_.republish.RunOfRelease(kDay), testing::IsOkAnd(2));
    in_outbox();
    EXPECT_THAT(told_, ::testing::ElementsAre(2, 3));
    EXPECT_THAT(transfers_.republish.RunOfRelease(kDay.Next()), unknown);
    // What an older version told is not known so well.
    payout_->Run("UPDATE release_round SET told_date = NULL WHERE round = 0");
    EXPECT_THAT(transfers_.republish.Run(std::vector<app::EventName>{{object, 1}}), unknown);
    ASSERT_OK_AND_ASSIGN(const auto older, CheckDay());
    ASSERT_EQ(older.rounds_size(), 2);
    EXPECT_EQ(older.rounds(0).told_date(), 0);
}

// Goal: what a day's tax grows from is said by the rows, in the order in which rounds released,
// whatever order the days have and whatever the clocks said.
// Method: days of a month and of the one before, released in another order than their own; for each
// line the fees by hand, and the tax that follows from them.
TEST_F(CheckRpcTest, LinesSayWhatTheirTaxGrowsFrom) {
    const std::vector<BusinessDate> days{Day(20261030), Day(20261101), Day(20261102),
                                         Day(20261103)};
    std::int64_t payment = 1;
    for (const BusinessDate day : days) {
        std::vector<domain::PaymentChange> changes;
        for (std::int64_t merchant = 1; merchant <= 3; ++merchant) {
            changes.push_back(Sale(payment, merchant, day, 1'000 + payment));
            ++payment;
        }
        ASSERT_TRUE(payout_->Deliver(changes).empty());
        payout_->Close(day);
    }
    // Merchant 2 is held back on the first day of the month, until the others have been released.
    payout_->Run(
        "UPDATE accrual SET gross = gross + 1 WHERE merchant_id = 2 "
        "AND business_date = '2026-11-01'");
    for (const std::size_t day : {0u, 1u, 3u, 2u}) {
        ASSERT_OK(payout_->release_day.Run(days[day], false).status());
    }
    payout_->Run(
        "UPDATE accrual SET gross = gross - 1 WHERE merchant_id = 2 "
        "AND business_date = '2026-11-01'");
    ASSERT_OK(payout_->release_day.Run(days[1], false).status());
    std::map<std::int64_t, std::int64_t> cycle;
    const auto check = [&](BusinessDate day, std::vector<std::int64_t> merchants) {
        const auto listed = Merchants(2, {}, day);
        for (const std::int64_t merchant : merchants) {
            SCOPED_TRACE(day.ToString() + " merchant " + std::to_string(merchant));
            const auto& line = listed.at(merchant).lines(0);
            ASSERT_TRUE(line.has_cycle_fee_before());
            EXPECT_EQ(line.cycle_fee_before(), cycle[merchant]);
            cycle[merchant] += line.released_fee();
            EXPECT_EQ(line.tax(), cycle[merchant] / 10 - line.cycle_fee_before() / 10);
        }
    };
    check(days[0], {1, 2, 3});
    cycle.clear();
    check(days[1], {1, 3});
    check(days[3], {1, 2, 3});
    check(days[2], {1, 2, 3});
    check(days[1], {2});
}

TEST_F(CheckRpcTest, MerchantsHeldBackAreShown) {
    Trade(3);
    payout_->Close(kDay);
    payout_->Run("UPDATE accrual SET gross = gross + 1 WHERE payment_id = 20");
    ASSERT_OK(payout_->release_day.Run(kDay, false).status());
    ASSERT_OK_AND_ASSIGN(const auto check, CheckDay());
    EXPECT_EQ(check.held_count(), 1);
    EXPECT_EQ(check.released_sums().merchant_count(), 2);
    const auto merchants = Merchants(10);
    EXPECT_TRUE(merchants.at(2).held_back());
    EXPECT_FALSE(merchants.at(2).lines(0).released());
    EXPECT_FALSE(merchants.at(1).held_back());
}

// Goal: each wrong fee and tax class is named with what it should be.
TEST_F(CheckRpcTest, WrongFeesAreNamed) {
    Trade(5);
    payout_->Close(kDay);
    ASSERT_OK_AND_ASSIGN(const auto none, WrongFees());
    EXPECT_TRUE(none.empty());
    v1::GetFeeDigestsRequest request;
    request.set_business_date(kDay.ToNumber());
    ASSERT_OK_AND_ASSIGN(const auto before, Call(GetFeeDigests(), request));

    payout_->Run("UPDATE accrual SET fee = fee + 5 WHERE payment_id = 31 AND version = 1");
    payout_->Run("UPDATE accrual SET tax_class = 1 WHERE payment_id = 42 AND version = 2");
    ASSERT_OK_AND_ASSIGN(const auto wrong, WrongFees());
    ASSERT_EQ(wrong.size(), 2u);
    EXPECT_EQ(wrong[0].payment_id(), 31);
    EXPECT_EQ(wrong[0].merchant_id(), 3);
    EXPECT_EQ(wrong[0].gross(), 2'000);
    EXPECT_EQ(wrong[0].expected_fee(), 39);
    EXPECT_EQ(wrong[0].fee(), 44);
    EXPECT_EQ(wrong[0].tax_class(), wrong[0].expected_tax_class());
    EXPECT_EQ(wrong[1].payment_id(), 42);
    EXPECT_EQ(wrong[1].version(), 2u);
    EXPECT_EQ(wrong[1].tax_class(), "standard_8");
    EXPECT_EQ(wrong[1].expected_tax_class(), "standard_10");
    EXPECT_EQ(wrong[1].fee(), wrong[1].expected_fee());

    ASSERT_OK_AND_ASSIGN(const auto after, Call(GetFeeDigests(), request));
    ASSERT_EQ(after.buckets_size(), before.buckets_size());
    int different = 0;
    for (int i = 0; i < after.buckets_size(); ++i) {
        if (after.buckets(i).hash_sum() != before.buckets(i).hash_sum()) ++different;
    }
    EXPECT_EQ(different, 2);
}

// Goal: what became of transfers is summed by day and listed, and balances are as their rows make
// them, and not as they were changed.
TEST_F(CheckRpcTest, TransfersAndBalances) {
    Trade(3);
    payout_->Close(kDay);
    ASSERT_OK(payout_->release_day.Run(kDay, false).status());
    for (const std::int64_t merchant : {1, 2, 3}) {
        ASSERT_OK_AND_ASSIGN(const auto account,
                             transfers_.bank_accounts.Put({.merchant = domain::MerchantId(merchant),
                                                           .bank_code = "0001",
                                                           .branch_code = "004",
                                                           .type = 1,
                                                           .number = "1234567",
                                                           .holder = "カ）ミセ"},
                                                          "aiko"));
        ASSERT_OK(
            transfers_.bank_accounts.Confirm(domain::MerchantId(merchant), account.version, "ken")
                .status());
    }
    ASSERT_OK(transfers_.create.Run(kDue, "aiko").status());
    v1::GetTransferSumsRequest sums;
    sums.set_business_date(kDue.ToNumber());
    ASSERT_OK_AND_ASSIGN(auto of_day, Call(GetTransferSums(), sums));
    EXPECT_FALSE(of_day.final()) << "the day is today";
    ASSERT_EQ(of_day.steps_size(), 1);
    EXPECT_EQ(of_day.steps(0).kind(), 1);
    EXPECT_EQ(of_day.steps(0).count(), 3);
    clock_.Advance(std::chrono::hours(24));
    ASSERT_OK_AND_ASSIGN(of_day, Call(GetTransferSums(), sums));
    EXPECT_TRUE(of_day.final());

    v1::ListTransferStepsRequest steps;
    steps.set_business_date(kDue.ToNumber());
    steps.set_page_size(2);
    std::int64_t amount = 0;
    int count = 0;
    do {
        ASSERT_OK_AND_ASSIGN(const auto page, Call(ListTransferSteps(), steps));
        for (const auto& step : page.steps()) {
            ++count;
            amount += step.amount();
            EXPECT_EQ(step.kind(), 1);
            EXPECT_GT(step.transfer_id(), 0);
        }
        steps.set_after_journal_id(page.next_journal_id());
    } while (steps.after_journal_id() != 0);
    EXPECT_EQ(count, 3);
    EXPECT_EQ(amount, of_day.steps(0).amount());

    payout_->Run("UPDATE merchant_account SET in_transit = in_transit + 7 WHERE merchant_id = 2");
    payout_->Run("UPDATE transfer SET amount = amount + 9 WHERE merchant_id = 3");
    v1::ListMovedFundsRequest request;
    request.set_business_date(kDue.ToNumber());
    request.set_page_size(2);
    std::vector<v1::ListMovedFundsResponse::Funds> funds;
    do {
        ASSERT_OK_AND_ASSIGN(const auto page, Call(ListMovedFunds(), request));
        for (const auto& one : page.funds()) funds.push_back(one);
        request.set_after_merchant_id(page.next_merchant_id());
    } while (request.after_merchant_id() != 0);
    ASSERT_EQ(funds.size(), 3u);
    for (const auto& one : funds) {
        EXPECT_EQ(one.available(),
                  one.released() + one.adjusted() - one.paid() - one.prices() + one.came_back());
        EXPECT_EQ(one.in_transit(), one.open_transfers() + (one.merchant_id() == 2 ? 7 : 0));
        ASSERT_EQ(one.made_size(), 1);
        EXPECT_EQ(one.made(0).parts(), one.paid());
        EXPECT_EQ(one.made(0).amount(), one.paid() + (one.merchant_id() == 3 ? 9 : 0));
    }

    // By name, on a day on which nothing of theirs moved too.
    v1::ListMovedFundsRequest named;
    named.set_business_date(kDue.Next().ToNumber());
    for (const std::int64_t merchant : {3, 2, 2, 77}) named.add_merchant_ids(merchant);
    ASSERT_OK_AND_ASSIGN(auto some, Call(ListMovedFunds(), named));
    ASSERT_EQ(some.funds_size(), 3);
    EXPECT_EQ(some.next_merchant_id(), 0);
    EXPECT_EQ(some.funds(0).merchant_id(), 2);
    EXPECT_EQ(some.funds(0).in_transit(), some.funds(0).open_transfers() + 7);
    EXPECT_EQ(some.funds(1).made_size(), 0);
    EXPECT_EQ(some.funds(2).available(), 0);
    named.set_business_date(kDue.ToNumber());
    ASSERT_OK_AND_ASSIGN(some, Call(ListMovedFunds(), named));
    EXPECT_EQ(some.funds(1).made_size(), 1);
    for (std::int64_t merchant = 1; merchant <= 201; ++merchant) named.add_merchant_ids(merchant);
    EXPECT_THAT(Call(ListMovedFunds(), named), Refuses(Code::kInvalidArgument, "FIELD_INVALID"));
}

}  // namespace
}  // namespace kessai::payout
