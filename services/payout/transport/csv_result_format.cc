#include "transport/csv_result_format.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>

#include "domain/transfer_reason.h"

namespace kessai::payout::transport {
namespace {

using domain::TransferState;

constexpr std::string_view kHead = "transfer_id,outcome,amount,reason";
constexpr std::size_t kReasonMax = 32;
constexpr std::array kOutcomes{TransferState::kSettled, TransferState::kFailed,
                               TransferState::kReturned};

using Fields = std::array<std::string_view, 4>;

std::optional<Fields> Split(std::string_view line) {
    Fields fields;
    for (std::size_t i = 0; i < fields.size(); ++i) {
        const bool last = i + 1 == fields.size();
        const std::size_t comma = line.find(',');
        if (last != (comma == std::string_view::npos)) return std::nullopt;
        fields[i] = line.substr(0, comma);
        line.remove_prefix(last ? line.size() : comma + 1);
    }
    return fields;
}

/// Digits as people write a number: no sign, no zeros before it.
std::optional<std::int64_t> ParseNumber(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    if (text.front() == '-' || (text.size() > 1 && text.front() == '0')) return std::nullopt;
    return number;
}

std::optional<TransferState> ParseOutcome(std::string_view text) {
    for (const TransferState outcome : kOutcomes) {
        if (text == domain::TransferStateName(outcome)) return outcome;
    }
    return std::nullopt;
}

bool IsReason(std::string_view text) {
    const auto allowed = [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    };
    return !text.empty() && text.size() <= kReasonMax && std::ranges::all_of(text, allowed);
}

/// The lines of a file, one by one.
class Lines {
 public:
    explicit Lines(std::string_view bytes) : rest_(bytes) {}

    bool AtEnd() const { return rest_.empty(); }
    /// Nothing when the line has no end.
    std::optional<std::string_view> Next() {
        ++number_;
        const std::size_t end = rest_.find('\n');
        if (end == std::string_view::npos) return std::nullopt;
        std::string_view line = rest_.substr(0, end);
        rest_.remove_prefix(end + 1);
        if (line.ends_with('\r')) line.remove_suffix(1);
        return line;
    }
    Status Invalid(std::string_view why) const {
        return Status(Code::kInvalidArgument, domain::reason::kResultLineInvalid,
                      "line " + std::to_string(number_) + ": " + std::string(why));
    }

 private:
    std::string_view rest_;
    int number_ = 0;
};

Result<domain::BankResult> ReadResult(const Fields& fields, const Lines& lines) {
    const auto id = ParseNumber(fields[0]);
    if (!id || *id == 0) return lines.Invalid("the transfer's number is no number");
    const auto outcome = ParseOutcome(fields[1]);
    if (!outcome) return lines.Invalid("the outcome is not SETTLED, FAILED or RETURNED");
    const auto amount = ParseNumber(fields[2]);
    if (!amount || *amount == 0) return lines.Invalid("the amount is no number");
    const bool settled = *outcome == TransferState::kSettled;
    if (settled ? !fields[3].empty() : !IsReason(fields[3])) {
        return lines.Invalid(settled ? "a settled transfer has a reason"
                                     : "the reason is not 1 to 32 of A-Z, 0-9, - and _");
    }
    return domain::BankResult{.transfer = domain::TransferId(*id),
                              .outcome = *outcome,
                              .amount = *amount,
                              .reason = std::string(fields[3])};
}

Result<app::ImportedResults::Sums> ReadTotal(const Fields& fields, TransferState outcome,
                                             const Lines& lines) {
    const auto count = ParseNumber(fields[2]);
    const auto amount = ParseNumber(fields[3]);
    if (fields[0] != "TOTAL" || ParseOutcome(fields[1]) != outcome || !count || !amount) {
        return lines.Invalid("no total of " + std::string(domain::TransferStateName(outcome)));
    }
    return app::ImportedResults::Sums{*count, *amount};
}

}  // namespace

Result<app::ResultFile> CsvResultFormat::Read(std::string_view bytes) const {
    Lines lines(bytes);
    if (lines.Next() != kHead) return lines.Invalid("is not " + std::string(kHead));
    app::ResultFile file;
    std::array<app::ImportedResults::Sums*, 3> totals{&file.settled, &file.failed, &file.returned};
    std::size_t read = 0;
    while (read < totals.size()) {
        const auto line = lines.Next();
        if (!line) return lines.Invalid("the file ends before its totals");
        const auto fields = Split(*line);
        if (!fields) return lines.Invalid("has not four fields");
        if (read == 0 && (*fields)[0] != "TOTAL") {
            KESSAI_ASSIGN_OR_RETURN(auto result, ReadResult(*fields, lines));
            file.results.push_back(std::move(result));
            continue;
        }
        KESSAI_ASSIGN_OR_RETURN(*totals[read], ReadTotal(*fields, kOutcomes[read], lines));
        ++read;
    }
    if (!lines.AtEnd()) return lines.Invalid("something follows the totals");
    return file;
}

}  // namespace kessai::payout::transport
