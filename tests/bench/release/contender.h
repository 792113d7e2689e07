#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kessai/mysql/pool.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"

namespace kessai::bench {

/// What every contender of a release is given: a day that was released already, whose accruals it
/// aggregates anew, into scratch tables of the shape of the real ones.
struct Contest {
    mysql::Pool& pool;
    BusinessDate day;
    std::int64_t accruals = 0;
    std::int64_t merchants = 0;
    int threads = 2;
};

/// What a contender took, and whether its rows are those of the release.
struct Contender {
    /// As a JSON field begins: "one_sql".
    std::string name = {};
    /// In words, for people.
    std::string what = {};
    double seconds = 0;
    /// The seconds are computed from a part of the work that was done, which `note` states.
    bool extrapolated = false;
    std::string note = {};
    /// Seconds of other runs than the one that competes, by what a JSON field adds to the name.
    std::vector<std::pair<std::string, double>> also = {};
    /// Its rows, all that it wrote, are the release's.
    bool equal = false;
};

/// Another way to release a day. One class each; a further one is a line in `ReleaseBench`.
class Rival {
 public:
    virtual ~Rival() = default;
    virtual std::string_view name() const = 0;
    /// Makes its tables, does the work, holds its rows against the release's, drops its tables.
    /// What is not of the work (indexes, tables, the comparison) is not in its seconds.
    virtual Result<Contender> Run(const Contest& contest) = 0;
};

/// Runs a statement that is made up here: scratch tables, settings of a session.
Status RunSql(mysql::Session& session, const std::string& sql);
/// The number that a query gives.
Result<std::int64_t> NumberOf(mysql::Session& session, const std::string& sql);

/// An empty table of the shape of `like`.
Status MakeScratchTable(mysql::Session& session, const std::string& name, const std::string& like);

/// Whether a table of the shape of merchant_release holds what that one holds of `day`: by counts,
/// sums, and a sum of hashes of the rows.
Result<bool> HoldTheSame(mysql::Session& session, BusinessDate day, const std::string& releases);
/// The same, and whether one of the shape of merchant_cycle holds what that one holds of its cycle.
Result<bool> HoldTheSame(mysql::Session& session, BusinessDate day, const std::string& releases,
                         const std::string& cycles);

}  // namespace kessai::bench
