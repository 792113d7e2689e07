#include "kessai/zengin/transfer_file.h"

#include "kessai/zengin/bank_directory.h"

namespace kessai::zengin {
namespace {

constexpr std::int64_t kCodesOfOneField = 10'000'000'000;

bool FitsItsField(std::int64_t code) {
    return code >= 0 && code < kCodesOfOneField;
}

Status IdOutOfRange() {
    return Status(Code::kOutOfRange, reason::kTransferIdOutOfRange,
                  "a transfer's id is above zero and has 63 bits");
}

}  // namespace

Result<OfficeNames> NamesOf(std::string_view bank_code, std::string_view branch_code) {
    KESSAI_ASSIGN_OR_RETURN(const DirectoryEntry bank, FindBank(bank_code));
    KESSAI_ASSIGN_OR_RETURN(const DirectoryEntry branch, FindBranch(bank_code, branch_code));
    return OfficeNames{bank.kana, branch.kana};
}

Result<CustomerCodes> CustomerCodes::OfTransferId(std::int64_t id) {
    if (id < 1) return IdOutOfRange();
    return CustomerCodes{id / kCodesOfOneField, id % kCodesOfOneField};
}

Result<std::int64_t> CustomerCodes::ToTransferId() const {
    if (!FitsItsField(first) || !FitsItsField(second)) return IdOutOfRange();
    const auto upper = CheckedMultiply(first, kCodesOfOneField);
    if (!upper.ok()) return IdOutOfRange();
    const auto id = CheckedAdd(*upper, second);
    if (!id.ok() || *id < 1) return IdOutOfRange();
    return *id;
}

}  // namespace kessai::zengin
