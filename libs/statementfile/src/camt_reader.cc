#include <algorithm>
#include <optional>
#include <utility>

#include "amount_text.h"
#include "kessai/statementfile/date_format.h"
#include "kessai/statementfile/statement_file_reader.h"
#include "tally.h"
#include "xml_reader.h"

// Element names are those of the message's schema, ISO 20022 BankToCustomerStatementV02 to V08
// (camt.053.001.02 to .08). Where a version moved one, both places are read.

namespace kessai::statementfile {
namespace {

using internal::CheckCredits;
using internal::CheckDebits;
using internal::CheckStated;
using internal::ReadAmount;
using internal::Tally;
using internal::TotalsWrong;

constexpr std::size_t kDetailsMax = 100'000;
constexpr std::size_t kReferencesMax = 256;
constexpr std::string_view kMessage = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.";

Status Refuse(std::string_view reason, std::string message) {
    return Status(Code::kInvalidArgument, reason, std::move(message));
}

/// An amount as it is written: its currency, credit or debit, and which element said so.
struct WrittenAmount {
    std::string number = {};
    std::string currency = {};
    std::string direction = {};
};

Result<bool> IsCredit(const std::string& direction) {
    if (direction == "CRDT") return true;
    if (direction == "DBIT") return false;
    if (direction.empty()) return Refuse(reason::kFieldMissing, "CdtDbtInd is not there");
    return Refuse(reason::kSignUnknown, "CdtDbtInd \"" + direction + "\" is no CRDT or DBIT");
}

/// At or above zero.
Result<Money> ReadUnsigned(const WrittenAmount& written) {
    if (written.number.empty()) return Refuse(reason::kFieldMissing, "Amt is not there");
    const auto currency = Currency::Parse(written.currency);
    if (!currency.ok()) {
        return Refuse(reason::kCurrencyWrong,
                      "Ccy \"" + written.currency + "\" is no currency that is handled");
    }
    KESSAI_ASSIGN_OR_RETURN(const Money amount, ReadAmount(written.number, {}, *currency));
    if (!amount.is_negative()) return amount;
    return Refuse(reason::kAmountMalformed, "Amt \"" + written.number + "\" is below zero");
}

Result<Money> ReadSigned(const WrittenAmount& written) {
    KESSAI_ASSIGN_OR_RETURN(const Money amount, ReadUnsigned(written));
    KESSAI_ASSIGN_OR_RETURN(const bool credit, IsCredit(written.direction));
    return credit ? Result<Money>(amount) : amount.Negate();
}

/// xs:date, or the day of an xs:dateTime as the bank writes it.
Result<BusinessDate> ReadDate(std::string_view text) {
    static const DateFormat kDate = DateFormat::Parse("yyyy-MM-dd*").value();
    constexpr std::size_t kDateSize = 10;
    if (text.size() > kDateSize && text[kDateSize] != 'T' && text[kDateSize] != 'Z' &&
        text[kDateSize] != '+' && text[kDateSize] != '-') {
        return Refuse(reason::kDateMalformed, '"' + std::string(text) + "\" is no date");
    }
    return kDate.Read(text);
}

Result<std::int64_t> ReadCount(const std::string& text) {
    KESSAI_ASSIGN_OR_RETURN(const Money count, ReadAmount(text, {}, Currency::Jpy()));
    return count.minor();
}

/// Of an entry, or of one transaction in it.
struct Details {
    std::size_t line = 0;
    WrittenAmount amount = {};
    /// Where the amount is not said directly.
    WrittenAmount transaction_amount = {};
    std::vector<Reference> references = {};
    std::string debtor = {};
    std::string creditor = {};
    std::string remittance = {};
    std::string additional = {};

    bool has_amount() const { return !amount.number.empty() || !transaction_amount.number.empty(); }
};

struct Entry {
    Details own = {};
    std::string reversal = {};
    std::string status = {};
    std::string booked = {};
    std::string value_date = {};
    std::string batch_count = {};
    std::vector<Details> transactions = {};
    bool too_large = false;
};

struct Balance {
    std::string code = {};
    WrittenAmount amount = {};
};

/// What TxsSummry says.
struct Totals {
    std::string count = {};
    std::string sum = {};
    std::string net = {};
    std::string net_direction = {};
    std::string credit_count = {};
    std::string credit_sum = {};
    std::string debit_count = {};
    std::string debit_sum = {};
};

struct Statement {
    std::size_t line = 0;
    std::string id = {};
    std::string iban = {};
    std::string other_account = {};
    std::string currency = {};
    std::string from = {};
    std::string to = {};
    std::optional<Money> opening = {};
    std::optional<Money> closing = {};
    Totals totals = {};
    /// Of booked entries, and of all.
    Tally booked = {};
    Tally all = {};

