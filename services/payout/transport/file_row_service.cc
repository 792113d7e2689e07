#include "transport/file_row_service.h"

#include <charconv>
#include <string>

#include "domain/reason.h"

namespace kessai::payout::transport {
namespace {

constexpr int kRowsPerBatch = 500;

Status Stopping() {
    return Status(Code::kUnavailable, "STOPPING", "the service is stopping");
}
Status Invalid(std::string message) {
    return Status(Code::kInvalidArgument, domain::reason::kFieldInvalid, std::move(message));
}

/// None for 0.
Result<domain::MerchantId> MerchantOrAll(std::int64_t id) {
    if (id < 0) return Invalid("merchant_id is negative");
    return domain::MerchantId(id);
}

/// "BATCH-TRANSFER", in decimal.
std::string PositionText(const app::TransferPosition& position) {
    return std::to_string(position.batch) + '-' + std::to_string(position.transfer);
}
Result<app::TransferPosition> ParsePosition(std::string_view text) {
    app::TransferPosition position;
    if (text.empty()) return position;
    const char* const end = text.data() + text.size();
    const auto [dash, batch_error] = std::from_chars(text.data(), end, position.batch);
    if (batch_error == std::errc() && dash != end && *dash == '-' && position.batch >= 0) {
        const auto [last, error] = std::from_chars(dash + 1, end, position.transfer);
        if (error == std::errc() && last == end && position.transfer > 0) return position;
    }
    return Invalid("after is no position of a batch");
}

v1::ReleasedMerchant ToMessage(const app::ReleasedMerchant& released) {
    v1::ReleasedMerchant message;
    message.set_merchant_id(released.merchant.value());
    message.set_gross(released.gross);
    message.set_fee(released.fee);
    message.set_tax(released.tax);
    message.set_net(released.net);
    message.set_item_count(released.item_count);
    message.set_currency(released.currency);
    return message;
}

v1::TransferAttempt ToMessage(const app::TransferAttempt& attempt) {
    v1::TransferAttempt message;
    message.set_transfer_id(attempt.transfer.id.value());
    message.set_payout_id(attempt.transfer.payout.value());
    message.set_attempt(static_cast<std::uint32_t>(attempt.transfer.attempt));
    message.set_merchant_id(attempt.transfer.merchant.value());
    message.set_state(static_cast<std::int32_t>(attempt.transfer.state));
    message.set_amount(attempt.transfer.amount);
    message.set_fee(attempt.fee);
    message.set_tax(attempt.tax);
    message.set_currency(attempt.currency);
    message.set_on_demand(attempt.on_demand);
    message.set_reason(attempt.transfer.reason);
    return message;
}

}  // namespace

auth::MethodPolicy FileRowPolicy() {
    return auth::MethodPolicy({
        {"ListReleases", {auth::AnyService()}},
        {"ListTransfers", {auth::AnyService()}},
    });
}

void FileRowService::Register(rpc::Service& service, rpc::WorkerPool& slow) {
    service.Streaming<v1::ListReleasesRequest, v1::ReleaseRowBatch>(
        "ListReleases", slow,
        [this](const rpc::CallContext&, const v1::ListReleasesRequest& request,
               rpc::StreamWriter<v1::ReleaseRowBatch>& batches) {
            return ListReleases(request, batches);
        });
    service.Streaming<v1::ListTransfersRequest, v1::TransferRowBatch>(
        "ListTransfers", slow,
        [this](const rpc::CallContext&, const v1::ListTransfersRequest& request,
               rpc::StreamWriter<v1::TransferRowBatch>& batches) {
            return ListTransfers(request, batches);
        });
}

Status FileRowService::ListReleases(const v1::ListReleasesRequest& request,
                                    rpc::StreamWriter<v1::ReleaseRowBatch>& batches) {
    KESSAI_ASSIGN_OR_RETURN(const BusinessDate day,
                            BusinessDate::FromNumber(request.business_date()));
    KESSAI_ASSIGN_OR_RETURN(const auto merchant, MerchantOrAll(request.merchant_id()));
    if (request.after_merchant_id() < 0) return Invalid("after_merchant_id is negative");
    KESSAI_ASSIGN_OR_RETURN(const app::DayView view, days_.FindDay(day));
    if (view.state != domain::DayState::kReleased) {
        return Status(Code::kFailedPrecondition, domain::reason::kDayOpen,
                      day.ToString() + " is not released yet");
    }
    v1::ReleaseRowBatch batch;
    bool stopping = false;
    const auto send = [&] {
        stopping = stop_.stop_requested();
        const bool is_wanted = !stopping && batches.Write(batch);
        batch.Clear();
        return is_wanted;
    };
    KESSAI_RETURN_IF_ERROR(
        rows_.StreamReleases(day, merchant, domain::MerchantId(request.after_merchant_id()),
                             [&](const app::ReleasedMerchant& released) {
                                 *batch.add_releases() = ToMessage(released);
                                 return batch.releases_size() < kRowsPerBatch || send();
                             }));
    if (!stopping && batch.releases_size() > 0) send();
    // Never as if it had come to its end.
    return stopping ? Stopping() : OkStatus();
}

Status FileRowService::ListTransfers(const v1::ListTransfersRequest& request,
                                     rpc::StreamWriter<v1::TransferRowBatch>& batches) {
    KESSAI_ASSIGN_OR_RETURN(const BusinessDate date,
                            BusinessDate::FromNumber(request.transfer_date()));
    KESSAI_ASSIGN_OR_RETURN(const auto merchant, MerchantOrAll(request.merchant_id()));
    KESSAI_ASSIGN_OR_RETURN(const app::TransferPosition after, ParsePosition(request.after()));
    v1::TransferRowBatch batch;
    app::TransferPosition position;
    bool stopping = false;
    const auto send = [&] {
        batch.set_position(PositionText(position));
        stopping = stop_.stop_requested();
        const bool is_wanted = !stopping && batches.Write(batch);
        batch.Clear();
        return is_wanted;
    };
    KESSAI_RETURN_IF_ERROR(
        rows_.StreamTransfers(date, merchant, after, [&](const app::TransferAttempt& attempt) {
            *batch.add_transfers() = ToMessage(attempt);
            position = attempt.position;
            return batch.transfers_size() < kRowsPerBatch || send();
        }));
    if (!stopping && batch.transfers_size() > 0) send();
    return stopping ? Stopping() : OkStatus();
}

}  // namespace kessai::payout::transport
