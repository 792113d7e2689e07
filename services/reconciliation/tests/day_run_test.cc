// Goal: a closed day is compared over the real parts: payment's and payout's answers over gRPC, our
// own books in MySQL, the operator's calls over gRPC.
// Method: in-process peers whose rows a test damages; a real MariaDB; the service as it is served.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "app/change_discrepancy.h"
#include "app/compare_day.h"
#include "app/enquiries.h"
#include "app/record_day_mark.h"
#include "kessai/auth/key_ring.h"
#include "kessai/reconciliation/v1/reconciliation_service.grpc.pb.h"
#include "kessai/rpc/call.h"
#include "kessai/rpc/server.h"
#include "kessai/rpc/worker_pool.h"
#include "tests/fake_peers.h"
#include "tests/reconciliation_fixture.h"
#include "transport/day_run_worker.h"
#include "transport/grpc_peer_book.h"
#include "transport/reconciliation_metrics.h"
#include "transport/reconciliation_service.h"

namespace kessai::reconciliation::transport {
namespace {

using domain::BookRow;
using domain::PaymentClaim;
using domain::testing::Day;
using domain::testing::PaymentSays;
using domain::testing::PayoutSays;
using kessai::testing::IsOk;
using kessai::testing::Refuses;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::string_view kKeys =
    "key 1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\nsign 1\n";

template <class Request, class Response>
const rpc::Method<Request, Response>& MethodOf(const char* name) {
    static std::map<std::string, rpc::Method<Request, Response>> methods;
    return methods.try_emplace(name, std::string(kServiceName) + "." + name).first->second;
}

class DayRunTest : public ::testing::Test {
 protected:
    DayRunTest() {
        payment_.book.business_date = payout_.book.business_date = Day();
        rpc::Service service(kServiceName, Policy());
        service_.Register(service, workers_, run_workers_);
        server_.Add(std::move(service));
        KESSAI_CHECK(server_.Start().ok(), "it listens");
        channel_.emplace(
            rpc::Channel::Create({.target = "127.0.0.1:" + std::to_string(server_.port())},
                                 SystemClock())
                .value());
    }
    ~DayRunTest() override {
        runs_.Stop();
        server_.Stop(std::chrono::seconds(5));
    }

    rpc::Channel ChannelTo(const std::string& target) {
        return rpc::Channel::Create({.target = target}, SystemClock()).value();
    }
    std::string OperatorToken(std::vector<std::string> scopes = {"recon:read", "recon:write"}) {
        return signer_
            .Mint({.role = auth::Role::kOperator, .subject = "alice", .scopes = std::move(scopes)},
                  "reconciliation")
            .value();
    }
    template <class Response, class Request>
    Result<Response> Call(const char* method, const Request& request, std::string token = {},
                          Duration timeout = std::chrono::seconds(20)) {
        if (token.empty()) token = OperatorToken();
        return rpc::Call(*channel_, MethodOf<Request, Response>(method), request,
                         {.timeout = timeout, .token = token});
    }
    Result<v1::DayRun> RunDay(bool deep = false, Duration timeout = std::chrono::seconds(20)) {
        v1::RunDayRequest request;
        request.set_business_date(Day().ToNumber());
        request.set_deep(deep);
        return Call<v1::DayRun>("RunDay", request, {}, timeout);
    }
    std::vector<v1::Discrepancy> Discrepancies() {
        const auto listed = Call<v1::ListDiscrepanciesResponse>("ListDiscrepancies",
                                                                v1::ListDiscrepanciesRequest());
        EXPECT_THAT(listed, IsOk());
        return {listed->discrepancies().begin(), listed->discrepancies().end()};
    }

