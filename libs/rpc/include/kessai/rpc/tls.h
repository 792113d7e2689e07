#pragma once

#include <string>

#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::rpc {

/// Mutual TLS from PEM files. They are read again every `check_interval`, so that a renewed
/// certificate or CA is used by new connections without a restart; files that don't belong together
/// (a renewal half written) leave the old ones in force.
struct TlsFiles {
    /// Own certificate first, then those that lead to the CA.
    std::string certificate_chain_path = {};
    std::string private_key_path = {};
    /// The CA whose certificates the other side must show.
    std::string ca_path = {};
    /// At least one second.
    Duration check_interval = std::chrono::seconds(10);

    /// Whether the three files can be read and the key is the certificate's: INVALID_ARGUMENT or
    /// UNAVAILABLE TLS_FILES_INVALID with the file's name.
    Status Check() const;
};

}  // namespace kessai::rpc
