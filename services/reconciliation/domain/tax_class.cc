#include "domain/tax_class.h"

namespace kessai::reconciliation::domain {

TaxClass TaxClassNamed(std::string_view name) {
    if (name == "standard_10") return TaxClass::kStandard10;
    if (name == "standard_8") return TaxClass::kStandard8;
    return TaxClass::kUnknown;
}

std::string_view TaxClassName(TaxClass tax_class) {
    switch (tax_class) {
        case TaxClass::kNone:
            return "none";
        case TaxClass::kStandard8:
            return "standard_8";
        case TaxClass::kStandard10:
            return "standard_10";
        case TaxClass::kUnknown:
            return "an unknown class";
        case TaxClass::kNotNoted:
            return "no class";
    }
    return "an unknown class";
}

TaxClass TaxClassOn(BusinessDate day) {
    return day.ToNumber() >= 2019'10'01 ? TaxClass::kStandard10 : TaxClass::kStandard8;
}

std::int64_t TaxOf(TaxClass tax_class, std::int64_t fee) {
    const std::int64_t percent = tax_class == TaxClass::kStandard10  ? 10
                                 : tax_class == TaxClass::kStandard8 ? 8
                                                                     : 0;
    // In two parts, because a damaged fee may be any number.
    return fee / 100 * percent + fee % 100 * percent / 100;
}

}  // namespace kessai::reconciliation::domain
