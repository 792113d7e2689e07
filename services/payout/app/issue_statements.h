#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/ledger_store.h"
#include "app/statement_format.h"
#include "app/statement_store.h"

namespace kessai::payout::app {

/// What one call of a month's issue did.
struct IssuedMonth {
    struct Refused {
        domain::MerchantId merchant;
        Status why;
    };
    std::int64_t issued_count = 0;
    /// Their month can still change.
    std::int64_t not_final_count = 0;
    /// There is nothing in their month.
    std::int64_t empty_count = 0;
    /// What is damaged, or too large.
    std::vector<Refused> refused = {};
    /// Where the next call goes on; nothing: all were looked at.
    std::optional<domain::MerchantId> next = {};
};

/// A statement as it stands.
struct StatementView {
    domain::StatementPaper paper;
    /// What keeps it from being issued, in words; empty when nothing does, or it was issued.
    std::string not_final;
    /// Once it was issued.
    std::optional<IssuedStatement> issued;
};

/// Shows merchants' statements, which are drafts until they are issued; issues them, once and for
/// good, when nothing can be added to their cycle any more. What was issued is kept byte by byte,
/// and so is each correction of it: a version beside it. Thread safe.
class IssueStatements {
 public:
    IssueStatements(domain::InvoiceIssuer issuer, LedgerStore& ledger, StatementStore& statements,
                    std::vector<const StatementFormat*> formats, const domain::TaxTable& taxes)
        : issuer_(std::move(issuer)),
          ledger_(ledger),
          statements_(statements),
          formats_(std::move(formats)),
          taxes_(taxes) {}

    /// `cycle_start` is the first day of a month; version 0: the latest. NOT_FOUND MERCHANT_UNKNOWN
    /// (nothing was ever released to the merchant or moved, and it has no profile),
    /// STATEMENT_UNKNOWN (no such version); STATEMENT_TOO_LARGE; DATA_LOSS STATEMENT_DIFFERS (rows
    /// do not fit each other, or are not those that were issued).
    Result<StatementView> Show(domain::MerchantId merchant, BusinessDate cycle_start,
                               int version = 0);
    /// As it was issued, or as a draft. INVALID_ARGUMENT STATEMENT_FORMAT_UNKNOWN; DATA_LOSS
    /// STATEMENT_FILE_DAMAGED (what is kept is not what was issued); those of Show.
    Result<StatementFile> Write(domain::MerchantId merchant, BusinessDate cycle_start,
                                std::string_view format, int version = 0);
    /// The same again gives what was issued, corrected or not. FAILED_PRECONDITION
    /// STATEMENT_NOT_FINAL, PROFILE_MISSING, ISSUER_MISSING; those of Show.
    Result<StatementView> Issue(domain::MerchantId merchant, BusinessDate cycle_start,
                                std::string_view issued_by);
    /// Issues the cycle's statements of the next merchants above `after` that have a profile and
    /// none yet, at most `merchants_max`. One that is refused hinders no other. What is issued is
    /// found to be, so it may be begun again at any time. FAILED_PRECONDITION STATEMENT_NOT_FINAL
    /// (the cycle is not over), ISSUER_MISSING; the database's.
    Result<IssuedMonth> IssueNext(BusinessDate cycle_start, domain::MerchantId after,
                                  int merchants_max, std::string_view issued_by);
    /// Makes a version (from 2) that corrects the one before it: with the names and formats of now,
    /// and the amounts of the ledger, which are the same. The same version again gives what was
    /// made first. INVALID_ARGUMENT FIELD_INVALID (a reason has 1 to 255 bytes), NOT_PRINTABLE;
    /// FAILED_PRECONDITION STATEMENT_NOT_ISSUED, STATEMENT_OUT_OF_TURN, STATEMENT_UNCHANGED (all
    /// that would differ is that it corrects), PROFILE_MISSING, ISSUER_MISSING; those of Show.
    Result<StatementView> Correct(domain::MerchantId merchant, BusinessDate cycle_start,
                                  int version, std::string_view reason, std::string_view issued_by);

 private:
    /// The day that journals are of from now on, in all processes.
    Result<BusinessDate> BookDate();
    Result<std::string> WhyNotFinal(domain::MerchantId merchant, BusinessDate cycle_start,
                                    BusinessDate book_date);
    Result<StatementView> ShowIssued(IssuedStatement issued);
    /// What a version corrects; nothing of the first one.
    Result<std::optional<domain::StatementCorrection>> CorrectedBy(const IssuedStatement& issued);
    /// Writes a paper in all formats, and stores it as this version of who it is of. What another
    /// stored first is left.
    Status Keep(const domain::StatementPaper& paper, IssuedStatement issued);
    Result<std::vector<StatementFile>> WriteAll(const domain::StatementPaper& paper) const;
    Result<StatementView> ShowStored(domain::MerchantId merchant, BusinessDate cycle_start,
                                     int version);

    const domain::InvoiceIssuer issuer_;
    LedgerStore& ledger_;
    StatementStore& statements_;
    const std::vector<const StatementFormat*> formats_;
    const domain::TaxTable& taxes_;
};

}  // namespace kessai::payout::app
