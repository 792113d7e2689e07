#include "bench/files/files_side.h"

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "app/make_files.h"
#include "bench/files/payment_side.h"
#include "domain/file_sources.h"
#include "kessai/auth/key_ring.h"
#include "kessai/auth/token.h"
#include "kessai/filestore/directory_store.h"
#include "kessai/rpc/channel.h"
#include "tests/made_transactions.h"
#include "transport/grpc_file_rows.h"

namespace kessai::bench {
namespace {

using reconciliation::MadeTransaction;
using reconciliation::TransactionField;
using reconciliation::app::FileQuery;
using reconciliation::app::FileRow;
using reconciliation::app::FileRows;
using reconciliation::domain::MerchantId;

/// As payment_side.cc has them.
class MadeRows final : public FileRows {
 public:
    MadeRows(std::int64_t rows, std::int64_t merchants) : rows_(rows), merchants_(merchants) {}

    Status Read(const FileQuery& query, std::span<const Take> takes) override {
        constexpr std::int64_t kBlock = 50'000;
        std::atomic<std::int64_t> next{0};
        std::vector<Status> outcomes(takes.size());
        const auto run = [&](const Take& take, Status& outcome) {
            for (std::int64_t from = next.fetch_add(kBlock); from < rows_ && outcome.ok();
                 from = next.fetch_add(kBlock)) {
                outcome = MakeBlock(query, from, std::min(rows_, from + kBlock), take);
            }
        };
        {
            std::vector<std::jthread> threads;
            for (std::size_t i = 0; i < takes.size(); ++i) {
                threads.emplace_back([&, i] { run(takes[i], outcomes[i]); });
            }
        }
        for (const Status& outcome : outcomes) KESSAI_RETURN_IF_ERROR(outcome);
        return OkStatus();
    }

 private:
    Status MakeBlock(const FileQuery& query, std::int64_t from, std::int64_t to,
                     const Take& take) const {
        const std::int64_t begin = ToMicros(query.period.from);
        MadeTransaction made;
        made.details_ja = R"([{"paymentMethod":"PayPay残高","amount":12345}])";
        made.store_name = "";
        MadeTransaction::Values values = made.Row();
        for (std::int64_t i = from; i < to; ++i) {
            FileRow row;
            row.merchant = MerchantId(1 + i % merchants_);
            row.accepted_us = begin + static_cast<std::int64_t>(86'400e6 * static_cast<double>(i) /
                                                                static_cast<double>(rows_));
            row.id = 300'000'000'000'000'000 + i;
            row.step = 1;
            const std::string order_id = std::to_string(row.id);
            const std::string merchant_id = row.merchant.ToString();
            const auto set = [&](TransactionField field, filetemplate::Value value) {
                values[static_cast<std::size_t>(field)] = value;
            };
            set(TransactionField::kOrderId, filetemplate::Value::Text(order_id));
            set(TransactionField::kMerchantId, filetemplate::Value::Text(merchant_id));
            set(TransactionField::kAcceptedAt,
                filetemplate::Value::Of(FromMicros(row.accepted_us)));
            set(TransactionField::kAmount, filetemplate::Value::Of(Yen(1 + i * 7'919 % 30'000)));
            row.values = values;
            KESSAI_RETURN_IF_ERROR(take(row));
        }
        return OkStatus();
    }

    const std::int64_t rows_;
    const std::int64_t merchants_;
};

/// Notes when the rows were there.
class TimedRows final : public FileRows {
 public:
    explicit TimedRows(FileRows& rows) : rows_(rows) {}
    Status Read(const FileQuery& query, std::span<const Take> takes) override {
        return Timed([&] { return rows_.Read(query, takes); });
    }
    Status ReadPacked(const FileQuery& query, std::span<const TakePacked> takes) override {
        return Timed([&] { return rows_.ReadPacked(query, takes); });
    }
    std::unique_ptr<reconciliation::app::RowUnpacker> UnpackerOf(const FileQuery& query) override {
        return rows_.UnpackerOf(query);
    }
    double seconds = 0;

 private:
    template <class F>
    Status Timed(F read) {
        const SteadyInstant begin = SystemClock().SteadyNow();
        const Status status = read();
        seconds = std::chrono::duration<double>(SystemClock().SteadyNow() - begin).count();
        return status;
    }

    FileRows& rows_;
};

class Progress final : public reconciliation::app::FileProgress {
 public:
    bool Wanted(MerchantId) override { return true; }
    std::uint32_t VersionOf(MerchantId) override { return 1; }
    std::string KeyOf(MerchantId merchant, const std::string& name) override {
        return "files/" + merchant.ToString() + "/" + name;
    }
    Status Made(MerchantId, std::vector<reconciliation::app::MadeFile>) override {
        return OkStatus();
    }
    Status Refused(MerchantId merchant, const Status& why) override {
        return why.WithContext("merchant " + merchant.ToString());
    }
};

}  // namespace

Result<FilesMade> MakeFilesOnce(const FilesTask& task) {
    const auth::FixedKeyRing keys(auth::KeyRing::Parse(kBenchKeys).value());
    auth::TokenSigner signer(keys, SystemClock());
    std::unique_ptr<FileRows> rows;
    if (task.payment_port) {
        KESSAI_ASSIGN_OR_RETURN(
            const auto channel,
            rpc::Channel::Create({.target = "127.0.0.1:" + std::to_string(*task.payment_port)},
                                 SystemClock()));
        // Nothing of payout's is read.
        rows = std::make_unique<reconciliation::transport::GrpcFileRows>(channel, channel, signer,
                                                                         SystemClock());
    } else {
        rows = std::make_unique<MadeRows>(task.rows, task.merchants);
    }
    TimedRows timed(*rows);
    const auto store = filestore::OpenDirectoryStore({.path = task.folder});
    Progress progress;
    KESSAI_ASSIGN_OR_RETURN(const auto layout,
                            filetemplate::Template::Parse(reconciliation::InstantTemplate(),
                                                          reconciliation::FileSources()));
    const SteadyInstant begin = SystemClock().SteadyNow();
    KESSAI_ASSIGN_OR_RETURN(const auto totals, reconciliation::app::MakeFiles(
                                                   {layout, task.date}, timed, *store, progress,
                                                   {.work_folder = task.work_folder,
                                                    .memory_max = task.memory_max,
                                                    .threads = task.threads,
                                                    .merchants_at_once = task.merchants_at_once}));
    FilesMade made;
    made.seconds = std::chrono::duration<double>(SystemClock().SteadyNow() - begin).count();
    made.read_seconds = timed.seconds;
    made.rows = static_cast<std::int64_t>(totals.rows);
    made.files = static_cast<std::int64_t>(totals.files);
    made.bytes = static_cast<std::int64_t>(totals.bytes);
    made.spilled_runs = static_cast<std::int64_t>(totals.spilled_runs);
    return made;
}

}  // namespace kessai::bench
