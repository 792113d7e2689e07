// Goal: a file has the bytes that its template says, or is refused with row and column; never is a
// value cut.
// Method: rows into a sink that keeps the bytes; compressed ones are read with zlib, and the
// archive by its records.
#include "kessai/filetemplate/writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <zlib.h>

#include <limits>

#include "kessai/testing/matchers.h"
#include "orders.h"

namespace kessai::filetemplate {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

Template Made(const std::string& yaml) {
    auto parsed = Template::Parse("source: orders\n" + yaml, {{Orders()}});
    KESSAI_CHECK(parsed.ok(), parsed.status().ToString());
    return *std::move(parsed);
}

/// Writes the rows; a refusal of one or of the end.
Status Write(const Template& made, const std::vector<Order>& orders, KeepingSink& sink) {
    Writer writer(made, SomeContext(), sink);
    for (const Order& order : orders) {
        const auto row = order.Values();
        const Status status = writer.Append(row);
        if (status.ok()) continue;
        EXPECT_EQ(writer.Append(row), status);
        EXPECT_EQ(writer.Finish(), status);
        return status;
    }
    return writer.Finish();
}

std::vector<KeepingSink::Kept> Files(const std::string& yaml, const std::vector<Order>& orders) {
    KeepingSink sink;
    EXPECT_OK(Write(Made(yaml), orders, sink));
    for (const auto& file : sink.files) EXPECT_TRUE(file.ended) << file.name;
    return sink.files;
}
std::string OnlyFile(const std::string& yaml, const std::vector<Order>& orders) {
    const auto files = Files(yaml, orders);
    EXPECT_THAT(files, SizeIs(1));
    return files.empty() ? "none" : files.front().bytes;
}
std::string Refused(const std::string& yaml, const std::vector<Order>& orders) {
    KeepingSink sink;
    const Status status = Write(Made(yaml), orders, sink);
    for (const auto& file : sink.files) EXPECT_FALSE(file.ended);
    return status.ToString();
}

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

std::string Sha256(std::string_view bytes) {
    std::string hash(32, '\0');
    EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(hash.data()), nullptr,
               EVP_sha256(), nullptr);
    return hash;
}

const std::string kTwoColumns =
    "columns: [{name: id, value: id}, {name: note, value: note}]\nfile: {name: f}\n";

TEST(WriterTest, QuotesWhatNeedsThem) {
    const std::vector<Order> orders = {{.note = "plain"},  {.note = "a,b"},   {.note = "a\"b\""},
                                       {.note = "a\nb\r"}, {.note = " a;b "}, {.note = ""}};
    EXPECT_EQ(OnlyFile(kTwoColumns, orders),
              "o-1,plain\no-1,\"a,b\"\no-1,\"a\"\"b\"\"\"\no-1,\"a\nb\r\"\no-1, a;b \no-1,\n");
    EXPECT_EQ(OnlyFile(kTwoColumns + "lines: {quoting: always, end: crlf}\nheader: [names]",
                       {{.note = "a\"b"}, {}}),
              "\"id\",\"note\"\r\n\"o-1\",\"a\"\"b\"\r\n\"o-1\",\"\"\r\n");
    EXPECT_EQ(OnlyFile(kTwoColumns + "lines: {delimiter: \";\"}", {{.note = "a;b,c"}}),
              "o-1;\"a;b,c\"\n");
    EXPECT_EQ(OnlyFile(kTwoColumns + "lines: {delimiter: \"\\t\", quoting: never}",
                       {{.note = "a,\"b\""}}),
              "o-1\ta,\"b\"\n");
    // One empty value is no empty line.
    EXPECT_EQ(OnlyFile("columns: [{name: n, value: note}]\nfile: {name: f}", {{}, {.note = "x"}}),
              "\"\"\nx\n");
}

