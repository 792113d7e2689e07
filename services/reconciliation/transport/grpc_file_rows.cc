#include "transport/grpc_file_rows.h"

#include <array>
#include <atomic>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "domain/file_sources.h"
#include "kessai/payment/v1/transaction_service.pb.h"
#include "kessai/payout/v1/file_row_service.pb.h"
#include "kessai/rpc/call.h"
#include "transport/transaction_rows.h"

namespace kessai::reconciliation::transport {
namespace {

using filetemplate::Value;

constexpr std::string_view kTransactions = "transactions";
constexpr std::string_view kPayment = "payment";
constexpr std::string_view kPayout = "payout";
constexpr rpc::Name kTransactionService = "kessai.payment.v1.TransactionService";
constexpr rpc::Name kFileRowService = "kessai.payout.v1.FileRowService";
constexpr auto& ListTransactions =
    rpc::MethodOf<kTransactionService, "ListTransactions", payment::v1::ListTransactionsRequest,
                  payment::v1::TransactionBatch>;
constexpr auto& ListReleases =
    rpc::MethodOf<kFileRowService, "ListReleases", payout::v1::ListReleasesRequest,
                  payout::v1::ReleaseRowBatch>;
constexpr auto& ListTransfers =
    rpc::MethodOf<kFileRowService, "ListTransfers", payout::v1::ListTransfersRequest,
                  payout::v1::TransferRowBatch>;

Status Senseless(std::string_view what) {
    return Status(Code::kDataLoss, "PEER_ANSWER_INVALID",
                  "payout answered with " + std::string(what));
}

/// What another call may not meet with: the service is restarting, the connection broke, time is
/// up.
bool MayPass(const Status& status) {
    return status.code() == Code::kUnavailable || status.code() == Code::kDeadlineExceeded ||
           status.code() == Code::kAborted || status.code() == Code::kResourceExhausted ||
           // A server that stops resets calls that cross its GOAWAY.
           status.code() == Code::kCancelled;
}

/// The query's day: releases and transfers have no times.
Result<BusinessDate> DayOf(const app::FileQuery& query) {
    if (query.business_date) return *query.business_date;
    return Status(Code::kFailedPrecondition, "SOURCE_HAS_NO_TIMES",
                  query.source + " are by day: a template of them ends its days at 24:00 in Japan");
}

template <class Field, std::size_t kSize>
class RowValues {
 public:
    Value& operator[](Field field) { return values_[static_cast<std::size_t>(field)]; }
    filetemplate::Row row() const { return values_; }

 private:
    std::array<Value, kSize> values_;
};

class ReleaseRows {
 public:
    explicit ReleaseRows(BusinessDate day) : day_(day) {}

    Status Take(const payout::v1::ReleasedMerchant& released, const app::FileRows::Take& take) {
        KESSAI_ASSIGN_OR_RETURN(const Currency currency, Currency::Parse(released.currency()));
        const auto money = [&](std::int64_t amount) { return Value::Of(Money(amount, currency)); };
        merchant_id_ = std::to_string(released.merchant_id());
        values_[ReleaseField::kMerchantId] = Value::Text(merchant_id_);
        values_[ReleaseField::kBusinessDate] = Value::Of(day_);
        values_[ReleaseField::kGross] = money(released.gross());
        values_[ReleaseField::kFee] = money(released.fee());
        values_[ReleaseField::kTax] = money(released.tax());
        values_[ReleaseField::kNet] = money(released.net());
        values_[ReleaseField::kItemCount] = Value::Integer(released.item_count());
        return take({.merchant = domain::MerchantId(released.merchant_id()),
                     .accepted_us = 0,
                     .id = released.merchant_id(),
                     .step = 0,
                     .values = values_.row()});
    }

 private:
    const BusinessDate day_;
    RowValues<ReleaseField, static_cast<std::size_t>(ReleaseField::kCount)> values_;
    std::string merchant_id_;
};

class TransferRows {
 public:
    explicit TransferRows(BusinessDate date) : date_(date) {}

