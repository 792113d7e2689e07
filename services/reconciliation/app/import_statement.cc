#include "app/import_statement.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "app/statement_identity.h"
#include "kessai/faults/fault_point.h"
#include "kessai/statementfile/csv_template.h"
#include "kessai/statementfile/statement_file_reader.h"

namespace kessai::reconciliation::app {
namespace {

using statementfile::BrokenLine;
using statementfile::FileSummary;
using statementfile::StatementItem;
using statementfile::StatementSink;

/// How much of the file the reader gets at once.
constexpr std::size_t kPieceBytes = std::size_t{64} << 10;
/// Items of one look-up and one insert.
constexpr std::size_t kChunkItems = 500;

/// The template as it is in force, of a file that needs one.
struct Layout {
    std::optional<statementfile::CsvTemplate> csv = {};
    std::uint32_t version = 0;
};

Status AccountWrong(std::string message) {
    return Status(Code::kFailedPrecondition, reason::kFileAccountWrong, std::move(message));
}

Result<FileSummary> Read(const StatementFile& file, const Layout& layout, StatementSink sink) {
    const auto make = [&]() -> std::unique_ptr<statementfile::StatementFileReader> {
        switch (file.format) {
            case StatementFormat::kCsv:
                return statementfile::MakeCsvReader(*layout.csv, std::move(sink));
            case StatementFormat::kZengin:
                return statementfile::MakeZenginReader(file.years, std::move(sink));
            case StatementFormat::kCamt053:
                break;
        }
        return statementfile::MakeCamtReader(std::move(sink));
    };
    const auto reader = make();
    for (std::size_t at = 0; at < file.content.size(); at += kPieceBytes) {
        KESSAI_RETURN_IF_ERROR(reader->Take(file.content.substr(at, kPieceBytes)));
    }
    return reader->Finish();
}

/// Reads a file into the books, in one transaction.
class Filing {
 public:
    Filing(OutsideBooks& books, const domain::OutsideAccounts& accounts, StatementImport& import)
        : books_(books), accounts_(accounts), import_(import), identities_(import.format) {}

    Status TakeItem(StatementItem&& item) {
        const domain::OutsideAccount* account = accounts_.FindNumber(item.account);
        if (account == nullptr) return AccountWrong("account " + item.account);
        NewOutsideItem fresh;
        fresh.identity = identities_.Next(account->name, item);
        domain::OutsideRecord& record = fresh.record;
        record.side = domain::OutsideSide::kBooked;
        record.account = account->name;
        record.amount = item.amount;
        record.date = item.booked;
        record.value_date = item.value_date;
        record.is_reversal = item.is_reversal;
        record.import = import_.id;
        record.line = static_cast<std::uint32_t>(item.line);
        for (statementfile::Reference& reference : item.references) {
            record.references.emplace_back(std::move(reference.kind), std::move(reference.value));
        }
        record.counterparty = std::move(item.counterparty);
        record.text = std::move(item.text);
        chunk_.push_back(std::move(fresh));
        return chunk_.size() < kChunkItems ? OkStatus() : Flush();
    }

    Status TakeBroken(const BrokenLine& broken) {
        AddNote({.kind = ImportNote::Kind::kBroken,
                 .line = static_cast<std::int64_t>(broken.line),
                 .reason = std::string(broken.why.reason()),
                 .message = std::string(broken.why.message())},
                import_.broken);
        return OkStatus();
    }

    Status Flush() {
        if (chunk_.empty()) return OkStatus();
        std::vector<std::string> asked;
        for (const NewOutsideItem& item : chunk_) asked.push_back(item.identity);
        KESSAI_ASSIGN_OR_RETURN(const auto known, books_.KnownEntries(asked));
        std::erase_if(chunk_, [&](const NewOutsideItem& item) {
            if (!known.contains(item.identity)) return false;
            AddNote({.kind = ImportNote::Kind::kKnown, .line = item.record.line}, import_.known);
            return true;
        });
        for (const NewOutsideItem& item : chunk_) added_to_.insert(item.record.account);
        import_.added += static_cast<std::int64_t>(chunk_.size());
        KESSAI_RETURN_IF_ERROR(books_.InsertItems(chunk_));
        chunk_.clear();
        KESSAI_FAULT_POINT("reconciliation.import.after_chunk");
        return OkStatus();
    }

    /// That have items which they had not.
    const std::set<std::string>& added_to() const { return added_to_; }

 private:
    void AddNote(ImportNote note, std::int64_t& count) {
        if (static_cast<std::size_t>(count++) < StatementImport::kNotesMax) {
            import_.notes.push_back(std::move(note));
        }
    }

