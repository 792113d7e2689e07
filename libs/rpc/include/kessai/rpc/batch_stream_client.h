#pragma once

#include <google/protobuf/arena.h>
#include <google/protobuf/io/zero_copy_stream.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "kessai/result/result.h"
#include "kessai/rpc/reason.h"
#include "kessai/rpc/tls.h"
#include "kessai/time/clock.h"

namespace kessai::rpc {

struct BatchStreamClientOptions {
    /// "kessai.payment.v1.PaymentService.Execute".
    std::string method = {};
    /// "dns:///payment.kessai.svc.cluster.local.:7443", or "host:port", or several with commas.
    /// Each address that a name resolves to gets a stream of its own.
    std::string target = {};
    /// None: plain text, for tests only.
    std::optional<TlsFiles> tls = {};
    /// The name the servers' certificates must have; empty: the target's (first) host.
    std::string server_name = {};

    /// Commands open at once, sent or not: one more is refused.
    int open_max = 16'384;
    /// While commands keep coming, one message is begun at most every `hold`; a command after a
    /// pause goes at once. 0: as soon as no write is on its way.
    Duration hold = std::chrono::milliseconds(1);
    /// A message is begun before that when it has as much as this.
    int batch_items_max = 1'024;
    std::size_t batch_bytes_max = 1024 * 1024;
    /// One command, serialized.
    std::size_t command_bytes_max = 256 * 1024;
    /// How long a command waits while there is no stream to send it on.
    Duration unsent_max = std::chrono::milliseconds(500);

    Duration resolve_interval = std::chrono::seconds(10);
    /// Instead of the resolver: the addresses ("10.0.0.1:7443") of now. Called by a thread of the
    /// client's. A refusal or an empty answer keeps what was.
    std::function<Result<std::vector<std::string>>()> resolve = {};

    Duration reconnect_backoff_initial = std::chrono::milliseconds(50);
    Duration reconnect_backoff_max = std::chrono::seconds(5);
    /// How long a stream that is being left (the server said GOAWAY, the address vanished) may take
    /// to answer what is open on it. Exceeds every command's timeout.
    Duration leave_max = std::chrono::seconds(35);
    Duration keepalive_interval = std::chrono::seconds(20);
    Duration keepalive_timeout = std::chrono::seconds(10);
    std::size_t receive_bytes_max = 16 * 1024 * 1024;

    /// Called with an address when its stream begins to take commands (ok) or has ended (why); on
    /// gRPC's threads, so it must not block. For logs.
    std::function<void(const std::string&, const Status&)> on_stream = {};
};

/// The part that needs no types; use BatchStreamClient.
class BatchStreamClientCore {
 public:
    /// A command that waits for its answer.
    class Open {
     public:
        virtual ~Open() = default;
        /// `response` points at a Traits::Response when `status` is ok.
        virtual void Complete(const Status& status, void* response) = 0;
    };

    struct Counts {
        std::uint64_t sent;
        std::uint64_t messages_out;
        std::uint64_t messages_in;
        std::uint64_t answered;
        std::uint64_t refused_full;
        std::uint64_t expired;
        /// Commands whose stream broke.
        std::uint64_t broken;
        /// Answers that came after their command had been given up.
        std::uint64_t late;
        /// Commands that found no stream within `unsent_max`.
        std::uint64_t unsent;
        std::uint64_t streams_opened;
        /// Open commands, and streams that take new ones, now.
        int open;
        int streams;
    };

    // Everything behind the types: batch_client_state.h.
    class State;

    virtual ~BatchStreamClientCore();
    BatchStreamClientCore(const BatchStreamClientCore&) = delete;
    BatchStreamClientCore& operator=(const BatchStreamClientCore&) = delete;

    /// Resolves and connects in the background. TLS_FILES_INVALID; INVALID_ARGUMENT for a target or
    /// method that can't be.
    Status Start();
    /// Whether there is a stream that takes commands.
    bool Ready() const;
    /// Waits for it: UNAVAILABLE NOT_SENT after `timeout`.
    Status WaitReady(Duration timeout) const;
    /// Begins a message now, if a stream is free, whatever `hold` says.
    void Flush();
    /// Takes no more commands (UNAVAILABLE DRAINING), waits up to `bound` for the open ones,
    /// completes what is left as UNAVAILABLE OUTCOME_UNKNOWN, and closes. True when nothing was
    /// left. Once; not from a callback.
    bool Stop(Duration bound);
    Counts counts() const;

 protected:
    BatchStreamClientCore(BatchStreamClientOptions options, const Clock& clock,
                          std::string request_type, std::string response_type);

    /// Takes a place in the window. RESOURCE_EXHAUSTED QUEUE_FULL, UNAVAILABLE DRAINING.
    Result<std::uint64_t> Reserve();
    /// Queues the serialized request under the sequence that Reserve gave.
    void Submit(std::uint64_t sequence, std::string serialized, SteadyInstant deadline,
                std::unique_ptr<Open> open);
    void Unreserve(std::uint64_t sequence);
    const Clock& clock() const;
    const BatchStreamClientOptions& options() const;

