#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kessai/result/result.h"
#include "kessai/time/clock.h"

/// Configuration keys declared as data. A component has one plain struct of options whose member
/// initialisers are the defaults, and one function that describes them:
///
///     struct Options {
///         std::string host = "127.0.0.1";
///         int pool_size = 8;
///     };
///     void Describe(config::Schema& schema, Options& options) {
///         schema.Text("host", &options.host, {.description = "Server to connect to"});
///         schema.Int("pool_size", &options.pool_size,
///                    {.description = "Connections kept open", .unit = "connections",
///                     .min = 1, .max = 256});
///     }
///
/// A service composes them: `schema.Section("mysql", options.mysql)`. It may change a default by
/// assigning the member before that. Values come from a YAML file and then from the environment:
/// `mysql.pool_size` is KESSAI_MYSQL_POOL_SIZE.
namespace kessai::config {

/// The one reason that this library refuses with (code INVALID_ARGUMENT).
inline constexpr std::string_view kConfigInvalid = "CONFIG_INVALID";

struct IntKey {
    std::string_view description;
    std::string_view unit = "";
    std::optional<std::int64_t> min = {};
    std::optional<std::int64_t> max = {};
    bool required = false;
};
struct RealKey {
    std::string_view description;
    std::string_view unit = "";
    std::optional<double> min = {};
    std::optional<double> max = {};
    bool required = false;
};
struct BoolKey {
    std::string_view description;
    bool required = false;
};
struct TextKey {
    std::string_view description;
    std::string_view unit = "";
    /// In bytes. A required text is never empty.
    std::size_t max_length = 4096;
    bool required = false;
};
struct DurationKey {
    std::string_view description;
    std::optional<Duration> min = {};
    std::optional<Duration> max = {};
    bool required = false;
};
/// Sizes in bytes.
struct SizeKey {
    std::string_view description;
    std::optional<std::uint64_t> min = {};
    std::optional<std::uint64_t> max = {};
    bool required = false;
};
struct ChoiceKey {
    std::string_view description;
    bool required = false;
};
struct HostPortKey {
    std::string_view description;
    bool required = false;
};
struct FileKey {
    std::string_view description;
    /// The file must be readable when the configuration is loaded. An empty optional path is not
    /// looked at.
    bool must_exist = true;
    bool required = false;
};
struct ListKey {
    std::string_view description;
    std::size_t max_items = 1024;
    bool required = false;
};

/// "host:port", "[v6]:port"; the port is 1 to 65535.
struct HostPort {
    std::string host;
    std::uint16_t port = 0;

    std::string ToString() const;
    friend bool operator==(const HostPort&, const HostPort&) = default;
};

// What texts mean; each refuses with CONFIG_INVALID and a message that names what was expected.
Result<std::int64_t> ParseInt(std::string_view text);
Result<double> ParseReal(std::string_view text);
/// "true" or "false".
Result<bool> ParseBool(std::string_view text);
/// Numbers with us, ms, s, m, h or d: "250ms", "5s", "1h30m"; "0" needs no unit. Not negative.
Result<Duration> ParseDuration(std::string_view text);
/// Bytes, or with KiB, MiB, GiB (powers of 1024) or kB, MB, GB (powers of 1000).
Result<std::uint64_t> ParseSize(std::string_view text);
Result<HostPort> ParseHostPort(std::string_view text);
/// The shortest text that ParseDuration reads as `duration`.
std::string FormatDuration(Duration duration);
std::string FormatSize(std::uint64_t bytes);

/// YAML that is not a file of the process: a template or rules that somebody hands in.
struct Document {
    /// What messages call it, before the line.
    std::string name = {};
    /// At most 1 MiB.
    std::string yaml = {};
};

/// Where values come from. Later ones win: member initialisers, the file, the document, the
/// environment.
struct Sources {
    /// Path of a YAML file of at most 1 MiB; empty for none.
    std::string file = {};
    /// Variables by name. Those that do not begin with KESSAI_, or begin with KESSAI_TEST_, are
    /// not looked at.
    std::vector<std::pair<std::string, std::string>> environment = {};
    std::optional<Document> document = {};
};

/// The environment of this process.
std::vector<std::pair<std::string, std::string>> ProcessEnvironment();

/// One value as it was written, before its meaning is known.
struct Written {
    enum class Shape { kScalar, kList, kMap };
    Shape shape = Shape::kScalar;
    std::string scalar = {};
    std::vector<std::string> items = {};
    std::vector<std::pair<std::string, std::string>> entries = {};
};

/// The keys of one process. Copies are handles to the same keys; the targets must outlive it. Not
/// thread safe: it is used while a process starts.
class Schema {
 public:
    Schema();

