// Goal: what merchants' files are made from is every change of theirs, once, whatever the parts it
// is read in, the pages, and the places at which a reader begins again; and never less than all.
// Method: random trade over some days on a real MariaDB, listed by the service over gRPC, and held
// against the table. Pages are of some rows, so that each is passed often. The seed is printed.

#include <algorithm>
#include <random>
#include <set>
#include <tuple>

#include "app/list_transactions.h"
#include "kessai/auth/key_ring.h"
#include "kessai/auth/token.h"
#include "kessai/rpc/call.h"
#include "kessai/rpc/channel.h"
#include "kessai/rpc/server.h"
#include "storage/mysql_transaction_reader.h"
#include "tests/ledger_fixture.h"
#include "transport/transaction_service.h"

namespace kessai::payment {
namespace {

using namespace std::chrono_literals;
using domain::Command;
using domain::UserId;
using testing::Refuses;

constexpr rpc::Name kService = "kessai.payment.v1.TransactionService";
constexpr auto& ListTransactions =
    rpc::MethodOf<kService, "ListTransactions", v1::ListTransactionsRequest, v1::TransactionBatch>;

/// Of a row, all that a file may tell.
using Row = std::tuple<std::int64_t, std::uint32_t, int, std::int32_t, std::int64_t, std::int64_t,
                       std::string, std::int64_t, std::string, std::string, std::string,
                       std::string, std::string>;

class TransactionsTest : public LedgerTest {
 protected:
    TransactionsTest()
        : random_(seed_),
          ring_(auth::KeyRing::Parse("key 1 " + std::string(64, 'a') + "\nsign 1\n").value()),
          verifier_(ring_, SystemClock(), {.audience = "payment"}),
          signer_(ring_, SystemClock()),
          transactions_(pool_, 7),
          list_(transactions_, days_),
          names_(10s, 1'000, SystemClock()),
          service_(list_, reader_, names_),
          workers_({.name = "lists", .threads = 3}),
          server_({}, SystemClock(), verifier_, nullptr) {
        rpc::Service methods(kService.view(), transport::TransactionPolicy());
        service_.Register(methods, workers_);
        server_.Add(std::move(methods));
        EXPECT_OK(server_.Start());
        rpc::ChannelOptions channel;
        channel.target = "127.0.0.1:" + std::to_string(server_.port());
        channel_ =
            std::make_unique<rpc::Channel>(rpc::Channel::Create(channel, SystemClock()).value());
        for (int i = 0; i < kMerchants; ++i) {
            EXPECT_OK(reader_.PutMerchant({domain::MerchantId(7 + i), NameOf(7 + i), false, true}));
        }
    }
    ~TransactionsTest() override {
        channel_ = nullptr;
        (void)server_.Stop(5s);
        workers_.Stop();
    }

    static constexpr int kMerchants = 4;
    static constexpr int kUsers = 6;
    static std::string NameOf(std::int64_t merchant) {
        return "カフェ " + std::to_string(merchant);
    }
    int Pick(int below) { return static_cast<int>(random_() % static_cast<unsigned>(below)); }
    BusinessDate OpenDay() { return days_.Read().value().open_date; }
    Instant DatabaseTime() { return days_.Read().value().time; }

    void OpenWallets(app::BatchExecutor& executor) {
        for (int i = 1; i <= kUsers; ++i) GivenBalance(executor, UserId(i), 900'000);
    }
    /// Payments, and cancels and refunds of them and of earlier ones.
    void Trade(app::BatchExecutor& executor, int count) {
        std::vector<Command> orders;
        for (int i = 0; i < count; ++i) {
            auto order = Order("o-" + std::to_string(++keys_), 1 + Pick(3'000));
            order.merchant = domain::MerchantId(7 + Pick(kMerchants));
            order.details.store_id = "店-" + std::to_string(Pick(3));
            order.details.terminal_id = Pick(2) == 0 ? "" : "pos";
            order.details.order_receipt_number = "R" + std::to_string(i);
            orders.push_back(order);
        }
        std::vector<Command> pays;
        for (const auto& outcome : Execute(executor, std::move(orders))) {
            pays.push_back(Pay(PaymentOf(outcome), UserId(1 + Pick(kUsers))));
        }
        for (const auto& outcome : Execute(executor, std::move(pays))) {
            paid_.push_back(PaymentOf(outcome));
        }
        std::vector<Command> returns;
        for (int i = 0; i < count / 2; ++i) {
            const auto& payment =
                paid_[static_cast<std::size_t>(Pick(static_cast<int>(paid_.size())))];
            if (Pick(3) == 0) {
                returns.push_back(
                    domain::CancelPayment{{payment.merchant, payment.merchant_payment_id}});
            } else {
                returns.push_back(domain::RefundPayment{
                    payment.merchant, "r-" + std::to_string(++keys_), payment.id,
                    Yen(1 + Pick(static_cast<int>(payment.amount.minor()))), "", 0});
            }
        }
        (void)Execute(executor, std::move(returns));
    }

    std::vector<Row> Stored(const std::string& condition) {
        const std::string sql =
            "SELECT object_id, version, kind, business_date, occurred_at_us, merchant_id, amount, "
            "merchant_payment_id, store_id, terminal_id, order_receipt_number, merchant_refund_id "
            "FROM journal WHERE merchant_id <> 0 AND " +
            condition;
        auto session = pool_.Acquire(5s).value();
        auto rows = session->Select(mysql::Query{"test.journal", sql}).value();
        std::vector<Row> all;
        while (rows.Next()) {
            all.emplace_back(rows.Int(0), static_cast<std::uint32_t>(rows.Uint(1)),
                             static_cast<int>(rows.Int(2)), rows.Date(3).ToNumber(), rows.Int(4),
                             rows.Int(5), NameOf(rows.Int(5)), rows.Int(6), rows.Text(7),
                             rows.Text(8), rows.Text(9), rows.Text(10), rows.Text(11));
        }
        std::sort(all.begin(), all.end());
        return all;
    }
    static std::string OfDay(BusinessDate day) {
        return "business_date = '" + day.ToString() + "'";
    }

    static v1::ListTransactionsRequest DayRequest(BusinessDate day) {
        v1::ListTransactionsRequest request;
        request.set_business_date(day.ToNumber());
        request.set_parts(1);
        return request;
    }
    static v1::ListTransactionsRequest PeriodRequest(Instant from, Instant to) {
        v1::ListTransactionsRequest request;
        request.mutable_period()->set_from_us(ToMicros(from));
        request.mutable_period()->set_to_us(ToMicros(to));
        request.set_parts(1);
        return request;
    }

    static void Append(const v1::TransactionBatch& batch, std::vector<Row>& rows) {
        std::size_t text = 0;
        int length = 0;
        const auto next = [&] {
            const std::string taken = batch.texts().substr(text, batch.text_bytes(length));
            text += batch.text_bytes(length++);
            return taken;
        };
        EXPECT_EQ(batch.currency(), "JPY");
        for (int i = 0; i < batch.payment_id_size(); ++i) {
            const auto& merchant = batch.merchants(static_cast<int>(batch.merchant(i)));
            std::string texts[5];
            for (std::string& each : texts) each = next();
            rows.emplace_back(batch.payment_id(i), batch.version(i), batch.kind(i),
                              batch.business_date(i), batch.accepted_at_us(i),
                              merchant.merchant_id(), merchant.name(), batch.amount(i), texts[0],
                              texts[1], texts[2], texts[3], texts[4]);
        }
        EXPECT_EQ(text, batch.texts().size());
    }
    Status Call(const v1::ListTransactionsRequest& request,
                const std::function<Status(const v1::TransactionBatch&)>& take,
                auth::Role role = auth::Role::kService) {
        const std::string token =
            signer_.Mint({.role = role, .subject = "tester", .merchant_id = 7}, "payment").value();
        return rpc::CallStreaming(*channel_, ListTransactions(), request,
                                  {.timeout = 20s, .token = token, .wait_for_ready = true}, take);
    }
    Status Refusal(const v1::ListTransactionsRequest& request) {
        return Call(request, [](const auto&) { return OkStatus(); });
    }
    /// All parts, sorted.
    std::vector<Row> Listed(v1::ListTransactionsRequest request, std::uint32_t parts) {
        std::vector<Row> rows;
        request.set_parts(parts);
        for (std::uint32_t part = 0; part < parts; ++part) {
            request.set_part(part);
            EXPECT_OK(Call(request, [&](const v1::TransactionBatch& batch) {
                Append(batch, rows);
                return OkStatus();
            }));
        }
        std::sort(rows.begin(), rows.end());
        return rows;
    }

    const unsigned seed_ = std::random_device{}();
    std::mt19937 random_;
    auth::FixedKeyRing ring_;
    auth::TokenVerifier verifier_;
    auth::TokenSigner signer_;
    storage::MysqlTransactionReader transactions_;
    app::ListTransactions list_;
    app::MerchantCache names_;
    transport::TransactionService service_;
    rpc::WorkerPool workers_;
    rpc::Server server_;
    std::unique_ptr<rpc::Channel> channel_;
    std::vector<domain::Payment> paid_;
    int keys_ = 0;
};

TEST_F(TransactionsTest, ADayIsAllOfItsChangesWhateverTheParts) {
    SCOPED_TRACE("seed " + std::to_string(seed_));
    auto& executor = Start({});
    OpenWallets(executor);
    const BusinessDate first = OpenDay();
    // The first day's payments have ids of that day; of those that follow none does, as with
    // refunds of old payments.
    for (int day = 0; day < 3; ++day) {
        Trade(executor, 60);
        ASSERT_OK(days_.MoveGates(OpenDay()));
    }
    for (int day = 0; day < 3; ++day) {
        const auto stored = Stored(OfDay(first.PlusDays(day)));
        ASSERT_GT(stored.size(), 60u);
        for (const std::uint32_t parts : {1u, 3u, 64u}) {
            EXPECT_EQ(Listed(DayRequest(first.PlusDays(day)), parts), stored);
        }
        auto of_merchant = DayRequest(first.PlusDays(day));
        of_merchant.set_merchant_id(8);
        EXPECT_EQ(Listed(of_merchant, 5),
                  Stored(OfDay(first.PlusDays(day)) + " AND merchant_id = 8"));
    }
}

TEST_F(TransactionsTest, APartGoesOnBehindAnyOfItsRows) {
    SCOPED_TRACE("seed " + std::to_string(seed_));
    auto& executor = Start({});
    OpenWallets(executor);
    const BusinessDate first = OpenDay();
    Trade(executor, 20);
    ASSERT_OK(days_.MoveGates(first));
    Trade(executor, 20);
    ASSERT_OK(days_.MoveGates(first.Next()));
    for (const BusinessDate day : {first, first.Next()}) {
        // The positions of all rows of the part, from the use case: a batch has only its last one.
        std::vector<std::pair<app::TransactionPosition, std::int64_t>> rows;
        for (const std::int64_t merchant : {std::int64_t{0}, std::int64_t{8}}) {
            rows.clear();
            app::TransactionQuery query{.business_date = day,
                                        .merchant = domain::MerchantId(merchant),
                                        .part = 0,
                                        .parts = 1};
            ASSERT_OK(list_.Run(query, [&](const app::TransactionRow& row) {
                rows.emplace_back(row.position, row.object);
                return true;
            }));
            const std::string of = merchant == 0 ? "" : " AND merchant_id = 8";
            ASSERT_EQ(rows.size(), Stored(OfDay(day) + of).size());
            ASSERT_GT(rows.size(), 0u);
            for (std::size_t i = 0; i < rows.size(); ++i) {
                query.after = rows[i].first;
                std::vector<std::int64_t> rest;
                ASSERT_OK(list_.Run(query, [&](const app::TransactionRow& row) {
                    rest.push_back(row.object);
                    return true;
                }));
                ASSERT_EQ(rest.size(), rows.size() - i - 1);
                for (std::size_t j = 0; j < rest.size(); ++j) {
                    ASSERT_EQ(rest[j], rows[i + 1 + j].second);
                }
            }
        }
    }
}

TEST_F(TransactionsTest, APeriodCrossesDaysAndIsBoundedByTime) {
    SCOPED_TRACE("seed " + std::to_string(seed_));
    auto& executor = Start({});
    OpenWallets(executor);
    std::vector<Instant> times{DatabaseTime()};
    for (int step = 0; step < 6; ++step) {
        Trade(executor, 15);
        if (step % 2 == 1) {
            ASSERT_OK(days_.MoveGates(OpenDay()));
        }
        times.push_back(DatabaseTime());
    }
    for (std::size_t from = 0; from < times.size(); ++from) {
        for (std::size_t to = from + 1; to < times.size(); ++to) {
            const std::string between =
                "occurred_at_us >= " + std::to_string(ToMicros(times[from])) +
                " AND occurred_at_us < " + std::to_string(ToMicros(times[to]));
            EXPECT_EQ(Listed(PeriodRequest(times[from], times[to]), 3), Stored(between));
            auto of_merchant = PeriodRequest(times[from], times[to]);
            of_merchant.set_merchant_id(9);
            EXPECT_EQ(Listed(of_merchant, 1), Stored(between + " AND merchant_id = 9"));
        }
    }
}

// Goal: once a period was listed, nothing is added to it, though the day is open.
TEST_F(TransactionsTest, AListedPeriodIsFinal) {
    auto& executor = Start({});
    OpenWallets(executor);
    Trade(executor, 20);
    const Instant from = DatabaseTime() - 1h;
    const Instant to = DatabaseTime();
    const auto before = Listed(PeriodRequest(from, to), 2);
    EXPECT_EQ(before.size(), Stored(OfDay(OpenDay())).size());
    // As if the database's clock had gone back: gates keep what they promised.
    EXPECT_GE(Number("SELECT MIN(last_time_us) FROM gate"), ToMicros(to));
    Trade(executor, 20);
    EXPECT_EQ(Listed(PeriodRequest(from, to), 2), before);
    EXPECT_THAT(Refusal(PeriodRequest(from, DatabaseTime() + 1h)),
                Refuses(Code::kFailedPrecondition, "DAY_NOT_OVER"));
}

TEST_F(TransactionsTest, WhatIsNotFinalOrMakesNoSenseIsRefused) {
    auto& executor = Start({});
    OpenWallets(executor);
    const BusinessDate open = OpenDay();
    EXPECT_THAT(Refusal(DayRequest(open)), Refuses(Code::kFailedPrecondition, "DAY_OPEN"));
    EXPECT_THAT(Refusal(DayRequest(open.Next())),
                Refuses(Code::kFailedPrecondition, "DAY_NOT_CURRENT"));
    EXPECT_THAT(Refusal(DayRequest(open.PlusDays(-10))),
                Refuses(Code::kFailedPrecondition, "DAY_NOT_CURRENT"));
    ASSERT_OK(days_.MoveGates(open));
    // Its events are on their way still; its rows are all there.
    EXPECT_OK(Refusal(DayRequest(open)));

    v1::ListTransactionsRequest nothing;
    nothing.set_parts(1);
    EXPECT_THAT(Refusal(nothing), Refuses(Code::kInvalidArgument, "FIELD_INVALID"));
    auto request = DayRequest(open);
    request.set_parts(0);
    EXPECT_THAT(Refusal(request), Refuses(Code::kInvalidArgument, "FIELD_INVALID"));
    request.set_parts(1'025);
    EXPECT_THAT(Refusal(request), Refuses(Code::kInvalidArgument, "FIELD_INVALID"));
    request.set_parts(4);
    request.set_part(4);
    EXPECT_THAT(Refusal(request), Refuses(Code::kInvalidArgument, "FIELD_INVALID"));
    request = DayRequest(open);
    request.set_merchant_id(-1);
    EXPECT_THAT(Refusal(request), Refuses(Code::kInvalidArgument, "FIELD_INVALID"));
    request = DayRequest(open);
    for (const char* after :
         {"x", "0", "0-20261130-1-2", "2-20261130-1-2-3", "1-20261130-1-2-3x", "1-20200101-1-2-3",
          "0-0-0-5-1", "1-20261130-5000-2-3", "1-99999999999-0-1-1", "-1-1-1-1-1"}) {
        request.set_after(after);
        EXPECT_THAT(Refusal(request), Refuses(Code::kInvalidArgument, "PAGE_TOKEN_INVALID"))
            << after;
    }
    EXPECT_THAT(Refusal(PeriodRequest(FromMicros(5), FromMicros(5))),
                Refuses(Code::kInvalidArgument, "FIELD_INVALID"));
    EXPECT_EQ(Call(
                  DayRequest(open), [](const auto&) { return OkStatus(); }, auth::Role::kMerchant)
                  .code(),
              Code::kPermissionDenied);
}

// Goal: a list that the service ends is never taken for a whole one.
TEST_F(TransactionsTest, AStoppedListIsUnavailable) {
    auto& executor = Start({});
    OpenWallets(executor);
    Trade(executor, 5);
    const BusinessDate day = OpenDay();
    ASSERT_OK(days_.MoveGates(day));
    service_.StopLists();
    EXPECT_EQ(Refusal(DayRequest(day)).code(), Code::kUnavailable);
}

}  // namespace
}  // namespace kessai::payment
