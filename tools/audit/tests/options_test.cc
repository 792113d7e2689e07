// Goal: the command line and the stack's file are read as documented, and what is wrong in them is
// named; the result is printed so that people and programs can use it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "kessai/testing/matchers.h"
#include "kessai/testing/temp_dir.h"
#include "options.h"
#include "printing.h"

namespace kessai::audit {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

Result<CommandLine> Parse(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "kessai-audit");
    return ParseCommandLine(static_cast<int>(arguments.size()), arguments.data());
}

TEST(CommandLineTest, ReadsOptionsAndNamesWhatIsWrong) {
    ASSERT_OK_AND_ASSIGN(const CommandLine line,
                         Parse({"--stack-file", "f", "--wait", "5", "--json", "--lines", "3",
                                "--trail-ends", "e"}));
    EXPECT_EQ(line.trail_ends_file, "e");
    EXPECT_EQ(line.stack_file, "f");
    EXPECT_EQ(line.wait_s, 5);
    EXPECT_EQ(line.lines, 3);
    EXPECT_TRUE(line.json);
    for (const std::vector<const char*>& wrong :
         {std::vector<const char*>{"--stack-file", "f", "--wait", "-1"},
          {"--stack-file", "f", "--wait", "5x"},
          {"--stack-file", "f", "--wait"},
          {"--stack-file", "f", "--colour", "red"},
          {"--json"}}) {
        EXPECT_THAT(Parse(wrong),
                    kessai::testing::Refuses(Code::kInvalidArgument, "OPTION_INVALID"));
    }
}

class StackFileTest : public ::testing::Test {
 protected:
    json Stack() const {
        return {{"mysql",
                 {{"host", "db"},
                  {"port", 3306},
                  {"schemas",
                   {{"payment", "kessai_payment"},
                    {"payout", "kessai_payout"},
                    {"reconciliation", "kessai_reconciliation"},
                    {"gateway", "kessai_gateway"}}},
                  {"users",
                   {{"audit",
                     {{"user", "kessai_audit"},
                      {"password_file", directory_.Write("password", "secret\n")}}}}}}},
                {"kafka", {{"brokers", "k1:9092"}}},
                {"keys",
                 {{"digest", directory_.Write("digest", "000102030405060708090a0b0c0d0e0f\n")}}}};
    }
    Result<AuditOptions> Read(const json& stack) const {
        CommandLine line;
        line.stack_file = directory_.Write("access.json", stack.dump());
        return ReadStackFile(line);
    }
    kessai::testing::TempDir directory_;
};

TEST_F(StackFileTest, SchemasMayBeOnServersOfTheirOwn) {
    json stack = Stack();
    stack["mysql"]["servers"]["payout"] = {
        {"host", "db2"}, {"port", 3307}, {"password_file", directory_.Write("other", "another")}};
    ASSERT_OK_AND_ASSIGN(const AuditOptions options, Read(stack));
    EXPECT_EQ(options.payment.host, "db");
    EXPECT_EQ(options.payment.schema, "kessai_payment");
    EXPECT_EQ(options.payment.user, "kessai_audit");
    EXPECT_EQ(options.payment.password, "secret");
    EXPECT_EQ(options.payout.host, "db2");
    EXPECT_EQ(options.payout.port, 3307);
    EXPECT_EQ(options.payout.user, "kessai_audit");
    EXPECT_EQ(options.payout.password, "another");
    EXPECT_EQ(options.kafka.brokers, "k1:9092");
}

TEST_F(StackFileTest, WhatIsMissingIsNamed) {
    for (const char* path : {"/mysql/host", "/mysql/schemas/payout", "/mysql/users/audit",
                             "/kafka/brokers", "/keys/digest"}) {
        json stack = Stack();
        const json::json_pointer pointer(path);
        stack[pointer.parent_pointer()].erase(pointer.back());
        const auto options = Read(stack);
        ASSERT_THAT(options,
                    kessai::testing::Refuses(Code::kInvalidArgument, "STACK_FILE_INVALID"));
        EXPECT_THAT(std::string(options.status().message()), HasSubstr(pointer.back()));
    }
    json stack = Stack();
    stack["mysql"]["users"]["audit"]["password_file"] = "/nonexistent";
    EXPECT_THAT(Read(stack), kessai::testing::Refuses(Code::kNotFound, "FILE_UNREADABLE"));
    stack = Stack();
    stack["keys"]["digest"] = directory_.Write("digest", "short");
    EXPECT_THAT(Read(stack),
                kessai::testing::Refuses(Code::kInvalidArgument, "DIGEST_KEY_MALFORMED"));
}

Report TwoFindings() {
    Report report(1);
    report.LookedAt(Invariant::kM2, "accounts", 1'234'567);
    for (int i = 0; i < 2; ++i) {
        report.Found(Invariant::kM2, "stored balance", [&] {
            return Finding{{{"account", std::string("user_money")}, {"owner", std::int64_t{7 + i}}},
                           "900",
                           "905"};
        });
    }
    return report;
}

// Goal: every offender is counted, few are shown; programs get the same as one object.
TEST(PrintingTest, ShowsFindingsAsTextAndJson) {
    const Report report = TwoFindings();
    EXPECT_EQ(ExitCode(report), 1);
    const std::string text = AsText(report, {});
    EXPECT_THAT(text, HasSubstr("M2      2 FOUND: every stored balance"));
    EXPECT_THAT(text, HasSubstr("1,234,567 accounts\n"));
    EXPECT_THAT(text,
                HasSubstr("stored balance: account user_money owner 7: expected 900, found 905\n"));
    EXPECT_THAT(text, HasSubstr("stored balance: 1 more\n"));
    EXPECT_THAT(text, HasSubstr("M1      ok: "));
    EXPECT_THAT(text, HasSubstr("nothing was looked at"));

    const json whole = json::parse(AsJson(report, {}));
    EXPECT_EQ(whole["verdict"], "found");
    EXPECT_EQ(whole["found"], 2);
    const json& kind = whole["invariants"]["M2"]["findings"][0];
    EXPECT_EQ(kind["what"], "stored balance");
    EXPECT_EQ(kind["count"], 2);
    EXPECT_EQ(kind["examples"].size(), 1u);
    EXPECT_EQ(kind["examples"][0]["subject"], json({{"account", "user_money"}, {"owner", 7}}));
    EXPECT_EQ(whole["invariants"]["M2"]["looked_at"]["accounts"], 1'234'567);
}

TEST(PrintingTest, TellsCleanFromIncomplete) {
    Report report;
    EXPECT_EQ(ExitCode(report), 0);
    EXPECT_THAT(AsText(report, {}), HasSubstr("audit clean: "));
    report.CouldNotCheck(Invariant::kM6, "no broker");
    EXPECT_EQ(ExitCode(report), 2);
    EXPECT_THAT(AsText(report, {}), HasSubstr("could not check: no broker\n"));
    EXPECT_THAT(AsText(report, {}), HasSubstr("audit incomplete: "));
    EXPECT_EQ(json::parse(AsJson(report, {}))["verdict"], "incomplete");
    report.Found(Invariant::kM1, "x", [] { return Finding{}; });
    EXPECT_EQ(ExitCode(report), 1);
}

}  // namespace
}  // namespace kessai::audit