    /// The same keys, with `prefix` and a dot before the paths declared through the handle.
    Schema Under(std::string_view prefix) const;

    /// Describe(Schema&, options), found beside the type of `options`, under `prefix`.
    template <class Options>
    void Section(std::string_view prefix, Options& options) {
        Schema inner = Under(prefix);
        Describe(inner, options);
    }

    // Each declares the key `path` for `*target`, whose present value is the default. A path is
    // lower case [a-z0-9_] in parts joined by dots; declaring one twice stops the process.

    template <std::integral T>
    requires(!std::same_as<T, bool>) void Int(std::string_view path, T* target, const IntKey& key);
    template <std::floating_point T>
    void Real(std::string_view path, T* target, const RealKey& key);
    void Bool(std::string_view path, bool* target, const BoolKey& key);
    void Text(std::string_view path, std::string* target, const TextKey& key);
    /// A text that no dump, message or reference shows. `path` holds it, or `path`_file names the
    /// file that does (a line end after it is dropped); one of the two. With `file`, that path is
    /// stored there too, so that its owner can read a rotated secret again.
    void Secret(std::string_view path, std::string* target, const TextKey& key,
                std::string* file = nullptr);
    /// Any std::chrono::duration; a value finer than its tick is refused.
    template <class Rep, class Period>
    void Time(std::string_view path, std::chrono::duration<Rep, Period>* target,
              const DurationKey& key);
    template <std::integral T>
    void Size(std::string_view path, T* target, const SizeKey& key);
    /// One of named values.
    template <class Enum>
    void Choice(std::string_view path, Enum* target,
                std::vector<std::pair<std::string, Enum>> choices, const ChoiceKey& key);
    void Address(std::string_view path, HostPort* target, const HostPortKey& key);
    void File(std::string_view path, std::string* target, const FileKey& key);
    /// A YAML list, or texts joined by commas.
    void TextList(std::string_view path, std::vector<std::string>* target, const ListKey& key);
    void AddressList(std::string_view path, std::vector<HostPort>* target, const ListKey& key);
    /// A YAML map of texts, or "name=value" joined by commas; KESSAI_<PATH>_<NAME> sets the one
    /// entry with that name in lower case.
    void TextMap(std::string_view path, std::map<std::string, std::string>* target,
                 const ListKey& key);
    /// A YAML list of maps, each with the keys that Describe(Schema&, Element&) declares. Not from
    /// the environment.
    template <class Element>
    void List(std::string_view path, std::vector<Element>* target, const ListKey& key);

    /// A rule over several keys, run when every single key is good; what it refuses is reported.
    void Check(std::function<Status()> rule);

    /// Sets every target. Refuses with CONFIG_INVALID naming every problem at once, one a line:
    /// unknown and repeated keys with their lines, missing ones, bad values, unknown KESSAI_
    /// variables. Targets are not to be used after a refusal.
    Status Load(const Sources& sources);

    /// The keys as a markdown table, in the order of their declaration.
    std::string Reference() const;
    /// The values in force as YAML, secrets as "***".
    std::string Dump() const;

    /// Implementation; public for its own source file only.
    struct Keys;

 private:
    /// What the reference says about a key and how its value is read and shown.
    struct Declaration {
        std::string path;
        std::string type;
        std::string unit = {};
        std::string bounds = {};
        std::string description = {};
        bool required = false;
        bool secret = false;
        Written::Shape shape = Written::Shape::kScalar;
        /// Sets the target from what was written.
        std::function<Status(const Written&)> set = {};
        /// The target as text that could be written in YAML.
        std::function<std::string()> show = {};
    };
    using ElementLoader = std::function<void(Schema&)>;

