#pragma once

#include <string>

namespace kessai::config {

/// How many documents `yaml` has; 2 for more. What yaml-cpp's LoadAll is for, which never ends with
/// some texts, such as ",". Throws YAML::Exception.
int CountYamlDocuments(const std::string& yaml);

}  // namespace kessai::config