    static BookRow RowOf(const PaymentClaim& claim) {
        return {claim.key, claim.terms.merchant, claim.terms.gross.minor()};
    }
    void Hear(const std::vector<PaymentClaim>& payments, bool answered = true) {
        std::vector<domain::PayoutClaim> answers;
        for (const auto& claim : payments) answers.push_back(PayoutSays(claim));
        ASSERT_THAT(schema_.transactions().Run([&](app::Books& books) {
            return match_.Apply(books, std::span<const PaymentClaim>(payments), 0).status();
        }),
                    IsOk());
        if (!answered) return;
        ASSERT_THAT(schema_.transactions().Run([&](app::Books& books) {
            return match_.Apply(books, std::span<const domain::PayoutClaim>(answers), 0).status();
        }),
                    IsOk());
    }
    /// Changes on which everything agrees.
    void Happen(int count) {
        std::vector<PaymentClaim> payments;
        for (int i = 1; i <= count; ++i) {
            payments.push_back(PaymentSays(i, 1, 100 + i, 1 + i % 7));
            payment_.book.rows.emplace(payments.back().key, RowOf(payments.back()));
        }
        payout_.book.rows = payment_.book.rows;
        Hear(payments);
    }
    void CloseDay() {
        for (const auto source : {domain::Source::kPayment, domain::Source::kPayout}) {
            ASSERT_THAT(schema_.transactions().Run([&](app::Books& books) {
                return app::RecordDayMark(books, {Day(), source, 0, 1});
            }),
                        IsOk());
        }
    }
    static domain::ChangeKey KeyOf(std::int64_t payment) { return {domain::PaymentId(payment), 1}; }

