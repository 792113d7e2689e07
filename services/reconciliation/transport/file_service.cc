#include "transport/file_service.h"

#include <charconv>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "transport/proto_mapping.h"

namespace kessai::reconciliation::transport {

namespace {

constexpr std::uint32_t kPageSizeDefault = 100;
constexpr std::uint32_t kPageSizeMax = 1'000;
constexpr int kMerchantsMax = 1'000;
constexpr std::uint32_t kPreviewRowsDefault = 10;
constexpr std::uint32_t kPreviewRowsMax = 1'000;
/// Kept of the caller's deadline for sending the answer.
constexpr Duration kForTheAnswer = std::chrono::milliseconds(200);

Status Invalid(std::string message) {
    return Status(Code::kInvalidArgument, "FIELD_INVALID", std::move(message));
}

Result<std::uint32_t> PageSizeOf(std::uint32_t wanted) {
    if (wanted > kPageSizeMax) {
        return Status(Code::kInvalidArgument, "PAGE_SIZE_OUT_OF_RANGE",
                      "page_size: 1 to " + std::to_string(kPageSizeMax));
    }
    return wanted == 0 ? kPageSizeDefault : wanted;
}

Status NoToken() {
    return Status(Code::kInvalidArgument, "PAGE_TOKEN_INVALID", "not a token of this service");
}

template <class Number>
std::optional<Number> NumberFrom(std::string_view text) {
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

Result<domain::MerchantId> MerchantFrom(std::int64_t id) {
    if (id > 0) return domain::MerchantId(id);
    return Invalid("merchant_id: must be positive");
}

/// None: an operator, who sees all.
domain::MerchantId CallersMerchant(const rpc::CallContext& context) {
    const auth::Principal& caller = context.principal();
    return caller.role == auth::Role::kMerchant ? domain::MerchantId(caller.merchant_id)
                                                : domain::MerchantId();
}

/// 0: none.
Result<std::optional<BusinessDate>> DateOrNone(std::int32_t yyyymmdd) {
    if (yyyymmdd == 0) return std::optional<BusinessDate>();
    KESSAI_ASSIGN_OR_RETURN(const BusinessDate date, DateFrom(yyyymmdd));
    return std::optional(date);
}

v1::FileTemplate ToMessage(const domain::FileTemplate& stored) {
    v1::FileTemplate message;
    message.set_name(stored.name);
    message.set_version(stored.version);
    message.set_yaml(stored.yaml);
    message.set_source(stored.source);
    message.set_description(stored.description);
    message.set_schedule_at(domain::FormatTimeOfDay(stored.schedule_at));
    message.set_built_in(stored.built_in);
    message.set_put_by(stored.put_by);
    message.set_put_at_us(ToMicros(stored.put_at));
    if (stored.scheduled_through) {
        message.set_scheduled_through_date(stored.scheduled_through->ToNumber());
    }
    return message;
}

v1::FileAssignment ToMessage(const domain::FileAssignment& assignment) {
    v1::FileAssignment message;
    message.set_merchant_id(assignment.merchant.value());
    message.set_mode(static_cast<v1::FileAssignment::Mode>(assignment.mode));
    if (assignment.from_date != BusinessDate()) {
        message.set_from_date(assignment.from_date.ToNumber());
    }
    message.set_put_by(assignment.put_by);
    message.set_put_at_us(ToMicros(assignment.put_at));
    return message;
}

v1::FileRun ToMessage(const domain::FileRun& run) {
    v1::FileRun message;
    message.set_run_id(run.id.value());
    message.set_name(run.order.template_name);
    message.set_template_version(run.template_version);
    message.set_business_date(run.order.business_date.ToNumber());
    message.set_merchant_id(run.order.merchant.value());
    message.set_scheduled(run.order.scheduled);
    message.set_again_reason(run.order.again_reason);
    message.set_force(run.order.force);
    message.set_requested_by(run.order.requested_by);
    message.set_state(static_cast<v1::FileRun::State>(run.state));
    message.set_merchants_done(run.progress.merchants_done);
    message.set_merchants_refused(run.progress.merchants_refused);
    message.set_merchants_unchanged(run.progress.merchants_unchanged);
    message.set_files(run.progress.files);
    message.set_rows(run.progress.rows);
    message.set_bytes(run.progress.bytes);
    message.set_created_at_us(ToMicros(run.created_at));
    message.set_started_at_us(ToMicros(run.started_at));
    message.set_finished_at_us(ToMicros(run.finished_at));
    message.set_attempts(run.attempts);
    message.set_reason(run.reason);
    message.set_message(run.message);
    if (run.state == domain::FileRunState::kFailed) {
        message.set_retry_at_us(ToMicros(run.retry_at));
    }
    return message;
}

v1::FileRun ToMessage(const app::FileRunRecord& record) {
    v1::FileRun message = ToMessage(record.run);
    for (const domain::RunMerchant& refused : record.refused) {
        v1::FileRun::Refused& added = *message.add_refused();
        added.set_merchant_id(refused.merchant.value());
        added.set_reason(refused.reason);
        added.set_message(refused.message);
    }
    return message;
}

v1::File ToMessage(const domain::MerchantFile& file) {
    v1::File message;
    message.set_file_id(file.id.value());
    message.set_merchant_id(file.merchant.value());
    message.set_name(file.name);
    message.set_template_name(file.template_name);
    message.set_template_version(file.template_version);
    message.set_business_date(file.business_date.ToNumber());
    message.set_version(file.version);
    message.set_part(file.part);
    message.set_bytes(file.bytes);
    message.set_sha256(file.sha256.data(), file.sha256.size());
    message.set_rows(file.rows);
    for (const filetemplate::ColumnTotal& total : file.totals) {
        v1::File::Total& added = *message.add_totals();
        added.set_column(total.column);
        added.set_amount(total.sum.minor());
        added.set_currency(std::string(total.sum.currency().code()));
    }
    message.set_made_at_us(ToMicros(file.made_at));
    message.set_expires_at_us(ToMicros(file.expires_at));
    message.set_run_id(file.run.value());
    message.set_removed_at_us(ToMicros(file.removed_at));
    return message;
}

/// "20261130-123": the day and the file that the page ended with.
Result<app::FileFilter::Place> PlaceFrom(std::string_view token) {
    const std::size_t dash = token.find('-');
    if (dash == std::string_view::npos) return NoToken();
    const auto date = NumberFrom<std::int32_t>(token.substr(0, dash));
    const auto file = NumberFrom<std::int64_t>(token.substr(dash + 1));
    if (!date || !file || *file <= 0) return NoToken();
    const auto day = BusinessDate::FromNumber(*date);
    if (!day.ok()) return NoToken();
    return app::FileFilter::Place{*day, domain::FileId(*file)};
}

}  // namespace

auth::MethodPolicy FilePolicy() {
    const auth::Grant read = auth::Operator("file:read");
    const auth::Grant write = auth::Operator("file:write");
    return auth::MethodPolicy({{"PutFileTemplate", {write}},
                               {"ListFileTemplates", {read}},
                               {"GetFileTemplate", {read}},
                               {"PreviewFileTemplate", {read}},
                               {"AssignFileTemplate", {write}},
                               {"ListFileAssignments", {read}},
                               {"MakeFiles", {write}},
                               {"CancelFileRun", {write}},
                               {"GetFileRun", {read}},
                               {"ListFileRuns", {read}},
                               {"ListFiles", {read, auth::Merchant()}},
                               {"GetFile", {read, auth::Merchant()}},
                               {"GetFileContent", {read, auth::Merchant()}},
                               {"AnnounceFile", {write}}});
}

void FileService::Register(rpc::Service& service, rpc::WorkerPool& workers,
                           rpc::WorkerPool& run_workers, rpc::WorkerPool& slow) {
    service.Blocking("PutFileTemplate", workers, *this, &FileService::PutFileTemplate);
    service.Blocking("ListFileTemplates", workers, *this, &FileService::ListFileTemplates);
    service.Blocking("GetFileTemplate", workers, *this, &FileService::GetFileTemplate);
    service.Blocking("PreviewFileTemplate", slow, *this, &FileService::PreviewFileTemplate);
    service.Blocking("AssignFileTemplate", slow, *this, &FileService::AssignFileTemplate);
    service.Blocking("ListFileAssignments", workers, *this, &FileService::ListFileAssignments);
    service.Blocking("MakeFiles", run_workers, *this, &FileService::MakeFiles);
    service.Blocking("CancelFileRun", workers, *this, &FileService::CancelFileRun);
    service.Blocking("GetFileRun", workers, *this, &FileService::GetFileRun);
    service.Blocking("ListFileRuns", workers, *this, &FileService::ListFileRuns);
    service.Blocking("ListFiles", workers, *this, &FileService::ListFiles);
    service.Blocking("GetFile", workers, *this, &FileService::GetFile);
    service.Streaming<v1::GetFileContentRequest, v1::FilePiece>(
        "GetFileContent", slow,
        [this](const rpc::CallContext& context, const v1::GetFileContentRequest& request,
               rpc::StreamWriter<v1::FilePiece>& pieces) {
            return GetFileContent(context, request, pieces);
        });
    service.Blocking("AnnounceFile", workers, *this, &FileService::AnnounceFile);
}

Result<v1::FileTemplate> FileService::PutFileTemplate(const rpc::CallContext& context,
                                                      const v1::PutFileTemplateRequest& request) {
    app::FileTemplates::Put put{
        .name = request.name(), .yaml = request.yaml(), .put_by = context.principal().subject};
    if (!request.schedule_at().empty()) {
        KESSAI_ASSIGN_OR_RETURN(put.schedule_at, domain::ParseTimeOfDay(request.schedule_at()));
    }
    KESSAI_ASSIGN_OR_RETURN(const auto stored, templates_.PutTemplate(put));
    return ToMessage(stored);
}

Result<v1::ListFileTemplatesResponse> FileService::ListFileTemplates(
    const rpc::CallContext&, const v1::ListFileTemplatesRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const std::uint32_t size, PageSizeOf(request.page_size()));
    if (!request.page_token().empty() && !domain::IsFileTemplateName(request.page_token())) {
        return NoToken();
    }
    // One more, to know whether there is a next page.
    KESSAI_ASSIGN_OR_RETURN(auto listed,
                            templates_.List(request.page_token(), static_cast<int>(size) + 1));
    v1::ListFileTemplatesResponse response;
    if (listed.size() > size) {
        listed.resize(size);
        response.set_next_page_token(listed.back().name);
    }
    for (const auto& one : listed) *response.add_templates() = ToMessage(one);
    return response;
}

Result<v1::FileTemplate> FileService::GetFileTemplate(const rpc::CallContext&,
                                                      const v1::GetFileTemplateRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const auto found, templates_.Find(request.name(), request.version()));
    return ToMessage(found);
}

