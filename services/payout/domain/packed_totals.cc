#include "domain/packed_totals.h"

#include <utility>

namespace kessai::payout::domain {
namespace {

// 64 bits in sevens.
constexpr std::size_t kBytesMax = 10;

void Append(std::uint64_t number, std::string& packed) {
    while (number >= 0x80) {
        packed.push_back(static_cast<char>(number | 0x80));
        number >>= 7;
    }
    packed.push_back(static_cast<char>(number));
}

/// Small magnitudes of either sign become small numbers.
std::uint64_t ZigZag(std::int64_t number) {
    return (static_cast<std::uint64_t>(number) << 1) ^ static_cast<std::uint64_t>(number >> 63);
}

std::int64_t UnZigZag(std::uint64_t number) {
    return static_cast<std::int64_t>((number >> 1) ^ (~(number & 1) + 1));
}

class Reader {
 public:
    explicit Reader(std::string_view packed) : rest_(packed) {}

    bool at_end() const { return rest_.empty(); }
    bool good() const { return good_; }

    std::uint64_t Number() {
        std::uint64_t number = 0;
        for (std::size_t i = 0; i < kBytesMax && i < rest_.size(); ++i) {
            const auto byte = static_cast<unsigned char>(rest_[i]);
            // Of the last byte only one bit has a place.
            if (i + 1 == kBytesMax && byte > 1) break;
            number |= static_cast<std::uint64_t>(byte & 0x7f) << (7 * i);
            if (byte < 0x80) {
                rest_.remove_prefix(i + 1);
                return number;
            }
        }
        good_ = false;
        rest_ = {};
        return 0;
    }
    std::int64_t Signed() { return UnZigZag(Number()); }

 private:
    std::string_view rest_;
    bool good_ = true;
};

/// Differences wrap around: any two ids have one.
std::int64_t Minus(std::int64_t a, std::int64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}
std::int64_t Plus(std::int64_t a, std::int64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

}  // namespace

void TotalsPacker::Add(const SlotTotal& total) {
    if (too_large_) return;
    const MerchantSums& part = total.part;
    Append(ZigZag(Minus(part.merchant.value(), last_merchant_)), packed_);
    Append(total.slot, packed_);
    Append(static_cast<std::uint64_t>(part.tax_class), packed_);
    Append(ZigZag(part.sums.gross), packed_);
    Append(ZigZag(part.sums.fee), packed_);
    Append(ZigZag(part.sums.item_count), packed_);
    last_merchant_ = part.merchant.value();
    too_large_ = packed_.size() > kPackedTotalsMax;
}

std::optional<std::string> TotalsPacker::Take() {
    last_merchant_ = 0;
    std::string packed = std::exchange(packed_, {});
    if (std::exchange(too_large_, false)) return std::nullopt;
    return packed;
}

std::optional<std::vector<SlotTotal>> UnpackTotals(std::string_view packed) {
    std::vector<SlotTotal> totals;
    Reader reader(packed);
    std::int64_t merchant = 0;
    while (!reader.at_end()) {
        SlotTotal total;
        merchant = Plus(merchant, reader.Signed());
        total.part.merchant = MerchantId(merchant);
        const std::uint64_t slot = reader.Number();
        const std::uint64_t tax_class = reader.Number();
        total.part.sums.gross = reader.Signed();
        total.part.sums.fee = reader.Signed();
        total.part.sums.item_count = reader.Signed();
        if (!reader.good() || slot > UINT32_MAX || tax_class > UINT8_MAX) return std::nullopt;
        total.slot = static_cast<std::uint32_t>(slot);
        total.part.tax_class = static_cast<TaxClass>(tax_class);
        totals.push_back(total);
    }
    return totals;
}

}  // namespace kessai::payout::domain