    std::string account() const { return iban.empty() ? other_account : iban; }
};

class CamtReader final : public StatementFileReader {
 public:
    explicit CamtReader(StatementSink sink)
        : StatementFileReader(std::move(sink)),
          xml_({.root = [this](auto name, auto uri) { return TakeRoot(name, uri); },
                .begin = [this](auto name) { return Begin(name); },
                .attribute = [this](auto name, auto value) { Attribute(name, value); },
                .end = [this](auto, const auto& text) { return End(text); }}) {}

 protected:
    Status TakeBytes(std::string_view bytes) override { return xml_.Take(bytes); }

    Result<std::vector<StatementSummary>> End() override {
        KESSAI_RETURN_IF_ERROR(xml_.Finish());
        if (summaries_.empty()) {
            return Refuse(reason::kFileIncomplete, "the file has no statement (Stmt)");
        }
        return std::move(summaries_);
    }

 private:
    static constexpr std::string_view kStatement = "Document/BkToCstmrStmt/Stmt";
    static constexpr std::string_view kEntry = "Document/BkToCstmrStmt/Stmt/Ntry";
    static constexpr std::string_view kBalance = "Document/BkToCstmrStmt/Stmt/Bal";
    static constexpr std::string_view kTransaction =
        "Document/BkToCstmrStmt/Stmt/Ntry/NtryDtls/TxDtls";

    static Status TakeRoot(std::string_view name, std::string_view uri) {
        const std::string_view version =
            uri.starts_with(kMessage) ? uri.substr(kMessage.size()) : std::string_view();
        const bool known = version.size() == 2 && version >= "02" && version <= "08";
        if (name == "Document" && known) return OkStatus();
        return Refuse(reason::kFormatUnsupported, "the file is <" + std::string(name) + "> of \"" +
                                                      std::string(uri) +
                                                      "\", not camt.053.001.02 to 08");
    }

    Status Begin(std::string_view name) {
        if (!path_.empty()) path_ += '/';
        path_ += name;
        attribute_.clear();
        if (path_ == kStatement) {
            statement_ = Statement{};
            statement_.line = xml_.line();
        } else if (path_ == kBalance) {
            balance_ = Balance{};
        } else if (path_ == kEntry) {
            entry_ = Entry{};
            entry_.own.line = xml_.line();
        } else if (path_ == kTransaction) {
            if (entry_.transactions.size() >= kDetailsMax) {
                entry_.too_large = true;
                entry_.transactions.back() = Details{};
            } else {
                entry_.transactions.emplace_back();
            }
            entry_.transactions.back().line = xml_.line();
        }
        return OkStatus();
    }

    void Attribute(std::string_view name, std::string_view value) {
        if (name == "Ccy") attribute_ = value;
    }

    /// The part of the path within `context`, none if it is not in it.
    std::optional<std::string_view> Within(std::string_view context) const {
        const std::string_view path = path_;
        if (path.size() <= context.size() || !path.starts_with(context) ||
            path[context.size()] != '/') {
            return std::nullopt;
        }
        return path.substr(context.size() + 1);
    }

    Status End(const std::string& text) {
        const std::string currency = std::exchange(attribute_, {});
        Status status;
        if (path_ == kTransaction || path_ == kBalance || path_ == kEntry || path_ == kStatement) {
            status = Close();
        } else if (const auto transaction = Within(kTransaction)) {
            TakeDetail(*transaction, text, currency, entry_.transactions.back());
        } else if (const auto entry = Within(kEntry)) {
            TakeEntryField(*entry, text, currency);
        } else if (const auto balance = Within(kBalance)) {
            TakeBalanceField(*balance, text, currency);
        } else if (const auto statement = Within(kStatement)) {
            TakeStatementField(*statement, text);
        }
        path_.resize(path_.find_last_of('/') == std::string::npos ? 0 : path_.find_last_of('/'));
        return status;
    }

    Status Close() {
        if (path_ == kBalance) return CloseBalance();
        if (path_ == kEntry) return CloseEntry();
        if (path_ == kStatement) return CloseStatement();
        return OkStatus();
    }