Result<v1::FilePreview> FileService::PreviewFileTemplate(
    const rpc::CallContext&, const v1::PreviewFileTemplateRequest& request) {
    if (request.layout_case() == v1::PreviewFileTemplateRequest::LAYOUT_NOT_SET) {
        return Invalid("layout: name a template, or give a layout");
    }
    if (request.rows_max() > kPreviewRowsMax) {
        return Invalid("rows_max: 1 to " + std::to_string(kPreviewRowsMax));
    }
    app::FileTemplates::Preview preview{
        .name = request.name(),
        .version = request.version(),
        .yaml = request.yaml(),
        .rows_max = request.rows_max() == 0 ? kPreviewRowsDefault : request.rows_max()};
    KESSAI_ASSIGN_OR_RETURN(preview.merchant, MerchantFrom(request.merchant_id()));
    KESSAI_ASSIGN_OR_RETURN(preview.business_date, DateFrom(request.business_date()));
    KESSAI_ASSIGN_OR_RETURN(auto made, templates_.PreviewFiles(preview));
    v1::FilePreview response;
    response.set_rows_read(made.rows_read);
    response.set_has_more(made.is_cut);
    for (app::PreviewedFile& file : made.files) {
        v1::FilePreview::Preview& added = *response.add_files();
        added.set_name(file.name);
        added.set_content(std::move(file.bytes));
        added.set_rows(file.rows);
    }
    return response;
}

