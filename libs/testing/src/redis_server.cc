#include "kessai/testing/redis_server.h"

#include <charconv>

#include "kessai/result/check.h"
#include "kessai/testing/process.h"
#include "kessai/testing/temp_dir.h"
#include "listening.h"

namespace kessai::testing {

struct RedisServer::Impl {
    std::string host = "127.0.0.1";
    int port = 6379;
    std::string password;
    std::unique_ptr<TempDir> directory;
    std::unique_ptr<Process> process;

    bool StartProcess();
};

RedisServer::RedisServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

RedisServer::~RedisServer() {
    if (impl_->process) impl_->process->Kill9();
}

RedisServer& RedisServer::Shared() {
    static const std::unique_ptr<RedisServer> server = [] {
        std::string url = Environment("KESSAI_TEST_REDIS");
        if (url.empty()) return Launch();
        static constexpr std::string_view kScheme = "redis://";
        KESSAI_CHECK(url.starts_with(kScheme), "KESSAI_TEST_REDIS is redis://:password@host:port");
        url.erase(0, kScheme.size());
        auto impl = std::make_unique<Impl>();
        if (const auto at = url.rfind('@'); at != std::string::npos) {
            const std::string credentials = url.substr(0, at);
            impl->password = credentials.substr(credentials.find(':') + 1);
            url.erase(0, at + 1);
        }
        const auto colon = url.rfind(':');
        impl->host = url.substr(0, colon);
        if (colon != std::string::npos) {
            std::from_chars(url.data() + colon + 1, url.data() + url.size(), impl->port);
        }
        return std::unique_ptr<RedisServer>(new RedisServer(std::move(impl)));
    }();
    return *server;
}

std::unique_ptr<RedisServer> RedisServer::Launch() {
    auto impl = std::make_unique<Impl>();
    impl->directory = std::make_unique<TempDir>("redis");
    impl->password = UniqueName("pw");
    std::unique_ptr<RedisServer> server(new RedisServer(std::move(impl)));
    for (int attempt = 0; attempt < 5; ++attempt) {
        server->impl_->port = FreePort();
        if (server->impl_->StartProcess()) return server;
    }
    CheckFailed("redis-server starts", ReadFile(server->impl_->directory->Path("server.log")),
                __FILE__, __LINE__);
}

bool RedisServer::Impl::StartProcess() {
    const std::string config = directory->Write(
        "redis.conf", "bind 127.0.0.1\nport " + std::to_string(port) + "\nrequirepass " + password +
                          "\ndir " + directory->path() +
                          "\nsave \"\"\nappendonly no\ndaemonize no\n");
    auto started = Process::Start({.command = {"redis-server", config},
                                   .environment = {},
                                   .working_directory = {},
                                   .output_file = directory->Path("server.log")});
    KESSAI_CHECK(started.ok(), started.status().ToString());
    process = std::move(started).value();
    return EventuallyListening(*process, host, port);
}

const std::string& RedisServer::host() const {
    return impl_->host;
}
int RedisServer::port() const {
    return impl_->port;
}
const std::string& RedisServer::password() const {
    return impl_->password;
}

void RedisServer::Kill9() {
    KESSAI_CHECK(impl_->process != nullptr, "only a private server is killed");
    impl_->process->Kill9();
}

void RedisServer::Stop() {
    KESSAI_CHECK(impl_->process != nullptr, "only a private server is stopped");
    impl_->process->Terminate(std::chrono::seconds(20));
}

void RedisServer::Start() {
    KESSAI_CHECK(impl_->process != nullptr && !impl_->process->Running(),
                 "only a private server that was stopped is started");
    KESSAI_CHECK(impl_->StartProcess(), "redis-server did not start again");
}

}  // namespace kessai::testing
