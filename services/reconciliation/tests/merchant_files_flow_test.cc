// Goal: every merchant gets its files of a closed day, whole, once, announced; a kill, a store that
// is full and a second run at once change nothing of that; corrections stand beside what they
// correct. Method: the use cases over a real MariaDB and a real folder; rows are what a test says;
// the clock too.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "app/file_templates.h"
#include "app/merchant_files.h"
#include "app/order_files.h"
#include "app/run_files.h"
#include "domain/content_hash.h"
#include "domain/file_sources.h"
#include "kessai/auth/key_ring.h"
#include "kessai/auth/token.h"
#include "kessai/filestore/directory_store.h"
#include "kessai/metrics/registry.h"
#include "kessai/reconciliation/v1/file_service.pb.h"
#include "kessai/rpc/call.h"
#include "kessai/rpc/channel.h"
#include "kessai/rpc/server.h"
#include "kessai/testing/temp_dir.h"
#include "storage/mysql_file_books.h"
#include "tests/fake_file_rows.h"
#include "tests/reconciliation_fixture.h"
#include "transport/file_metrics.h"
#include "transport/file_service.h"
#include "transport/file_worker.h"

namespace kessai::reconciliation {
namespace {

using domain::FileRunState;
using domain::MerchantFile;
using domain::MerchantId;
using kessai::testing::IsOk;
using kessai::testing::Refuses;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Mode = domain::FileAssignmentMode;

constexpr char kOwn[] =
    "source: transactions\n"
    "columns:\n"
    "  - {name: id, value: order_id}\n"
    "  - {name: amount, value: amount}\n"
    "header: [names]\n"
    "file: {name: 'sales_{merchant_id}_{date}.csv', when_empty: none}\n";
// A store's name longer than eight bytes does not fit.
constexpr char kNarrow[] =
    "source: transactions\n"
    "columns: [{name: store, value: store_name, width: 8}]\n"
    "lines: {layout: fixed}\n"
    "file: {name: 'narrow_{merchant_id}'}\n";

BusinessDate Day(int after = 0) {
    return BusinessDate::FromNumber(20200130).value().PlusDays(after);
}

/// Merchants in payment.
class FakeMerchants final : public app::MerchantDirectory {
 public:
    Status Check(MerchantId merchant) override {
        if (!refusal.ok()) return refusal;
        if (merchant.value() < 1'000) return OkStatus();
        return Status(Code::kNotFound, "MERCHANT_UNKNOWN", "no such merchant");
    }
    Status refusal;
};

/// A store that takes so many files, and no more until somebody makes room.
class FullStore final : public filestore::FileStore {
 public:
    explicit FullStore(filestore::FileStore& store) : store_(store) {}
    Result<std::unique_ptr<filestore::FileWriter>> Create(const std::string& key) override {
        std::lock_guard lock(mutex_);
        ++created[key];
        if (on_create) on_create();
        if (room == 0) {
            return Status(Code::kResourceExhausted, filestore::reason::kStoreFull, "no space left");
        }
        --room;
        return store_.Create(key);
    }
    Result<std::unique_ptr<filestore::FileReader>> Open(const std::string& key,
                                                        std::uint64_t offset) override {
        return store_.Open(key, offset);
    }
    Result<std::optional<filestore::FileInfo>> Stat(const std::string& key) override {
        return store_.Stat(key);
    }
    Status Remove(const std::string& key) override { return store_.Remove(key); }
    Result<int> Sweep(std::chrono::seconds age) override { return store_.Sweep(age); }

    std::mutex mutex_;
    int room = 1'000'000;
    std::map<std::string, int> created;
    std::function<void()> on_create;

 private:
    filestore::FileStore& store_;
};

class MerchantFilesFlowTest : public ::testing::Test {
 protected:
    MerchantFilesFlowTest() {
        std::filesystem::create_directory(folder_.Path("files"));
        std::filesystem::create_directory(folder_.Path("work"));
        EXPECT_THAT(templates_.PutBuiltIn(), IsOk());
    }

    static std::vector<MadeTransaction> Payments(int count, std::int64_t amount = 480) {
        return std::vector<MadeTransaction>(static_cast<std::size_t>(count), {.amount = amount});
    }
    void Close(BusinessDate date) {
        schema_.Execute("INSERT INTO reconciliation_day (business_date, state) VALUES ('" +
                        date.ToString() + "', 2)");
    }
    /// A merchant that traded on the day, as matched events say.
    void Traded(std::int64_t merchant, BusinessDate date) {
        schema_.Execute(
            "INSERT INTO matched_day_total (business_date, merchant_id, currency, slot, gross, "
            "item_count) VALUES ('" +
            date.ToString() + "', " + std::to_string(merchant) + ", 'JPY', 0, 480, 1)");
    }
    void Put(const std::string& name, const std::string& yaml) {
        ASSERT_THAT(templates_.PutTemplate({.name = name, .yaml = yaml, .put_by = "alice"}),
                    IsOk());
    }
    void Assign(const std::string& name, std::vector<std::int64_t> merchants,
                Mode mode = Mode::kOnDemand, BusinessDate from = Day()) {
        app::FileTemplates::Assign assign{
            .name = name, .mode = mode, .from_date = from, .put_by = "alice"};
        for (const auto merchant : merchants) assign.merchants.emplace_back(merchant);
        ASSERT_THAT(templates_.AssignTemplate(assign), IsOk());
    }
    domain::FileRunOrder OrderOf(const std::string& name, std::int64_t merchant = 0,
                                 std::string again = {}, bool force = false) {
        return {.template_name = name,
                .business_date = Day(),
                .merchant = MerchantId(merchant),
                .again_reason = std::move(again),
                .force = force,
                .requested_by = "alice"};
    }
    domain::FileRun Make(domain::FileRunOrder order) {
        const auto ordered = orders_.Order(std::move(order));
        EXPECT_THAT(ordered, IsOk());
        if (!ordered.ok()) return {};
        const auto run = runs_.Run(ordered->id, {});
        EXPECT_THAT(run, IsOk());
        return run.ok() ? *run : domain::FileRun{};
    }
    std::vector<MerchantFile> Files(app::FileFilter filter = {}) {
        auto files = files_.List(filter);
        EXPECT_THAT(files, IsOk());
        return files.ok() ? *files : std::vector<MerchantFile>();
    }
    Result<std::string> Content(const MerchantFile& file, std::uint64_t offset = 0) {
        std::string content;
        KESSAI_RETURN_IF_ERROR(files_.Read(file, offset, [&](std::string_view piece) {
            content += piece;
            return true;
        }));
        return content;
    }
    int StoredFiles() {
        int count = 0;
        for (const auto& entry :
             std::filesystem::recursive_directory_iterator(folder_.Path("files"))) {
            if (entry.is_regular_file()) ++count;
        }
        return count;
    }
    std::int64_t Announced() {
        return schema_.Count("SELECT COALESCE(SUM(entry_count), 0) FROM outbox");
    }

