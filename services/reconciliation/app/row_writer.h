#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <utility>

#include "app/file_rows.h"
#include "app/helping_threads.h"
#include "app/row_blocks.h"
#include "kessai/filetemplate/writer.h"
#include "kessai/result/result.h"

namespace kessai::reconciliation::app {

/// What printing rows takes. Must outlive all that is printed by it.
struct RowPrinting {
    const filetemplate::Template& file_template;
    /// For each thread one of its own.
    std::function<std::unique_ptr<RowUnpacker>()> unpacker;
    HelpingThreads& helpers;
};

/// Packed rows of one merchant into a Writer. Blocks of them are printed by several threads, a few
/// ahead, and go into the file in their order: a single thread would be what a large file waits
/// for. Belongs to one thread.
class RowWriter {
 public:
    /// `unpacker` is this thread's, and outlives it as `printing` does.
    RowWriter(const RowPrinting& printing, RowUnpacker& unpacker, filetemplate::FileContext context,
              filetemplate::Writer writer)
        : printing_(printing),
          unpacker_(unpacker),
          context_(std::move(context)),
          writer_(std::move(writer)) {}

    /// Refusals of the three are those of the Writer, whatever thread met with them.
    Status Append(const PackedRow& row);
    /// Precondition: all of its rows are the merchant's.
    Status AppendBlock(RowBlock block);
    Status Finish();

    const filetemplate::Writer& writer() const { return writer_; }

 private:
    struct Printed {
        std::shared_ptr<const RowBlock> block;
        /// None: they are to be appended one by one.
        std::future<std::optional<filetemplate::PrintedRows>> rows;
    };

    Status AppendRows(const RowBlock& block);
    Status AppendFirst();
    Status AppendAll();

    const RowPrinting& printing_;
    RowUnpacker& unpacker_;
    const filetemplate::FileContext context_;
    filetemplate::Writer writer_;
    std::deque<Printed> ahead_;
};

}  // namespace kessai::reconciliation::app