    /// Parses a message that came on `stream` and completes the command of each answer in it. False
    /// when the bytes are malformed.
    virtual bool Receive(std::uint64_t stream,
                         google::protobuf::io::ZeroCopyInputStream& bytes) = 0;
    /// The open commands that were sent on `stream` with these sequences, in their order; null for
    /// those that are none, or were given up already.
    std::vector<std::unique_ptr<Open>> Take(std::uint64_t stream,
                                            std::span<const std::uint64_t> sequences);

    /// Ends everything; called by the destructor of the derived class, whose Receive is used until.
    void Shut();

 private:
    const std::string request_type_;
    const std::string response_type_;
    std::shared_ptr<State> state_;
};

/// The client's half of a batch stream (batch_stream_server.h says what Traits is; Request has
/// `sequence` and `timeout_ms`, which are set here). Thread safe.
///
/// Commands gathered from all threads go out together; there is one stream to each server, and
/// commands go to the one with the fewest open. A stream that breaks is opened again with back-off;
/// one whose server says GOAWAY (a roll-out, or its connection's age) is left: it gets no new
/// commands, and ends when the open ones are answered.
template <class Traits>
class BatchStreamClient final : public BatchStreamClientCore {
 public:
    using Request = typename Traits::Request;
    using Response = typename Traits::Response;

    BatchStreamClient(BatchStreamClientOptions options, const Clock& clock)
        : BatchStreamClientCore(std::move(options), clock,
                                Traits::RequestBatch::default_instance().GetTypeName(),
                                Traits::ResponseBatch::default_instance().GetTypeName()) {}
    ~BatchStreamClient() override { Shut(); }

    /// Sends `command` and calls `done(const Status&, Response*)` exactly once, on one of gRPC's
    /// threads or the client's, where it must not block:
    ///
    /// - ok: `response` points at the answer (which may itself be a refusal), valid during the
    /// call;
    /// - DEADLINE_EXCEEDED OUTCOME_UNKNOWN: no answer within `timeout`. The command may have been
    ///   carried out, or may still be; DEADLINE_EXCEEDED NOT_SENT: it can't have been;
    /// - UNAVAILABLE OUTCOME_UNKNOWN: its stream broke. An idempotent command may be sent again;
    /// - UNAVAILABLE NOT_SENT: no server could be reached.
    ///
    /// Refuses, and never calls `done`: RESOURCE_EXHAUSTED QUEUE_FULL when the window is full,
    /// UNAVAILABLE DRAINING once stopped, INVALID_ARGUMENT MESSAGE_MALFORMED for a command that is
    /// too long. `done` may be move-only.
    template <class F>
    Status Send(Request command, Duration timeout, F done) {
        KESSAI_ASSIGN_OR_RETURN(const std::uint64_t sequence, Reserve());
        command.set_sequence(sequence);
        command.set_timeout_ms(TimeoutMs(timeout));
        std::string bytes = command.SerializeAsString();
        if (bytes.size() > options().command_bytes_max) {
            Unreserve(sequence);
            return Status(Code::kInvalidArgument, reason::kMessageMalformed,
                          "the command is too long");
        }
        Submit(sequence, std::move(bytes), clock().SteadyNow() + timeout,
               std::make_unique<OpenOf<F>>(std::move(done)));
        return {};
    }

 private:
    template <class F>
    struct OpenOf final : Open {
        explicit OpenOf(F callback) : done(std::move(callback)) {}
        void Complete(const Status& status, void* response) override {
            done(status, static_cast<Response*>(response));
        }
        F done;
    };

    static std::uint32_t TimeoutMs(Duration timeout) {
        const auto ms = std::chrono::ceil<std::chrono::milliseconds>(timeout).count();
        return ms <= 0 ? 1 : ms > 600'000 ? 600'000 : static_cast<std::uint32_t>(ms);
    }

    bool Receive(std::uint64_t stream, google::protobuf::io::ZeroCopyInputStream& bytes) override {
        google::protobuf::Arena arena;
        auto* batch =
            google::protobuf::Arena::CreateMessage<typename Traits::ResponseBatch>(&arena);
        if (!batch->ParseFromZeroCopyStream(&bytes)) return false;
        auto& responses = Traits::Responses(*batch);
        std::vector<std::uint64_t> sequences;
        sequences.reserve(static_cast<std::size_t>(responses.size()));
        for (const Response& response : responses) sequences.push_back(response.sequence());
        auto open = Take(stream, sequences);
        const Status fine;
        for (int i = 0; i < responses.size(); ++i) {
            if (auto& waiting = open[static_cast<std::size_t>(i)]) {
                waiting->Complete(fine, &responses[i]);
            }
        }
        return true;
    }
};

}  // namespace kessai::rpc
