#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "kessai/filetemplate/schema.h"
#include "kessai/result/result.h"

namespace kessai::reconciliation::app {

/// Rows as bytes, while they wait in memory or in the work folder for their turn. Both halves are
/// of one process: the bytes are no format for anybody else. Cheap to copy; one thread at a time.
class RowCodec {
 public:
    /// `fields`: which are kept; the others come back empty.
    RowCodec(const filetemplate::Schema& schema, const std::vector<bool>& fields);

    void Append(filetemplate::Row row, std::string& bytes) const;
    /// The row of what Append made; texts are those in `bytes`. Good until the next Read. Damaged
    /// bytes are DATA_LOSS ROW_DAMAGED.
    Result<filetemplate::Row> Read(std::string_view bytes);

 private:
    struct Column {
        std::size_t place;
        filetemplate::Type type;
    };
    std::vector<Column> columns_;
    std::vector<filetemplate::Value> values_;
};

/// The bytes of a value that compare as a split by its field wants rows: texts byte by byte, enums
/// by place, numbers by size; empty before all. No such form is the beginning of another.
void AppendOrderedValue(const filetemplate::Value& value, std::string& bytes);
/// Eight bytes that compare as the number does.
void AppendOrdered(std::int64_t number, std::string& bytes);

}  // namespace kessai::reconciliation::app