    kessai::testing::TempDir folder_{"merchant_files"};
    ManualClock clock_{Day(10).StartsAt()};
    testing::ReconciliationSchema schema_;
    storage::MysqlFileTransactions transactions_{schema_.pool(), schema_.ids()};
    storage::MysqlFileRunLeases leases_{schema_.pool(), SystemClock()};
    std::unique_ptr<filestore::FileStore> directory_ =
        filestore::OpenDirectoryStore({.path = folder_.Path("files")});
    FullStore store_{*directory_};
    testing::FakeFileRows rows_;
    FakeMerchants merchants_;
    app::FileTemplates templates_{transactions_, merchants_, rows_, clock_,
                                  std::chrono::minutes(90)};
    app::OrderFiles orders_{transactions_, clock_};
    app::RunFilesOptions run_options_ = [&] {
        app::RunFilesOptions options;
        options.make.work_folder = folder_.Path("work");
        options.make.memory_max = std::size_t{4} << 20;
        options.keep = std::chrono::days(90);
        options.note_merchants_max = 3;
        return options;
    }();
    app::RunFiles runs_{transactions_, leases_, rows_, store_, clock_, run_options_};
    app::MerchantFiles files_{transactions_, store_, clock_};
};

TEST_F(MerchantFilesFlowTest, TemplatesHaveVersionsThatStay) {
    const auto first = templates_.PutTemplate({.name = "own", .yaml = kOwn, .put_by = "alice"});
    ASSERT_THAT(first, IsOk());
    EXPECT_EQ(first->version, 1u);
    EXPECT_EQ(first->source, "transactions");
    EXPECT_EQ(first->schedule_at, std::chrono::minutes(90));
    // The same again, by whomever, is the same version.
    EXPECT_EQ(templates_.PutTemplate({.name = "own", .yaml = kOwn, .put_by = "bob"})->version, 1u);
    EXPECT_EQ(templates_.Find("own", 0)->put_by, "alice");
    const std::string other = std::string("description: 売上\n") + kOwn;
    const auto second = templates_.PutTemplate(
        {.name = "own", .yaml = other, .schedule_at = std::chrono::minutes(120), .put_by = "bob"});
    ASSERT_THAT(second, IsOk());
    EXPECT_EQ(second->version, 2u);
    EXPECT_EQ(templates_.Find("own", 1)->yaml, kOwn);
    EXPECT_EQ(templates_.Find("own", 2)->yaml, other);
    EXPECT_EQ(templates_.Find("own", 0)->description, "売上");
    EXPECT_THAT(templates_.Find("own", 3), Refuses(Code::kNotFound, "TEMPLATE_UNKNOWN"));
    EXPECT_THAT(templates_.Find("none", 0), Refuses(Code::kNotFound, "TEMPLATE_UNKNOWN"));

    // The time alone.
    EXPECT_EQ(
        templates_
            .PutTemplate({.name = "own", .schedule_at = std::chrono::minutes(60), .put_by = "bob"})
            ->version,
        2u);
    EXPECT_EQ(templates_.Find("own", 0)->schedule_at, std::chrono::minutes(60));
    EXPECT_THAT(templates_.PutTemplate({.name = "none", .schedule_at = std::chrono::minutes(1)}),
                Refuses(Code::kNotFound, "TEMPLATE_UNKNOWN"));

    const auto listed = templates_.List("", 10);
    ASSERT_THAT(listed, IsOk());
    ASSERT_THAT(*listed, SizeIs(3));
    EXPECT_EQ((*listed)[0].name, "capture_later");
    EXPECT_TRUE((*listed)[0].built_in);
    EXPECT_EQ((*listed)[1].name, "instant");
    EXPECT_EQ((*listed)[2].name, "own");
    EXPECT_FALSE((*listed)[2].built_in);
    EXPECT_THAT(*templates_.List("instant", 10), SizeIs(1));
}

TEST_F(MerchantFilesFlowTest, WhatIsWrongWithATemplateIsSaidWithItsPlace) {
    const auto put = [&](const std::string& name, const std::string& yaml) {
        return templates_.PutTemplate({.name = name, .yaml = yaml, .put_by = "alice"}).status();
    };
    const Status unknown = put("own",
                               "source: transactions\n"
                               "columns: [{name: id, value: order_number}]\nfile: {name: f}\n");
    EXPECT_THAT(unknown, Refuses(Code::kInvalidArgument, "TEMPLATE_FIELD_UNKNOWN"));
    EXPECT_THAT(std::string(unknown.message()), HasSubstr("line 2, column "));
    const Status narrow = put("own",
                              "source: transactions\n"
                              "columns: [{name: id, value: order_id, width: 18}]\n"
                              "lines: {layout: fixed}\nfile: {name: f}\n");
    EXPECT_THAT(narrow, Refuses(Code::kInvalidArgument, "TEMPLATE_WIDTH_TOO_SMALL"));
    EXPECT_THAT(std::string(narrow.message()), HasSubstr("line 2, column "));
    EXPECT_THAT(put("Own", kOwn), Refuses(Code::kInvalidArgument, "FIELD_INVALID"));
    EXPECT_THAT(put("instant", kOwn), Refuses(Code::kFailedPrecondition, "TEMPLATE_BUILT_IN"));
    EXPECT_THAT(put("instant", std::string(InstantTemplate())), IsOk());
    EXPECT_THAT(templates_.Find("own", 0), Refuses(Code::kNotFound, "TEMPLATE_UNKNOWN"));
    // At another start of the service nothing changes either.
    EXPECT_THAT(templates_.PutBuiltIn(), IsOk());
    EXPECT_EQ(templates_.Find("instant", 0)->version, 1u);
}

TEST_F(MerchantFilesFlowTest, AssignmentsAreOfMerchantsThatThereAre) {
    Assign("instant", {}, Mode::kScheduled);
    Assign("instant", {7, 3, 3});
    const auto assign = [&](std::int64_t merchant, const std::string& name = "instant") {
        return templates_
            .AssignTemplate({.name = name,
                             .merchants = {MerchantId(merchant)},
                             .mode = Mode::kNotAssigned,
                             .put_by = "bob"})
            .status();
    };
    EXPECT_THAT(assign(1'234), Refuses(Code::kNotFound, "MERCHANT_UNKNOWN"));
    EXPECT_THAT(assign(1, "none"), Refuses(Code::kNotFound, "TEMPLATE_UNKNOWN"));
    merchants_.refusal = Status(Code::kUnavailable, "CONNECTION_LOST", "");
    EXPECT_THAT(assign(1), Refuses(Code::kUnavailable, "CONNECTION_LOST"));
    merchants_.refusal = OkStatus();
    EXPECT_THAT(assign(3), IsOk());

    // The same again keeps who said it first.
    app::FileTemplates::Assign again{.name = "instant",
                                     .merchants = {MerchantId(7)},
                                     .mode = Mode::kOnDemand,
                                     .from_date = Day(),
                                     .put_by = "bob"};
    EXPECT_EQ(templates_.AssignTemplate(again)->at(0).put_by, "alice");

    const auto listed = templates_.ListAssignments("instant", std::nullopt, 10);
    ASSERT_THAT(listed, IsOk());
    ASSERT_THAT(*listed, SizeIs(3));
    EXPECT_TRUE((*listed)[0].merchant.is_none());
    EXPECT_EQ((*listed)[0].mode, Mode::kScheduled);
    EXPECT_EQ((*listed)[1].merchant, MerchantId(3));
    EXPECT_EQ((*listed)[1].mode, Mode::kNotAssigned);
    EXPECT_EQ((*listed)[2].from_date, Day());
    EXPECT_THAT(*templates_.ListAssignments("instant", MerchantId(3), 10), SizeIs(1));
    EXPECT_THAT(templates_.ListAssignments("none", std::nullopt, 10),
                Refuses(Code::kNotFound, "TEMPLATE_UNKNOWN"));
}

TEST_F(MerchantFilesFlowTest, WhatCannotBeMadeIsRefused) {
    Put("own", kOwn);
    const auto order = [&](const domain::FileRunOrder& wanted) {
        return orders_.Order(wanted).status();
    };
    EXPECT_THAT(order(OrderOf("none")), Refuses(Code::kNotFound, "TEMPLATE_UNKNOWN"));
    EXPECT_THAT(order(OrderOf("own")), Refuses(Code::kFailedPrecondition, "DAY_NOT_CLOSED"));
    Close(Day());
    EXPECT_THAT(order(OrderOf("own")), Refuses(Code::kFailedPrecondition, "FILES_NOT_ASSIGNED"));
    Assign("own", {7}, Mode::kOnDemand, Day(1));
    EXPECT_THAT(order(OrderOf("own", 7)), Refuses(Code::kFailedPrecondition, "FILES_NOT_ASSIGNED"));
    Assign("own", {7});
    EXPECT_THAT(order(OrderOf("own", 8)), Refuses(Code::kFailedPrecondition, "FILES_NOT_ASSIGNED"));
    EXPECT_THAT(order(OrderOf("own", 7, "typo")),
                Refuses(Code::kFailedPrecondition, "FILES_NOT_MADE"));
    EXPECT_THAT(order(OrderOf("own", 7, std::string(256, 'x'))),
                Refuses(Code::kInvalidArgument, "FIELD_INVALID"));
    EXPECT_THAT(order(OrderOf("own", 7, "", true)),
                Refuses(Code::kInvalidArgument, "FIELD_INVALID"));
    EXPECT_EQ(schema_.Count("SELECT COUNT(*) FROM file_run"), 0);

    // What asks for the same joins; anything else of the template and day waits its turn.
    const auto first = orders_.Order(OrderOf("own"));
    ASSERT_THAT(first, IsOk());
    EXPECT_EQ(orders_.Order(OrderOf("own"))->id, first->id);
    EXPECT_THAT(order(OrderOf("own", 7)), Refuses(Code::kAborted, "FILE_RUN_RUNNING"));
    Close(Day(1));
    auto next = OrderOf("own");
    next.business_date = Day(1);
    EXPECT_NE(orders_.Order(next)->id, first->id);
}

TEST_F(MerchantFilesFlowTest, EachMerchantGetsItsFilesAndIsTold) {
    Put("own", kOwn);
    Assign("own", {});
    Assign("own", {9}, Mode::kNotAssigned);
    Close(Day());
    for (int merchant = 1; merchant <= 10; ++merchant) {
        rows_.Add(merchant, Payments(merchant, 100 * merchant));
    }
    const domain::FileRun run = Make(OrderOf("own"));
    EXPECT_EQ(run.state, FileRunState::kDone);
    EXPECT_EQ(run.attempts, 1u);
    EXPECT_EQ(run.progress.merchants_done, 9u);
    EXPECT_EQ(run.progress.files, 9u);
    EXPECT_EQ(run.progress.rows, 55u - 9);
    EXPECT_THAT(*files_.ListRuns({}), ElementsAre(::testing::Field(
                                          "progress", &domain::FileRun::progress, run.progress)));

    const auto files = Files();
    ASSERT_THAT(files, SizeIs(9));
    EXPECT_EQ(Announced(), 9);
    EXPECT_EQ(StoredFiles(), 9);
    std::uint64_t bytes = 0;
    for (const MerchantFile& file : files) {
        const auto amount = std::to_string(100 * file.merchant.value());
        EXPECT_EQ(file.name, "sales_" + file.merchant.ToString() + "_20200130.csv");
        EXPECT_EQ(file.rows, static_cast<std::uint64_t>(file.merchant.value()));
        EXPECT_EQ(file.version, 1u);
        EXPECT_EQ(file.part, 1u);
        EXPECT_EQ(file.run, run.id);
        EXPECT_EQ(file.expires_at - file.made_at, std::chrono::days(90));
        EXPECT_THAT(file.totals,
                    ElementsAre(filetemplate::ColumnTotal{
                        "amount", Yen(100 * file.merchant.value() * file.merchant.value())}));
        const auto content = Content(file);
        ASSERT_THAT(content, IsOk());
        EXPECT_THAT(*content, HasSubstr("," + amount + "\n"));
        EXPECT_EQ(content->size(), file.bytes);
        EXPECT_EQ(*Content(file, 3), content->substr(3));
        EXPECT_EQ(*Content(file, file.bytes), "");
        EXPECT_THAT(Content(file, file.bytes + 1),
                    Refuses(Code::kOutOfRange, "FILE_OFFSET_OUT_OF_RANGE"));
        bytes += file.bytes;
    }
    EXPECT_EQ(run.progress.bytes, bytes);

    // Asked for again, nobody gets another.
    const domain::FileRun again = Make(OrderOf("own"));
    EXPECT_EQ(again.state, FileRunState::kDone);
    EXPECT_EQ(again.progress, domain::FileRunProgress{});
    EXPECT_THAT(Files(), SizeIs(9));
    EXPECT_EQ(Announced(), 9);
    // A merchant that is assigned now gets what it lacks.
    Assign("own", {9});
    EXPECT_EQ(Make(OrderOf("own")).progress.merchants_done, 1u);
    EXPECT_THAT(Files(), SizeIs(10));
}

TEST_F(MerchantFilesFlowTest, ADayWithoutPaymentsIsAFileWhereTheTemplateSaysSo) {
    Put("own", kOwn);
    for (const char* name : {"own", "instant"}) {
        Assign(name, {});
        Assign(name, {5});
        Assign(name, {6}, Mode::kNotAssigned);
    }
    Traded(1, Day(-1));
    Traded(6, Day(-1));
    Traded(8, Day(1));
    Close(Day(-1));
    Close(Day());
    Close(Day(1));
    ASSERT_THAT(orders_.OrderDue({}), IsOk());
    rows_.Add(2, Payments(1));
    EXPECT_EQ(Make(OrderOf("own")).progress.files, 1u);
    EXPECT_EQ(Make(OrderOf("instant")).progress.files, 3u);
    std::vector<std::pair<std::int64_t, std::uint64_t>> rows;
    for (const MerchantFile& file : Files({.template_name = "instant"})) {
        rows.emplace_back(file.merchant.value(), file.rows);
    }
    // Who traded before, who is named, and who has rows; not who traded later or is not assigned.
    EXPECT_THAT(rows, ::testing::UnorderedElementsAre(std::pair(1, 0u), std::pair(5, 0u),
                                                      std::pair(2, 1u)));
}

TEST_F(MerchantFilesFlowTest, AMerchantWhoseRowsDoNotFitHindersNobody) {
    Put("narrow", kNarrow);
    Assign("narrow", {1, 2, 3});
    Close(Day());
    for (int merchant = 1; merchant <= 3; ++merchant) {
        rows_.Add(merchant, {{.store_name = merchant == 2 ? "渋谷駅前店" : "本店"}});
    }
    const domain::FileRun run = Make(OrderOf("narrow"));
    EXPECT_EQ(run.state, FileRunState::kDone);
    EXPECT_EQ(run.progress.merchants_done, 2u);
    EXPECT_EQ(run.progress.merchants_refused, 1u);
    const auto record = files_.FindRun(run.id);
    ASSERT_THAT(record, IsOk());
    ASSERT_THAT(record->refused, SizeIs(1));
    EXPECT_EQ(record->refused[0].merchant, MerchantId(2));
    EXPECT_EQ(record->refused[0].reason, "FILE_VALUE_TOO_WIDE");
    // Of the others their files tell.
    EXPECT_EQ(schema_.Count("SELECT COUNT(*) FROM file_run_merchant"), 1);
    EXPECT_THAT(record->refused[0].message, HasSubstr("store"));
    EXPECT_THAT(Files(), SizeIs(2));
    EXPECT_EQ(StoredFiles(), 2);

    // With a template that fits, another run gives it what it lacks, and the others nothing.
    std::string wider = kNarrow;
    wider.replace(wider.find("width: 8"), 8, "width: 40");
    Put("narrow", wider);
    EXPECT_EQ(Make(OrderOf("narrow")).progress.merchants_done, 1u);
    EXPECT_EQ(Files({.merchant = MerchantId(2)}).at(0).template_version, 2u);
}

TEST_F(MerchantFilesFlowTest, ACorrectionIsAVersionBesideWhatItCorrects) {
    Put("own", kOwn);
    Assign("own", {});
    Close(Day());
    rows_.Add(1, Payments(2));
    rows_.Add(2, Payments(3));
    ASSERT_EQ(Make(OrderOf("own")).progress.files, 2u);

    // Nothing would be another.
    const domain::FileRun same = Make(OrderOf("own", 0, "a doubt"));
    EXPECT_EQ(same.progress.merchants_unchanged, 2u);
    EXPECT_EQ(same.progress.files, 0u);
    EXPECT_EQ(StoredFiles(), 2);
    EXPECT_EQ(Announced(), 2);

    rows_.Change(1, [](MadeTransaction& row) { row.amount = 500; });
    const domain::FileRun corrected = Make(OrderOf("own", 0, "a wrong amount"));
    EXPECT_EQ(corrected.progress.merchants_unchanged, 1u);
    EXPECT_EQ(corrected.progress.files, 1u);
    EXPECT_EQ(corrected.order.again_reason, "a wrong amount");
    EXPECT_EQ(Announced(), 3);
    const auto versions = Files({.merchant = MerchantId(1)});
    ASSERT_THAT(versions, SizeIs(2));
    EXPECT_EQ(versions[0].version, 2u);
    EXPECT_EQ(versions[1].version, 1u);
    EXPECT_THAT(*Content(versions[0]), HasSubstr(",500\n"));
    EXPECT_THAT(*Content(versions[1]), HasSubstr(",480\n"));
    EXPECT_THAT(Files({.merchant = MerchantId(1), .latest_only = true}), SizeIs(1));
    EXPECT_THAT(Files({.latest_only = true}), SizeIs(2));

    // The same order again, whose reply was lost, is that run.
    EXPECT_EQ(orders_.Order(OrderOf("own", 0, "a wrong amount"))->id, corrected.id);
    // By force there is a version of the same bytes.
    EXPECT_EQ(Make(OrderOf("own", 2, "the merchant lost it", true)).progress.files, 1u);
    const auto forced = Files({.merchant = MerchantId(2)});
    ASSERT_THAT(forced, SizeIs(2));
    EXPECT_EQ(forced[0].version, 2u);
    EXPECT_EQ(forced[0].sha256, forced[1].sha256);
    // A merchant may be corrected that is not assigned any more.
    Assign("own", {1}, Mode::kNotAssigned, BusinessDate());
    rows_.Change(1, [](MadeTransaction& row) { row.amount = 501; });
    EXPECT_EQ(Make(OrderOf("own", 1, "again")).progress.files, 1u);
    EXPECT_EQ(Files({.merchant = MerchantId(1)})[0].version, 3u);
}

TEST_F(MerchantFilesFlowTest, AFullStoreIsWaitedForAndNothingIsMadeTwice) {
    Put("own", kOwn);
    Assign("own", {});
    Close(Day());
    for (int merchant = 1; merchant <= 9; ++merchant) rows_.Add(merchant, Payments(1));
    store_.room = 5;
    const domain::FileRun failed = Make(OrderOf("own"));
    EXPECT_EQ(failed.state, FileRunState::kFailed);
    EXPECT_EQ(failed.reason, "STORE_FULL");
    EXPECT_EQ(failed.message, "no space left");
    EXPECT_EQ(failed.retry_at, failed.finished_at + std::chrono::seconds(10));
    const auto before = Files();
    EXPECT_EQ(before.size(), failed.progress.files);
    EXPECT_EQ(Announced(), static_cast<std::int64_t>(before.size()));

    // It waits, longer each time.
    const auto due = [&] {
        std::vector<domain::FileRunId> ids;
        EXPECT_THAT(transactions_.Run([&](app::FileBooks& books) -> Status {
            KESSAI_ASSIGN_OR_RETURN(ids, books.ListDueRuns(clock_.Now(), 10));
            return OkStatus();
        }),
                    IsOk());
        return ids;
    };
    EXPECT_THAT(due(), IsEmpty());
    clock_.Advance(std::chrono::seconds(10));
    EXPECT_THAT(due(), ElementsAre(failed.id));
    const auto second = runs_.Run(failed.id, {});
    EXPECT_EQ(second->attempts, 2u);
    EXPECT_EQ(second->retry_at, second->finished_at + std::chrono::seconds(20));
    // Somebody who asks for it does not wait.
    EXPECT_EQ(orders_.Order(OrderOf("own"))->id, failed.id);
    EXPECT_THAT(due(), ElementsAre(failed.id));

    store_.room = 100;
    const auto done = runs_.Run(failed.id, {});
    ASSERT_THAT(done, IsOk());
    EXPECT_EQ(done->state, FileRunState::kDone);
    EXPECT_EQ(done->reason, "");
    EXPECT_EQ(done->progress.merchants_done, 9u);
    EXPECT_EQ(done->progress.files, 9u);
    EXPECT_THAT(Files(), SizeIs(9));
    EXPECT_EQ(Announced(), 9);
    for (const MerchantFile& file : before) {
        EXPECT_EQ(store_.created[file.key], 1);
        EXPECT_EQ(files_.Find(file.id, {})->sha256, file.sha256);
    }
    EXPECT_THAT(runs_.Run(failed.id, {}), IsOk()) << "it has ended";
    EXPECT_EQ(StoredFiles(), 9);
}

TEST_F(MerchantFilesFlowTest, AReadThatFailsIsTriedAgain) {
    Put("own", kOwn);
    Assign("own", {});
    Close(Day());
    rows_.Add(1, Payments(1));
    rows_.Refuse(Status(Code::kUnavailable, "CONNECTION_LOST", "payment is away"));
    const domain::FileRun failed = Make(OrderOf("own"));
    EXPECT_EQ(failed.state, FileRunState::kFailed);
    EXPECT_EQ(failed.reason, "CONNECTION_LOST");
    rows_.Refuse(OkStatus());
    EXPECT_EQ(runs_.Run(failed.id, {})->state, FileRunState::kDone);
    EXPECT_THAT(Files(), SizeIs(1));
}

// A run of a process that died is RUNNING, and its lease ends.
TEST_F(MerchantFilesFlowTest, ARunThatWasLeftBehindIsGoneOnWith) {
    Put("own", kOwn);
    Assign("own", {});
    Close(Day());
    for (int merchant = 1; merchant <= 9; ++merchant) rows_.Add(merchant, Payments(1));
    store_.room = 5;
    const domain::FileRun failed = Make(OrderOf("own"));
    schema_.Execute("UPDATE file_run SET state = 2, reason = '', message = ''");
    store_.room = 100;
    ASSERT_THAT(transactions_.Run([&](app::FileBooks& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(const auto due, books.ListDueRuns(clock_.Now(), 10));
        EXPECT_THAT(due, ElementsAre(failed.id));
        return OkStatus();
    }),
                IsOk());
    EXPECT_EQ(runs_.Run(failed.id, {})->progress.files, 9u);
    EXPECT_THAT(Files(), SizeIs(9));
    EXPECT_EQ(Announced(), 9);
}

TEST_F(MerchantFilesFlowTest, TwoAtOnceMakeEachFileOnce) {
    Put("own", kOwn);
    Assign("own", {});
    Close(Day());
    for (int merchant = 1; merchant <= 20; ++merchant) rows_.Add(merchant, Payments(1));
    const auto ordered = orders_.Order(OrderOf("own"));
    ASSERT_THAT(ordered, IsOk());
    std::promise<void> reading;
    std::promise<void> go_on;
    rows_.OnRead([&] {
        reading.set_value();
        go_on.get_future().wait();
    });
    auto first = std::async(std::launch::async, [&] { return runs_.Run(ordered->id, {}); });
    reading.get_future().wait();
    EXPECT_THAT(runs_.Run(ordered->id, {}), Refuses(Code::kAborted, "FILE_RUN_RUNNING"));
    // Meanwhile it is asked for again, and something else is.
    EXPECT_EQ(orders_.Order(OrderOf("own"))->id, ordered->id);
    EXPECT_THAT(orders_.Order(OrderOf("own", 3)), Refuses(Code::kAborted, "FILE_RUN_RUNNING"));
    go_on.set_value();
    EXPECT_EQ(first.get()->state, FileRunState::kDone);
    EXPECT_THAT(Files(), SizeIs(20));
    EXPECT_EQ(Announced(), 20);
}

// Whoever lost the right to work on a run writes nothing more.
TEST_F(MerchantFilesFlowTest, ARunThatWasTakenOverNotesNothing) {
    Put("own", kOwn);
    Assign("own", {});
    Close(Day());
    for (int merchant = 1; merchant <= 5; ++merchant) rows_.Add(merchant, Payments(1));
    rows_.OnRead([&] {
        schema_.Execute(
            "UPDATE lease SET owner = 'another', fence = fence + 1 "
            "WHERE name LIKE 'file_run/%'");
    });
    const auto ordered = orders_.Order(OrderOf("own"));
    ASSERT_THAT(ordered, IsOk());
    EXPECT_THAT(runs_.Run(ordered->id, {}), Refuses(Code::kFailedPrecondition, "LEASE_LOST"));
    EXPECT_THAT(Files(), IsEmpty());
    EXPECT_EQ(Announced(), 0);
}

TEST_F(MerchantFilesFlowTest, AStoppedRunWaitsForTheNextStart) {
    Put("own", kOwn);
    Assign("own", {});
    Close(Day());
    for (int merchant = 1; merchant <= 5; ++merchant) rows_.Add(merchant, Payments(1));
    std::stop_source stop;
    rows_.OnRead([&] { stop.request_stop(); });
    const auto ordered = orders_.Order(OrderOf("own"));
    ASSERT_THAT(ordered, IsOk());
    const auto stopped = runs_.Run(ordered->id, stop.get_token());
    ASSERT_THAT(stopped, IsOk());
    EXPECT_EQ(stopped->state, FileRunState::kWaiting);
    EXPECT_EQ(stopped->reason, "");
    rows_.OnRead({});
    EXPECT_EQ(runs_.Run(ordered->id, {})->progress.files, 5u);
}

TEST_F(MerchantFilesFlowTest, DaysAreScheduledInTheirTurn) {
    const auto runs = [&] {
        std::vector<std::string> days;
        const auto listed = files_.ListRuns({});
        EXPECT_THAT(listed, IsOk());
        for (auto run = listed->rbegin(); run != listed->rend(); ++run) {
            EXPECT_TRUE(run->order.scheduled);
            EXPECT_EQ(run->order.requested_by, "schedule");
            days.push_back(run->order.template_name + " " +
                           run->order.business_date.ToString().substr(5));
        }
        return days;
    };
    const auto finish = [&] { schema_.Execute("UPDATE file_run SET state = 3"); };
    Put("own", kOwn);
    Assign("own", {1}, Mode::kScheduled, Day());
    Assign("instant", {}, Mode::kOnDemand, Day(-5));
    clock_.Set(Day(1).At(std::chrono::minutes(89)));
    Close(Day(-1));
    Close(Day());
    ASSERT_THAT(orders_.OrderDue({}), IsOk());
    EXPECT_THAT(runs(), IsEmpty()) << "it is not 01:30 yet";
    clock_.Advance(std::chrono::minutes(1));
    ASSERT_THAT(orders_.OrderDue({}), IsOk());
    EXPECT_THAT(runs(), ElementsAre("own 01-30"));
    ASSERT_THAT(orders_.OrderDue({}), IsOk());
    EXPECT_THAT(runs(), SizeIs(1)) << "each day once";

    // Days that were missed are caught up, in order, up to the one that is not closed.
    clock_.Set(Day(6).At(std::chrono::minutes(90)));
    Close(Day(1));
    Close(Day(2));
    Close(Day(4));
    ASSERT_THAT(orders_.OrderDue({}), IsOk());
    EXPECT_THAT(runs(), ElementsAre("own 01-30", "own 01-31", "own 02-01"));
    Close(Day(3));
    ASSERT_THAT(orders_.OrderDue({}), IsOk());
    EXPECT_THAT(runs(),
                ElementsAre("own 01-30", "own 01-31", "own 02-01", "own 02-02", "own 02-03"));

    // Who is assigned from a day that is past gets the days since; a run that has not ended is
    // waited for.
    Assign("own", {2}, Mode::kScheduled, Day(3));
    ASSERT_THAT(orders_.OrderDue({}), IsOk());
    EXPECT_THAT(runs(), SizeIs(5));
    finish();
    ASSERT_THAT(orders_.OrderDue({}), IsOk());
    EXPECT_THAT(runs(), SizeIs(7));

    // Before the books began there is nothing.
    finish();
    Assign("instant", {}, Mode::kScheduled, Day(-300));
    ASSERT_THAT(orders_.OrderDue({}), IsOk());
    const auto all = runs();
    ASSERT_THAT(all, SizeIs(13));
    EXPECT_EQ(all[7], "instant 01-29");
    EXPECT_EQ(all[12], "instant 02-03");
}

TEST_F(MerchantFilesFlowTest, ContentIsRemovedWhenItWasKeptLongEnough) {
    Put("own", kOwn);
    Assign("own", {});
    Close(Day());
    rows_.Add(1, Payments(1));
    rows_.Add(2, Payments(1));
    Make(OrderOf("own"));
    clock_.Advance(std::chrono::days(90) - std::chrono::seconds(1));
    EXPECT_EQ(*files_.RemoveExpired(), 0);
    EXPECT_THAT(Content(Files().at(0)), IsOk());
    clock_.Advance(std::chrono::seconds(1));
    EXPECT_THAT(Content(Files().at(0)), Refuses(Code::kFailedPrecondition, "FILE_EXPIRED"));
    EXPECT_THAT(files_.Announce(Files().at(0).id, "alice"),
                Refuses(Code::kFailedPrecondition, "FILE_EXPIRED"));
    EXPECT_EQ(*files_.RemoveExpired(), 2);
    EXPECT_EQ(StoredFiles(), 0);
    EXPECT_EQ(*files_.RemoveExpired(), 0);
    // What was there is known still.
    EXPECT_THAT(Files(), SizeIs(2));
}

TEST_F(MerchantFilesFlowTest, WhatIsDamagedIsNotGivenOut) {
    Put("own", kOwn);
    Assign("own", {});
    Close(Day());
    for (int merchant = 1; merchant <= 4; ++merchant) rows_.Add(merchant, Payments(1));
    Make(OrderOf("own"));
    const auto files = Files();
    const auto path = [&](int i) {
        return folder_.Path("files/" + files[static_cast<std::size_t>(i)].key);
    };
    std::fstream(path(0), std::ios::in | std::ios::out | std::ios::binary).put('X');
    std::ofstream(path(1), std::ios::app) << "one more";
    std::filesystem::resize_file(path(2), 5);
    std::filesystem::remove(path(3));
    for (const MerchantFile& file : files) {
        EXPECT_THAT(Content(file), Refuses(Code::kDataLoss, "FILE_DAMAGED")) << file.key;
    }
    EXPECT_THAT(Content(files[2], 10), Refuses(Code::kDataLoss, "FILE_DAMAGED"));
}

TEST_F(MerchantFilesFlowTest, ListsGoOnWhereTheyEnded) {
    Put("own", kOwn);
    Assign("own", {});
    for (int merchant = 1; merchant <= 3; ++merchant) rows_.Add(merchant, Payments(1));
    for (int day = 0; day < 3; ++day) {
        Close(Day(day));
        auto order = OrderOf("own");
        order.business_date = Day(day);
        Make(order);
    }
    const auto all = Files();
    ASSERT_THAT(all, SizeIs(9));
    std::vector<domain::FileId> paged;
    std::optional<app::FileFilter::Place> place;
    while (true) {
        const auto page = Files({.after = place, .limit = 2});
        if (page.empty()) break;
        for (const auto& file : page) paged.push_back(file.id);
        place = {page.back().business_date, page.back().id};
    }
    ASSERT_THAT(paged, SizeIs(9));
    for (std::size_t i = 0; i < all.size(); ++i) {
        EXPECT_EQ(paged[i], all[i].id);
        EXPECT_EQ(all[i].business_date, Day(2 - static_cast<int>(i) / 3));
    }
    EXPECT_THAT(Files({.merchant = MerchantId(2)}), SizeIs(3));
    EXPECT_THAT(Files({.merchant = MerchantId(2), .from = Day(1), .to = Day(1)}), SizeIs(1));
    EXPECT_THAT(Files({.from = Day(1)}), SizeIs(6));
    EXPECT_THAT(Files({.to = Day()}), SizeIs(3));
    EXPECT_THAT(Files({.template_name = "instant"}), IsEmpty());
    EXPECT_THAT(*files_.ListRuns({.template_name = "own", .business_date = Day(1)}), SizeIs(1));
    EXPECT_THAT(*files_.ListRuns({.business_date = Day(1)}), SizeIs(1));
    EXPECT_THAT(*files_.ListRuns({.template_name = "own", .limit = 2}), SizeIs(2));
    EXPECT_THAT(*files_.ListRuns({.template_name = "instant"}), IsEmpty());
    EXPECT_THAT(files_.FindRun(domain::FileRunId(1)), Refuses(Code::kNotFound, "FILE_RUN_UNKNOWN"));
    EXPECT_THAT(files_.Find(domain::FileId(1), {}), Refuses(Code::kNotFound, "FILE_UNKNOWN"));
    EXPECT_THAT(files_.Find(all[0].id, MerchantId(9)), Refuses(Code::kNotFound, "FILE_UNKNOWN"));
}

/// The service as it is served, over gRPC, with its thread.
class FileServiceTest : public MerchantFilesFlowTest {
 protected:
    FileServiceTest() {
        rpc::Service service(transport::kFileServiceName, transport::FilePolicy());
        service_.Register(service, workers_, run_workers_, slow_);
        server_.Add(std::move(service));
        KESSAI_CHECK(server_.Start().ok(), "it listens");
        channel_.emplace(
            rpc::Channel::Create({.target = "127.0.0.1:" + std::to_string(server_.port())},
                                 SystemClock())
                .value());
        worker_.Start();
    }
    ~FileServiceTest() override {
        worker_.Stop();
        server_.Stop(std::chrono::seconds(5));
    }

    std::string OperatorToken(std::vector<std::string> scopes = {"file:read", "file:write"}) {
        return signer_
            .Mint({.role = auth::Role::kOperator, .subject = "alice", .scopes = std::move(scopes)},
                  "reconciliation")
            .value();
    }
    std::string MerchantToken(std::int64_t merchant) {
        return signer_
            .Mint({.role = auth::Role::kMerchant, .subject = "key", .merchant_id = merchant},
                  "reconciliation")
            .value();
    }
    template <class Request, class Response>
    static const rpc::Method<Request, Response>& MethodOf(const char* name) {
        static std::map<std::string, rpc::Method<Request, Response>> methods;
        return methods.try_emplace(name, std::string(transport::kFileServiceName) + "." + name)
            .first->second;
    }
    template <class Response, class Request>
    Result<Response> Call(const char* method, const Request& request, std::string token = {}) {
        if (token.empty()) token = OperatorToken();
        return rpc::Call(*channel_, MethodOf<Request, Response>(method), request,
                         {.timeout = std::chrono::seconds(20), .token = token});
    }
    Result<std::string> Download(std::int64_t file, std::uint64_t offset = 0,
                                 std::string token = {}, v1::File* told = nullptr) {
        if (token.empty()) token = OperatorToken();
        v1::GetFileContentRequest request;
        request.set_file_id(file);
        request.set_offset(offset);
        std::string content;
        int pieces = 0;
        KESSAI_RETURN_IF_ERROR(rpc::CallStreaming(
            *channel_, MethodOf<v1::GetFileContentRequest, v1::FilePiece>("GetFileContent"),
            request, {.timeout = std::chrono::seconds(20), .token = token},
            [&](const v1::FilePiece& piece) -> Status {
                EXPECT_EQ(piece.has_file(), pieces == 0);
                if (pieces++ == 0 && told != nullptr) *told = piece.file();
                content += piece.content();
                return OkStatus();
            }));
        EXPECT_GT(pieces, 0);
        return content;
    }

    const auth::FixedKeyRing keys_{
        auth::KeyRing::Parse(
            "key 1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\nsign 1\n")
            .value()};
    auth::TokenSigner signer_{keys_, SystemClock()};
    const auth::TokenVerifier verifier_{keys_, SystemClock(), {.audience = "reconciliation"}};
    metrics::Registry registry_;
    transport::FileMetrics metrics_{registry_};
    transport::FileWorker worker_{{.poll_every = std::chrono::milliseconds(50)},
                                  {transactions_, templates_, orders_, runs_, files_, store_},
                                  metrics_,
                                  SystemClock()};
    transport::FileService service_{templates_, orders_, files_, worker_};
    rpc::WorkerPool workers_{{.name = "queries", .threads = 4}};
    rpc::WorkerPool run_workers_{{.name = "runs", .threads = 2}};
    rpc::WorkerPool slow_{{.name = "files", .threads = 4}};
    rpc::Server server_{{}, SystemClock(), verifier_, nullptr};
    std::optional<rpc::Channel> channel_;
};

TEST(FilePolicyTest, FitsTheContract) {
    const auto* service = v1::File::descriptor()->file()->FindServiceByName("FileService");
    ASSERT_NE(service, nullptr);
    EXPECT_THAT(transport::FilePolicy().CheckAgainst(*service), IsOk());
}

TEST_F(FileServiceTest, FromATemplateToItsFiles) {
    v1::PutFileTemplateRequest put;
    put.set_name("own");
    put.set_yaml(kOwn);
    put.set_schedule_at("02:15");
    const auto stored = Call<v1::FileTemplate>("PutFileTemplate", put);
    ASSERT_THAT(stored, IsOk());
    EXPECT_EQ(stored->version(), 1u);
    EXPECT_EQ(stored->schedule_at(), "02:15");
    EXPECT_EQ(stored->put_by(), "alice");
    put.set_schedule_at("2:15");
    EXPECT_THAT(Call<v1::FileTemplate>("PutFileTemplate", put),
                Refuses(Code::kInvalidArgument, "FIELD_INVALID"));
    v1::GetFileTemplateRequest get;
    get.set_name("own");
    EXPECT_EQ(Call<v1::FileTemplate>("GetFileTemplate", get)->yaml(), kOwn);
    v1::ListFileTemplatesRequest list_templates;
    list_templates.set_page_size(2);
    auto page = Call<v1::ListFileTemplatesResponse>("ListFileTemplates", list_templates);
    ASSERT_THAT(page, IsOk());
    EXPECT_EQ(page->templates_size(), 2);
    list_templates.set_page_token(page->next_page_token());
    page = Call<v1::ListFileTemplatesResponse>("ListFileTemplates", list_templates);
    ASSERT_EQ(page->templates_size(), 1);
    EXPECT_EQ(page->templates(0).name(), "own");
    EXPECT_EQ(page->next_page_token(), "");

    v1::AssignFileTemplateRequest assign;
    assign.set_name("own");
    EXPECT_THAT(Call<v1::AssignFileTemplateResponse>("AssignFileTemplate", assign),
                Refuses(Code::kInvalidArgument, "FIELD_INVALID"));
    assign.set_mode(v1::FileAssignment::SCHEDULED);
    EXPECT_THAT(Call<v1::AssignFileTemplateResponse>("AssignFileTemplate", assign),
                Refuses(Code::kInvalidArgument, "FIELD_INVALID"))
        << "no first day";
    assign.set_from_date(Day().ToNumber());
    ASSERT_THAT(Call<v1::AssignFileTemplateResponse>("AssignFileTemplate", assign), IsOk());

    rows_.Add(1, Payments(1));
    rows_.Add(2, Payments(50'000));
    // The schedule makes them.
    Close(Day());
    v1::ListFilesRequest list;
    ASSERT_EVENTUALLY([&] {
        const auto listed = Call<v1::ListFilesResponse>("ListFiles", list);
        return listed.ok() && listed->files_size() == 2;
    }());
    v1::ListFileRunsRequest list_runs;
    list_runs.set_name("own");
    ASSERT_EVENTUALLY([&] {
        const auto runs = Call<v1::ListFileRunsResponse>("ListFileRuns", list_runs);
        return runs.ok() && runs->runs_size() == 1 && runs->runs(0).state() == v1::FileRun::DONE;
    }());
    // Counted when the run has ended.
    EXPECT_EVENTUALLY(registry_.Expose().find("kessai_reconciliation_files_total 2") !=
                      std::string::npos);

    // Asked for, it answers when it has ended.
    v1::MakeFilesRequest make;
    make.set_name("own");
    make.set_business_date(Day().ToNumber());
    auto run = Call<v1::FileRun>("MakeFiles", make);
    ASSERT_THAT(run, IsOk());
    EXPECT_EQ(run->state(), v1::FileRun::DONE);
    EXPECT_EQ(run->files(), 0u);
    make.mutable_again();
    EXPECT_THAT(Call<v1::FileRun>("MakeFiles", make),
                Refuses(Code::kInvalidArgument, "FIELD_INVALID"));
    make.mutable_again()->set_reason("the merchant asked");
    make.mutable_again()->set_force(true);
    make.set_merchant_id(1);
    run = Call<v1::FileRun>("MakeFiles", make);
    ASSERT_THAT(run, IsOk());
    EXPECT_EQ(run->files(), 1u);
    EXPECT_EQ(run->again_reason(), "the merchant asked");
    make.clear_again();
    make.set_business_date(Day(1).ToNumber());
    EXPECT_THAT(Call<v1::FileRun>("MakeFiles", make),
                Refuses(Code::kFailedPrecondition, "DAY_NOT_CLOSED"));
    v1::GetFileRunRequest get_run;
    get_run.set_run_id(run->run_id());
    EXPECT_EQ(Call<v1::FileRun>("GetFileRun", get_run)->files(), 1u);

    list.set_latest_only(true);
    list.set_page_size(1);
    std::vector<v1::File> files;
    do {
        const auto listed = Call<v1::ListFilesResponse>("ListFiles", list);
        ASSERT_THAT(listed, IsOk());
        for (const auto& file : listed->files()) files.push_back(file);
        list.set_page_token(listed->next_page_token());
    } while (!list.page_token().empty());
    ASSERT_THAT(files, SizeIs(2));
    EXPECT_EQ(files[0].merchant_id(), 1);
    EXPECT_EQ(files[0].version(), 2u);
    const v1::File& large = files[1];
    EXPECT_EQ(large.totals(0).amount(), 480 * 50'000);
    v1::File told;
    const auto content = Download(large.file_id(), 0, {}, &told);
    ASSERT_THAT(content, IsOk());
    EXPECT_EQ(told.sha256(), large.sha256());
    EXPECT_EQ(content->size(), large.bytes());
    domain::Sha256OfContent hash;
    hash.Add(*content);
    const auto sum = hash.Finish();
    EXPECT_EQ(std::string(sum.begin(), sum.end()), large.sha256());
    // A download that broke off is gone on with.
    EXPECT_EQ(*Download(large.file_id(), 700'000), content->substr(700'000));
    EXPECT_EQ(*Download(large.file_id(), large.bytes()), "");
    EXPECT_THAT(Download(large.file_id(), large.bytes() + 1),
                Refuses(Code::kOutOfRange, "FILE_OFFSET_OUT_OF_RANGE"));

    v1::AnnounceFileRequest announce;
    announce.set_file_id(large.file_id());
    const auto before = Announced();
    ASSERT_THAT(Call<v1::File>("AnnounceFile", announce), IsOk());
    ASSERT_THAT(Call<v1::File>("AnnounceFile", announce), IsOk());
    EXPECT_EQ(Announced(), before + 2);
    EXPECT_EQ(schema_.Count("SELECT MAX(number) FROM merchant_file_announcement"), 3);
}

TEST_F(FileServiceTest, AMerchantSeesItsOwn) {
    Put("own", kOwn);
    Assign("own", {});
    Close(Day());
    rows_.Add(1, Payments(1));
    rows_.Add(2, Payments(2));
    v1::MakeFilesRequest make;
    make.set_name("own");
    make.set_business_date(Day().ToNumber());
    ASSERT_THAT(Call<v1::FileRun>("MakeFiles", make), IsOk());
    EXPECT_THAT(Call<v1::FileRun>("MakeFiles", make, MerchantToken(1)),
                Refuses(Code::kPermissionDenied, "ROLE_NOT_ALLOWED"));
    EXPECT_THAT(Call<v1::FileRun>("MakeFiles", make, OperatorToken({"file:read"})),
                Refuses(Code::kPermissionDenied, "ROLE_NOT_ALLOWED"));

    v1::ListFilesRequest list;
    list.set_merchant_id(2);
    const auto own = Call<v1::ListFilesResponse>("ListFiles", list, MerchantToken(1));
    ASSERT_THAT(own, IsOk());
    ASSERT_EQ(own->files_size(), 1);
    EXPECT_EQ(own->files(0).merchant_id(), 1);
    const std::int64_t mine = own->files(0).file_id();
    const std::int64_t other = Call<v1::ListFilesResponse>("ListFiles", list)->files(0).file_id();
    EXPECT_THAT(Download(mine, 0, MerchantToken(1)), IsOk());
    EXPECT_THAT(Download(other, 0, MerchantToken(1)), Refuses(Code::kNotFound, "FILE_UNKNOWN"));
    v1::GetFileRequest get;
    get.set_file_id(mine);
    EXPECT_THAT(Call<v1::File>("GetFile", get, MerchantToken(1)), IsOk());
    EXPECT_THAT(Call<v1::File>("GetFile", get, MerchantToken(2)),
                Refuses(Code::kNotFound, "FILE_UNKNOWN"));
    list.set_page_token("nonsense");
    EXPECT_THAT(Call<v1::ListFilesResponse>("ListFiles", list),
                Refuses(Code::kInvalidArgument, "PAGE_TOKEN_INVALID"));
}

TEST_F(FileServiceTest, APreviewStoresNothing) {
    Close(Day());
    rows_.Add(1, Payments(30));
    v1::PreviewFileTemplateRequest preview;
    preview.set_merchant_id(1);
    preview.set_business_date(Day().ToNumber());
    EXPECT_THAT(Call<v1::FilePreview>("PreviewFileTemplate", preview),
                Refuses(Code::kInvalidArgument, "FIELD_INVALID"));
    preview.set_yaml(kOwn);
    preview.set_rows_max(4);
    const auto made = Call<v1::FilePreview>("PreviewFileTemplate", preview);
    ASSERT_THAT(made, IsOk());
    ASSERT_EQ(made->files_size(), 1);
    EXPECT_EQ(made->files(0).name(), "sales_1_20200130.csv");
    EXPECT_EQ(made->files(0).rows(), 4u);
    EXPECT_TRUE(made->has_more());
    EXPECT_THAT(made->files(0).content(), HasSubstr("id,amount\n1234567890123456789,480\n"));
    preview.set_name("instant");
    preview.set_rows_max(0);
    EXPECT_EQ(Call<v1::FilePreview>("PreviewFileTemplate", preview)->rows_read(), 10u);
    preview.set_name("none");
    EXPECT_THAT(Call<v1::FilePreview>("PreviewFileTemplate", preview),
                Refuses(Code::kNotFound, "TEMPLATE_UNKNOWN"));
    preview.set_yaml("source: transactions");
    EXPECT_THAT(Call<v1::FilePreview>("PreviewFileTemplate", preview),
                Refuses(Code::kInvalidArgument, "TEMPLATE_KEY_MISSING"));
    preview.set_yaml(kOwn);
    preview.set_business_date(Day(1).ToNumber());
    EXPECT_THAT(Call<v1::FilePreview>("PreviewFileTemplate", preview),
                Refuses(Code::kFailedPrecondition, "DAY_NOT_CLOSED"));
    EXPECT_EQ(StoredFiles(), 0);
    EXPECT_EQ(schema_.Count("SELECT COUNT(*) FROM file_template"), 2);
}

}  // namespace
}  // namespace kessai::reconciliation
