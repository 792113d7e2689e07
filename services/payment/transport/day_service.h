#pragma once

#include "app/day_closer.h"
#include "app/day_store.h"
#include "app/execute_batch.h"
#include "app/payment_reader.h"
#include "kessai/payment/v1/payment_service.pb.h"
#include "kessai/rpc/service.h"
#include "kessai/rpc/worker_pool.h"

namespace kessai::payment::transport {

/// The days of the books: closing, digests, rows, and publishing events again. What it is made of
/// must outlive it, and it must outlive the server.
class DayService {
 public:
    DayService(app::DayCloser& closer, app::DayStore& days, app::PaymentReader& reader,
               app::IdLease& ids, const app::EventEncoder& encoder);

    void Register(rpc::Service& service, rpc::WorkerPool& pool);

 private:
    Result<v1::BusinessDay> CloseDay(const rpc::CallContext& context,
                                     const v1::CloseDayRequest& request);
    Result<v1::BusinessDay> GetBusinessDay(const rpc::CallContext& context,
                                           const v1::GetBusinessDayRequest& request);
    Result<v1::DayDigests> GetDayDigests(const rpc::CallContext& context,
                                         const v1::GetDayDigestsRequest& request);
    Status ListDayRows(const v1::ListDayRowsRequest& request,
                       rpc::StreamWriter<v1::DayRowPage>& pages);
    Result<v1::RepublishEventsResponse> RepublishEvents(const rpc::CallContext& context,
                                                        const v1::RepublishEventsRequest& request);

    /// The date, if the day has ended and all its events are in Kafka; else DAY_OPEN.
    Result<BusinessDate> FinishedDay(std::int32_t number);

    app::DayCloser& closer_;
    app::DayStore& days_;
    app::PaymentReader& reader_;
    app::IdLease& ids_;
    const app::EventEncoder& encoder_;
};

/// The sealed mark of a closed day.
std::string EncodeMark(BusinessDate date, int partition_count, std::int64_t event_id, Instant now);

}  // namespace kessai::payment::transport
