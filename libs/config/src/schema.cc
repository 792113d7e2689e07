#include "kessai/config/schema.h"

#include <sys/stat.h>
#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>

#include "kessai/config/yaml_documents.h"

extern char** environ;

namespace kessai::config {
namespace {

constexpr std::size_t kFileBytesMax = 1 << 20;
constexpr std::size_t kSecretBytesMax = 64 << 10;
constexpr std::string_view kVariablePrefix = "KESSAI_";
constexpr std::string_view kTestVariablePrefix = "KESSAI_TEST_";

Status Invalid(std::string message) {
    return Status(Code::kInvalidArgument, kConfigInvalid, std::move(message));
}

std::string VariableOf(std::string_view path) {
    std::string name(kVariablePrefix);
    for (const char c : path) {
        name += c == '.' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    }
    return name;
}

std::string Lower(std::string_view text) {
    std::string lower(text);
    for (char& c : lower) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return lower;
}

bool IsPath(std::string_view path) {
    bool part_is_empty = true;
    for (const char c : path) {
        if (c == '.') {
            if (part_is_empty) return false;
            part_is_empty = true;
        } else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_') {
            part_is_empty = false;
        } else {
            return false;
        }
    }
    return !part_is_empty;
}

std::string_view Trim(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

std::vector<std::string> SplitAtCommas(std::string_view text) {
    std::vector<std::string> parts;
    if (Trim(text).empty()) return parts;
    while (true) {
        const std::size_t comma = text.find(',');
        parts.emplace_back(Trim(text.substr(0, comma)));
        if (comma == std::string_view::npos) return parts;
        text.remove_prefix(comma + 1);
    }
}

/// Turns a scalar into the list or map that was asked for.
Status Reshape(Written& written, Written::Shape shape) {
    if (written.shape == shape) return {};
    if (written.shape != Written::Shape::kScalar) {
        return Invalid(shape == Written::Shape::kScalar ? "expected a single value"
                       : shape == Written::Shape::kList ? "expected a list"
                                                        : "expected a map");
    }
    written.shape = shape;
    for (std::string& item : SplitAtCommas(written.scalar)) {
        if (shape == Written::Shape::kList) {
            written.items.push_back(std::move(item));
            continue;
        }
        const std::size_t equals = item.find('=');
        if (equals == std::string::npos || equals == 0) {
            return Invalid("expected name=value, not \"" + item + "\"");
        }
        written.entries.emplace_back(item.substr(0, equals), item.substr(equals + 1));
    }
    return {};
}

std::string Quoted(std::string_view text) {
    std::string quoted = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') quoted += '\\';
        if (static_cast<unsigned char>(c) < 0x20) {
            char escaped[8];
            std::snprintf(escaped, sizeof escaped, "\\x%02x", static_cast<unsigned char>(c));
            quoted += escaped;
        } else {
            quoted += c;
        }
    }
    return quoted + '"';
}

std::string ShowReal(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.12g", value);
    return text;
}

std::string WithUnit(std::string value, std::string_view unit) {
    if (!unit.empty()) value.append(" ").append(unit);
    return value;
}

template <class T, class Format>
std::string Bounds(const std::optional<T>& min, const std::optional<T>& max, Format format) {
    if (min && max) return format(*min) + " to " + format(*max);
    if (min) return "at least " + format(*min);
    if (max) return "at most " + format(*max);
    return {};
}

template <class T, class Format>
Status CheckBounds(T value, const std::optional<T>& min, const std::optional<T>& max,
                   std::string_view unit, Format format) {
    if (min && value < *min) {
        return Invalid(format(value) + " is below the least allowed, " +
                       WithUnit(format(*min), unit));
    }
    if (max && value > *max) {
        return Invalid(format(value) + " is above the most allowed, " +
                       WithUnit(format(*max), unit));
    }
    return {};
}

Result<std::string> ReadFile(const std::string& path, std::size_t bytes_max) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return Invalid("cannot read " + path + ": " + std::strerror(errno));
    std::string content(bytes_max + 1, '\0');
    file.read(content.data(), static_cast<std::streamsize>(content.size()));
    if (file.bad()) return Invalid("cannot read " + path + ": " + std::strerror(errno));
    const auto read = static_cast<std::size_t>(file.gcount());
    if (read > bytes_max) {
        return Invalid(path + " is larger than " + std::to_string(bytes_max) + " bytes");
    }
    content.resize(read);
    return content;
}