    OutsideBooks& books_;
    const domain::OutsideAccounts& accounts_;
    StatementImport& import_;
    StatementIdentities identities_;
    std::vector<NewOutsideItem> chunk_;
    std::set<std::string> added_to_;
};

Result<Layout> LayoutOf(const StatementFile& file, OutsideTransactions& transactions) {
    Layout layout;
    if (file.format != StatementFormat::kCsv) return layout;
    std::optional<StoredText> stored;
    KESSAI_RETURN_IF_ERROR(transactions.Run([&](OutsideBooks& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(stored, books.LatestText(TextKind::kTemplate, file.template_name));
        return OkStatus();
    }));
    if (!stored) {
        return Status(Code::kNotFound, reason::kTemplateUnknown,
                      "no template \"" + file.template_name + "\" was put");
    }
    KESSAI_ASSIGN_OR_RETURN(layout.csv, statementfile::CsvTemplate::Parse(stored->yaml));
    layout.version = stored->version;
    return layout;
}

/// Reads the file for what is wrong with all of it, and whose it is. Gives our names of accounts.
Result<std::vector<std::string>> Check(const StatementFile& file, const Layout& layout,
                                       const domain::OutsideAccounts& accounts,
                                       FileSummary& summary) {
    std::set<std::string> names;
    std::string last;
    const auto take_account = [&](const std::string& number, const std::string& where) -> Status {
        if (number == last) return OkStatus();
        const domain::OutsideAccount* account = accounts.FindNumber(number);
        if (account == nullptr) {
            return AccountWrong(where + " is of account \"" + number +
                                "\", which is not one of outside.accounts");
        }
        if (!file.account.empty() && account->name != file.account) {
            return AccountWrong(where + " is of account \"" + account->name + "\", not \"" +
                                file.account + '"');
        }
        names.insert(account->name);
        last = number;
        return OkStatus();
    };
    KESSAI_ASSIGN_OR_RETURN(
        summary, Read(file, layout,
                      {.item = [&](StatementItem&& item) -> Status {
                           return take_account(item.account, "line " + std::to_string(item.line));
                       },
                       .broken = [](BrokenLine&&) -> Status { return OkStatus(); }}));
    for (const auto& statement : summary.statements) {
        if (!statement.account.empty()) {
            KESSAI_RETURN_IF_ERROR(take_account(statement.account, "a statement of the file"));
        }
    }
    return std::vector<std::string>(names.begin(), names.end());
}

}  // namespace

Result<ImportOutcome> ImportStatement::Run(const StatementFile& file, std::string_view actor) {
    if (file.content.size() > options_.file_bytes_max) {
        return Status(Code::kInvalidArgument, reason::kFileTooLarge,
                      "the file has " + std::to_string(file.content.size()) + " bytes, more than " +
                          std::to_string(options_.file_bytes_max));
    }
    if (!file.account.empty() && accounts_.Find(file.account) == nullptr) {
        return Status(Code::kNotFound, reason::kAccountUnknown,
                      "no account \"" + file.account + "\" is configured");
    }
    KESSAI_ASSIGN_OR_RETURN(const Layout layout, LayoutOf(file, transactions_));
    FileSummary summary;
    KESSAI_ASSIGN_OR_RETURN(const auto accounts, Check(file, layout, accounts_, summary));

    ImportOutcome outcome;
    KESSAI_RETURN_IF_ERROR(transactions_.Run([&](OutsideBooks& books) -> Status {
        outcome = {};
        KESSAI_RETURN_IF_ERROR(books.LockImports());
        KESSAI_ASSIGN_OR_RETURN(auto earlier, books.FindImportOf(summary.sha256));
        if (earlier) {
            outcome = {.import = *std::move(earlier), .repeated = true};
            return OkStatus();
        }
        StatementImport& import = outcome.import;
        import = {.format = file.format,
                  .template_name = layout.csv ? file.template_name : std::string(),
                  .template_version = layout.version,
                  .sha256 = summary.sha256,
                  .bytes = static_cast<std::int64_t>(file.content.size()),
                  .not_booked = summary.not_booked,
                  .accounts = accounts,
                  .imported_by = std::string(actor),
                  .imported_at = clock_.Now(),
                  .statements = summary.statements};
        if (import.statements.size() > StatementImport::kStatementsMax) {
            import.statements.resize(StatementImport::kStatementsMax);
        }
        KESSAI_ASSIGN_OR_RETURN(import.id, books.NextImportId());
        Filing filing(books, accounts_, import);
        KESSAI_RETURN_IF_ERROR(
            Read(file, layout,
                 {.item = [&](StatementItem&& item) { return filing.TakeItem(std::move(item)); },
                  .broken = [&](BrokenLine&& line) { return filing.TakeBroken(line); }})
                .status());
        KESSAI_RETURN_IF_ERROR(filing.Flush());
        std::ranges::stable_sort(import.notes, {}, &ImportNote::line);
        for (const std::string& account : filing.added_to()) {
            KESSAI_RETURN_IF_ERROR(books.MarkDue(account));
        }
        KESSAI_RETURN_IF_ERROR(books.InsertImport(import));
        KESSAI_FAULT_POINT("reconciliation.import.before_commit");
        return OkStatus();
    }));
    KESSAI_FAULT_POINT("reconciliation.import.after_commit");
    return outcome;
}

}  // namespace kessai::reconciliation::app