TEST(WriterTest, RefusesWhatNeedsQuotesWhereThereAreNone) {
    const std::string yaml = kTwoColumns + "lines: {quoting: never}";
    EXPECT_EQ(
        Refused(yaml, {{}, {.note = "a,b"}}),
        "INVALID_ARGUMENT FILE_VALUE_NEEDS_QUOTES: row 2, column 2 (note): holds the delimiter "
        "or a line end, and the template has no quotes");
    EXPECT_THAT(Refused(yaml, {{.note = "\n"}}),
                StartsWith("INVALID_ARGUMENT FILE_VALUE_NEEDS_QUOTES: row 1, column 2"));
}

TEST(WriterTest, TextIsInTheTemplatesEncoding) {
    const std::string sjis = kTwoColumns + "text: {encoding: shift_jis";
    EXPECT_EQ(OnlyFile(sjis + "}\nlines: {quoting: always}", {{.note = "表\"〜"}}),
              "\"o-1\",\"\x95\x5C\"\"\x81\x60\"\n");
    EXPECT_EQ(OnlyFile(sjis + ", lacking: {replace: 〓}}", {{.note = "寿司🍣"}}),
              "o-1,\x8E\xF5\x8E\x69\x81\xAC\n");
    EXPECT_EQ(Refused(sjis + "}", {{}, {}, {.note = "寿司🍣"}}),
              "INVALID_ARGUMENT FILE_CHARACTER_LACKING: row 3, column 2 (note): the encoding lacks "
              "🍣 U+01F363");
    EXPECT_EQ(OnlyFile(kTwoColumns + "text: {encoding: utf-8-bom}\nheader: [names]", {{}}),
              "\xEF\xBB\xBFid,note\no-1,\n");
    EXPECT_EQ(Refused(kTwoColumns, {{.note = "a\xFF"}}),
              "INVALID_ARGUMENT FILE_TEXT_NOT_UTF8: row 1, column 2 (note): byte 2 is no UTF-8");
    EXPECT_EQ(Refused(kTwoColumns, {{.note = "\"\xFF"}}).substr(0, 36),
              "INVALID_ARGUMENT FILE_TEXT_NOT_UTF8:");
}

const std::string kFixed =
    "columns:\n"
    "  - {name: 番号, value: id, width: 20}\n"
    "  - {name: 額, value: amount, width: 12, pad: \"0\"}\n"
    "  - {name: 備考, value: note, width: 6, align: right, pad: \"*\"}\n"
    "lines: {layout: fixed, end: crlf}\n"
    "text: {encoding: shift_jis}\n"
    "file: {name: f}\n";

TEST(WriterTest, FixedLengthIsInBytes) {
    EXPECT_EQ(
        OnlyFile(kFixed + "header: [names]", {{.note = "表1"}, {.note = "決済中", .amount = -480}}),
        "\x94\xD4\x8D\x86                "
        "\x8A\x7A          "
        "\x94\xF5\x8D\x6C  \r\n"
        "o-1                 000000001200***\x95\x5C"
        "1\r\n"
        "o-1                 -00000000480\x8C\x88\x8D\xCF\x92\x86\r\n");
}

TEST(WriterTest, AFixedWidthIsNeverExceeded) {
    EXPECT_EQ(Refused(kFixed, {{}, {.note = "決済中1"}}),
              "INVALID_ARGUMENT FILE_VALUE_TOO_WIDE: row 2, column 3 (備考): takes 7 bytes, the "
              "width is 6");
    EXPECT_THAT(Refused(kFixed, {{.note = "a\nb"}}),
                StartsWith("INVALID_ARGUMENT FILE_VALUE_NEEDS_QUOTES: row 1, column 3"));
    EXPECT_EQ(Refused(kFixed + "trailer: [[{name: 件数, value: file.rows, width: 1}]]",
                      std::vector<Order>(10)),
              "INVALID_ARGUMENT FILE_VALUE_TOO_WIDE: a header or trailer, value (件数): takes 2 "
              "bytes, the width is 1");
}