Status CheckReadable(const std::string& path) {
    struct stat about {};
    if (::stat(path.c_str(), &about) != 0 || ::access(path.c_str(), R_OK) != 0) {
        return Invalid("cannot read " + path + ": " + std::strerror(errno));
    }
    if (S_ISDIR(about.st_mode)) return Invalid(path + " is a directory");
    return {};
}

/// Edits from one text to another; rough, to find what a misspelt key was meant to be.
std::size_t Distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
        }
    }
    return row[b.size()];
}

std::string NearestOf(std::string_view name, const std::vector<std::string>& known) {
    // Half of a short name may not differ.
    std::size_t best = std::min<std::size_t>(4, name.size() / 2);
    std::string nearest;
    for (const std::string& candidate : known) {
        const std::size_t distance = Distance(name.substr(0, 128), candidate);
        if (distance < best) {
            best = distance;
            nearest = candidate;
        }
    }
    return nearest.empty() ? nearest : " (did you mean " + nearest + "?)";
}

}  // namespace

struct Schema::Keys {
    struct Field {
        Declaration declaration;
        std::string variable;
        /// Of a secret: the other of the pair `path` and `path`_file.
        std::optional<std::size_t> twin;
        /// Of a list of maps: reads its elements.
        std::function<Status(const YAML::Node&, const std::string& file)> set_elements;
        /// Of a list of maps: the keys of its elements, and how many there are.
        std::function<void(const ElementLoader&)> sample;
        std::function<std::size_t()> size;
        /// The default, as it was when declared.
        std::string initial;

        // What was written, and where.
        std::optional<Written> written;
        std::optional<YAML::Node> elements;
        std::string origin;
        bool from_environment = false;
    };

    std::vector<Field> fields;
    std::map<std::string, std::size_t, std::less<>> by_path;
    std::map<std::string, std::size_t, std::less<>> by_variable;
    std::vector<std::function<Status()>> rules;

    // Of one Load.
    std::string file;
    bool of_document = false;
    /// Where the element is, when these are the keys of one in a list of maps.
    std::string element_at;
    std::vector<std::string> problems;
    std::map<std::string, int> lines_seen;

    void Forget() {
        problems.clear();
        lines_seen.clear();
        for (Field& field : fields) {
            field.written.reset();
            field.elements.reset();
            field.origin.clear();
            field.from_environment = false;
        }
    }
    std::string At(const YAML::Node& node) const {
        return file + ":" + std::to_string(node.Mark().line + 1);
    }
    void Problem(const std::string& where, const std::string& what) {
        problems.push_back(where.empty() ? what : where + ": " + what);
    }
    bool IsSection(const std::string& path) const {
        const auto after = by_path.lower_bound(path + '.');
        return after != by_path.end() && after->first.starts_with(path + '.');
    }

    void ReadFileLayer(const std::string& path) {
        auto content = ReadFile(path, kFileBytesMax);
        if (!content.ok()) return Problem("", std::string(content.status().message()));
        ReadYaml(path, *content);
    }

    void ReadDocumentLayer(const Document& document) {
        if (document.yaml.size() > kFileBytesMax) {
            return Problem(document.name,
                           "is larger than " + std::to_string(kFileBytesMax) + " bytes");
        }
        ReadYaml(document.name, document.yaml);
    }

