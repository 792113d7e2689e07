#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "app/outside_books.h"
#include "kessai/statementfile/statement_item.h"

namespace kessai::reconciliation::app {

/// What the entries of one file are known by, counted as the file is read. Not thread safe.
class StatementIdentities {
 public:
    explicit StatementIdentities(StatementFormat format) : format_(format) {}

    /// Of the next entry. Two entries of any files are the same if this is: see ImportStatement.
    std::string Next(std::string_view account, const statementfile::StatementItem& item);

 private:
    StatementFormat format_;
    /// How many entries of the file said the same, by a hash of what they say.
    std::unordered_map<std::string, std::uint32_t> seen_;
};

}  // namespace kessai::reconciliation::app
