#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kessai/inbox/consumer.h"
#include "kessai/inbox/dead_letters.h"
#include "kessai/inbox/handler.h"
#include "kessai/inbox/v1/dead_letter_service.pb.h"
#include "kessai/result/result.h"
#include "kessai/rpc/service.h"
#include "kessai/rpc/worker_pool.h"
#include "kessai/time/clock.h"

namespace kessai::mysql {
class Pool;
}

/// What operators see and do of a service's dead letters. Link kessai_inbox_desk.
namespace kessai::inbox {

namespace reason {
/// NOT_FOUND: the service reads no such topic.
inline constexpr std::string_view kTopicNotConsumed = "TOPIC_NOT_CONSUMED";
/// INVALID_ARGUMENT
inline constexpr std::string_view kPageSizeOutOfRange = "PAGE_SIZE_OUT_OF_RANGE";
inline constexpr std::string_view kPageTokenInvalid = "PAGE_TOKEN_INVALID";
inline constexpr std::string_view kNoteTooLong = "DEAD_LETTER_NOTE_TOO_LONG";
}  // namespace reason

inline constexpr std::string_view kDeadLetterServiceName = "kessai.inbox.v1.DeadLetterService";

/// Operators' scopes: to look, and to replay or discard.
inline constexpr std::string_view kReadScope = "dlq:read";
inline constexpr std::string_view kWriteScope = "dlq:write";

/// The dead letters of all topics that a service reads: lists them, and replays and discards them
/// through the handlers of its consumers. kessai.inbox.v1.DeadLetterService over gRPC, or called
/// directly by a service without a gRPC server. What was done is logged, and kept with the dead
/// letter. All calls block on the database. Thread safe once every consumer was added.
class DeadLetterDesk {
 public:
    /// Both must outlive it.
    DeadLetterDesk(mysql::Pool& pool, const Clock& clock) : pool_(pool), clock_(clock) {}

    /// The consumer's own options and handler, which must outlive the desk. Before any call.
    void Add(const ConsumerOptions& consumer, Handler& handler);

    /// Refusals: as the contract says.
    Result<v1::ListDeadLettersResponse> List(const v1::ListDeadLettersRequest& request) const;
    Result<v1::DeadLetterDetails> Get(const v1::GetDeadLetterRequest& request) const;
    /// `operator_name` is who does it.
    Result<v1::SettleOutcome> Replay(const v1::SettleDeadLetterRequest& request,
                                     std::string_view operator_name) const;
    Result<v1::SettleOutcome> Discard(const v1::SettleDeadLetterRequest& request,
                                      std::string_view operator_name) const;

    /// The contract's methods over this desk, run on `workers`. Both must outlive the server.
    rpc::Service MakeService(rpc::WorkerPool& workers) const;

 private:
    struct Consumed {
        ReplayContext context;
        Handler* handler;
    };

    Result<const Consumed*> Find(std::string_view topic) const;
    Result<v1::SettleOutcome> Settle(const v1::SettleDeadLetterRequest& request,
                                     std::string_view operator_name, DeadLetterState as) const;

    mysql::Pool& pool_;
    const Clock& clock_;
    /// By topic.
    std::vector<Consumed> consumed_;
};

}  // namespace kessai::inbox
