#include "load/zipf.h"

#include <cmath>
#include <numeric>

#include "kessai/result/check.h"

namespace kessai::load {

WeightedChoice::WeightedChoice(const std::vector<double>& weights)
    : columns_(weights.size()), probabilities_(weights) {
    KESSAI_CHECK(!weights.empty() && weights.size() < (std::size_t{1} << 32), "a usable size");
    const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
    KESSAI_CHECK(sum > 0, "some weight");
    const auto n = static_cast<double>(weights.size());
    std::vector<double> scaled(weights.size());
    std::vector<std::uint32_t> small;
    std::vector<std::uint32_t> large;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        KESSAI_CHECK(weights[i] >= 0, "no negative weight");
        probabilities_[i] = weights[i] / sum;
        scaled[i] = probabilities_[i] * n;
        (scaled[i] < 1.0 ? small : large).push_back(static_cast<std::uint32_t>(i));
    }
    while (!small.empty() && !large.empty()) {
        const std::uint32_t poor = small.back();
        const std::uint32_t rich = large.back();
        small.pop_back();
        columns_[poor] = {scaled[poor], rich};
        scaled[rich] -= 1.0 - scaled[poor];
        if (scaled[rich] < 1.0) {
            large.pop_back();
            small.push_back(rich);
        }
    }
    // What is left is 1 but for rounding: its own column, wholly.
}

WeightedChoice WeightedChoice::Zipf(std::size_t n, double exponent) {
    std::vector<double> weights(n);
    for (std::size_t k = 0; k < n; ++k)
        weights[k] = std::pow(static_cast<double>(k + 1), -exponent);
    return WeightedChoice(weights);
}

WeightedChoice WeightedChoice::ZipfWithHotFirst(std::size_t n, double exponent, double share) {
    KESSAI_CHECK(n >= 2, "others beside the hot one");
    std::vector<double> weights(n);
    double others = 0;
    for (std::size_t k = 1; k < n; ++k) {
        weights[k] = std::pow(static_cast<double>(k), -exponent);
        others += weights[k];
    }
    for (std::size_t k = 1; k < n; ++k) weights[k] *= (1.0 - share) / others;
    weights[0] = share;
    return WeightedChoice(weights);
}

}  // namespace kessai::load
