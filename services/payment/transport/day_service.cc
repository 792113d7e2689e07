#include "transport/day_service.h"

#include <vector>

#include "domain/refusal.h"
#include "kessai/event/mark.h"

namespace kessai::payment::transport {
namespace {

using domain::Refusal;
using domain::Refuse;

constexpr int kRepublishMax = 1'000;
// A page is some 20 KiB.
constexpr int kRowsPerPage = 1'000;

v1::BusinessDay ToMessage(const app::Day& day) {
    v1::BusinessDay message;
    message.set_business_date(day.date.ToNumber());
    switch (day.state) {
        case app::DayState::kOpen:
            message.set_state(v1::BusinessDay::OPEN);
            break;
        case app::DayState::kClosing:
        case app::DayState::kMarked:
            message.set_state(v1::BusinessDay::CLOSING);
            break;
        case app::DayState::kClosed:
            message.set_state(v1::BusinessDay::CLOSED);
            break;
    }
    return message;
}

std::string BigEndian(const digest::Sum128& sum) {
    std::string bytes;
    for (const std::uint64_t half : {sum.high, sum.low}) {
        for (int shift = 56; shift >= 0; shift -= 8) {
            bytes.push_back(static_cast<char>(half >> shift & 0xFF));
        }
    }
    return bytes;
}

}  // namespace

DayService::DayService(app::DayCloser& closer, app::DayStore& days, app::PaymentReader& reader,
                       app::IdLease& ids, const app::EventEncoder& encoder)
    : closer_(closer), days_(days), reader_(reader), ids_(ids), encoder_(encoder) {}

void DayService::Register(rpc::Service& service, rpc::WorkerPool& pool) {
    service.Blocking("CloseDay", pool, *this, &DayService::CloseDay);
    service.Blocking("GetBusinessDay", pool, *this, &DayService::GetBusinessDay);
    service.Blocking("GetDayDigests", pool, *this, &DayService::GetDayDigests);
    service.Blocking("RepublishEvents", pool, *this, &DayService::RepublishEvents);
    service.Streaming<v1::ListDayRowsRequest, v1::DayRowPage>(
        "ListDayRows", pool,
        [this](const rpc::CallContext&, const v1::ListDayRowsRequest& request,
               rpc::StreamWriter<v1::DayRowPage>& pages) { return ListDayRows(request, pages); });
}

Result<v1::BusinessDay> DayService::CloseDay(const rpc::CallContext&,
                                             const v1::CloseDayRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const BusinessDate date,
                            BusinessDate::FromNumber(request.business_date()));
    KESSAI_ASSIGN_OR_RETURN(const app::Day day, closer_.Close(date, request.early()));
    return ToMessage(day);
}

Result<v1::BusinessDay> DayService::GetBusinessDay(const rpc::CallContext&,
                                                   const v1::GetBusinessDayRequest& request) {
    if (request.business_date() == 0) {
        KESSAI_ASSIGN_OR_RETURN(const app::DayStore::Now now, days_.Read());
        return ToMessage({now.open_date, app::DayState::kOpen});
    }
    KESSAI_ASSIGN_OR_RETURN(const BusinessDate date,
                            BusinessDate::FromNumber(request.business_date()));
    KESSAI_ASSIGN_OR_RETURN(const app::Day day, days_.Find(date));
    return ToMessage(day);
}

Result<BusinessDate> DayService::FinishedDay(std::int32_t number) {
    KESSAI_ASSIGN_OR_RETURN(const BusinessDate date, BusinessDate::FromNumber(number));
    KESSAI_ASSIGN_OR_RETURN(const app::Day day, days_.Find(date));
    if (day.state == app::DayState::kOpen || day.state == app::DayState::kClosing) {
        return Refuse(Refusal::kDayOpen, date.ToString() + " is not closed yet");
    }
    return date;
}

Result<v1::DayDigests> DayService::GetDayDigests(const rpc::CallContext&,
                                                 const v1::GetDayDigestsRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const BusinessDate date, FinishedDay(request.business_date()));
    KESSAI_ASSIGN_OR_RETURN(
        const digest::BucketRange range,
        digest::BucketRange::Parse(request.bucket_first(), request.bucket_count()));
    KESSAI_ASSIGN_OR_RETURN(const digest::DayDigest day,
                            days_.Digests(date, request.deep(), range));
    v1::DayDigests message;
    message.set_business_date(date.ToNumber());
    for (int bucket = range.first; bucket < range.end(); ++bucket) {
        const digest::BucketDigest& digest = day[static_cast<std::size_t>(bucket)];
        v1::DayDigests::Bucket* added = message.add_buckets();
        added->set_bucket(static_cast<std::uint32_t>(bucket));
        added->set_count(static_cast<std::uint64_t>(digest.count));
        added->set_amount(digest.signed_gross);
        added->set_hash_sum(BigEndian(digest.hash_sum));
    }
    return message;
}

Status DayService::ListDayRows(const v1::ListDayRowsRequest& request,
                               rpc::StreamWriter<v1::DayRowPage>& pages) {
    KESSAI_ASSIGN_OR_RETURN(const BusinessDate date, FinishedDay(request.business_date()));
    if (request.bucket() >= digest::kBuckets) {
        return Refuse(Refusal::kFieldInvalid, "there is no such bucket");
    }
    KESSAI_ASSIGN_OR_RETURN(const auto found, days_.Rows(date, static_cast<int>(request.bucket())));
    v1::DayRowPage page;
    for (std::size_t i = 0; i < found.size(); ++i) {
        v1::DayRow* row = page.add_rows();
        row->set_object_id(found[i].object);
        row->set_version(found[i].version);
        row->set_merchant_id(found[i].merchant.value());
        row->set_amount(found[i].gross);
        if (page.rows_size() < kRowsPerPage && i + 1 < found.size()) continue;
        if (!pages.Write(page)) return OkStatus();
        page.clear_rows();
    }
    return OkStatus();
}

Result<v1::RepublishEventsResponse> DayService::RepublishEvents(
    const rpc::CallContext&, const v1::RepublishEventsRequest& request) {
    if (request.changes_size() == 0 || request.changes_size() > kRepublishMax) {
        return Refuse(Refusal::kFieldInvalid, "name 1 to 1,000 changes");
    }
    std::vector<std::pair<std::int64_t, std::uint32_t>> keys;
    for (const auto& change : request.changes()) {
        keys.emplace_back(change.object_id(), change.version());
    }
    KESSAI_ASSIGN_OR_RETURN(const auto changes, reader_.Changes(keys));
    if (changes.size() != keys.size()) {
        return Refuse(Refusal::kChangeUnknown, std::to_string(keys.size() - changes.size()) +
                                                   " of the changes do not exist");
    }
    std::vector<std::string> envelopes;
    for (const domain::Change& change : changes) envelopes.push_back(encoder_.Encode(change));
    KESSAI_ASSIGN_OR_RETURN(const auto ids, app::GeneratorOf(ids_));
    const std::int64_t row_id = ids->Next();
    KESSAI_RETURN_IF_ERROR(ids_.Confirm(*ids));
    KESSAI_RETURN_IF_ERROR(days_.Republish(changes, envelopes, row_id));
    v1::RepublishEventsResponse response;
    response.set_published(static_cast<std::uint32_t>(changes.size()));
    return response;
}

std::string EncodeMark(BusinessDate date, int partition_count, std::int64_t event_id, Instant now) {
    return event::SealMark({date, partition_count, "payment"}, event_id, now).value();
}

}  // namespace kessai::payment::transport
