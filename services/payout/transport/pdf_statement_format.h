#pragma once

#include <memory>

#include "app/statement_format.h"
#include "kessai/pdf/font.h"

namespace kessai::payout::transport {

/// "pdf": the statement and qualified invoice on A4, in Japanese. Its only time is the cycle's end.
class PdfStatementFormat final : public app::StatementFormat {
 public:
    explicit PdfStatementFormat(std::shared_ptr<const pdf::Font> font) : font_(std::move(font)) {}

    std::string_view name() const override { return "pdf"; }
    Status CheckName(std::string_view name) const override { return font_->CheckPrintable(name); }
    Result<std::string> Write(const domain::StatementPaper& paper) const override;

 private:
    const std::shared_ptr<const pdf::Font> font_;
};

}  // namespace kessai::payout::transport
