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
    /// A row takes the place of one with the same key; else that is a refusal.
    bool replace = false;
};

/// Thousands of rows for one table, rendered as they are added: as the file that LOAD DATA LOCAL
/// reads, which costs the server half of what a statement of literals does, or as that statement
/// for a server that takes no files. Made by the session that stores them. One thread at a time.
class BulkRows {
 public:
    enum class Form : std::uint8_t { kFile, kStatement };

    explicit BulkRows(Form form) : form_(form) {}

    /// All rows must have as many values as the target has columns.
    template <class... Values>
    void Add(const Values&... values) {
        static_assert(sizeof...(Values) > 0);
        Begin(sizeof...(Values));
        (Append(Value(values)), ...);
        End();
    }
    /// Keeps its memory.
    void Clear();

    std::size_t size() const { return size_; }
    std::size_t bytes() const { return text_.size(); }
    bool empty() const { return size_ == 0; }

    Form form() const { return form_; }
    std::string_view text() const { return text_; }
    bool text_is_utf8() const { return text_is_utf8_; }

 private:
    void Begin(std::size_t width);
    void Append(const Value& value) {
        const bool file = form_ == Form::kFile;
        text_is_utf8_ =
            (file ? value.AppendFieldTo(text_) : value.AppendTo(text_)) && text_is_utf8_;
        text_.push_back(file ? '\t' : ',');
    }
    /// Over the last separator.
    void End() { text_.back() = form_ == Form::kFile ? '\n' : ')'; }

    Form form_;
    std::string text_;
    std::size_t size_ = 0;
    std::size_t width_ = 0;
    bool text_is_utf8_ = true;
};

}  // namespace kessai::mysql
