#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>

namespace kessai {

/// An identifier of one kind of thing: `using PaymentId = StrongId<struct PaymentIdTag>`. Zero
/// means "none". Different kinds do not convert into each other.
template <class Tag, class Rep = std::int64_t>
class StrongId {
 public:
    using rep = Rep;

    constexpr StrongId() = default;
    explicit constexpr StrongId(Rep value) : value_(value) {}

    constexpr Rep value() const { return value_; }
    constexpr bool is_none() const { return value_ == Rep{}; }
    std::string ToString() const { return std::to_string(value_); }

    constexpr auto operator<=>(const StrongId&) const = default;

 private:
    Rep value_{};
};

}  // namespace kessai

template <class Tag, class Rep>
struct std::hash<kessai::StrongId<Tag, Rep>> {
    std::size_t operator()(kessai::StrongId<Tag, Rep> id) const noexcept {
        // Ids are time ordered: spread them, so that tables with power-of-two buckets stay even.
        auto x = static_cast<std::uint64_t>(id.value());
        x ^= x >> 32;
        x *= 0x9e3779b97f4a7c15ULL;
        return static_cast<std::size_t>(x ^ (x >> 29));
    }
};
