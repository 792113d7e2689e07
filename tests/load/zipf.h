#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "load/random.h"

namespace kessai::load {

/// Draws from 0 … n-1 with the weights given, in constant time (the alias method of Walker and
/// Vose). Immutable, so several threads may draw, each with its own Random.
class WeightedChoice {
 public:
    /// Preconditions: not empty, less than 2³² entries, no weight negative, their sum above zero.
    explicit WeightedChoice(const std::vector<double>& weights);

    /// The k-th most popular of n has weight 1/k^exponent; exponent 0 is uniform.
    static WeightedChoice Zipf(std::size_t n, double exponent);
    /// The first takes `share` of all, the others the rest by Zipf. Precondition: n ≥ 2.
    static WeightedChoice ZipfWithHotFirst(std::size_t n, double exponent, double share);

    std::size_t Draw(Random& random) const {
        const auto column = static_cast<std::size_t>(random.Below(columns_.size()));
        return random.Unit() < columns_[column].keep ? column : columns_[column].alias;
    }

    std::size_t size() const { return columns_.size(); }
    /// The probability of `index`, for reports.
    double ProbabilityOf(std::size_t index) const { return probabilities_[index]; }

 private:
    struct Column {
        double keep = 1.0;
        std::uint32_t alias = 0;
    };
    std::vector<Column> columns_;
    std::vector<double> probabilities_;
};

}  // namespace kessai::load