    void TakeStatementField(std::string_view at, const std::string& text) {
        Totals& totals = statement_.totals;
        const struct {
            std::string_view path;
            std::string* into;
        } fields[] = {
            {"Id", &statement_.id},
            {"Acct/Id/IBAN", &statement_.iban},
            {"Acct/Id/Othr/Id", &statement_.other_account},
            {"Acct/Ccy", &statement_.currency},
            {"FrToDt/FrDtTm", &statement_.from},
            {"FrToDt/ToDtTm", &statement_.to},
            {"TxsSummry/TtlNtries/NbOfNtries", &totals.count},
            {"TxsSummry/TtlNtries/Sum", &totals.sum},
            {"TxsSummry/TtlNtries/TtlNetNtryAmt", &totals.net},
            {"TxsSummry/TtlNtries/CdtDbtInd", &totals.net_direction},
            {"TxsSummry/TtlNtries/TtlNetNtry/Amt", &totals.net},
            {"TxsSummry/TtlNtries/TtlNetNtry/CdtDbtInd", &totals.net_direction},
            {"TxsSummry/TtlCdtNtries/NbOfNtries", &totals.credit_count},
            {"TxsSummry/TtlCdtNtries/Sum", &totals.credit_sum},
            {"TxsSummry/TtlDbtNtries/NbOfNtries", &totals.debit_count},
            {"TxsSummry/TtlDbtNtries/Sum", &totals.debit_sum},
        };
        for (const auto& field : fields) {
            if (field.path == at) *field.into = text;
        }
    }

    void TakeBalanceField(std::string_view at, const std::string& text,
                          const std::string& currency) {
        if (at == "Tp/CdOrPrtry/Cd") balance_.code = text;
        if (at == "CdtDbtInd") balance_.amount.direction = text;
        if (at == "Amt") {
            balance_.amount.number = text;
            balance_.amount.currency = currency;
        }
    }

    void TakeEntryField(std::string_view at, const std::string& text, const std::string& currency) {
        const struct {
            std::string_view path;
            std::string* into;
        } fields[] = {
            {"CdtDbtInd", &entry_.own.amount.direction},
            {"RvslInd", &entry_.reversal},
            {"Sts", &entry_.status},
            {"Sts/Cd", &entry_.status},
            {"Sts/Prtry", &entry_.status},
            {"BookgDt/Dt", &entry_.booked},
            {"BookgDt/DtTm", &entry_.booked},
            {"ValDt/Dt", &entry_.value_date},
            {"ValDt/DtTm", &entry_.value_date},
            {"NtryDtls/Btch/NbOfTxs", &entry_.batch_count},
            {"AddtlNtryInf", &entry_.own.additional},
        };
        for (const auto& field : fields) {
            if (field.path == at && !text.empty()) *field.into = text;
        }
        if (at == "Amt") {
            entry_.own.amount.number = text;
            entry_.own.amount.currency = currency;
        }
        if (at == "NtryRef" || at == "AcctSvcrRef") Refer(at, text, entry_.own);
        if (at == "NtryDtls/Btch/MsgId" || at == "NtryDtls/Btch/PmtInfId") {
            Refer(at.substr(at.rfind('/') + 1), text, entry_.own);
        }
    }

    void TakeDetail(std::string_view at, const std::string& text, const std::string& currency,
                    Details& details) {
        constexpr std::string_view kReferences = "Refs/";
        if (at == "Amt") {
            details.amount.number = text;
            details.amount.currency = currency;
        } else if (at == "CdtDbtInd") {
            details.amount.direction = text;
        } else if (at == "AmtDtls/TxAmt/Amt") {
            details.transaction_amount.number = text;
            details.transaction_amount.currency = currency;
        } else if (at == "RltdPties/Dbtr/Nm" || at == "RltdPties/Dbtr/Pty/Nm") {
            details.debtor = text;
        } else if (at == "RltdPties/Cdtr/Nm" || at == "RltdPties/Cdtr/Pty/Nm") {
            details.creditor = text;
        } else if (at == "RmtInf/Ustrd") {
            Append(details.remittance, text);
        } else if (at == "RmtInf/Strd/CdtrRefInf/Ref") {
            Refer("CdtrRef", text, details);
        } else if (at == "AddtlTxInf") {
            details.additional = text;
        } else if (at == "Refs/Prtry/Ref") {
            Refer("Prtry", text, details);
        } else if (at.starts_with(kReferences) &&
                   at.find('/', kReferences.size()) == std::string_view::npos) {
            Refer(at.substr(kReferences.size()), text, details);
        }
    }

