#pragma once

#include <stop_token>
#include <string_view>

#include "app/file_row_reader.h"
#include "app/payout_reader.h"
#include "kessai/auth/policy.h"
#include "kessai/payout/v1/file_row_service.pb.h"
#include "kessai/rpc/service.h"
#include "kessai/rpc/worker_pool.h"

namespace kessai::payout::transport {

inline constexpr std::string_view kFileRowServiceName = "kessai.payout.v1.FileRowService";

/// Who may call what.
auth::MethodPolicy FileRowPolicy();

/// The methods of FileRowService. What it is made of must outlive it, and it the server.
class FileRowService {
 public:
    FileRowService(app::FileRowReader& rows, app::PayoutReader& days) : rows_(rows), days_(days) {}

    /// Lists take long.
    void Register(rpc::Service& service, rpc::WorkerPool& slow);
    /// Ends lists that are under way, as UNAVAILABLE.
    void StopLists() { stop_.request_stop(); }

 private:
    Status ListReleases(const v1::ListReleasesRequest& request,
                        rpc::StreamWriter<v1::ReleaseRowBatch>& batches);
    Status ListTransfers(const v1::ListTransfersRequest& request,
                         rpc::StreamWriter<v1::TransferRowBatch>& batches);

    app::FileRowReader& rows_;
    app::PayoutReader& days_;
    std::stop_source stop_;
};

}  // namespace kessai::payout::transport
