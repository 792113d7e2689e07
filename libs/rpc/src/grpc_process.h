#pragma once

namespace kessai::rpc {

/// What every process that uses gRPC 1.51 as Debian 12 builds it needs; before the first use, again
/// does nothing.
///
/// - Its callback threads are kept for the rest of the process. gRPC ends them with the last
/// channel or
///   server that uses callbacks, and waits for them while it does. Whoever lets go of that last one
///   may be one of these threads (a callback that holds the last share of something): it then waits
///   for itself, the queue is freed twice, and the heap is broken. With one user that never goes
///   away, that can't happen.
/// - abseil's mutexes stop looking for cycles in the order they are taken: Debian's build has that
/// check
///   for debugging in it, where it costs some 10 % of a call.
void PrepareGrpc();

}  // namespace kessai::rpc