    void ReadYaml(const std::string& name, const std::string& content) {
        file = name;
        try {
            const int documents = CountYamlDocuments(content);
            if (documents > 1) return Problem(name, "more than one YAML document");
            if (documents == 1) ReadRoot(YAML::Load(content));
        } catch (const YAML::Exception& e) {
            Problem(name + ":" + std::to_string(e.mark.line + 1), "not YAML: " + e.msg);
        }
    }

    void ReadRoot(const YAML::Node& root) {
        if (root.IsNull()) return;
        if (!root.IsMap()) return Problem(file, "expected a map of keys");
        ReadMap(root, "", 0);
    }

    void ReadMap(const YAML::Node& map, const std::string& prefix, int depth) {
        for (const auto& entry : map) {
            if (!entry.first.IsScalar()) {
                Problem(At(entry.first), "a key must be a word");
                continue;
            }
            const std::string path = prefix + entry.first.Scalar();
            const int line = entry.first.Mark().line + 1;
            if (const auto [seen, is_new] = lines_seen.emplace(path, line); !is_new) {
                Problem(At(entry.first), "key " + path + " is repeated, it is already on line " +
                                             std::to_string(seen->second));
                continue;
            }
            ReadEntry(entry.first, entry.second, path, depth);
        }
    }

    void ReadEntry(const YAML::Node& key, const YAML::Node& value, const std::string& path,
                   int depth) {
        if (const auto known = by_path.find(path); known != by_path.end()) {
            ReadValue(fields[known->second], key, value);
        } else if (IsSection(path)) {
            if (value.IsMap() && depth < 16) {
                ReadMap(value, path + '.', depth + 1);
            } else if (!value.IsNull()) {
                Problem(At(key), path + " is a section, it holds keys, not a value");
            }
        } else {
            std::vector<std::string> paths;
            for (const auto& [each, index] : by_path) paths.push_back(each);
            Problem(At(key), "unknown key " + path + NearestOf(path, paths));
        }
    }

    void ReadValue(Field& field, const YAML::Node& key, const YAML::Node& value) {
        const std::string& path = field.declaration.path;
        field.origin = At(key);
        Written written;
        if (value.IsNull()) return Problem(field.origin, path + " has no value");
        if (field.set_elements) {
            if (!value.IsSequence()) return Problem(field.origin, path + ": expected a list");
            field.elements = value;
            field.written = std::move(written);
            return;
        }
        if (value.IsScalar()) {
            written.scalar = value.Scalar();
        } else if (value.IsSequence()) {
            written.shape = Written::Shape::kList;
            for (const auto& item : value) {
                if (!item.IsScalar()) return Problem(At(item), path + ": expected plain values");
                written.items.push_back(item.Scalar());
            }
        } else {
            written.shape = Written::Shape::kMap;
            std::map<std::string, int> names;
            for (const auto& entry : value) {
                if (!entry.first.IsScalar() || !entry.second.IsScalar()) {
                    return Problem(At(entry.first), path + ": expected plain values");
                }
                if (!names.emplace(entry.first.Scalar(), 0).second) {
                    Problem(At(entry.first),
                            "key " + path + "." + entry.first.Scalar() + " is repeated");
                }
                written.entries.emplace_back(entry.first.Scalar(), entry.second.Scalar());
            }
        }
        field.written = std::move(written);
    }

    void ReadEnvironmentLayer(std::vector<std::pair<std::string, std::string>> environment) {
        std::sort(environment.begin(), environment.end());
        for (const auto& [name, value] : environment) {
            if (!name.starts_with(kVariablePrefix) || name.starts_with(kTestVariablePrefix)) {
                continue;
            }
            const auto known = by_variable.find(name);
            if (known != by_variable.end()) {
                Override(fields[known->second], name, value);
            } else if (!OverrideMapEntry(name, value)) {
                std::vector<std::string> names;
                for (const auto& [each, index] : by_variable) names.push_back(each);
                Problem("environment", "unknown variable " + name + NearestOf(name, names));
            }
        }
    }

