#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "kessai/zengin/testing/jis_bytes.h"

namespace kessai::zengin {

/// Writes an account statement (入出金取引明細) as a bank does, of 2026-11-30 in years of Reiwa:
/// for tests, field by field by their sizes, apart from the library's own table of them.
class StatementRecords {
 public:
    void Header(std::string_view bank, std::string_view branch, std::string_view type,
                std::string_view number, std::int64_t opening) {
        balance_ = opening;
        ++accounts_;
        Add("1"
            "03"
            "0"
            "081130"
            "081130"
            "081130" +
            std::string(bank) + Text("ﾐｽﾞﾎ", 15) + std::string(branch) + Text("ﾏﾙﾉｳﾁﾁﾕｳｵｳ", 15) +
            "000" + std::string(type) + std::string(number) + Text("ｶ)ｹﾂｻｲ", 40) + Balance("1") +
            Text("", 71));
    }
    void Entry(bool credit, std::int64_t amount, std::string_view summary, std::string_view edi) {
        ++counts_[credit ? 0 : 1];
        sums_[credit ? 0 : 1] += amount;
        balance_ += credit ? amount : -amount;
        Add("2" + Number(entries(), 8) +
            "081130"
            "081130" +
            (credit ? "1" : "2") + "11" + Number(amount, 12) + Number(0, 12) +
            "000000"
            "000000"
            "0"
            "0000000"
            "000" +
            Text("", 10) + Text("ﾔﾏﾀﾞ ﾀﾛｳ", 48) + Text("ﾐｽﾞﾎ", 15) + Text("ﾏﾙﾉｳﾁ", 15) +
            Text(summary, 20) + Text(edi, 20) + " ");
    }
    void Trailer() {
        Add("8" + Number(counts_[0], 6) + Number(sums_[0], 13) + Number(counts_[1], 6) +
            Number(sums_[1], 13) + Balance("") + Number(entries(), 7) + Text("", 139));
        for (int i = 0; i < 2; ++i) counts_[i] = sums_[i] = 0;
    }
    /// The file, with `line_end` behind every record.
    std::string End(std::string_view line_end = "") {
        Add("9" + Number(records_ + 1, 10) + Number(accounts_, 5) + Text("", 184));
        std::string file;
        for (std::size_t at = 0; at < bytes_.size(); at += kRecordSize) {
            file += bytes_.substr(at, kRecordSize);
            file += line_end;
        }
        return file;
    }

 private:
    static constexpr std::size_t kRecordSize = 200;

    std::int64_t entries() const { return counts_[0] + counts_[1]; }
    static std::string Number(std::int64_t number, std::size_t size) {
        const std::string digits = std::to_string(number);
        return std::string(size - digits.size(), '0') + digits;
    }
    static std::string Text(std::string_view utf8, std::size_t size) {
        std::string bytes = JisBytes(utf8);
        bytes.resize(size, ' ');
        return bytes;
    }
    /// The sign, what stands between it and the balance, and the balance.
    std::string Balance(std::string_view between) const {
        return (balance_ < 0 ? "2" : "1") + std::string(between) +
               Number(balance_ < 0 ? -balance_ : balance_, 14);
    }
    void Add(const std::string& record) {
        ++records_;
        bytes_ += record;
    }

    std::string bytes_;
    std::int64_t balance_ = 0;
    std::int64_t counts_[2] = {};
    std::int64_t sums_[2] = {};
    std::int64_t records_ = 0;
    std::int64_t accounts_ = 0;
};

}  // namespace kessai::zengin
