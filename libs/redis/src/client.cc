#include "kessai/redis/client.h"

#include <future>

#include "kessai/net/loop.h"
#include "kessai/net/run.h"
#include "kessai/net/task.h"
#include "kessai/redis/async_client.h"

namespace kessai::redis {

struct Client::State {
    net::Loop loop{"redis"};
    std::unique_ptr<AsyncClient> async;
};

Client::Client(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<Client>> Client::Create(Options options, Observer* observer) {
    auto state = std::make_unique<State>();
    KESSAI_ASSIGN_OR_RETURN(state->async,
                            AsyncClient::Create(state->loop, std::move(options), observer));
    state->loop.Start();
    state->async->Start();
    return std::unique_ptr<Client>(new Client(std::move(state)));
}

Client::~Client() {
    net::RunOn(state_->loop, [this]() -> net::Task<void> { co_await state_->async->Stop(); });
    state_->loop.Stop();
}

bool Client::up() const {
    return state_->async->up();
}

Result<Reply> Client::Execute(std::span<const std::string_view> args) {
    if (!up()) return Status(Code::kUnavailable, reason::kRedisDown, "no connection");
    Result<Reply> outcome = Status(Code::kInternal, "NEVER", "");
    net::RunOn(state_->loop,
               [&]() -> net::Task<void> { outcome = co_await state_->async->Execute(args); });
    return outcome;
}

std::vector<Result<Reply>> Client::ExecuteMany(std::span<const Command> commands) {
    std::vector<Result<Reply>> outcomes(
        commands.size(), Status(Code::kUnavailable, reason::kRedisDown, "no connection"));
    if (!up() || commands.empty()) return outcomes;
    std::promise<void> done;
    std::size_t open = commands.size();
    const auto one = [&](std::size_t i) -> net::Task<void> {
        const std::vector<std::string_view> args(commands[i].begin(), commands[i].end());
        outcomes[i] = co_await state_->async->Execute(args);
        if (--open == 0) done.set_value();
    };
    state_->loop.Post([&] {
        for (std::size_t i = 0; i < commands.size(); ++i) net::Spawn(one(i));
    });
    done.get_future().wait();
    return outcomes;
}

Result<Reply> Client::Evaluate(const Script& script, std::span<const std::string_view> keys,
                               std::span<const std::string_view> args) {
    if (!up()) return Status(Code::kUnavailable, reason::kRedisDown, "no connection");
    Result<Reply> outcome = Status(Code::kInternal, "NEVER", "");
    net::RunOn(state_->loop, [&]() -> net::Task<void> {
        outcome = co_await state_->async->Evaluate(script, keys, args);
    });
    return outcome;
}

}  // namespace kessai::redis
