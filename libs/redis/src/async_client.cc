#include "kessai/redis/async_client.h"

#include <hiredis/hiredis.h>

#include <array>
#include <atomic>
#include <charconv>
#include <deque>
#include <vector>

#include "kessai/net/stream.h"
#include "kessai/result/check.h"

namespace kessai::redis {

namespace {

Reply Convert(const redisReply& from) {
    Reply reply;
    switch (from.type) {
        case REDIS_REPLY_STRING:
            reply.kind = Reply::Kind::kString;
            reply.text.assign(from.str, from.len);
            break;
        case REDIS_REPLY_STATUS:
            reply.kind = Reply::Kind::kStatus;
            reply.text.assign(from.str, from.len);
            break;
        case REDIS_REPLY_INTEGER:
            reply.kind = Reply::Kind::kInteger;
            reply.integer = from.integer;
            break;
        case REDIS_REPLY_ARRAY:
            reply.kind = Reply::Kind::kArray;
            reply.elements.reserve(from.elements);
            for (std::size_t i = 0; i < from.elements; ++i) {
                reply.elements.push_back(Convert(*from.element[i]));
            }
            break;
        case REDIS_REPLY_ERROR:
            // Inside an array (EXEC): a text that the caller can look at.
            reply.kind = Reply::Kind::kStatus;
            reply.text.assign(from.str, from.len);
            break;
        default:
            break;
    }
    return reply;
}

Result<Reply> Outcome(const redisReply& from) {
    if (from.type == REDIS_REPLY_ERROR) {
        return Status(Code::kInternal, reason::kRedisError, std::string(from.str, from.len));
    }
    return Convert(from);
}

void AppendNumber(std::string& out, std::size_t number) {
    char digits[20];
    const auto [end, error] = std::to_chars(digits, digits + sizeof(digits), number);
    out.append(digits, static_cast<std::size_t>(end - digits));
}

void AppendCommand(std::string& out, std::span<const std::string_view> args) {
    out.push_back('*');
    AppendNumber(out, args.size());
    out.append("\r\n");
    for (const std::string_view arg : args) {
        out.push_back('$');
        AppendNumber(out, arg.size());
        out.append("\r\n").append(arg).append("\r\n");
    }
}

}  // namespace

struct AsyncClient::State : std::enable_shared_from_this<State> {
    State(net::Loop& on, Options given, Observer* told)
        : loop(on),
          options(std::move(given)),
          observer(told),
          overdue(on, [this] { OnOverdue(); }) {}

    net::Loop& loop;
    const Options options;
    Observer* const observer;
    std::shared_ptr<net::TlsClientContext> tls;

    std::atomic<bool> up = false;
    bool stopping = false;
    bool running = false;
    bool was_up = false;            // the present connection
    net::Stream* stream = nullptr;  // while there is a connection
    Status failure;                 // why the connection ended
    std::string out;                // commands that are not being written yet
    bool flushing = false;
    struct Waiting {
        Call* call;
        SteadyInstant since;
    };
    std::deque<Waiting> waiting;  // in the order of their answers
    net::Timer overdue;
    std::vector<std::coroutine_handle<>> stop_waiters;
    net::Timer* pause = nullptr;

    // A connection's life
    // --------------------------------------------------------------------------

    net::Task<void> Run(std::shared_ptr<State> /*keep*/) {
        running = true;
        Duration backoff = options.backoff_first;
        while (!stopping) {
            was_up = false;
            Status ended = co_await ConnectAndServe(backoff);
            if (observer != nullptr && was_up) observer->OnDown(ended);
            if (stopping) break;
            if (observer != nullptr && !was_up) observer->OnConnectFailed(ended);
            // Half of it is jitter, so that many processes don't come back as one.
            const auto spread = SystemClock().SteadyNow().time_since_epoch().count() / 1'000;
            const Duration wait = backoff / 2 + Duration(spread % (backoff.count() / 2 + 1));
            backoff = std::min(backoff * 2, options.backoff_max);
            co_await Pause(wait);
        }
        running = false;
        for (auto waiter : std::exchange(stop_waiters, {})) loop.Resume(waiter);
    }

    /// Sleeps, but for Stop, which ends it.
    net::Task<void> Pause(Duration time) {
        net::Arrival<bool> over;
        net::Timer timer(loop, [&] { over.Set(true); });
        timer.ExpiresAfter(time);
        pause = &timer;
        co_await over;
        pause = nullptr;
    }

