#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/file_rows.h"
#include "domain/file_sources.h"
#include "kessai/payment/v1/transaction_service.pb.h"

namespace kessai::reconciliation::transport {

/// One change as payment tells of it, with what is said once for its batch. Texts are the batch's,
/// or those of packed bytes.
struct ToldTransaction {
    std::int64_t payment_id = 0;
    std::uint32_t version = 0;
    TransactionStatus status = TransactionStatus::kCompleted;
    /// yyyymmdd
    std::int32_t business_date = 0;
    std::int64_t accepted_us = 0;
    std::int64_t amount = 0;
    Currency currency;
    std::int64_t merchant_id = 0;
    std::string_view merchant_name;
    std::string_view merchant_payment_id;
    std::string_view store_id;
    std::string_view terminal_id;
    std::string_view order_receipt_number;
    std::string_view merchant_refund_id;
    struct Part {
        payment::v1::MethodAmount::Method method;
        std::int64_t amount;
    };
    /// How the amount splits over methods; none: all of it is from the wallet.
    std::vector<Part> split;
};

/// Makes the values of a row of `transactions`. One thread at a time.
class TransactionValues {
 public:
    /// `fields`: which are wanted.
    explicit TransactionValues(const std::vector<bool>& fields);

    /// Good until the next call, and as long as the texts of `told`. DATA_LOSS PEER_ANSWER_INVALID
    /// for a date that is none.
    Result<filetemplate::Row> Of(const ToldTransaction& told);

 private:
    bool IsWanted(TransactionField field) const { return wanted_[static_cast<std::size_t>(field)]; }
    filetemplate::Value& At(TransactionField field) {
        return values_[static_cast<std::size_t>(field)];
    }
    /// By methods: the set's bits, and both JSON texts.
    void SetMethods(const ToldTransaction& told);

    const std::vector<bool> wanted_;
    std::array<filetemplate::Value, static_cast<std::size_t>(TransactionField::kCount)> values_;
    // Texts that values point to.
    std::string order_id_;
    std::int64_t merchant_id_number_ = 0;
    std::string merchant_id_ = "0";
    std::string details_;
    std::string details_ja_;
    std::optional<std::int32_t> date_number_;
};

/// Makes rows of `transactions` from payment's batches. One thread at a time.
class TransactionRows {
 public:
    /// `fields`: which are wanted.
    explicit TransactionRows(const std::vector<bool>& fields) : values_(fields) {}

    /// DATA_LOSS PEER_ANSWER_INVALID for a batch that makes no sense, before any of its rows; else
    /// what `take` says.
    Status Take(const payment::v1::TransactionBatch& batch, const app::FileRows::Take& take);
    /// The same rows, packed for a TransactionUnpacker: what is printed of a row is mostly what can
    /// be made of less (its id as text, the split as JSON), so a third of the bytes do.
    Status TakePacked(const payment::v1::TransactionBatch& batch,
                      const app::FileRows::TakePacked& take);

 private:
    template <class F>
    Status Each(const payment::v1::TransactionBatch& batch, F take);

    TransactionValues values_;
    std::string packed_;
};

/// Of rows that TransactionRows packed.
class TransactionUnpacker final : public app::RowUnpacker {
 public:
    explicit TransactionUnpacker(const std::vector<bool>& fields) : values_(fields) {}
    Result<filetemplate::Row> Unpack(const app::PackedRow& row) override;

 private:
    TransactionValues values_;
    ToldTransaction told_;
};

}  // namespace kessai::reconciliation::transport
