#include "kessai/metrics/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

namespace kessai::metrics {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class MetricsSchemaTest : public testing::Test {
 protected:
    MetricsSchemaTest() {
        file_ = testing::TempDir() + "metrics_schema." + std::to_string(::getpid()) + ".yaml";
        registry_.AddCounter({.name = "kessai_t_batches_total", .help = "Batches committed"});
        registry_.AddGauges({.name = "kessai_t_lag_messages", .help = "Lag"},
                            {{"topic", {"a"}}, {"partition", {"0"}}});
    }
    ~MetricsSchemaTest() override { std::remove(file_.c_str()); }

    std::vector<std::string> Compare(const std::string& yaml) {
        std::ofstream(file_) << yaml;
        return CompareWithSchema(registry_.Declarations(), file_, "t");
    }

    static std::string Entry(const std::string& name, const std::string& type,
                             const std::string& labels, const std::string& services,
                             const std::string& help) {
        return "- {name: " + name + ", type: " + type + ", unit: x, labels: " + labels +
               ", services: " + services + ", help: " + help + "}\n";
    }

    Registry registry_;
    std::string file_;
    const std::string batches_ =
        Entry("kessai_t_batches_total", "counter", "[]", "[all]", "Batches committed");
    const std::string lag_ =
        Entry("kessai_t_lag_messages", "gauge", "[topic, partition]", "[t, u]", "Lag");
};

TEST_F(MetricsSchemaTest, AgreesWithAFileThatSaysTheSame) {
    EXPECT_THAT(
        Compare(batches_ + lag_ + Entry("kessai_u_x_total", "counter", "[]", "[u]", "Another's")),
        IsEmpty());
}

// Goal: what is proposed for the file is what the comparison accepts.
TEST_F(MetricsSchemaTest, AgreesWithItsOwnProposal) {
    const std::string proposal = ProposeEntries(registry_.Declarations(), "t");
    EXPECT_THAT(proposal, HasSubstr("unit: batches\n"));
    EXPECT_THAT(Compare(proposal), IsEmpty());
}

// Goal: each kind of difference is named.
TEST_F(MetricsSchemaTest, NamesEveryDifference) {
    EXPECT_THAT(Compare(Entry("kessai_t_batches_total", "gauge", "[x]", "[t]", "Other words") +
                        Entry("kessai_t_gone_total", "counter", "[]", "[all]", "Gone") +
                        Entry("kessai_t_gone_total", "counter", "[]", "[all]", "Gone")),
                UnorderedElementsAre(
                    HasSubstr(":3: kessai_t_gone_total is repeated"),
                    "kessai_t_batches_total: type counter, in the schema gauge",
                    "kessai_t_batches_total: help Batches committed, in the schema Other words",
                    "kessai_t_batches_total: labels [], in the schema [x]",
                    "kessai_t_lag_messages is not in the schema for t",
                    "kessai_t_gone_total is in the schema but t does not register it"));
}

TEST_F(MetricsSchemaTest, RefusesAFileItCannotRead) {
    EXPECT_THAT(Compare("- name: x\n  colour: red\n"), Contains(HasSubstr("metrics_schema")));
    EXPECT_THAT(Compare("- {name: x, type: ["), ElementsAre(HasSubstr("metrics_schema")));
    std::remove(file_.c_str());
    EXPECT_THAT(CompareWithSchema({}, file_, "t"), ElementsAre(HasSubstr("bad file")));
}

}  // namespace
}  // namespace kessai::metrics
