#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "app/file_rows.h"
#include "app/make_files.h"
#include "kessai/filestore/file_store.h"
#include "tests/made_transactions.h"

/// What the making of files stands on, in memory.
namespace kessai::reconciliation {

/// Rows that are given to takes at random, each by a thread of its own.
class FakeFileRows final : public app::FileRows {
 public:
    /// Texts of `made` must outlive this.
    void Add(domain::MerchantId merchant, std::int64_t id, std::uint32_t step,
             const MadeTransaction& made) {
        rows_.push_back({merchant, made.accepted_at_us, id, step, made.Row()});
    }
    /// How rows are dealt out, and in what order.
    void Shuffle(unsigned seed) {
        seed_ = seed;
        std::mt19937 random(seed);
        std::shuffle(rows_.begin(), rows_.end(), random);
    }
    /// After so many rows (over all takes) the read is refused.
    void FailAfter(std::size_t rows, Status why) {
        fail_after_ = rows;
        failure_ = std::move(why);
    }
    const app::FileQuery& last_query() const { return last_query_; }
    std::size_t size() const { return rows_.size(); }

    Status Read(const app::FileQuery& query, std::span<const Take> takes) override {
        last_query_ = query;
        std::mt19937 random(seed_);
        std::vector<std::vector<const Kept*>> dealt(takes.size());
        std::size_t count = 0;
        for (const Kept& row : rows_) {
            if (query.merchant && row.merchant != *query.merchant) continue;
            if (++count > fail_after_) break;
            dealt[random() % takes.size()].push_back(&row);
        }
        std::mutex mutex;
        Status first;
        {
            std::vector<std::jthread> threads;
            for (std::size_t i = 0; i < takes.size(); ++i) {
                threads.emplace_back([&, i] {
                    for (const Kept* row : dealt[i]) {
                        Status status = Give(*row, query, takes[i]);
                        if (status.ok()) continue;
                        const std::lock_guard lock(mutex);
                        if (first.ok()) first = std::move(status);
                        return;
                    }
                });
            }
        }
        return first.ok() && count > fail_after_ ? failure_ : first;
    }

 private:
    struct Kept {
        domain::MerchantId merchant;
        std::int64_t accepted_us;
        std::int64_t id;
        std::uint32_t step;
        MadeTransaction::Values values;
    };
    static Status Give(const Kept& row, const app::FileQuery& query, const Take& take) {
        MadeTransaction::Values values = row.values;
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (!query.fields[i]) values[i] = filetemplate::Value();
        }
        return take({row.merchant, row.accepted_us, row.id, row.step, values});
    }

    std::vector<Kept> rows_;
    unsigned seed_ = 1;
    std::size_t fail_after_ = SIZE_MAX;
    Status failure_;
    app::FileQuery last_query_;
};

/// Files by key, whole ones only; counts the halves that are being written.
class MemoryStore final : public filestore::FileStore {
 public:
    using Before = std::function<Status(const std::string& key)>;
    /// Asked before each Write and Commit.
    Before before_write = [](const std::string&) { return OkStatus(); };
    Before before_commit = [](const std::string&) { return OkStatus(); };
    /// How many files it commits together.
    std::size_t together = 1;

    std::size_t together_max() const override { return together; }

    std::map<std::string, std::string> files() const {
        const std::lock_guard lock(mutex_);
        return files_;
    }
    int halves() const {
        const std::lock_guard lock(mutex_);
        return halves_;
    }

    Result<std::unique_ptr<filestore::FileWriter>> Create(const std::string& key) override {
        KESSAI_RETURN_IF_ERROR(filestore::CheckKey(key));
        return std::unique_ptr<filestore::FileWriter>(std::make_unique<Half>(*this, key));
    }
    Result<std::unique_ptr<filestore::FileReader>> Open(const std::string& key,
                                                        std::uint64_t) override {
        return Status(Code::kUnimplemented, "", key);
    }
    Result<std::optional<filestore::FileInfo>> Stat(const std::string& key) override {
        const std::lock_guard lock(mutex_);
        const auto found = files_.find(key);
        if (found == files_.end()) return std::optional<filestore::FileInfo>();
        return std::optional(filestore::FileInfo{key, found->second.size()});
    }
    Status Remove(const std::string& key) override {
        const std::lock_guard lock(mutex_);
        files_.erase(key);
        return OkStatus();
    }
    Status List(const std::string& folder,
                const std::function<Status(const filestore::FileInfo&)>& take) override {
        for (const auto& [key, content] : files()) {
            if (key.starts_with(folder + "/")) {
                KESSAI_RETURN_IF_ERROR(take({key, content.size()}));
            }
        }
        return OkStatus();
    }
    Result<int> Sweep(std::chrono::seconds) override { return 0; }

 private:
    class Half final : public filestore::FileWriter {
     public:
        Half(MemoryStore& store, std::string key) : store_(store), key_(std::move(key)) {
            const std::lock_guard lock(store_.mutex_);
            ++store_.halves_;
        }
        ~Half() override {
            const std::lock_guard lock(store_.mutex_);
            --store_.halves_;
        }
        Status Write(std::string_view bytes) override {
            KESSAI_RETURN_IF_ERROR(store_.before_write(key_));
            bytes_ += bytes;
            return OkStatus();
        }
        Status Commit(const filestore::Sha256&, std::uint64_t bytes) override {
            KESSAI_RETURN_IF_ERROR(store_.before_commit(key_));
            KESSAI_CHECK(bytes == bytes_.size(), "the writer knows what it wrote");
            const std::lock_guard lock(store_.mutex_);
            store_.files_[key_] = bytes_;
            return OkStatus();
        }

     private:
        MemoryStore& store_;
        const std::string key_;
        std::string bytes_;
    };

    mutable std::mutex mutex_;
    std::map<std::string, std::string> files_;
    int halves_ = 0;
};

/// Notes what it is told. A merchant that was made is not wanted again, as in a run that goes on.
class FakeProgress final : public app::FileProgress {
 public:
    std::set<domain::MerchantId> unwanted;
    std::function<Status(domain::MerchantId)> before_made = [](domain::MerchantId) {
        return OkStatus();
    };
    std::map<domain::MerchantId, std::vector<app::MadeFile>> made;
    std::map<domain::MerchantId, Status> refused;

    bool Wanted(domain::MerchantId merchant) override {
        const std::lock_guard lock(mutex_);
        return !unwanted.contains(merchant) && !made.contains(merchant);
    }
    std::uint32_t VersionOf(domain::MerchantId) override { return 1; }
    std::string KeyOf(domain::MerchantId merchant, const std::string& file_name) override {
        return "2020-01-30/" + merchant.ToString() + "/" + file_name;
    }
    Status Made(domain::MerchantId merchant, std::vector<app::MadeFile> files) override {
        KESSAI_RETURN_IF_ERROR(before_made(merchant));
        const std::lock_guard lock(mutex_);
        KESSAI_CHECK(!refused.contains(merchant) && made.emplace(merchant, files).second,
                     "a merchant is told of once");
        return OkStatus();
    }
    Status Refused(domain::MerchantId merchant, const Status& why) override {
        const std::lock_guard lock(mutex_);
        KESSAI_CHECK(!made.contains(merchant) && refused.emplace(merchant, why).second,
                     "a merchant is told of once");
        return OkStatus();
    }

 private:
    std::mutex mutex_;
};

}  // namespace kessai::reconciliation
