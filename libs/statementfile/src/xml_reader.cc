#include "xml_reader.h"

#include <expat.h>

#include <algorithm>
#include <cstdint>

#include "kessai/result/check.h"
#include "kessai/statementfile/statement_item.h"
#include "text_decoder.h"

namespace kessai::statementfile::internal {
namespace {

constexpr char kBehindNamespace = '|';
/// Pieces that are handed on at once.
constexpr std::size_t kPieceBytes = std::size_t{1} << 20;
/// Of a tag, a comment or another part that the parser must hold whole.
constexpr std::int64_t kPartBytesMax = std::int64_t{4} << 20;

Status Refuse(std::string_view reason, std::string message) {
    return Status(Code::kInvalidArgument, reason, std::move(message));
}

std::string_view TrimXml(std::string_view text) {
    constexpr std::string_view kSpaces = " \t\r\n";
    const std::size_t first = text.find_first_not_of(kSpaces);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

}  // namespace

struct XmlReader::Parser {
    explicit Parser(XmlEvents given)
        : events(std::move(given)), handle(XML_ParserCreateNS("UTF-8", kBehindNamespace)) {
        KESSAI_CHECK(handle != nullptr, "no memory for an XML parser");
        XML_SetUserData(handle, this);
        XML_SetElementHandler(handle, &Parser::OnBegin, &Parser::OnEnd);
        XML_SetCharacterDataHandler(handle, &Parser::OnText);
        XML_SetStartDoctypeDeclHandler(handle, &Parser::OnDoctype);
        XML_SetXmlDeclHandler(handle, &Parser::OnDeclaration);
    }
    ~Parser() { XML_ParserFree(handle); }
    Parser(const Parser&) = delete;
    Parser& operator=(const Parser&) = delete;

    static Parser& Of(void* self) { return *static_cast<Parser*>(self); }
    std::string Where() const {
        return "line " + std::to_string(XML_GetCurrentLineNumber(handle)) + ", column " +
               std::to_string(XML_GetCurrentColumnNumber(handle) + 1);
    }
    void Stop(Status status) {
        if (refused.ok()) refused = std::move(status);
        XML_StopParser(handle, XML_FALSE);
    }
    void StopUnlessOk(Status status) {
        if (!status.ok()) Stop(std::move(status));
    }

    static void OnBegin(void* self, const XML_Char* name, const XML_Char** attributes) {
        Parser& parser = Of(self);
        if (parser.refused.ok()) parser.Begin(name, attributes);
    }
    static void OnEnd(void* self, const XML_Char*) {
        Parser& parser = Of(self);
        if (parser.refused.ok()) parser.End();
    }
    static void OnText(void* self, const XML_Char* text, int size) {
        Parser& parser = Of(self);
        if (parser.refused.ok()) parser.Text({text, static_cast<std::size_t>(size)});
    }
    static void OnDoctype(void* self, const XML_Char*, const XML_Char*, const XML_Char*, int) {
        Parser& parser = Of(self);
        parser.Stop(Refuse(reason::kXmlDoctype,
                           parser.Where() + ": a document type, which no statement has"));
    }
    static void OnDeclaration(void* self, const XML_Char*, const XML_Char* encoding, int) {
        Parser& parser = Of(self);
        if (encoding == nullptr) return;
        std::string name(encoding);
        std::ranges::transform(name, name.begin(), [](char c) {
            return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
        });
        if (name == "UTF-8" || name == "US-ASCII") return;
        parser.Stop(Refuse(reason::kEncodingWrong,
                           "the file says that it is " + std::string(encoding) + ", not UTF-8"));
    }

    void Begin(const char* expanded, const char** attributes) {
        if (++depth > kDepthMax) {
            return Stop(
                Refuse(reason::kXmlTooLarge,
                       Where() + ": elements are nested deeper than " + std::to_string(kDepthMax)));
        }
        const std::string_view name(expanded);
        const std::size_t at = name.rfind(kBehindNamespace);
        const std::string_view uri =
            at == std::string_view::npos ? std::string_view() : name.substr(0, at);
        const std::string_view local = at == std::string_view::npos ? name : name.substr(at + 1);
        if (depth == 1) {
            root_uri = uri;
            if (Status status = events.root(local, uri); !status.ok()) return Stop(status);
        }
        if (foreign_from == 0 && uri != root_uri) foreign_from = depth;
        if (foreign_from != 0) return;
        open.push_back({std::string(local), {}});
        if (Status status = events.begin(local); !status.ok()) return Stop(std::move(status));
        for (; *attributes != nullptr; attributes += 2) {
            events.attribute(attributes[0], attributes[1]);
        }
    }

