#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

// Integers of variable length, 7 bits a byte, lowest first, as packs of many small numbers use
// them.
namespace kessai::payout::domain {

inline void AppendVarint(std::uint64_t number, std::string& packed) {
    while (number >= 0x80) {
        packed.push_back(static_cast<char>(number | 0x80));
        number >>= 7;
    }
    packed.push_back(static_cast<char>(number));
}

/// Small magnitudes of either sign become small numbers ("zigzag").
inline void AppendSignedVarint(std::int64_t number, std::string& packed) {
    AppendVarint(
        (static_cast<std::uint64_t>(number) << 1) ^ static_cast<std::uint64_t>(number >> 63),
        packed);
}

/// Reads one number after the other. What is no number is read as zero, and ends it.
class VarintReader {
 public:
    explicit VarintReader(std::string_view packed) : rest_(packed) {}

    bool at_end() const { return rest_.empty(); }
    /// Whether all that was read was there.
    bool good() const { return good_; }

    std::uint64_t Number() {
        // 64 bits in sevens.
        constexpr std::size_t kBytesMax = 10;
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
    std::int64_t Signed() {
        const std::uint64_t number = Number();
        return static_cast<std::int64_t>((number >> 1) ^ (~(number & 1) + 1));
    }

 private:
    std::string_view rest_;
    bool good_ = true;
};

/// What one number grew by since another, and back; wrapping around: any two have a difference.
inline std::int64_t GrowthOf(std::int64_t number, std::int64_t since) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(number) -
                                     static_cast<std::uint64_t>(since));
}
inline std::int64_t GrownBy(std::int64_t since, std::int64_t growth) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(since) +
                                     static_cast<std::uint64_t>(growth));
}

}  // namespace kessai::payout::domain
