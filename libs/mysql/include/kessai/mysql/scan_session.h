#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "kessai/mysql/query.h"
#include "kessai/mysql/session.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::mysql {

/// A connection for scans of many million rows of numbers, and for nothing else. Its rows come in
/// the binary protocol of prepared statements, straight from the client library: to the server a
/// row costs a seventh less than in a Session, to the client less than a half. Settings as of every
/// session; each scan is a transaction of its own. One thread at a time.
class ScanSession {
 public:
    /// As Session::Connect. `options.bulk_load` does not matter.
    static Result<std::unique_ptr<ScanSession>> Connect(const ConnectOptions& options,
                                                        const Clock& clock = SystemClock(),
                                                        QueryObserver* observer = nullptr);
    ~ScanSession();
    ScanSession(const ScanSession&) = delete;
    ScanSession& operator=(const ScanSession&) = delete;

    using TakeCells = std::function<void(std::span<const std::int64_t>)>;
    /// As Session::Scan, of columns of integer types; any other stops the process. After a refusal
    /// `take` may have had some of the rows. INTERNAL, or UNAVAILABLE CONNECTION_LOST, after which
    /// every further scan is refused the same way.
    template <class... Args>
    Status Scan(const Query& query, const TakeCells& take, const Args&... args) {
        const std::array<Argument, sizeof...(Args)> arguments{Argument(args)...};
        return ScanRendered(query, arguments, take);
    }

 private:
    struct Impl;
    explicit ScanSession(std::unique_ptr<Impl> impl);
    Status ScanRendered(const Query& query, std::span<const Argument> arguments,
                        const TakeCells& take);

    std::unique_ptr<Impl> impl_;
};

}  // namespace kessai::mysql
