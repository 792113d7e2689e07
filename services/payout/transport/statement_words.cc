#include "transport/statement_words.h"

#include <chrono>

namespace kessai::payout::transport {

using domain::JournalKind;

std::string_view WordOf(JournalKind kind) {
    switch (kind) {
        case JournalKind::kTransferCreated:
            return "振込";
        case JournalKind::kTransferSettled:
            return "振込完了";
        case JournalKind::kTransferFailed:
            return "振込不能";
        case JournalKind::kTransferReturned:
            return "組戻";
        case JournalKind::kAdjustment:
            return "調整";
        case JournalKind::kTransferCancelled:
            return "振込取消";
    }
    return "不明";
}

std::string RateText(domain::TaxClass tax_class) {
    const domain::TaxRate& rate = domain::TaxTable::Japan().RateOf(tax_class);
    return std::to_string(rate.numerator * 100 / rate.denominator) + "%";
}

std::string Grouped(std::int64_t amount) {
    std::string digits = std::to_string(amount);
    const std::size_t first = amount < 0 ? 1 : 0;
    for (std::size_t at = digits.size(); at > first + 3;) {
        at -= 3;
        digits.insert(at, 1, ',');
    }
    return digits;
}

std::string LongDate(BusinessDate date) {
    const std::chrono::year_month_day day(date.day());
    return MonthText(date) + std::to_string(static_cast<unsigned>(day.day())) + "日";
}

std::string MonthText(BusinessDate cycle_start) {
    const std::chrono::year_month_day day(cycle_start.day());
    return std::to_string(static_cast<int>(day.year())) + "年" +
           std::to_string(static_cast<unsigned>(day.month())) + "月";
}

std::string MoveNumber(const domain::StatementMove& move) {
    if (move.row.kind == JournalKind::kAdjustment) return std::to_string(move.row.object);
    return move.payout.ToString() +
           (move.attempt > 1 ? "-" + std::to_string(move.attempt) : std::string());
}

std::string NoteOf(const domain::StatementMove& move) {
    switch (move.row.kind) {
        case JournalKind::kTransferCreated: {
            std::string note = "振込指定日 " + move.transfer_date.ToString();
            if (move.attempt > 1) note += "（" + std::to_string(move.attempt) + "回目）";
            return note;
        }
        case JournalKind::kTransferSettled:
            return "振込額 " + Grouped(move.row.amount);
        case JournalKind::kTransferFailed:
        case JournalKind::kTransferReturned:
            return move.reason.empty() ? std::string() : "理由 " + move.reason;
        case JournalKind::kTransferCancelled:
            return "振込依頼前の取消";
        case JournalKind::kAdjustment:
            return move.reason;
    }
    return {};
}

}  // namespace kessai::payout::transport