    void Declare(Declaration declaration);
    void DeclareInt(std::string_view path, const IntKey& key, std::int64_t lowest,
                    std::int64_t highest, std::function<void(std::int64_t)> store,
                    std::function<std::int64_t()> load);
    void DeclareReal(std::string_view path, const RealKey& key, std::function<void(double)> store,
                     std::function<double()> load);
    void DeclareTime(std::string_view path, const DurationKey& key, Duration tick,
                     std::function<void(Duration)> store, std::function<Duration()> load);
    void DeclareSize(std::string_view path, const SizeKey& key, std::uint64_t highest,
                     std::function<void(std::uint64_t)> store, std::function<std::uint64_t()> load);
    void DeclareChoice(std::string_view path, const ChoiceKey& key, std::vector<std::string> names,
                       std::function<void(std::size_t)> store, std::function<std::size_t()> load);
    void DeclareList(std::string_view path, const ListKey& key, std::function<void()> clear,
                     std::function<void(const ElementLoader&)> append,
                     std::function<void(const ElementLoader&)> sample,
                     std::function<std::size_t()> size);

    std::shared_ptr<Keys> keys_;
    std::string prefix_;
};

template <std::integral T>
requires(!std::same_as<T, bool>) void Schema::Int(std::string_view path, T* target,
                                                  const IntKey& key) {
    constexpr auto kTop = std::numeric_limits<std::int64_t>::max();
    constexpr auto kHighest = std::cmp_less(kTop, std::numeric_limits<T>::max())
                                  ? kTop
                                  : static_cast<std::int64_t>(std::numeric_limits<T>::max());
    DeclareInt(
        path, key, static_cast<std::int64_t>(std::numeric_limits<T>::min()), kHighest,
        [target](std::int64_t value) { *target = static_cast<T>(value); },
        [target] { return static_cast<std::int64_t>(*target); });
}

template <std::floating_point T>
void Schema::Real(std::string_view path, T* target, const RealKey& key) {
    DeclareReal(
        path, key, [target](double value) { *target = static_cast<T>(value); },
        [target] { return static_cast<double>(*target); });
}

template <class Rep, class Period>
void Schema::Time(std::string_view path, std::chrono::duration<Rep, Period>* target,
                  const DurationKey& key) {
    using Target = std::chrono::duration<Rep, Period>;
    constexpr Duration kTick =
        Target(1) < Duration(1) ? Duration(1) : std::chrono::duration_cast<Duration>(Target(1));
    DeclareTime(
        path, key, kTick,
        [target](Duration value) { *target = std::chrono::duration_cast<Target>(value); },
        [target] { return std::chrono::duration_cast<Duration>(*target); });
}

template <std::integral T>
void Schema::Size(std::string_view path, T* target, const SizeKey& key) {
    DeclareSize(
        path, key, static_cast<std::uint64_t>(std::numeric_limits<T>::max()),
        [target](std::uint64_t value) { *target = static_cast<T>(value); },
        [target] { return static_cast<std::uint64_t>(*target); });
}

template <class Enum>
void Schema::Choice(std::string_view path, Enum* target,
                    std::vector<std::pair<std::string, Enum>> choices, const ChoiceKey& key) {
    std::vector<std::string> names;
    std::vector<Enum> values;
    for (auto& [name, value] : choices) {
        names.push_back(std::move(name));
        values.push_back(value);
    }
    DeclareChoice(
        path, key, std::move(names), [target, values](std::size_t i) { *target = values[i]; },
        [target, values] {
            for (std::size_t i = 0; i < values.size(); ++i) {
                if (values[i] == *target) return i;
            }
            return values.size();
        });
}

template <class Element>
void Schema::List(std::string_view path, std::vector<Element>* target, const ListKey& key) {
    const auto with_element = [](const ElementLoader& loader, Element& element) {
        Schema schema;
        Describe(schema, element);
        loader(schema);
    };
    DeclareList(
        path, key, [target] { target->clear(); },
        [target, with_element](const ElementLoader& loader) {
            Element element{};
            with_element(loader, element);
            target->push_back(std::move(element));
        },
        [with_element](const ElementLoader& loader) {
            Element element{};
            with_element(loader, element);
        },
        [target] { return target->size(); });
}

}  // namespace kessai::config