    void Override(Field& field, const std::string& variable, const std::string& value) {
        if (field.set_elements) {
            return Problem("environment", variable + ": " + field.declaration.path +
                                              " can only be set in the file");
        }
        field.origin = "environment " + variable;
        field.from_environment = true;
        field.written = Written{.scalar = value};
        // A secret named in the environment replaces the file's, whichever way each is given.
        if (field.twin && !fields[*field.twin].from_environment) {
            fields[*field.twin].written.reset();
        }
    }

    bool OverrideMapEntry(const std::string& variable, const std::string& value) {
        for (Field& field : fields) {
            const std::string start = field.variable + '_';
            if (field.declaration.shape != Written::Shape::kMap || !variable.starts_with(start) ||
                variable.size() == start.size()) {
                continue;
            }
            if (!field.written) field.written = Written{.shape = Written::Shape::kMap};
            field.origin = "environment " + variable;
            if (const Status status = Reshape(*field.written, Written::Shape::kMap); !status.ok()) {
                Problem(field.origin, std::string(status.message()));
                return true;
            }
            const std::string name = Lower(std::string_view(variable).substr(start.size()));
            for (auto& entry : field.written->entries) {
                if (entry.first == name) {
                    entry.second = value;
                    return true;
                }
            }
            field.written->entries.emplace_back(name, value);
            return true;
        }
        return false;
    }

    void Apply() {
        for (Field& field : fields) {
            const Declaration& declaration = field.declaration;
            const bool twin_written = field.twin && fields[*field.twin].written.has_value();
            if (!field.written) {
                if (declaration.required && !twin_written) {
                    const std::string twin =
                        field.twin ? " or " + fields[*field.twin].declaration.path : "";
                    Problem(element_at, "missing key " + declaration.path + twin +
                                            (element_at.empty() && !of_document
                                                 ? " (environment " + field.variable + ")"
                                                 : std::string()) +
                                            ": " + declaration.description);
                }
                continue;
            }
            if (twin_written && *field.twin > static_cast<std::size_t>(&field - fields.data())) {
                Problem(field.origin, declaration.path + " and " +
                                          fields[*field.twin].declaration.path +
                                          " are both given; one of the two is enough");
                continue;
            }
            Status status;
            if (field.set_elements) {
                status = field.set_elements(*field.elements, file);
                // It names its own places.
                if (!status.ok()) problems.emplace_back(status.message());
                continue;
            }
            status = Reshape(*field.written, declaration.shape);
            if (status.ok()) status = declaration.set(*field.written);
            if (!status.ok()) {
                Problem(field.origin, declaration.path + ": " + std::string(status.message()));
            }
        }
    }

    void CheckRules() {
        if (!problems.empty()) return;
        for (const auto& rule : rules) {
            const Status status = rule();
            if (!status.ok()) problems.emplace_back(status.message());
        }
    }

    Status Outcome() {
        if (problems.empty()) return {};
        std::string message;
        for (const std::string& problem : problems) {
            if (!message.empty()) message += '\n';
            message += problem;
        }
        return Invalid(std::move(message));
    }
};

std::vector<std::pair<std::string, std::string>> ProcessEnvironment() {
    std::vector<std::pair<std::string, std::string>> variables;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        const std::size_t equals = text.find('=');
        if (equals == std::string_view::npos) continue;
        variables.emplace_back(text.substr(0, equals), text.substr(equals + 1));
    }
    return variables;
}

Schema::Schema() : keys_(std::make_shared<Keys>()) {}

Schema Schema::Under(std::string_view prefix) const {
    Schema inner = *this;
    inner.prefix_ += prefix;
    inner.prefix_ += '.';
    return inner;
}

