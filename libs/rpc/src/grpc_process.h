#pragma once

namespace kessai::rpc {

/// Keeps gRPC's callback threads for the rest of the process.
///
/// gRPC 1.51 ends them with the last channel or server that uses callbacks, and waits for them
/// while it does. Whoever lets go of that last one may be one of these threads (a callback that
/// holds the last share of something): it then waits for itself, the queue is freed twice, and the
/// heap is broken. With one user that never goes away, that can't happen. Call before the first use
/// of gRPC.
void KeepCallbackThreads();

}  // namespace kessai::rpc