    void End() {
        if (foreign_from != 0) {
            if (depth-- == foreign_from) foreign_from = 0;
            return;
        }
        --depth;
        const Element element = std::move(open.back());
        open.pop_back();
        StopUnlessOk(events.end(element.name, std::string(TrimXml(element.text))));
    }

    void Text(std::string_view text) {
        if (foreign_from != 0 || open.empty()) return;
        std::string& held = open.back().text;
        // What stands between elements.
        if (held.empty() && TrimXml(text).empty()) return;
        if (held.size() + text.size() > kTextBytesMax) {
            return Stop(Refuse(reason::kXmlTooLarge, Where() + ": a text of more than " +
                                                         std::to_string(kTextBytesMax) + " bytes"));
        }
        held += text;
    }

    Status Parse(std::string_view bytes, bool last) {
        const auto status =
            XML_Parse(handle, bytes.data(), static_cast<int>(bytes.size()), last ? 1 : 0);
        if (!refused.ok()) return refused;
        fed += static_cast<std::int64_t>(bytes.size());
        if (!last &&
            fed - std::max<std::int64_t>(0, XML_GetCurrentByteIndex(handle)) > kPartBytesMax) {
            return Refuse(reason::kXmlTooLarge, Where() + ": a part of more than " +
                                                    std::to_string(kPartBytesMax) + " bytes");
        }
        if (status == XML_STATUS_OK) return OkStatus();
        const XML_Error error = XML_GetErrorCode(handle);
        if (last && (error == XML_ERROR_NO_ELEMENTS || error == XML_ERROR_UNCLOSED_TOKEN ||
                     error == XML_ERROR_UNCLOSED_CDATA_SECTION)) {
            return Refuse(reason::kFileIncomplete,
                          Where() + ": the file stops before its last element is closed");
        }
        return Refuse(reason::kXmlMalformed, Where() + ": " + XML_ErrorString(error));
    }

    struct Element {
        std::string name;
        std::string text;
    };

    const XmlEvents events;
    XML_Parser handle;
    Status refused;
    std::int64_t fed = 0;
    std::size_t depth = 0;
    /// Where an element of another namespace is open; 0 if none is.
    std::size_t foreign_from = 0;
    std::string root_uri;
    std::vector<Element> open;
    /// The beginning of a character whose end is in the next piece.
    std::string held_back;
};

XmlReader::XmlReader(XmlEvents events) : parser_(std::make_unique<Parser>(std::move(events))) {}
XmlReader::~XmlReader() = default;

std::size_t XmlReader::line() const {
    return XML_GetCurrentLineNumber(parser_->handle);
}

namespace {

/// Where the last character begins if its end is missing, otherwise the end of the bytes.
std::size_t EndOfWholeCharacters(std::string_view bytes) {
    const std::size_t back_max = std::min<std::size_t>(3, bytes.size());
    for (std::size_t back = 1; back <= back_max; ++back) {
        const auto byte = static_cast<unsigned char>(bytes[bytes.size() - back]);
        if ((byte & 0xC0) == 0x80) continue;
        const std::size_t size = byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
        return size > back ? bytes.size() - back : bytes.size();
    }
    return bytes.size();
}

}  // namespace

Status XmlReader::Take(std::string_view bytes) {
    while (!bytes.empty()) {
        std::string piece = std::exchange(parser_->held_back, {});
        piece += bytes.substr(0, kPieceBytes);
        bytes.remove_prefix(std::min(kPieceBytes, bytes.size()));
        const std::size_t end = EndOfWholeCharacters(piece);
        parser_->held_back = piece.substr(end);
        piece.resize(end);
        if (!IsUtf8(piece) || piece.find('\0') != std::string::npos) {
            return Refuse(reason::kEncodingWrong,
                          "behind " + parser_->Where() + ": bytes that are not UTF-8");
        }
        KESSAI_RETURN_IF_ERROR(parser_->Parse(piece, /*last=*/false));
    }
    return OkStatus();
}

Status XmlReader::Finish() {
    if (!parser_->held_back.empty()) {
        return Refuse(reason::kEncodingWrong, "the file ends within a character");
    }
    return parser_->Parse({}, /*last=*/true);
}

}  // namespace kessai::statementfile::internal
