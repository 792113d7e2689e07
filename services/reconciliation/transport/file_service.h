#pragma once

#include <string_view>

#include "app/file_templates.h"
#include "app/merchant_files.h"
#include "app/order_files.h"
#include "kessai/auth/policy.h"
#include "kessai/reconciliation/v1/file_service.pb.h"
#include "kessai/result/result.h"
#include "kessai/rpc/call_context.h"
#include "kessai/rpc/service.h"
#include "kessai/rpc/worker_pool.h"
#include "transport/file_worker.h"

namespace kessai::reconciliation::transport {

inline constexpr std::string_view kFileServiceName = "kessai.reconciliation.v1.FileService";

/// Who may call which method.
auth::MethodPolicy FilePolicy();

/// The contract's methods: decode, call, encode. Thread safe.
class FileService {
 public:
    /// All must outlive it.
    FileService(app::FileTemplates& templates, app::OrderFiles& orders, app::MerchantFiles& files,
                FileWorker& worker)
        : templates_(templates), orders_(orders), files_(files), worker_(worker) {}

    /// Adds every method to `service`. MakeFiles waits on `run_workers`; what reads the store or
    /// other services goes on `slow`, all others on `workers`. All must outlive the server.
    void Register(rpc::Service& service, rpc::WorkerPool& workers, rpc::WorkerPool& run_workers,
                  rpc::WorkerPool& slow);

    Result<v1::FileTemplate> PutFileTemplate(const rpc::CallContext& context,
                                             const v1::PutFileTemplateRequest& request);
    Result<v1::ListFileTemplatesResponse> ListFileTemplates(
        const rpc::CallContext& context, const v1::ListFileTemplatesRequest& request);
    Result<v1::FileTemplate> GetFileTemplate(const rpc::CallContext& context,
                                             const v1::GetFileTemplateRequest& request);
    Result<v1::FilePreview> PreviewFileTemplate(const rpc::CallContext& context,
                                                const v1::PreviewFileTemplateRequest& request);
    Result<v1::AssignFileTemplateResponse> AssignFileTemplate(
        const rpc::CallContext& context, const v1::AssignFileTemplateRequest& request);
    Result<v1::ListFileAssignmentsResponse> ListFileAssignments(
        const rpc::CallContext& context, const v1::ListFileAssignmentsRequest& request);
    Result<v1::FileRun> MakeFiles(const rpc::CallContext& context,
                                  const v1::MakeFilesRequest& request);
    Result<v1::FileRun> CancelFileRun(const rpc::CallContext& context,
                                      const v1::CancelFileRunRequest& request);
    Result<v1::FileRun> GetFileRun(const rpc::CallContext& context,
                                   const v1::GetFileRunRequest& request);
    Result<v1::ListFileRunsResponse> ListFileRuns(const rpc::CallContext& context,
                                                  const v1::ListFileRunsRequest& request);
    Result<v1::ListFilesResponse> ListFiles(const rpc::CallContext& context,
                                            const v1::ListFilesRequest& request);
    Result<v1::File> GetFile(const rpc::CallContext& context, const v1::GetFileRequest& request);
    Status GetFileContent(const rpc::CallContext& context, const v1::GetFileContentRequest& request,
                          rpc::StreamWriter<v1::FilePiece>& pieces);
    Result<v1::File> AnnounceFile(const rpc::CallContext& context,
                                  const v1::AnnounceFileRequest& request);

 private:
    app::FileTemplates& templates_;
    app::OrderFiles& orders_;
    app::MerchantFiles& files_;
    FileWorker& worker_;
};

}  // namespace kessai::reconciliation::transport
