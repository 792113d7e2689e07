#include "app/row_writer.h"

#include <optional>
#include <utility>

namespace kessai::reconciliation::app {
namespace {

using filetemplate::PrintedRows;
using filetemplate::RowPrinter;

constexpr std::size_t kBlocksAhead = 4;

/// None if a row was refused: it will be again, when it is its turn.
std::optional<PrintedRows> Print(const RowPrinting& printing,
                                 const filetemplate::FileContext& context, const RowBlock& block) {
    const std::unique_ptr<RowUnpacker> unpacker = printing.unpacker();
    RowPrinter printer(printing.file_template, context);
    const domain::MerchantId merchant = block.stretches().front().merchant;
    for (std::size_t i = 0; i < block.rows(); ++i) {
        const auto row = unpacker->Unpack(block.Row(merchant, i));
        if (!row.ok() || !printer.Append(*row).ok()) return std::nullopt;
    }
    return printer.Take();
}

}  // namespace

Status RowWriter::Append(const PackedRow& row) {
    KESSAI_RETURN_IF_ERROR(AppendAll());
    KESSAI_ASSIGN_OR_RETURN(const auto values, unpacker_.Unpack(row));
    return writer_.Append(values);
}

Status RowWriter::AppendBlock(RowBlock block) {
    if (!printing_.file_template.rows_stand_alone()) return AppendRows(block);
    const auto shared = std::make_shared<const RowBlock>(std::move(block));
    const auto promise = std::make_shared<std::promise<std::optional<PrintedRows>>>();
    ahead_.push_back({shared, promise->get_future()});
    const auto print = [&printing = printing_, context = context_, shared, promise] {
        promise->set_value(Print(printing, context, *shared));
    };
    if (!printing_.helpers.Offer(print)) print();
    return ahead_.size() < kBlocksAhead ? OkStatus() : AppendFirst();
}

Status RowWriter::Finish() {
    KESSAI_RETURN_IF_ERROR(AppendAll());
    return writer_.Finish();
}

Status RowWriter::AppendRows(const RowBlock& block) {
    const domain::MerchantId merchant = block.stretches().front().merchant;
    for (std::size_t i = 0; i < block.rows(); ++i) {
        KESSAI_ASSIGN_OR_RETURN(const auto values, unpacker_.Unpack(block.Row(merchant, i)));
        KESSAI_RETURN_IF_ERROR(writer_.Append(values));
    }
    return OkStatus();
}

Status RowWriter::AppendFirst() {
    Printed first = std::move(ahead_.front());
    ahead_.pop_front();
    if (const auto printed = first.rows.get()) {
        KESSAI_ASSIGN_OR_RETURN(const bool fits, writer_.AppendPrinted(*printed));
        if (fits) return OkStatus();
    }
    // What was refused is refused again, with the number of the row.
    return AppendRows(*first.block);
}

Status RowWriter::AppendAll() {
    while (!ahead_.empty()) KESSAI_RETURN_IF_ERROR(AppendFirst());
    return OkStatus();
}

}  // namespace kessai::reconciliation::app
