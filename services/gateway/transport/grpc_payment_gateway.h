#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "app/payment_gateway.h"
#include "kessai/auth/token.h"
#include "kessai/rpc/batch_stream_client.h"
#include "kessai/rpc/call.h"
#include "kessai/rpc/channel.h"

namespace kessai::payment::v1 {
class Command;
class CommandBatch;
class Outcome;
class OutcomeBatch;
}  // namespace kessai::payment::v1

namespace kessai::gateway::transport {

/// The command stream's types, for libs/rpc.
struct ExecuteStream;

/// The payment service over gRPC: commands through the batching stream, questions one by one.
///
/// A command whose outcome is not known (its stream broke), or that the service could not do just
/// then, is sent again with back-off and jitter while the request's deadline and the retry budget
/// allow: every command is idempotent by its own key, a create by its salt. When it ends without an
/// answer after any attempt may have been carried out, the refusal is OUTCOME_UNKNOWN.
class GrpcPaymentGateway final : public app::PaymentGateway {
 public:
    struct Options {
        std::string target;
        std::optional<rpc::TlsFiles> tls;
        /// The name in the servers' certificates; empty: the target's host.
        std::string server_name;
        int open_max = 16'384;
        Duration hold = std::chrono::milliseconds(1);
        Duration backoff_first = std::chrono::milliseconds(20);
        Duration backoff_max = std::chrono::milliseconds(500);
        /// Tokens that a retry takes and a success gives a tenth of back.
        std::int64_t retry_budget = 20'000;
    };
    struct Counts {
        std::uint64_t retries;
        std::uint64_t budget_exhausted;
        std::uint64_t outcomes_unknown;
        int open;
        int streams;
        std::uint64_t sent;
        std::uint64_t messages_out;
    };

    /// Refuses with TLS_FILES_INVALID. `signer`, `clock` and `observer` outlive it.
    static Result<std::unique_ptr<GrpcPaymentGateway>> Create(Options options,
                                                              auth::TokenSigner& signer,
                                                              const Clock& clock,
                                                              rpc::CallObserver* observer);
    ~GrpcPaymentGateway() override;

    Status Start();
    /// Whether there is a stream to the service.
    bool Ready() const;
    /// Waits up to `bound` for the open commands.
    void Stop(Duration bound);
    Counts counts() const;

    net::Task<Result<domain::Payment>> CreateCode(const app::CallContext& context,
                                                  const domain::CreateCode& command) override;
    net::Task<Result<domain::Payment>> DeleteCode(const app::CallContext& context,
                                                  std::string_view code_id) override;
    net::Task<Result<domain::Payment>> PayCode(const app::CallContext& context,
                                               std::string_view code_id, Money amount) override;
    net::Task<Status> CancelPayment(const app::CallContext& context,
                                    std::string_view merchant_payment_id) override;
    net::Task<Result<domain::Refund>> RefundPayment(const app::CallContext& context,
                                                    const domain::RefundPayment& command) override;
    net::Task<Result<domain::TopUp>> TopUp(const app::CallContext& context,
                                           std::string_view idempotency_key, Money amount,
                                           std::string_view source) override;
    net::Task<Result<domain::Wallet>> OpenWallet(const app::CallContext& context) override;
    net::Task<Result<domain::Payment>> GetCode(const app::CallContext& context,
                                               std::string_view code_id) override;
    net::Task<Result<domain::Payment>> GetPaymentByOrder(
        const app::CallContext& context, std::string_view merchant_payment_id) override;
    net::Task<Result<domain::Payment>> GetPayment(const app::CallContext& context,
                                                  std::int64_t payment_id) override;
    net::Task<Result<domain::Refund>> GetRefund(const app::CallContext& context,
                                                std::string_view merchant_refund_id,
                                                std::int64_t payment_id) override;
    net::Task<Result<domain::Wallet>> GetWallet(const app::CallContext& context) override;
    net::Task<Result<domain::HistoryPage>> ListHistory(const app::CallContext& context,
                                                       std::uint32_t page_size,
                                                       std::string_view page_token) override;
    net::Task<Result<domain::Merchant>> PutMerchant(const app::CallContext& context,
                                                    const domain::Merchant& merchant) override;
    net::Task<Result<domain::Merchant>> GetMerchant(const app::CallContext& context,
                                                    std::int64_t merchant_id) override;
    net::Task<Result<app::BusinessDay>> CloseDay(const app::CallContext& context,
                                                 std::int32_t date_number, bool early) override;
    net::Task<Result<app::BusinessDay>> GetBusinessDay(const app::CallContext& context,
                                                       std::int32_t date_number) override;
    net::Task<Result<std::uint32_t>> RepublishEvents(
        const app::CallContext& context, const std::vector<domain::ChangeName>& changes) override;

 private:
    struct Parts;
    explicit GrpcPaymentGateway(std::unique_ptr<Parts> parts);

    /// Sends `command` until it is answered or given up, and gives what `read` makes of the answer.
    /// `read` runs on a thread of gRPC's.
    template <class T, class Read>
    net::Task<Result<T>> Execute(const app::CallContext& context, payment::v1::Command& command,
                                 Read read);
    template <class Request, class Response>
    net::Task<Result<Response>> Ask(const app::CallContext& context,
                                    const rpc::Method<Request, Response>& method,
                                    const Request& request);

    std::unique_ptr<Parts> parts_;
};

}  // namespace kessai::gateway::transport
