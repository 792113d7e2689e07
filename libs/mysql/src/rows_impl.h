#pragma once

#include <cppconn/resultset.h>

#include <memory>
#include <string_view>
#include <vector>

#include "kessai/mysql/rows.h"
#include "session_impl.h"

namespace kessai::mysql {

struct Rows::Impl {
    std::unique_ptr<sql::ResultSet> result;
    std::string_view query_name;
    int column_count = 0;
    std::size_t row_count = 0;
    /// Of a streamed result that is still open.
    Session::Impl* session = nullptr;
    Status status;
    bool on_row = false;

    /// What is known of each column's type, found out when it is first read.
    enum class Column : std::uint8_t { kUnread, kSigned, kUnsigned, kOther };
    mutable std::vector<Column> columns;

    /// Columns of type DECIMAL: sums, for no table of ours has one.
    std::vector<int> sums;

    /// Reads of the result what its columns are. Throws the connector's exceptions.
    void FindColumns();
    /// Of the row that the result stands on: DATA_LOSS SUM_OUT_OF_RANGE. The same.
    Status CheckSums() const;
    /// Of all rows of a buffered result, which stands before the first one again. The same.
    Status CheckAllSums();
    Column NumberColumn(int column) const;
    /// Preconditions: on a row, and `kind` is what NumberColumn gave.
    std::int64_t ReadInt(int column, Column kind) const;
    void CheckRead(int column) const;
    [[noreturn]] void Broken(int column, std::string_view what) const;
    void EndStream();
};

}  // namespace kessai::mysql
