#include "csv_line.h"

#include "kessai/statementfile/statement_item.h"

namespace kessai::statementfile::internal {
namespace {

/// Takes a quoted field off `rest`, up to what follows its closing quote.
Result<std::string> TakeQuoted(std::string_view& rest) {
    std::string field;
    rest.remove_prefix(1);
    while (true) {
        const std::size_t at = rest.find('"');
        if (at == std::string_view::npos) {
            return Status(Code::kInvalidArgument, reason::kQuoteMalformed,
                          "a quote is not closed on its line");
        }
        field += rest.substr(0, at);
        rest.remove_prefix(at + 1);
        if (!rest.starts_with('"')) return field;
        field += '"';
        rest.remove_prefix(1);
    }
}

}  // namespace

Result<std::vector<std::string>> SplitCsvLine(std::string_view line, char delimiter) {
    std::vector<std::string> fields;
    for (std::string_view rest = line;;) {
        if (rest.starts_with('"')) {
            KESSAI_ASSIGN_OR_RETURN(std::string field, TakeQuoted(rest));
            fields.push_back(std::move(field));
            if (!rest.empty() && rest.front() != delimiter) {
                return Status(Code::kInvalidArgument, reason::kQuoteMalformed,
                              "column " + std::to_string(fields.size()) +
                                  " goes on behind its closing quote");
            }
        } else {
            const std::size_t at = rest.find(delimiter);
            fields.emplace_back(rest.substr(0, at));
            rest.remove_prefix(at == std::string_view::npos ? rest.size() : at);
        }
        if (rest.empty()) return fields;
        rest.remove_prefix(1);
    }
}

}  // namespace kessai::statementfile::internal
