#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "app/blocking.h"
#include "kessai/auth/token.h"
#include "kessai/http/message.h"
#include "kessai/rpc/call.h"
#include "kessai/rpc/channel.h"
#include "kessai/rpc/worker_pool.h"
#include "kessai/time/clock.h"
#include "transport/operator_answers.h"
#include "transport/operator_forward.h"
#include "transport/request_scope.h"

/// Files that services send as streams of pieces: messages that have `content`, in order.
namespace kessai::gateway::transport {

/// RESOURCE_EXHAUSTED: the stream has more bytes than are wanted.
inline constexpr std::string_view kFileTooLarge = "FILE_TOO_LARGE";

/// How a stream of pieces is to end.
enum class PieceEnd {
    /// By itself, after `bytes_max` bytes at most (FILE_TOO_LARGE): only then it is good.
    kOfStream,
    /// After `bytes_max` bytes, though there are more.
    kWhenEnough,
};

/// Appends the contents of a stream's pieces to `into`, at most `bytes_max` bytes. `check` looks at
/// each piece, and may refuse it. Refusals: FILE_TOO_LARGE, those of `check` and of the service;
/// some pieces may have been appended then. Blocks.
template <class Request, class Piece>
Status ReadPieces(const rpc::Channel& channel, const rpc::Method<Request, Piece>& method,
                  const Request& request, const rpc::CallOptions& options, std::size_t bytes_max,
                  PieceEnd end, std::string& into,
                  const std::function<Status(const Piece&)>& check = {}) {
    std::size_t room = bytes_max;
    bool enough = false;
    const Status status =
        rpc::CallStreaming(channel, method, request, options, [&](const Piece& piece) -> Status {
            if (check) KESSAI_RETURN_IF_ERROR(check(piece));
            if (piece.content().size() > room && end == PieceEnd::kOfStream) {
                return Status(Code::kResourceExhausted, kFileTooLarge,
                              "the file is larger than " + std::to_string(bytes_max) + " bytes");
            }
            const std::size_t taken = std::min(room, piece.content().size());
            into.append(piece.content(), 0, taken);
            room -= taken;
            enough = room == 0 && end == PieceEnd::kWhenEnough;
            return enough ? Status(Code::kCancelled, "ENOUGH", "") : OkStatus();
        });
    return enough ? OkStatus() : status;
}

/// Answers an operator with the file that a stream of pieces is, of at most `bytes_max` bytes,
/// which are held in memory; with nothing of it unless it came to its end. What it is given must
/// outlive it.
template <class Request, class Piece>
net::Task<http::Response> ForwardFile(const RequestScope& scope, auth::TokenSigner& signer,
                                      const Clock& clock, const rpc::Channel& channel,
                                      std::string_view audience, rpc::WorkerPool& workers,
                                      const rpc::Method<Request, Piece>& method, Request request,
                                      std::string_view content_type, std::size_t bytes_max) {
    auto token = signer.Mint(*scope.caller, audience);
    if (!token.ok()) co_return RefuseOperator(scope, token.status());
    const rpc::CallOptions options = OptionsOfOperator(scope, clock, *token);
    http::Response response;
    response.subject = scope.caller->subject;
    response.content_type = content_type;
    const Status read = co_await app::RunBlocking(workers, *scope.request.loop, [&]() -> Status {
        return ReadPieces(channel, method, request, options, bytes_max, PieceEnd::kOfStream,
                          response.body);
    });
    if (!read.ok()) co_return RefuseOperator(scope, read);
    co_return response;
}

}  // namespace kessai::gateway::transport
