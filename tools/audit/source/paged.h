#pragma once

#include <cstddef>
#include <optional>
#include <utility>

#include "kessai/mysql/session.h"
#include "kessai/result/result.h"

namespace kessai::audit {

/// The rows of a table in the order of one of its keys, read a page at a time, each page behind the
/// last row of the page before. So several tables of one snapshot are read side by side over its
/// one session, in constant memory, and the server never waits for a slow reader.
///
/// `Table` gives
///     using Row = …;
///     Result<mysql::Rows> Fetch(mysql::Session&, const Row* after, int limit) const;
///     void Read(const mysql::Rows&, Row&) const;
/// Peek is null at the end, and after a failure: see status(). The pointer lives until Pop. One
/// thread at a time.
template <class Table>
class Paged {
 public:
    using Row = typename Table::Row;
    static constexpr int kRowsPerPage = 5'000;

    /// The session must outlive it.
    explicit Paged(mysql::Session& session, Table table = {})
        : session_(session), table_(std::move(table)) {
        Turn(nullptr);
    }

    const Row* Peek() const { return there_ ? &row_ : nullptr; }
    void Pop() {
        if (!Step() && page_rows_ == kRowsPerPage) Turn(&row_);
    }
    const Status& status() const { return status_; }
    /// Rows given so far, the one that Peek shows included.
    std::uint64_t count() const { return count_; }

 private:
    bool Step() {
        there_ = rows_->Next();
        if (there_) {
            ++page_rows_;
            ++count_;
            table_.Read(*rows_, row_);
        }
        return there_;
    }
    void Turn(const Row* after) {
        there_ = false;
        page_rows_ = 0;
        rows_.reset();
        Result<mysql::Rows> rows = table_.Fetch(session_, after, kRowsPerPage);
        if (!rows.ok()) {
            status_ = std::move(rows).status();
            return;
        }
        rows_.emplace(std::move(rows).value());
        Step();
    }

    mysql::Session& session_;
    Table table_;
    std::optional<mysql::Rows> rows_;
    Row row_{};
    int page_rows_ = 0;
    bool there_ = false;
    std::uint64_t count_ = 0;
    Status status_;
};

}  // namespace kessai::audit
