#include "app/import_results.h"

#include <algorithm>
#include <map>
#include <set>
#include <span>
#include <string>

#include "domain/transfer_reason.h"
#include "kessai/faults/fault_point.h"
#include "kessai/money/money.h"

namespace kessai::payout::app {
namespace {

// Lists in statements are kept to some hundred keys.
constexpr std::size_t kKeysPerStatement = 500;

Status Invalid(std::string_view reason, std::string message) {
    return Status(Code::kInvalidArgument, reason, std::move(message));
}

Status Add(ImportedResults::Sums& sums, std::int64_t amount) {
    ++sums.count;
    KESSAI_ASSIGN_OR_RETURN(sums.amount, CheckedAdd(sums.amount, amount));
    return OkStatus();
}

ImportedResults::Sums& SumsOf(domain::TransferState outcome, ImportedResults& imported) {
    if (outcome == domain::TransferState::kFailed) return imported.failed;
    if (outcome == domain::TransferState::kReturned) return imported.returned;
    return imported.settled;
}

std::string Describe(const ImportedResults::Sums& sums) {
    return std::to_string(sums.count) + " over " + std::to_string(sums.amount);
}

/// That the file's totals are those of its lines, and no transfer is in it twice.
Status CheckFile(const ResultFile& file) {
    ImportedResults counted;
    std::set<domain::TransferId> seen;
    for (const domain::BankResult& result : file.results) {
        if (!seen.insert(result.transfer).second) {
            return Invalid(domain::reason::kResultRepeated,
                           "transfer " + result.transfer.ToString() + " is in the file twice");
        }
        KESSAI_RETURN_IF_ERROR(Add(SumsOf(result.outcome, counted), result.amount));
    }
    const auto check = [](std::string_view what, const ImportedResults::Sums& said,
                          const ImportedResults::Sums& found) -> Status {
        if (said == found) return OkStatus();
        return Invalid(domain::reason::kResultTotalsDiffer,
                       std::string(what) + ": the file says " + Describe(said) +
                           ", its lines are " + Describe(found));
    };
    KESSAI_RETURN_IF_ERROR(check("settled", file.settled, counted.settled));
    KESSAI_RETURN_IF_ERROR(check("failed", file.failed, counted.failed));
    return check("returned", file.returned, counted.returned);
}

Status ImportedBefore(const ImportedResults& before) {
    return Status(Code::kAlreadyExists, domain::reason::kResultFileImported,
                  before.imported_by + " imported the file before: settled " +
                      Describe(before.settled) + ", failed " + Describe(before.failed) +
                      ", returned " + Describe(before.returned));
}

template <class T>
std::span<const T> Part(const std::vector<T>& all, std::size_t from) {
    return std::span(all).subspan(from, std::min(kKeysPerStatement, all.size() - from));
}

Result<std::map<domain::TransferId, domain::Transfer>> Load(LedgerTransaction& transaction,
                                                            const ResultFile& file) {
    std::vector<domain::TransferId> ids;
    for (const domain::BankResult& result : file.results) ids.push_back(result.transfer);
    std::sort(ids.begin(), ids.end());
    std::map<domain::TransferId, domain::Transfer> transfers;
    for (std::size_t from = 0; from < ids.size(); from += kKeysPerStatement) {
        KESSAI_ASSIGN_OR_RETURN(auto part, transaction.transfers().FindTransfers(Part(ids, from)));
        transfers.merge(part);
    }
    return transfers;
}

Status LockMerchants(LedgerTransaction& transaction,
                     const std::map<domain::TransferId, domain::Transfer>& transfers) {
    std::set<domain::MerchantId> sorted;
    for (const auto& [id, transfer] : transfers) sorted.insert(transfer.merchant);
    const std::vector<domain::MerchantId> merchants(sorted.begin(), sorted.end());
    for (std::size_t from = 0; from < merchants.size(); from += kKeysPerStatement) {
        KESSAI_RETURN_IF_ERROR(transaction.Lock(Part(merchants, from)));
    }
    return OkStatus();
}

/// Until the payout is made again, or somebody lifts it.
PayoutHold HoldMerchant(LedgerTransaction& transaction, const domain::Transfer& transfer,
                        std::string_view put_by) {
    ++transaction.AccountOf(transfer.merchant).open_holds;
    return {.id = domain::PayoutHoldId(transaction.NextObject()),
            .merchant = transfer.merchant,
            .cause = HoldCause::kNotArrived,
            .payout = transfer.payout,
            .note = "transfer " + transfer.id.ToString() + " " +
                    std::string(TransferStateName(transfer.state)) + " " + transfer.reason,
            .put_by = std::string(put_by),
            .lifted_by = std::nullopt};
}

}  // namespace

Result<ImportedResults> ImportResults::Run(std::string_view format_name, std::string_view bytes,
                                           std::string_view imported_by) {
    const auto format = std::ranges::find_if(
        formats_, [&](const BankResultFormat* one) { return one->name() == format_name; });
    if (format == formats_.end()) {
        return Invalid(domain::reason::kResultFormatUnknown,
                       "there is no result format " + std::string(format_name));
    }
    if (bytes.size() > options_.file_bytes_max) {
        return Invalid(domain::reason::kResultFileTooLarge,
                       "more than " + std::to_string(options_.file_bytes_max) + " bytes");
    }
    ImportedResults imported;
    // What is found then may be ours: the reply to its commit was lost.
    bool applied = false;
    const domain::FileHash hash = domain::HashOf(bytes);
    KESSAI_RETURN_IF_ERROR(store_.InTransaction([&](LedgerTransaction& transaction) -> Status {
        KESSAI_ASSIGN_OR_RETURN(const auto before, transaction.transfers().FindResults(hash));
        if (before && !applied) return ImportedBefore(*before);
        if (before) {
            imported = *before;
            return OkStatus();
        }
        imported = {};
        imported.file_hash = hash;
        imported.format = std::string(format_name);
        imported.imported_by = std::string(imported_by);
        KESSAI_ASSIGN_OR_RETURN(const ResultFile file, (*format)->Read(bytes));
        KESSAI_RETURN_IF_ERROR(CheckFile(file));
        KESSAI_RETURN_IF_ERROR(Apply(transaction, file, imported));
        applied = true;
        KESSAI_FAULT_POINT("payout.results.before_commit");
        return OkStatus();
    }));
    return imported;
}

Status ImportResults::Apply(LedgerTransaction& transaction, const ResultFile& file,
                            ImportedResults& imported) const {
    KESSAI_ASSIGN_OR_RETURN(auto transfers, Load(transaction, file));
    KESSAI_RETURN_IF_ERROR(LockMerchants(transaction, transfers));
    std::vector<domain::Transfer> changed;
    std::vector<PayoutHold> holds;
    for (const domain::BankResult& result : file.results) {
        const auto found = transfers.find(result.transfer);
        if (found == transfers.end()) {
            return Status(Code::kNotFound, domain::reason::kTransferUnknown,
                          "there is no transfer " + result.transfer.ToString());
        }
        domain::Transfer& transfer = found->second;
        KESSAI_ASSIGN_OR_RETURN(const auto journal, domain::Take(result, transfer));
        if (!journal) {
            ++imported.repeated_count;
            continue;
        }
        KESSAI_RETURN_IF_ERROR(transaction.Post(*journal, transfer));
        if (domain::CameBack(transfer)) {
            holds.push_back(HoldMerchant(transaction, transfer, imported.imported_by));
        }
        changed.push_back(transfer);
        KESSAI_RETURN_IF_ERROR(Add(SumsOf(transfer.state, imported), result.amount));
    }
    KESSAI_RETURN_IF_ERROR(transaction.transfers().Update(changed));
    KESSAI_RETURN_IF_ERROR(transaction.merchants().Insert(holds));
    return transaction.transfers().Insert(imported);
}

}  // namespace kessai::payout::app
