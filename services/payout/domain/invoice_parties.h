#pragma once

#include <string>
#include <string_view>

#include "domain/ids.h"
#include "kessai/result/result.h"

namespace kessai::payout::domain {

/// Who issues qualified invoices (適格請求書発行事業者): the operator.
struct InvoiceIssuer {
    /// 氏名又は名称. Empty: invoices are not issued.
    std::string name;
    std::string address;
    /// "T" and thirteen digits.
    std::string registration_number;

    bool operator==(const InvoiceIssuer&) const = default;
};

/// A registration number of a company: T and its corporate number, whose first digit checks the
/// others. Of the twelve others, counted from the last one, each odd one is taken once and each
/// even one twice; the check digit is 9 less the remainder of their sum by 9. Sources: National Tax
/// Agency, invoice system Q&A (registration numbers are T and the corporate number); Ordinance of
/// the Ministry of Finance on the designation of corporate numbers (法人番号の指定等に関する省令),
/// article 2.
/// Refuses with INVALID_ARGUMENT ISSUER_INVALID.
Status CheckRegistrationNumber(std::string_view number);

/// All or nothing is given, and the registration number is one. INVALID_ARGUMENT ISSUER_INVALID.
Status CheckIssuer(const InvoiceIssuer& issuer);

/// What a merchant is called on paper (書類の交付を受ける事業者の氏名又は名称). Versions are never
/// changed; the latest is in force.
struct MerchantProfile {
    MerchantId merchant = {};
    int version = 0;
    std::string invoice_name = {};
    std::string put_by = {};
};

/// A name has 1 to 120 bytes, no control characters and no blanks at its ends. INVALID_ARGUMENT
/// PROFILE_INVALID.
Status CheckProfile(const MerchantProfile& profile);

}  // namespace kessai::payout::domain
