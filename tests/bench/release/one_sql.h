#pragma once

#include "bench/release/contender.h"

namespace kessai::bench {

/// The release as the database alone would do it: one INSERT … SELECT … GROUP BY over the accruals
/// for the release rows, and one over those for the balances. Temporary tables stay in memory.
class OneSql final : public Rival {
 public:
    std::string_view name() const override { return "one_sql"; }
    Result<Contender> Run(const Contest& contest) override;
};

}  // namespace kessai::bench
