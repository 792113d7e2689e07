#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "kessai/mysql/query.h"
#include "kessai/mysql/session.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::mysql {

/// A connection for reading many million rows, and for nothing else. Those of numbers come in
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

    using TakeTexts = std::function<Status(std::span<const std::string_view>)>;
    /// A result of texts and numbers, in memory at once: for a page of rows that Rows would copy
    /// cell by cell. `take` gets each row's cells as the server sends them, numbers in decimal and
    /// dates as "2026-11-30", good during the call; a NULL has no data(). Its refusal ends it and
    /// is returned. Else as Scan.
    template <class... Args>
    Status ReadTexts(const Query& query, const TakeTexts& take, const Args&... args) {
        const std::array<Argument, sizeof...(Args)> arguments{Argument(args)...};
        return ReadTextsRendered(query, arguments, take);
    }

 private:
    struct Impl;
    explicit ScanSession(std::unique_ptr<Impl> impl);
    Status ScanRendered(const Query& query, std::span<const Argument> arguments,
                        const TakeCells& take);
    Status ReadTextsRendered(const Query& query, std::span<const Argument> arguments,
                             const TakeTexts& take);

    std::unique_ptr<Impl> impl_;
};

}  // namespace kessai::mysql