Result<v1::AssignFileTemplateResponse> FileService::AssignFileTemplate(
    const rpc::CallContext& context, const v1::AssignFileTemplateRequest& request) {
    using Mode = v1::FileAssignment;
    if (!Mode::Mode_IsValid(request.mode()) || request.mode() == Mode::MODE_UNSPECIFIED) {
        return Invalid("mode: SCHEDULED, ON_DEMAND or NOT_ASSIGNED");
    }
    if (request.merchant_ids_size() > kMerchantsMax) {
        return Invalid("merchant_ids: at most " + std::to_string(kMerchantsMax));
    }
    app::FileTemplates::Assign assign{
        .name = request.name(),
        .mode = static_cast<domain::FileAssignmentMode>(request.mode()),
        .put_by = context.principal().subject};
    for (const std::int64_t id : request.merchant_ids()) {
        KESSAI_ASSIGN_OR_RETURN(const auto merchant, MerchantFrom(id));
        assign.merchants.push_back(merchant);
    }
    if (request.from_date() != 0 || assign.mode != domain::FileAssignmentMode::kNotAssigned) {
        const auto date = BusinessDate::FromNumber(request.from_date());
        if (!date.ok()) return Invalid("from_date: the first day is needed, yyyymmdd");
        assign.from_date = *date;
    }
    KESSAI_ASSIGN_OR_RETURN(const auto assignments, templates_.AssignTemplate(assign));
    v1::AssignFileTemplateResponse response;
    for (const auto& one : assignments) *response.add_assignments() = ToMessage(one);
    return response;
}

