// Goal: what merchants' files are told of releases and transfers is what the tables have, once,
// from wherever a reader begins again; and nothing of a day or date that is not done. Method: a
// released day of random trade, and transfers of a date in some files of the bank, listed by the
// service over gRPC and held against the tables.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "kessai/auth/key_ring.h"
#include "kessai/auth/token.h"
#include "kessai/rpc/call.h"
#include "kessai/rpc/channel.h"
#include "kessai/rpc/server.h"
#include "kessai/rpc/worker_pool.h"
#include "storage/mysql_file_row_reader.h"
#include "tests/payout_fixture.h"
#include "tests/reference.h"
#include "tests/seeded.h"
#include "transport/file_row_service.h"

namespace kessai::payout {
namespace {

using testing::Refuses;

constexpr rpc::Name kService = "kessai.payout.v1.FileRowService";
constexpr auto& ListReleases =
    rpc::MethodOf<kService, "ListReleases", v1::ListReleasesRequest, v1::ReleaseRowBatch>;
constexpr auto& ListTransfers =
    rpc::MethodOf<kService, "ListTransfers", v1::ListTransfersRequest, v1::TransferRowBatch>;

const BusinessDate kDay = Day(20261122);

class FileRowsTest : public PayoutTest {
 protected:
    FileRowsTest()
        : ring_(auth::KeyRing::Parse("key 1 " + std::string(64, 'a') + "\nsign 1\n").value()),
          verifier_(ring_, SystemClock(), {.audience = "payout"}),
          signer_(ring_, SystemClock()),
          rows_(payout_->pool),
          methods_(rows_, payout_->reader),
          pool_({.name = "test", .threads = 2, .queue_max = 16}),
          server_({}, SystemClock(), verifier_, nullptr) {
        rpc::Service service(transport::kFileRowServiceName, transport::FileRowPolicy());
        methods_.Register(service, pool_);
        server_.Add(std::move(service));
        EXPECT_OK(server_.Start());
        channel_ = std::make_unique<rpc::Channel>(
            rpc::Channel::Create({.target = "127.0.0.1:" + std::to_string(server_.port())},
                                 SystemClock())
                .value());
    }
    ~FileRowsTest() override {
        channel_ = nullptr;
        (void)server_.Stop(std::chrono::seconds(5));
        pool_.Stop();
    }

