#pragma once

#include <google/protobuf/arena.h>
#include <google/protobuf/io/zero_copy_stream.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kessai/result/result.h"
#include "kessai/rpc/call_context.h"
#include "kessai/rpc/reason.h"
#include "kessai/time/clock.h"

/// A bidirectional stream of batches: many requests a message, answered in any order, many answers
/// a message. A message costs some tens of microseconds on each side whatever is in it, so this is
/// how a gateway hands over thousands of commands a second.
///
/// What is specific to a method is said by a traits struct:
///
///     struct ExecuteStream {
///         using Request = payment::v1::Command;            // has `uint64 sequence`
///         using RequestBatch = payment::v1::CommandBatch;
///         using Response = payment::v1::Outcome;           // has `uint64 sequence`
///         using ResponseBatch = payment::v1::OutcomeBatch;
///         static const auto& Requests(const RequestBatch& batch) { return batch.commands(); }
///         static auto& Responses(ResponseBatch& batch) { return *batch.mutable_outcomes(); }
///     };
///
/// The batches must hold nothing but that one repeated field: the library joins serialized batches
/// end to end, which protobuf reads as one.
namespace kessai::rpc {

namespace internal {
class BatchServerStream;
}

struct BatchStreamServerOptions {
    /// Requests read and not answered yet, of one stream; when as many are open, nothing more is
    /// read from it, and the caller's window fills.
    int open_max = 8'192;
    /// More requests in a message than this end the stream with INVALID_ARGUMENT.
    int batch_items_max = 1'024;
};

/// One stream's way back, kept by whoever owes an answer. Thread safe.
class BatchSink {
 public:
    explicit BatchSink(std::shared_ptr<internal::BatchServerStream> stream);
    ~BatchSink();

    /// Sends a serialized response batch with `answers` answers in it, of any size: what several
    /// threads send while a write is on its way goes out in one message, and a message has some
    /// 1 MiB at most. Each request must be answered exactly
    /// once. When the caller has gone, it is dropped.
    void Send(std::string serialized_batch, int answers);
    /// Of the stream as a whole.
    const CallContext& context() const;

 private:
    friend class BatchStreamServerCore;
    std::shared_ptr<internal::BatchServerStream> stream_;
};
using BatchSinkPtr = std::shared_ptr<BatchSink>;

/// The part that needs no types; use BatchStreamServer.
class BatchStreamServerCore {
 public:
    BatchStreamServerCore(BatchStreamServerOptions options, std::string request_type,
                          std::string response_type);
    virtual ~BatchStreamServerCore();
    BatchStreamServerCore(const BatchStreamServerCore&) = delete;
    BatchStreamServerCore& operator=(const BatchStreamServerCore&) = delete;

    struct Counts {
        std::uint64_t streams;
        std::uint64_t messages_in;
        std::uint64_t messages_out;
        std::uint64_t requests;
        std::uint64_t answers;
        /// Requests not answered yet, of all streams.
        std::int64_t open;
        /// Times a stream was not read further because too many were open.
        std::uint64_t reads_held;
    };
    Counts counts() const;

    struct State;
    const std::shared_ptr<State>& state() const { return state_; }
    const BatchStreamServerOptions& options() const;
    /// Full names of the batches' types.
    const std::string& request_type() const;
    const std::string& response_type() const;
    /// Reads no more from any stream; each ends when what was read of it is answered. The server's
    /// Stop does it when clients have not left by themselves.
    void Drain();

    /// How many requests the message held, and, if not more than the maximum, hands them to the
    /// handler; refuses when the bytes are malformed.
    virtual Result<int> Receive(google::protobuf::io::ZeroCopyInputStream& bytes,
                                const BatchSinkPtr& sink, SteadyInstant received_at) = 0;

 protected:
    /// Counts `requests` as open, before the handler can answer them.
    static void Accepted(const BatchSink& sink, int requests);

 private:
    std::shared_ptr<State> state_;
};

/// A batch as it arrived.
template <class Traits>
struct ReceivedBatch {
    /// Lives on an arena of its own as long as somebody keeps it.
    std::shared_ptr<const typename Traits::RequestBatch> message;
    BatchSinkPtr sink;
    SteadyInstant received_at;
};

/// The server's half. Give it to Service::Batches; it must outlive the server.
template <class Traits>
class BatchStreamServer final : public BatchStreamServerCore {
 public:
    /// Called for each message, on a gRPC thread: it must not block. Every request in it must be
    /// answered, through the sink, at any time, from any thread, in any order; the server's Stop
    /// waits for that.
    using Handler = std::function<void(ReceivedBatch<Traits>)>;

    explicit BatchStreamServer(Handler handler, BatchStreamServerOptions options = {})
        : BatchStreamServerCore(options, Traits::RequestBatch::default_instance().GetTypeName(),
                                Traits::ResponseBatch::default_instance().GetTypeName()),
          handler_(std::move(handler)) {}

    Result<int> Receive(google::protobuf::io::ZeroCopyInputStream& bytes, const BatchSinkPtr& sink,
                        SteadyInstant received_at) override {
        // The arena and the message in it live and die together.
        auto arena = std::make_shared<google::protobuf::Arena>();
        auto* message =
            google::protobuf::Arena::CreateMessage<typename Traits::RequestBatch>(arena.get());
        if (!message->ParseFromZeroCopyStream(&bytes)) {
            return Status(Code::kInvalidArgument, reason::kMessageMalformed,
                          "not a " + message->GetTypeName());
        }
        const int count = Traits::Requests(*message).size();
        if (count == 0 || count > options().batch_items_max) return count;
        Accepted(*sink, count);
        handler_(ReceivedBatch<Traits>{
            std::shared_ptr<const typename Traits::RequestBatch>(std::move(arena), message), sink,
            received_at});
        return count;
    }

 private:
    Handler handler_;
};

/// Gathers the answers to requests of several streams, such as those of one executor's batch, and
/// sends each stream's in one message. One thread at a time.
template <class Traits>
class BatchAnswers {
 public:
    BatchAnswers() = default;
    /// Sends what was not sent.
    ~BatchAnswers() { Send(); }
    BatchAnswers(const BatchAnswers&) = delete;
    BatchAnswers& operator=(const BatchAnswers&) = delete;

    /// The answer to request `sequence` of that stream, to be filled in. Valid until Send.
    typename Traits::Response& Add(const BatchSinkPtr& sink, std::uint64_t sequence) {
        Group& group = GroupOf(sink);
        auto* response = Traits::Responses(*group.batch).Add();
        response->set_sequence(sequence);
        return *response;
    }

    void Send() {
        for (Group& group : groups_) {
            group.sink->Send(group.batch->SerializeAsString(),
                             Traits::Responses(*group.batch).size());
        }
        groups_.clear();
        arena_.Reset();
    }

 private:
    struct Group {
        BatchSinkPtr sink;
        typename Traits::ResponseBatch* batch;
    };

    Group& GroupOf(const BatchSinkPtr& sink) {
        for (Group& group : groups_) {
            if (group.sink == sink) return group;
        }
        groups_.push_back(
            {sink,
             google::protobuf::Arena::CreateMessage<typename Traits::ResponseBatch>(&arena_)});
        return groups_.back();
    }

    google::protobuf::Arena arena_;
    // As many as there are gateways: a search is cheaper than a map.
    std::vector<Group> groups_;
};

}  // namespace kessai::rpc
