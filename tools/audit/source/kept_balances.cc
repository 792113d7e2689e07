#include "source/kept_balances.h"

#include <limits>
#include <utility>

#include "kessai/mysql/query.h"
#include "source/columns.h"

namespace kessai::audit {
namespace {

constexpr std::int64_t kLowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kHighest = std::numeric_limits<std::int64_t>::max();

constexpr mysql::Query kDays{"payout_gate.balance_days", R"sql(
    SELECT balances_date + 0, IF(releasing_round = 0, releasing_date + 0, NULL) FROM payout_gate
    WHERE id = 1)sql"};
constexpr mysql::Query kRuns{"running_balance.runs", R"sql(
    SELECT merchant_first, merchant_last FROM running_balance WHERE business_date = ?
    ORDER BY merchant_first)sql"};
constexpr mysql::Query kPieces{"running_balance.page", R"sql(
    SELECT merchant_first, merchant_last, balances FROM running_balance FORCE INDEX (PRIMARY)
    WHERE business_date = ? AND merchant_first >= ? ORDER BY merchant_first LIMIT ?)sql"};

}  // namespace

Result<mysql::Rows> BalancePieceTable::Fetch(mysql::Session& session, const Row* after,
                                             int limit) const {
    // Nothing begins behind the highest id.
    const std::int64_t from = after == nullptr                    ? kLowest
                              : after->merchant_first == kHighest ? kHighest
                                                                  : after->merchant_first + 1;
    return session.Select(kPieces, business_date, from, limit);
}

void BalancePieceTable::Read(const mysql::Rows& from, Row& row) const {
    row.merchant_first = from.Int(0);
    row.merchant_last = from.Int(1);
    row.balances = std::string(from.Bytes(2));
}

Result<KeptBalances> KeptBalances::Open(mysql::Session& session) {
    KeptBalances kept;
    KESSAI_ASSIGN_OR_RETURN(auto days, session.Select(kDays));
    if (!days.Next()) return kept;
    if (!days.IsNull(0)) {
        kept.in_force_.pieces.emplace(session, BalancePieceTable{Day(days, 0)});
        kept.in_force_.whole = true;
        kept.in_force_.next = kLowest;
    }
    if (!days.IsNull(1)) {
        KESSAI_ASSIGN_OR_RETURN(auto runs, session.Select(kRuns, Day(days, 1)));
        while (runs.Next()) kept.done_.push_back({runs.Int(0), runs.Int(1)});
        kept.under_way_.pieces.emplace(session, BalancePieceTable{Day(days, 1)});
    }
    kept.Fill(kept.in_force_);
    kept.Fill(kept.under_way_);
    kept.SkipWhatIsDone();
    return kept;
}

const RunningBalance* KeptBalances::Peek() const {
    const RunningBalance* a = in_force_.Peek();
    const RunningBalance* b = under_way_.Peek();
    if (a == nullptr || (b != nullptr && b->place() < a->place())) return b;
    return a;
}

void KeptBalances::Pop() {
    const RunningBalance* first = Peek();
    if (first == nullptr) return;
    Stream& stream = first == in_force_.Peek() ? in_force_ : under_way_;
    ++count_;
    ++stream.at;
    Fill(stream);
    SkipWhatIsDone();
}

Status KeptBalances::status() const {
    for (const Stream* stream : {&in_force_, &under_way_}) {
        if (stream->pieces) KESSAI_RETURN_IF_ERROR(stream->pieces->status());
    }
    return OkStatus();
}

bool KeptBalances::Cover(std::int64_t merchant) {
    return in_force_.whole || IsDone(merchant, cover_run_);
}

bool KeptBalances::IsDone(std::int64_t merchant, std::size_t& run) const {
    while (run < done_.size() && done_[run].last < merchant) ++run;
    return run < done_.size() && done_[run].first <= merchant;
}

/// Goes on to the next piece that has balances, and looks at how pieces follow each other.
void KeptBalances::Fill(Stream& stream) {
    while (stream.pieces && stream.at >= stream.balances.size()) {
        const BalancePiece* piece = stream.pieces->Peek();
        if (piece == nullptr) {
            const bool failed = !stream.pieces->status().ok();
            if (stream.whole && stream.next && !failed) {
                faults_.push_back({"running balances end early", *stream.next});
            }
            stream.next.reset();
            return;
        }
        if (stream.whole && stream.next != piece->merchant_first) {
            faults_.push_back({"gap in running balances", piece->merchant_first});
        }
        stream.next.reset();
        if (piece->merchant_last != kHighest) stream.next = piece->merchant_last + 1;
        auto balances = ReadBalances(piece->balances);
        if (!balances) faults_.push_back({"unreadable running balances", piece->merchant_first});
        stream.balances.clear();
        stream.at = 0;
        if (balances) {
            std::int64_t before = kLowest;
            for (const RunningBalance& balance : *balances) {
                const bool in_place = balance.merchant_id >= before &&
                                      balance.merchant_id >= piece->merchant_first &&
                                      balance.merchant_id <= piece->merchant_last;
                if (!in_place) {
                    faults_.push_back({"running balance out of place", balance.merchant_id});
                    continue;
                }
                before = balance.merchant_id;
                stream.balances.push_back(balance);
            }
        }
        stream.pieces->Pop();
    }
}

void KeptBalances::SkipWhatIsDone() {
    while (in_force_.Peek() != nullptr && IsDone(in_force_.Peek()->merchant_id, skip_run_)) {
        ++in_force_.at;
        Fill(in_force_);
    }
}

}  // namespace kessai::audit