    void Run(const std::string& sql) {
        auto session = payout_->pool.Acquire(std::chrono::seconds(5)).value();
        ASSERT_OK(session->Execute(mysql::Query{"test.run", sql}));
    }
    std::vector<std::string> Texts(const std::string& sql) {
        auto session = payout_->pool.Acquire(std::chrono::seconds(5)).value();
        auto rows = session->Select(mysql::Query{"test.rows", sql}).value();
        std::vector<std::string> texts;
        while (rows.Next()) texts.push_back(rows.Text(0));
        return texts;
    }
    template <class Request, class Batch>
    Status Call(const rpc::Method<Request, Batch>& method, const Request& request,
                const std::function<Status(const Batch&)>& take,
                auth::Role role = auth::Role::kService) {
        const std::string token =
            signer_.Mint({.role = role, .subject = "tester", .merchant_id = 7}, "payout").value();
        return rpc::CallStreaming(
            *channel_, method, request,
            {.timeout = std::chrono::seconds(20), .token = token, .wait_for_ready = true}, take);
    }
    /// As the tables give them below. Each call ends after a batch, as if it had broken off.
    std::vector<std::string> Releases(v1::ListReleasesRequest request) {
        std::vector<std::string> all;
        for (bool more = true; more;) {
            more = false;
            const Status status = Call<v1::ListReleasesRequest, v1::ReleaseRowBatch>(
                ListReleases(), request, [&](const v1::ReleaseRowBatch& batch) {
                    for (const auto& row : batch.releases()) {
                        std::string text = std::to_string(row.merchant_id());
                        for (const std::int64_t number :
                             {row.gross(), row.fee(), row.tax(), row.net(), row.item_count()}) {
                            text += "," + std::to_string(number);
                        }
                        all.push_back(text + "," + row.currency());
                        request.set_after_merchant_id(row.merchant_id());
                    }
                    more = true;
                    return Status(Code::kUnavailable, "BROKEN_OFF", "");
                });
            EXPECT_TRUE(status.ok() || status.reason() == "BROKEN_OFF") << status.ToString();
        }
        return all;
    }
    std::vector<std::string> Transfers(v1::ListTransfersRequest request) {
        std::vector<std::string> all;
        for (bool more = true; more;) {
            more = false;
            const Status status = Call<v1::ListTransfersRequest, v1::TransferRowBatch>(
                ListTransfers(), request, [&](const v1::TransferRowBatch& batch) {
                    for (const auto& row : batch.transfers()) {
                        std::string text;
                        for (const std::int64_t number :
                             {row.transfer_id(), row.payout_id(),
                              static_cast<std::int64_t>(row.attempt()), row.merchant_id(),
                              static_cast<std::int64_t>(row.state()), row.amount(), row.fee(),
                              row.tax(), static_cast<std::int64_t>(row.on_demand())}) {
                            text += std::to_string(number) + ",";
                        }
                        all.push_back(text + row.currency() + "," + row.reason());
                    }
                    request.set_after(batch.position());
                    more = true;
                    return Status(Code::kUnavailable, "BROKEN_OFF", "");
                });
            EXPECT_TRUE(status.ok() || status.reason() == "BROKEN_OFF") << status.ToString();
        }
        std::sort(all.begin(), all.end());
        return all;
    }
    Status Refusal(const v1::ListReleasesRequest& request) {
        return Call<v1::ListReleasesRequest, v1::ReleaseRowBatch>(
            ListReleases(), request, [](const auto&) { return OkStatus(); });
    }
    Status Refusal(const v1::ListTransfersRequest& request) {
        return Call<v1::ListTransfersRequest, v1::TransferRowBatch>(
            ListTransfers(), request, [](const auto&) { return OkStatus(); });
    }
    static v1::ListReleasesRequest Of(BusinessDate day) {
        v1::ListReleasesRequest request;
        request.set_business_date(day.ToNumber());
        return request;
    }

