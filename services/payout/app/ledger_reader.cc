#include "app/ledger_reader.h"

namespace kessai::payout::app {

JournalPosition PositionBehind(const JournalLine& line) {
    using Part = JournalPosition::Part;
    if (line.kind == JournalLine::Kind::kAccrued) return {Part::kAccruals, line.merchant.value()};
    if (line.kind == JournalLine::Kind::kReleased) return {Part::kReleases, line.merchant.value()};
    return {Part::kRows, line.journal.value()};
}

}  // namespace kessai::payout::app
