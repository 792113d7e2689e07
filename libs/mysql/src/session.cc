#include "kessai/mysql/session.h"

#include <cppconn/driver.h>

#include <algorithm>
#include <charconv>
#include <mutex>

#include "kessai/mysql/error.h"
#include "kessai/result/check.h"
#include "rows_impl.h"
#include "session_impl.h"
#include "session_settings.h"

namespace kessai::mysql {
namespace {

// libmariadb's mode "auto": a file is sent only in answer to a statement that asked for it.
constexpr int kFileOnlyWhenLoading = 2;

}  // namespace

sql::Driver& ConnectorDriver() {
    static sql::Driver* const driver = get_driver_instance();
    return *driver;
}

std::string SettingsStatement(const ConnectOptions& options) {
    std::string sql =
        "SET time_zone='+00:00', sql_mode='STRICT_TRANS_TABLES,STRICT_ALL_TABLES,"
        "ONLY_FULL_GROUP_BY,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,"
        "NO_ENGINE_SUBSTITUTION', innodb_lock_wait_timeout=";
    sql += std::to_string(options.lock_wait_timeout_s);
    sql += ", wait_timeout=";
    sql += std::to_string(options.wait_timeout_s);
    // Lists of keys force their index: looking up each key a second time, to estimate how many rows
    // it has, decides nothing.
    sql += ", eq_range_index_dive_limit=1";
    // MariaDB alone turns long IN lists into subqueries, which then scan: never here.
    sql += " /*M!100302 , in_predicate_conversion_threshold=0 */";
    return sql;
}

int WholeSeconds(Duration duration) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(duration).count();
    return static_cast<int>(std::clamp<std::int64_t>(seconds, 1, 24 * 3600));
}

Duration ReadTimeout(const ConnectOptions& options) {
    return std::max<Duration>(options.read_timeout,
                              std::chrono::seconds(options.lock_wait_timeout_s + 1));
}

namespace {

/// The client library is asked to insist on TLS; what counts is what the server has seen.
void RequireEncryption(sql::Statement& statement) {
    const std::unique_ptr<sql::ResultSet> cipher(
        statement.executeQuery("SHOW SESSION STATUS LIKE 'Ssl_cipher'"));
    if (!cipher->next() || cipher->getString(2).length() == 0) {
        throw sql::SQLException("the connection is not encrypted", "HY000", 2026);
    }
}

Result<std::string> PercentDecode(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out.push_back(text[i]);
            continue;
        }
        unsigned byte = 0;
        const char* begin = text.data() + i + 1;
        if (i + 2 >= text.size() || std::from_chars(begin, begin + 2, byte, 16).ptr != begin + 2) {
            return Status(Code::kInvalidArgument, "MYSQL_URL_MALFORMED", "a % without two digits");
        }
        out.push_back(static_cast<char>(byte));
        i += 2;
    }
    return out;
}

}  // namespace

Result<ConnectOptions> ConnectOptions::Parse(std::string_view url) {
    const auto malformed = [](const char* what) {
        return Status(Code::kInvalidArgument, "MYSQL_URL_MALFORMED", what);
    };
    static constexpr std::string_view kScheme = "mysql://";
    if (!url.starts_with(kScheme)) return malformed("it does not begin with mysql://");
    url.remove_prefix(kScheme.size());

    ConnectOptions options;
    std::string_view path;
    if (const auto slash = url.find('/'); slash != std::string_view::npos) {
        path = url.substr(slash + 1);
        url = url.substr(0, slash);
    }
    if (const auto at = url.rfind('@'); at != std::string_view::npos) {
        const std::string_view credentials = url.substr(0, at);
        url.remove_prefix(at + 1);
        const auto colon = credentials.find(':');
        KESSAI_ASSIGN_OR_RETURN(options.user, PercentDecode(credentials.substr(0, colon)));
        if (colon != std::string_view::npos) {
            KESSAI_ASSIGN_OR_RETURN(options.password, PercentDecode(credentials.substr(colon + 1)));
        }
    }
    if (const auto colon = url.rfind(':'); colon != std::string_view::npos) {
        const std::string_view port = url.substr(colon + 1);
        const auto parsed = std::from_chars(port.data(), port.data() + port.size(), options.port);
        if (parsed.ec != std::errc() || parsed.ptr != port.data() + port.size() ||
            options.port < 1 || options.port > 65535) {
            return malformed("the port is not a number of 1 to 65535");
        }
        url = url.substr(0, colon);
    }
    if (url.empty()) return malformed("it has no host");
    options.host = url;
    KESSAI_ASSIGN_OR_RETURN(options.schema, PercentDecode(path));
    return options;
}