    const digest::RowHasher hasher_{digest::RowHasher::Key{1, 2, 3}};
    const auth::FixedKeyRing keys_{auth::KeyRing::Parse(kKeys).value()};
    auth::TokenSigner signer_{keys_, SystemClock()};
    const auth::TokenVerifier payment_verifier_{keys_, SystemClock(), {.audience = "payment"}};
    const auth::TokenVerifier payout_verifier_{keys_, SystemClock(), {.audience = "payout"}};
    const auth::TokenVerifier verifier_{keys_, SystemClock(), {.audience = "reconciliation"}};
    testing::FakePayment payment_{payment_verifier_, hasher_};
    testing::FakePayout payout_{payout_verifier_, hasher_};
    testing::ReconciliationSchema schema_;
    metrics::Registry registry_;
    ReconciliationMetrics metrics_{registry_};
    app::MatchChanges match_{hasher_, SystemClock()};
    GrpcPaymentBook payment_book_{ChannelTo(payment_.target()), signer_, {}};
    GrpcPayoutBook payout_book_{ChannelTo(payout_.target()), signer_, {}};
    app::CompareDay compare_{{schema_.transactions(), schema_.leases(), payment_book_, payout_book_,
                              hasher_, SystemClock()}};
    app::Enquiries enquiries_{schema_.transactions()};
    app::ChangeDiscrepancy change_{schema_.transactions(), SystemClock()};
    DayRunWorker runs_{{.poll_every = std::chrono::milliseconds(20),
                        .queue_max = 2,
                        .retry = {.retry_first = std::chrono::milliseconds(50)}},
                       schema_.transactions(),
                       compare_,
                       metrics_,
                       SystemClock()};
    ReconciliationService service_{enquiries_, change_, runs_};
    rpc::WorkerPool workers_{{.name = "queries", .threads = 4}};
    rpc::WorkerPool run_workers_{{.name = "runs", .threads = 4}};
    rpc::Server server_{{}, SystemClock(), verifier_, nullptr};
    std::optional<rpc::Channel> channel_;
};

// Goal: the policy covers the contract exactly.
TEST(PolicyTest, FitsTheContract) {
    const auto* service =
        v1::GetMatchRequest::descriptor()->file()->FindServiceByName("ReconciliationService");
    ASSERT_NE(service, nullptr);
    EXPECT_THAT(Policy().CheckAgainst(*service), IsOk());
}

TEST_F(DayRunTest, EqualDayIsComparedByItselfAfterBothMarks) {
    Happen(500);
    runs_.Start();
    v1::GetDayRunRequest request;
    request.set_business_date(Day().ToNumber());
    EXPECT_THAT(Call<v1::DayRun>("GetDayRun", request), Refuses(Code::kNotFound, "RUN_UNKNOWN"));
    EXPECT_THAT(RunDay(), Refuses(Code::kFailedPrecondition, "DAY_OPEN"));

    CloseDay();
    ASSERT_EVENTUALLY([&] {
        const auto run = Call<v1::DayRun>("GetDayRun", request);
        return run.ok() && run->state() == v1::DayRun::EQUAL;
    }());
    {
        std::scoped_lock lock(payment_.book.mutex, payout_.book.mutex);
        EXPECT_EQ(payment_.book.lists + payout_.book.lists, 0);
        EXPECT_GT(payment_.book.verified, 0);
    }
    EXPECT_THAT(Discrepancies(), IsEmpty());
    // It is not compared again and again.
    EXPECT_EQ(schema_.Count("SELECT COUNT(*) FROM day_run"), 1);
    EXPECT_EQ(schema_.Count("SELECT state FROM reconciliation_day"), 3);
    EXPECT_EVENTUALLY(
        registry_.Expose().find("kessai_reconciliation_day_runs_total{state=\"equal\"} 1") !=
        std::string::npos);
}

TEST_F(DayRunTest, DifferencesAreListedAndCanBeSettled) {
    Happen(500);
    payout_.book.rows.erase(KeyOf(17));
    payout_.book.rows.at(KeyOf(30)).gross += 5;
    runs_.Start();
    CloseDay();
    const auto run = RunDay();
    ASSERT_THAT(run, IsOk());
    EXPECT_EQ(run->state(), v1::DayRun::DIFFERENT);
    EXPECT_EQ(run->discrepancies_found(), 2u);
    EXPECT_LE(run->buckets_different(), 2u);

    auto found = Discrepancies();
    ASSERT_THAT(found, SizeIs(2));
    std::ranges::sort(found, {}, [](const auto& one) { return one.payment_id(); });
    EXPECT_EQ(found[0].kind(), v1::Discrepancy::MISSING_IN_PAYOUT);
    EXPECT_EQ(found[0].payment_amount(), 117);
    EXPECT_FALSE(found[0].has_payout_amount());
    EXPECT_THAT(found[0].history(), SizeIs(1));
    EXPECT_EQ(found[1].kind(), v1::Discrepancy::AMOUNT_DIFFERS);
    EXPECT_EQ(found[1].payout_amount(), 135);
    EXPECT_EVENTUALLY(registry_.Expose().find("kessai_reconciliation_unsettled_discrepancies{kind="
                                              "\"AMOUNT_DIFFERS\"} 1") != std::string::npos);

    v1::ChangeDiscrepancyRequest change;
    change.set_discrepancy_id(found[1].discrepancy_id());
    change.set_state(v1::Discrepancy::ACCEPTED);
    change.set_note("the fee plan was wrong");
    const auto accepted = Call<v1::Discrepancy>("ChangeDiscrepancy", change);
    ASSERT_THAT(accepted, IsOk());
    EXPECT_EQ(accepted->state(), v1::Discrepancy::ACCEPTED);
    EXPECT_EQ(accepted->history(1).actor(), "alice");

    // Found again: the accepted one stays accepted, nothing is added.
    ASSERT_THAT(RunDay(), IsOk());
    EXPECT_EQ(schema_.Count("SELECT COUNT(*) FROM discrepancy_step"), 3);

    {
        std::lock_guard lock(payout_.book.mutex);
        payout_.book.rows = payment_.book.rows;
    }
    const auto repaired = RunDay();
    ASSERT_THAT(repaired, IsOk());
    EXPECT_EQ(repaired->state(), v1::DayRun::EQUAL);
    v1::GetDiscrepancyRequest get;
    get.set_discrepancy_id(found[0].discrepancy_id());
    EXPECT_EQ(Call<v1::Discrepancy>("GetDiscrepancy", get)->state(), v1::Discrepancy::REPAIRED);
    get.set_discrepancy_id(found[1].discrepancy_id());
    EXPECT_EQ(Call<v1::Discrepancy>("GetDiscrepancy", get)->state(), v1::Discrepancy::ACCEPTED);
}

// Goal: a run that a dead peer breaks off leaves what it found, and the automatic one completes it.
TEST_F(DayRunTest, PeerThatFailsInTheMiddle) {
    Happen(500);
    for (const int payment : {1, 2, 3, 4, 5}) payout_.book.rows.erase(KeyOf(payment));
    int lists = 0;
    payout_.book.before_list = [&lists](int) {
        return ++lists % 2 == 0 ? grpc::Status(grpc::StatusCode::UNAVAILABLE, "gone")
                                : grpc::Status::OK;
    };
    CloseDay();
    EXPECT_THAT(compare_.Run(Day(), false), Refuses(Code::kUnavailable, "OUTCOME_UNKNOWN"));
    EXPECT_EQ(schema_.Count("SELECT COUNT(*) FROM discrepancy"), 1);
    EXPECT_EQ(schema_.Count("SELECT COUNT(*) FROM day_run WHERE state = 4"), 1);

    {
        std::lock_guard lock(payout_.book.mutex);
        payout_.book.before_list = nullptr;
    }
    runs_.Start();
    ASSERT_EVENTUALLY(schema_.Count("SELECT COUNT(*) FROM day_run WHERE state = 3") == 1);
    EXPECT_EQ(schema_.Count("SELECT COUNT(*) FROM discrepancy"), 5);
    EXPECT_EQ(schema_.Count("SELECT COUNT(*) FROM discrepancy_step"), 5);
}

// Goal: a replica that is killed in a run loses nothing, and the next one marks its run as failed.
// Method: the run's row and lease are left behind as a kill leaves them; the lease then ends.
TEST_F(DayRunTest, KilledRunIsTakenOver) {
    Happen(50);
    CloseDay();
    auto lease = schema_.leases().TryAcquire(Day()).value();
    ASSERT_THAT(schema_.transactions().Run([&](app::Books& books) {
        return books.days.InsertRun({.business_date = Day(), .number = 1});
    }),
                IsOk());
    runs_.Start();
    EXPECT_THAT(RunDay(), Refuses(Code::kAborted, "RUN_RUNNING"));
    schema_.Execute("UPDATE lease SET expires_at_us = 0 WHERE name LIKE 'day\\_run/%'");
    ASSERT_EVENTUALLY(schema_.Count("SELECT COUNT(*) FROM day_run WHERE state = 2") == 1);
    EXPECT_EQ(schema_.Count("SELECT state FROM day_run WHERE run_number = 1"), 4);
    EXPECT_EQ(schema_.Count("SELECT state FROM day_run WHERE run_number = 2"), 2);
}

// Goal: a caller that cannot wait is answered in time, and the run goes on.
TEST_F(DayRunTest, CallerNeedNotWait) {
    Happen(20);
    payout_.book.rows.erase(KeyOf(3));
    std::atomic<bool> go{false};
    payout_.book.before_list = [&go](int) {
        return kessai::testing::Eventually([&go] { return go.load(); })
                   ? grpc::Status::OK
                   : grpc::Status(grpc::StatusCode::INTERNAL, "the test forgot to let it go");
    };
    CloseDay();
    runs_.Start();
    const auto run = RunDay(false, std::chrono::milliseconds(1'500));
    go = true;
    ASSERT_THAT(run, IsOk());
    EXPECT_EQ(run->state(), v1::DayRun::RUNNING);
    EXPECT_EVENTUALLY(schema_.Count("SELECT COUNT(*) FROM day_run WHERE state = 3") >= 1);
}

// Goal: requests are validated, and only operators with the scope may ask.
TEST_F(DayRunTest, BadCallsGetTheirNamedRefusal) {
    runs_.Start();
    v1::RunDayRequest run;
    for (const int date : {0, -1, 20261301, 2147483647}) {
        run.set_business_date(date);
        EXPECT_THAT(Call<v1::DayRun>("RunDay", run),
                    Refuses(Code::kInvalidArgument, "FIELD_INVALID"))
            << date;
    }
    run.set_business_date(Day().ToNumber());
    EXPECT_THAT(Call<v1::DayRun>("RunDay", run, OperatorToken({"recon:read"})),
                Refuses(Code::kPermissionDenied, "ROLE_NOT_ALLOWED"));
    const std::string merchants =
        signer_.Mint({.role = auth::Role::kMerchant, .merchant_id = 7}, "reconciliation").value();
    EXPECT_THAT(Call<v1::DayRun>("RunDay", run, merchants),
                Refuses(Code::kPermissionDenied, "ROLE_NOT_ALLOWED"));
    const std::string elsewhere =
        signer_.Mint({.role = auth::Role::kOperator, .scopes = {"recon:write"}}, "payment").value();
    EXPECT_THAT(Call<v1::DayRun>("RunDay", run, elsewhere),
                Refuses(Code::kUnauthenticated, "TOKEN_INVALID"));
    EXPECT_THAT(Call<v1::DayRun>("RunDay", run, "forged"),
                Refuses(Code::kUnauthenticated, "TOKEN_INVALID"));

    v1::GetMatchRequest match;
    EXPECT_THAT(Call<v1::Match>("GetMatch", match),
                Refuses(Code::kInvalidArgument, "FIELD_INVALID"));
    match.set_payment_id(1);
    EXPECT_THAT(Call<v1::Match>("GetMatch", match),
                Refuses(Code::kInvalidArgument, "FIELD_INVALID"));
    match.set_version(1);
    EXPECT_THAT(Call<v1::Match>("GetMatch", match), Refuses(Code::kNotFound, "MATCH_UNKNOWN"));

    v1::ListDiscrepanciesRequest list;
    for (const char* token : {"x", "0", "-5", "12x", "99999999999999999999"}) {
        list.set_page_token(token);
        EXPECT_THAT(Call<v1::ListDiscrepanciesResponse>("ListDiscrepancies", list),
                    Refuses(Code::kInvalidArgument, "PAGE_TOKEN_INVALID"))
            << token;
    }
    list.clear_page_token();
    list.set_page_size(1'001);
    EXPECT_THAT(Call<v1::ListDiscrepanciesResponse>("ListDiscrepancies", list),
                Refuses(Code::kInvalidArgument, "PAGE_SIZE_OUT_OF_RANGE"));
    list.set_page_size(1);
    list.set_state(static_cast<v1::Discrepancy::State>(77));
    EXPECT_THAT(Call<v1::ListDiscrepanciesResponse>("ListDiscrepancies", list),
                Refuses(Code::kInvalidArgument, "FIELD_INVALID"));

    v1::ChangeDiscrepancyRequest change;
    change.set_discrepancy_id(99);
    change.set_note("x");
    EXPECT_THAT(Call<v1::Discrepancy>("ChangeDiscrepancy", change),
                Refuses(Code::kInvalidArgument, "FIELD_INVALID"));
    change.set_state(v1::Discrepancy::EXPLAINED);
    EXPECT_THAT(Call<v1::Discrepancy>("ChangeDiscrepancy", change),
                Refuses(Code::kNotFound, "DISCREPANCY_UNKNOWN"));
    v1::GetDiscrepancyRequest get;
    get.set_discrepancy_id(-1);
    EXPECT_THAT(Call<v1::Discrepancy>("GetDiscrepancy", get),
                Refuses(Code::kNotFound, "DISCREPANCY_UNKNOWN"));
}

TEST_F(DayRunTest, ListIsPaged) {
    Happen(30);
    for (int payment = 1; payment <= 5; ++payment) payout_.book.rows.erase(KeyOf(payment));
    CloseDay();
    ASSERT_THAT(compare_.Run(Day(), false), IsOk());
    std::set<std::int64_t> seen;
    v1::ListDiscrepanciesRequest list;
    list.set_page_size(2);
    list.set_business_date(Day().ToNumber());
    list.set_state(v1::Discrepancy::OPEN);
    int pages = 0;
    do {
        const auto page = Call<v1::ListDiscrepanciesResponse>("ListDiscrepancies", list);
        ASSERT_THAT(page, IsOk());
        for (const auto& one : page->discrepancies())
            EXPECT_TRUE(seen.insert(one.payment_id()).second);
        list.set_page_token(page->next_page_token());
        ASSERT_LE(++pages, 3);
    } while (!list.page_token().empty());
    EXPECT_THAT(seen, SizeIs(5));
}

TEST_F(DayRunTest, MatchesCanBeAskedFor) {
    Happen(1);
    Hear({PaymentSays(2)}, /*answered=*/false);
    v1::GetMatchRequest match;
    match.set_payment_id(1);
    match.set_version(1);
    const auto matched = Call<v1::Match>("GetMatch", match);
    ASSERT_THAT(matched, IsOk());
    EXPECT_EQ(matched->state(), v1::Match::MATCHED);
    EXPECT_GT(matched->matched_at_us(), 0);
    match.set_payment_id(2);
    const auto waiting = Call<v1::Match>("GetMatch", match);
    ASSERT_THAT(waiting, IsOk());
    EXPECT_EQ(waiting->state(), v1::Match::WAITING);
    EXPECT_EQ(waiting->matched_at_us(), 0);
}

// Goal: an answer of a peer that makes no sense ends the run with its name and finds nothing.
TEST_F(DayRunTest, SenselessAnswersAreRefused) {
    Happen(10);
    CloseDay();
    {
        // The peer may still be writing what nobody reads any more.
        std::scoped_lock lock(payment_.book.mutex, payout_.book.mutex);
        payout_.book.rows.at(KeyOf(10)).gross += 1;
        // Out of order: not larger than what is there.
        payment_.book.intruders = {payment_.book.rows.at(KeyOf(10))};
    }
    EXPECT_THAT(compare_.Run(Day(), false), Refuses(Code::kDataLoss, "ROWS_OUT_OF_ORDER"));
}

TEST_F(DayRunTest, HugeBucketIsRefused) {
    Happen(10);
    CloseDay();
    payout_.book.rows.erase(KeyOf(1));
    GrpcPaymentBook small(ChannelTo(payment_.target()), signer_, {.bucket_rows_max = 0});
    app::CompareDay compare{
        {schema_.transactions(), schema_.leases(), small, payout_book_, hasher_, SystemClock()}};
    EXPECT_THAT(compare.Run(Day(), false), Refuses(Code::kResourceExhausted, "BUCKET_TOO_LARGE"));
}

// Goal: of many thousand changes exactly the damaged ones are found, by quick and deep runs.
TEST_F(DayRunTest, FindsExactlyTheDamagedOnes) {
    const auto seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    constexpr int kChanges = 5'000;
    Happen(kChanges);
    std::set<std::pair<std::int64_t, int>> expected;
    while (expected.size() < 60) {
        const auto payment = static_cast<std::int64_t>(1 + random() % kChanges);
        if (std::ranges::any_of(expected, [&](const auto& one) { return one.first == payment; })) {
            continue;
        }
        switch (random() % 4) {
            case 0:
                payout_.book.rows.erase(KeyOf(payment));
                expected.emplace(payment, v1::Discrepancy::MISSING_IN_PAYOUT);
                break;
            case 1:
                payment_.book.rows.erase(KeyOf(payment));
                expected.emplace(payment, v1::Discrepancy::MISSING_IN_PAYMENT);
                break;
            case 2:
                payout_.book.rows.at(KeyOf(payment)).gross -= 1;
                expected.emplace(payment, v1::Discrepancy::AMOUNT_DIFFERS);
                break;
            default:
                payment_.book.rows.at(KeyOf(payment)).gross = -7;
                payout_.book.rows.at(KeyOf(payment)).gross = -7;
                expected.emplace(payment, v1::Discrepancy::CHANGED_IN_BOTH);
        }
    }
    CloseDay();
    runs_.Start();
    for (const bool deep : {false, true}) {
        ASSERT_THAT(RunDay(deep), IsOk());
        std::set<std::pair<std::int64_t, int>> found;
        for (const auto& one : Discrepancies()) found.emplace(one.payment_id(), one.kind());
        EXPECT_EQ(found, expected);
    }
    EXPECT_EQ(schema_.Count("SELECT COUNT(*) FROM discrepancy_step"), 60);
}

}  // namespace
}  // namespace kessai::reconciliation::transport
