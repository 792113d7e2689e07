#include "xml.h"

#include <expat.h>

#include <memory>
#include <type_traits>

namespace kessai::filestore {
namespace {

constexpr std::size_t kDepthMax = 32;

struct Reading {
    XmlElement document = {};
    /// From `document` to the element that is open. Only the last one's children grow, so they
    /// stay.
    std::vector<XmlElement*> open = {&document};
    bool too_deep = false;
};

std::string_view WithoutNamespace(std::string_view name) {
    const std::size_t colon = name.rfind(':');
    return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

void Begin(void* user, const XML_Char* name, const XML_Char**) {
    auto& reading = *static_cast<Reading*>(user);
    if (reading.open.size() > kDepthMax) reading.too_deep = true;
    if (reading.too_deep) return;
    auto& children = reading.open.back()->children;
    children.push_back({.name = std::string(WithoutNamespace(name))});
    reading.open.push_back(&children.back());
}

void End(void* user, const XML_Char*) {
    auto& reading = *static_cast<Reading*>(user);
    if (!reading.too_deep) reading.open.pop_back();
}

void Text(void* user, const XML_Char* text, int size) {
    auto& reading = *static_cast<Reading*>(user);
    if (!reading.too_deep) reading.open.back()->text.append(text, static_cast<std::size_t>(size));
}

}  // namespace

const XmlElement* XmlElement::Child(std::string_view child_name) const {
    for (const XmlElement& child : children) {
        if (child.name == child_name) return &child;
    }
    return nullptr;
}

std::string_view XmlElement::ChildText(std::string_view child_name) const {
    const XmlElement* child = Child(child_name);
    return child == nullptr ? std::string_view{} : child->text;
}

std::optional<XmlElement> ParseXml(std::string_view document) {
    const std::unique_ptr<std::remove_pointer_t<XML_Parser>, decltype(&XML_ParserFree)> parser(
        XML_ParserCreate("UTF-8"), &XML_ParserFree);
    if (parser == nullptr) return std::nullopt;
    Reading reading;
    XML_SetUserData(parser.get(), &reading);
    XML_SetElementHandler(parser.get(), &Begin, &End);
    XML_SetCharacterDataHandler(parser.get(), &Text);
    if (XML_Parse(parser.get(), document.data(), static_cast<int>(document.size()), 1) !=
            XML_STATUS_OK ||
        reading.too_deep || reading.document.children.size() != 1) {
        return std::nullopt;
    }
    return std::move(reading.document.children.front());
}

std::string EscapeXml(std::string_view text) {
    std::string escaped;
    for (const char byte : text) {
        if (byte == '&') {
            escaped += "&amp;";
        } else if (byte == '<') {
            escaped += "&lt;";
        } else if (byte == '>') {
            escaped += "&gt;";
        } else if (byte == '"') {
            escaped += "&quot;";
        } else {
            escaped += byte;
        }
    }
    return escaped;
}

}  // namespace kessai::filestore
