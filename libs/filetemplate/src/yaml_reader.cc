#include "yaml_reader.h"

#include <algorithm>
#include <set>

#include "encoding.h"
#include "kessai/config/yaml_documents.h"
#include "kessai/filetemplate/template.h"

namespace kessai::filetemplate::internal {
namespace {

constexpr std::size_t kEntriesMax = 1'000;

template <class Names>
std::string ListOf(const Names& names) {
    std::string list;
    for (const std::string_view name : names) {
        list.append(list.empty() ? "" : ", ").append(name);
    }
    return list;
}

std::string Shown(const std::string& text) {
    constexpr std::size_t kShownMax = 60;
    return "\"" + text.substr(0, BytesOfCharacters(text, kShownMax)) + "\"";
}

}  // namespace

std::optional<YAML::Node> YamlMap::Find(std::string_view key) const {
    for (const auto& [name, value] : entries_) {
        if (name.Scalar() == key) return value;
    }
    return std::nullopt;
}

Result<YAML::Node> YamlReader::Load() const {
    if (source_.size() > kTemplateBytesMax) {
        return AtPlace(0, 0, reason::kYamlMalformed,
                       "a template has at most " + std::to_string(kTemplateBytesMax) + " bytes");
    }
    std::string_view rest = source_;
    for (std::size_t line = 0; !rest.empty(); ++line) {
        const std::string_view text = rest.substr(0, rest.find('\n'));
        if (!IsUtf8(text)) {
            return AtPlace(line, 0, reason::kYamlMalformed, "the line is no UTF-8");
        }
        rest.remove_prefix(std::min(text.size() + 1, rest.size()));
    }
    try {
        const std::string text(source_);
        if (config::CountYamlDocuments(text) != 1) {
            return AtPlace(0, 0, reason::kYamlMalformed, "a template is one YAML document");
        }
        return YAML::Load(text);
    } catch (const YAML::Exception& e) {
        const bool placed = !e.mark.is_null();
        return AtPlace(placed ? static_cast<std::size_t>(e.mark.line) : 0,
                       placed ? static_cast<std::size_t>(e.mark.column) : 0, reason::kYamlMalformed,
                       "no YAML: " + e.msg);
    }
}

std::string_view YamlReader::LineAt(std::size_t line) const {
    std::string_view rest = source_;
    for (; line > 0; --line) {
        const std::size_t end = rest.find('\n');
        if (end == std::string_view::npos) return {};
        rest.remove_prefix(end + 1);
    }
    return rest.substr(0, rest.find('\n'));
}

Status YamlReader::AtPlace(std::size_t line, std::size_t byte, std::string_view reason,
                           const std::string& message) const {
    const std::string_view before = LineAt(line).substr(0, byte);
    return Status(Code::kInvalidArgument, reason,
                  "line " + std::to_string(line + 1) + ", column " +
                      std::to_string(CharactersIn(before) + 1) + ": " + message);
}

Status YamlReader::At(const YAML::Node& node, std::string_view reason,
                      const std::string& message) const {
    const YAML::Mark mark = node.Mark();
    if (mark.is_null()) return AtPlace(0, 0, reason, message);
    return AtPlace(static_cast<std::size_t>(mark.line), static_cast<std::size_t>(mark.column),
                   reason, message);
}

Status YamlReader::Within(const YAML::Node& scalar, std::size_t at, std::string_view reason,
                          const std::string& message) const {
    const YAML::Mark mark = scalar.Mark();
    if (mark.is_null()) return AtPlace(0, 0, reason, message);
    const auto line = static_cast<std::size_t>(mark.line);
    auto byte = static_cast<std::size_t>(mark.column);
    const std::string_view text = LineAt(line);
    const std::string_view value = std::string_view(scalar.Scalar()).substr(0, at);
    std::size_t begin = byte;
    if (begin < text.size() && (text[begin] == '"' || text[begin] == '\'')) ++begin;
    if (begin <= text.size() && text.substr(begin).starts_with(value)) byte = begin + value.size();
    return AtPlace(line, byte, reason, message);
}

Result<YamlMap> YamlReader::Map(const YAML::Node& node,
                                std::initializer_list<std::string_view> keys) const {
    if (!node.IsMap()) {
        return At(node, reason::kValueInvalid,
                  keys.size() == 0 ? "expected a map" : "expected a map of " + ListOf(keys));
    }
    if (node.size() > kEntriesMax) {
        return At(node, reason::kValueInvalid,
                  "a map has at most " + std::to_string(kEntriesMax) + " entries");
    }
    YamlMap map(node);
    std::set<std::string_view> seen;
    for (const auto& entry : node) {
        if (!entry.first.IsScalar()) {
            return At(entry.first, reason::kValueInvalid, "a key is a single value");
        }
        const std::string& key = entry.first.Scalar();
        if (keys.size() > 0 && std::find(keys.begin(), keys.end(), key) == keys.end()) {
            return At(entry.first, reason::kKeyUnknown,
                      "unknown key " + Shown(key) + "; allowed are " + ListOf(keys));
        }
        if (map.Find(key))
            return At(entry.first, reason::kKeyTwice, Shown(key) + " is there twice");
        map.Add(entry.first, entry.second);
    }
    return map;
}

Result<std::vector<YAML::Node>> YamlReader::List(const YAML::Node& node) const {
    if (!node.IsSequence()) return At(node, reason::kValueInvalid, "expected a list");
    std::vector<YAML::Node> items;
    for (const auto& item : node) items.push_back(item);
    return items;
}

Result<std::string> YamlReader::Text(const YAML::Node& node) const {
    if (!node.IsScalar()) return At(node, reason::kValueInvalid, "expected a single value");
    return node.Scalar();
}

Result<std::string> YamlReader::TextOf(const YamlMap& map, std::string_view key,
                                       std::string_view otherwise,
                                       std::initializer_list<std::string_view> allowed) const {
    const auto node = map.Find(key);
    if (!node) return std::string(otherwise);
    KESSAI_ASSIGN_OR_RETURN(std::string text, Text(*node));
    if (allowed.size() > 0 && std::find(allowed.begin(), allowed.end(), text) == allowed.end()) {
        return At(*node, reason::kValueInvalid,
                  Shown(text) + " is not allowed here; allowed are " + ListOf(allowed));
    }
    return text;
}

Result<YAML::Node> YamlReader::Required(const YamlMap& map, std::string_view key) const {
    const auto node = map.Find(key);
    if (node) return *node;
    return At(map.node(), reason::kKeyMissing, "the key " + std::string(key) + " is missing here");
}

}  // namespace kessai::filetemplate::internal