void Schema::Declare(Declaration declaration) {
    declaration.path = prefix_ + declaration.path;
    KESSAI_CHECK(IsPath(declaration.path), "not a configuration path: " + declaration.path);
    KESSAI_CHECK(!declaration.description.empty(), declaration.path + " has no description");
    Keys::Field field;
    field.variable = VariableOf(declaration.path);
    field.initial = declaration.show();
    const std::size_t index = keys_->fields.size();
    KESSAI_CHECK(keys_->by_path.emplace(declaration.path, index).second,
                 "configuration key declared twice: " + declaration.path);
    KESSAI_CHECK(keys_->by_variable.emplace(field.variable, index).second,
                 "two configuration keys have the variable " + field.variable);
    field.declaration = std::move(declaration);
    keys_->fields.push_back(std::move(field));
}

void Schema::DeclareInt(std::string_view path, const IntKey& key, std::int64_t lowest,
                        std::int64_t highest, std::function<void(std::int64_t)> store,
                        std::function<std::int64_t()> load) {
    const auto format = [](std::int64_t value) { return std::to_string(value); };
    const std::optional<std::int64_t> min = std::max(key.min.value_or(lowest), lowest);
    const std::optional<std::int64_t> max = std::min(key.max.value_or(highest), highest);
    Declare({.path = std::string(path),
             .type = "integer",
             .unit = std::string(key.unit),
             .bounds = Bounds(key.min, key.max, format),
             .description = std::string(key.description),
             .required = key.required,
             .set = [=, unit = std::string(key.unit)](const Written& written) -> Status {
                 KESSAI_ASSIGN_OR_RETURN(const std::int64_t value, ParseInt(written.scalar));
                 KESSAI_RETURN_IF_ERROR(CheckBounds(value, min, max, unit, format));
                 store(value);
                 return {};
             },
             .show = [=] { return format(load()); }});
}

void Schema::DeclareReal(std::string_view path, const RealKey& key,
                         std::function<void(double)> store, std::function<double()> load) {
    Declare({.path = std::string(path),
             .type = "number",
             .unit = std::string(key.unit),
             .bounds = Bounds(key.min, key.max, ShowReal),
             .description = std::string(key.description),
             .required = key.required,
             .set = [=, min = key.min, max = key.max,
                     unit = std::string(key.unit)](const Written& written) -> Status {
                 KESSAI_ASSIGN_OR_RETURN(const double value, ParseReal(written.scalar));
                 KESSAI_RETURN_IF_ERROR(CheckBounds(value, min, max, unit, ShowReal));
                 store(value);
                 return {};
             },
             .show = [=] { return ShowReal(load()); }});
}

void Schema::DeclareTime(std::string_view path, const DurationKey& key, Duration tick,
                         std::function<void(Duration)> store, std::function<Duration()> load) {
    Declare({.path = std::string(path),
             .type = "duration",
             .bounds = Bounds(key.min, key.max, FormatDuration),
             .description = std::string(key.description),
             .required = key.required,
             .set = [=, min = key.min, max = key.max](const Written& written) -> Status {
                 KESSAI_ASSIGN_OR_RETURN(const Duration value, ParseDuration(written.scalar));
                 KESSAI_RETURN_IF_ERROR(CheckBounds(value, min, max, "", FormatDuration));
                 if (value % tick != Duration(0)) {
                     return Invalid("expected a multiple of " + FormatDuration(tick));
                 }
                 store(value);
                 return {};
             },
             .show = [=] { return FormatDuration(load()); }});
}

void Schema::DeclareSize(std::string_view path, const SizeKey& key, std::uint64_t highest,
                         std::function<void(std::uint64_t)> store,
                         std::function<std::uint64_t()> load) {
    const std::optional<std::uint64_t> max = std::min(key.max.value_or(highest), highest);
    Declare({.path = std::string(path),
             .type = "size",
             .unit = "bytes",
             .bounds = Bounds(key.min, key.max, FormatSize),
             .description = std::string(key.description),
             .required = key.required,
             .set = [=, min = key.min](const Written& written) -> Status {
                 KESSAI_ASSIGN_OR_RETURN(const std::uint64_t value, ParseSize(written.scalar));
                 KESSAI_RETURN_IF_ERROR(CheckBounds(value, min, max, "bytes", FormatSize));
                 store(value);
                 return {};
             },
             .show = [=] { return FormatSize(load()); }});
}

