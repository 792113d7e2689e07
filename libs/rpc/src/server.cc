#include "kessai/rpc/server.h"

#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "grpc_process.h"
#include "grpc_time.h"
#include "kessai/rpc/batch_stream_server.h"
#include "kessai/rpc/reason.h"
#include "kessai/rpc/service.h"
#include "service_state.h"
#include "thread_sanitizer.h"
#include "tls_credentials.h"

namespace kessai::rpc {
namespace {

// gRPC cancels what is left a little after the bound, so that what ended by then ended by itself.
constexpr Duration kCancelDelay = std::chrono::milliseconds(50);
// After the bound, for handlers to let go of their cancelled calls.
constexpr Duration kCancelGrace = std::chrono::seconds(2);

void SetLimits(grpc::ServerBuilder& builder, const ServerOptions& options) {
    builder.SetMaxReceiveMessageSize(static_cast<int>(options.receive_bytes_max));
    builder.SetMaxSendMessageSize(static_cast<int>(options.send_bytes_max));
    builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE,
                               static_cast<int>(options.metadata_bytes_max));
    builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, options.concurrent_streams_max);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, ToMs(options.connection_age_max));
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS,
                               ToMs(options.connection_age_grace));
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, ToMs(options.connection_idle_max));
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, ToMs(options.keepalive_interval));
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, ToMs(options.keepalive_timeout));
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                               ToMs(options.client_ping_interval_min));
    // Two processes on one port would share its connections unnoticed.
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    grpc::ResourceQuota quota("server");
    quota.Resize(options.memory_bytes_max).SetMaxThreads(options.threads_max);
    builder.SetResourceQuota(quota);
}

/// Whether an event has happened, waited for under a bound.
class Event {
 public:
    void Set() {
        const std::lock_guard lock(mutex_);
        set_ = true;
        changed_.notify_all();
    }
    bool WaitFor(Duration bound) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, bound, [this] { return set_; });
    }

 private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool set_ = false;
};

}  // namespace

struct Server::State {
    ServerOptions options;
    ServerEnvironment environment;
    std::vector<Service> services;
    std::unique_ptr<grpc::Server> grpc;
    int port = 0;
    bool stopped = false;
};

Server::Server(ServerOptions options, const Clock& clock, const auth::TokenVerifier& verifier,
               CallObserver* observer)
    : state_(std::make_shared<State>()) {
    state_->options = std::move(options);
    state_->environment.clock = &clock;
    state_->environment.verifier = &verifier;
    state_->environment.observer = observer;
    state_->environment.deadline_default = state_->options.deadline_default;
    state_->environment.deadline_max = state_->options.deadline_max;
    state_->environment.tls = state_->options.tls.has_value();
}

Server::~Server() {
    if (state_->grpc != nullptr && !state_->stopped) Stop(Duration::zero());
}

void Server::Add(Service service) {
    KESSAI_CHECK(state_->grpc == nullptr, "services are added before Start");
    service.state().Attach(state_->environment);
    state_->services.push_back(std::move(service));
}

Status Server::Start() {
    KESSAI_CHECK(state_->grpc == nullptr, "a server starts once");
    PrepareGrpc();
    const ServerOptions& options = state_->options;
    std::shared_ptr<grpc::ServerCredentials> credentials = grpc::InsecureServerCredentials();
    if (options.tls) {
        KESSAI_RETURN_IF_ERROR(options.tls->Check());
        credentials = ServerTls(*options.tls, options.allowed_peers);
    }
    grpc::EnableDefaultHealthCheckService(true);
    grpc::ServerBuilder builder;
    SetLimits(builder, options);
    builder.AddListeningPort(options.listen_address, credentials, &state_->port);
    for (Service& service : state_->services) {
        for (MethodState& method : service.state().methods) GiveToGrpc(&method);
        builder.RegisterService(&service.state().grpc);
    }
    state_->grpc = builder.BuildAndStart();
    if (state_->grpc == nullptr || state_->port == 0) {
        state_->grpc.reset();
        return Status(Code::kUnavailable, reason::kListenFailed,
                      "cannot listen on " + options.listen_address);
    }
    SetServing(false);
    return {};
}

int Server::port() const {
    return state_->port;
}

void Server::SetServing(bool serving) {
    if (auto* health = state_->grpc->GetHealthCheckService()) health->SetServingStatus(serving);
}

bool Server::Stop(Duration bound) {
    KESSAI_CHECK(state_->grpc != nullptr && !state_->stopped, "a started server stops once");
    state_->stopped = true;
    SetServing(false);
    const auto done = std::make_shared<Event>();
    // gRPC's own waits for every handler, however long that takes; a thread of its own lets us keep
    // to the bound. It shares the state, so that what it waits for stays there.
    std::thread shutdown([state = state_, bound, done] {
        state->grpc->Shutdown(DeadlineIn(bound + kCancelDelay));
        state->grpc->Wait();
        TakeFromGrpc(&state->environment);
        done->Set();
    });
    // Clients that heard GOAWAY leave their streams by themselves. Streams of those that did not
    // are ended while there is still time to answer what was read of them.
    bool finished = done->WaitFor(bound * 3 / 4);
    if (!finished) {
        for (Service& service : state_->services) {
            for (const MethodState& method : service.state().methods) {
                if (method.batches != nullptr) method.batches->Drain();
            }
        }
        finished = done->WaitFor(bound / 4);
    }
    const bool clean = finished || state_->environment.open_calls.load() == 0;
    if (finished || done->WaitFor(kCancelGrace)) {
        shutdown.join();
    } else {
        shutdown.detach();
    }
    return clean;
}

}  // namespace kessai::rpc
