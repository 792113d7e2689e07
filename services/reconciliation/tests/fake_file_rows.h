#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "app/file_rows.h"
#include "tests/made_transactions.h"

namespace kessai::reconciliation::testing {

/// Transactions as a test says they are, of whatever day is asked for. Thread safe.
class FakeFileRows final : public app::FileRows {
 public:
    /// The next rows of the merchant.
    void Add(std::int64_t merchant, std::vector<MadeTransaction> rows) {
        std::lock_guard lock(mutex_);
        for (auto& row : rows) rows_[merchant].push_back(row);
    }
    void Change(std::int64_t merchant, const std::function<void(MadeTransaction&)>& change) {
        std::lock_guard lock(mutex_);
        for (auto& row : rows_.at(merchant)) change(row);
    }
    void Refuse(Status status) {
        std::lock_guard lock(mutex_);
        refusal_ = std::move(status);
    }
    /// Called when rows are asked for.
    void OnRead(std::function<void()> call) {
        std::lock_guard lock(mutex_);
        on_read_ = std::move(call);
    }
    int reads() const {
        std::lock_guard lock(mutex_);
        return reads_;
    }

    Status Read(const app::FileQuery& query, std::span<const Take> takes) override {
        std::function<void()> on_read;
        std::map<std::int64_t, std::vector<MadeTransaction>> rows;
        {
            std::lock_guard lock(mutex_);
            ++reads_;
            if (!refusal_.ok()) return refusal_;
            on_read = on_read_;
            rows = rows_;
        }
        if (on_read) on_read();
        std::int64_t id = 0;
        for (const auto& [merchant, made] : rows) {
            if (query.merchant && query.merchant->value() != merchant) continue;
            for (const MadeTransaction& one : made) {
                const auto values = one.Row();
                ++id;
                KESSAI_RETURN_IF_ERROR(takes[static_cast<std::size_t>(id) % takes.size()](
                    {domain::MerchantId(merchant), one.accepted_at_us, id, 1, values}));
            }
        }
        return OkStatus();
    }

 private:
    mutable std::mutex mutex_;
    std::map<std::int64_t, std::vector<MadeTransaction>> rows_;
    Status refusal_;
    std::function<void()> on_read_;
    int reads_ = 0;
};

}  // namespace kessai::reconciliation::testing
