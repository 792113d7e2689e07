#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kessai::filestore {

/// An element of a small XML document, without its attributes and namespace.
struct XmlElement {
    std::string name = {};
    std::string text = {};
    std::vector<XmlElement> children = {};

    /// The first child of that name; null if there is none.
    const XmlElement* Child(std::string_view child_name) const;
    /// Its text; empty if there is none.
    std::string_view ChildText(std::string_view child_name) const;
};

/// The root of `document`; nothing if it is no XML.
std::optional<XmlElement> ParseXml(std::string_view document);
/// `text` as it stands within an element.
std::string EscapeXml(std::string_view text);

}  // namespace kessai::filestore
