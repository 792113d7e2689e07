#pragma once

#include "app/ledger_reader.h"
#include "kessai/payout/v1/transfer_service.pb.h"

/// Values as messages of TransferService.
namespace kessai::payout::transport {

v1::BankAccount ToMessage(const domain::BankAccount& account);
v1::PayoutTerms ToMessage(const domain::PayoutTerms& terms);
v1::PayoutHold ToMessage(const app::PayoutHold& hold);
v1::TransferRun ToMessage(const app::TransferRun& run);
v1::Transfer ToMessage(const domain::Transfer& transfer);
v1::Payout ToMessage(const app::PayoutHistory& history);
v1::TransferBatch ToMessage(const app::TransferBatch& batch);
v1::ImportedResults ToMessage(const app::ImportedResults& results);
v1::Adjustment ToMessage(const domain::Adjustment& adjustment);
v1::JournalEntry ToMessage(const app::JournalLine& line);

/// Of an entry's `position`; of nothing: the beginning. INVALID_ARGUMENT FIELD_INVALID.
Result<app::JournalPosition> ParsePosition(std::string_view text);

}  // namespace kessai::payout::transport
