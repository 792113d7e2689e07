#pragma once

#include <cstddef>
#include <span>
#include <string_view>

/// The records of 全銀協規定形式 総合振込, field by field as published; sources in README.md.
namespace kessai::zengin::internal {

inline constexpr std::size_t kRecordSize = 120;

struct Field {
    std::string_view name;
    /// From 1, as published.
    std::size_t position;
    std::size_t size;

    constexpr std::size_t offset() const { return position - 1; }
};

namespace header {
inline constexpr char kKind = '1';
inline constexpr Field kRecordKind{"データ区分", 1, 1};
inline constexpr Field kFileKind{"種別コード", 2, 2};
inline constexpr Field kCodeDivision{"コード区分", 4, 1};
inline constexpr Field kOriginatorCode{"振込依頼人コード", 5, 10};
inline constexpr Field kOriginatorName{"振込依頼人名", 15, 40};
inline constexpr Field kDay{"取組日", 55, 4};
inline constexpr Field kBankCode{"仕向銀行番号", 59, 4};
inline constexpr Field kBankName{"仕向銀行名", 63, 15};
inline constexpr Field kBranchCode{"仕向支店番号", 78, 3};
inline constexpr Field kBranchName{"仕向支店名", 81, 15};
inline constexpr Field kAccountType{"預金種目", 96, 1};
inline constexpr Field kAccountNumber{"口座番号", 97, 7};
inline constexpr Field kDummy{"ダミー", 104, 17};
inline constexpr Field kFields[] = {
    kRecordKind, kFileKind,   kCodeDivision, kOriginatorCode, kOriginatorName, kDay,  kBankCode,
    kBankName,   kBranchCode, kBranchName,   kAccountType,    kAccountNumber,  kDummy};
}  // namespace header

namespace data {
inline constexpr char kKind = '2';
inline constexpr Field kRecordKind{"データ区分", 1, 1};
inline constexpr Field kBankCode{"被仕向銀行番号", 2, 4};
inline constexpr Field kBankName{"被仕向銀行名", 6, 15};
inline constexpr Field kBranchCode{"被仕向支店番号", 21, 3};
inline constexpr Field kBranchName{"被仕向支店名", 24, 15};
inline constexpr Field kClearingHouse{"手形交換所番号", 39, 4};
inline constexpr Field kAccountType{"預金種目", 43, 1};
inline constexpr Field kAccountNumber{"口座番号", 44, 7};
inline constexpr Field kHolder{"受取人名", 51, 30};
inline constexpr Field kAmount{"振込金額", 81, 10};
inline constexpr Field kNewCode{"新規コード", 91, 1};
inline constexpr Field kCustomerCode1{"顧客コード1", 92, 10};
inline constexpr Field kCustomerCode2{"顧客コード2", 102, 10};
inline constexpr Field kWay{"振込指定区分", 112, 1};
inline constexpr Field kIdentification{"識別表示", 113, 1};
inline constexpr Field kDummy{"ダミー", 114, 7};
/// In the place of both customer codes.
inline constexpr Field kEdiText{"EDI情報", 92, 20};
inline constexpr Field kFields[] = {kRecordKind,    kBankCode,      kBankName,       kBranchCode,
                                    kBranchName,    kClearingHouse, kAccountType,    kAccountNumber,
                                    kHolder,        kAmount,        kNewCode,        kCustomerCode1,
                                    kCustomerCode2, kWay,           kIdentification, kDummy};
}  // namespace data

namespace trailer {
inline constexpr char kKind = '8';
inline constexpr Field kRecordKind{"データ区分", 1, 1};
inline constexpr Field kCount{"合計件数", 2, 6};
inline constexpr Field kTotal{"合計金額", 8, 12};
inline constexpr Field kDummy{"ダミー", 20, 101};
inline constexpr Field kFields[] = {kRecordKind, kCount, kTotal, kDummy};
}  // namespace trailer

namespace end {
inline constexpr char kKind = '9';
}  // namespace end

inline constexpr std::string_view kBulkTransfer = "21";
inline constexpr std::string_view kJis = "0";
inline constexpr std::string_view kEbcdic = "1";
inline constexpr char kEdiFollows = 'Y';
/// テレ振込, as any transfer is made today.
inline constexpr char kByWire = '7';

/// Whether the fields fill a record, one behind the other.
constexpr bool FillARecord(std::span<const Field> fields) {
    std::size_t position = 1;
    for (const Field& field : fields) {
        if (field.position != position) return false;
        position += field.size;
    }
    return position == kRecordSize + 1;
}
static_assert(FillARecord(header::kFields));
static_assert(FillARecord(data::kFields));
static_assert(FillARecord(trailer::kFields));
static_assert(data::kEdiText.position == data::kCustomerCode1.position &&
              data::kEdiText.size == data::kCustomerCode1.size + data::kCustomerCode2.size);

}  // namespace kessai::zengin::internal
