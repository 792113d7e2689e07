#include "rules/statements.h"

#include <string>

namespace kessai::audit {
namespace {

using enum Invariant;

Subject Of(std::int64_t merchant, DayNumber cycle_start, std::int32_t version) {
    return {{"merchant", merchant},
            {"cycle", DayText(cycle_start)},
            {"version", std::int64_t{version}}};
}

Subject Of(const StatementRow& statement) {
    return Of(statement.merchant_id, statement.cycle_start, statement.version);
}

Subject Of(const StatementFileRow& file) {
    Subject subject = Of(file.merchant_id, file.cycle_start, file.version);
    subject.emplace_back("format", file.format);
    return subject;
}

/// yyyymm
DayNumber MonthOf(DayNumber day) {
    return day / 100;
}

void CheckIssue(const StatementRow* before, const StatementRow& statement, Report& report) {
    const auto subject = [&] { return Of(statement); };
    if (MonthOf(statement.issued_on) <= MonthOf(statement.cycle_start)) {
        report.Found(kM9, "statement issued before its month was over", [&] {
            return Finding{subject(), "a day after the month", DayText(statement.issued_on)};
        });
    }
    if (before != nullptr && statement.issued_on < before->issued_on) {
        report.Found(kM9, "correction issued before what it corrects", [&] {
            return Finding{subject(), DayText(before->issued_on) + " or later",
                           DayText(statement.issued_on)};
        });
    }
}

void CheckFile(const StatementFileRow& file, Report& report) {
    const auto subject = [&] { return Of(file); };
    report.Expect(kM9, "statement's file", subject, file.file_hash, file.content_hash);
    if (!file.says_number) {
        report.Found(kM4, "statement's number in its file", [&] {
            return Finding{subject(), "its number", "none, or another's"};
        });
    }
    if (!file.says_corrected) {
        report.Found(kM4, "corrected statement in its file", [&] {
            return Finding{subject(), "the number and day of the version before", "none"};
        });
    }
}

}  // namespace

void CheckStatement(const StatementRow* before, const StatementRow& statement,
                    const std::vector<StatementFileRow>& files, Report& report) {
    const auto subject = [&] { return Of(statement); };
    report.Expect(kM4, "version of statement", subject, before == nullptr ? 1 : before->version + 1,
                  statement.version);
    const auto reason_text = [](bool has_reason) {
        return std::string(has_reason ? "a reason" : "none");
    };
    report.Expect(kM4, "reason of correction", subject, reason_text(statement.version > 1),
                  reason_text(statement.has_reason));
    if (!statement.profile_is_there) {
        report.Found(kM4, "statement's name", [&] {
            return Finding{subject(), "the profile that it was addressed by", "none"};
        });
    }
    CheckIssue(before, statement, report);
    std::string formats;
    for (const StatementFileRow& file : files) {
        formats += (formats.empty() ? "" : ", ") + file.format;
        CheckFile(file, report);
    }
    report.Expect(kM4, "statement's files", subject, std::string("csv, pdf"), formats);
}

void CheckStrayFile(const StatementFileRow& file, Report& report) {
    report.Found(kM4, "file of no statement", [&] {
        return Finding{Of(file), "a statement", "none"};
    });
}

void CheckStatementBalances(const StatementRow& statement, Wide opening, Wide closing,
                            Report& report) {
    const auto subject = [&] { return Of(statement); };
    report.Expect(kM2, "statement's opening balance", subject, opening, Wide{statement.opening});
    report.Expect(kM2, "statement's closing balance", subject, closing, Wide{statement.closing});
}

}  // namespace kessai::audit
