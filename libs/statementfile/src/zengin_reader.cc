#include <algorithm>
#include <utility>

#include "kessai/statementfile/statement_file_reader.h"
#include "kessai/zengin/transfer_file.h"

namespace kessai::statementfile {
namespace {

Status Refuse(std::string_view reason, std::string message) {
    return Status(Code::kInvalidArgument, reason, std::move(message));
}

/// "bank-branch-type-number", the number of seven digits where it has no more.
std::string AccountOf(const zengin::AccountStatement& statement) {
    constexpr std::size_t kNumberSize = 7;
    std::string_view number = statement.number;
    while (number.size() > kNumberSize && number.front() == '0') number.remove_prefix(1);
    return statement.bank_code + '-' + statement.branch_code + '-' +
           std::to_string(static_cast<int>(statement.type)) + '-' + std::string(number);
}

bool IsNotice(const zengin::AccountStatement& statement) {
    return statement.kind == zengin::StatementKind::kIncomingTransfers;
}

/// What was told of a whole file there, by this library's names.
std::string_view ReasonOf(std::string_view zengin_reason) {
    namespace theirs = zengin::reason;
    if (zengin_reason == theirs::kCountWrong || zengin_reason == theirs::kTotalWrong ||
        zengin_reason == theirs::kBalanceWrong) {
        return reason::kTotalsWrong;
    }
    if (zengin_reason == theirs::kFileIncomplete) return reason::kFileIncomplete;
    if (zengin_reason == theirs::kFileKindWrong) return reason::kFormatUnsupported;
    if (zengin_reason == theirs::kCodeDivisionUnsupported) return reason::kEncodingWrong;
    return reason::kFileMalformed;
}

class ZenginReader final : public StatementFileReader {
 public:
    ZenginReader(zengin::StatementYears years, StatementSink sink)
        : StatementFileReader(std::move(sink)),
          reader_(years, {.header = [this](const auto& header) { return TakeHeader(header); },
                          .entry = [this](auto&& entry) { return TakeEntry(std::move(entry)); },
                          .broken = [this](auto&& record) { return TakeBroken(std::move(record)); },
                          .trailer =
                              [this](const auto& complete, const auto& unread) {
                                  return TakeTrailer(complete, unread);
                              }}) {}

 protected:
    Status TakeBytes(std::string_view bytes) override {
        constexpr std::size_t kBeginning = 400;
        beginning_ += bytes.substr(0, kBeginning - std::min(kBeginning, beginning_.size()));
        KESSAI_RETURN_IF_ERROR(CheckEncoding());
        return Named(reader_.Take(bytes));
    }

    Result<std::vector<StatementSummary>> End() override {
        KESSAI_RETURN_IF_ERROR(Named(reader_.Finish()));
        return std::move(statements_);
    }

 private:
    /// The format is JIS X 0201; other encodings are known by how they begin, or write kana.
    Status CheckEncoding() const {
        constexpr char kOneInEbcdic = '\xF1';
        if (beginning_.starts_with(kOneInEbcdic)) {
            return Refuse(reason::kEncodingWrong, "the file begins as EBCDIC, not JIS X 0201");
        }
        for (const auto& [mark, name] :
             {std::pair<std::string_view, std::string_view>{"\xEF\xBB\xBF", "UTF-8"},
              {"\xFF\xFE", "UTF-16"},
              {"\xFE\xFF", "UTF-16"}}) {
            if (!beginning_.starts_with(mark)) continue;
            return Refuse(reason::kEncodingWrong,
                          "the file begins as " + std::string(name) + ", not JIS X 0201");
        }
        return OkStatus();
    }

    Status Named(Status status) const {
        if (status.ok() || told_refused_) return status;
        if (statements_.empty() && (beginning_.find("\xEF\xBD") != std::string::npos ||
                                    beginning_.find("\xEF\xBE") != std::string::npos)) {
            return Refuse(reason::kEncodingWrong, "the header's kana are UTF-8, not JIS X 0201: " +
                                                      std::string(status.message()));
        }
        return Refuse(ReasonOf(status.reason()), std::string(status.message()));
    }

    /// What the sink refuses with stays as it is.
    Status Told(Status status) {
        told_refused_ = told_refused_ || !status.ok();
        return status;
    }

    Status TakeHeader(const zengin::AccountStatement& header) {
        StatementSummary& summary = statements_.emplace_back();
        summary.account = AccountOf(header);
        summary.first = header.first;
        summary.last = header.last;
        if (!IsNotice(header)) summary.opening = header.opening;
        return OkStatus();
    }

    Status TakeEntry(zengin::StatementEntry&& entry) {
        const Money amount =
            entry.is_credit ? entry.amount : Money(-entry.amount.minor(), entry.amount.currency());
        KESSAI_RETURN_IF_ERROR(Count(amount));
        StatementItem item;
        item.line = entry.record;
        item.account = statements_.back().account;
        item.booked = entry.booked;
        item.value_date = entry.moved;
        item.amount = amount;
        item.is_reversal = entry.is_cancellation;
        const auto refer = [&item](std::string_view kind, std::string& value) {
            if (value.find_first_not_of('0') == std::string::npos) return;
            item.references.push_back({std::string(kind), std::move(value)});
        };
        refer("EDI情報", entry.edi_text);
        refer("照会番号", entry.inquiry_number);
        refer("振込依頼人コード", entry.originator_code);
        item.counterparty = std::move(entry.originator_name);
        item.text = std::move(entry.summary);
        return Told(TellItem(std::move(item)));
    }

    Status TakeBroken(zengin::BrokenRecord&& record) {
        if (record.amount) {
            KESSAI_RETURN_IF_ERROR(Count(*record.amount));
        } else {
            ++statements_.back().unread;
        }
        return Told(TellBroken(
            {.line = record.record,
             .why = Refuse(reason::kRecordMalformed, std::string(record.why.reason()) + ": " +
                                                         std::string(record.why.message())),
             .amount = record.amount}));
    }

    Status TakeTrailer(const zengin::AccountStatement& complete, const zengin::UnreadSums&) {
        StatementSummary& summary = statements_.back();
        summary.counts_checked = true;
        summary.sums_checked = summary.unread == 0;
        if (IsNotice(complete)) return OkStatus();
        summary.closing = complete.closing;
        summary.balance_checked = true;
        return OkStatus();
    }

    Status Count(Money amount) {
        Movements& movements = statements_.back().movements;
        ++(amount.is_negative() ? movements.debit_count : movements.credit_count);
        Money& sum = amount.is_negative() ? movements.debits : movements.credits;
        KESSAI_ASSIGN_OR_RETURN(sum, amount.is_negative() ? sum.Subtract(amount) : sum.Add(amount));
        return OkStatus();
    }

    std::string beginning_;
    std::vector<StatementSummary> statements_;
    bool told_refused_ = false;
    zengin::StatementReader reader_;
};

}  // namespace

std::unique_ptr<StatementFileReader> MakeZenginReader(zengin::StatementYears years,
                                                      StatementSink sink) {
    return std::make_unique<ZenginReader>(years, std::move(sink));
}

}  // namespace kessai::statementfile
