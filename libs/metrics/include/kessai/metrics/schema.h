#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kessai/metrics/registry.h"

namespace kessai::metrics {

/// Compares what a service registered with docs/metrics.yaml, which holds a list of
///
///     - name: kessai_payment_batches_total
///       type: counter              # counter, gauge or histogram
///       unit: batches
///       labels: []                 # names
///       services: [payment]        # or [all]
///       help: Batches committed
///
/// Returns one text for each difference: registered but not in the file, in the file for `service`
/// but not registered, another type, help or set of labels, or an entry that is malformed or
/// repeated.
std::vector<std::string> CompareWithSchema(const std::vector<Declared>& declared,
                                           const std::string& schema_file,
                                           std::string_view service);

/// The entries that are missing in the file, as YAML to paste, with the unit guessed by the name.
std::string ProposeEntries(const std::vector<Declared>& declared, std::string_view service);

}  // namespace kessai::metrics
