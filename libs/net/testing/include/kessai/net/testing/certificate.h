#pragma once

#include <string>

namespace kessai::net::testing {

/// A certificate authority and a server certificate that it signed (ECDSA P-256), as PEM files in a
/// directory of their own that goes with the object.
class Certificates {
 public:
    /// For the names "localhost" and 127.0.0.1; valid for an hour.
    Certificates();
    ~Certificates();

    std::string ca_file() const { return directory_ + "/ca.pem"; }
    std::string cert_file() const { return directory_ + "/server.pem"; }
    std::string key_file() const { return directory_ + "/server.key"; }
    const std::string& directory() const { return directory_; }

    /// Writes another server certificate, of the same authority, with this serial number.
    void Renew(long serial);

 private:
    std::string directory_;
    struct Authority;
    Authority* authority_;
};

}  // namespace kessai::net::testing
