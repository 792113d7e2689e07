// Goal: whatever the order and the threads that rows come by, whatever the memory, the same rows
// are the same files; each merchant's are whole or not there, and one that cannot be made holds
// nobody up. Method: made rows of some merchants through fake ports, held against a Writer that
// gets one merchant's rows in order; runs that end at any of their steps, and are run again. Seeds
// are printed.

#include "app/make_files.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <filesystem>
#include <random>

#include "app/row_blocks.h"
#include "app/row_codec.h"
#include "kessai/testing/matchers.h"
#include "kessai/testing/temp_dir.h"
#include "tests/fake_files.h"

namespace kessai::reconciliation {
namespace {

using app::FileOrder;
using domain::MerchantId;
using filetemplate::Template;
using testing::IsOk;
using testing::Refuses;

const BusinessDate kDay = BusinessDate::FromNumber(20200130).value();

Template Parse(std::string_view yaml) {
    const auto parsed = Template::Parse(yaml, FileSources());
    KESSAI_CHECK(parsed.ok(), parsed.status().ToString());
    return *parsed;
}

const std::string kPlain = R"(
source: transactions
columns:
  - {name: order, value: order_id}
  - {name: at, value: accepted_at, format: "%H:%M:%S"}
  - {name: amount, value: amount}
  - {name: store, value: store_id}
header: [names]
file: {name: "{merchant_id}_{date:%Y%m%d}.csv", when_empty: file}
)";
const std::string kSplit = R"(
source: transactions
columns: [{name: order, value: order_id}, {name: amount, value: amount}]
header: [[{value: "'H'"}, {value: file.split}, {value: file.rows}, {value: total(amount)}]]
file: {name: "{merchant_id}_{split}_{part}.csv", when_empty: none, split: {by: store_id, rows: 7}}
)";
const std::string kFixed = R"(
source: transactions
columns: [{name: receipt, value: order_receipt_number, width: 6}]
lines: {layout: fixed}
file: {name: "{merchant_id}.txt", when_empty: none}
)";

class MakeFilesTest : public ::testing::Test {
 protected:
    MakeFilesTest() : random_(seed_) {}

    std::size_t Pick(std::size_t below) { return random_() % below; }

