#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "kessai/rpc/tls.h"

namespace kessai::rpc {

/// A certificate authority of a test's own, in a temporary folder that goes with it.
class TestPki {
 public:
    explicit TestPki(const std::string& ca_name = "test-ca");
    ~TestPki();
    TestPki(const TestPki&) = delete;
    TestPki& operator=(const TestPki&) = delete;

    /// Issues a certificate with these DNS names, in files called `file_stem`; again under the same
    /// stem replaces them, as a renewal does.
    TlsFiles Issue(const std::string& file_stem, const std::vector<std::string>& dns_names);

    const std::filesystem::path& folder() const { return folder_; }

 private:
    struct Authority;
    std::filesystem::path folder_;
    std::unique_ptr<Authority> authority_;
    long next_serial_ = 2;
};

}  // namespace kessai::rpc
