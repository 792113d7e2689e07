#include "transport/qr_image.h"

#include <qrencode.h>

#include <array>
#include <cstdint>
#include <memory>

#include "kessai/result/check.h"

namespace kessai::gateway::transport {

namespace {

constexpr int kQuietModules = 4;

struct FreeCode {
    void operator()(QRcode* code) const { QRcode_free(code); }
};
using Code = std::unique_ptr<QRcode, FreeCode>;

Code Encode(std::string_view text) {
    Code code(QRcode_encodeData(static_cast<int>(text.size()),
                                reinterpret_cast<const unsigned char*>(text.data()), 0,
                                QR_ECLEVEL_M));
    KESSAI_CHECK(code != nullptr, "a text that fits a QR code");
    return code;
}

bool IsDark(const QRcode& code, int x, int y) {
    if (x < 0 || y < 0 || x >= code.width || y >= code.width) return false;
    return (code.data[y * code.width + x] & 1) != 0;
}

// PNG (RFC 2083) by hand: an image of one bit a pixel, not compressed, needs no library.

void AppendBig(std::string& out, std::uint32_t number) {
    for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(number >> shift));
}

std::uint32_t Crc32(std::string_view bytes) {
    static constexpr auto kTable = [] {
        std::array<std::uint32_t, 256> table{};
        for (std::uint32_t i = 0; i < 256; ++i) {
            std::uint32_t c = i;
            for (int bit = 0; bit < 8; ++bit) c = (c & 1) != 0 ? 0xedb88320U ^ (c >> 1) : c >> 1;
            table[i] = c;
        }
        return table;
    }();
    std::uint32_t crc = 0xffffffffU;
    for (const char c : bytes)
        crc = kTable[(crc ^ static_cast<unsigned char>(c)) & 0xff] ^ (crc >> 8);
    return crc ^ 0xffffffffU;
}

std::uint32_t Adler32(std::string_view bytes) {
    std::uint32_t a = 1;
    std::uint32_t b = 0;
    for (const char c : bytes) {
        a = (a + static_cast<unsigned char>(c)) % 65'521;
        b = (b + a) % 65'521;
    }
    return b << 16 | a;
}

void AppendChunk(std::string& out, std::string_view type, std::string_view data) {
    AppendBig(out, static_cast<std::uint32_t>(data.size()));
    std::string body(type);
    body.append(data);
    out.append(body);
    AppendBig(out, Crc32(body));
}

std::string Stored(std::string_view raw) {
    std::string out("\x78\x01", 2);  // zlib, no compression
    while (true) {
        const std::size_t size = std::min<std::size_t>(raw.size(), 65'535);
        const bool last = size == raw.size();
        out.push_back(last ? 1 : 0);
        out.push_back(static_cast<char>(size & 0xff));
        out.push_back(static_cast<char>(size >> 8));
        out.push_back(static_cast<char>(~size & 0xff));
        out.push_back(static_cast<char>(~size >> 8 & 0xff));
        out.append(raw.substr(0, size));
        raw.remove_prefix(size);
        if (last) break;
    }
    return out;
}

}  // namespace

std::string QrSvg(std::string_view text) {
    const Code code = Encode(text);
    const std::string size = std::to_string(code->width + 2 * kQuietModules);
    std::string svg = R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 )" + size + " " +
                      size + R"(" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h)" + size +
                      "v" + size + "H0z\"/><path d=\"";
    for (int y = 0; y < code->width; ++y) {
        for (int x = 0; x < code->width;) {
            if (!IsDark(*code, x, y)) {
                ++x;
                continue;
            }
            int run = 1;
            while (IsDark(*code, x + run, y)) ++run;
            svg += "M" + std::to_string(x + kQuietModules) + " " +
                   std::to_string(y + kQuietModules) + "h" + std::to_string(run) + "v1h-" +
                   std::to_string(run) + "z";
            x += run;
        }
    }
    return svg + "\"/></svg>";
}

std::string QrPng(std::string_view text, int module_pixels) {
    const Code code = Encode(text);
    const int pixels = (code->width + 2 * kQuietModules) * module_pixels;
    std::string raw;
    for (int y = 0; y < pixels; ++y) {
        raw.push_back(0);  // no filter
        unsigned bits = 0;
        int count = 0;
        for (int x = 0; x < pixels; ++x) {
            const bool dark =
                IsDark(*code, x / module_pixels - kQuietModules, y / module_pixels - kQuietModules);
            bits = bits << 1 | (dark ? 0U : 1U);
            if (++count == 8) {
                raw.push_back(static_cast<char>(bits));
                bits = 0;
                count = 0;
            }
        }
        if (count > 0) raw.push_back(static_cast<char>(bits << (8 - count)));
    }
    std::string png("\x89PNG\r\n\x1a\n", 8);
    std::string header;
    AppendBig(header, static_cast<std::uint32_t>(pixels));
    AppendBig(header, static_cast<std::uint32_t>(pixels));
    header.append("\x01\x00\x00\x00\x00", 5);  // one bit, grey
    AppendChunk(png, "IHDR", header);
    std::string data = Stored(raw);
    AppendBig(data, Adler32(raw));
    AppendChunk(png, "IDAT", data);
    AppendChunk(png, "IEND", "");
    return png;
}

}  // namespace kessai::gateway::transport
