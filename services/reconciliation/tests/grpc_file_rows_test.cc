// Goal: rows of payment and payout come once each, though calls break off anywhere; what is not
// final or makes no sense is never taken for rows. Method: in-process peers over real gRPC, whose
// calls end early as a test says; rows are told apart by their ids. The seed is printed.

#include "transport/grpc_file_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <random>

#include "domain/file_sources.h"
#include "kessai/auth/key_ring.h"
#include "kessai/auth/policy.h"
#include "kessai/payment/v1/transaction_service.pb.h"
#include "kessai/payout/v1/file_row_service.pb.h"
#include "kessai/payout/v1/transfer_service.pb.h"
#include "kessai/rpc/server.h"
#include "kessai/rpc/service.h"
#include "kessai/rpc/worker_pool.h"
#include "kessai/testing/matchers.h"
#include "transport/transaction_rows.h"

namespace kessai::reconciliation::transport {
namespace {

using domain::MerchantId;
using filetemplate::Value;
using kessai::testing::Refuses;
using payment::v1::MethodAmount;
using payment::v1::PaymentChanged;
using payment::v1::TransactionBatch;

const BusinessDate kDay = BusinessDate::FromNumber(20261130).value();

std::vector<bool> AllFields(std::string_view source) {
    for (const auto& schema : FileSources()) {
        if (schema.source == source) return std::vector<bool>(schema.fields.size(), true);
    }
    return {};
}

/// A batch of one row; `change` makes it another.
TransactionBatch OneRow() {
    TransactionBatch batch;
    batch.add_payment_id(42);
    batch.add_version(1);
    batch.add_kind(PaymentChanged::COMPLETED);
    batch.add_business_date(20261130);
    batch.add_accepted_at_us(1'764'500'000'000'000);
    batch.add_amount(480);
    batch.add_merchant(0);
    auto& merchant = *batch.add_merchants();
    merchant.set_merchant_id(7);
    merchant.set_name("カフェ");
    for (const char* text : {"order-1", "shop", "pos", "R-1", "back-1"}) {
        batch.add_text_bytes(static_cast<std::uint32_t>(std::string_view(text).size()));
        *batch.mutable_texts() += text;
    }
    batch.set_currency("JPY");
    batch.set_position("1");
    return batch;
}

class TransactionRowsTest : public ::testing::Test {
 protected:
    /// The values of the last row, as texts and numbers; packed and unpacked on their way.
    Status Take(const TransactionBatch& batch) {
        TransactionRows rows(fields);
        TransactionUnpacker unpacker(fields);
        return rows.TakePacked(batch, [&](const app::PackedRow& row) -> Status {
            KESSAI_ASSIGN_OR_RETURN(const filetemplate::Row values, unpacker.Unpack(row));
            return Keep({row.merchant, row.accepted_us, row.id, row.step, values});
        });
    }
    Status Keep(const app::FileRow& row) {
        ++count;
        merchant = row.merchant;
        id = row.id;
        step = row.step;
        accepted_us = row.accepted_us;
        texts.clear();
        numbers.clear();
        empty.clear();
        for (const Value& value : row.values) {
            texts.emplace_back(value.text());
            numbers.push_back(value.number());
            empty.push_back(value.is_empty());
        }
        return OkStatus();
    }
    std::string Text(TransactionField field) { return texts[static_cast<std::size_t>(field)]; }
    std::int64_t Number(TransactionField field) { return numbers[static_cast<std::size_t>(field)]; }
    bool Empty(TransactionField field) { return empty[static_cast<std::size_t>(field)]; }

    std::vector<bool> fields = AllFields("transactions");
    int count = 0;
    MerchantId merchant;
    std::int64_t id = 0;
    std::uint32_t step = 0;
    std::int64_t accepted_us = 0;
    std::vector<std::string> texts;
    std::vector<std::int64_t> numbers;
    std::vector<bool> empty;
};

TEST_F(TransactionRowsTest, APaymentFromTheWallet) {
    ASSERT_OK(Take(OneRow()));
    EXPECT_EQ(merchant, MerchantId(7));
    EXPECT_EQ(id, 42);
    EXPECT_EQ(step, 1u);
    EXPECT_EQ(accepted_us, 1'764'500'000'000'000);
    EXPECT_EQ(Text(TransactionField::kOrderId), "42");
    EXPECT_EQ(Text(TransactionField::kMerchantId), "7");
    EXPECT_EQ(Text(TransactionField::kBrandName), "カフェ");
    EXPECT_EQ(Text(TransactionField::kStoreId), "shop");
    EXPECT_TRUE(Empty(TransactionField::kStoreName));
    EXPECT_EQ(Text(TransactionField::kTerminalId), "pos");
    EXPECT_EQ(Number(TransactionField::kStatus),
              static_cast<std::int64_t>(TransactionStatus::kCompleted));
    EXPECT_EQ(Number(TransactionField::kAmount), 480);
    EXPECT_EQ(Text(TransactionField::kOrderReceiptNumber), "R-1");
    EXPECT_EQ(Number(TransactionField::kMethods), 1);
    EXPECT_EQ(Text(TransactionField::kMerchantPaymentId), "order-1");
    EXPECT_TRUE(Empty(TransactionField::kMerchantRefundId));
    EXPECT_EQ(Text(TransactionField::kPaymentDetails),
              R"([{"paymentMethod":"WALLET","amount":480}])");
    EXPECT_EQ(Text(TransactionField::kPaymentDetailsJa),
              R"([{"paymentMethod":"PayPay残高","amount":480}])");
    EXPECT_EQ(Number(TransactionField::kIsCapturedLater), 0);
}

TEST_F(TransactionRowsTest, ARefundOverSomeMethods) {
    TransactionBatch batch = OneRow();
    batch.set_kind(0, PaymentChanged::REFUNDED);
    auto& split = *batch.add_splits();
    for (const auto& [method, amount] :
         {std::pair{MethodAmount::POINT, 80}, std::pair{MethodAmount::WALLET, 400}}) {
        auto& part = *split.add_methods();
        part.set_method(method);
        part.set_amount(amount);
    }
    ASSERT_OK(Take(batch));
    EXPECT_EQ(Number(TransactionField::kStatus),
              static_cast<std::int64_t>(TransactionStatus::kRefunded));
    EXPECT_EQ(Text(TransactionField::kMerchantRefundId), "back-1");
    EXPECT_EQ(Number(TransactionField::kMethods), 1 | 8);
    EXPECT_EQ(Text(TransactionField::kPaymentDetails),
              R"([{"paymentMethod":"POINT","amount":80},{"paymentMethod":"WALLET","amount":400}])");
    EXPECT_EQ(Text(TransactionField::kPaymentDetailsJa),
              R"([{"paymentMethod":"PayPayポイント","amount":80},)"
              R"({"paymentMethod":"PayPay残高","amount":400}])");
}

TEST_F(TransactionRowsTest, StatusesAreThePartnerContracts) {
    const std::vector<std::pair<PaymentChanged::Kind, TransactionStatus>> statuses{
        {PaymentChanged::CANCELED, TransactionStatus::kFailed},
        {PaymentChanged::AUTHORIZED, TransactionStatus::kAuthorized},
        {PaymentChanged::CAPTURED, TransactionStatus::kCompleted},
        {PaymentChanged::REVERTED, TransactionStatus::kCanceled},
        {PaymentChanged::EXPIRED, TransactionStatus::kExpired}};
    for (const auto& [kind, status] : statuses) {
        TransactionBatch batch = OneRow();
        batch.set_kind(0, kind);
        ASSERT_OK(Take(batch));
        EXPECT_EQ(Number(TransactionField::kStatus), static_cast<std::int64_t>(status));
    }
}

TEST_F(TransactionRowsTest, WhatMakesNoSenseIsNoRow) {
    const std::vector<std::function<void(TransactionBatch&)>> changes{
        [](auto& batch) { batch.add_amount(1); },
        [](auto& batch) { batch.clear_version(); },
        [](auto& batch) { batch.set_version(0, 0); },
        [](auto& batch) { batch.set_merchant(0, 1); },
        [](auto& batch) { batch.set_amount(0, -1); },
        [](auto& batch) { batch.set_kind(0, PaymentChanged::KIND_UNSPECIFIED); },
        [](auto& batch) { batch.set_kind(0, PaymentChanged::MERCHANT_COUPON); },
        [](auto& batch) { batch.mutable_texts()->pop_back(); },
        [](auto& batch) { batch.set_text_bytes(0, 4'000'000'000u); },
        [](auto& batch) { batch.clear_position(); },
        [](auto& batch) {
            batch.add_splits()->add_methods();
            batch.mutable_splits(0)->set_row(1);
        },
        [](auto& batch) { batch.add_splits(); },
        [](auto& batch) { batch.set_business_date(0, 20261301); }};
    for (std::size_t i = 0; i < changes.size(); ++i) {
        TransactionBatch batch = OneRow();
        changes[i](batch);
        EXPECT_THAT(Take(batch), Refuses(Code::kDataLoss, "PEER_ANSWER_INVALID")) << i;
    }
    TransactionBatch batch = OneRow();
    batch.set_currency("???");
    EXPECT_THAT(Take(batch), Refuses(Code::kInvalidArgument, "CURRENCY_UNKNOWN"));
    EXPECT_EQ(count, 0);
}

/// Payment and payout as far as rows go: `rows` rows, by ids from 1, in batches of some. A call
/// ends as `outcome` says, asked before each batch.
class Peers {
 public:
    std::int64_t rows = 1'000;
    std::function<Status()> outcome = [] { return OkStatus(); };
    std::atomic<int> calls{0};
    payment::v1::ListTransactionsRequest last_request;

    explicit Peers(const auth::KeyRingSource& keys)
        : payment_verifier_(keys, SystemClock(), {.audience = "payment"}),
          payout_verifier_(keys, SystemClock(), {.audience = "payout"}),
          workers_({.name = "peers", .threads = 4}),
          payment_({}, SystemClock(), payment_verifier_, nullptr),
          payout_({}, SystemClock(), payout_verifier_, nullptr) {
        rpc::Service transactions("kessai.payment.v1.TransactionService",
                                  auth::MethodPolicy({{"ListTransactions", {auth::AnyService()}}}));
        transactions.Streaming<payment::v1::ListTransactionsRequest, TransactionBatch>(
            "ListTransactions", workers_,
            [this](const rpc::CallContext&, const auto& request, auto& batches) {
                return ListTransactions(request, batches);
            });
        payment_.Add(std::move(transactions));
        rpc::Service file_rows("kessai.payout.v1.FileRowService",
                               auth::MethodPolicy({{"ListReleases", {auth::AnyService()}},
                                                   {"ListTransfers", {auth::AnyService()}}}));
        file_rows.Streaming<payout::v1::ListReleasesRequest, payout::v1::ReleaseRowBatch>(
            "ListReleases", workers_,
            [this](const rpc::CallContext&, const auto& request, auto& batches) {
                return ListReleases(request, batches);
            });
        file_rows.Streaming<payout::v1::ListTransfersRequest, payout::v1::TransferRowBatch>(
            "ListTransfers", workers_,
            [this](const rpc::CallContext&, const auto& request, auto& batches) {
                return ListTransfers(request, batches);
            });
        payout_.Add(std::move(file_rows));
        KESSAI_CHECK(payment_.Start().ok() && payout_.Start().ok(), "they listen");
    }
    ~Peers() {
        payment_.Stop(std::chrono::seconds(5));
        payout_.Stop(std::chrono::seconds(5));
        workers_.Stop();
    }
    rpc::Channel ToPayment() { return To(payment_); }
    rpc::Channel ToPayout() { return To(payout_); }

 private:
    static constexpr std::int64_t kPerBatch = 7;

    static rpc::Channel To(const rpc::Server& server) {
        return rpc::Channel::Create({.target = "127.0.0.1:" + std::to_string(server.port())},
                                    SystemClock())
            .value();
    }
    Status ListTransactions(const payment::v1::ListTransactionsRequest& request,
                            rpc::StreamWriter<TransactionBatch>& batches) {
        ++calls;
        {
            const std::lock_guard lock(mutex_);
            last_request = request;
        }
        const std::int64_t after = request.after().empty() ? 0 : std::stoll(request.after());
        TransactionBatch batch;
        const auto send = [&]() -> Status {
            KESSAI_RETURN_IF_ERROR(outcome());
            return batches.Write(batch) ? OkStatus() : Status(Code::kCancelled, "GONE", "");
        };
        for (std::int64_t id = 1; id <= rows; ++id) {
            if (id % request.parts() != request.part() || id <= after) continue;
            if (request.merchant_id() != 0 && request.merchant_id() != 1 + id % 5) continue;
            const TransactionBatch one = OneRow();
            const std::string texts = batch.texts() + one.texts();
            batch.MergeFrom(one);
            batch.set_texts(texts);
            const int at = batch.payment_id_size() - 1;
            batch.set_payment_id(at, id);
            batch.set_merchant(at, static_cast<std::uint32_t>(at));
            batch.mutable_merchants(at)->set_merchant_id(1 + id % 5);
            batch.set_position(std::to_string(id));
            if (at + 1 < kPerBatch) continue;
            KESSAI_RETURN_IF_ERROR(send());
            batch.Clear();
        }
        return batch.payment_id_size() > 0 ? send() : outcome();
    }
    Status ListReleases(const payout::v1::ListReleasesRequest& request,
                        rpc::StreamWriter<payout::v1::ReleaseRowBatch>& batches) {
        ++calls;
        for (std::int64_t id = request.after_merchant_id() + 1; id <= rows; ++id) {
            KESSAI_RETURN_IF_ERROR(outcome());
            payout::v1::ReleaseRowBatch batch;
            auto& row = *batch.add_releases();
            row.set_merchant_id(id);
            row.set_gross(-5);
            row.set_item_count(3);
            row.set_currency("JPY");
            if (!batches.Write(batch)) return OkStatus();
        }
        return outcome();
    }
    Status ListTransfers(const payout::v1::ListTransfersRequest& request,
                         rpc::StreamWriter<payout::v1::TransferRowBatch>& batches) {
        ++calls;
        const std::int64_t after = request.after().empty() ? 0 : std::stoll(request.after());
        for (std::int64_t id = after + 1; id <= rows; ++id) {
            KESSAI_RETURN_IF_ERROR(outcome());
            payout::v1::TransferRowBatch batch;
            auto& row = *batch.add_transfers();
            row.set_transfer_id(id);
            row.set_attempt(2);
            row.set_state(static_cast<std::int32_t>(1 + id % 5));
            row.set_merchant_id(9);
            row.set_currency("JPY");
            batch.set_position(std::to_string(id));
            if (!batches.Write(batch)) return OkStatus();
        }
        return outcome();
    }

    std::mutex mutex_;
    auth::TokenVerifier payment_verifier_;
    auth::TokenVerifier payout_verifier_;
    rpc::WorkerPool workers_;
    rpc::Server payment_;
    rpc::Server payout_;
};

// Chance alone does not break a call that often.
FileRowOptions ManyFailures() {
    FileRowOptions options;
    options.parts = 6;
    options.failures_max = 30;
    return options;
}

class GrpcFileRowsTest : public ::testing::Test {
 protected:
    GrpcFileRowsTest()
        : random_(seed_),
          keys_(auth::KeyRing::Parse("key 1 " + std::string(64, 'a') + "\nsign 1\n").value()),
          signer_(keys_, SystemClock()),
          peers_(keys_),
          clock_(kDay.StartsAt()),
          rows_(peers_.ToPayment(), peers_.ToPayout(), signer_, clock_, ManyFailures()) {}

    /// Of every few batches one call breaks off.
    void BreakNowAndThen(Code code) {
        peers_.outcome = [this, code] {
            const std::lock_guard lock(mutex_);
            return random_() % 6 == 0 ? Status(code, "BROKEN", "as the test wants") : OkStatus();
        };
    }
    app::FileQuery Query(std::string source) {
        app::FileQuery query;
        query.business_date = kDay;
        query.fields = AllFields(source);
        query.source = std::move(source);
        return query;
    }
    /// How often each id came.
    Result<std::map<std::int64_t, int>> Read(const app::FileQuery& query, std::size_t takes = 3) {
        std::mutex mutex;
        std::map<std::int64_t, int> seen;
        const std::vector<app::FileRows::Take> all(takes, [&](const app::FileRow& row) {
            const std::lock_guard lock(mutex);
            ++seen[row.id];
            return OkStatus();
        });
        KESSAI_RETURN_IF_ERROR(rows_.Read(query, all));
        return seen;
    }
    void ExpectAllOnce(const Result<std::map<std::int64_t, int>>& seen) {
        ASSERT_OK(seen);
        EXPECT_EQ(static_cast<std::int64_t>(seen->size()), peers_.rows);
        for (const auto& [id, times] : *seen) EXPECT_EQ(times, 1) << id;
    }

    const unsigned seed_ = std::random_device{}();
    std::mutex mutex_;
    std::mt19937 random_;
    auth::FixedKeyRing keys_;
    auth::TokenSigner signer_;
    Peers peers_;
    ManualClock clock_;
    GrpcFileRows rows_;
};

TEST_F(GrpcFileRowsTest, EveryRowComesOnceThoughCallsBreakOff) {
    SCOPED_TRACE("seed " + std::to_string(seed_));
    for (const Code code :
         {Code::kUnavailable, Code::kDeadlineExceeded, Code::kResourceExhausted}) {
        for (const std::string source : {"transactions", "releases", "transfers"}) {
            peers_.outcome = [] { return OkStatus(); };
            ExpectAllOnce(Read(Query(source)));
            BreakNowAndThen(code);
            const int before = peers_.calls;
            ExpectAllOnce(Read(Query(source), 2));
            EXPECT_GT(peers_.calls - before, 6) << "calls did break off";
        }
    }
}

// Goal: packed rows are the rows. Method: both reads of the same peers, value by value.
TEST_F(GrpcFileRowsTest, PackedRowsAreTheSameRows) {
    using Texts = std::vector<std::string>;
    const auto shown = [](const filetemplate::Row& row) {
        Texts texts;
        for (const Value& value : row) {
            texts.push_back(value.is_empty() ? "empty"
                                             : std::to_string(static_cast<int>(value.type())) +
                                                   " " + std::to_string(value.number()) + " " +
                                                   std::string(value.currency().code()) + " " +
                                                   std::string(value.text()));
        }
        return texts;
    };
    for (const std::string source : {"transactions", "releases", "transfers"}) {
        std::map<std::pair<std::int64_t, std::uint32_t>, Texts> plain;
        const app::FileRows::Take take = [&](const app::FileRow& row) {
            plain[{row.id, row.step}] = shown(row.values);
            return OkStatus();
        };
        ASSERT_OK(rows_.Read(Query(source), std::span(&take, 1)));
        EXPECT_EQ(static_cast<std::int64_t>(plain.size()), peers_.rows);

        const auto unpacker = rows_.UnpackerOf(Query(source));
        std::size_t count = 0;
        const app::FileRows::TakePacked take_packed = [&](const app::PackedRow& row) -> Status {
            ++count;
            const std::string kept(row.bytes);
            app::PackedRow again = row;
            again.bytes = kept;
            KESSAI_ASSIGN_OR_RETURN(const filetemplate::Row values, unpacker->Unpack(again));
            const Texts expected = plain[{row.id, row.step}];
            EXPECT_EQ(shown(values), expected);
            // Whatever is cut off is missed.
            for (std::size_t size = 0; size < kept.size(); ++size) {
                again.bytes = std::string_view(kept).substr(0, size);
                EXPECT_THAT(unpacker->Unpack(again), Refuses(Code::kDataLoss, "ROW_DAMAGED"));
            }
            return OkStatus();
        };
        ASSERT_OK(rows_.ReadPacked(Query(source), std::span(&take_packed, 1)));
        EXPECT_EQ(count, plain.size());
    }
}

TEST_F(GrpcFileRowsTest, AsksForTheDayOrThePeriodAndTheMerchant) {
    ExpectAllOnce(Read(Query("transactions")));
    EXPECT_EQ(peers_.last_request.business_date(), 20261130);
    app::FileQuery query = Query("transactions");
    query.business_date.reset();
    query.period = {FromMicros(5), FromMicros(9)};
    query.merchant = MerchantId(3);
    ASSERT_OK_AND_ASSIGN(const auto seen, Read(query));
    EXPECT_EQ(static_cast<std::int64_t>(seen.size()), peers_.rows / 5);
    EXPECT_EQ(peers_.last_request.period().from_us(), 5);
    EXPECT_EQ(peers_.last_request.period().to_us(), 9);
    EXPECT_EQ(peers_.last_request.parts(), 1u) << "a merchant's changes are not many";
    // What has no times is not given for some.
    for (const std::string source : {"releases", "transfers"}) {
        query.source = source;
        query.fields = AllFields(source);
        EXPECT_THAT(Read(query), Refuses(Code::kFailedPrecondition, "SOURCE_HAS_NO_TIMES"));
    }
    query.source = "weather";
    EXPECT_THAT(Read(query), Refuses(Code::kInvalidArgument, "SOURCE_UNKNOWN"));
}

TEST_F(GrpcFileRowsTest, GivesUpWhenNothingMovesAndOnRefusals) {
    peers_.outcome = [] { return Status(Code::kUnavailable, "AWAY", "for long"); };
    for (const std::string source : {"transactions", "releases", "transfers"}) {
        EXPECT_THAT(Read(Query(source), 1), Refuses(Code::kUnavailable, "AWAY"));
    }
    peers_.outcome = [] { return Status(Code::kFailedPrecondition, "DAY_OPEN", "still"); };
    const int before = peers_.calls;
    EXPECT_THAT(Read(Query("transactions"), 1), Refuses(Code::kFailedPrecondition, "DAY_OPEN"));
    EXPECT_EQ(peers_.calls - before, 1) << "that does not pass";
}

TEST_F(GrpcFileRowsTest, ATakersRefusalEndsItAtOnce) {
    int taken = 0;
    const app::FileRows::Take take = [&](const app::FileRow&) {
        return ++taken < 10 ? OkStatus() : Status(Code::kUnavailable, "DISK_AWAY", "no room");
    };
    for (const std::string source : {"transactions", "releases", "transfers"}) {
        taken = 0;
        EXPECT_THAT(rows_.Read(Query(source), std::span(&take, 1)),
                    Refuses(Code::kUnavailable, "DISK_AWAY"));
        EXPECT_EQ(taken, 10);
    }
}

// Goal: a transfer's state is printed by its own name.
TEST(TransferSourceTest, StatusesAreTheStatesOfTheContract) {
    for (const auto& schema : FileSources()) {
        if (schema.source != "transfers") continue;
        const auto& field = schema.fields[static_cast<std::size_t>(TransferField::kStatus)];
        const auto* states = payout::v1::Transfer::State_descriptor();
        EXPECT_EQ(static_cast<int>(field.values.size()) + 1, states->value_count());
        for (std::size_t i = 0; i < field.values.size(); ++i) {
            EXPECT_EQ(states->FindValueByNumber(static_cast<int>(i) + 1)->name(), field.values[i]);
        }
    }
}

}  // namespace
}  // namespace kessai::reconciliation::transport
