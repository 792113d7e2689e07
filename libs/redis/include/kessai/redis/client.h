#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kessai/redis/options.h"
#include "kessai/redis/reply.h"
#include "kessai/redis/script.h"

namespace kessai::redis {

/// Redis for threads that may block: an event loop of its own with one connection, on which the
/// commands of all callers are pipelined, so many threads need no pool of connections. Down, a call
/// costs microseconds (see AsyncClient). Thread safe; not to be called from an event loop.
class Client {
 public:
    using Command = std::vector<std::string>;

    /// `observer` may be null, else it outlives the client. Begins to connect, and does not wait
    /// for it. Refuses with FAILED_PRECONDITION TLS_FILES_UNUSABLE.
    static Result<std::unique_ptr<Client>> Create(Options options, Observer* observer = nullptr);
    ~Client();

    bool up() const;

    Result<Reply> Execute(std::span<const std::string_view> args);
    /// All in one round trip, each with its own outcome, in their order. No transaction.
    std::vector<Result<Reply>> ExecuteMany(std::span<const Command> commands);
    Result<Reply> Evaluate(const Script& script, std::span<const std::string_view> keys,
                           std::span<const std::string_view> args);

 private:
    struct State;
    explicit Client(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace kessai::redis
