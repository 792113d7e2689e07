#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "kessai/config/schema.h"

namespace kessai::config {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

enum class Mode { kSlow, kFast };

struct PoolOptions {
    std::string host = "127.0.0.1";
    int size = 8;
    std::chrono::milliseconds timeout = seconds(5);
    std::string password;
    std::string password_file;
};

void Describe(Schema& schema, PoolOptions& options) {
    schema.Text("host", &options.host, {.description = "Server", .max_length = 64});
    schema.Int(
        "size", &options.size,
        {.description = "Connections kept open", .unit = "connections", .min = 1, .max = 64});
    schema.Time("timeout", &options.timeout,
                {.description = "Of one statement", .min = milliseconds(1), .max = seconds(60)});
    schema.Secret("password", &options.password, {.description = "Of the user", .max_length = 64},
                  &options.password_file);
}

struct Route {
    std::string path;
    std::uint16_t weight = 1;
};

void Describe(Schema& schema, Route& route) {
    schema.Text("path", &route.path, {.description = "Path", .required = true});
    schema.Int("weight", &route.weight, {.description = "Weight", .max = 100});
    schema.Check([&route]() -> Status {
        if (route.path.starts_with('/')) return {};
        return Status(Code::kInvalidArgument, kConfigInvalid, "path begins with /");
    });
}

struct Everything {
    PoolOptions pool;
    std::uint16_t port = 0;
    bool strict = true;
    double ratio = 0.5;
    std::size_t body_max = 65'536;
    Mode mode = Mode::kSlow;
    HostPort upstream;
    std::string certificate;
    std::vector<std::string> names{"a"};
    std::vector<HostPort> brokers;
    std::map<std::string, std::string> upstreams;
    std::vector<Route> routes;
};

void Describe(Schema& schema, Everything& options) {
    schema.Section("pool", options.pool);
    schema.Int("port", &options.port, {.description = "Port", .required = true});
    schema.Bool("strict", &options.strict, {.description = "Strict"});
    schema.Real("ratio", &options.ratio, {.description = "Ratio", .min = 0, .max = 1});
    schema.Size("body_max", &options.body_max, {.description = "Body", .max = 1 << 20});
    schema.Choice("mode", &options.mode, {{"slow", Mode::kSlow}, {"fast", Mode::kFast}},
                  {.description = "Mode"});
    schema.Address("upstream", &options.upstream, {.description = "Upstream"});
    schema.File("certificate", &options.certificate, {.description = "Certificate"});
    schema.TextList("names", &options.names, {.description = "Names", .max_items = 3});
    schema.AddressList("brokers", &options.brokers, {.description = "Brokers"});
    schema.TextMap("upstreams", &options.upstreams, {.description = "Upstreams", .max_items = 3});
    schema.List("routes", &options.routes, {.description = "Routes", .max_items = 2});
}

class ConfigTest : public testing::Test {
 protected:
    using Environment = std::vector<std::pair<std::string, std::string>>;

    ConfigTest() {
        directory_ = testing::TempDir() + "config_test." + std::to_string(::getpid());
        std::filesystem::create_directories(directory_);
        Describe(schema_, options_);
    }
    ~ConfigTest() override { std::filesystem::remove_all(directory_); }

    std::string File(const std::string& name, const std::string& content) {
        const std::string path = directory_ + '/' + name;
        std::ofstream(path, std::ios::binary) << content;
        return path;
    }
    Status Load(const std::string& yaml, Environment environment = {}) {
        return schema_.Load({File("c.yaml", yaml), std::move(environment)});
    }
    /// What is refused in `yaml`, a line each, without the directory.
    std::vector<std::string> Problems(const std::string& yaml, Environment environment = {}) {
        const Status status = Load(yaml, std::move(environment));
        std::vector<std::string> lines;
        std::string_view rest = status.message();
        while (!rest.empty()) {
            std::string line(rest.substr(0, rest.find('\n')));
            rest.remove_prefix(std::min(line.size() + 1, rest.size()));
            if (const auto at = line.find(directory_); at != std::string::npos) {
                line.erase(at, directory_.size() + 1);
            }
            lines.push_back(std::move(line));
        }
        if (!lines.empty()) {
            EXPECT_EQ(status.code(), Code::kInvalidArgument);
            EXPECT_EQ(status.reason(), kConfigInvalid);
        }
        return lines;
    }