void Schema::DeclareChoice(std::string_view path, const ChoiceKey& key,
                           std::vector<std::string> names, std::function<void(std::size_t)> store,
                           std::function<std::size_t()> load) {
    std::string listed;
    for (const std::string& name : names) {
        if (!listed.empty()) listed += ", ";
        listed += name;
    }
    KESSAI_CHECK(key.required || load() < names.size(), "the default is not among the choices");
    Declare({.path = std::string(path),
             .type = "choice",
             .bounds = listed,
             .description = std::string(key.description),
             .required = key.required,
             .set = [=](const Written& written) -> Status {
                 for (std::size_t i = 0; i < names.size(); ++i) {
                     if (names[i] == written.scalar) {
                         store(i);
                         return {};
                     }
                 }
                 return Invalid("expected one of " + listed + ", not \"" + written.scalar + '"');
             },
             .show = [=] { return load() < names.size() ? names[load()] : std::string(); }});
}

void Schema::DeclareList(std::string_view path, const ListKey& key, std::function<void()> clear,
                         std::function<void(const ElementLoader&)> append,
                         std::function<void(const ElementLoader&)> sample,
                         std::function<std::size_t()> size) {
    Declare({.path = std::string(path),
             .type = "list of maps",
             .bounds = "at most " + std::to_string(key.max_items) + " items",
             .description = std::string(key.description),
             .required = key.required,
             .shape = Written::Shape::kList,
             .set = [](const Written&) { return Status(); },
             .show = [=] { return size() == 0 ? std::string("[]") : std::to_string(size()); }});
    Keys::Field& field = keys_->fields.back();
    field.sample = std::move(sample);
    field.size = std::move(size);
    const std::string full = field.declaration.path;
    field.set_elements = [=, items_max = key.max_items, required = key.required](
                             const YAML::Node& list, const std::string& file) -> Status {
        if (list.size() > items_max) {
            return Invalid(file + ": " + full + ": more than " + std::to_string(items_max) +
                           " items");
        }
        if (required && list.size() == 0) return Invalid(file + ": " + full + " is empty");
        clear();
        std::string problems;
        for (std::size_t i = 0; i < list.size(); ++i) {
            append([&](Schema& element) {
                element.keys_->file = file;
                element.keys_->element_at = element.keys_->At(list[i]);
                element.keys_->ReadRoot(list[i]);
                element.keys_->Apply();
                element.keys_->CheckRules();
                for (const std::string& problem : element.keys_->problems) {
                    if (!problems.empty()) problems += '\n';
                    problems += full + "[" + std::to_string(i) + "]: " + problem;
                }
            });
        }
        return problems.empty() ? Status() : Invalid(std::move(problems));
    };
}

void Schema::Bool(std::string_view path, bool* target, const BoolKey& key) {
    Declare({.path = std::string(path),
             .type = "boolean",
             .description = std::string(key.description),
             .required = key.required,
             .set = [target](const Written& written) -> Status {
                 KESSAI_ASSIGN_OR_RETURN(*target, ParseBool(written.scalar));
                 return {};
             },
             .show = [target] { return std::string(*target ? "true" : "false"); }});
}

void Schema::Text(std::string_view path, std::string* target, const TextKey& key) {
    Declare({.path = std::string(path),
             .type = "text",
             .unit = std::string(key.unit),
             .description = std::string(key.description),
             .required = key.required,
             .set = [target, key](const Written& written) -> Status {
                 if (written.scalar.empty() && key.required) return Invalid("is empty");
                 if (written.scalar.size() > key.max_length) {
                     return Invalid("is longer than " + std::to_string(key.max_length) + " bytes");
                 }
                 *target = written.scalar;
                 return {};
             },
             .show = [target] { return Quoted(*target); }});
}

