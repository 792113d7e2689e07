#include "app/issue_statements.h"

#include "domain/reason.h"
#include "domain/statement_reason.h"
#include "kessai/result/check.h"

namespace kessai::payout::app {
namespace {

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
    view.paper.number = domain::StatementNumber(merchant, cycle_start);
    view.paper.issued_on = issued.issued_on;
    view.issued = std::move(issued);
    return view;
}

Result<StatementView> IssueStatements::Show(domain::MerchantId merchant, BusinessDate cycle_start) {
    KESSAI_ASSIGN_OR_RETURN(auto issued, statements_.FindIssued(merchant, cycle_start));
    if (issued) return ShowIssued(*std::move(issued));
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
                                             std::string_view name) {
    for (const StatementFormat* format : formats_) {
        if (format->name() != name) continue;
        KESSAI_ASSIGN_OR_RETURN(auto kept, statements_.FindFile(merchant, cycle_start, name));
        if (kept) {
            if (domain::HashOf(kept->content) == kept->hash) return *std::move(kept);
            return Status(Code::kDataLoss, domain::reason::kStatementFileDamaged,
                          NameOf(merchant, cycle_start) + " is not kept as it was issued");
        }
        KESSAI_ASSIGN_OR_RETURN(const StatementView view, Show(merchant, cycle_start));
        StatementFile file;
        file.format = std::string(name);
        KESSAI_ASSIGN_OR_RETURN(file.content, format->Write(view.paper));
        file.hash = domain::HashOf(file.content);
        return file;
    }
    return Status(Code::kInvalidArgument, domain::reason::kStatementFormatUnknown,
                  "there is no format " + std::string(name));
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
    IssuedStatement issued{.merchant = merchant,
                           .cycle_start = cycle_start,
                           .profile = profile->version,
                           .issued_on = book_date,
                           .opening = view.paper.statement.opening,
                           .closing = view.paper.statement.closing,
                           .issued_by = std::string(issued_by),
                           .files = {}};
    for (const StatementFormat* format : formats_) {
        StatementFile file;
        file.format = std::string(format->name());
        KESSAI_ASSIGN_OR_RETURN(file.content, format->Write(view.paper));
        file.hash = domain::HashOf(file.content);
        issued.files.push_back(std::move(file));
    }
    KESSAI_RETURN_IF_ERROR(statements_.Insert(issued));
    // Another may have been first.
    KESSAI_ASSIGN_OR_RETURN(auto stored, statements_.FindIssued(merchant, cycle_start));
    KESSAI_CHECK(stored.has_value(), "what was issued is there");
    return ShowIssued(*std::move(stored));
}

}  // namespace kessai::payout::app
