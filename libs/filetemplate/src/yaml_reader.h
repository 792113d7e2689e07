#pragma once

#include <yaml-cpp/yaml.h>

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kessai/result/result.h"

/// YAML, with the place of everything in it.
namespace kessai::filetemplate::internal {

/// The entries of a map, in their order.
class YamlMap {
 public:
    explicit YamlMap(YAML::Node node) : node_(std::move(node)) {}
    void Add(YAML::Node key, YAML::Node value) {
        entries_.emplace_back(std::move(key), std::move(value));
    }

    const YAML::Node& node() const { return node_; }
    const std::vector<std::pair<YAML::Node, YAML::Node>>& entries() const { return entries_; }
    std::optional<YAML::Node> Find(std::string_view key) const;

 private:
    YAML::Node node_;
    std::vector<std::pair<YAML::Node, YAML::Node>> entries_;
};

class YamlReader {
 public:
    /// `source` must outlive it.
    explicit YamlReader(std::string_view source) : source_(source) {}

    /// The one document; refuses with kYamlMalformed.
    Result<YAML::Node> Load() const;

    /// A refusal whose message begins with the node's place.
    Status At(const YAML::Node& node, std::string_view reason, const std::string& message) const;
    /// With the place of the byte `at` of a scalar's value, where the scalar stands in one line as
    /// its value is; or else of its beginning.
    Status Within(const YAML::Node& scalar, std::size_t at, std::string_view reason,
                  const std::string& message) const;

    /// A map without a key twice; of `keys` only, unless there are none.
    Result<YamlMap> Map(const YAML::Node& node, std::initializer_list<std::string_view> keys) const;
    Result<std::vector<YAML::Node>> List(const YAML::Node& node) const;
    Result<std::string> Text(const YAML::Node& node) const;
    /// The text that `map` has under `key`, or `otherwise`; one of `allowed`, unless there are
    /// none.
    Result<std::string> TextOf(const YamlMap& map, std::string_view key, std::string_view otherwise,
                               std::initializer_list<std::string_view> allowed = {}) const;
    /// Refuses with kKeyMissing.
    Result<YAML::Node> Required(const YamlMap& map, std::string_view key) const;

 private:
    std::string_view LineAt(std::size_t line) const;
    Status AtPlace(std::size_t line, std::size_t byte, std::string_view reason,
                   const std::string& message) const;

    std::string_view source_;
};

}  // namespace kessai::filetemplate::internal
