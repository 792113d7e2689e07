#include "kessai/event/mark.h"

#include "kessai/event/bucket.h"
#include "kessai/event/v1/envelope.pb.h"
#include "kessai/result/check.h"

namespace kessai::event {
namespace {

Status Invalid(std::string_view reason, std::string message) {
    return Status(Code::kInvalidArgument, reason, std::move(message));
}

}  // namespace

Result<std::string> SealMark(const BusinessDayClosed& mark, std::int64_t event_id,
                             Instant occurred_at) {
    if (mark.service.empty()) return Invalid(kEventFieldInvalid, "a mark names its service");
    if (mark.partition_count < 1 || mark.partition_count > kBuckets) {
        return Invalid(kEventFieldInvalid, "a mark counts its topic's partitions");
    }
    v1::BusinessDayClosed message;
    message.set_business_date(mark.business_date.ToNumber());
    message.set_partition_count(static_cast<std::uint32_t>(mark.partition_count));
    message.set_service(mark.service);
    const std::string payload = message.SerializeAsString();
    return Seal({.type = kBusinessDayClosedType,
                 .object_id = 0,
                 .version = 0,
                 .event_id = event_id,
                 .business_date = mark.business_date,
                 .occurred_at = occurred_at,
                 .payload = payload});
}

bool IsMark(const Envelope& envelope) {
    return envelope.object_id == 0 && envelope.type == kBusinessDayClosedType;
}

Result<BusinessDayClosed> OpenMark(const Envelope& envelope) {
    KESSAI_CHECK(IsMark(envelope), "OpenMark reads marks only");
    v1::BusinessDayClosed message;
    if (!message.ParseFromString(envelope.payload)) {
        return Invalid(kEventMalformed, "not a BusinessDayClosed");
    }
    const auto date = BusinessDate::FromNumber(message.business_date());
    if (!date.ok() || *date != envelope.business_date) {
        return Invalid(kEventMalformed, "a mark's date is its envelope's");
    }
    if (message.service().empty() || message.partition_count() < 1 ||
        message.partition_count() > static_cast<std::uint32_t>(kBuckets)) {
        return Invalid(kEventFieldInvalid, "a mark names its service and counts its partitions");
    }
    return BusinessDayClosed{.business_date = *date,
                             .partition_count = static_cast<int>(message.partition_count()),
                             .service = message.service()};
}

}  // namespace kessai::event
