#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kessai/money/money.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"

/// Statement files of banks, ATM networks and card networks, each kind read into the same items.
namespace kessai::statementfile {

namespace reason {
// Of a whole file, INVALID_ARGUMENT: nothing of it is to be used. Messages have the line and the
// numbers.
/// Bytes that are not of the encoding which the template or the format says.
inline constexpr std::string_view kEncodingWrong = "STATEMENT_ENCODING_WRONG";
/// Another kind of file, or a version of its kind that is not read.
inline constexpr std::string_view kFormatUnsupported = "STATEMENT_FORMAT_UNSUPPORTED";
/// The file stops before its end, or has nothing in it.
inline constexpr std::string_view kFileIncomplete = "STATEMENT_FILE_INCOMPLETE";
/// A header, trailer or frame that can't be read, or is not in its place.
inline constexpr std::string_view kFileMalformed = "STATEMENT_FILE_MALFORMED";
/// A column that the template names is not in the file's header, or is there twice.
inline constexpr std::string_view kColumnMissing = "STATEMENT_COLUMN_MISSING";
/// The file's own counts, sums or balances are not those of its lines.
inline constexpr std::string_view kTotalsWrong = "STATEMENT_TOTALS_WRONG";
/// XML that is not well formed.
inline constexpr std::string_view kXmlMalformed = "STATEMENT_XML_MALFORMED";
/// XML with a document type, which could define entities: no statement needs one.
inline constexpr std::string_view kXmlDoctype = "STATEMENT_XML_DOCTYPE";
/// XML nested deeper, or with longer texts, than statements are.
inline constexpr std::string_view kXmlTooLarge = "STATEMENT_XML_TOO_LARGE";
/// FAILED_PRECONDITION: more bytes behind Finish() or a refusal.
inline constexpr std::string_view kReaderClosed = "STATEMENT_READER_CLOSED";

// Of one line, INVALID_ARGUMENT: it is told, and the rest goes on.
/// Longer than any line of a statement.
inline constexpr std::string_view kLineTooLong = "LINE_TOO_LONG";
/// A quote that is not closed on its line, or something behind a closed one.
inline constexpr std::string_view kQuoteMalformed = "QUOTE_MALFORMED";
/// Not as many columns as the file has.
inline constexpr std::string_view kColumnsWrong = "COLUMNS_WRONG";
/// A field that every item needs is empty or not there.
inline constexpr std::string_view kFieldMissing = "FIELD_MISSING";
inline constexpr std::string_view kDateMalformed = "DATE_MALFORMED";
/// No amount, or one finer than its currency's minor unit, or beyond 64 bits.
inline constexpr std::string_view kAmountMalformed = "AMOUNT_MALFORMED";
/// A sign, or credit and debit mark, that is none of those known.
inline constexpr std::string_view kSignUnknown = "SIGN_UNKNOWN";
/// A currency that the platform does not handle, or not the account's.
inline constexpr std::string_view kCurrencyWrong = "CURRENCY_WRONG";
/// A status of an entry that is none of those known.
inline constexpr std::string_view kStatusUnknown = "ENTRY_STATUS_UNKNOWN";
/// An entry with more details or references than can be held.
inline constexpr std::string_view kEntryTooLarge = "ENTRY_TOO_LARGE";
/// A record of the Bankers Association's formats that can't be read.
inline constexpr std::string_view kRecordMalformed = "RECORD_MALFORMED";
}  // namespace reason

/// What somebody calls a movement by.
struct Reference {
    /// As the file names it: a column, EDI情報, EndToEndId …
    std::string kind = {};
    std::string value = {};

    bool operator==(const Reference&) const = default;
};

/// One movement of an account. Texts are UTF-8.
struct StatementItem {
    /// From 1, among the items and broken lines of the file: with the file's hash, its identity.
    std::size_t number = 0;
    /// Of the file, from 1: a line, a record, in XML the line where the entry begins.
    std::size_t line = 0;
    /// As the file or the template names it; of a Japanese bank "bank-branch-type-number".
    std::string account = {};
    BusinessDate booked = {};
    /// The booking date where the file has no other.
    BusinessDate value_date = {};
    /// Above zero into the account, below zero out of it.
    Money amount = {};
    /// Takes an earlier movement back.
    bool is_reversal = false;
    std::vector<Reference> references = {};
    std::string counterparty = {};
    std::string text = {};

    bool operator==(const StatementItem&) const = default;
};

/// A line that could not be read.
struct BrokenLine {
    std::size_t number = 0;
    std::size_t line = 0;
    /// One of the reasons of a line; the message says what stands there.
    Status why = {};
    /// Signed, if that much can be read: it counts in the file's sums.
    std::optional<Money> amount = {};
};

/// Told in the order of the file. What one refuses with, the reader refuses with.
struct StatementSink {
    std::function<Status(StatementItem&&)> item = {};
    std::function<Status(BrokenLine&&)> broken = {};
};

/// Movements in and out, each sum at or above zero.
struct Movements {
    std::int64_t credit_count = 0;
    Money credits = {};
    std::int64_t debit_count = 0;
    Money debits = {};

    bool operator==(const Movements&) const = default;
};

/// One statement of a file: of one account.
struct StatementSummary {
    std::string account = {};
    /// The statement's own, empty if the format has none.
    std::string id = {};
    std::optional<BusinessDate> first = {};
    std::optional<BusinessDate> last = {};
    std::optional<Money> opening = {};
    std::optional<Money> closing = {};
    /// Of the items, and of broken lines whose amounts could be read.
    Movements movements = {};
    /// Broken lines whose amounts could not be read.
    std::int64_t unread = 0;
    /// What the file itself says of its counts, sums and balances was there, and is right. With
    /// unread lines: as far as that can be known without them.
    bool counts_checked = false;
    bool sums_checked = false;
    bool balance_checked = false;

    bool operator==(const StatementSummary&) const = default;
};

/// What a file was, known at its end.
struct FileSummary {
    /// SHA-256 of its bytes, 64 hexadecimal digits: the same file is known by it.
    std::string sha256 = {};
    std::int64_t items = 0;
    std::int64_t broken_lines = 0;
    /// Entries that the bank has not booked, which are no items: announced, or given up.
    std::int64_t not_booked = 0;
    std::vector<StatementSummary> statements = {};

    bool operator==(const FileSummary&) const = default;
};

}  // namespace kessai::statementfile
