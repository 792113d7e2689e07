#include "storage/outside_rows.h"

#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "kessai/result/check.h"
#include "storage/row_mapping.h"

namespace kessai::reconciliation::storage {
namespace {

/// As TEXT columns hold them.
constexpr std::size_t kTextBytesMax = 60'000;
constexpr std::size_t kReasonBytesMax = 500;

Currency ReadMoneyCurrency(const mysql::Rows& row, int column) {
    const auto currency = Currency::Parse(row.Text(column));
    KESSAI_CHECK(currency.ok(), "a currency that was stored is one that parses");
    return *currency;
}

/// Kinds and values have neither tabs nor line ends: what separates them.
std::string Plain(std::string_view text) {
    std::string plain(text);
    std::ranges::replace_if(
        plain, [](char c) { return c == '\t' || c == '\n'; }, ' ');
    return plain;
}

std::string JoinReferences(const domain::OutsideRecord& record) {
    std::string joined;
    for (const auto& [kind, value] : record.references) {
        joined += Plain(kind) + '\t' + Plain(value) + '\n';
    }
    return joined;
}

std::vector<std::pair<std::string, std::string>> SplitReferences(std::string_view joined) {
    std::vector<std::pair<std::string, std::string>> references;
    while (!joined.empty()) {
        const std::size_t end = joined.find('\n');
        const std::string_view line = joined.substr(0, end);
        const std::size_t tab = line.find('\t');
        KESSAI_CHECK(tab != std::string_view::npos, "a reference was stored with its kind");
        references.emplace_back(line.substr(0, tab), line.substr(tab + 1));
        joined.remove_prefix(end == std::string_view::npos ? joined.size() : end + 1);
    }
    return references;
}

std::string ToHexadecimal(std::string_view bytes) {
    std::string digits;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        digits += "0123456789abcdef"[byte >> 4];
        digits += "0123456789abcdef"[byte & 0xF];
    }
    return digits;
}

}  // namespace

domain::OutsideRecord ReadItem(const mysql::Rows& row) {
    domain::OutsideRecord record;
    record.id = domain::OutsideItemId(row.Int(0));
    record.side = static_cast<domain::OutsideSide>(row.Int(1));
    record.account = row.Text(2);
    record.date = row.Date(3);
    record.amount = Money(row.Int(4), ReadMoneyCurrency(row, 5));
    record.match = domain::OutsideMatchId(row.Int(6));
    record.kind = static_cast<domain::ExpectedKind>(row.Int(7));
    record.key = {row.Int(8), static_cast<std::uint32_t>(row.Uint(9))};
    record.content = ReadHash(row, 10);
    record.import = domain::StatementImportId(row.Int(11));
    record.line = static_cast<std::uint32_t>(row.Uint(12));
    record.value_date = row.Date(13);
    record.is_reversal = row.Bool(14);
    record.counterparty = row.Text(15);
    record.text = row.Text(16);
    record.references = SplitReferences(row.Text(17));
    return record;
}

void AddItem(const app::NewOutsideItem& item, domain::OutsideItemId id, mysql::RowList& rows) {
    const domain::OutsideRecord& record = item.record;
    const std::string references = JoinReferences(record);
    const std::string identity = Sha256(item.identity);
    constexpr int kUnmatched = 1;
    rows.Add(id, static_cast<int>(record.side), record.account, record.date, record.amount.minor(),
             record.amount.currency().code(), 0, static_cast<int>(record.kind), record.key.object,
             record.key.version, BytesOf(record.content), record.import, record.line,
             record.value_date, record.is_reversal, CutTo(record.counterparty, kTextBytesMax),
             CutTo(record.text, kTextBytesMax), references, kUnmatched, mysql::Bytes{identity});
}

domain::OutsideMatchRecord ReadOutsideMatch(const mysql::Rows& row) {
    domain::OutsideMatchRecord record;
    record.id = domain::OutsideMatchId(row.Int(0));
    record.account = row.Text(1);
    record.state = static_cast<domain::OutsideMatchState>(row.Int(2));
    record.rules_version = static_cast<std::uint32_t>(row.Uint(3));
    record.rule = row.Text(4);
    record.score = static_cast<int>(row.Int(5));
    record.why = row.Text(6);
    record.difference = Money(row.Int(8), ReadMoneyCurrency(row, 7));
    record.step_count = static_cast<std::uint32_t>(row.Uint(9));
    record.changed_at = row.At(10);
    return record;
}

void AddOutsideMatch(const domain::OutsideMatchRecord& record, mysql::RowList& rows) {
    const std::string members = MembersOf(record);
    rows.Add(record.id, record.account, static_cast<int>(record.state), record.rules_version,
             record.rule, record.score, CutTo(record.why, kReasonBytesMax),
             record.difference.currency().code(), record.difference.minor(), record.step_count,
             record.changed_at, mysql::Bytes{members});
}

app::StatementImport ReadImport(const mysql::Rows& row) {
    app::StatementImport import;
    import.id = domain::StatementImportId(row.Int(0));
    import.format = static_cast<app::StatementFormat>(row.Int(1));
    import.template_name = row.Text(2);
    import.template_version = static_cast<std::uint32_t>(row.Uint(3));
    import.sha256 = ToHexadecimal(row.Bytes(4));
    import.bytes = row.Int(5);
    import.added = row.Int(6);
    import.known = row.Int(7);
    import.broken = row.Int(8);
    import.not_booked = row.Int(9);
    const std::string accounts = row.Text(10);
    for (std::size_t at = 0; at < accounts.size();) {
        const std::size_t end = std::min(accounts.find(',', at), accounts.size());
        import.accounts.push_back(accounts.substr(at, end - at));
        at = end + 1;
    }
    import.imported_by = row.Text(11);
    import.imported_at = row.At(12);
    return import;
}

void AddImport(const app::StatementImport& import, mysql::RowList& rows) {
    const std::string sha256 = FromHexadecimal(import.sha256);
    std::string accounts;
    for (const std::string& account : import.accounts) {
        accounts += (accounts.empty() ? "" : ",") + account;
    }
    rows.Add(import.id, static_cast<int>(import.format), import.template_name,
             import.template_version, mysql::Bytes{sha256}, import.bytes, import.added,
             import.known, import.broken, import.not_booked, accounts, import.imported_by,
             import.imported_at);
}

std::string Sha256(std::string_view text) {
    std::string hash(SHA256_DIGEST_LENGTH, '\0');
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
           reinterpret_cast<unsigned char*>(hash.data()));
    return hash;
}

std::string MembersOf(const domain::OutsideMatchRecord& record) {
    std::string members;
    for (const auto* ids : {&record.expected, &record.booked}) {
        for (const domain::OutsideItemId id : *ids) members += id.ToString() + ',';
        members += '|';
    }
    return Sha256(members);
}

std::string FromHexadecimal(std::string_view digits) {
    std::string bytes;
    for (std::size_t at = 0; at + 1 < digits.size(); at += 2) {
        unsigned value = 0;
        const char* const end = digits.data() + at + 2;
        const auto [read, error] = std::from_chars(digits.data() + at, end, value, 16);
        if (error != std::errc() || read != end) return {};
        bytes += static_cast<char>(value);
    }
    return bytes.size() == SHA256_DIGEST_LENGTH ? bytes : std::string();
}

std::string_view CutTo(std::string_view text, std::size_t bytes_max) {
    if (text.size() <= bytes_max) return text;
    std::size_t end = bytes_max;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    return text.substr(0, end);
}

}  // namespace kessai::reconciliation::storage