    static void Append(std::string& into, const std::string& text) {
        if (text.empty() || into.size() + text.size() > internal::XmlReader::kTextBytesMax) return;
        if (!into.empty()) into += ' ';
        into += text;
    }

    void Refer(std::string_view kind, const std::string& text, Details& details) {
        if (text.empty()) return;
        if (details.references.size() >= kReferencesMax) {
            entry_.too_large = true;
            return;
        }
        details.references.push_back({std::string(kind), text});
    }

    Status CloseBalance() {
        std::optional<Money>* into = nullptr;
        // The closing balance of the day before opens this one, where the bank sends no OPBD.
        if (balance_.code == "OPBD" || (balance_.code == "PRCD" && !statement_.opening)) {
            into = &statement_.opening;
        } else if (balance_.code == "CLBD") {
            into = &statement_.closing;
        }
        if (into == nullptr) return OkStatus();
        const auto amount = ReadSigned(balance_.amount);
        if (!amount.ok()) {
            return Refuse(reason::kFileMalformed, "the balance " + balance_.code + " before line " +
                                                      std::to_string(xml_.line()) + ": " +
                                                      std::string(amount.status().message()));
        }
        *into = *amount;
        return OkStatus();
    }

    Status CloseEntry() {
        if (statement_.account().empty()) {
            return Refuse(reason::kFileMalformed,
                          "line " + std::to_string(entry_.own.line) +
                              ": an entry before its statement names the account (Acct/Id)");
        }
        const auto amount = ReadSigned(entry_.own.amount);
        if (amount.ok()) {
            KESSAI_RETURN_IF_ERROR(statement_.all.Add(*amount));
        } else {
            ++statement_.all.unread;
        }
        Status why = amount.status();
        if (why.ok()) why = CheckEntry();
        if (!why.ok()) return TakeBroken(why, amount);
        if (entry_.status != "BOOK") {
            CountNotBooked();
            return OkStatus();
        }
        return TellItems(*amount);
    }

    Status CheckEntry() const {
        if (entry_.too_large) {
            return Refuse(reason::kEntryTooLarge,
                          "has more than " + std::to_string(kDetailsMax) + " transactions or " +
                              std::to_string(kReferencesMax) + " references");
        }
        const std::string_view statuses[] = {"BOOK", "PDNG", "INFO", "FUTR"};
        if (entry_.status.empty()) return Refuse(reason::kFieldMissing, "Sts is not there");
        if (std::ranges::find(statuses, entry_.status) == std::end(statuses)) {
            return Refuse(reason::kStatusUnknown,
                          "Sts \"" + entry_.status + "\" is no BOOK, PDNG, INFO or FUTR");
        }
        if (!statement_.currency.empty() && entry_.own.amount.currency != statement_.currency) {
            return Refuse(reason::kCurrencyWrong, "Ccy \"" + entry_.own.amount.currency +
                                                      "\" is not the account's, \"" +
                                                      statement_.currency + '"');
        }
        for (const std::string& day : {entry_.booked, entry_.value_date}) {
            if (!day.empty()) KESSAI_RETURN_IF_ERROR(ReadDate(day));
        }
        if (entry_.booked.empty() && entry_.value_date.empty()) {
            return Refuse(reason::kFieldMissing, "neither BookgDt nor ValDt is there");
        }
        const std::string_view answers[] = {"", "true", "false", "1", "0"};
        if (std::ranges::find(answers, entry_.reversal) == std::end(answers)) {
            return Refuse(reason::kSignUnknown,
                          "RvslInd \"" + entry_.reversal + "\" is neither true nor false");
        }
        return OkStatus();
    }

    Status TakeBroken(const Status& why, const Result<Money>& amount) {
        BrokenLine broken{.line = entry_.own.line, .why = why};
        if (amount.ok()) broken.amount = *amount;
        const bool announced =
            entry_.status == "PDNG" || entry_.status == "INFO" || entry_.status == "FUTR";
        if (amount.ok() && entry_.status == "BOOK") {
            KESSAI_RETURN_IF_ERROR(statement_.booked.Add(*amount));
        } else if (!announced) {
            // Whether its amount is in the balances is not known.
            ++statement_.booked.unread;
        }
        return TellBroken(std::move(broken));
    }

