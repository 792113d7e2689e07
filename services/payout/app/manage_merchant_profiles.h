#pragma once

#include <string_view>
#include <vector>

#include "app/ledger_store.h"
#include "app/statement_format.h"
#include "app/statement_store.h"

namespace kessai::payout::app {

/// What merchants are called on their statements. Thread safe.
class ManageMerchantProfiles {
 public:
    ManageMerchantProfiles(LedgerStore& ledger, StatementStore& statements,
                           std::vector<const StatementFormat*> formats)
        : ledger_(ledger), statements_(statements), formats_(std::move(formats)) {}

    /// In force at once, for statements that are issued from now on; the same again changes
    /// nothing. PROFILE_INVALID, and NOT_PRINTABLE of the formats.
    Result<domain::MerchantProfile> Put(const domain::MerchantProfile& profile);
    /// NOT_FOUND PROFILE_MISSING.
    Result<domain::MerchantProfile> InForce(domain::MerchantId merchant);

 private:
    LedgerStore& ledger_;
    StatementStore& statements_;
    const std::vector<const StatementFormat*> formats_;
};

}  // namespace kessai::payout::app
