#include "app/manage_merchant_profiles.h"

#include <array>

#include "domain/statement_reason.h"

namespace kessai::payout::app {

Result<domain::MerchantProfile> ManageMerchantProfiles::Put(
    const domain::MerchantProfile& profile) {
    KESSAI_RETURN_IF_ERROR(domain::CheckProfile(profile));
    for (const StatementFormat* format : formats_) {
        KESSAI_RETURN_IF_ERROR(format->CheckName(profile.invoice_name));
    }
    domain::MerchantProfile stored;
    KESSAI_RETURN_IF_ERROR(ledger_.InTransaction([&](LedgerTransaction& transaction) -> Status {
        KESSAI_RETURN_IF_ERROR(transaction.Lock(std::array{profile.merchant}));
        KESSAI_ASSIGN_OR_RETURN(const auto latest,
                                transaction.merchants().FindProfile(profile.merchant));
        if (latest && latest->invoice_name == profile.invoice_name) {
            stored = *latest;
            return OkStatus();
        }
        stored = profile;
        stored.version = latest ? latest->version + 1 : 1;
        return transaction.merchants().Insert(stored);
    }));
    return stored;
}

Result<domain::MerchantProfile> ManageMerchantProfiles::InForce(domain::MerchantId merchant) {
    KESSAI_ASSIGN_OR_RETURN(const auto found, statements_.FindProfile(merchant));
    if (found) return *found;
    return Status(Code::kNotFound, domain::reason::kProfileMissing,
                  "merchant " + merchant.ToString() + " has no profile");
}

}  // namespace kessai::payout::app