void StatementBatch::Clear() {
    sql_.clear();
    names_.clear();
}

Status StatementBatch::AddRendered(const Query& query, std::span<const Argument> arguments) {
    const std::size_t before = sql_.size();
    // The line break ends a comment that the statement before may end with.
    if (!names_.empty()) sql_ += "\n;";
    Status status = Render(query, arguments, sql_);
    if (status.ok()) {
        names_.push_back(query.name);
    } else {
        sql_.resize(before);
    }
    return status;
}

Status Session::Impl::Failed(std::string_view name, Phase phase, int number,
                             std::string_view message) {
    Status status = ClassifyError(number, message, phase).WithContext(name);
    const std::string_view why = status.reason();
    const bool lost = why == reason::kConnectionLost || why == reason::kLoginRefused ||
                      why == reason::kCommitUnknown || why == reason::kStatementTooLarge;
    if (lost || why == reason::kReadOnly) failure = status;
    if (in_transaction && (IsRetryable(status) || lost)) doomed = status;
    return status;
}

Status Session::Impl::SetAutocommit(bool on) {
    const Status status = Run("transaction.begin", Phase::kNothingStored, [&] {
        statement->execute(on ? "SET autocommit=1" : "SET autocommit=0");
    });
    if (status.ok()) server_autocommit = on;
    return status;
}

Status Session::Impl::CheckSize(std::string_view name, std::size_t size) const {
    if (size <= statement_bytes_max) return {};
    std::string message("query ");
    message += name;
    message += ": the statement has " + std::to_string(size) + " bytes, at most " +
               std::to_string(statement_bytes_max) + " are sent";
    return Status(Code::kInvalidArgument, reason::kStatementTooLarge, std::move(message));
}

Status Session::Impl::CheckUsable() const {
    KESSAI_CHECK(!streaming, "a session reads its streamed rows to their end first");
    if (in_transaction && !doomed.ok()) return doomed;
    if (failure.ok()) return {};
    return Status(
        Code::kUnavailable,
        failure.reason() == reason::kReadOnly ? reason::kReadOnly : reason::kConnectionLost,
        "the session failed before: " + std::string(failure.message()));
}

Status Session::Impl::Prepare() {
    KESSAI_RETURN_IF_ERROR(CheckUsable());
    if (server_autocommit == in_transaction) KESSAI_RETURN_IF_ERROR(SetAutocommit(!in_transaction));
    if (in_transaction) transaction_begun = true;
    return {};
}

void Session::Impl::RunBuffer(std::size_t statements, std::size_t* done) {
    const auto drop_rows = [&] {
        const std::unique_ptr<sql::ResultSet> unwanted(statement->getResultSet());
    };
    // The connector does not tell "the next statement has no rows" from "that was the last": the
    // results are counted, so that exactly all of them are read and the connection stays in step.
    if (statement->execute(buffer)) drop_rows();
    for (*done = 1; *done < statements; ++*done) {
        if (statement->getMoreResults()) drop_rows();
    }
}

void Session::Impl::Rollback() {
    in_transaction = false;
    doomed = Status();
    if (!transaction_begun) return;
    transaction_begun = false;
    // A lost or read-only session is closed, and the server rolls back then.
    if (!failure.ok()) return;
    const Status status =
        Run("transaction.rollback", Phase::kNothingStored, [&] { statement->execute("ROLLBACK"); });
    if (!status.ok() && failure.ok()) failure = status;
}