TEST(WriterTest, FiltersLetRowsThrough) {
    const Template made = Made(kTwoColumns + "filters: [\"status != 'FAILED'\", \"amount > 0\"]");
    KeepingSink sink;
    Writer writer(made, SomeContext(), sink);
    for (const Order& order : {Order{.id = "a"}, Order{.id = "b", .status = 2},
                               Order{.id = "c", .amount = 0}, Order{.id = "d", .status = 1}}) {
        EXPECT_OK(writer.Append(order.Values()));
    }
    EXPECT_OK(writer.Finish());
    EXPECT_EQ(sink.files.at(0).bytes, "a,\nd,\n");
    EXPECT_EQ(writer.rows_given(), 4u);
    EXPECT_EQ(writer.rows_written(), 2u);
}

const std::string kTotals =
    "columns: [{name: id, value: id}, {name: 金額, value: \"if(status == 'REFUNDED', "
    "negate(amount), amount)\"}]\n"
    "header: [names, [{value: \"'H'\"}, {value: file.merchant_id}, {value: file.date, format: "
    "\"%Y%m%d\"}]]\n"
    "trailer: [[{value: \"'T'\"}, {value: file.rows}, {value: total(amount), format: \"#,##0\"}, "
    "{value: total(items)}]]\n";

TEST(WriterTest, HeadersAndTrailersCountAndSum) {
    const std::string yaml = kTotals + "file: {name: f}\n";
    const auto files = Files(yaml, {{}, {.status = 1, .amount = 300}});
    EXPECT_EQ(files.at(0).bytes, "id,金額\nH,m-1,20200130\no-1,1200\no-1,-300\nT,2,\"1,500\",6\n");
    const WrittenFile& file = files.at(0).file;
    EXPECT_EQ(file.name, "f");
    EXPECT_EQ(file.rows, 2u);
    EXPECT_EQ(file.bytes, files.at(0).bytes.size());
    EXPECT_EQ(file.text_bytes, file.bytes);
    EXPECT_EQ(std::string(file.sha256.begin(), file.sha256.end()), Sha256(files.at(0).bytes));
    EXPECT_THAT(file.totals, ElementsAre(ColumnTotal{"金額", Yen(900)}));
}

TEST(WriterTest, HeadersTellWhatWasCountedBefore) {
    const std::string yaml =
        "columns: [{name: id, value: id}]\n"
        "header: [[{value: \"'H'\"}, {value: file.rows}, {value: total(amount)}]]\n"
        "trailer: [[{value: total(items)}]]\n"
        "file: {name: \"f{part}\", split: {rows: 2}, compression: gzip}\n";
    const Template made = Made(yaml);
    EXPECT_TRUE(made.counts_in_header());
    EXPECT_FALSE(Made(kTwoColumns).counts_in_header());
    const auto append = [](Writer& writer, const std::vector<Order>& orders) {
        for (const Order& order : orders) {
            KESSAI_RETURN_IF_ERROR(writer.Append(order.Values()));
        }
        return writer.Finish();
    };
    const std::vector<Order> orders = {{.amount = 1}, {.amount = 20}, {.amount = 300}};
    Writer counting = Writer::Counting(made, SomeContext());
    EXPECT_OK(append(counting, orders));
    KeepingSink sink;
    Writer writer(made, SomeContext(), sink, counting.counts());
    EXPECT_OK(append(writer, orders));
    ASSERT_THAT(sink.files, SizeIs(2));
    EXPECT_EQ(Inflate(sink.files[0].bytes, 15 + 16), "H,2,21\no-1\no-1\n6\n");
    EXPECT_EQ(Inflate(sink.files[1].bytes, 15 + 16), "H,1,300\no-1\n3\n");

    // Rows that are not those that were counted.
    for (const std::vector<Order>& others :
         {std::vector<Order>{{.amount = 1}, {.amount = 21}, {.amount = 300}},
          std::vector<Order>{{.amount = 1}, {.amount = 20}},
          std::vector<Order>{{.amount = 1}, {.amount = 20}, {.amount = 300}, {.amount = 0}},
          std::vector<Order>(5)}) {
        Writer other(made, SomeContext(), sink, counting.counts());
        EXPECT_THAT(append(other, others),
                    testing::Refuses(Code::kFailedPrecondition, reason::kRowsChanged));
    }
    // No rows are counted too.
    Writer none = Writer::Counting(made, SomeContext());
    EXPECT_OK(append(none, {}));
    EXPECT_THAT(none.counts(), SizeIs(1));
}

