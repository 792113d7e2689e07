#include "transport/statement_result_format.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <string_view>

#include "domain/transfer_reason.h"
#include "kessai/zengin/transfer_file.h"

namespace kessai::payout::transport {
namespace {

struct Word {
    std::string_view summary;
    std::string_view reason;
};
constexpr std::array kWords{Word{"ﾌﾉｳ", "TRANSFER_IMPOSSIBLE"}, Word{"ｸﾐﾓﾄﾞｼ", "RECALLED"}};
constexpr std::size_t kCodeDigits = 10;

Status Invalid(std::string message) {
    return Status(Code::kInvalidArgument, domain::reason::kResultLineInvalid, std::move(message));
}

/// Why it came back, if it is such a credit.
std::string_view ReasonOf(const zengin::StatementEntry& entry) {
    if (!entry.is_credit) return {};
    const auto* const word = std::ranges::find_if(kWords, [&](const Word& one) {
        return entry.summary.find(one.summary) != std::string::npos;
    });
    return word == kWords.end() ? std::string_view() : word->reason;
}

std::optional<std::int64_t> Digits(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || text.front() == '-') {
        return std::nullopt;
    }
    return number;
}

Result<domain::TransferId> TransferOf(const zengin::StatementEntry& entry) {
    const std::string_view text = entry.edi_text;
    if (text.size() == 2 * kCodeDigits) {
        const auto first = Digits(text.substr(0, kCodeDigits));
        const auto second = Digits(text.substr(kCodeDigits));
        if (first && second) {
            const auto id = zengin::CustomerCodes{*first, *second}.ToTransferId();
            if (id.ok()) return domain::TransferId(*id);
        }
    }
    return Invalid("record " + std::to_string(entry.record) + ": a credit of " +
                   std::to_string(entry.amount.minor()) + " yen (" + entry.summary +
                   ") came back of a transfer, and its EDI text is not the digits of one of ours");
}

}  // namespace

Result<app::ResultFile> StatementResultFormat::Read(std::string_view bytes) const {
    auto statements = zengin::ReadAccountStatements(bytes, years_);
    if (!statements.ok()) {
        return Invalid(std::string(statements.status().reason()) + ": " +
                       std::string(statements.status().message()));
    }
    app::ResultFile file;
    bool ours = false;
    for (const zengin::AccountStatement& statement : *statements) {
        if (account_ && !statement.IsOf(*account_)) continue;
        ours = true;
        for (const zengin::StatementEntry& entry : statement.entries) {
            const std::string_view reason = ReasonOf(entry);
            if (reason.empty()) continue;
            KESSAI_ASSIGN_OR_RETURN(const domain::TransferId transfer, TransferOf(entry));
            file.results.push_back({.transfer = transfer,
                                    .outcome = domain::TransferState::kReturned,
                                    .amount = entry.amount.minor(),
                                    .reason = std::string(reason),
                                    .settled_before = false});
            ++file.returned.count;
            KESSAI_ASSIGN_OR_RETURN(file.returned.amount,
                                    CheckedAdd(file.returned.amount, entry.amount.minor()));
        }
    }
    if (!ours) return Invalid("no statement of the file is of the account that pays transfers");
    return file;
}

}  // namespace kessai::payout::transport
