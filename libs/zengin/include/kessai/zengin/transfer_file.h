#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "kessai/money/money.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"
#include "kessai/zengin/account.h"
#include "kessai/zengin/kana_text.h"

/// The bulk transfer file (総合振込) of the Japanese Bankers Association's standard record format
/// (全銀協規定形式): records of 120 bytes, one header (1), data records (2), one trailer (8), one
/// end (9). The tables in README.md give every field's position, and their sources.
namespace kessai::zengin {

namespace reason {
// Of the writer and of the reader, beside those of accounts and of text.
/// OUT_OF_RANGE: not 1 to 9,999,999,999 yen.
inline constexpr std::string_view kAmountOutOfRange = "TRANSFER_AMOUNT_OUT_OF_RANGE";
/// INVALID_ARGUMENT: no data record.
inline constexpr std::string_view kFileEmpty = "TRANSFER_FILE_EMPTY";
/// OUT_OF_RANGE: not 1 to 2^63 - 1.
inline constexpr std::string_view kTransferIdOutOfRange = "TRANSFER_ID_OUT_OF_RANGE";

// Of the writer.
/// OUT_OF_RANGE: more than 999,999 records; a total above 999,999,999,999 yen; a customer code of
/// more than ten digits.
inline constexpr std::string_view kTooManyTransfers = "TOO_MANY_TRANSFERS";
inline constexpr std::string_view kTotalOutOfRange = "TRANSFER_TOTAL_OUT_OF_RANGE";
inline constexpr std::string_view kCustomerCodeOutOfRange = "CUSTOMER_CODE_OUT_OF_RANGE";
/// INVALID_ARGUMENT: the originator's code is not ten digits; the day is no bank day.
inline constexpr std::string_view kOriginatorCodeMalformed = "ORIGINATOR_CODE_MALFORMED";
inline constexpr std::string_view kNotABankDay = "NOT_A_BANK_DAY";
/// FAILED_PRECONDITION: the writer has finished, or its sink has failed.
inline constexpr std::string_view kWriterClosed = "TRANSFER_WRITER_CLOSED";

// Of the reader, INVALID_ARGUMENT all of them; messages have the record's number and the position.
/// Not whole records of 120 bytes, or not the same line end behind each.
inline constexpr std::string_view kRecordLengthWrong = "RECORD_LENGTH_WRONG";
/// A first byte other than 1, 2, 8 and 9.
inline constexpr std::string_view kRecordKindUnknown = "RECORD_KIND_UNKNOWN";
/// Records not in the order of one header, data, one trailer, one end, or something behind it.
inline constexpr std::string_view kRecordOutOfOrder = "RECORD_OUT_OF_ORDER";
/// The file stops before its end record.
inline constexpr std::string_view kFileIncomplete = "TRANSFER_FILE_INCOMPLETE";
/// A header of something else than a bulk transfer (21).
inline constexpr std::string_view kFileKindWrong = "TRANSFER_FILE_KIND_WRONG";
/// Written in EBCDIC (1), which is not read here.
inline constexpr std::string_view kCodeDivisionUnsupported = "CODE_DIVISION_UNSUPPORTED";
/// A field that holds what its kind of field can't.
inline constexpr std::string_view kFieldMalformed = "FIELD_MALFORMED";
/// The trailer's count or total is not that of the data records.
inline constexpr std::string_view kCountWrong = "TRANSFER_COUNT_WRONG";
inline constexpr std::string_view kTotalWrong = "TRANSFER_TOTAL_WRONG";
}  // namespace reason

/// The names of a bank and its branch in a record, at most 15 characters each. Banks go by the
/// numbers, the names may be empty.
struct OfficeNames {
    KanaText bank = {};
    KanaText branch = {};

    bool operator==(const OfficeNames&) const = default;
};

/// Those of the directory. Refuses as FindBranch does.
Result<OfficeNames> NamesOf(std::string_view bank_code, std::string_view branch_code);

/// Who sends money, from which account.
struct Originator {
    /// Ten digits, given by the bank (委託者コード).
    std::string code = {};
    /// 40 characters at most.
    KanaText name = {};
    /// Its holder is not in the file.
    Account account = {};
    OfficeNames office = {};

