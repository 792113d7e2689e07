#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "app/ledger_store.h"
#include "kessai/zengin/transfer_file.h"

namespace kessai::payout::app {

struct SendTransfersOptions {
    /// Who pays, as the bank knows it.
    zengin::Originator originator;
    zengin::LineEnd line_end = zengin::LineEnd::kCrLf;
    int transfers_per_file = 100'000;
};

/// Gathers transfers in batches, and writes their files for the bank: Zengin bulk transfers, with
/// the transfer's number in the customer codes. A file follows from its batch's rows, so it is made
/// when it is asked for; the hash of the first time is kept, and any other file is refused. Thread
/// safe.
class SendTransfers {
 public:
    SendTransfers(SendTransfersOptions options, LedgerStore& store)
        : options_(std::move(options)), store_(store) {}

    /// Puts the transfers of the date that are in no batch yet, and those that an earlier date's
    /// files missed, into new ones; those of merchants that are held wait until the hold is lifted.
    /// A date that is past gets no new one. Gives all of the date's batches. Doing it again changes
    /// nothing. INVALID_ARGUMENT NOT_A_BUSINESS_DAY, FAILED_PRECONDITION TRANSFER_DATE_TOO_EARLY
    /// (more than a week ahead), OUT_OF_RANGE DATE_OUTSIDE_CALENDAR.
    Result<std::vector<TransferBatch>> Gather(BusinessDate transfer_date,
                                              std::string_view created_by);

    using Sink = std::function<Status(std::string_view bytes)>;
    /// Writes the batch's file, piece by piece, in constant memory. The file is good only if this
    /// ends ok, which it does once, and then only for those who want it `again`: two who sent it to
    /// the bank would pay twice. NOT_FOUND BATCH_UNKNOWN; FAILED_PRECONDITION TRANSFER_FILE_TAKEN,
    /// TRANSFER_FILE_DIFFERS (rows, or the originator, are not those of the first time, or do not
    /// sum to the batch); those of the writer.
    Result<TransferBatch> WriteFile(domain::BatchId batch, bool again, const Sink& sink);

 private:
    Result<bool> FillOne(LedgerTransaction& transaction, BusinessDate transfer_date,
                         std::string_view created_by) const;

    const SendTransfersOptions options_;
    LedgerStore& store_;
};

}  // namespace kessai::payout::app