    /// One item a transaction where they make up the entry, otherwise one of the whole entry: items
    /// always sum to what the bank booked.
    Status TellItems(Money amount) {
        KESSAI_RETURN_IF_ERROR(statement_.booked.Add(amount));
        const std::vector<Money> parts = PartsOf(amount);
        if (!parts.empty()) {
            for (std::size_t i = 0; i < parts.size(); ++i) {
                Details& transaction = entry_.transactions[i];
                for (const Reference& reference : entry_.own.references) {
                    transaction.references.push_back(reference);
                }
                KESSAI_RETURN_IF_ERROR(TellItem(ItemOf(transaction, parts[i])));
            }
            return OkStatus();
        }
        Details& whole = entry_.own;
        for (Details& transaction : entry_.transactions) {
            for (Reference& reference : transaction.references) {
                if (whole.references.size() < kReferencesMax) {
                    whole.references.push_back(std::move(reference));
                }
            }
            if (entry_.transactions.size() == 1) {
                whole.debtor = transaction.debtor;
                whole.creditor = transaction.creditor;
                whole.remittance = transaction.remittance;
            }
        }
        return TellItem(ItemOf(whole, amount));
    }

    /// The signed amounts of the transactions; none unless all have one and they sum to the entry.
    std::vector<Money> PartsOf(Money amount) const {
        std::vector<Money> parts;
        if (entry_.transactions.size() < 2) return parts;
        if (!entry_.batch_count.empty()) {
            const auto count = ReadCount(entry_.batch_count);
            if (!count.ok() || *count != static_cast<std::int64_t>(entry_.transactions.size())) {
                return parts;
            }
        }
        Money sum(0, amount.currency());
        for (const Details& transaction : entry_.transactions) {
            WrittenAmount written = transaction.amount.number.empty()
                                        ? transaction.transaction_amount
                                        : transaction.amount;
            written.direction = transaction.amount.direction.empty() ? entry_.own.amount.direction
                                                                     : transaction.amount.direction;
            const auto part = ReadSigned(written);
            if (!part.ok()) return {};
            const auto more = sum.Add(*part);
            if (!more.ok()) return {};
            sum = *more;
            parts.push_back(*part);
        }
        if (sum != amount) parts.clear();
        return parts;
    }

    StatementItem ItemOf(Details& details, Money amount) const {
        StatementItem item;
        item.line = details.line;
        item.account = statement_.account();
        // Both were read before.
        const std::string& booked = entry_.booked.empty() ? entry_.value_date : entry_.booked;
        item.booked = ReadDate(booked).value();
        item.value_date = ReadDate(entry_.value_date.empty() ? booked : entry_.value_date).value();
        item.amount = amount;
        item.is_reversal = entry_.reversal == "true" || entry_.reversal == "1";
        item.references = std::move(details.references);
        item.counterparty = amount.is_negative() ? details.creditor : details.debtor;
        item.text = details.remittance;
        Append(item.text, details.additional);
        if (item.text.empty()) item.text = entry_.own.additional;
        return item;
    }

    Status CloseStatement() {
        StatementSummary summary;
        summary.account = statement_.account();
        summary.id = statement_.id;
        if (summary.account.empty()) {
            return Refuse(reason::kFileMalformed, "line " + std::to_string(statement_.line) +
                                                      ": the statement names no account (Acct/Id)");
        }
        for (const auto& [text, into] : {std::pair{&statement_.from, &summary.first},
                                         std::pair{&statement_.to, &summary.last}}) {
            const auto day = ReadDate(*text);
            if (day.ok()) *into = *day;
        }
        summary.opening = statement_.opening;
        summary.closing = statement_.closing;
        summary.movements = statement_.booked.movements;
        summary.unread = statement_.booked.unread;
        // Announced entries count in some banks' totals.
        Status totals = CheckTotals(statement_.booked, summary);
        if (!totals.ok()) {
            StatementSummary of_all = summary;
            if (CheckTotals(statement_.all, of_all).ok()) {
                summary.counts_checked = of_all.counts_checked;
                summary.sums_checked = of_all.sums_checked;
                totals = OkStatus();
            }
        }
        KESSAI_RETURN_IF_ERROR(totals);
        KESSAI_RETURN_IF_ERROR(CheckBalance(summary));
        summaries_.push_back(std::move(summary));
        return OkStatus();
    }