Result<v1::ListFileAssignmentsResponse> FileService::ListFileAssignments(
    const rpc::CallContext&, const v1::ListFileAssignmentsRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const std::uint32_t size, PageSizeOf(request.page_size()));
    std::optional<domain::MerchantId> after;
    if (!request.page_token().empty()) {
        const auto merchant = NumberFrom<std::int64_t>(request.page_token());
        if (!merchant || *merchant < 0) return NoToken();
        after.emplace(*merchant);
    }
    KESSAI_ASSIGN_OR_RETURN(
        auto listed, templates_.ListAssignments(request.name(), after, static_cast<int>(size) + 1));
    v1::ListFileAssignmentsResponse response;
    if (listed.size() > size) {
        listed.resize(size);
        response.set_next_page_token(listed.back().merchant.ToString());
    }
    for (const auto& one : listed) *response.add_assignments() = ToMessage(one);
    return response;
}

Result<v1::FileRun> FileService::MakeFiles(const rpc::CallContext& context,
                                           const v1::MakeFilesRequest& request) {
    domain::FileRunOrder order{.template_name = request.name(),
                               .requested_by = context.principal().subject};
    KESSAI_ASSIGN_OR_RETURN(order.business_date, DateFrom(request.business_date()));
    if (request.merchant_id() != 0) {
        KESSAI_ASSIGN_OR_RETURN(order.merchant, MerchantFrom(request.merchant_id()));
    }
    if (request.has_again()) {
        if (request.again().reason().empty()) {
            return Invalid("again.reason: 1 to 255 bytes are needed");
        }
        order.again_reason = request.again().reason();
        order.force = request.again().force();
    }
    KESSAI_ASSIGN_OR_RETURN(const auto ordered, orders_.Order(std::move(order)));
    KESSAI_RETURN_IF_ERROR(worker_.Await(ordered.id, context.deadline() - kForTheAnswer).status());
    KESSAI_ASSIGN_OR_RETURN(const auto record, files_.FindRun(ordered.id));
    return ToMessage(record);
}

Result<v1::FileRun> FileService::CancelFileRun(const rpc::CallContext& context,
                                               const v1::CancelFileRunRequest& request) {
    KESSAI_RETURN_IF_ERROR(orders_
                               .Cancel(domain::FileRunId(request.run_id()), request.reason(),
                                       context.principal().subject)
                               .status());
    KESSAI_ASSIGN_OR_RETURN(const auto record, files_.FindRun(domain::FileRunId(request.run_id())));
    return ToMessage(record);
}

Result<v1::FileRun> FileService::GetFileRun(const rpc::CallContext&,
                                            const v1::GetFileRunRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const auto record, files_.FindRun(domain::FileRunId(request.run_id())));
    return ToMessage(record);
}

