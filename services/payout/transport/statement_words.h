#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "domain/statement.h"

/// What statements call things, in all their formats.
namespace kessai::payout::transport {

/// 振込 and so on.
std::string_view WordOf(domain::JournalKind kind);
/// "10%"
std::string RateText(domain::TaxClass tax_class);
/// "-1,234"
std::string Grouped(std::int64_t amount);
/// "2026年11月1日"
std::string LongDate(BusinessDate date);
/// "2026年11月"
std::string MonthText(BusinessDate cycle_start);
/// "500-2": the payout, and its attempt where it is not the first; of an adjustment its number.
std::string MoveNumber(const domain::StatementMove& move);
/// What stands beside a move: whence it comes, why it came back.
std::string NoteOf(const domain::StatementMove& move);

}  // namespace kessai::payout::transport