    std::string Where() const {
        return "statement \"" + statement_.id + "\" on line " + std::to_string(statement_.line);
    }

    /// None if the text is empty.
    Result<std::optional<std::int64_t>> ReadTotal(std::string_view what,
                                                  const std::string& text) const {
        if (text.empty()) return std::optional<std::int64_t>();
        const auto number = ReadCount(text);
        if (number.ok()) return std::optional(*number);
        return Refuse(reason::kFileMalformed, Where() + ", " + std::string(what) + ": " +
                                                  std::string(number.status().message()));
    }

    Status CheckTotals(const Tally& tally, StatementSummary& summary) const {
        const Totals& totals = statement_.totals;
        KESSAI_ASSIGN_OR_RETURN(const auto count, ReadTotal("TtlNtries", totals.count));
        KESSAI_ASSIGN_OR_RETURN(const auto sum, ReadTotal("TtlNtries", totals.sum));
        KESSAI_ASSIGN_OR_RETURN(const auto net, ReadTotal("TtlNetNtry", totals.net));
        KESSAI_ASSIGN_OR_RETURN(const auto credit_count,
                                ReadTotal("TtlCdtNtries", totals.credit_count));
        KESSAI_ASSIGN_OR_RETURN(const auto credits, ReadTotal("TtlCdtNtries", totals.credit_sum));
        KESSAI_ASSIGN_OR_RETURN(const auto debit_count,
                                ReadTotal("TtlDbtNtries", totals.debit_count));
        KESSAI_ASSIGN_OR_RETURN(const auto debits, ReadTotal("TtlDbtNtries", totals.debit_sum));
        const std::string where = Where();
        if (count && *count != tally.lines()) {
            return TotalsWrong(where + ", TtlNtries: the count is " + std::to_string(*count) +
                               ", the entries are " + std::to_string(tally.lines()));
        }
        const Movements& movements = tally.movements;
        KESSAI_ASSIGN_OR_RETURN(const std::int64_t all,
                                CheckedAdd(movements.credits.minor(), movements.debits.minor()));
        KESSAI_RETURN_IF_ERROR(CheckStated({.what = where + ", TtlNtries", .sum = sum},
                                           tally.lines() - tally.unread, all, tally.unread));
        KESSAI_RETURN_IF_ERROR(CheckCredits(
            {.what = where + ", TtlCdtNtries", .count = credit_count, .sum = credits}, tally));
        KESSAI_RETURN_IF_ERROR(CheckDebits(
            {.what = where + ", TtlDbtNtries", .count = debit_count, .sum = debits}, tally));
        KESSAI_ASSIGN_OR_RETURN(const std::int64_t difference, tally.Net());
        const bool down = totals.net_direction == "DBIT";
        if (net && tally.unread == 0 && (down ? -*net : *net) != difference &&
            (!totals.net_direction.empty() || *net != -difference)) {
            return TotalsWrong(where + ", TtlNetNtry: the net is " +
                               std::to_string(down ? -*net : *net) + ", the entries make " +
                               std::to_string(difference));
        }
        summary.counts_checked = count || (credit_count && debit_count);
        summary.sums_checked = tally.unread == 0 && (sum || net || (credits && debits));
        return OkStatus();
    }

    Status CheckBalance(StatementSummary& summary) const {
        if (!summary.opening || !summary.closing || summary.unread > 0) return OkStatus();
        KESSAI_ASSIGN_OR_RETURN(const std::int64_t net, statement_.booked.Net());
        KESSAI_ASSIGN_OR_RETURN(const Money closing,
                                summary.opening->Add(Money(net, summary.opening->currency())));
        if (closing != *summary.closing) {
            return TotalsWrong(Where() + ": the closing balance is " + summary.closing->ToString() +
                               ", the opening balance and the entries make " + closing.ToString());
        }
        summary.balance_checked = true;
        return OkStatus();
    }

    internal::XmlReader xml_;
    std::string path_;
    /// The currency of the element that ends next.
    std::string attribute_;
    Statement statement_;
    Balance balance_;
    Entry entry_;
    std::vector<StatementSummary> summaries_;
};

}  // namespace

std::unique_ptr<StatementFileReader> MakeCamtReader(StatementSink sink) {
    return std::make_unique<CamtReader>(std::move(sink));
}

}  // namespace kessai::statementfile
