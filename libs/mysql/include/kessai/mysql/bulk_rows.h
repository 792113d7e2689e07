#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "kessai/mysql/query.h"

namespace kessai::mysql {

/// Where bulk rows go. All views must outlive it (use literals).
struct BulkTarget {
    /// For metrics and messages, as a query's.
    std::string_view name;
    std::string_view table;
    /// In the order of the rows' values: "id, amount".
    std::string_view columns;
};

/// Thousands of rows for one table, rendered as they are added: as the file that LOAD DATA LOCAL
/// reads, which costs the server half of what a statement of literals does, or as that statement
/// for a server that takes no files. Made by the session that stores them. One thread at a time.
class BulkRows {
 public:
    enum class Form : std::uint8_t { kFile, kStatement };

    explicit BulkRows(Form form) : form_(form) {}

    /// `column` has this value in every row added from now on, and none in a row's values: a server
    /// that takes a file is told it once, and reads and converts the less. To be called before the
    /// first row; the column is not among the target's, and outlives the list (use a literal).
    void SetCommon(std::string_view column, const Value& value);

    /// All rows must have as many values as the target has columns.
    template <class... Values>
    void Add(const Values&... values) {
        static_assert(sizeof...(Values) > 0);
        Begin(sizeof...(Values));
        (Append(Value(values)), ...);
        End();
    }
    /// Keeps its memory, and what is common.
    void Clear();

    std::size_t size() const { return size_; }
    std::size_t bytes() const { return text_.size(); }
    bool empty() const { return size_ == 0; }

    Form form() const { return form_; }
    std::string_view text() const { return text_; }
    bool text_is_utf8() const { return text_is_utf8_; }
    /// ", a, b" of the common columns, and for a file "a = 1, b = 'x'".
    std::string_view common_columns() const { return common_columns_; }
    std::string_view common_settings() const { return common_settings_; }

 private:
    void Begin(std::size_t width);
    void Append(const Value& value) {
        const bool file = form_ == Form::kFile;
        text_is_utf8_ =
            (file ? value.AppendFieldTo(text_) : value.AppendTo(text_)) && text_is_utf8_;
        text_.push_back(file ? '\t' : ',');
    }
    /// Over the last separator.
    void End() {
        if (form_ == Form::kFile) {
            text_.back() = '\n';
        } else {
            text_ += common_values_;
            text_.back() = ')';
        }
    }

    Form form_;
    std::string text_;
    std::size_t size_ = 0;
    std::size_t width_ = 0;
    bool text_is_utf8_ = true;
    std::string common_columns_;
    std::string common_settings_;
    /// "1,'x',": what follows a row's own values in a statement.
    std::string common_values_;
    bool common_is_utf8_ = true;
};

}  // namespace kessai::mysql