void Schema::Secret(std::string_view path, std::string* target, const TextKey& key,
                    std::string* file) {
    const auto hidden = [target] { return std::string(target->empty() ? "\"\"" : "\"***\""); };
    // Its messages never quote the value.
    const auto accept = [target, required = key.required,
                         length_max = key.max_length](std::string value) -> Status {
        if (value.empty() && required) return Invalid("is empty");
        if (value.size() > length_max) {
            return Invalid("is longer than " + std::to_string(length_max) + " bytes");
        }
        *target = std::move(value);
        return {};
    };
    Declare({.path = std::string(path),
             .type = "secret",
             .description = std::string(key.description),
             .required = key.required,
             .secret = true,
             .set = [accept](const Written& written) { return accept(written.scalar); },
             .show = hidden});
    const auto path_given = std::make_shared<std::string>();
    Declare({.path = std::string(path) + "_file",
             .type = "file",
             .description = "File that holds it instead",
             .set = [=](const Written& written) -> Status {
                 KESSAI_ASSIGN_OR_RETURN(std::string content,
                                         ReadFile(written.scalar, kSecretBytesMax));
                 if (content.ends_with('\n')) content.pop_back();
                 if (content.ends_with('\r')) content.pop_back();
                 *path_given = written.scalar;
                 if (file != nullptr) *file = written.scalar;
                 return accept(std::move(content)).WithContext(written.scalar);
             },
             .show = [path_given] { return Quoted(*path_given); }});
    const std::size_t last = keys_->fields.size() - 1;
    keys_->fields[last].twin = last - 1;
    keys_->fields[last - 1].twin = last;
}

void Schema::Address(std::string_view path, HostPort* target, const HostPortKey& key) {
    Declare({.path = std::string(path),
             .type = "host:port",
             .description = std::string(key.description),
             .required = key.required,
             .set = [target](const Written& written) -> Status {
                 KESSAI_ASSIGN_OR_RETURN(*target, ParseHostPort(written.scalar));
                 return {};
             },
             .show = [target] { return Quoted(target->port == 0 ? "" : target->ToString()); }});
}

void Schema::File(std::string_view path, std::string* target, const FileKey& key) {
    Declare({.path = std::string(path),
             .type = "file",
             .description = std::string(key.description),
             .required = key.required,
             .set = [target, key](const Written& written) -> Status {
                 if (written.scalar.empty() && key.required) return Invalid("is empty");
                 if (!written.scalar.empty() && key.must_exist) {
                     KESSAI_RETURN_IF_ERROR(CheckReadable(written.scalar));
                 }
                 *target = written.scalar;
                 return {};
             },
             .show = [target] { return Quoted(*target); }});
}

void Schema::TextList(std::string_view path, std::vector<std::string>* target, const ListKey& key) {
    Declare({.path = std::string(path),
             .type = "list of texts",
             .bounds = "at most " + std::to_string(key.max_items) + " items",
             .description = std::string(key.description),
             .required = key.required,
             .shape = Written::Shape::kList,
             .set = [target, key](const Written& written) -> Status {
                 if (written.items.empty() && key.required) return Invalid("is empty");
                 if (written.items.size() > key.max_items) {
                     return Invalid("more than " + std::to_string(key.max_items) + " items");
                 }
                 *target = written.items;
                 return {};
             },
             .show =
                 [target] {
                     std::string text;
                     for (const std::string& item : *target) {
                         text += (text.empty() ? "" : ", ") + Quoted(item);
                     }
                     return '[' + text + ']';
                 }});
}