    auth::FixedKeyRing ring_;
    auth::TokenVerifier verifier_;
    auth::TokenSigner signer_;
    storage::MysqlFileRowReader rows_;
    transport::FileRowService methods_;
    rpc::WorkerPool pool_;
    rpc::Server server_;
    std::unique_ptr<rpc::Channel> channel_;
};

TEST_F(FileRowsTest, ReleasesAreTheDaysByMerchant) {
    Seeded random;
    const auto changes = RandomTrade(random, 1'500, 1'200, 10'000, kDay, 1);
    ASSERT_TRUE(payout_->Deliver(changes, 200).empty());
    EXPECT_THAT(Refusal(Of(kDay)), Refuses(Code::kFailedPrecondition, "DAY_OPEN"));
    payout_->Close(kDay);
    payout_->DrainOutbox();
    EXPECT_THAT(Refusal(Of(kDay)), Refuses(Code::kFailedPrecondition, "DAY_OPEN"));
    ASSERT_OK(payout_->release_day.Run(kDay, false));

    const std::string sums =
        "SELECT CONCAT_WS(',', merchant_id, SUM(gross), SUM(fee), SUM(tax), SUM(net), "
        "SUM(item_count), MIN(currency)) FROM merchant_release WHERE business_date = '" +
        kDay.ToString() + "'";
    const auto stored = Texts(sums + " GROUP BY merchant_id ORDER BY merchant_id");
    ASSERT_GT(stored.size(), 500u);
    EXPECT_EQ(Releases(Of(kDay)), stored);
    auto one = Of(kDay);
    const std::int64_t merchant = std::stoll(stored[stored.size() / 2]);
    one.set_merchant_id(merchant);
    EXPECT_EQ(Releases(one), Texts(sums + " AND merchant_id = " + std::to_string(merchant) +
                                   " GROUP BY merchant_id"));
    // What has not come is open.
    EXPECT_THAT(Refusal(Of(kDay.PlusDays(400))), Refuses(Code::kFailedPrecondition, "DAY_OPEN"));
}

TEST_F(FileRowsTest, TransfersAreThoseOfTheDateWhateverTheirFiles) {
    constexpr int kTransfers = 3'200;
    std::string payouts;
    std::string transfers;
    for (int i = 1; i <= kTransfers; ++i) {
        const std::string id = std::to_string(i);
        // In three files and in none; of the date and of another.
        const int batch = i % 4 == 3 ? 0 : 100 + i % 4;
        const std::string date = i % 50 == 0 ? "2026-12-02" : "2026-12-01";
        const int state = batch == 0 ? 5 : 1 + i % 4;
        payouts += (i > 1 ? ",(" : "(") + id + "," + std::to_string(1 + i % 90) + ",'due:" + id +
                   "'," + std::to_string(i % 2) + ",'JPY'," + std::to_string(1'000 + i) +
                   ",100,10,'',0)";
        transfers += (i > 1 ? ",(" : "(") + id + "," + id + ",1," + std::to_string(1 + i % 90) +
                     ",1,'" + date + "'," + std::to_string(1'000 + i) + "," +
                     std::to_string(state) + ",'r" + std::to_string(i % 3) + "'," +
                     std::to_string(batch) + ",'',0,0)";
    }
    Run("INSERT INTO payout (payout_id, merchant_id, request_key, on_demand, currency, amount, "
        "fee, tax, requested_by, created_at_us) VALUES " +
        payouts);
    Run("INSERT INTO transfer (transfer_id, payout_id, attempt, merchant_id, bank_account, "
        "transfer_date, amount, state, reason, batch_id, requested_by, created_at_us, "
        "changed_at_us) VALUES " +
        transfers);
    for (const char* batch : {"100", "101", "102"}) {
        Run(std::string("INSERT INTO transfer_batch (batch_id, transfer_date, transfer_count, "
                        "amount, created_by, created_at_us) VALUES (") +
            batch + ",'2026-12-01',1,1,'',0)");
    }
    v1::ListTransfersRequest request;
    request.set_transfer_date(20261201);
    const std::string rows =
        "SELECT CONCAT_WS(',', t.transfer_id, t.payout_id, attempt, t.merchant_id, state, "
        "t.amount, "
        "fee, tax, on_demand, currency, reason) AS row_text FROM transfer AS t JOIN payout AS p "
        "USING (payout_id) WHERE transfer_date = '2026-12-01'";
    auto stored = Texts(rows);
    std::sort(stored.begin(), stored.end());
    EXPECT_EQ(Transfers(request), stored);
    request.set_merchant_id(17);
    auto of_one = Texts(rows + " AND t.merchant_id = 17");
    std::sort(of_one.begin(), of_one.end());
    EXPECT_EQ(Transfers(request), of_one);
    EXPECT_FALSE(of_one.empty());

    // One that is still to be sent.
    Run("UPDATE transfer SET state = 1 WHERE batch_id = 0 AND transfer_date = '2026-12-01' LIMIT "
        "1");
    EXPECT_THAT(Refusal(request), Refuses(Code::kFailedPrecondition, "TRANSFER_NOT_SENT"));
}

TEST_F(FileRowsTest, WhatMakesNoSenseIsRefused) {
    v1::ListReleasesRequest releases;
    EXPECT_THAT(Refusal(releases), Refuses(Code::kInvalidArgument, "DATE_MALFORMED"));
    releases = Of(kDay);
    releases.set_merchant_id(-1);
    EXPECT_THAT(Refusal(releases), Refuses(Code::kInvalidArgument, "FIELD_INVALID"));
    v1::ListTransfersRequest transfers;
    transfers.set_transfer_date(20261201);
    EXPECT_OK(Refusal(transfers));
    for (const char* after : {"1", "1-", "-1-2", "1-2x", "x", "1-0"}) {
        transfers.set_after(after);
        EXPECT_THAT(Refusal(transfers), Refuses(Code::kInvalidArgument, "FIELD_INVALID")) << after;
    }
    const Status merchants = Call<v1::ListReleasesRequest, v1::ReleaseRowBatch>(
        ListReleases(), Of(kDay), [](const auto&) { return OkStatus(); }, auth::Role::kMerchant);
    EXPECT_EQ(merchants.code(), Code::kPermissionDenied);
    methods_.StopLists();
}

}  // namespace
}  // namespace kessai::payout