TEST(WriterTest, TotalsDoNotWrap) {
    constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
    EXPECT_THAT(Refused(kTotals + "file: {name: f}\n", {{.amount = kMost}, {.amount = 1}}),
                StartsWith("OUT_OF_RANGE FILE_VALUE_OUT_OF_RANGE: row 2, a total: "));
}

TEST(WriterTest, WithoutRowsThereIsAFileOrNone) {
    EXPECT_EQ(OnlyFile(kTotals + "file: {name: f}\n", {}), "id,金額\nH,m-1,20200130\nT,0,0,0\n");
    EXPECT_THAT(Files(kTotals + "file: {name: f, when_empty: none}\n", {}), IsEmpty());
    const std::string filtered = "filters: [\"status == 'FAILED'\"]\n";
    EXPECT_THAT(Files(kTotals + filtered + "file: {name: f, when_empty: none}\n", {{}}), IsEmpty());
    EXPECT_THAT(Files(kTotals + filtered + "file: {name: f}\n", {{}}), SizeIs(1));
}

TEST(WriterTest, SplitsByRows) {
    const auto files = Files(
        "columns: [{name: id, value: id & '-' & file.part}]\nheader: [names]\n"
        "trailer: [[{value: file.rows}]]\n"
        "file: {name: \"f_{part:000}.csv\", split: {rows: 2}}\n",
        {{.id = "a"}, {.id = "b"}, {.id = "c"}, {.id = "d"}, {.id = "e"}});
    ASSERT_THAT(files, SizeIs(3));
    EXPECT_EQ(files[0].name, "f_001.csv");
    EXPECT_EQ(files[0].bytes, "id\na-1\nb-1\n2\n");
    EXPECT_EQ(files[1].bytes, "id\nc-2\nd-2\n2\n");
    EXPECT_EQ(files[2].bytes, "id\ne-3\n1\n");
    EXPECT_EQ(files[2].file.part, 3u);
}

TEST(WriterTest, SplitsByBytesBeforeTheTrailer) {
    const std::string yaml =
        "columns: [{name: id, value: file.part & id}]\nheader: [names]\n"
        "trailer: [[{value: total(items)}]]\n"
        "file: {name: \"f{part}\", split: {bytes: 11}}\n";
    const auto files = Files(yaml, {{.id = "aa"}, {.id = "bb"}, {.id = "a long one"}, {.id = "c"}});
    ASSERT_THAT(files, SizeIs(3));
    EXPECT_EQ(files[0].bytes, "id\n1aa\n1bb\n6\n");
    // Longer than allowed by itself.
    EXPECT_EQ(files[1].bytes, "id\n2a long one\n3\n");
    EXPECT_EQ(files[2].bytes, "id\n3c\n3\n");
}

TEST(WriterTest, SplitsByAFieldWhoseRowsComeInOrder) {
    const std::string yaml =
        "columns: [{name: id, value: id}, {name: shop, value: file.split}]\n"
        "file: {name: \"f_{split}_{part}\", split: {by: shop, rows: 2}}\n";
    const auto files =
        Files(yaml, {{.shop = ""}, {.shop = "a"}, {.shop = "a"}, {.shop = "a"}, {.shop = "b"}});
    ASSERT_THAT(files, SizeIs(4));
    EXPECT_EQ(files[0].name, "f__1");
    EXPECT_EQ(files[1].name, "f_a_2");
    EXPECT_EQ(files[1].bytes, "o-1,a\no-1,a\n");
    EXPECT_EQ(files[2].name, "f_a_3");
    EXPECT_EQ(files[3].name, "f_b_4");
    EXPECT_EQ(files[3].file.split_value, "b");
    EXPECT_EQ(files[3].bytes, "o-1,b\n");
    KeepingSink sink;
    EXPECT_THAT(Write(Made(yaml), {{.shop = "b"}, {.shop = "a"}}, sink),
                testing::Refuses(Code::kFailedPrecondition, reason::kRowsOutOfOrder));
}

