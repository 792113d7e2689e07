#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace kessai::load {

struct Merchant {
    std::int64_t id = 0;
    std::string api_key;
    std::string secret;
};

struct User {
    std::int64_t id = 0;
    /// Of the app: goes into `Authorization: Bearer`.
    std::string token;
    /// What we know to be in the wallet, in yen: changed by what was acknowledged.
    std::int64_t balance = 0;
};

/// Who takes part in a load.
struct Population {
    std::vector<Merchant> merchants;
    std::vector<User> users;
};

}  // namespace kessai::load
