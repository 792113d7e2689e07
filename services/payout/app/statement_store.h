#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "domain/file_hash.h"
#include "domain/statement.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::payout::app {

struct StatementFile {
    /// Of its StatementFormat.
    std::string format = {};
    domain::FileHash hash{};
    std::string content = {};
};

/// A statement that was issued, without its files' content.
struct IssuedStatement {
    domain::MerchantId merchant;
    BusinessDate cycle_start;
    /// From 1; above: a correction of the one before.
    int version = 1;
    std::string correction_reason = {};
    /// Of the merchant's profile.
    int profile = 0;
    BusinessDate issued_on;
    /// What its statement says.
    std::int64_t opening = 0;
    std::int64_t closing = 0;
    std::string issued_by;
    /// By format.
    std::vector<StatementFile> files;
};

/// Merchants without a statement of a cycle: so many as were asked for, or fewer, or none, while
/// there are more.
struct UnissuedMerchants {
    std::vector<domain::MerchantId> merchants;
    /// Behind whom to go on; nothing: all were looked at.
    std::optional<domain::MerchantId> next;
};

/// What statements are made of, and those that were issued, in the database. Thread safe.
class StatementStore {
 public:
    virtual ~StatementStore() = default;

    /// What keeps the cycle's releases from being all there, in words; nothing when they are: its
    /// days are closed, and every day up to its end is released to the merchant, so that nothing is
    /// added to them, nor to what the cycle opened with.
    virtual Result<std::optional<std::string>> WhyNotReleased(domain::MerchantId merchant,
                                                              BusinessDate cycle_start) = 0;
    /// RESOURCE_EXHAUSTED STATEMENT_TOO_LARGE, OUT_OF_RANGE AMOUNT_OVERFLOW.
    virtual Result<domain::StatementRows> Load(domain::MerchantId merchant,
                                               BusinessDate cycle_start) = 0;
    /// The latest version; nothing when there is none.
    virtual Result<std::optional<domain::MerchantProfile>> FindProfile(
        domain::MerchantId merchant) = 0;
    /// Nothing when there is no such version.
    virtual Result<std::optional<domain::MerchantProfile>> FindProfile(domain::MerchantId merchant,
                                                                       int version) = 0;

    /// Looks through some of the merchants above `after` that have a profile, by rising id.
    virtual Result<UnissuedMerchants> Unissued(BusinessDate cycle_start, domain::MerchantId after,
                                               int merchants_max) = 0;
    /// The version; 0: the latest. Nothing when there is none.
    virtual Result<std::optional<IssuedStatement>> FindIssued(domain::MerchantId merchant,
                                                              BusinessDate cycle_start,
                                                              int version = 0) = 0;
    virtual Result<std::optional<StatementFile>> FindFile(domain::MerchantId merchant,
                                                          BusinessDate cycle_start, int version,
                                                          std::string_view format) = 0;
    /// Stores it with its files, or nothing, when the version is there already.
    virtual Status Insert(const IssuedStatement& statement) = 0;
};

}  // namespace kessai::payout::app
