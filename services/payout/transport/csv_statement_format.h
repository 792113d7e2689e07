#pragma once

#include "app/statement_format.h"

namespace kessai::payout::transport {

/// "csv": one table for people's spreadsheets and merchants' programs (services/payout/README.md
/// lists its columns). UTF-8 with a byte order mark, which spreadsheets need to see that it is;
/// lines end in CRLF, and cells are quoted where they must be (RFC 4180). A text that a spreadsheet
/// would take for a formula gets an apostrophe in front.
class CsvStatementFormat final : public app::StatementFormat {
 public:
    std::string_view name() const override { return "csv"; }
    Status CheckName(std::string_view) const override { return OkStatus(); }
    Result<std::string> Write(const domain::StatementPaper& paper) const override;
};

}  // namespace kessai::payout::transport