    net::Task<Status> ConnectAndServe(Duration& backoff) {
        const SteadyInstant deadline = SystemClock().SteadyNow() + options.connect_timeout;
        std::string host = options.host;
        auto connected = co_await net::Connect(loop, std::move(host), options.port, deadline);
        if (!connected.ok()) co_return connected.status();
        net::Stream connection = std::move(*connected);
        if (stopping) co_return Status(Code::kCancelled, "STOPPED", "stopped");
        if (tls) {
            Status shaken = co_await connection.HandshakeAsClient(*tls, options.host);
            if (!shaken.ok()) co_return shaken;
        }
        stream = &connection;
        Reader reader;
        Status outcome = co_await SignIn(reader);
        if (outcome.ok() && !stopping) {
            connection.SetDeadline(SteadyInstant::max());
            backoff = options.backoff_first;
            failure = OkStatus();
            up.store(true, std::memory_order_relaxed);
            was_up = true;
            if (observer != nullptr) observer->OnUp();
            outcome = co_await Receive(reader);
            up.store(false, std::memory_order_relaxed);
        }
        connection.Close();
        overdue.Cancel();
        // A write that is under way still looks at the stream: it ends with the close.
        while (flushing) co_await loop.Yield();
        stream = nullptr;
        out.clear();
        if (!failure.ok()) outcome = failure;
        RefuseWaiting(outcome);
        co_return outcome;
    }

    /// hiredis' parser, and the bytes read for it.
    struct Reader {
        redisReader* parser = redisReaderCreate();
        std::array<char, 16 * 1024> bytes;
        Reader() = default;
        Reader(const Reader&) = delete;
        Reader& operator=(const Reader&) = delete;
        ~Reader() { redisReaderFree(parser); }
    };
    using OwnedReply = std::unique_ptr<redisReply, decltype(&freeReplyObject)>;

    /// The next reply that is whole, null when more bytes are needed.
    static Result<OwnedReply> Next(Reader& reader) {
        void* reply = nullptr;
        if (redisReaderGetReply(reader.parser, &reply) != REDIS_OK) {
            return Status(Code::kInternal, reason::kRedisError,
                          std::string("protocol: ") + reader.parser->errstr);
        }
        return OwnedReply(static_cast<redisReply*>(reply), freeReplyObject);
    }

    net::Task<Status> ReadMore(Reader& reader) {
        auto got = co_await stream->Read(reader.bytes.data(), reader.bytes.size());
        if (!got.ok()) co_return got.status();
        if (*got == 0) co_return Status(Code::kUnavailable, "CONNECTION_LOST", "closed by Redis");
        if (redisReaderFeed(reader.parser, reader.bytes.data(), *got) != REDIS_OK) {
            co_return Status(Code::kInternal, reason::kRedisError, "protocol");
        }
        co_return OkStatus();
    }

    net::Task<Status> SignIn(Reader& reader) {
        std::string commands;
        std::size_t expected = 1;
        if (!options.password.empty()) {
            std::vector<std::string_view> auth{"AUTH"};
            if (!options.user.empty()) auth.push_back(options.user);
            auth.push_back(options.password);
            AppendCommand(commands, auth);
            ++expected;
        }
        if (options.database != 0) {
            const std::string number = std::to_string(options.database);
            const std::array<std::string_view, 2> select{"SELECT", number};
            AppendCommand(commands, select);
            ++expected;
        }
        const std::array<std::string_view, 1> ping{"PING"};
        AppendCommand(commands, ping);
        Status written = co_await stream->Write(commands);
        if (!written.ok()) co_return written;
        while (expected > 0) {
            auto reply = Next(reader);
            if (!reply.ok()) co_return reply.status();
            if (*reply == nullptr) {
                Status more = co_await ReadMore(reader);
                if (!more.ok()) co_return more;
                continue;
            }
            auto outcome = Outcome(**reply);
            if (!outcome.ok()) co_return outcome.status();
            --expected;
        }
        co_return OkStatus();
    }

    net::Task<Status> Receive(Reader& reader) {
        while (true) {
            while (true) {
                auto reply = Next(reader);
                if (!reply.ok()) co_return reply.status();
                if (*reply == nullptr) break;
                if (waiting.empty()) {
                    co_return Status(Code::kInternal, reason::kRedisError, "an answer to nothing");
                }
                Call* call = waiting.front().call;
                waiting.pop_front();
                Complete(*call, Outcome(**reply));
            }
            if (waiting.empty()) {
                overdue.Cancel();
            } else {
                overdue.ExpiresAt(waiting.front().since + options.command_timeout);
            }
            Status more = co_await ReadMore(reader);
            if (!more.ok()) co_return more;
        }
    }

    void OnOverdue() {
        if (waiting.empty() || stream == nullptr) return;
        const SteadyInstant due = waiting.front().since + options.command_timeout;
        if (due > SystemClock().SteadyNow()) return overdue.ExpiresAt(due);
        failure = Status(Code::kDeadlineExceeded, reason::kReplyLost, "an answer took too long");
        up.store(false, std::memory_order_relaxed);
        stream->Close();
    }

