#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/ledger_store.h"
#include "app/statement_format.h"
#include "app/statement_store.h"

namespace kessai::payout::app {

/// A statement as it stands.
struct StatementView {
    domain::StatementPaper paper;
    /// What keeps it from being issued, in words; empty when nothing does, or it was issued.
    std::string not_final;
    /// Once it was issued.
    std::optional<IssuedStatement> issued;
};

/// Shows merchants' statements, which are drafts until they are issued; issues them, once and for
/// good, when nothing can be added to their cycle any more. What was issued is kept byte by byte.
/// Thread safe.
class IssueStatements {
 public:
    IssueStatements(domain::InvoiceIssuer issuer, LedgerStore& ledger, StatementStore& statements,
                    std::vector<const StatementFormat*> formats, const domain::TaxTable& taxes)
        : issuer_(std::move(issuer)),
          ledger_(ledger),
          statements_(statements),
          formats_(std::move(formats)),
          taxes_(taxes) {}

    /// `cycle_start` is the first day of a month. NOT_FOUND MERCHANT_UNKNOWN (nothing was ever
    /// released to the merchant or moved, and it has no profile); STATEMENT_TOO_LARGE; DATA_LOSS
    /// STATEMENT_DIFFERS (rows do not fit each other, or are not those that were issued).
    Result<StatementView> Show(domain::MerchantId merchant, BusinessDate cycle_start);
    /// As it was issued, or as a draft. INVALID_ARGUMENT STATEMENT_FORMAT_UNKNOWN; DATA_LOSS
    /// STATEMENT_FILE_DAMAGED (what is kept is not what was issued); those of Show.
    Result<StatementFile> Write(domain::MerchantId merchant, BusinessDate cycle_start,
                                std::string_view format);
    /// The same again gives what was issued first. FAILED_PRECONDITION STATEMENT_NOT_FINAL,
    /// PROFILE_MISSING, ISSUER_MISSING; those of Show.
    Result<StatementView> Issue(domain::MerchantId merchant, BusinessDate cycle_start,
                                std::string_view issued_by);

 private:
    /// The day that journals are of from now on, in all processes.
    Result<BusinessDate> BookDate();
    Result<std::string> WhyNotFinal(domain::MerchantId merchant, BusinessDate cycle_start,
                                    BusinessDate book_date);
    Result<StatementView> ShowIssued(IssuedStatement issued);

    const domain::InvoiceIssuer issuer_;
    LedgerStore& ledger_;
    StatementStore& statements_;
    const std::vector<const StatementFormat*> formats_;
    const domain::TaxTable& taxes_;
};

}  // namespace kessai::payout::app
