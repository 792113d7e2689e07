#pragma once

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>

namespace kessai::payout {

/// Random numbers of a property test. The seed is printed; KESSAI_TEST_SEED repeats a run.
class Seeded {
 public:
    Seeded() : seed_(Seed()), engine_(seed_) { std::cout << "seed " << seed_ << std::endl; }

    std::int64_t Between(std::int64_t low, std::int64_t high) {
        return std::uniform_int_distribution<std::int64_t>(low, high)(engine_);
    }
    bool OneIn(int n) { return Between(1, n) == 1; }
    /// Spread over the magnitudes rather than the numbers, so that small ones are as frequent.
    std::int64_t UpTo(std::int64_t highest) {
        std::int64_t bound = 1;
        for (std::int64_t digits = Between(0, 12); digits > 0 && bound < highest; --digits) {
            bound *= 10;
        }
        return Between(0, bound < highest ? bound : highest);
    }
    std::mt19937_64& engine() { return engine_; }

 private:
    static std::uint64_t Seed() {
        const char* given = std::getenv("KESSAI_TEST_SEED");
        return given != nullptr ? std::stoull(given) : std::random_device()();
    }
    std::uint64_t seed_;
    std::mt19937_64 engine_;
};

}  // namespace kessai::payout
