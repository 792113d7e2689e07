#pragma once

#include <string>
#include <utility>
#include <vector>

#include "bench/release/contender.h"
#include "kessai/mysql/session.h"

namespace kessai::bench {

/// The release on Apache Spark, local[2]: the recount of services/payout/spark over JDBC, and its
/// rows written back by JDBC (spark_release.py). Its seconds begin when Spark has started. Beside
/// them are told the seconds without writing back, and those of the recount of a Parquet copy once
/// it is warm.
class SparkRival final : public Rival {
 public:
    /// `command` submits a job to Spark, and lacks its arguments only.
    SparkRival(std::vector<std::string> command, mysql::ConnectOptions connect)
        : command_(std::move(command)), connect_(std::move(connect)) {}
    std::string_view name() const override { return "spark"; }
    /// UNAVAILABLE SPARK_FAILED, with the end of what it said, when the job does not come to its
    /// end.
    Result<Contender> Run(const Contest& contest) override;

 private:
    const std::vector<std::string> command_;
    const mysql::ConnectOptions connect_;
};

}  // namespace kessai::bench
