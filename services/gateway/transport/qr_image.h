#pragma once

#include <string>
#include <string_view>

namespace kessai::gateway::transport {

/// A QR code (ISO/IEC 18004, error correction M) of `text`, with its quiet zone of four modules.
/// Precondition: `text` fits, which up to 1,000 bytes do.
std::string QrSvg(std::string_view text);
/// Black and white, `module_pixels` a module.
std::string QrPng(std::string_view text, int module_pixels = 8);

}  // namespace kessai::gateway::transport
