#include "kessai/mysql/bulk_rows.h"

#include "kessai/result/check.h"

namespace kessai::mysql {

void BulkRows::SetCommon(std::string_view column, const Value& value) {
    KESSAI_CHECK(size_ == 0, "what is common is known before the first row");
    std::string literal;
    common_is_utf8_ = value.AppendTo(literal) && common_is_utf8_;
    text_is_utf8_ = common_is_utf8_;
    common_columns_ += ", ";
    common_columns_ += column;
    if (!common_settings_.empty()) common_settings_ += ", ";
    common_settings_ += column;
    // A text would be read as a date once a row.
    common_settings_ += value.is_date() ? " = DATE" : " = ";
    common_settings_ += literal;
    common_values_ += literal;
    common_values_ += ',';
}

void BulkRows::Begin(std::size_t width) {
    KESSAI_CHECK(width_ == 0 || width_ == width, "all rows of a list have the same width");
    width_ = width;
    ++size_;
    if (form_ == Form::kFile) return;
    if (size_ > 1) text_.push_back(',');
    text_.push_back('(');
}

void BulkRows::Clear() {
    text_.clear();
    size_ = 0;
    width_ = 0;
    text_is_utf8_ = common_is_utf8_;
}

}  // namespace kessai::mysql
