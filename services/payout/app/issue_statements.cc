#include "app/issue_statements.h"

#include <algorithm>

#include "domain/reason.h"
#include "domain/statement_reason.h"
#include "kessai/result/check.h"

namespace kessai::payout::app {
namespace {

constexpr std::size_t kReasonMax = 255;

Status Refuse(std::string_view reason, std::string message) {
    return Status(Code::kFailedPrecondition, reason, std::move(message));
}

bool IsEmpty(const domain::StatementRows& rows) {
    return rows.releases.empty() && rows.moves.empty() && rows.opening.released == 0 &&
           rows.opening.moved == 0 && rows.opening.in_transit == 0;
}

std::string NameOf(domain::MerchantId merchant, BusinessDate cycle_start) {
    return "statement " + domain::StatementNumber(merchant, cycle_start);
}

Status VersionUnknown(domain::MerchantId merchant, BusinessDate cycle_start, int version) {
    return Status(Code::kNotFound, domain::reason::kStatementUnknown,
                  NameOf(merchant, cycle_start) + " has no version " + std::to_string(version));
}

bool SameFiles(const std::vector<StatementFile>& a, const std::vector<StatementFile>& b) {
    return std::ranges::is_permutation(a, b, [](const auto& one, const auto& other) {
        return one.format == other.format && one.hash == other.hash;
    });
}

}  // namespace

Result<BusinessDate> IssueStatements::BookDate() {
    BusinessDate date;
    KESSAI_RETURN_IF_ERROR(ledger_.InTransaction([&](LedgerTransaction& transaction) -> Status {
        // Ending the transaction stores the day: none is before it after that.
        date = transaction.book_date();
        return OkStatus();
    }));
    return date;
}

Result<std::string> IssueStatements::WhyNotFinal(domain::MerchantId merchant,
                                                 BusinessDate cycle_start, BusinessDate book_date) {
    if (book_date <= domain::CycleEnd(cycle_start)) return std::string("the cycle is not over");
    KESSAI_ASSIGN_OR_RETURN(const auto why, statements_.WhyNotReleased(merchant, cycle_start));
    return why.value_or("");
}

Result<std::optional<domain::StatementCorrection>> IssueStatements::CorrectedBy(
    const IssuedStatement& issued) {
    if (issued.version == 1) return std::optional<domain::StatementCorrection>();
    const int before = issued.version - 1;
    KESSAI_ASSIGN_OR_RETURN(const auto corrected,
                            statements_.FindIssued(issued.merchant, issued.cycle_start, before));
    if (!corrected) {
        return Status(Code::kDataLoss, domain::reason::kStatementDiffers,
                      NameOf(issued.merchant, issued.cycle_start) + " corrects what is gone");
    }
    return std::optional(domain::StatementCorrection{
        .number = domain::StatementNumber(issued.merchant, issued.cycle_start, before),
        .issued_on = corrected->issued_on,
        .reason = issued.correction_reason});
}

Result<StatementView> IssueStatements::ShowIssued(IssuedStatement issued) {
    const domain::MerchantId merchant = issued.merchant;
    const BusinessDate cycle_start = issued.cycle_start;
    KESSAI_ASSIGN_OR_RETURN(const auto rows, statements_.Load(merchant, cycle_start));
    StatementView view;
    KESSAI_ASSIGN_OR_RETURN(view.paper.statement, domain::MakeStatement(rows, taxes_));
    if (view.paper.statement.opening != issued.opening ||
        view.paper.statement.closing != issued.closing) {
        return Status(Code::kDataLoss, domain::reason::kStatementDiffers,
                      NameOf(merchant, cycle_start) + " was issued with other balances");
    }
    KESSAI_ASSIGN_OR_RETURN(const auto profile, statements_.FindProfile(merchant, issued.profile));
    if (!profile) {
        return Status(Code::kDataLoss, domain::reason::kStatementDiffers,
                      NameOf(merchant, cycle_start) + " was issued to a name that is gone");
    }
    view.paper.issuer = issuer_;
    view.paper.recipient = profile->invoice_name;
    view.paper.number = domain::StatementNumber(merchant, cycle_start, issued.version);
    view.paper.issued_on = issued.issued_on;
    KESSAI_ASSIGN_OR_RETURN(view.paper.corrects, CorrectedBy(issued));
    view.issued = std::move(issued);
    return view;
}

Result<StatementView> IssueStatements::Show(domain::MerchantId merchant, BusinessDate cycle_start,
                                            int version) {
    KESSAI_ASSIGN_OR_RETURN(auto issued, statements_.FindIssued(merchant, cycle_start, version));
    if (issued) return ShowIssued(*std::move(issued));
    if (version != 0) return VersionUnknown(merchant, cycle_start, version);
    StatementView view;
    // What is not final is asked first: then rows that are added meanwhile make no draft final.
    KESSAI_ASSIGN_OR_RETURN(const BusinessDate book_date, BookDate());
    KESSAI_ASSIGN_OR_RETURN(view.not_final, WhyNotFinal(merchant, cycle_start, book_date));
    KESSAI_ASSIGN_OR_RETURN(const auto rows, statements_.Load(merchant, cycle_start));
    KESSAI_ASSIGN_OR_RETURN(const auto profile, statements_.FindProfile(merchant));
    if (!profile && IsEmpty(rows)) {
        return Status(Code::kNotFound, domain::reason::kMerchantUnknown,
                      "nothing is known of merchant " + merchant.ToString());
    }
    KESSAI_ASSIGN_OR_RETURN(view.paper.statement, domain::MakeStatement(rows, taxes_));
    view.paper.issuer = issuer_;
    if (profile) view.paper.recipient = profile->invoice_name;
    return view;
}

Result<StatementFile> IssueStatements::Write(domain::MerchantId merchant, BusinessDate cycle_start,
                                             std::string_view name, int version) {
    for (const StatementFormat* format : formats_) {
        if (format->name() != name) continue;
        KESSAI_ASSIGN_OR_RETURN(const auto issued,
                                statements_.FindIssued(merchant, cycle_start, version));
        if (issued) {
            KESSAI_ASSIGN_OR_RETURN(
                auto kept, statements_.FindFile(merchant, cycle_start, issued->version, name));
            if (kept && domain::HashOf(kept->content) == kept->hash) return *std::move(kept);
            if (kept) {
                return Status(Code::kDataLoss, domain::reason::kStatementFileDamaged,
                              NameOf(merchant, cycle_start) + " is not kept as it was issued");
            }
        }
        // A draft, or in a format that there was not when it was issued.
        KESSAI_ASSIGN_OR_RETURN(const StatementView view, Show(merchant, cycle_start, version));
        StatementFile file;
        file.format = std::string(name);
        KESSAI_ASSIGN_OR_RETURN(file.content, format->Write(view.paper));
        file.hash = domain::HashOf(file.content);
        return file;
    }
    return Status(Code::kInvalidArgument, domain::reason::kStatementFormatUnknown,
                  "there is no format " + std::string(name));
}

Result<std::vector<StatementFile>> IssueStatements::WriteAll(
    const domain::StatementPaper& paper) const {
    std::vector<StatementFile> files;
    for (const StatementFormat* format : formats_) {
        StatementFile file;
        file.format = std::string(format->name());
        KESSAI_ASSIGN_OR_RETURN(file.content, format->Write(paper));
        file.hash = domain::HashOf(file.content);
        files.push_back(std::move(file));
    }
    return files;
}

Status IssueStatements::Keep(const domain::StatementPaper& paper, IssuedStatement issued) {
    issued.issued_on = paper.issued_on;
    issued.opening = paper.statement.opening;
    issued.closing = paper.statement.closing;
    KESSAI_ASSIGN_OR_RETURN(issued.files, WriteAll(paper));
    return statements_.Insert(issued);
}

Result<StatementView> IssueStatements::ShowStored(domain::MerchantId merchant,
                                                  BusinessDate cycle_start, int version) {
    KESSAI_ASSIGN_OR_RETURN(auto stored, statements_.FindIssued(merchant, cycle_start, version));
    KESSAI_CHECK(stored.has_value(), "what was issued is there");
    return ShowIssued(*std::move(stored));
}

Result<StatementView> IssueStatements::Issue(domain::MerchantId merchant, BusinessDate cycle_start,
                                             std::string_view issued_by) {
    KESSAI_ASSIGN_OR_RETURN(auto before, statements_.FindIssued(merchant, cycle_start));
    if (before) return ShowIssued(*std::move(before));
    KESSAI_ASSIGN_OR_RETURN(const BusinessDate book_date, BookDate());
    KESSAI_ASSIGN_OR_RETURN(StatementView view, Show(merchant, cycle_start));
    if (view.issued) return view;
    const std::string named = NameOf(merchant, cycle_start);
    if (!view.not_final.empty()) {
        return Refuse(domain::reason::kStatementNotFinal, named + ": " + view.not_final);
    }
    if (issuer_.name.empty()) {
        return Refuse(domain::reason::kIssuerMissing, "no issuer of invoices is configured");
    }
    KESSAI_ASSIGN_OR_RETURN(const auto profile, statements_.FindProfile(merchant));
    if (!profile) {
        return Refuse(domain::reason::kProfileMissing,
                      named + ": the merchant has no name for it yet");
    }
    view.paper.recipient = profile->invoice_name;
    view.paper.number = domain::StatementNumber(merchant, cycle_start);
    view.paper.issued_on = book_date;
    IssuedStatement issued{};
    issued.merchant = merchant;
    issued.cycle_start = cycle_start;
    issued.profile = profile->version;
    issued.issued_by = std::string(issued_by);
    KESSAI_RETURN_IF_ERROR(Keep(view.paper, std::move(issued)));
    // Another may have been first.
    return ShowStored(merchant, cycle_start, 1);
}

Result<IssuedMonth> IssueStatements::IssueNext(BusinessDate cycle_start, domain::MerchantId after,
                                               int merchants_max, std::string_view issued_by) {
    KESSAI_ASSIGN_OR_RETURN(const BusinessDate book_date, BookDate());
    if (book_date <= domain::CycleEnd(cycle_start)) {
        return Refuse(domain::reason::kStatementNotFinal, "the cycle is not over");
    }
    if (issuer_.name.empty()) {
        return Refuse(domain::reason::kIssuerMissing, "no issuer of invoices is configured");
    }
    KESSAI_ASSIGN_OR_RETURN(const UnissuedMerchants unissued,
                            statements_.Unissued(cycle_start, after, merchants_max));
    IssuedMonth month;
    month.next = unissued.next;
    for (const domain::MerchantId merchant : unissued.merchants) {
        KESSAI_ASSIGN_OR_RETURN(const auto rows, statements_.Load(merchant, cycle_start));
        const auto view = IsEmpty(rows) ? Result<StatementView>(StatementView())
                                        : Issue(merchant, cycle_start, issued_by);
        if (view.ok()) {
            ++(view->issued ? month.issued_count : month.empty_count);
        } else if (view.status().reason() == domain::reason::kStatementNotFinal) {
            ++month.not_final_count;
        } else if (view.status().code() == Code::kDataLoss ||
                   view.status().reason() == domain::reason::kStatementTooLarge ||
                   view.status().reason() == domain::reason::kNotPrintable) {
            month.refused.push_back({merchant, view.status()});
        } else {
            return view.status();
        }
    }
    return month;
}

Result<StatementView> IssueStatements::Correct(domain::MerchantId merchant,
                                               BusinessDate cycle_start, int version,
                                               std::string_view reason,
                                               std::string_view issued_by) {
    const std::string named = NameOf(merchant, cycle_start);
    if (reason.empty() || reason.size() > kReasonMax) {
        return Status(Code::kInvalidArgument, domain::reason::kFieldInvalid,
                      "a reason has 1 to 255 bytes");
    }
    for (const StatementFormat* format : formats_) {
        KESSAI_RETURN_IF_ERROR(format->CheckName(reason));
    }
    KESSAI_ASSIGN_OR_RETURN(auto latest, statements_.FindIssued(merchant, cycle_start));
    if (!latest) {
        return Refuse(domain::reason::kStatementNotIssued, named + " was not issued");
    }
    if (version >= 2 && version <= latest->version) return Show(merchant, cycle_start, version);
    if (version != latest->version + 1) {
        return Refuse(domain::reason::kStatementOutOfTurn,
                      named + " has " + std::to_string(latest->version) + " versions");
    }
    if (issuer_.name.empty()) {
        return Refuse(domain::reason::kIssuerMissing, "no issuer of invoices is configured");
    }
    KESSAI_ASSIGN_OR_RETURN(const auto profile, statements_.FindProfile(merchant));
    if (!profile) {
        return Refuse(domain::reason::kProfileMissing, named + ": the merchant has no name");
    }
    KESSAI_ASSIGN_OR_RETURN(const BusinessDate book_date, BookDate());
    IssuedStatement corrected = *latest;
    KESSAI_ASSIGN_OR_RETURN(StatementView view, ShowIssued(*std::move(latest)));
    view.paper.recipient = profile->invoice_name;
    // As the one before it would be today.
    KESSAI_ASSIGN_OR_RETURN(const auto same, WriteAll(view.paper));
    if (SameFiles(same, corrected.files)) {
        return Refuse(domain::reason::kStatementUnchanged,
                      named + " says today what it said when it was issued");
    }
    view.paper.corrects = {.number = view.paper.number,
                           .issued_on = corrected.issued_on,
                           .reason = std::string(reason)};
    view.paper.number = domain::StatementNumber(merchant, cycle_start, version);
    view.paper.issued_on = book_date;
    corrected.version = version;
    corrected.correction_reason = std::string(reason);
    corrected.profile = profile->version;
    corrected.issued_by = std::string(issued_by);
    KESSAI_RETURN_IF_ERROR(Keep(view.paper, std::move(corrected)));
    return ShowStored(merchant, cycle_start, version);
}

}  // namespace kessai::payout::app