void Schema::AddressList(std::string_view path, std::vector<HostPort>* target, const ListKey& key) {
    Declare({.path = std::string(path),
             .type = "list of host:port",
             .bounds = "at most " + std::to_string(key.max_items) + " items",
             .description = std::string(key.description),
             .required = key.required,
             .shape = Written::Shape::kList,
             .set = [target, key](const Written& written) -> Status {
                 if (written.items.empty() && key.required) return Invalid("is empty");
                 if (written.items.size() > key.max_items) {
                     return Invalid("more than " + std::to_string(key.max_items) + " items");
                 }
                 target->clear();
                 for (const std::string& item : written.items) {
                     KESSAI_ASSIGN_OR_RETURN(HostPort address, ParseHostPort(item));
                     target->push_back(std::move(address));
                 }
                 return {};
             },
             .show =
                 [target] {
                     std::string text;
                     for (const HostPort& item : *target) {
                         text += (text.empty() ? "" : ", ") + Quoted(item.ToString());
                     }
                     return '[' + text + ']';
                 }});
}

void Schema::TextMap(std::string_view path, std::map<std::string, std::string>* target,
                     const ListKey& key) {
    Declare({.path = std::string(path),
             .type = "map of texts",
             .bounds = "at most " + std::to_string(key.max_items) + " items",
             .description = std::string(key.description),
             .required = key.required,
             .shape = Written::Shape::kMap,
             .set = [target, key](const Written& written) -> Status {
                 if (written.entries.empty() && key.required) return Invalid("is empty");
                 if (written.entries.size() > key.max_items) {
                     return Invalid("more than " + std::to_string(key.max_items) + " items");
                 }
                 target->clear();
                 for (const auto& [name, value] : written.entries) {
                     if (!target->emplace(name, value).second) {
                         return Invalid(name + " is repeated");
                     }
                 }
                 return {};
             },
             .show =
                 [target] {
                     std::string text;
                     for (const auto& [name, value] : *target) {
                         text += (text.empty() ? "" : ", ") + Quoted(name) + ": " + Quoted(value);
                     }
                     return '{' + text + '}';
                 }});
}

void Schema::Check(std::function<Status()> rule) {
    keys_->rules.push_back(std::move(rule));
}

Status Schema::Load(const Sources& sources) {
    keys_->Forget();
    keys_->of_document = sources.document.has_value();
    if (!sources.file.empty()) keys_->ReadFileLayer(sources.file);
    if (sources.document) keys_->ReadDocumentLayer(*sources.document);
    keys_->ReadEnvironmentLayer(sources.environment);
    keys_->Apply();
    keys_->CheckRules();
    return keys_->Outcome();
}

std::string Schema::Reference() const {
    std::string table =
        "| key | environment | type | unit | default | bounds | description |\n"
        "|---|---|---|---|---|---|---|\n";
    const auto add_rows = [&table](const auto& self, const Keys& keys, const std::string& prefix,
                                   bool with_variable) -> void {
        for (const Keys::Field& field : keys.fields) {
            const Declaration& declaration = field.declaration;
            const std::string path = prefix + declaration.path;
            std::string description = declaration.description;
            if (declaration.path.ends_with("_file") && field.twin) {
                description += " (`" + prefix + keys.fields[*field.twin].declaration.path + "`)";
            }
            std::string initial = '`' + field.initial + '`';
            if (declaration.required) {
                initial = "required";
                if (field.twin) {
                    initial += ", or `" + prefix + keys.fields[*field.twin].declaration.path + '`';
                }
            }
            const bool variable = with_variable && !field.set_elements;
            table += "| `" + path + "` | " + (variable ? '`' + field.variable + '`' : "") + " | " +
                     declaration.type + " | " + declaration.unit + " | " + initial + " | " +
                     declaration.bounds + " | " + description + " |\n";
            if (!field.sample) continue;
            field.sample([&](Schema& element) { self(self, *element.keys_, path + "[].", false); });
        }
    };
    add_rows(add_rows, *keys_, "", true);
    return table;
}

std::string Schema::Dump() const {
    std::string text;
    for (const Keys::Field& field : keys_->fields) {
        text += field.declaration.path + ": " + field.declaration.show();
        if (field.size && field.size() > 0) text += " items";
        text += '\n';
    }
    return text;
}

}  // namespace kessai::config