    Status Take(const payout::v1::TransferAttempt& transfer, const app::FileRows::Take& take) {
        KESSAI_ASSIGN_OR_RETURN(const Currency currency, Currency::Parse(transfer.currency()));
        // Transfer.State begins at 1, the schema's values at 0, in the same order.
        constexpr int kStates = 5;
        if (transfer.state() < 1 || transfer.state() > kStates) {
            return Senseless("a transfer in no state");
        }
        const auto money = [&](std::int64_t amount) { return Value::Of(Money(amount, currency)); };
        transfer_id_ = std::to_string(transfer.transfer_id());
        payout_id_ = std::to_string(transfer.payout_id());
        merchant_id_ = std::to_string(transfer.merchant_id());
        values_[TransferField::kTransferId] = Value::Text(transfer_id_);
        values_[TransferField::kPayoutId] = Value::Text(payout_id_);
        values_[TransferField::kMerchantId] = Value::Text(merchant_id_);
        values_[TransferField::kAttempt] = Value::Integer(transfer.attempt());
        values_[TransferField::kStatus] =
            Value::Enum(static_cast<std::size_t>(transfer.state() - 1));
        values_[TransferField::kTransferDate] = Value::Of(date_);
        values_[TransferField::kAmount] = money(transfer.amount());
        values_[TransferField::kFee] = money(transfer.fee());
        values_[TransferField::kTax] = money(transfer.tax());
        values_[TransferField::kIsOnDemand] = Value::Boolean(transfer.on_demand());
        values_[TransferField::kReason] = Value::Text(transfer.reason());
        return take({.merchant = domain::MerchantId(transfer.merchant_id()),
                     .accepted_us = 0,
                     .id = transfer.transfer_id(),
                     .step = transfer.attempt(),
                     .values = values_.row()});
    }

