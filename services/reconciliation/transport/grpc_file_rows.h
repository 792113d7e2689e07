#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "app/file_rows.h"
#include "kessai/auth/token.h"
#include "kessai/rpc/channel.h"
#include "kessai/time/clock.h"

namespace kessai::payment::v1 {
class TransactionBatch;
}

namespace kessai::reconciliation::transport {

/// The contracts that rows come by, for rpc::CallTelemetry.
std::vector<std::string_view> FileRowContracts();

struct FileRowOptions {
    /// A query is read in as many parts: each is a call, and begins again by itself.
    int parts = 64;
    /// For one call; a part that takes longer goes on where it was.
    Duration call_timeout = std::chrono::seconds(25);
    /// Calls of a part that may fail one after the other before the query fails.
    int failures_max = 5;
    /// Between them; doubled each time.
    Duration backoff = std::chrono::milliseconds(200);
};

/// The rows of payment and payout over gRPC. A call that breaks off goes on behind the last rows
/// that came, so that no row is given twice. Thread safe.
class GrpcFileRows final : public app::FileRows {
 public:
    /// `signer` and `clock` must outlive it.
    GrpcFileRows(rpc::Channel payment, rpc::Channel payout, auth::TokenSigner& signer,
                 const Clock& clock, FileRowOptions options = {})
        : payment_(std::move(payment)),
          payout_(std::move(payout)),
          signer_(signer),
          clock_(clock),
          options_(options) {}

    Status Read(const app::FileQuery& query, std::span<const Take> takes) override;
    Status ReadPacked(const app::FileQuery& query, std::span<const TakePacked> takes) override;
    std::unique_ptr<app::RowUnpacker> UnpackerOf(const app::FileQuery& query) override;

 private:
    /// Gives the rows of a batch to the taker of a thread.
    using TakeBatch = std::function<Status(const payment::v1::TransactionBatch&)>;
    /// As many parts at a time as there are takers.
    Status ReadTransactions(const app::FileQuery& query, std::span<const TakeBatch> takes);
    Status ReadTransactionPart(const app::FileQuery& query, int part, int parts,
                               const TakeBatch& take);
    Status ReadReleases(const app::FileQuery& query, const Take& take);
    Status ReadTransfers(const app::FileQuery& query, const Take& take);

    /// Calls until the list is at its end. `call` is one call; it says by `progress` that rows
    /// came.
    template <class Call>
    Status Persist(std::string_view audience, const Call& call);

    rpc::Channel payment_;
    rpc::Channel payout_;
    auth::TokenSigner& signer_;
    const Clock& clock_;
    const FileRowOptions options_;
};

}  // namespace kessai::reconciliation::transport