TEST(WriterTest, NamesAreMadeOfWhatIsKnown) {
    const auto name = [](const std::string& pattern, std::string_view shop = "s-1") {
        KeepingSink sink;
        const Status status = Write(Made("columns: [{name: id, value: id}]\nfile: {name: \"" +
                                         pattern + "\", split: {by: shop}}\n"),
                                    {{.shop = shop}}, sink);
        return status.ok() ? sink.files.at(0).name : std::string(status.reason());
    };
    EXPECT_EQ(name("transaction_{merchant_id}_{from}_{to}_v2_{split}.csv"),
              "transaction_m-1_20200130000000_20200130235959_v2_s-1.csv");
    EXPECT_EQ(name("売上_{date}_{version:00}_{part}"), "売上_20200130_01_1");
    EXPECT_EQ(name("{split}", "../etc"), reason::kFileNameInvalid);
    EXPECT_EQ(name("{split}", ".hidden"), reason::kFileNameInvalid);
    EXPECT_EQ(name("{split}", "a/b"), reason::kFileNameInvalid);
    EXPECT_EQ(name("{split}", ""), reason::kFileNameInvalid);
    EXPECT_EQ(name("{split}", "a\nb"), reason::kFileNameInvalid);
    EXPECT_EQ(name("{split}", "\xFF"), reason::kFileNameInvalid);
    EXPECT_EQ(name("{split}", std::string(252, 'x')), reason::kFileNameInvalid);
}

TEST(WriterTest, GzipHasNoTimeInIt) {
    const std::string yaml =
        kTwoColumns.substr(0, kTwoColumns.find("file:")) +
        "file: {name: \"f_{part}.csv\", compression: gzip, split: {rows: 3}}\n";
    const auto files = Files(yaml, std::vector<Order>(5, Order{.note = "決済"}));
    ASSERT_THAT(files, SizeIs(2));
    EXPECT_EQ(files[1].name, "f_2.csv.gz");
    EXPECT_EQ(Inflate(files[0].bytes, 15 + 16), "o-1,決済\no-1,決済\no-1,決済\n");
    EXPECT_EQ(Inflate(files[1].bytes, 15 + 16), "o-1,決済\no-1,決済\n");
    EXPECT_EQ(files[0].bytes.substr(0, 10), std::string("\x1F\x8B\x08\0\0\0\0\0\0\xFF", 10));
    EXPECT_EQ(files[0].file.text_bytes, 33u);
    EXPECT_EQ(files[0].file.bytes, files[0].bytes.size());
    const auto& hash = files[0].file.sha256;
    EXPECT_EQ(std::string(hash.begin(), hash.end()), Sha256(files[0].bytes));
}

std::uint32_t Little(std::string_view bytes, std::size_t at, int size) {
    std::uint32_t value = 0;
    for (int i = size - 1; i >= 0; --i) {
        value = value << 8 | static_cast<unsigned char>(bytes.at(at + static_cast<unsigned>(i)));
    }
    return value;
}

/// Name and text of each entry, found by the archive's directory.
std::vector<std::pair<std::string, std::string>> Unzip(const std::string& archive) {
    const std::size_t end = archive.size() - 22;
    EXPECT_EQ(Little(archive, end, 4), 0x06054b50u);
    std::size_t at = Little(archive, end + 16, 4);
    EXPECT_EQ(at + Little(archive, end + 12, 4), end);
    std::vector<std::pair<std::string, std::string>> entries;
    for (std::uint32_t count = Little(archive, end + 10, 2); count > 0; --count) {
        EXPECT_EQ(Little(archive, at, 4), 0x02014b50u);
        EXPECT_EQ(Little(archive, at + 8, 2), 0x0808u);
        EXPECT_EQ(Little(archive, at + 12, 4), 0x0021'0000u);  // 1980-01-01 00:00
        const std::string name = archive.substr(at + 46, Little(archive, at + 28, 2));
        const std::size_t local = Little(archive, at + 42, 4);
        EXPECT_EQ(archive.substr(local + 30, name.size()), name);
        const std::string text = Inflate(
            std::string_view(archive).substr(local + 30 + name.size(), Little(archive, at + 20, 4)),
            -15);
        EXPECT_EQ(text.size(), Little(archive, at + 24, 4));
        EXPECT_EQ(
            crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size())),
            Little(archive, at + 16, 4));
        entries.emplace_back(name, text);
        at += 46 + name.size();
    }
    return entries;
}

