#include "kessai/zengin/bank_directory.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "bank_table.h"
#include "digits.h"

namespace kessai::zengin {
namespace {

using internal::AreDigits;

constexpr std::size_t kBankDigits = 4;
constexpr std::size_t kBranchDigits = 3;
constexpr std::int32_t kBranchesOfABank = 1'000;
constexpr std::string_view kSourceMark = "# zengin-code ";

/// Where the row of a number is. A branch's number is its bank's and its own, seven digits.
struct Place {
    std::int32_t number;
    std::uint32_t row;
};

std::int32_t ToNumber(std::string_view digits) {
    std::int32_t number = 0;
    for (const char digit : digits) number = 10 * number + (digit - '0');
    return number;
}

/// Takes what is before the next `separator`, and the separator, off `text`.
std::string_view TakeUntil(std::string_view& text, char separator) {
    const std::string_view part = text.substr(0, text.find(separator));
    text.remove_prefix(std::min(part.size() + 1, text.size()));
    return part;
}

class Directory {
 public:
    explicit Directory(std::string_view table) : table_(table) {
        std::int32_t bank = 0;
        for (std::string_view rest = table; !rest.empty();) {
            const auto row = static_cast<std::uint32_t>(table.size() - rest.size());
            std::string_view line = TakeUntil(rest, '\n');
            if (line.starts_with('#')) {
                if (line.starts_with(kSourceMark)) source_ = line.substr(2);
                continue;
            }
            const std::string_view code = TakeUntil(line, '\t');
            if (code.size() == kBankDigits) {
                bank = ToNumber(code);
                Append(banks_, {bank, row});
            } else {
                Append(branches_, {kBranchesOfABank * bank + ToNumber(code), row});
            }
        }
        KESSAI_CHECK(!banks_.empty() && !branches_.empty() && !source_.empty(),
                     "the table of banks is there");
    }

    const Place* Bank(std::int32_t number) const { return Find(banks_, number); }
    const Place* Branch(std::int32_t number) const { return Find(branches_, number); }

    DirectoryEntry At(const Place& place) const {
        std::string_view rest = table_.substr(place.row);
        std::string_view line = TakeUntil(rest, '\n');
        TakeUntil(line, '\t');
        const std::string_view kana = TakeUntil(line, '\t');
        return {KanaText::FromText(kana).value(), line};
    }

    DirectoryEdition edition() const { return {source_, banks_.size(), branches_.size()}; }

 private:
    static void Append(std::vector<Place>& places, Place place) {
        KESSAI_CHECK(places.empty() || places.back().number < place.number,
                     "the table of banks is sorted");
        places.push_back(place);
    }

    static const Place* Find(const std::vector<Place>& places, std::int32_t number) {
        const auto found = std::ranges::lower_bound(places, number, {}, &Place::number);
        return found != places.end() && found->number == number ? &*found : nullptr;
    }

    std::string_view table_;
    std::string_view source_;
    std::vector<Place> banks_;
    std::vector<Place> branches_;
};

const Directory& TheDirectory() {
    static const Directory directory(internal::BankTable());
    return directory;
}

Result<const Place*> PlaceOfBank(std::string_view code) {
    if (!AreDigits(code, kBankDigits)) {
        return Status(Code::kInvalidArgument, reason::kBankCodeMalformed,
                      "a bank's number has four digits");
    }
    if (const Place* bank = TheDirectory().Bank(ToNumber(code))) return bank;
    return Status(Code::kNotFound, reason::kBankUnknown,
                  "no bank has the number " + std::string(code));
}

}  // namespace

Result<DirectoryEntry> FindBank(std::string_view bank_code) {
    KESSAI_ASSIGN_OR_RETURN(const Place* const bank, PlaceOfBank(bank_code));
    return TheDirectory().At(*bank);
}

Result<DirectoryEntry> FindBranch(std::string_view bank_code, std::string_view branch_code) {
    KESSAI_ASSIGN_OR_RETURN(const Place* const bank, PlaceOfBank(bank_code));
    if (!AreDigits(branch_code, kBranchDigits)) {
        return Status(Code::kInvalidArgument, reason::kBranchCodeMalformed,
                      "a branch's number has three digits");
    }
    const Place* const branch =
        TheDirectory().Branch(kBranchesOfABank * bank->number + ToNumber(branch_code));
    if (branch != nullptr) return TheDirectory().At(*branch);
    return Status(Code::kNotFound, reason::kBranchUnknown,
                  "no branch of bank " + std::string(bank_code) + " has the number " +
                      std::string(branch_code));
}

DirectoryEdition EditionOfDirectory() {
    return TheDirectory().edition();
}

}  // namespace kessai::zengin