    bool operator==(const Originator&) const = default;
};

/// The two ten-digit codes that the originator may set (顧客コード1, 2). They come back in what the
/// bank returns in this layout, and the payee does not see them.
struct CustomerCodes {
    std::int64_t first = 0;   // 0 to 9,999,999,999
    std::int64_t second = 0;  // 0 to 9,999,999,999

    /// An id of ours in both: its twenty decimal digits with zeros before them, the upper ten in
    /// the first code. Every id of 63 bits fits and comes back. Refuses with
    /// TRANSFER_ID_OUT_OF_RANGE an id below 1.
    static Result<CustomerCodes> OfTransferId(std::int64_t id);
    /// The id; TRANSFER_ID_OUT_OF_RANGE if there is none or it has more than 63 bits.
    Result<std::int64_t> ToTransferId() const;

    bool operator==(const CustomerCodes&) const = default;
};

/// 20 characters in the place of the customer codes that go to the payee (EDI情報); the record says
/// so by "Y" in its last field but one (識別表示).
struct EdiText {
    KanaText text = {};

    bool operator==(const EdiText&) const = default;
};

/// 新規コード.
enum class NewCode : std::uint8_t {
    kOther = 0,
    /// The first transfer to this account.
    kFirst = 1,
    /// Bank, branch, account or name has changed since the one before.
    kChanged = 2,
};

struct Transfer {
    /// Holder: 30 characters at most.
    Account payee = {};
    OfficeNames office = {};
    Money amount = {};
    NewCode new_code = NewCode::kOther;
    std::variant<CustomerCodes, EdiText> reference = CustomerCodes{};

    bool operator==(const Transfer&) const = default;
};

struct TransferTotals {
    std::int64_t count = 0;
    Money amount = {};

    bool operator==(const TransferTotals&) const = default;
};

/// What stands behind every record. Which one a bank takes is in its manual.
enum class LineEnd : std::uint8_t { kNone, kLf, kCrLf };

/// Writes one file, record by record, in constant memory. Not thread safe.
class TransferFileWriter {
 public:
    /// Takes the bytes of one record with its line end. What it refuses with closes the writer.
    using Sink = std::function<Status(std::string_view record)>;

    /// Writes the header. `day` is the day on which the payees get their money; only its month and
    /// day are in the file. Refuses with ORIGINATOR_CODE_MALFORMED, NOT_A_BANK_DAY, what
    /// kessai::calendar refuses with, those of the account's fields, or what the sink refuses with.
    static Result<TransferFileWriter> Begin(const Originator& originator, BusinessDate day,
                                            LineEnd line_end, Sink sink);

    /// Writes a data record. After a refusal of the transfer itself (its fields,
    /// CUSTOMER_CODE_OUT_OF_RANGE, TRANSFER_AMOUNT_OUT_OF_RANGE, CURRENCY_MISMATCH,
    /// TOO_MANY_TRANSFERS, TRANSFER_TOTAL_OUT_OF_RANGE) nothing of it is written, and others may
    /// follow.
    Status Add(const Transfer& transfer);
    /// Writes trailer and end. TRANSFER_FILE_EMPTY, TRANSFER_WRITER_CLOSED.
    Result<TransferTotals> Finish();

    const TransferTotals& totals() const { return totals_; }

 private:
    TransferFileWriter(LineEnd line_end, Sink sink);
    Status Write(std::string record);

    LineEnd line_end_;
    Sink sink_;
    bool open_ = true;
    TransferTotals totals_;
};

struct TransferFile {
    Originator originator = {};
    /// The file has no year.
    std::chrono::month_day day = {};
    LineEnd line_end = LineEnd::kNone;
    std::vector<Transfer> transfers = {};
    TransferTotals totals = {};
};

/// Reads a whole file, or refuses all of it. Strict: every record and field as in README.md, one
/// line end throughout (the last record may lack it), an end-of-file byte 1A behind it at most.
Result<TransferFile> ReadTransferFile(std::string_view bytes);

}  // namespace kessai::zengin
