#pragma once

#include <cstddef>
#include <span>
#include <string_view>

/// The records of 全銀協規定形式, 総合振込, 入出金取引明細 and 振込入金通知, field by field as
/// published; sources in README.md.
namespace kessai::zengin::internal {

inline constexpr std::size_t kTransferRecordSize = 120;
inline constexpr std::size_t kStatementRecordSize = 200;

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

// Of 入出金取引明細.

namespace statement_header {
inline constexpr Field kRecordKind{"データ区分", 1, 1};
inline constexpr Field kFileKind{"種別コード", 2, 2};
inline constexpr Field kCodeDivision{"コード区分", 4, 1};
inline constexpr Field kMade{"作成日", 5, 6};
inline constexpr Field kFirstDay{"勘定日(自)", 11, 6};
inline constexpr Field kLastDay{"勘定日(至)", 17, 6};
inline constexpr Field kBankCode{"銀行コード", 23, 4};
inline constexpr Field kBankName{"銀行名", 27, 15};
inline constexpr Field kBranchCode{"支店コード", 42, 3};
inline constexpr Field kBranchName{"支店名", 45, 15};
inline constexpr Field kFiller{"ダミー", 60, 3};
inline constexpr Field kAccountType{"預金種目", 63, 1};
inline constexpr Field kAccountNumber{"口座番号", 64, 10};
inline constexpr Field kHolder{"口座名", 74, 40};
inline constexpr Field kBelowZero{"貸越区分", 114, 1};
inline constexpr Field kPassbook{"通帳・証書区分", 115, 1};
inline constexpr Field kBalance{"取引前残高", 116, 14};
inline constexpr Field kDummy{"ダミー", 130, 71};
inline constexpr Field kFields[] = {
    kRecordKind,    kFileKind, kCodeDivision, kMade,       kFirstDay, kLastDay,
    kBankCode,      kBankName, kBranchCode,   kBranchName, kFiller,   kAccountType,
    kAccountNumber, kHolder,   kBelowZero,    kPassbook,   kBalance,  kDummy};
}  // namespace statement_header

namespace statement_data {
inline constexpr Field kRecordKind{"データ区分", 1, 1};
inline constexpr Field kInquiryNumber{"照会番号", 2, 8};
inline constexpr Field kBooked{"勘定日", 10, 6};
inline constexpr Field kMoved{"預入・払出日", 16, 6};
inline constexpr Field kDirection{"入払区分", 22, 1};
inline constexpr Field kTradeKind{"取引区分", 23, 2};
inline constexpr Field kAmount{"取引金額", 25, 12};
inline constexpr Field kOthersCheques{"うち他店券金額", 37, 12};
inline constexpr Field kPresented{"交換呈示日", 49, 6};
inline constexpr Field kDishonoured{"不渡返還日", 55, 6};
inline constexpr Field kChequeKind{"手形・小切手区分", 61, 1};
inline constexpr Field kChequeNumber{"手形・小切手番号", 62, 7};
inline constexpr Field kOtherBranch{"僚店番号", 69, 3};
inline constexpr Field kOriginatorCode{"振込依頼人コード", 72, 10};
inline constexpr Field kOriginatorName{"振込依頼人名または契約者番号", 82, 48};
inline constexpr Field kSendingBank{"仕向銀行名", 130, 15};
inline constexpr Field kSendingBranch{"仕向店名", 145, 15};
inline constexpr Field kSummary{"摘要内容", 160, 20};
inline constexpr Field kEdiText{"EDI情報", 180, 20};
inline constexpr Field kDummy{"ダミー", 200, 1};
inline constexpr Field kFields[] = {
    kRecordKind,  kInquiryNumber, kBooked,        kMoved,          kDirection,
    kTradeKind,   kAmount,        kOthersCheques, kPresented,      kDishonoured,
    kChequeKind,  kChequeNumber,  kOtherBranch,   kOriginatorCode, kOriginatorName,
    kSendingBank, kSendingBranch, kSummary,       kEdiText,        kDummy};
}  // namespace statement_data

namespace statement_trailer {
inline constexpr Field kRecordKind{"データ区分", 1, 1};
inline constexpr Field kCreditCount{"入金件数", 2, 6};
inline constexpr Field kCredits{"入金額合計", 8, 13};
inline constexpr Field kDebitCount{"出金件数", 21, 6};
inline constexpr Field kDebits{"出金額合計", 27, 13};
inline constexpr Field kBelowZero{"貸越区分", 40, 1};
inline constexpr Field kBalance{"取引後残高", 41, 14};
inline constexpr Field kCount{"データ・レコード件数", 55, 7};
inline constexpr Field kDummy{"ダミー", 62, 139};
inline constexpr Field kFields[] = {kRecordKind, kCreditCount, kCredits, kDebitCount, kDebits,
                                    kBelowZero,  kBalance,     kCount,   kDummy};
}  // namespace statement_trailer

namespace statement_end {
inline constexpr Field kRecordKind{"データ区分", 1, 1};
inline constexpr Field kRecordCount{"レコード総件数", 2, 10};
inline constexpr Field kAccountCount{"口座数", 12, 5};
inline constexpr Field kDummy{"ダミー", 17, 184};
inline constexpr Field kFields[] = {kRecordKind, kRecordCount, kAccountCount, kDummy};
}  // namespace statement_end

// Of 振込入金通知.

namespace notice_header {
inline constexpr Field kRecordKind{"データ区分", 1, 1};
inline constexpr Field kFileKind{"種別コード", 2, 2};
inline constexpr Field kCodeDivision{"コード区分", 4, 1};
inline constexpr Field kMade{"作成日", 5, 6};
inline constexpr Field kFirstDay{"勘定日(自)", 11, 6};
inline constexpr Field kLastDay{"勘定日(至)", 17, 6};
inline constexpr Field kBankCode{"銀行コード", 23, 4};
inline constexpr Field kBankName{"銀行名", 27, 15};
inline constexpr Field kBranchCode{"支店コード", 42, 3};
inline constexpr Field kBranchName{"支店名", 45, 15};
inline constexpr Field kAccountType{"預金種目", 60, 1};
inline constexpr Field kAccountNumber{"口座番号", 61, 7};
inline constexpr Field kHolder{"口座名", 68, 40};
inline constexpr Field kDummy{"ダミー", 108, 93};
inline constexpr Field kFields[] = {
    kRecordKind, kFileKind,   kCodeDivision, kMade,        kFirstDay,      kLastDay, kBankCode,
    kBankName,   kBranchCode, kBranchName,   kAccountType, kAccountNumber, kHolder,  kDummy};
}  // namespace notice_header

namespace notice_data {
inline constexpr Field kRecordKind{"データ区分", 1, 1};
inline constexpr Field kInquiryNumber{"照会番号", 2, 6};
inline constexpr Field kBooked{"勘定日", 8, 6};
inline constexpr Field kValueDay{"起算日", 14, 6};
inline constexpr Field kAmount{"金額", 20, 10};
inline constexpr Field kOthersCheques{"うち他店券金額", 30, 10};
inline constexpr Field kOriginatorCode{"振込依頼人コード", 40, 10};
inline constexpr Field kOriginatorName{"振込依頼人名", 50, 48};
inline constexpr Field kSendingBank{"仕向銀行名", 98, 15};
inline constexpr Field kSendingBranch{"仕向店名", 113, 15};
inline constexpr Field kCancelled{"取消区分", 128, 1};
inline constexpr Field kEdiText{"EDI情報", 129, 20};
inline constexpr Field kDummy{"ダミー", 149, 52};
inline constexpr Field kFields[] = {kRecordKind,  kInquiryNumber, kBooked,         kValueDay,
                                    kAmount,      kOthersCheques, kOriginatorCode, kOriginatorName,
                                    kSendingBank, kSendingBranch, kCancelled,      kEdiText,
                                    kDummy};
// フォーマットB, for amounts of more than ten digits, goes on with them behind 取消区分.
inline constexpr Field kLongAmount{"金額(2)", 129, 12};
inline constexpr Field kLongOthersCheques{"うち他店券金額(2)", 141, 12};
inline constexpr Field kEdiTextOfB{"EDI情報", 153, 20};
inline constexpr Field kDummyOfB{"ダミー", 173, 28};
inline constexpr Field kFieldsOfB[] = {
    kRecordKind,        kInquiryNumber,  kBooked,      kValueDay,      kAmount,    kOthersCheques,
    kOriginatorCode,    kOriginatorName, kSendingBank, kSendingBranch, kCancelled, kLongAmount,
    kLongOthersCheques, kEdiTextOfB,     kDummyOfB};
}  // namespace notice_data

namespace notice_trailer {
inline constexpr Field kRecordKind{"データ区分", 1, 1};
inline constexpr Field kCount{"振込合計件数", 2, 6};
inline constexpr Field kTotal{"振込合計金額", 8, 12};
inline constexpr Field kCancelledCount{"取消合計件数", 20, 6};
inline constexpr Field kCancelledTotal{"取消合計金額", 26, 12};
inline constexpr Field kDummy{"ダミー", 38, 163};
inline constexpr Field kFields[] = {kRecordKind,     kCount,          kTotal,
                                    kCancelledCount, kCancelledTotal, kDummy};
}  // namespace notice_trailer

inline constexpr std::string_view kBulkTransfer = "21";
inline constexpr std::string_view kStatement = "03";
inline constexpr std::string_view kNotice = "01";
inline constexpr std::string_view kJis = "0";
inline constexpr std::string_view kEbcdic = "1";
inline constexpr char kEdiFollows = 'Y';
/// テレ振込, as any transfer is made today.
inline constexpr char kByWire = '7';

/// Whether the fields fill a record, one behind the other.
constexpr bool FillARecord(std::span<const Field> fields, std::size_t size) {
    std::size_t position = 1;
    for (const Field& field : fields) {
        if (field.position != position) return false;
        position += field.size;
    }
    return position == size + 1;
}
static_assert(FillARecord(header::kFields, kTransferRecordSize));
static_assert(FillARecord(data::kFields, kTransferRecordSize));
static_assert(FillARecord(trailer::kFields, kTransferRecordSize));
static_assert(FillARecord(statement_header::kFields, kStatementRecordSize));
static_assert(FillARecord(statement_data::kFields, kStatementRecordSize));
static_assert(FillARecord(statement_trailer::kFields, kStatementRecordSize));
static_assert(FillARecord(statement_end::kFields, kStatementRecordSize));
static_assert(FillARecord(notice_header::kFields, kStatementRecordSize));
static_assert(FillARecord(notice_data::kFields, kStatementRecordSize));
static_assert(FillARecord(notice_data::kFieldsOfB, kStatementRecordSize));
static_assert(FillARecord(notice_trailer::kFields, kStatementRecordSize));
static_assert(data::kEdiText.position == data::kCustomerCode1.position &&
              data::kEdiText.size == data::kCustomerCode1.size + data::kCustomerCode2.size);

}  // namespace kessai::zengin::internal
