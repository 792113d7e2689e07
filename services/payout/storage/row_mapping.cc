#include "storage/row_mapping.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace kessai::payout::storage {
namespace {

template <std::size_t N>
std::array<std::uint8_t, N> ReadBytes(const mysql::Rows& row, int column) {
    std::array<std::uint8_t, N> bytes{};
    const std::string stored = row.Bytes(column);
    std::memcpy(bytes.data(), stored.data(), std::min(N, stored.size()));
    return bytes;
}

}  // namespace

std::int64_t Magnitude(std::int64_t gross) {
    if (gross == INT64_MIN) return INT64_MAX;  // Damage; found to be out of range later.
    return gross < 0 ? -gross : gross;
}

Currency ReadCurrency(const mysql::Rows& row, int column) {
    // Only what parsed was ever stored; a damaged row must not pass for one of ours.
    return Currency::Parse(row.Text(column)).value_or(Currency::None());
}

domain::Accrual ReadAccrual(const mysql::Rows& row) {
    domain::Accrual accrual;
    accrual.business_date = row.Date(0);
    accrual.key = {domain::PaymentId(row.Int(2)), static_cast<std::uint32_t>(row.Int(3))};
    accrual.merchant = domain::MerchantId(row.Int(4));
    accrual.kind = static_cast<domain::ChangeKind>(row.Int(5));
    accrual.tax_class = ReadTaxClass(row, 6);
    accrual.currency = ReadCurrency(row, 7);
    accrual.gross = row.Int(8);
    accrual.fee = row.Int(9);
    accrual.captured_total = row.IsNull(10) ? Magnitude(accrual.gross) : row.Int(10);
    accrual.refunded_before = row.IsNull(11) ? 0 : row.Int(11);
    accrual.payment_date = row.IsNull(12) ? accrual.business_date : row.Date(12);
    accrual.plan = domain::PlanId(row.Int(13));
    accrual.plan_version = static_cast<std::uint32_t>(row.Int(14));
    accrual.event = domain::EventId(row.Int(15));
    accrual.content_hash = ReadBytes<16>(row, 17);
    return accrual;
}

Instant ReadRecordedAt(const mysql::Rows& row) {
    return row.At(16);
}

domain::SlotTotal SlotTotalOf(std::span<const std::int64_t> cells) {
    return {static_cast<std::uint32_t>(cells[1]),
            {domain::MerchantId(cells[0]),
             static_cast<domain::TaxClass>(cells[2]),
             {cells[3], cells[4], cells[5]}}};
}

domain::Seal ReadSeal(const mysql::Rows& row, int column) {
    return ReadBytes<32>(row, column);
}

std::string_view CutText(std::string_view text, std::size_t length) {
    if (text.size() <= length) return text;
    // Bytes 10xxxxxx continue a character.
    while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xc0) == 0x80) --length;
    return text.substr(0, length);
}

}  // namespace kessai::payout::storage
