#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "kessai/result/result.h"
#include "kessai/time/business_date.h"

namespace kessai::bench {

/// What is to be made, by the partner contract's layout of instant payments.
struct FilesTask {
    BusinessDate date = {};
    /// Of payment's list; none: rows are made by the reading threads, and so cost next to nothing.
    std::optional<int> payment_port = {};
    /// For rows that are made.
    std::int64_t rows = 0;
    std::int64_t merchants = 0;

    /// Where the files go, and what does not fit `memory_max`.
    std::string folder = {};
    std::string work_folder = {};
    std::size_t memory_max = 0;
    int threads = 2;
    int merchants_at_once = 0;
};

struct FilesMade {
    double seconds = 0;
    /// Until all rows were read and sorted into runs.
    double read_seconds = 0;
    std::int64_t rows = 0;
    std::int64_t files = 0;
    std::int64_t bytes = 0;
    std::int64_t spilled_runs = 0;
};

/// The use case of reconciliation, wired as the service wires it, into a folder.
Result<FilesMade> MakeFilesOnce(const FilesTask& task);

}  // namespace kessai::bench
