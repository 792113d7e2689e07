#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "app/file_rows.h"
#include "domain/file_sources.h"
#include "kessai/payment/v1/transaction_service.pb.h"

namespace kessai::reconciliation::transport {

/// Makes rows of `transactions` from payment's batches. One thread at a time.
class TransactionRows {
 public:
    /// `fields`: which are wanted.
    explicit TransactionRows(const std::vector<bool>& fields);

    /// DATA_LOSS PEER_ANSWER_INVALID for a batch that makes no sense, before any of its rows; else
    /// what `take` says.
    Status Take(const payment::v1::TransactionBatch& batch,
                const std::function<Status(const app::FileRow&)>& take);

 private:
    bool IsWanted(TransactionField field) const { return wanted_[static_cast<std::size_t>(field)]; }
    filetemplate::Value& At(TransactionField field) {
        return values_[static_cast<std::size_t>(field)];
    }
    /// By methods: the set's bits, and both JSON texts.
    void SetMethods(const payment::v1::TransactionBatch::Split* split, std::int64_t amount);

    const std::vector<bool> wanted_;
    std::array<filetemplate::Value, static_cast<std::size_t>(TransactionField::kCount)> values_;
    std::string order_id_;
    std::string details_;
    std::string details_ja_;
    std::vector<std::string> merchant_ids_;
};

}  // namespace kessai::reconciliation::transport