    std::string directory_;
    Everything options_;
    Schema schema_;
};

// Goal: every kind of key takes its value from the file.
TEST_F(ConfigTest, ReadsEveryKindOfKey) {
    const std::string certificate = File("cert.pem", "x");
    ASSERT_EQ(Load("pool:\n  host: db\n  size: 64\n  timeout: 1s500ms\n  password: p\n"
                   "port: 65535\nstrict: false\nratio: 1\nbody_max: 1MiB\nmode: fast\n"
                   "upstream: '[::1]:99'\ncertificate: " +
                   certificate +
                   "\nnames: [x, 'y z']\nbrokers: [a:1, b:2]\n"
                   "upstreams: {one: dns:///one, two: dns:///two}\n"
                   "routes:\n  - path: /a\n  - {path: /b, weight: 7}\n")
                  .ToString(),
              "OK");
    EXPECT_EQ(options_.pool.host, "db");
    EXPECT_EQ(options_.pool.size, 64);
    EXPECT_EQ(options_.pool.timeout, milliseconds(1500));
    EXPECT_EQ(options_.pool.password, "p");
    EXPECT_EQ(options_.port, 65'535);
    EXPECT_FALSE(options_.strict);
    EXPECT_EQ(options_.ratio, 1.0);
    EXPECT_EQ(options_.body_max, 1u << 20);
    EXPECT_EQ(options_.mode, Mode::kFast);
    EXPECT_EQ(options_.upstream, (HostPort{"::1", 99}));
    EXPECT_EQ(options_.certificate, certificate);
    EXPECT_THAT(options_.names, ElementsAre("x", "y z"));
    EXPECT_THAT(options_.brokers, ElementsAre(HostPort{"a", 1}, HostPort{"b", 2}));
    EXPECT_THAT(options_.upstreams,
                ElementsAre(Pair("one", "dns:///one"), Pair("two", "dns:///two")));
    ASSERT_EQ(options_.routes.size(), 2u);
    EXPECT_EQ(options_.routes[0].weight, 1);
    EXPECT_EQ(options_.routes[1].path, "/b");
    EXPECT_EQ(options_.routes[1].weight, 7);
}

// Goal: the environment wins over the file, and reaches every kind of key but a list of maps.
TEST_F(ConfigTest, EnvironmentOverridesTheFile) {
    ASSERT_EQ(Load("port: 1\nnames: [x]\nupstreams: {one: a, two: b}\npool.size: 3\n",
                   {{"KESSAI_PORT", "2"},
                    {"KESSAI_NAMES", "p, q"},
                    {"KESSAI_BROKERS", "h:1,[::1]:2"},
                    {"KESSAI_UPSTREAMS_TWO", "c"},
                    {"KESSAI_UPSTREAMS_THREE", "d=e"},
                    {"KESSAI_POOL_SIZE", "5"},
                    {"PATH", "/bin"},
                    {"KESSAI_TEST_ANYTHING", "goes"}})
                  .ToString(),
              "OK");
    EXPECT_EQ(options_.port, 2);
    EXPECT_EQ(options_.pool.size, 5);
    EXPECT_THAT(options_.names, ElementsAre("p", "q"));
    EXPECT_THAT(options_.brokers, ElementsAre(HostPort{"h", 1}, HostPort{"::1", 2}));
    EXPECT_THAT(options_.upstreams,
                ElementsAre(Pair("one", "a"), Pair("three", "d=e"), Pair("two", "c")));
}

// Goal: a whole map can be given in one variable.
TEST_F(ConfigTest, MapInOneVariable) {
    ASSERT_TRUE(Load("port: 1", {{"KESSAI_UPSTREAMS", "one=a:1,two=b=2"}}).ok());
    EXPECT_THAT(options_.upstreams, ElementsAre(Pair("one", "a:1"), Pair("two", "b=2")));
}

// Goal: without a file and without variables the struct's own initialisers stand.
TEST_F(ConfigTest, DefaultsAreTheMembersInitialisers) {
    ASSERT_TRUE(schema_.Load({"", {{"KESSAI_PORT", "1"}}}).ok());
    EXPECT_EQ(options_.pool.size, 8);
    EXPECT_EQ(options_.pool.timeout, seconds(5));
    EXPECT_THAT(options_.names, ElementsAre("a"));
}

// Goal: all problems of a file and an environment are named at once, each with its place.
// Method: one file with one mistake of each kind, compared line by line.
TEST_F(ConfigTest, NamesEveryProblemAtOnce) {
    EXPECT_THAT(
        Problems("pool:\n"                        // 1
                 "  hosst: db\n"                  // 2
                 "  size: 65\n"                   // 3
                 "  timeout: 5\n"                 // 4
                 "strict: yes\n"                  // 5
                 "ratio: 2\n"                     // 6
                 "strict: true\n"                 // 7
                 "mode: medium\n"                 // 8
                 "body_max:\n"                    // 9
                 "names: [a, b, c, d]\n"          // 10
                 "brokers: a\n"                   // 11
                 "upstream: {a: b}\n"             // 12
                 "colour: red\n"                  // 13
                 "certificate: /no/such/file\n",  // 14
                 {{"KESSAI_POOL_HOSTT", "x"}, {"KESSAI_ROUTES", "x"}}),
        ElementsAre(
            "c.yaml:2: unknown key pool.hosst (did you mean pool.host?)",
            "c.yaml:7: key strict is repeated, it is already on line 5",
            "c.yaml:9: body_max has no value", "c.yaml:13: unknown key colour",
            "environment: unknown variable KESSAI_POOL_HOSTT (did you mean KESSAI_POOL_HOST?)",
            "environment: KESSAI_ROUTES: routes can only be set in the file",
            "c.yaml:3: pool.size: 65 is above the most allowed, 64 connections",
            "c.yaml:4: pool.timeout: expected a duration such as 250ms, 5s or 1h30m, not \"5\"",
            "missing key port (environment KESSAI_PORT): Port",
            "c.yaml:5: strict: expected true or false, not \"yes\"",
            "c.yaml:6: ratio: 2 is above the most allowed, 1",
            "c.yaml:8: mode: expected one of slow, fast, not \"medium\"",
            "c.yaml:12: upstream: expected a single value",
            "c.yaml:14: certificate: cannot read /no/such/file: No such file or directory",
            "c.yaml:10: names: more than 3 items",
            "c.yaml:11: brokers: expected host:port, not \"a\""));
}

// Goal: a list of maps is checked as strictly as the rest, and its places are named.
TEST_F(ConfigTest, ListsOfMapsAreChecked) {
    EXPECT_THAT(Problems("port: 1\nroutes:\n  - weight: 101\n  - {path: /b, wait: 1}\n"),
                ElementsAre("routes[0]: c.yaml:3: missing key path: Path",
                            "routes[0]: c.yaml:3: weight: 101 is above the most allowed, 100",
                            "routes[1]: c.yaml:4: unknown key wait"));
    EXPECT_THAT(Problems("port: 1\nroutes: [{path: b}]"),
                ElementsAre("routes[0]: path begins with /"));
}

TEST_F(ConfigTest, ListsOfMapsAreBounded) {
    EXPECT_THAT(Problems("port: 1\nroutes: [{path: /}, {path: /}, {path: /}]\n"),
                ElementsAre(HasSubstr("routes: more than 2 items")));
}

// Goal: values that do not fit their target's type are refused, not cut.
TEST_F(ConfigTest, NarrowTargetsBoundTheirValues) {
    EXPECT_THAT(Problems("port: 65536\n"), ElementsAre(HasSubstr("65536 is above the most")));
    EXPECT_THAT(Problems("port: -1\n"), ElementsAre(HasSubstr("-1 is below the least")));
}

TEST_F(ConfigTest, DurationsFinerThanTheirTargetAreRefused) {
    EXPECT_THAT(Problems("port: 1\npool.timeout: 1500us\n"),
                ElementsAre("c.yaml:2: pool.timeout: expected a multiple of 1ms"));
}

TEST_F(ConfigTest, FilesThatAreNotOursAreRefused) {
    EXPECT_THAT(Problems("port: [1"), ElementsAre(HasSubstr("not YAML"), HasSubstr("missing")));
    EXPECT_THAT(Problems("- port\n"), testing::Contains(HasSubstr("expected a map of keys")));
    EXPECT_THAT(Problems("port: 1\n---\nport: 2\n"),
                testing::Contains(HasSubstr("more than one YAML document")));
    EXPECT_THAT(Problems(","), testing::Contains(HasSubstr("more than one YAML document")));
    EXPECT_THAT(Problems("? [a]\n: 1\n"), testing::Contains(HasSubstr("a key must be a word")));
    EXPECT_THAT(Problems(std::string(2 << 20, ' ')),
                testing::Contains(HasSubstr("is larger than 1048576 bytes")));
}

TEST_F(ConfigTest, AMissingFileIsNamed) {
    EXPECT_THAT(schema_.Load({directory_ + "/none.yaml", {}}).message(),
                HasSubstr("none.yaml: No such file or directory"));
}

// Goal: nested maps deeper than any key, and keys that are sections, end in a named refusal.
// Goal: YAML that somebody hands in is read as a file is, and its refusals name its lines.
TEST_F(ConfigTest, ReadsADocument) {
    ASSERT_TRUE(schema_.Load({.document = Document{"rules", "port: 7\n"}}).ok());
    EXPECT_EQ(options_.port, 7);
    const std::string said(
        schema_.Load({.document = Document{"rules", "strict: true\nnothing: 1\n"}}).message());
    EXPECT_THAT(said, HasSubstr("rules:2: unknown key nothing"));
    EXPECT_THAT(said, HasSubstr("missing key port: "));
    EXPECT_THAT(
        schema_.Load({.document = Document{"rules", std::string((1 << 20) + 1, '#')}}).message(),
        HasSubstr("rules: is larger than 1048576 bytes"));
}

TEST_F(ConfigTest, SectionsAndKeysAreNotMixedUp) {
    EXPECT_THAT(Problems("port: 1\npool: 5\n"),
                ElementsAre("c.yaml:2: pool is a section, it holds keys, not a value"));
    EXPECT_THAT(Problems("port: {a: {b: {c: 1}}}\n"),
                testing::Contains(HasSubstr("port: expected plain values")));
}

// Goal: a secret is read from a file, and no output shows it.
// Method: load one from each source; search the dump, the reference and refusals for its text.
TEST_F(ConfigTest, SecretsNeverShow) {
    const std::string file = File("secret", "hunter2-and-more\n");
    ASSERT_TRUE(Load("port: 1\npool.password_file: " + file + "\n").ok());
    EXPECT_EQ(options_.pool.password, "hunter2-and-more");
    EXPECT_EQ(options_.pool.password_file, file);
    EXPECT_THAT(schema_.Dump(), Not(HasSubstr("hunter2")));
    EXPECT_THAT(schema_.Dump(), HasSubstr("pool.password: \"***\"\n"));
    EXPECT_THAT(schema_.Reference(), Not(HasSubstr("hunter2")));
}

TEST_F(ConfigTest, RefusalsDoNotQuoteSecrets) {
    const std::string secret = "hunter2" + std::string(64, 'x');
    for (const std::string& problem : Problems("port: 1\npool.password: " + secret + "\n")) {
        EXPECT_EQ(problem, "c.yaml:2: pool.password: is longer than 64 bytes");
    }
}

TEST_F(ConfigTest, ASecretIsGivenOnce) {
    const std::string file = File("secret", "a");
    EXPECT_THAT(Problems("port: 1\npool: {password: x, password_file: " + file + "}\n"),
                ElementsAre(HasSubstr("pool.password and pool.password_file are both given")));
}

// Goal: a secret in the environment replaces the file's, whichever way each is written.
TEST_F(ConfigTest, ASecretOfTheEnvironmentReplacesTheFiles) {
    const std::string file = File("secret", "from-file");
    ASSERT_EQ(
        Load("port: 1\npool.password: in-yaml\n", {{"KESSAI_POOL_PASSWORD_FILE", file}}).ToString(),
        "OK");
    EXPECT_EQ(options_.pool.password, "from-file");
}

// Goal: what Dump prints can be loaded again and gives the same.
TEST_F(ConfigTest, TheDumpCanBeLoaded) {
    ASSERT_TRUE(Load("port: 1\nnames: ['a\"b', \"c\\nd\"]\nupstreams: {one: 'x: y'}\n"
                     "pool.timeout: 1ms\nbody_max: 1000\nbrokers: [a:1]\nupstream: a:1\n")
                    .ok());
    const std::string dump = schema_.Dump();
    Everything again;
    Schema schema;
    Describe(schema, again);
    std::string without_secrets = dump;
    for (const char* line : {"pool.password: \"\"\n", "pool.password_file: \"\"\n"}) {
        const std::size_t at = without_secrets.find(line);
        ASSERT_NE(at, std::string::npos) << dump;
        without_secrets.erase(at, std::string_view(line).size());
    }
    ASSERT_EQ(schema.Load({File("dump.yaml", without_secrets), {}}).ToString(), "OK") << dump;
    EXPECT_EQ(schema.Dump(), dump);
    EXPECT_THAT(again.names, ElementsAre("a\"b", "c\nd"));
}

// Goal: the reference tells all there is to know of a key.
TEST_F(ConfigTest, TheReferenceIsATable) {
    const std::string reference = schema_.Reference();
    EXPECT_THAT(reference, HasSubstr("| key | environment | type | unit | default | bounds | "
                                     "description |\n|---|---|---|---|---|---|---|\n"));
    EXPECT_THAT(reference, HasSubstr("| `pool.size` | `KESSAI_POOL_SIZE` | integer | connections | "
                                     "`8` | 1 to 64 | Connections kept open |\n"));
    EXPECT_THAT(reference, HasSubstr("| `port` | `KESSAI_PORT` | integer |  | required |"));
    EXPECT_THAT(reference,
                HasSubstr("| `mode` | `KESSAI_MODE` | choice |  | `slow` | slow, fast |"));
    EXPECT_THAT(reference, HasSubstr("| `routes[].weight` |  | integer |  | `1` | at most 100 |"));
}

// Goal: a secret that must be given says both places where it can be.
TEST(RequiredSecretTest, NamesItsFileToo) {
    std::string key;
    Schema schema;
    schema.Secret("digest.key", &key, {.description = "Key", .required = true});
    EXPECT_THAT(schema.Reference(), HasSubstr("| secret |  | required, or `digest.key_file` |"));
    const Status missing = schema.Load({});
    EXPECT_THAT(std::string(missing.message()),
                HasSubstr("missing key digest.key or digest.key_file"));
}

// Goal: rules over several keys run only when every single key is good.
TEST_F(ConfigTest, RulesRunOnGoodValues) {
    int runs = 0;
    schema_.Check([&]() -> Status {
        ++runs;
        return Status(Code::kInvalidArgument, kConfigInvalid, "port and ratio do not agree");
    });
    EXPECT_THAT(Problems("port: 1\nratio: x\n"), Not(testing::Contains(HasSubstr("agree"))));
    EXPECT_EQ(runs, 0);
}

TEST(SchemaDeathTest, DeclaringAKeyTwiceStopsTheProcess) {
    int number = 0;
    Schema schema;
    schema.Int("a.b", &number, {.description = "x"});
    EXPECT_DEATH(schema.Int("a.b", &number, {.description = "x"}), "declared twice: a.b");
    EXPECT_DEATH(schema.Int("a_b", &number, {.description = "x"}), "have the variable KESSAI_A_B");
    EXPECT_DEATH(schema.Int("A", &number, {.description = "x"}), "not a configuration path");
    EXPECT_DEATH(schema.Int("c", &number, {.description = ""}), "no description");
}

}  // namespace
}  // namespace kessai::config
