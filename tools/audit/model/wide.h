#pragma once

namespace kessai::audit {

/// Sums of amounts: more than 64 bits, because damaged rows may sum to that, and must then be named
/// instead of wrapping.
__extension__ using Wide = __int128;

}  // namespace kessai::audit
