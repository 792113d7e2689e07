#pragma once

#include <memory>
#include <string_view>

#include "kessai/filestore/file_store.h"

namespace kessai::filestore {

/// SHA-256 of bytes as they come.
class Sha256Sum {
 public:
    Sha256Sum();
    ~Sha256Sum();
    Sha256Sum(const Sha256Sum&) = delete;
    Sha256Sum& operator=(const Sha256Sum&) = delete;

    void Add(std::string_view bytes);
    /// Of all that was added; begins anew.
    Sha256 Finish();

    static Sha256 Of(std::string_view bytes);

 private:
    struct State;
    std::unique_ptr<State> state_;
};

std::string ToHex(const Sha256& sha256);

}  // namespace kessai::filestore
