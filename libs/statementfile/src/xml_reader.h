#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kessai/result/result.h"

namespace kessai::statementfile::internal {

/// What an XML file consists of, in its order. Names are local ones; those of other namespaces than
/// the root's are left out, with all that is in them.
struct XmlEvents {
    /// The root: its name and namespace.
    std::function<Status(std::string_view name, std::string_view uri)> root = {};
    std::function<Status(std::string_view name)> begin = {};
    std::function<void(std::string_view name, std::string_view value)> attribute = {};
    /// The element ends; `text` is the characters directly in it, trimmed.
    std::function<Status(std::string_view name, const std::string& text)> end = {};
};

/// Reads XML in pieces, in UTF-8 only. A document type is refused before anything of it is read, so
/// that there are no entities but the five of XML itself: STATEMENT_XML_DOCTYPE. Nesting and texts
/// are bounded. Refuses with STATEMENT_XML_MALFORMED, _XML_TOO_LARGE, STATEMENT_ENCODING_WRONG, or
/// what an event refused with.
class XmlReader {
 public:
    static constexpr std::size_t kDepthMax = 64;
    static constexpr std::size_t kTextBytesMax = 64 << 10;

    explicit XmlReader(XmlEvents events);
    ~XmlReader();
    XmlReader(const XmlReader&) = delete;
    XmlReader& operator=(const XmlReader&) = delete;

    Status Take(std::string_view bytes);
    /// Refuses with STATEMENT_FILE_INCOMPLETE a document that is not closed.
    Status Finish();

    /// Of the event under way.
    std::size_t line() const;

 private:
    struct Parser;
    std::unique_ptr<Parser> parser_;
};

}  // namespace kessai::statementfile::internal
