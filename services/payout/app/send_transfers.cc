#include "app/send_transfers.h"

#include <optional>
#include <utility>

#include "app/create_transfers.h"
#include "domain/transfer_reason.h"
#include "kessai/calendar/bank_days.h"
#include "kessai/money/money.h"

namespace kessai::payout::app {
namespace {

Status Differs(const TransferBatch& batch, std::string_view why) {
    return Status(Code::kFailedPrecondition, domain::reason::kTransferFileDiffers,
                  "batch " + batch.id.ToString() + ": " + std::string(why));
}

Status Taken(const TransferBatch& batch) {
    return Status(Code::kFailedPrecondition, domain::reason::kTransferFileTaken,
                  "the file of batch " + batch.id.ToString() + " was taken before");
}

Result<zengin::Transfer> ToRecord(const BatchLine& line) {
    zengin::Transfer record;
    record.payee.bank_code = line.account.bank_code;
    record.payee.branch_code = line.account.branch_code;
    record.payee.type = static_cast<zengin::AccountType>(line.account.type);
    record.payee.number = line.account.number;
    KESSAI_ASSIGN_OR_RETURN(record.payee.holder,
                            zengin::KanaText::FromText(line.account.holder_kana));
    KESSAI_ASSIGN_OR_RETURN(record.office.bank, zengin::KanaText::FromText(line.account.bank_kana));
    KESSAI_ASSIGN_OR_RETURN(record.office.branch,
                            zengin::KanaText::FromText(line.account.branch_kana));
    record.amount = Yen(line.amount);
    KESSAI_ASSIGN_OR_RETURN(const zengin::CustomerCodes codes,
                            zengin::CustomerCodes::OfTransferId(line.transfer.value()));
    record.reference = codes;
    return record;
}

}  // namespace

/// False when nothing was left to be sent.
Result<bool> SendTransfers::FillOne(LedgerTransaction& transaction, BusinessDate transfer_date,
                                    std::string_view created_by) const {
    TransferBatch batch;
    batch.id = domain::BatchId(transaction.NextObject());
    batch.transfer_date = transfer_date;
    batch.created_by = std::string(created_by);
    KESSAI_ASSIGN_OR_RETURN(
        const auto sent,
        transaction.transfers().FillBatch(batch.id, transfer_date, options_.transfers_per_file));
    if (sent.empty()) return false;
    batch.transfer_count = static_cast<std::int64_t>(sent.size());
    for (const domain::Transfer& transfer : sent) {
        KESSAI_ASSIGN_OR_RETURN(batch.amount, CheckedAdd(batch.amount, transfer.amount));
    }
    KESSAI_RETURN_IF_ERROR(transaction.transfers().Insert(batch));
    KESSAI_RETURN_IF_ERROR(transaction.TellSent(sent));
    return true;
}

Result<std::vector<TransferBatch>> SendTransfers::Gather(BusinessDate transfer_date,
                                                         std::string_view created_by) {
    KESSAI_ASSIGN_OR_RETURN(const bool business_day, calendar::IsBankDay(transfer_date));
    if (!business_day) {
        return Status(Code::kInvalidArgument, domain::reason::kNotABusinessDay,
                      "banks are closed on " + transfer_date.ToString());
    }
    std::vector<TransferBatch> batches;
    for (bool more = true; more;) {
        KESSAI_RETURN_IF_ERROR(store_.InTransaction([&](LedgerTransaction& transaction) -> Status {
            more = false;
            const BusinessDate today = transaction.book_date();
            if (transfer_date > today.PlusDays(kDaysAheadMax)) {
                return Status(
                    Code::kFailedPrecondition, domain::reason::kTransferDateTooEarly,
                    transfer_date.ToString() + " is more than a week after " + today.ToString());
            }
            if (transfer_date >= today) {
                KESSAI_ASSIGN_OR_RETURN(more, FillOne(transaction, transfer_date, created_by));
                if (more) return OkStatus();
            }
            KESSAI_ASSIGN_OR_RETURN(batches, transaction.transfers().Batches(transfer_date));
            return OkStatus();
        }));
    }
    return batches;
}

Result<TransferBatch> SendTransfers::WriteFile(domain::BatchId id, bool again, const Sink& sink) {
    std::optional<TransferBatch> batch;
    KESSAI_RETURN_IF_ERROR(store_.InTransaction([&](LedgerTransaction& transaction) -> Status {
        KESSAI_ASSIGN_OR_RETURN(batch, transaction.transfers().FindBatch(id));
        return OkStatus();
    }));
    if (!batch) {
        return Status(Code::kNotFound, domain::reason::kBatchUnknown,
                      "there is no batch " + id.ToString());
    }
    if (batch->file_hash && !again) return Taken(*batch);
    domain::FileHasher hasher;
    KESSAI_ASSIGN_OR_RETURN(
        auto writer, zengin::TransferFileWriter::Begin(options_.originator, batch->transfer_date,
                                                       options_.line_end,
                                                       [&](std::string_view record) -> Status {
                                                           hasher.Add(record);
                                                           return sink(record);
                                                       }));
    KESSAI_RETURN_IF_ERROR(store_.StreamBatch(*batch, [&](const BatchLine& line) -> Status {
        KESSAI_ASSIGN_OR_RETURN(const zengin::Transfer record, ToRecord(line));
        return writer.Add(record);
    }));
    KESSAI_ASSIGN_OR_RETURN(const zengin::TransferTotals totals, writer.Finish());
    if (totals.count != batch->transfer_count || totals.amount.minor() != batch->amount) {
        return Differs(*batch, "its transfers are not those that it was made of");
    }
    const domain::FileHash hash = hasher.Finish();
    // What is found then may be ours: the reply to its commit was lost.
    bool stored = false;
    KESSAI_RETURN_IF_ERROR(store_.InTransaction([&](LedgerTransaction& transaction) -> Status {
        KESSAI_ASSIGN_OR_RETURN(batch, transaction.transfers().FindBatch(id));
        if (!batch->file_hash) {
            stored = true;
            return transaction.transfers().SetFileHash(id, hash);
        }
        if (*batch->file_hash != hash) {
            return Differs(*batch, "the file was another when it was first made");
        }
        return again || stored ? OkStatus() : Taken(*batch);
    }));
    batch->file_hash = hash;
    return *std::move(batch);
}

}  // namespace kessai::payout::app