Session::Session(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Session::~Session() {
    KESSAI_CHECK(!impl_->streaming, "streamed rows do not outlive their session");
    if (impl_->in_transaction) impl_->Rollback();
}

Result<std::unique_ptr<Session>> Session::Connect(const ConnectOptions& options, const Clock& clock,
                                                  QueryObserver* observer) {
    auto impl = std::make_unique<Impl>();
    impl->options = options;
    impl->clock = &clock;
    impl->observer = observer;
    const Status status = impl->Run("session.connect", Phase::kNothingStored, [&] {
        sql::ConnectOptionsMap map;
        map["hostName"] = sql::SQLString(options.host);
        map["port"] = options.port;
        map["userName"] = sql::SQLString(options.user);
        map["password"] = sql::SQLString(options.password);
        map["schema"] = sql::SQLString(options.schema);
        map["OPT_CONNECT_TIMEOUT"] = WholeSeconds(options.connect_timeout);
        map["OPT_READ_TIMEOUT"] = WholeSeconds(ReadTimeout(options));
        map["OPT_WRITE_TIMEOUT"] = WholeSeconds(options.write_timeout);
        map["OPT_CHARSET_NAME"] = sql::SQLString("utf8mb4");
        map["OPT_LOCAL_INFILE"] = options.bulk_load ? kFileOnlyWhenLoading : 0;
        map["CLIENT_MULTI_STATEMENTS"] = true;
        map["CLIENT_FOUND_ROWS"] = true;
        const bool tls = !options.tls_ca_file.empty();
        if (tls) {
            map["sslCA"] = sql::SQLString(options.tls_ca_file);
            map["sslEnforce"] = true;
            map["sslVerify"] = true;
        }
        impl->connection.reset(ConnectorDriver().connect(map));
        impl->statement.reset(impl->connection->createStatement());
        if (tls) RequireEncryption(*impl->statement);
        impl->statement->execute(kIsolationStatement);
        impl->statement->execute(SettingsStatement(options));
        const std::unique_ptr<sql::ResultSet> packet(
            impl->statement->executeQuery("SELECT @@max_allowed_packet, @@local_infile"));
        packet->next();
        impl->loads_files = options.bulk_load && packet->getInt(2) != 0;
        // One byte is the command; the rest is room for a COMMIT after a batch.
        const auto allowed = static_cast<std::size_t>(packet->getInt64(1)) - 64;
        impl->statement_bytes_max = std::min(options.max_statement_bytes, allowed);
    });
    KESSAI_RETURN_IF_ERROR(status);
    impl->connected_at = clock.SteadyNow();
    return std::unique_ptr<Session>(new Session(std::move(impl)));
}

namespace {

constexpr std::size_t kRowsPerBlock = 512;

}  // namespace

Result<Rows> Session::SelectRendered(const Query& query, std::span<const Argument> arguments,
                                     bool streamed) {
    Impl& impl = *impl_;
    KESSAI_RETURN_IF_ERROR(impl.CheckUsable());
    std::string& sql = *impl.buffer.operator->();
    // A SELECT takes the change of autocommit along: the first statement of most transactions is
    // one, and so is what runs between transactions.
    const bool toggles = impl.server_autocommit == impl.in_transaction;
    sql = !toggles ? "" : impl.in_transaction ? "SET autocommit=0;" : "SET autocommit=1;";
    const std::size_t select_begins = sql.size();
    KESSAI_RETURN_IF_ERROR(Render(query, arguments, sql));
    KESSAI_RETURN_IF_ERROR(impl.CheckSize(query.name, sql.size()));
    if (impl.in_transaction) impl.transaction_begun = true;
    if (impl.observer != nullptr) {
        impl.observer->OnSelect(query.name, std::string_view(sql).substr(select_begins));
    }

    auto rows = std::make_unique<Rows::Impl>();
    rows->query_name = query.name;
    bool has_rows = false;
    Status sums;
    const Status status = impl.Run(query.name, Phase::kNothingStored, [&] {
        if (streamed && !impl.stream_statement) {
            impl.stream_statement.reset(impl.connection->createStatement());
            impl.stream_statement->setResultSetType(sql::ResultSet::TYPE_FORWARD_ONLY);
        }
        auto& statement = streamed ? *impl.stream_statement : *impl.statement;
        has_rows = statement.execute(impl.buffer);
        if (toggles) {
            impl.server_autocommit = !impl.server_autocommit;
            has_rows = statement.getMoreResults();
        }
        if (!has_rows) return;
        rows->result.reset(statement.getResultSet());
        rows->FindColumns();
        if (streamed) return;
        rows->row_count = rows->result->rowsCount();
        sums = rows->CheckAllSums();
    });
    KESSAI_RETURN_IF_ERROR(status);
    KESSAI_RETURN_IF_ERROR(sums);
    if (!has_rows) {
        return Status(Code::kInternal, reason::kQueryMalformed,
                      "query " + std::string(query.name) + ": was executed, but gives no rows");
    }
    if (streamed) {
        rows->session = &impl;
        impl.streaming = true;
    }
    return Rows(std::move(rows));
}

Status Session::ScanRendered(const Query& query, std::span<const Argument> arguments,
                             const std::function<void(std::span<const std::int64_t>)>& take) {
    KESSAI_ASSIGN_OR_RETURN(Rows rows, SelectRendered(query, arguments, /*streamed=*/true));
    Rows::Impl& impl = *rows.impl_;
    std::vector<std::int64_t> block(kRowsPerBlock * impl.columns.size());
    std::vector<Rows::Impl::Column> kinds;
    return impl_->Run(query.name, Phase::kNothingStored, [&] {
        std::size_t used = 0;
        while ((impl.on_row = impl.result->next())) {
            for (int i = 0; kinds.size() < impl.columns.size(); ++i) {
                kinds.push_back(impl.NumberColumn(i));
            }
            for (std::size_t i = 0; i < kinds.size(); ++i) {
                block[used++] = impl.ReadInt(static_cast<int>(i), kinds[i]);
            }
            if (used == block.size()) {
                take(block);
                used = 0;
            }
        }
        if (used > 0) take(std::span(block).first(used));
    });
}

Result<std::uint64_t> Session::ExecuteRendered(const Query& query,
                                               std::span<const Argument> arguments) {
    Impl& impl = *impl_;
    std::string& sql = *impl.buffer.operator->();
    sql.clear();
    KESSAI_RETURN_IF_ERROR(Render(query, arguments, sql));
    KESSAI_RETURN_IF_ERROR(impl.CheckSize(query.name, sql.size()));
    KESSAI_RETURN_IF_ERROR(impl.Prepare());

    std::uint64_t affected = 0;
    const Phase phase = impl.in_transaction ? Phase::kNothingStored : Phase::kCommitting;
    const Status status = impl.Run(query.name, phase, [&] {
        if (impl.statement->execute(impl.buffer)) {
            const std::unique_ptr<sql::ResultSet> unwanted(impl.statement->getResultSet());
        } else {
            affected = impl.statement->getUpdateCount();
        }
    });
    KESSAI_RETURN_IF_ERROR(status);
    return affected;
}

Status Session::Impl::RunBatch(const StatementBatch& batch, bool commit) {
    if (batch.empty() && !commit) return {};
    KESSAI_RETURN_IF_ERROR(CheckSize(batch.name_, batch.bytes()));
    KESSAI_RETURN_IF_ERROR(Prepare());
    std::string& sql = *buffer.operator->();
    sql = batch.sql_;
    if (commit) sql += sql.empty() ? "COMMIT" : "\n;COMMIT";
    const std::size_t statements = batch.size() + (commit ? 1 : 0);
    const Phase phase = commit || !in_transaction ? Phase::kCommitting : Phase::kNothingStored;
    std::size_t done = 0;
    Status status = Run(batch.name_, phase, [&] { RunBuffer(statements, &done); });
    if (!status.ok() && done < batch.size()) status = status.WithContext(batch.names_[done]);
    return status;
}

Status Session::ExecuteMany(const StatementBatch& batch) {
    return impl_->RunBatch(batch, /*commit=*/false);
}

Result<Instant> Session::DatabaseNow() {
    static constexpr Query kNow{"session.now",
                                "SELECT CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED)"};
    KESSAI_ASSIGN_OR_RETURN(auto rows, Select(kNow));
    KESSAI_CHECK(rows.Next(), "SELECT NOW gives a row");
    return rows.At(0);
}

Status Session::Ping() {
    Impl& impl = *impl_;
    KESSAI_CHECK(!impl.streaming, "a session reads its streamed rows to their end first");
    if (!impl.failure.ok()) return impl.failure;
    return impl.Run("session.ping", Phase::kNothingStored, [&] {
        if (!impl.connection->isValid()) {
            throw sql::SQLException("the server does not answer", "HY000", 2006);
        }
    });
}

bool Session::in_transaction() const {
    return impl_->in_transaction;
}
bool Session::usable() const {
    return impl_->failure.ok();
}
const Status& Session::failure() const {
    return impl_->failure;
}
const ConnectOptions& Session::options() const {
    return impl_->options;
}
SteadyInstant Session::connected_at() const {
    return impl_->connected_at;
}

}  // namespace kessai::mysql
