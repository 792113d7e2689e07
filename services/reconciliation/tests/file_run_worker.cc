// Works on a run of files in a process of its own, for the test that kills it:
// file_run_worker HOST PORT USER PASSWORD SCHEMA FILES_FOLDER WORK_FOLDER RUN AMOUNT STEP
// It kills itself by SIGKILL when the step of that number has been done: a statement, or a file
// stored or removed. Its rows are two payments of 480 of each of merchants 1 to 5, but AMOUNT of
// the first one's.

#include <atomic>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "app/run_files.h"
#include "kessai/filestore/directory_store.h"
#include "kessai/lease/leased_ids.h"
#include "kessai/mysql/pool.h"
#include "kessai/testing/eventually.h"
#include "storage/mysql_file_books.h"
#include "tests/fake_file_rows.h"

namespace kessai::reconciliation {
namespace {

/// Counts what is done, and dies after so many.
class Steps final : public mysql::QueryObserver {
 public:
    explicit Steps(int at) : left_(at) {}
    void OnQuery(std::string_view, Duration, const Status&) override { Done(); }
    void Done() {
        if (left_.load() > 0 && left_.fetch_sub(1) == 1) std::raise(SIGKILL);
    }

 private:
    std::atomic<int> left_;
};

class CountedWriter final : public filestore::FileWriter {
 public:
    CountedWriter(std::unique_ptr<filestore::FileWriter> writer, Steps& steps)
        : writer_(std::move(writer)), steps_(steps) {}
    Status Write(std::string_view bytes) override { return writer_->Write(bytes); }
    Status Commit(const filestore::Sha256& sha256, std::uint64_t bytes) override {
        KESSAI_RETURN_IF_ERROR(writer_->Commit(sha256, bytes));
        steps_.Done();
        return OkStatus();
    }

 private:
    const std::unique_ptr<filestore::FileWriter> writer_;
    Steps& steps_;
};

class CountedStore final : public filestore::FileStore {
 public:
    CountedStore(filestore::FileStore& store, Steps& steps) : store_(store), steps_(steps) {}
    Result<std::unique_ptr<filestore::FileWriter>> Create(const std::string& key) override {
        KESSAI_ASSIGN_OR_RETURN(auto writer, store_.Create(key));
        return std::unique_ptr<filestore::FileWriter>(
            std::make_unique<CountedWriter>(std::move(writer), steps_));
    }
    Result<std::unique_ptr<filestore::FileReader>> Open(const std::string& key,
                                                        std::uint64_t offset) override {
        return store_.Open(key, offset);
    }
    Result<std::optional<filestore::FileInfo>> Stat(const std::string& key) override {
        return store_.Stat(key);
    }
    Status Remove(const std::string& key) override {
        KESSAI_RETURN_IF_ERROR(store_.Remove(key));
        steps_.Done();
        return OkStatus();
    }
    Status List(const std::string& folder,
                const std::function<Status(const filestore::FileInfo&)>& take) override {
        return store_.List(folder, take);
    }
    Result<int> Sweep(std::chrono::seconds age) override { return store_.Sweep(age); }

 private:
    filestore::FileStore& store_;
    Steps& steps_;
};

Status Work(char** argv) {
    mysql::PoolOptions pool_options;
    pool_options.connect.host = argv[1];
    pool_options.connect.port = std::stoi(argv[2]);
    pool_options.connect.user = argv[3];
    pool_options.connect.password = argv[4];
    pool_options.connect.schema = argv[5];
    const auto directory = filestore::OpenDirectoryStore({.path = argv[6]});
    const domain::FileRunId id(std::stoll(argv[8]));
    testing::FakeFileRows rows;
    for (int merchant = 1; merchant <= 5; ++merchant) {
        const std::int64_t amount = merchant == 1 ? std::stoll(argv[9]) : 480;
        rows.Add(merchant, std::vector<MadeTransaction>(2, {.amount = amount}));
    }

    // Its own number for ids is not what is looked at.
    mysql::Pool not_observed(pool_options);
    lease::LeasedIds ids(not_observed, SystemClock(), [](const Status&) {});
    ids.Start();
    if (!kessai::testing::Eventually([&] { return ids.Ready().ok(); })) {
        return Status(Code::kUnavailable, "TEST_NO_IDS", "ids do not come");
    }
    Steps steps(std::stoi(argv[10]));
    mysql::Pool pool(pool_options, SystemClock(), &steps);
    storage::MysqlFileTransactions transactions(pool, ids);
    storage::MysqlFileRunLeases leases(pool, SystemClock());
    CountedStore store(*directory, steps);
    app::RunFilesOptions options;
    options.make.work_folder = argv[7];
    options.make.memory_max = std::size_t{4} << 20;
    options.note_merchants_max = 2;
    app::RunFiles runs(transactions, leases, rows, store, SystemClock(), options);
    const auto run = runs.Run(id, {});
    const Status swept = run.ok() ? runs.Sweep({}).status() : run.status();
    ids.Stop();
    return swept;
}

}  // namespace
}  // namespace kessai::reconciliation

int main(int argc, char** argv) {
    if (argc != 11) return 2;
    const kessai::Status worked = kessai::reconciliation::Work(argv);
    std::printf("%s\n", worked.ToString().c_str());
    return worked.ok() ? 0 : 1;
}