TEST(WriterTest, ZipIsAFileAPartOrOneArchive) {
    const std::string columns = "columns: [{name: 額, value: amount}]\n";
    const std::vector<Order> orders = {{.shop = "a"}, {.shop = "b"}, {.shop = "b", .amount = -200}};
    const auto each =
        Files(columns + "file: {name: \"売上_{split}.csv\", compression: zip, split: {by: shop}}\n",
              orders);
    ASSERT_THAT(each, SizeIs(2));
    EXPECT_EQ(each[1].name, "売上_b.csv.zip");
    EXPECT_THAT(Unzip(each[1].bytes),
                ElementsAre(std::pair<std::string, std::string>("売上_b.csv", "1200\n-200\n")));

    const auto one = Files(columns +
                               "file: {name: \"売上_{split}.csv\", compression: zip, archive: "
                               "\"{merchant_id}.zip\", split: {by: shop}}\n",
                           orders);
    ASSERT_THAT(one, SizeIs(1));
    EXPECT_EQ(one[0].name, "m-1.zip");
    using Entry = std::pair<std::string, std::string>;
    EXPECT_THAT(Unzip(one[0].bytes),
                ElementsAre(Entry("売上_a.csv", "1200\n"), Entry("売上_b.csv", "1200\n-200\n")));
    EXPECT_EQ(one[0].file.rows, 3u);
    EXPECT_EQ(one[0].file.text_bytes, 15u);
    EXPECT_THAT(one[0].file.totals, ElementsAre(ColumnTotal{"額", Yen(2'200)}));
}

TEST(WriterTest, AnArchiveHasItsBounds) {
    const Template made = Made(
        "columns: [{name: n, value: id}]\n"
        "file: {name: \"f{part}\", split: {rows: 1}, compression: zip, archive: f.zip}\n");
    KeepingSink sink;
    EXPECT_THAT(Write(made, std::vector<Order>(65'535), sink),
                testing::Refuses(Code::kOutOfRange, reason::kArchiveTooLarge));
    EXPECT_OK(Write(made, std::vector<Order>(65'534), sink));
    EXPECT_THAT(Unzip(sink.files.at(1).bytes), SizeIs(65'534));
}

TEST(WriterTest, LongFilesStreamInPieces) {
    const std::string note(100'000, 'x');
    KeepingSink sink;
    ASSERT_OK(Write(Made(kTwoColumns), std::vector<Order>(30, Order{.note = note}), sink));
    EXPECT_EQ(sink.files.at(0).bytes.size(), 30u * (note.size() + 5));
    EXPECT_EQ(sink.files.at(0).file.text_bytes, sink.files.at(0).bytes.size());
}

TEST(WriterTest, ASinkThatRefusesEndsIt) {
    KeepingSink sink;
    sink.refusal = Status(Code::kUnavailable, "STORE_FULL", "no space");
    EXPECT_EQ(Write(Made(kTwoColumns), {{}}, sink), sink.refusal);
}

TEST(WriterTest, TheSameRowsAreTheSameBytes) {
    const std::string yaml =
        kTotals + "file: {name: \"{part}\", compression: zip, split: {rows: 7}}\n";
    const std::vector<Order> orders(100, Order{.note = "決済"});
    const auto first = Files(yaml, orders);
    const auto second = Files(yaml, orders);
    ASSERT_EQ(first.size(), second.size());
    for (std::size_t i = 0; i < first.size(); ++i) {
        EXPECT_EQ(first[i].bytes, second[i].bytes);
        EXPECT_EQ(first[i].file, second[i].file);
    }
}

}  // namespace
}  // namespace kessai::filetemplate
