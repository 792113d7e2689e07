#include "kessai/testing/mysql_server.h"

#include <unistd.h>

#include "kessai/result/check.h"
#include "kessai/testing/eventually.h"
#include "kessai/testing/process.h"
#include "kessai/testing/temp_dir.h"

namespace kessai::testing {
namespace {

constexpr Duration kStartWithin = std::chrono::seconds(60);
constexpr const char* kAdminPassword = "kessai-test";

std::string LastPart(const std::string& text) {
    return text.substr(text.size() - std::min<std::size_t>(text.size(), 4000));
}

std::unique_ptr<mysql::Session> ConnectOrDie(const mysql::ConnectOptions& options) {
    auto session = mysql::Session::Connect(options);
    KESSAI_CHECK(session.ok(), "cannot connect to the test server: " + session.status().ToString());
    return std::move(session).value();
}

void RunOrDie(mysql::Session& session, const std::string& sql) {
    const auto done = session.Execute(mysql::Query{"testing.setup", sql});
    KESSAI_CHECK(done.ok(), sql + ": " + done.status().ToString());
}

}  // namespace

struct MysqlServer::Impl {
    mysql::ConnectOptions admin;
    // Of a private server:
    std::unique_ptr<TempDir> directory;
    std::vector<std::string> arguments;
    std::unique_ptr<Process> process;

    std::string LogPath() const { return directory->Path("server.log"); }
    bool StartProcess();
};

MysqlServer::MysqlServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

MysqlServer::~MysqlServer() {
    if (impl_->process) impl_->process->Kill9();
}

MysqlServer& MysqlServer::Shared() {
    static const std::unique_ptr<MysqlServer> server = [] {
        const std::string url = Environment("KESSAI_TEST_MYSQL");
        if (url.empty()) return Launch();
        auto options = mysql::ConnectOptions::Parse(url);
        KESSAI_CHECK(options.ok(), "KESSAI_TEST_MYSQL: " + options.status().ToString());
        auto impl = std::make_unique<Impl>();
        impl->admin = *options;
        return std::unique_ptr<MysqlServer>(new MysqlServer(std::move(impl)));
    }();
    return *server;
}

std::unique_ptr<MysqlServer> MysqlServer::Launch(std::vector<std::string> arguments) {
    auto impl = std::make_unique<Impl>();
    impl->directory = std::make_unique<TempDir>("mariadb");
    impl->arguments = std::move(arguments);
    impl->admin.user = "kessai_admin";
    impl->admin.password = kAdminPassword;
    impl->directory->Write("accounts.sql",
                           std::string("CREATE USER IF NOT EXISTS 'kessai_admin'@'%' IDENTIFIED "
                                       "BY '") +
                               kAdminPassword +
                               "';\n"
                               "GRANT ALL ON *.* TO 'kessai_admin'@'%' WITH GRANT OPTION;\n");
    auto install =
        Process::Start({.command = {"mariadb-install-db", "--no-defaults",
                                    "--datadir=" + impl->directory->Path("data"),
                                    "--auth-root-authentication-method=normal", "--skip-test-db"},
                        .environment = {},
                        .working_directory = {},
                        .output_file = impl->LogPath()});
    KESSAI_CHECK(install.ok(), install.status().ToString());
    KESSAI_CHECK((*install)->Wait(kStartWithin) == 0,
                 "mariadb-install-db failed:\n" + ReadFile(impl->LogPath()));
    std::unique_ptr<MysqlServer> server(new MysqlServer(std::move(impl)));
    // A free port may be taken by somebody else before the server binds it.
    for (int attempt = 0; attempt < 5; ++attempt) {
        server->impl_->admin.port = FreePort();
        if (server->impl_->StartProcess()) return server;
    }
    CheckFailed("mariadbd starts", server->Log(), __FILE__, __LINE__);
}

bool MysqlServer::Impl::StartProcess() {
    std::vector<std::string> command = {
        "mariadbd",
        "--no-defaults",
        "--datadir=" + directory->Path("data"),
        "--socket=" + directory->Path("server.sock"),
        "--pid-file=" + directory->Path("server.pid"),
        "--init-file=" + directory->Path("accounts.sql"),
        "--bind-address=127.0.0.1",
        "--port=" + std::to_string(admin.port),
        "--skip-name-resolve",
        "--skip-log-bin",
        "--performance-schema=OFF",
        "--max-connections=500",
        "--max-allowed-packet=16M",
        "--innodb-buffer-pool-size=64M",
        "--innodb-log-file-size=16M",
        "--innodb-flush-log-at-trx-commit=1",
        "--innodb-use-native-aio=OFF",
        "--character-set-server=utf8mb4",
        "--collation-server=utf8mb4_bin",
    };
    if (geteuid() == 0) command.emplace_back("--user=root");
    command.insert(command.end(), arguments.begin(), arguments.end());
    auto started = Process::Start({.command = std::move(command),
                                   .environment = {},
                                   .working_directory = {},
                                   .output_file = LogPath()});
    KESSAI_CHECK(started.ok(), started.status().ToString());
    process = std::move(started).value();
    bool answers = false;
    (void)Eventually(
        [&] {
            answers = mysql::Session::Connect(admin).ok();
            return answers || !process->Running();
        },
        kStartWithin);
    return answers;
}

const mysql::ConnectOptions& MysqlServer::admin() const {
    return impl_->admin;
}

void MysqlServer::Kill9() {
    KESSAI_CHECK(impl_->process != nullptr, "only a private server is killed");
    impl_->process->Kill9();
}

void MysqlServer::Stop() {
    KESSAI_CHECK(impl_->process != nullptr, "only a private server is stopped");
    impl_->process->Terminate(kStartWithin);
}

void MysqlServer::Start() {
    KESSAI_CHECK(impl_->process != nullptr && !impl_->process->Running(),
                 "only a private server that was stopped is started");
    KESSAI_CHECK(impl_->StartProcess(), "mariadbd did not start again:\n" + Log());
}

std::string MysqlServer::Log() const {
    return impl_->directory ? LastPart(ReadFile(impl_->LogPath())) : std::string();
}

std::unique_ptr<MysqlSchema> MysqlServer::CreateSchema() {
    mysql::ConnectOptions options = impl_->admin;
    options.schema = UniqueName("kt");
    // MySQL allows 32 characters.
    options.user = options.schema.substr(0, 32);
    options.password = UniqueName("pw");
    mysql::ConnectOptions admin = impl_->admin;
    const auto session = ConnectOrDie(admin);
    const std::string account = "'" + options.user + "'@'%'";
    RunOrDie(*session,
             "CREATE DATABASE " + options.schema + " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin");
    RunOrDie(*session, "CREATE USER " + account + " IDENTIFIED BY '" + options.password + "'");
    RunOrDie(*session, "GRANT ALL ON " + options.schema + ".* TO " + account);
    admin.schema = options.schema;
    return std::unique_ptr<MysqlSchema>(new MysqlSchema(std::move(admin), std::move(options)));
}

MysqlSchema::~MysqlSchema() {
    // A private server may be stopped, or read-only: then the schema goes with its directory.
    const auto session = mysql::Session::Connect(admin_);
    if (!session.ok()) return;
    const std::string drop_schema = "DROP DATABASE IF EXISTS " + options_.schema;
    const std::string drop_user = "DROP USER IF EXISTS '" + options_.user + "'@'%'";
    (void)(*session)->Execute(mysql::Query{"testing.drop_schema", drop_schema});
    (void)(*session)->Execute(mysql::Query{"testing.drop_user", drop_user});
}

}  // namespace kessai::testing
