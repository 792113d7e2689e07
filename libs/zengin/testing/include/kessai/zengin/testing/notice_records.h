#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "kessai/zengin/testing/jis_bytes.h"

namespace kessai::zengin {

/// Writes a notice of incoming transfers (振込入金通知) as a bank does, of 2026-11-30 in years of
/// Reiwa: for tests, field by field by their sizes, apart from the library's own table of them.
class NoticeRecords {
 public:
    void Header(std::string_view bank, std::string_view branch, std::string_view type,
                std::string_view number) {
        Add("1"
            "01"
            "0"
            "081130"
            "081130"
            "081130" +
            std::string(bank) + Text("ﾐｽﾞﾎ", 15) + std::string(branch) + Text("ﾏﾙﾉｳﾁﾁﾕｳｵｳ", 15) +
            std::string(type) + std::string(number) + Text("ｶ)ｹﾂｻｲ", 40) + Text("", 93));
    }
    /// フォーマットA.
    void Transfer(std::int64_t amount, std::string_view from, std::string_view edi,
                  bool cancelled = false) {
        Count(amount, cancelled);
        Add(Beginning(amount, from, cancelled) + Text(edi, 20) + Text("", 52));
    }
    /// フォーマットB, in its field of twelve digits.
    void LongTransfer(std::int64_t amount, std::string_view from, std::string_view edi) {
        Count(amount, /*cancelled=*/false);
        Add(Beginning(0, from, /*cancelled=*/false) + Number(amount, 12) + Number(0, 12) +
            Text(edi, 20) + Text("", 28));
    }
    /// With `cancelled_too`, the transfers' sums have those that were taken back.
    void Trailer(bool cancelled_too) {
        const std::int64_t more = cancelled_too ? 1 : 0;
        Add("8" + Number(counts_[0] + more * counts_[1], 6) +
            Number(sums_[0] + more * sums_[1], 12) + Number(counts_[1], 6) + Number(sums_[1], 12) +
            Text("", 163));
        for (int i = 0; i < 2; ++i) counts_[i] = sums_[i] = 0;
    }
    /// The file, with `line_end` behind every record.
    std::string End(std::string_view line_end = "") {
        Add("9" + Text("", 199));
        std::string file;
        for (std::size_t at = 0; at < bytes_.size(); at += kRecordSize) {
            file += bytes_.substr(at, kRecordSize);
            file += line_end;
        }
        return file;
    }

 private:
    static constexpr std::size_t kRecordSize = 200;

    void Count(std::int64_t amount, bool cancelled) {
        ++counts_[cancelled ? 1 : 0];
        sums_[cancelled ? 1 : 0] += amount;
    }
    std::string Beginning(std::int64_t amount, std::string_view from, bool cancelled) const {
        return "2" + Number(counts_[0] + counts_[1], 6) +
               "081130"
               "081130" +
               Number(amount, 10) + Number(0, 10) + Text("", 10) + Text(from, 48) +
               Text("ﾐｽﾞﾎ", 15) + Text("ﾏﾙﾉｳﾁ", 15) + (cancelled ? "1" : " ");
    }
    static std::string Number(std::int64_t number, std::size_t size) {
        const std::string digits = std::to_string(number);
        return std::string(size - digits.size(), '0') + digits;
    }
    static std::string Text(std::string_view utf8, std::size_t size) {
        std::string bytes = JisBytes(utf8);
        bytes.resize(size, ' ');
        return bytes;
    }
    void Add(const std::string& record) { bytes_ += record; }

    std::string bytes_;
    std::int64_t counts_[2] = {};
    std::int64_t sums_[2] = {};
};

}  // namespace kessai::zengin
