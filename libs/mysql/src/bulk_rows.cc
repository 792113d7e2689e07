#include "kessai/mysql/bulk_rows.h"

#include "kessai/result/check.h"

namespace kessai::mysql {

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
    text_is_utf8_ = true;
}

}  // namespace kessai::mysql
