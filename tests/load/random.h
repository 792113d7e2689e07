#pragma once

#include <bit>
#include <cstdint>

namespace kessai::load {

/// Pseudo-random numbers from a seed (xoshiro256**, Blackman and Vigna; seeded by SplitMix64): the
/// same seed gives the same load. Not for secrets. One thread at a time.
class Random {
 public:
    explicit Random(std::uint64_t seed) {
        for (auto& word : state_) {
            seed += 0x9e3779b97f4a7c15ULL;
            std::uint64_t mixed = seed;
            mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ULL;
            mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebULL;
            word = mixed ^ (mixed >> 31);
        }
    }

    std::uint64_t Next() {
        const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
        const std::uint64_t shifted = state_[1] << 17;
        state_[2] ^= state_[0];
        state_[3] ^= state_[1];
        state_[1] ^= state_[2];
        state_[0] ^= state_[3];
        state_[2] ^= shifted;
        state_[3] = std::rotl(state_[3], 45);
        return result;
    }

    /// 0 ≤ x < `bound`. Precondition: 0 < bound ≤ 2³².
    std::uint64_t Below(std::uint64_t bound) { return ((Next() >> 32) * bound) >> 32; }

    /// 0 ≤ x < 1.
    double Unit() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }

 private:
    std::uint64_t state_[4];
};

}  // namespace kessai::load
