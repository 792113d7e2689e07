// Goal: whatever the template and the rows, a reader finds in the files the values that the
// expressions have, in order, none lost.
// Method: random templates over random rows; the files are unpacked by zlib, decoded by the C
// library, cut into values by a plain reader here, and held against a slow interpreter of the
// expressions. The seed is printed. tests/read_random_files.py does the same with Python's readers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iconv.h>
#include <zlib.h>

#include <random>

#include "kessai/filetemplate/writer.h"
#include "kessai/testing/matchers.h"
#include "orders.h"
#include "random_template.h"

namespace kessai::filetemplate {
namespace {

using Lines = std::vector<std::vector<std::string>>;

std::string Inflate(std::string_view bytes, int window_bits) {
    z_stream stream{};
    EXPECT_EQ(inflateInit2(&stream, window_bits), Z_OK);
    std::string text(1 << 20, '\0');
    stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(text.data());
    stream.avail_out = static_cast<uInt>(text.size());
    EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
    text.resize(stream.total_out);
    inflateEnd(&stream);
    return text;
}

std::string Unpacked(const RandomTemplate& made, const KeepingSink::Kept& file) {
    if (made.compression == "none") return file.bytes;
    if (made.compression == "gzip") return Inflate(file.bytes, 15 + 16);
    // The one entry is named as the archive, without its .zip.
    return Inflate(std::string_view(file.bytes).substr(30 + file.name.size() - 4), -15);
}

std::string Decoded(const std::string& encoding, std::string bytes) {
    if (encoding == "utf-8") return bytes;
    if (encoding == "utf-8-bom") {
        EXPECT_EQ(bytes.substr(0, 3), "\xEF\xBB\xBF");
        return bytes.substr(3);
    }
    const iconv_t converter = iconv_open("UTF-8", "CP932");
    std::string text(3 * bytes.size(), '\0');
    char* in = bytes.data();
    char* out = text.data();
    std::size_t in_left = bytes.size();
    std::size_t out_left = text.size();
    EXPECT_EQ(iconv(converter, &in, &in_left, &out, &out_left), 0u);
    iconv_close(converter);
    text.resize(text.size() - out_left);
    return text;
}

/// RFC 4180, or without quotes.
Lines ReadDelimited(const RandomTemplate& made, std::string_view text) {
    Lines lines;
    bool in_line = false;
    while (!text.empty()) {
        if (!in_line) lines.emplace_back();
        std::string& value = lines.back().emplace_back();
        if (made.has_quotes && text.starts_with('"')) {
            text.remove_prefix(1);
            while (!text.starts_with('"') || text.starts_with("\"\"")) {
                if (text.empty()) {
                    ADD_FAILURE() << "no closing quote";
                    return lines;
                }
                value += text.front();
                text.remove_prefix(text.starts_with("\"\"") ? 2 : 1);
            }
            text.remove_prefix(1);
        } else {
            while (!text.starts_with(made.delimiter) && !text.starts_with(made.line_end)) {
                if (text.empty()) {
                    ADD_FAILURE() << "no line end";
                    return lines;
                }
                value += text.front();
                text.remove_prefix(1);
            }
        }
        in_line = text.starts_with(made.delimiter);
        EXPECT_TRUE(in_line || text.starts_with(made.line_end));
        text.remove_prefix(in_line ? made.delimiter.size() : made.line_end.size());
    }
    return lines;
}

Lines ReadFixed(const RandomTemplate& made, std::string bytes) {
    if (made.encoding == "utf-8-bom") bytes.erase(0, 3);
    Lines lines;
    while (!bytes.empty()) {
        const std::size_t end = bytes.find(made.line_end);
        std::string line = bytes.substr(0, end);
        bytes.erase(0, end + made.line_end.size());
        std::vector<std::size_t> widths = made.widths;
        if (line.size() == 60) widths = {30, 30};  // the trailer
        std::vector<std::string>& values = lines.emplace_back();
        for (const std::size_t width : widths) {
            std::string value = line.substr(0, width);
            EXPECT_EQ(value.size(), width);
            line.erase(0, width);
            value.erase(value.find_last_not_of(' ') + 1);
            value.erase(0, value.find_first_not_of(' '));
            values.push_back(Decoded(made.encoding == "shift_jis" ? "shift_jis" : "utf-8", value));
        }
        EXPECT_EQ(line, "");
    }
    return lines;
}

void CheckFiles(const RandomTemplate& made, const std::vector<KeepingSink::Kept>& files) {
    Lines rows;
    for (const KeepingSink::Kept& file : files) {
        const std::string bytes = Unpacked(made, file);
        EXPECT_EQ(bytes.size(), file.file.text_bytes);
        Lines lines = made.widths.empty() ? ReadDelimited(made, Decoded(made.encoding, bytes))
                                          : ReadFixed(made, bytes);
        if (made.has_names) {
            ASSERT_EQ(lines.at(0), made.names);
            lines.erase(lines.begin());
        }
        if (made.has_trailer) {
            const std::size_t first = rows.size();
            std::int64_t total = 0;
            for (std::size_t i = 0; i + 1 < lines.size(); ++i) total += made.amounts.at(first + i);
            const std::vector<std::string> trailer = {std::to_string(lines.size() - 1),
                                                      std::to_string(total)};
            ASSERT_EQ(lines.back(), trailer);
            lines.pop_back();
        }
        ASSERT_EQ(lines.size(), file.file.rows);
        rows.insert(rows.end(), lines.begin(), lines.end());
    }
    ASSERT_EQ(rows, made.expected);
}

/// By printers of some rows each, as several threads would.
Status WriteAhead(const Template& made, const std::vector<std::vector<Value>>& rows,
                  std::mt19937& random, KeepingSink& sink, int& printed_ahead) {
    Writer writer(made, SomeContext(), sink);
    for (std::size_t from = 0; from < rows.size();) {
        const std::size_t to = std::min<std::size_t>(rows.size(), from + 1 + random() % 4);
        RowPrinter printer(made, SomeContext());
        for (std::size_t i = from; i < to; ++i) {
            KESSAI_RETURN_IF_ERROR(printer.Append(rows[i]));
        }
        KESSAI_ASSIGN_OR_RETURN(const bool fits, writer.AppendPrinted(printer.Take()));
        printed_ahead += fits ? 1 : 0;
        for (std::size_t i = from; i < to && !fits; ++i) {
            KESSAI_RETURN_IF_ERROR(writer.Append(rows[i]));
        }
        from = to;
    }
    EXPECT_EQ(writer.rows_given(), rows.size());
    return writer.Finish();
}

TEST(RandomFilesTest, RowsThatWerePrintedAheadAreTheSameFiles) {
    const auto seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    int printed_ahead = 0;
    int in_parts = 0;
    for (int round = 0; round < 1'000; ++round) {
        const RandomTemplate made = MakeRandomTemplate(random);
        SCOPED_TRACE("round " + std::to_string(round) + "\n" + made.yaml);
        const auto parsed = Template::Parse(made.yaml, {{Orders()}});
        ASSERT_OK(parsed);
        KeepingSink expected;
        Writer writer(*parsed, SomeContext(), expected);
        for (const auto& row : made.rows) ASSERT_OK(writer.Append(row));
        ASSERT_OK(writer.Finish());
        if (!parsed->rows_stand_alone()) continue;

        KeepingSink sink;
        ASSERT_OK(WriteAhead(*parsed, made.rows, random, sink, printed_ahead));
        ASSERT_EQ(sink.files.size(), expected.files.size());
        in_parts += sink.files.size() > 1 ? 1 : 0;
        for (std::size_t i = 0; i < sink.files.size(); ++i) {
            ASSERT_EQ(sink.files[i].bytes, expected.files[i].bytes);
            ASSERT_EQ(sink.files[i].file, expected.files[i].file);
        }
    }
    EXPECT_GT(printed_ahead, 1'000);
    EXPECT_GT(in_parts, 100);
}

TEST(RandomFilesTest, AReaderFindsTheValues) {
    const auto seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    for (int round = 0; round < 1'000; ++round) {
        const RandomTemplate made = MakeRandomTemplate(random);
        SCOPED_TRACE("round " + std::to_string(round) + "\n" + made.yaml);
        const auto parsed = Template::Parse(made.yaml, {{Orders()}});
        ASSERT_OK(parsed);
        KeepingSink sink;
        Writer writer(*parsed, SomeContext(), sink);
        for (const auto& row : made.rows) ASSERT_OK(writer.Append(row));
        ASSERT_OK(writer.Finish());
        CheckFiles(made, sink.files);
        if (HasFailure()) return;
    }
}

}  // namespace
}  // namespace kessai::filetemplate
