#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "domain/claim.h"
#include "domain/day_comparison.h"
#include "domain/match.h"
#include "kessai/result/result.h"

namespace kessai::reconciliation::domain {

/// Gives rows one after the other, strictly rising by `key`: `Result<std::optional<Row>> Next()`,
/// nullopt at the end and ever after.
template <class Source, class Row>
concept RowSource = requires(Source source) {
    { source.Next() } -> std::same_as<Result<std::optional<Row>>>;
};

/// One source of a join: holds its foremost row and watches its order.
template <class Row, RowSource<Row> Source>
class JoinInput {
 public:
    explicit JoinInput(Source& source) : source_(&source) {}

    const std::optional<Row>& row() const { return row_; }
    bool At(ChangeKey key) const { return row_ && row_->key == key; }

    Status Advance() {
        const std::optional<Row> last = std::move(row_);
        KESSAI_ASSIGN_OR_RETURN(row_, source_->Next());
        if (last && row_ && row_->key <= last->key) {
            return Status(Code::kDataLoss, "ROWS_OUT_OF_ORDER",
                          "change " + row_->key.payment.ToString() + "/" +
                              std::to_string(row_->key.version) + " comes after " +
                              last->key.payment.ToString() + "/" +
                              std::to_string(last->key.version));
        }
        return OkStatus();
    }

 private:
    Source* source_;
    std::optional<Row> row_;
};

/// Walks three books of one bucket side by side in constant memory and calls
/// `visit(Case&&) -> Status` once for every change that any of them has, in order of the keys.
/// Pure as its sources are. Stops at the first refusal of a source or of `visit`; DATA_LOSS
/// ROWS_OUT_OF_ORDER for a source that does not rise, because then nothing found is sure.
template <RowSource<BookRow> Payment, RowSource<BookRow> Payout, RowSource<Match> Matches,
          class Visit>
Status JoinBucket(Payment& payment_rows, Payout& payout_rows, Matches& match_rows, Visit visit) {
    JoinInput<BookRow, Payment> payment(payment_rows);
    JoinInput<BookRow, Payout> payout(payout_rows);
    JoinInput<Match, Matches> match(match_rows);
    KESSAI_RETURN_IF_ERROR(payment.Advance());
    KESSAI_RETURN_IF_ERROR(payout.Advance());
    KESSAI_RETURN_IF_ERROR(match.Advance());

    while (payment.row() || payout.row() || match.row()) {
        std::optional<ChangeKey> first;
        const auto consider = [&first](const auto& row) {
            if (row && (!first || row->key < *first)) first = row->key;
        };
        consider(payment.row());
        consider(payout.row());
        consider(match.row());

        Case change{.key = *first};
        if (payment.At(*first)) {
            change.payment = payment.row();
            KESSAI_RETURN_IF_ERROR(payment.Advance());
        }
        if (payout.At(*first)) {
            change.payout = payout.row();
            KESSAI_RETURN_IF_ERROR(payout.Advance());
        }
        if (match.At(*first)) {
            change.match = match.row();
            KESSAI_RETURN_IF_ERROR(match.Advance());
        }
        KESSAI_RETURN_IF_ERROR(visit(std::move(change)));
    }
    return OkStatus();
}

}  // namespace kessai::reconciliation::domain