    void RefuseWaiting(const Status& why) {
        const Status lost(Code::kUnknown, reason::kReplyLost, std::string(why.message()));
        auto refused = std::exchange(waiting, {});
        for (const auto& entry : refused) Complete(*entry.call, lost);
    }

    static void Complete(Call& call, Result<Reply> outcome) {
        call.outcome_.emplace(std::move(outcome));
        if (auto waiter = std::exchange(call.waiter_, {})) waiter.resume();
    }

    // Sending
    // ------------------------------------------------------------------------------------------

    void Submit(Call& call, std::span<const std::string_view> args) {
        if (!up.load(std::memory_order_relaxed)) {
            call.outcome_.emplace(Status(Code::kUnavailable, reason::kRedisDown, "no connection"));
            return;
        }
        if (waiting.size() >= options.pipeline_max) {
            call.outcome_.emplace(
                Status(Code::kResourceExhausted, reason::kPipelineFull, "too many commands wait"));
            return;
        }
        AppendCommand(out, args);
        const SteadyInstant now = SystemClock().SteadyNow();
        waiting.push_back({&call, now});
        if (waiting.size() == 1) overdue.ExpiresAt(now + options.command_timeout);
        if (!flushing) {
            flushing = true;
            // At the end of this turn, so that what others send meanwhile goes along.
            loop.Defer([self = shared_from_this()] { net::Spawn(self->Flush(self)); });
        }
    }

    net::Task<void> Flush(std::shared_ptr<State> /*keep*/) {
        std::string writing;
        while (!out.empty() && stream != nullptr && stream->is_open()) {
            writing.clear();
            std::swap(writing, out);
            Status written = co_await stream->Write(writing);
            if (!written.ok()) {
                failure = written;
                up.store(false, std::memory_order_relaxed);
                stream->Close();
                break;
            }
            if (out.empty()) {
                std::swap(writing, out);  // keeps the larger memory
                out.clear();
            }
        }
        flushing = false;
    }
};

AsyncClient::Call::Call(State& state, std::span<const std::string_view> args) {
    state.Submit(*this, args);
}

AsyncClient::Call::~Call() {
    KESSAI_CHECK(outcome_.has_value(), "a Redis command was not awaited");
}

Result<std::unique_ptr<AsyncClient>> AsyncClient::Create(net::Loop& loop, Options options,
                                                         Observer* observer) {
    auto state = std::make_shared<State>(loop, std::move(options), observer);
    if (!state->options.tls_ca_file.empty()) {
        auto tls = net::TlsClientContext::Create(state->options.tls_ca_file);
        if (!tls.ok()) return tls.status();
        state->tls = std::move(*tls);
    }
    return std::unique_ptr<AsyncClient>(new AsyncClient(std::move(state)));
}

AsyncClient::~AsyncClient() {
    KESSAI_CHECK(!state_->running, "a Redis client is stopped before it goes");
}

void AsyncClient::Start() {
    state_->loop.Post([state = state_] {
        if (!state->stopping && !state->running) net::Spawn(state->Run(state));
    });
}

net::Task<void> AsyncClient::Stop() {
    struct Ended {
        State& state;
        bool await_ready() const { return !state.running; }
        void await_suspend(std::coroutine_handle<> self) { state.stop_waiters.push_back(self); }
        void await_resume() const {}
    };
    State& state = *state_;
    state.stopping = true;
    state.up = false;
    if (state.stream != nullptr) state.stream->Close();
    if (state.pause != nullptr) state.pause->ExpiresAfter(Duration::zero());
    Ended ended{state};
    co_await ended;
}

bool AsyncClient::up() const {
    return state_->up.load(std::memory_order_relaxed);
}

AsyncClient::Call AsyncClient::Execute(std::span<const std::string_view> args) {
    return Call(*state_, args);
}

net::Task<Result<Reply>> AsyncClient::Evaluate(const Script& script,
                                               std::span<const std::string_view> keys,
                                               std::span<const std::string_view> args) {
    // What the spans point at is the caller's and stays until we end; the list itself may not.
    const std::string key_count = std::to_string(keys.size());
    std::vector<std::string_view> command{"EVALSHA", script.digest(), key_count};
    command.insert(command.end(), keys.begin(), keys.end());
    command.insert(command.end(), args.begin(), args.end());
    auto outcome = co_await Execute(command);
    if (!outcome.ok() && outcome.status().reason() == reason::kRedisError &&
        outcome.status().message().starts_with("NOSCRIPT")) {
        command[0] = "EVAL";
        command[1] = script.source();
        co_return co_await Execute(command);
    }
    co_return outcome;
}

}  // namespace kessai::redis