 private:
    const BusinessDate date_;
    RowValues<TransferField, static_cast<std::size_t>(TransferField::kCount)> values_;
    std::string transfer_id_;
    std::string payout_id_;
    std::string merchant_id_;
};

}  // namespace

std::vector<std::string_view> FileRowContracts() {
    return {kTransactionService.view(), kFileRowService.view()};
}

template <class Call>
Status GrpcFileRows::Persist(std::string_view audience, const Call& call) {
    Duration wait = options_.backoff;
    for (int failures = 0;;) {
        KESSAI_ASSIGN_OR_RETURN(
            const std::string token,
            signer_.Mint({.role = auth::Role::kService, .subject = "reconciliation"}, audience));
        bool has_moved = false;
        // A refusal of the taker is final, whatever its code.
        Status taken;
        const Status status = call(
            rpc::CallOptions{.timeout = options_.call_timeout, .token = token}, has_moved, taken);
        if (!taken.ok()) return taken;
        if (status.ok()) return status;
        if (has_moved) {
            failures = 0;
            wait = options_.backoff;
        }
        if (!MayPass(status) || ++failures == options_.failures_max) {
            return status.WithContext(audience);
        }
        clock_.SleepFor(wait);
        wait *= 2;
    }
}

Status GrpcFileRows::Read(const app::FileQuery& query, std::span<const Take> takes) {
    KESSAI_CHECK(!takes.empty(), "somebody takes the rows");
    if (query.source == kTransactions) {
        std::deque<TransactionRows> rows;
        std::vector<TakeBatch> batches;
        for (const Take& take : takes) {
            batches.push_back([&of = rows.emplace_back(query.fields),
                               &take](const payment::v1::TransactionBatch& batch) {
                return of.Take(batch, take);
            });
        }
        return ReadTransactions(query, batches);
    }
    if (query.source == "releases") return ReadReleases(query, takes.front());
    if (query.source == "transfers") return ReadTransfers(query, takes.front());
    return Status(Code::kInvalidArgument, "SOURCE_UNKNOWN",
                  "there is no source of rows " + query.source);
}

Status GrpcFileRows::ReadPacked(const app::FileQuery& query, std::span<const TakePacked> takes) {
    KESSAI_CHECK(!takes.empty(), "somebody takes the rows");
    if (query.source != kTransactions) return FileRows::ReadPacked(query, takes);
    std::deque<TransactionRows> rows;
    std::vector<TakeBatch> batches;
    for (const TakePacked& take : takes) {
        batches.push_back([&of = rows.emplace_back(query.fields),
                           &take](const payment::v1::TransactionBatch& batch) {
            return of.TakePacked(batch, take);
        });
    }
    return ReadTransactions(query, batches);
}

std::unique_ptr<app::RowUnpacker> GrpcFileRows::UnpackerOf(const app::FileQuery& query) {
    if (query.source != kTransactions) return FileRows::UnpackerOf(query);
    return std::make_unique<TransactionUnpacker>(query.fields);
}

Status GrpcFileRows::ReadTransactions(const app::FileQuery& query,
                                      std::span<const TakeBatch> takes) {
    // Of one merchant there is one part.
    const int parts = query.merchant ? 1 : options_.parts;
    std::atomic<int> next{0};
    std::atomic<bool> ended{false};
    std::mutex mutex;
    Status first;
    const auto run = [&](const TakeBatch& take) {
        for (int part = next++; part < parts && !ended; part = next++) {
            const Status status = ReadTransactionPart(query, part, parts, take);
            if (status.ok()) continue;
            ended = true;
            const std::lock_guard lock(mutex);
            if (first.ok()) first = status;
        }
    };
    {
        std::vector<std::jthread> others;
        for (const TakeBatch& take : takes.subspan(1))
            others.emplace_back([&run, &take] { run(take); });
        run(takes.front());
    }
    return first;
}

Status GrpcFileRows::ReadTransactionPart(const app::FileQuery& query, int part, int parts,
                                         const TakeBatch& take) {
    payment::v1::ListTransactionsRequest request;
    if (query.business_date) {
        request.set_business_date(query.business_date->ToNumber());
    } else {
        request.mutable_period()->set_from_us(ToMicros(query.period.from));
        request.mutable_period()->set_to_us(ToMicros(query.period.to));
    }
    if (query.merchant) request.set_merchant_id(query.merchant->value());
    request.set_part(static_cast<std::uint32_t>(part));
    request.set_parts(static_cast<std::uint32_t>(parts));
    return Persist(kPayment, [&](const rpc::CallOptions& call, bool& has_moved, Status& taken) {
        return rpc::CallStreaming(payment_, ListTransactions(), request, call,
                                  [&](const payment::v1::TransactionBatch& batch) {
                                      taken = take(batch);
                                      if (taken.ok()) request.set_after(batch.position());
                                      has_moved = true;
                                      return taken;
                                  });
    });
}

Status GrpcFileRows::ReadReleases(const app::FileQuery& query, const Take& take) {
    KESSAI_ASSIGN_OR_RETURN(const BusinessDate day, DayOf(query));
    payout::v1::ListReleasesRequest request;
    request.set_business_date(day.ToNumber());
    if (query.merchant) request.set_merchant_id(query.merchant->value());
    ReleaseRows rows(day);
    return Persist(kPayout, [&](const rpc::CallOptions& call, bool& has_moved, Status& taken) {
        return rpc::CallStreaming(
            payout_, ListReleases(), request, call, [&](const payout::v1::ReleaseRowBatch& batch) {
                for (const auto& released : batch.releases()) {
                    if (released.merchant_id() <= request.after_merchant_id()) {
                        return taken = Senseless("merchants that do not rise");
                    }
                    taken = rows.Take(released, take);
                    if (!taken.ok()) return taken;
                    request.set_after_merchant_id(released.merchant_id());
                }
                has_moved = true;
                return taken;
            });
    });
}

Status GrpcFileRows::ReadTransfers(const app::FileQuery& query, const Take& take) {
    KESSAI_ASSIGN_OR_RETURN(const BusinessDate date, DayOf(query));
    payout::v1::ListTransfersRequest request;
    request.set_transfer_date(date.ToNumber());
    if (query.merchant) request.set_merchant_id(query.merchant->value());
    TransferRows rows(date);
    return Persist(kPayout, [&](const rpc::CallOptions& call, bool& has_moved, Status& taken) {
        return rpc::CallStreaming(payout_, ListTransfers(), request, call,
                                  [&](const payout::v1::TransferRowBatch& batch) {
                                      for (const auto& transfer : batch.transfers()) {
                                          taken = rows.Take(transfer, take);
                                          if (!taken.ok()) return taken;
                                      }
                                      request.set_after(batch.position());
                                      has_moved = true;
                                      return taken;
                                  });
    });
}

}  // namespace kessai::reconciliation::transport