Result<v1::ListFileRunsResponse> FileService::ListFileRuns(const rpc::CallContext&,
                                                           const v1::ListFileRunsRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const std::uint32_t size, PageSizeOf(request.page_size()));
    app::FileRunFilter filter{.template_name = request.name(), .limit = static_cast<int>(size) + 1};
    KESSAI_ASSIGN_OR_RETURN(filter.business_date, DateOrNone(request.business_date()));
    if (!request.page_token().empty()) {
        const auto before = NumberFrom<std::int64_t>(request.page_token());
        if (!before || *before <= 0) return NoToken();
        filter.before = domain::FileRunId(*before);
    }
    KESSAI_ASSIGN_OR_RETURN(auto listed, files_.ListRuns(filter));
    v1::ListFileRunsResponse response;
    if (listed.size() > size) {
        listed.resize(size);
        response.set_next_page_token(listed.back().id.ToString());
    }
    for (const auto& one : listed) *response.add_runs() = ToMessage(one);
    return response;
}

Result<v1::ListFilesResponse> FileService::ListFiles(const rpc::CallContext& context,
                                                     const v1::ListFilesRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const std::uint32_t size, PageSizeOf(request.page_size()));
    app::FileFilter filter{.merchant = CallersMerchant(context),
                           .template_name = request.template_name(),
                           .latest_only = request.latest_only(),
                           .limit = static_cast<int>(size) + 1};
    if (filter.merchant.is_none() && request.merchant_id() != 0) {
        KESSAI_ASSIGN_OR_RETURN(filter.merchant, MerchantFrom(request.merchant_id()));
    }
    KESSAI_ASSIGN_OR_RETURN(filter.from, DateOrNone(request.from_date()));
    KESSAI_ASSIGN_OR_RETURN(filter.to, DateOrNone(request.to_date()));
    if (!request.page_token().empty()) {
        KESSAI_ASSIGN_OR_RETURN(filter.after, PlaceFrom(request.page_token()));
    }
    KESSAI_ASSIGN_OR_RETURN(auto listed, files_.List(filter));
    v1::ListFilesResponse response;
    if (listed.size() > size) {
        listed.resize(size);
        response.set_next_page_token(std::to_string(listed.back().business_date.ToNumber()) + "-" +
                                     listed.back().id.ToString());
    }
    for (const auto& one : listed) *response.add_files() = ToMessage(one);
    return response;
}

Result<v1::File> FileService::GetFile(const rpc::CallContext& context,
                                      const v1::GetFileRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(
        const auto file, files_.Find(domain::FileId(request.file_id()), CallersMerchant(context)));
    return ToMessage(file);
}

Status FileService::GetFileContent(const rpc::CallContext& context,
                                   const v1::GetFileContentRequest& request,
                                   rpc::StreamWriter<v1::FilePiece>& pieces) {
    KESSAI_ASSIGN_OR_RETURN(
        const auto file, files_.Find(domain::FileId(request.file_id()), CallersMerchant(context)));
    v1::FilePiece first;
    *first.mutable_file() = ToMessage(file);
    bool begun = false;
    bool listened = true;
    const auto write = [&](const v1::FilePiece& piece) {
        listened = pieces.Write(piece);
        return listened;
    };
    // The file goes ahead of its first bytes: what is refused at once is refused without it.
    const Status read = files_.Read(file, request.offset(), [&](std::string_view bytes) {
        if (!std::exchange(begun, true) && !write(first)) return false;
        v1::FilePiece piece;
        piece.set_content(bytes.data(), bytes.size());
        return write(piece);
    });
    KESSAI_RETURN_IF_ERROR(read);
    if (!begun) write(first);
    if (!listened) return Status(Code::kCancelled, "CANCELLED", "nobody listens");
    return OkStatus();
}

Result<v1::File> FileService::AnnounceFile(const rpc::CallContext& context,
                                           const v1::AnnounceFileRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const auto file, files_.Announce(domain::FileId(request.file_id()),
                                                             context.principal().subject));
    return ToMessage(file);
}

}  // namespace kessai::reconciliation::transport
