#pragma once

#include <cstdint>
#include <vector>

#include "model/event_record.h"
#include "model/merchant_ledger_rows.h"

// What payout tells of transfers: proto/kessai/payout/v1/payout_event.proto.
namespace kessai::audit {

/// The object of a transfer's events, and back.
std::int64_t EventObjectOf(std::int64_t transfer_id);
std::int64_t TransferOfEvent(std::int64_t object);

/// The events that a transfer's rows imply, by version: of its journals (by kind), and of the file
/// that it is in.
std::vector<PublishedRow> EventsOf(const TransferRow& transfer,
                                   const std::vector<MerchantJournalRow>& journals);

}  // namespace kessai::audit
