#include "load/client.h"

#include <algorithm>
#include <coroutine>
#include <cstring>
#include <optional>
#include <utility>

#include "kessai/net/address.h"
#include "kessai/net/stream.h"
#include "kessai/result/check.h"
#include "load/answer_parser.h"

namespace kessai::load {

namespace {

constexpr std::size_t kReadBytes = 16 * 1024;
/// A connection that was silent for longer may have been closed by its server.
constexpr Duration kSuspectAfter = std::chrono::seconds(1);

bool IsLoopback(const net::IpAddress& address) {
    return address.is_loopback();
}

std::string_view ReasonOf(const Status& failure) {
    if (failure.reason() == "STREAM_DEADLINE") return "TIMED_OUT";
    if (failure.reason() == "STREAM_CLOSED") return "CLOSED";
    if (failure.reason() == "TLS_FAILED") return "TLS_FAILED";
    return "CONNECTION_LOST";
}

}  // namespace

struct Client::Connection {
    std::optional<net::Stream> stream;
    std::string buffer;
    std::size_t filled = 0;
    AnswerParser parser;
    SteadyInstant used_at{};
    std::coroutine_handle<> waiting;

    /// Until Client::Send or Close wakes it.
    auto Wake() {
        struct Awaiter {
            Connection& connection;
            bool await_ready() const { return false; }
            void await_suspend(std::coroutine_handle<> self) { connection.waiting = self; }
            void await_resume() const {}
        };
        return Awaiter{*this};
    }
    void Drop() {
        if (stream) stream->Close();
        stream.reset();
        filled = 0;
    }
};

Client::Client(net::Loop& loop, Options options, const Clock& clock)
    : loop_(loop), options_(std::move(options)), clock_(clock) {
    KESSAI_CHECK(options_.connections > 0, "at least one connection");
}

Client::~Client() {
    KESSAI_CHECK(serving_ == 0, "Close was awaited");
}

void Client::Send(std::string request, SteadyInstant deadline, OnAnswer on_answer) {
    if (closing_ || queue_.size() >= options_.queue_max) {
        Answer answer;
        answer.reason = closing_ ? "CLOSED" : "CLIENT_QUEUE_FULL";
        on_answer(answer);
        return;
    }
    queue_.push_back({std::move(request), deadline, std::move(on_answer)});
    if (!idle_.empty()) {
        // In turn, as many callers would, not always the one that was used last.
        Connection& next = *idle_.front();
        idle_.pop_front();
        std::exchange(next.waiting, {}).resume();
    } else if (connections_.size() < options_.connections) {
        connections_.push_back(std::make_unique<Connection>());
        net::Spawn(Serve(*connections_.back()));
    }
}

net::Task<Client::Reply> Client::Ask(std::string request, SteadyInstant deadline) {
    net::Arrival<Reply> arrival;
    Send(std::move(request), deadline, [&arrival](const Answer& answer) {
        arrival.Set({answer.fate, answer.status, answer.reason, std::string(answer.body)});
    });
    co_return co_await arrival;
}

std::string Client::Reply::Describe() const {
    if (fate != Answer::Fate::kAnswered) return std::string(reason);
    return std::to_string(status) + " " + body.substr(0, 300);
}

net::Task<void> Client::Serve(Connection& connection) {
    ++serving_;
    connection.buffer.resize(kReadBytes + Answer::kPaddingBytes);
    while (true) {
        if (queue_.empty()) {
            if (closing_) break;
            idle_.push_back(&connection);
            co_await connection.Wake();
            continue;
        }
        Request request = std::move(queue_.front());
        queue_.pop_front();
        ++in_flight_;
        co_await Exchange(connection, request);
        --in_flight_;
    }
    connection.Drop();
    if (--serving_ == 0 && closed_) closed_->Set(true);
}

net::Task<Status> Client::Connect(Connection& connection, SteadyInstant deadline) {
    ++connects_;
    const SteadyInstant until =
        std::min<SteadyInstant>(deadline, clock_.SteadyNow() + options_.connect_timeout);
    net::AddressGuard guard = IsLoopback;
    auto stream = co_await net::Connect(loop_, options_.host, options_.port, until, guard);
    if (!stream.ok()) co_return stream.status();
    connection.stream.emplace(std::move(*stream));
    if (options_.tls != nullptr) {
        Status shaken =
            co_await connection.stream->HandshakeAsClient(*options_.tls, options_.server_name);
        if (!shaken.ok()) {
            connection.Drop();
            co_return shaken;
        }
    }
    connection.used_at = clock_.SteadyNow();
    co_return OkStatus();
}

net::Task<void> Client::Exchange(Connection& connection, Request& request) {
    Answer answer;
    const SteadyInstant now = clock_.SteadyNow();
    if (closing_ || now >= request.deadline) {
        answer.reason = closing_ ? "CLOSED" : "TIMED_OUT_IN_QUEUE";
        request.on_answer(answer);
        co_return;
    }
    if (connection.stream && now - connection.used_at > kSuspectAfter &&
        connection.stream->HasInput()) {
        connection.Drop();
    }
    if (!connection.stream) {
        Status connected = co_await Connect(connection, request.deadline);
        if (!connected.ok() || closing_) {
            answer.reason = closing_                             ? "CLOSED"
                            : connected.reason() == "TLS_FAILED" ? "TLS_FAILED"
                                                                 : "CONNECT_FAILED";
            request.on_answer(answer);
            co_return;
        }
    }
    connection.stream->SetDeadline(request.deadline);
    answer.fate = Answer::Fate::kUnknown;
    Status written = co_await connection.stream->Write(request.bytes);
    if (!written.ok()) {
        answer.reason = ReasonOf(written);
        connection.Drop();
        request.on_answer(answer);
        co_return;
    }

    connection.parser.Reset();
    std::string& buffer = connection.buffer;
    while (true) {
        const auto found = connection.parser.Look({buffer.data(), connection.filled});
        if (found == AnswerParser::Found::kAnswer) break;
        if (found == AnswerParser::Found::kMalformed) {
            answer.reason = "ANSWER_MALFORMED";
            connection.Drop();
            request.on_answer(answer);
            co_return;
        }
        if (buffer.size() - connection.filled < kReadBytes / 2 + Answer::kPaddingBytes) {
            buffer.resize(buffer.size() * 2);
        }
        char* const into = buffer.data() + connection.filled;
        auto got = co_await connection.stream->Read(
            into, buffer.size() - connection.filled - Answer::kPaddingBytes);
        if (!got.ok() || *got == 0) {
            answer.reason = got.ok() ? "CONNECTION_LOST" : ReasonOf(got.status());
            connection.Drop();
            request.on_answer(answer);
            co_return;
        }
        connection.filled += *got;
    }

    const AnswerParser& parser = connection.parser;
    answer.fate = Answer::Fate::kAnswered;
    answer.status = parser.status();
    answer.body = parser.BodyIn({buffer.data(), connection.filled});
    // Bytes beyond the answer nobody asked for: such a connection can't be trusted.
    const bool keep = parser.keep_alive() && parser.size() == connection.filled;
    connection.filled = 0;
    if (!keep) {
        // The body stays in the buffer.
        connection.stream->Close();
        connection.stream.reset();
    } else {
        // The deadline stays: moving a timer is cheaper than ending it, and the next request does.
        connection.used_at = clock_.SteadyNow();
    }
    request.on_answer(answer);
}

net::Task<Status> Client::Open() {
    // A few at a time: the server bounds handshakes that are under way.
    constexpr std::size_t kAtOnce = 32;
    Status first;
    std::size_t done = 0;
    const std::size_t missing =
        options_.connections - std::min(connections_.size(), options_.connections);
    std::vector<std::unique_ptr<Connection>> fresh;
    for (std::size_t i = 0; i < missing; ++i) fresh.push_back(std::make_unique<Connection>());
    const SteadyInstant deadline = clock_.SteadyNow() + options_.connect_timeout * 4;
    net::Arrival<bool> all;
    std::size_t next = 0;
    const auto worker = [&]() -> net::Task<void> {
        while (next < fresh.size()) {
            Connection& connection = *fresh[next++];
            Status connected = co_await Connect(connection, deadline);
            if (!connected.ok() && first.ok()) first = std::move(connected);
        }
        if (++done == std::min(kAtOnce, std::max<std::size_t>(fresh.size(), 1))) all.Set(true);
    };
    const std::size_t workers = std::min(kAtOnce, std::max<std::size_t>(fresh.size(), 1));
    for (std::size_t i = 0; i < workers; ++i) net::Spawn(worker());
    (void)co_await all;
    for (auto& connection : fresh) {
        connections_.push_back(std::move(connection));
        net::Spawn(Serve(*connections_.back()));
    }
    co_return first;
}

net::Task<void> Client::Close() {
    if (!closing_) {
        closing_ = true;
        closed_ = std::make_unique<net::Arrival<bool>>();
        // First the queue, so that nobody takes from it; then those who read.
        std::deque<Request> left = std::exchange(queue_, {});
        for (Request& request : left) {
            Answer answer;
            answer.reason = "CLOSED";
            request.on_answer(answer);
        }
        for (auto& connection : connections_) {
            if (connection->stream) connection->stream->Close();
        }
        const std::deque<Connection*> idle = std::exchange(idle_, {});
        if (serving_ == 0) closed_->Set(true);
        for (Connection* connection : idle) std::exchange(connection->waiting, {}).resume();
    }
    (void)co_await *closed_;
}

}  // namespace kessai::load
