#include "transport/json_writer.h"

#include <array>

namespace kessai::gateway::transport {

void AppendJsonString(std::string& out, std::string_view text) {
    static constexpr auto kPlain = [] {
        std::array<bool, 256> plain{};
        for (std::size_t byte = 0x20; byte < 256; ++byte) plain[byte] = true;
        plain['"'] = plain['\\'] = plain['<'] = plain['>'] = plain['&'] = plain[0x7f] = false;
        return plain;
    }();
    static constexpr char kHex[] = "0123456789abcdef";
    out.push_back('"');
    std::size_t begin = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if (kPlain[byte]) continue;
        out.append(text.substr(begin, i - begin));
        begin = i + 1;
        switch (text[i]) {
            case '"':
                out.append("\\\"");
                break;
            case '\\':
                out.append("\\\\");
                break;
            case '\n':
                out.append("\\n");
                break;
            case '\r':
                out.append("\\r");
                break;
            case '\t':
                out.append("\\t");
                break;
            default:
                // Controls; and < > & so that no browser can take an answer for markup.
                out.append("\\u00").push_back(kHex[byte >> 4]);
                out.push_back(kHex[byte & 15]);
        }
    }
    out.append(text.substr(begin)).push_back('"');
}

}  // namespace kessai::gateway::transport