    /// Times repeat, so that ids decide; a payment has several steps at one time.
    void GivenRows(std::size_t count, std::size_t merchants) {
        static constexpr std::string_view kStores[] = {"", "a", "shop", "shop-1", "shop-10", "店"};
        for (std::size_t i = 0; i < count; ++i) {
            Given given;
            given.merchant = MerchantId(static_cast<std::int64_t>(1 + Pick(merchants)));
            given.id = 1'000 + static_cast<std::int64_t>(i / 2);
            given.step = 1 + static_cast<std::uint32_t>(i % 2);
            // The steps of a payment are of one merchant.
            if (i % 2 == 1) given.merchant = given_.back().merchant;
            given.order_id = std::to_string(given.id);
            given.made.accepted_at_us += static_cast<std::int64_t>(Pick(50)) * 1'000'000;
            given.made.amount = static_cast<std::int64_t>(Pick(10'000));
            given.made.store_id = kStores[Pick(std::size(kStores))];
            given_.push_back(given);
            given_.back().made.order_id = given_.back().order_id;
        }
        for (const Given& given : given_) {
            rows_.Add(given.merchant, given.id, given.step, given.made);
        }
    }

    /// What the writer makes of each merchant's rows in their documented order.
    std::map<std::string, std::string> Expected(const Template& file_template) {
        std::map<MerchantId, std::vector<const Given*>> by_merchant;
        for (const Given& given : given_) by_merchant[given.merchant].push_back(&given);
        const bool by_store = file_template.split_field() == "store_id";
        std::map<std::string, std::string> files;
        FakeProgress names;
        for (auto& [merchant, rows] : by_merchant) {
            std::sort(rows.begin(), rows.end(), [&](const Given* a, const Given* b) {
                const auto key = [&](const Given* g) {
                    return std::tuple(by_store ? g->made.store_id : "", g->made.accepted_at_us,
                                      g->id, g->step);
                };
                return key(a) < key(b);
            });
            filetemplate::FileContext context;
            context.merchant_id = merchant.ToString();
            context.date = kDay;
            context.period = file_template.PeriodOf(kDay);
            std::vector<filetemplate::PartCount> counts;
            if (file_template.counts_in_header()) {
                auto counting = filetemplate::Writer::Counting(file_template, context);
                for (const Given* row : rows) EXPECT_OK(counting.Append(row->made.Row()));
                EXPECT_OK(counting.Finish());
                counts = counting.counts();
            }
            Sink sink{files, names, merchant};
            filetemplate::Writer writer(file_template, context, sink, std::move(counts));
            for (const Given* row : rows) EXPECT_OK(writer.Append(row->made.Row()));
            EXPECT_OK(writer.Finish());
        }
        return files;
    }

    app::MakeFilesOptions Options(int threads = 3, std::size_t memory = std::size_t{256} << 20) {
        return {.work_folder = folder_.path(), .memory_max = memory, .threads = threads};
    }
    Result<app::FileRunTotals> Make(const Template& file_template,
                                    const app::MakeFilesOptions& options,
                                    std::vector<MerchantId> also = {}) {
        return app::MakeFiles({file_template, kDay}, rows_, store_, progress_, options, also);
    }

    struct Given {
        MerchantId merchant;
        std::int64_t id = 0;
        std::uint32_t step = 0;
        std::string order_id;
        MadeTransaction made;
    };
    struct Sink final : filetemplate::FileSink {
        Sink(std::map<std::string, std::string>& f, FakeProgress& n, MerchantId m)
            : files(f), names(n), merchant(m) {}
        Status Begin(const std::string& name) override {
            key = names.KeyOf(merchant, name);
            return OkStatus();
        }
        Status Write(std::string_view bytes) override {
            files[key] += bytes;
            return OkStatus();
        }
        Status End(const filetemplate::WrittenFile&) override { return OkStatus(); }
        std::map<std::string, std::string>& files;
        FakeProgress& names;
        MerchantId merchant;
        std::string key;
    };

    const unsigned seed_ = std::random_device{}();
    std::mt19937_64 random_;
    testing::TempDir folder_;
    std::deque<Given> given_;
    FakeFileRows rows_;
    MemoryStore store_;
    FakeProgress progress_;
};

TEST_F(MakeFilesTest, TheSameRowsAreTheSameFilesHoweverTheyCome) {
    SCOPED_TRACE("seed " + std::to_string(seed_));
    GivenRows(90'000, 60);
    for (const std::string& yaml : {kPlain, kSplit}) {
        const Template file_template = Parse(yaml);
        const auto expected = Expected(file_template);
        for (const int threads : {1, 2, 5}) {
            for (const std::size_t memory : {std::size_t{1}, std::size_t{256} << 20}) {
                rows_.Shuffle(static_cast<unsigned>(random_()));
                MemoryStore store;
                store.together = 1 + Pick(2) * Pick(40);
                FakeProgress progress;
                const auto totals = app::MakeFiles({file_template, kDay}, rows_, store, progress,
                                                   Options(threads, memory));
                ASSERT_OK(totals);
                EXPECT_TRUE(store.files() == expected) << threads << " threads";
                EXPECT_EQ(totals->merchants, 60u);
                EXPECT_EQ(totals->files, expected.size());
                EXPECT_EQ(totals->rows, given_.size());
                EXPECT_EQ(totals->rows_read, given_.size());
                EXPECT_EQ(totals->spilled_runs > 0, memory == 1);
                EXPECT_EQ(progress.made.size(), 60u);
                EXPECT_EQ(store.halves(), 0);
            }
        }
    }
    EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

// Its rows are printed by several threads: whole files, with totals before them, and in parts that
// end among the rows that are printed at once.
TEST_F(MakeFilesTest, OneMerchantWithNearlyAllRows) {
    SCOPED_TRACE("seed " + std::to_string(seed_));
    GivenRows(60'000, 1);
    const std::string columns = R"(
source: transactions
filters: ["amount != 5"]
columns: [{name: order, value: order_id}, {name: amount, value: amount}]
)";
    const std::string counted = columns + R"(
header: [[{value: file.rows}, {value: total(amount)}], names]
trailer: [[{value: total(amount)}]]
file: {name: "{merchant_id}.csv"}
)";
    const std::string by_rows = columns + R"(
file: {name: "{merchant_id}_{part}.csv", split: {rows: 4321}}
)";
    const std::string by_bytes = columns + R"(
file: {name: "{merchant_id}_{part}.csv.gz", split: {bytes: 100KiB}, compression: gzip}
)";
    for (const std::string& yaml : {kPlain, counted, by_rows, by_bytes}) {
        const Template file_template = Parse(yaml);
        for (const int threads : {1, 2, 5}) {
            MemoryStore store;
            FakeProgress progress;
            rows_.Shuffle(static_cast<unsigned>(random_()));
            ASSERT_OK(
                app::MakeFiles({file_template, kDay}, rows_, store, progress, Options(threads, 1)));
            EXPECT_TRUE(store.files() == Expected(file_template)) << yaml;
        }
    }
}

// Printed ahead or not, a refusal names the row.
TEST_F(MakeFilesTest, ARefusalNamesTheRowHoweverManyThreadsPrint) {
    constexpr int kRows = 30'000;
    constexpr int kWide = 23'456;
    MadeTransaction good;
    good.receipt = "R-1";
    MadeTransaction wide = good;
    wide.receipt = "longer than six";
    for (int i = 1; i <= kRows; ++i) rows_.Add(MerchantId(4), i, 1, i == kWide ? wide : good);
    for (const int threads : {1, 4}) {
        FakeProgress progress;
        rows_.Shuffle(static_cast<unsigned>(threads));
        ASSERT_OK(app::MakeFiles({Parse(kFixed), kDay}, rows_, store_, progress, Options(threads)));
        const std::string message(progress.refused.at(MerchantId(4)).message());
        EXPECT_EQ(message.find("row " + std::to_string(kWide) + ", "), 0u) << message;
        EXPECT_TRUE(store_.files().empty());
    }
}

TEST(RowBlocksTest, AMerchantsGroupIsItsOwn) {
    const unsigned seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    for (int i = 0; i < 100'000; ++i) {
        const MerchantId merchant(static_cast<std::int64_t>(random() >> random() % 64));
        ASSERT_EQ(app::MerchantOf(app::GroupOf(merchant)), merchant);
    }
}

TEST(RowBlocksTest, RowsComeBackAsTheyWereAndPlacesCompareAsTheyDo) {
    const unsigned seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    const auto number = [&random] { return static_cast<std::int64_t>(random() << random() % 60); };
    app::RowBlock block;
    std::vector<app::PackedRow> rows;
    std::deque<std::string> texts;
    std::vector<std::string> keys;
    for (int i = 0; i < 2'000; ++i) {
        texts.emplace_back(random() % 40, static_cast<char>(random()));
        rows.push_back({MerchantId(1 + i / 300), number(), number(),
                        static_cast<std::uint32_t>(random()), texts.back()});
        keys.emplace_back(random() % 3, 'k');
        app::AppendPlace(rows.back(), keys.back());
        block.Add(rows.back().merchant, keys.back(), rows.back().bytes);
    }
    ASSERT_EQ(block.rows(), rows.size());
    std::size_t index = 0;
    const auto place = [](const app::PackedRow& row) {
        return std::tuple(row.accepted_us, row.id, row.step);
    };
    for (const auto& [merchant, end] : block.stretches()) {
        for (; index < end; ++index) {
            const app::PackedRow row = block.Row(merchant, index);
            EXPECT_EQ(row.merchant, rows[index].merchant);
            EXPECT_EQ(row.bytes, rows[index].bytes);
            EXPECT_EQ(place(row), place(rows[index]));
            std::string here;
            std::string there;
            const app::PackedRow& other = rows[random() % rows.size()];
            app::AppendPlace(row, here);
            app::AppendPlace(other, there);
            EXPECT_EQ(here < there, place(row) < place(other));
        }
    }
    EXPECT_EQ(index, rows.size());
}

TEST_F(MakeFilesTest, AsksForWhatTheTemplateReadsOnly) {
    ASSERT_OK(Make(Parse(kPlain), Options()));
    const app::FileQuery& query = rows_.last_query();
    EXPECT_EQ(query.source, "transactions");
    EXPECT_EQ(query.business_date, kDay);
    EXPECT_TRUE(query.fields[static_cast<std::size_t>(TransactionField::kOrderId)]);
    EXPECT_FALSE(query.fields[static_cast<std::size_t>(TransactionField::kBrandName)]);
    // A cut-off of its own: by time.
    ASSERT_OK(
        Make(Parse(kPlain + "day: {time_zone: Asia/Tokyo, cut_off: \"18:00\"}\n"), Options()));
    EXPECT_EQ(rows_.last_query().business_date, std::nullopt);
    EXPECT_EQ(rows_.last_query().period.to, kDay.At(std::chrono::hours(18)));
    EXPECT_EQ(rows_.last_query().period.from, kDay.Previous().At(std::chrono::hours(18)));
    // What it is split by comes, though nothing prints it.
    ASSERT_OK(Make(Parse(R"(
source: transactions
columns: [{name: order, value: order_id}]
file: {name: "{merchant_id}_{split}.csv", when_empty: none, split: {by: store_id}}
)"),
                   Options()));
    EXPECT_TRUE(rows_.last_query().fields[static_cast<std::size_t>(TransactionField::kStoreId)]);
}

TEST_F(MakeFilesTest, MerchantsWithoutRowsGetTheEmptyFileOrNone) {
    GivenRows(10, 1);
    const std::vector<MerchantId> also{MerchantId(1), MerchantId(50), MerchantId(51),
                                       MerchantId(50)};
    progress_.unwanted = {MerchantId(51)};
    ASSERT_OK_AND_ASSIGN(const auto totals, Make(Parse(kPlain), Options(), also));
    EXPECT_EQ(totals.merchants, 2u);
    EXPECT_EQ(store_.files().at("2020-01-30/50/50_20200130.csv"), "order,at,amount,store\n");
    EXPECT_EQ(store_.files().size(), 2u);

    FakeProgress progress;
    MemoryStore store;
    ASSERT_OK(app::MakeFiles({Parse(kSplit), kDay}, rows_, store, progress, Options(),
                             std::span(also).subspan(1, 1)));
    // Noted all the same: it is done.
    EXPECT_TRUE(progress.made.at(MerchantId(50)).empty());
    EXPECT_FALSE(progress.made.at(MerchantId(1)).empty());
}

TEST_F(MakeFilesTest, UnwantedMerchantsGetNothing) {
    GivenRows(1'000, 5);
    progress_.unwanted = {MerchantId(2), MerchantId(4)};
    ASSERT_OK_AND_ASSIGN(const auto totals, Make(Parse(kPlain), Options()));
    EXPECT_EQ(totals.merchants, 3u);
    EXPECT_LT(totals.rows_read, 1'000u);
    EXPECT_FALSE(progress_.made.contains(MerchantId(2)));
    EXPECT_EQ(store_.files().size(), 3u);
}

TEST_F(MakeFilesTest, WhatCannotBeWrittenHoldsNobodyUp) {
    GivenRows(3'000, 9);
    MadeTransaction wide;
    wide.receipt = "longer than six";
    rows_.Add(MerchantId(4), 999'999, 1, wide);
    for (Given& given : given_) given.made.receipt = "R-1";
    FakeFileRows rows;
    for (const Given& given : given_) rows.Add(given.merchant, given.id, given.step, given.made);
    rows.Add(MerchantId(4), 1, 1, wide);
    ASSERT_OK_AND_ASSIGN(const auto totals,
                         app::MakeFiles({Parse(kFixed), kDay}, rows, store_, progress_, Options()));
    EXPECT_EQ(totals.refused, 1u);
    EXPECT_EQ(totals.merchants, 8u);
    ASSERT_TRUE(progress_.refused.contains(MerchantId(4)));
    EXPECT_EQ(progress_.refused.at(MerchantId(4)).reason(), "FILE_VALUE_TOO_WIDE");
    EXPECT_FALSE(store_.files().contains("2020-01-30/4/4.txt"));
    EXPECT_EQ(store_.files().size(), 8u);
    EXPECT_EQ(store_.halves(), 0);
}

TEST_F(MakeFilesTest, TheStoresRefusalEndsTheRunAndTheNextGoesOn) {
    SCOPED_TRACE("seed " + std::to_string(seed_));
    GivenRows(3'000, 40);
    const Template file_template = Parse(kSplit);
    const auto expected = Expected(file_template);
    // At any step of any merchant, again and again until one gets through.
    int ended = 0;
    for (int attempt = 0; attempt < 200; ++attempt) {
        std::atomic<int> steps_left = static_cast<int>(Pick(200)) + attempt * 20;
        const auto step = [&]() -> Status {
            return --steps_left > 0 ? OkStatus()
                                    : Status(Code::kResourceExhausted, "STORE_FULL", "no room");
        };
        store_.before_write = store_.before_commit = [&](const std::string&) { return step(); };
        progress_.before_made = [&](MerchantId) { return step(); };
        store_.together = 1 + Pick(2) * Pick(20);
        rows_.Shuffle(static_cast<unsigned>(random_()));
        const auto totals = Make(file_template, Options(3, Pick(2) == 0 ? 1 : 1 << 28));
        EXPECT_EQ(store_.halves(), 0);
        // Only whole files, ever.
        for (const auto& [key, bytes] : store_.files()) {
            ASSERT_TRUE(expected.contains(key)) << key;
            ASSERT_EQ(bytes, expected.at(key)) << key;
        }
        // What was told as made is there.
        for (const auto& [merchant, files] : progress_.made) {
            for (const auto& file : files) ASSERT_TRUE(store_.files().contains(file.key));
        }
        if (totals.ok()) break;
        EXPECT_THAT(totals, Refuses(Code::kResourceExhausted, "STORE_FULL"));
        ++ended;
    }
    EXPECT_GT(ended, 0);
    EXPECT_EQ(progress_.made.size(), 40u);
    EXPECT_TRUE(store_.files() == expected);
}

TEST_F(MakeFilesTest, TheReadersRefusalEndsTheRunBeforeAnyFile) {
    GivenRows(1'000, 5);
    rows_.FailAfter(500, Status(Code::kUnavailable, "PEER_GONE", "payment is away"));
    EXPECT_THAT(Make(Parse(kPlain), Options()), Refuses(Code::kUnavailable, "PEER_GONE"));
    EXPECT_TRUE(store_.files().empty());
    EXPECT_TRUE(progress_.made.empty());
}

TEST_F(MakeFilesTest, AMissingWorkFolderIsSaid) {
    GivenRows(30'000, 5);
    auto options = Options(1, 1);
    options.work_folder = folder_.Path("none");
    EXPECT_THAT(Make(Parse(kPlain), options), Refuses(Code::kUnavailable, "WORK_FOLDER_FAILED"));
}

TEST_F(MakeFilesTest, StopsWhenItIsTold) {
    GivenRows(3'000, 200);
    std::stop_source stop;
    auto options = Options();
    options.stop = stop.get_token();
    progress_.before_made = [&](MerchantId) {
        stop.request_stop();
        return OkStatus();
    };
    EXPECT_THAT(Make(Parse(kPlain), options), Refuses(Code::kCancelled, "STOPPED"));
    EXPECT_LT(progress_.made.size(), 200u);
    EXPECT_EQ(store_.halves(), 0);
    EXPECT_THAT(Make(Parse(kPlain), options), Refuses(Code::kCancelled, "STOPPED"));
}

TEST_F(MakeFilesTest, APreviewIsTheFileOfSomeRows) {
    GivenRows(400, 2);
    const Template file_template = Parse(kSplit);
    ASSERT_OK_AND_ASSIGN(const auto whole, app::PreviewFile({file_template, kDay, MerchantId(1)},
                                                            rows_, given_.size()));
    EXPECT_FALSE(whole.is_cut);
    const auto expected = Expected(file_template);
    std::uint64_t rows = 0;
    for (const auto& file : whole.files) {
        EXPECT_EQ(file.bytes, expected.at("2020-01-30/1/" + file.name));
        rows += file.rows;
    }
    EXPECT_EQ(rows, whole.rows_read);
    ASSERT_OK_AND_ASSIGN(const auto cut,
                         app::PreviewFile({file_template, kDay, MerchantId(1)}, rows_, 10));
    EXPECT_TRUE(cut.is_cut);
    EXPECT_EQ(cut.rows_read, 10u);
    EXPECT_TRUE(store_.files().empty());
}

// Goal: what the sort compares as bytes is the order that the writer wants.
TEST(RowCodecTest, OrderedValuesCompareAsTheyDo) {
    using filetemplate::Value;
    const std::vector<std::string> texts{"",
                                         std::string(1, '\0'),
                                         std::string("\0\0", 2),
                                         std::string("\0\1", 2),
                                         "\1",
                                         "a",
                                         std::string("a\0", 2),
                                         std::string("a\0b", 3),
                                         "a\1",
                                         "ab",
                                         "b",
                                         "店",
                                         "\xFF"};
    const auto ordered = [](const Value& value) {
        std::string bytes;
        app::AppendOrderedValue(value, bytes);
        // Whatever follows.
        return bytes + "\x80";
    };
    for (const std::string& a : texts) {
        EXPECT_LT(ordered(Value()), ordered(Value::Text(a)));
        for (const std::string& b : texts) {
            EXPECT_EQ(a < b, ordered(Value::Text(a)) < ordered(Value::Text(b)));
        }
    }
    const std::vector<std::int64_t> numbers{INT64_MIN, -256, -1, 0, 1, 255, 256, INT64_MAX};
    for (const std::int64_t a : numbers) {
        for (const std::int64_t b : numbers) {
            EXPECT_EQ(a < b, ordered(Value::Integer(a)) < ordered(Value::Integer(b)));
        }
    }
}

TEST(RowCodecTest, RowsComeBackAsTheyWere) {
    for (const filetemplate::Schema& schema : FileSources()) {
        std::mt19937_64 random(schema.fields.size());
        for (int round = 0; round < 500; ++round) {
            std::vector<bool> fields;
            std::vector<filetemplate::Value> row;
            std::deque<std::string> texts;
            for (const filetemplate::Field& field : schema.fields) {
                using filetemplate::Type;
                using filetemplate::Value;
                fields.push_back(random() % 4 != 0);
                const auto number = static_cast<std::int64_t>(random() >> random() % 64);
                texts.push_back(std::string(random() % 300, 'x'));
                if (random() % 5 == 0) {
                    row.emplace_back();
                } else if (field.type == Type::kText) {
                    row.push_back(Value::Text(texts.back()));
                } else if (field.type == Type::kJson) {
                    row.push_back(Value::Json(texts.back()));
                } else if (field.type == Type::kInteger) {
                    row.push_back(Value::Integer(number));
                } else if (field.type == Type::kMoney) {
                    row.push_back(Value::Of(Yen(number)));
                } else if (field.type == Type::kInstant) {
                    row.push_back(Value::Of(FromMicros(number)));
                } else if (field.type == Type::kDate) {
                    row.push_back(Value::Of(kDay.PlusDays(static_cast<int>(number % 1'000))));
                } else if (field.type == Type::kEnum) {
                    row.push_back(Value::Enum(random() % field.values.size()));
                } else if (field.type == Type::kEnumSet) {
                    row.push_back(Value::EnumSet(random()));
                } else {
                    row.push_back(Value::Boolean(number % 2 != 0));
                }
            }
            app::RowCodec codec(schema, fields);
            std::string bytes;
            codec.Append(row, bytes);
            ASSERT_OK_AND_ASSIGN(const auto back, codec.Read(bytes));
            ASSERT_EQ(back.size(), row.size());
            for (std::size_t i = 0; i < row.size(); ++i) {
                if (!fields[i]) {
                    EXPECT_TRUE(back[i].is_empty());
                    continue;
                }
                ASSERT_EQ(back[i].is_empty(), row[i].is_empty());
                if (row[i].is_empty()) continue;
                EXPECT_EQ(back[i].type(), row[i].type());
                EXPECT_EQ(back[i].text(), row[i].text());
                EXPECT_EQ(back[i].number(), row[i].number());
                EXPECT_EQ(back[i].currency(), row[i].currency());
            }
            // Cut short anywhere, it is damaged or another row, never beyond its bytes.
            if (!bytes.empty())
                (void)codec.Read(std::string_view(bytes).substr(0, bytes.size() / 2));
        }
    }
}

}  // namespace
}  // namespace kessai::reconciliation
