#include "wiring/parts.h"

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "kessai/rpc/telemetry.h"
#include "transport/grpc_file_rows.h"
#include "transport/grpc_peer_book.h"
#include "transport/grpc_repair_peers.h"

namespace kessai::reconciliation {
namespace {

Result<rpc::Channel> ChannelTo(const Upstream& upstream, const Options& options, const Clock& clock,
                               rpc::CallTelemetry& calls) {
    rpc::ChannelOptions channel;
    channel.target = upstream.target;
    channel.tls = options.tls;
    channel.server_name = upstream.server_name;
    return rpc::Channel::Create(std::move(channel), clock, &calls);
}

}  // namespace

Result<Peers> BuildPeers(const Options& options, runtime::Context& context,
                         const auth::KeyRingSource& keys) {
    const Clock& clock = context.clock();
    auto& signer = context.Own(std::make_unique<auth::TokenSigner>(keys, clock));
    std::vector<std::string_view> contracts = transport::PeerContracts();
    for (const auto& more : {transport::RepairContracts(), transport::FileRowContracts()}) {
        contracts.insert(contracts.end(), more.begin(), more.end());
    }
    auto& calls = context.Own(std::make_unique<rpc::CallTelemetry>(
        context.metrics(), contracts, &context.tracer(), rpc::Side::kClient));
    KESSAI_ASSIGN_OR_RETURN(auto to_payment, ChannelTo(options.payment, options, clock, calls));
    KESSAI_ASSIGN_OR_RETURN(auto to_payout, ChannelTo(options.payout, options, clock, calls));
    return Peers{signer, std::move(to_payment), std::move(to_payout)};
}

}  // namespace kessai::reconciliation
