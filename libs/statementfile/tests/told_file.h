#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kessai/statementfile/statement_file_reader.h"

namespace kessai::statementfile {

/// What was told of a file.
struct ToldFile {
    Status outcome;
    FileSummary summary;
    std::vector<StatementItem> items;
    std::vector<BrokenLine> broken;
};

/// Reads `bytes` in pieces of `piece` with what `make` makes of a sink.
template <class Make>
ToldFile ReadFile(Make&& make, std::string_view bytes, std::size_t piece = std::string_view::npos) {
    ToldFile told;
    const std::unique_ptr<StatementFileReader> reader =
        make(StatementSink{.item =
                               [&](StatementItem&& item) {
                                   told.items.push_back(std::move(item));
                                   return OkStatus();
                               },
                           .broken =
                               [&](BrokenLine&& broken) {
                                   told.broken.push_back(std::move(broken));
                                   return OkStatus();
                               }});
    while (!bytes.empty() && told.outcome.ok()) {
        told.outcome = reader->Take(bytes.substr(0, piece));
        bytes.remove_prefix(std::min(piece, bytes.size()));
    }
    if (!told.outcome.ok()) return told;
    auto summary = reader->Finish();
    told.outcome = summary.status();
    if (summary.ok()) told.summary = *std::move(summary);
    return told;
}

}  // namespace kessai::statementfile
