#include "kessai/mysql/scan_session.h"

#include <mysql.h>

#include <string_view>
#include <vector>

#include "kessai/mysql/error.h"
#include "kessai/result/check.h"
#include "session_settings.h"

namespace kessai::mysql {
namespace {

constexpr std::size_t kRowsPerBlock = 512;

struct CloseConnection {
    void operator()(MYSQL* connection) const { ::mysql_close(connection); }
};
struct CloseStatement {
    void operator()(MYSQL_STMT* statement) const { ::mysql_stmt_close(statement); }
};
struct FreeResult {
    void operator()(MYSQL_RES* result) const { ::mysql_free_result(result); }
};
using Connection = std::unique_ptr<MYSQL, CloseConnection>;
using Statement = std::unique_ptr<MYSQL_STMT, CloseStatement>;

bool IsInteger(enum_field_types type) {
    return type == MYSQL_TYPE_TINY || type == MYSQL_TYPE_SHORT || type == MYSQL_TYPE_INT24 ||
           type == MYSQL_TYPE_LONG || type == MYSQL_TYPE_LONGLONG;
}

void SetSeconds(MYSQL* connection, mysql_option option, Duration duration) {
    const auto seconds = static_cast<unsigned>(WholeSeconds(duration));
    ::mysql_options(connection, option, &seconds);
}

void SetOptions(MYSQL* connection, const ConnectOptions& options) {
    SetSeconds(connection, MYSQL_OPT_CONNECT_TIMEOUT, options.connect_timeout);
    SetSeconds(connection, MYSQL_OPT_READ_TIMEOUT, ReadTimeout(options));
    SetSeconds(connection, MYSQL_OPT_WRITE_TIMEOUT, options.write_timeout);
    ::mysql_options(connection, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    const unsigned no_files = 0;
    ::mysql_options(connection, MYSQL_OPT_LOCAL_INFILE, &no_files);
    if (options.tls_ca_file.empty()) return;
    const my_bool yes = 1;
    ::mysql_options(connection, MYSQL_OPT_SSL_CA, options.tls_ca_file.c_str());
    ::mysql_options(connection, MYSQL_OPT_SSL_ENFORCE, &yes);
    ::mysql_options(connection, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &yes);
}

[[noreturn]] void Broken(std::string_view query, std::size_t column, const char* what) {
    CheckFailed("a result is read as its query gives it",
                "query " + std::string(query) + ", column " + std::to_string(column) + ": " + what,
                __FILE__, __LINE__);
}

/// Where the client library puts one row.
class RowBuffer {
 public:
    RowBuffer(std::string_view query, MYSQL_STMT* statement)
        : query_(query), columns_(::mysql_stmt_field_count(statement)) {
        cells_.resize(columns_);
        nulls_.resize(columns_);
        errors_.resize(columns_);
        binds_.resize(columns_);
        const std::unique_ptr<MYSQL_RES, FreeResult> metadata(
            ::mysql_stmt_result_metadata(statement));
        for (std::size_t i = 0; i < columns_; ++i) {
            const MYSQL_FIELD* field =
                ::mysql_fetch_field_direct(metadata.get(), static_cast<unsigned>(i));
            if (!IsInteger(field->type)) Broken(query, i, "is not an integer");
            binds_[i].buffer_type = MYSQL_TYPE_LONGLONG;
            binds_[i].buffer = &cells_[i];
            binds_[i].is_null = &nulls_[i];
            binds_[i].error = &errors_[i];
        }
    }
    MYSQL_BIND* binds() { return binds_.data(); }
    std::size_t columns() const { return columns_; }

    void AppendTo(std::vector<std::int64_t>& block) const {
        for (std::size_t i = 0; i < columns_; ++i) {
            if (nulls_[i] != 0) [[unlikely]]
                Broken(query_, i, "is NULL");
            block.push_back(cells_[i]);
        }
    }
    [[noreturn]] void ReportTruncation() const {
        std::size_t column = 0;
        while (column + 1 < columns_ && errors_[column] == 0) ++column;
        Broken(query_, column, "does not fit 64 signed bits");
    }

 private:
    const std::string_view query_;
    const std::size_t columns_;
    std::vector<std::int64_t> cells_;
    std::vector<my_bool> nulls_;
    std::vector<my_bool> errors_;
    std::vector<MYSQL_BIND> binds_;
};

}  // namespace

struct ScanSession::Impl {
    Connection connection;
    const Clock* clock = nullptr;
    QueryObserver* observer = nullptr;
    std::string sql;
    /// Why it cannot be used any more.
    Status failure;

    Status Refused(std::string_view name, unsigned number, const char* message) {
        Status status = ClassifyError(static_cast<int>(number), message, Phase::kNothingStored)
                            .WithContext(name);
        if (status.code() == Code::kUnavailable) failure = status;
        return status;
    }
    Status Refused(std::string_view name) {
        return Refused(name, ::mysql_errno(connection.get()), ::mysql_error(connection.get()));
    }

    Status Open(const ConnectOptions& options) {
        ConnectorDriver();
        connection.reset(::mysql_init(nullptr));
        KESSAI_CHECK(connection != nullptr, "there is memory for a connection");
        SetOptions(connection.get(), options);
        if (::mysql_real_connect(connection.get(), options.host.c_str(), options.user.c_str(),
                                 options.password.c_str(), options.schema.c_str(),
                                 static_cast<unsigned>(options.port), nullptr, 0) == nullptr) {
            return Refused("scan.connect");
        }
        // The client library is asked to insist on TLS; what counts is what came of it.
        if (!options.tls_ca_file.empty() && ::mysql_get_ssl_cipher(connection.get()) == nullptr) {
            return Refused("scan.connect", 2026, "the connection is not encrypted");
        }
        for (const std::string& settings :
             {std::string(kIsolationStatement), SettingsStatement(options)}) {
            if (::mysql_real_query(connection.get(), settings.data(), settings.size()) != 0) {
                return Refused("scan.connect");
            }
        }
        return {};
    }

    Status Run(const Query& query, const TakeCells& take) {
        const Statement statement(::mysql_stmt_init(connection.get()));
        KESSAI_CHECK(statement != nullptr, "there is memory for a statement");
        const auto refused = [&] {
            return Refused(query.name, ::mysql_stmt_errno(statement.get()),
                           ::mysql_stmt_error(statement.get()));
        };
        if (::mysql_stmt_prepare(statement.get(), sql.data(), sql.size()) != 0) return refused();
        if (::mysql_stmt_field_count(statement.get()) == 0) {
            return Status(Code::kInternal, reason::kQueryMalformed,
                          "query " + std::string(query.name) + ": gives no rows");
        }
        RowBuffer row(query.name, statement.get());
        if (::mysql_stmt_execute(statement.get()) != 0) return refused();
        if (::mysql_stmt_bind_result(statement.get(), row.binds()) != 0) return refused();

        const std::size_t full = kRowsPerBlock * row.columns();
        std::vector<std::int64_t> block;
        block.reserve(full);
        int outcome = 0;
        while ((outcome = ::mysql_stmt_fetch(statement.get())) == 0) {
            row.AppendTo(block);
            if (block.size() < full) continue;
            take(block);
            block.clear();
        }
        if (outcome == MYSQL_DATA_TRUNCATED) row.ReportTruncation();
        if (outcome != MYSQL_NO_DATA) return refused();
        if (!block.empty()) take(block);
        return {};
    }

    Status RunTexts(const Query& query, const TakeTexts& take) {
        if (::mysql_real_query(connection.get(), sql.data(), sql.size()) != 0) {
            return Refused(query.name);
        }
        const std::unique_ptr<MYSQL_RES, FreeResult> result(::mysql_store_result(connection.get()));
        if (result == nullptr) {
            if (::mysql_errno(connection.get()) != 0) return Refused(query.name);
            return Status(Code::kInternal, reason::kQueryMalformed,
                          "query " + std::string(query.name) + ": gives no rows");
        }
        std::vector<std::string_view> cells(::mysql_num_fields(result.get()));
        while (MYSQL_ROW row = ::mysql_fetch_row(result.get())) {
            const unsigned long* const lengths = ::mysql_fetch_lengths(result.get());
            for (std::size_t i = 0; i < cells.size(); ++i) {
                cells[i] =
                    row[i] == nullptr ? std::string_view() : std::string_view(row[i], lengths[i]);
            }
            KESSAI_RETURN_IF_ERROR(take(cells));
        }
        return {};
    }

    template <class F>
    Status Observed(std::string_view name, F&& call) {
        const SteadyInstant begin = clock->SteadyNow();
        Status status = call();
        if (observer != nullptr) {
            observer->OnQuery(
                name, std::chrono::duration_cast<Duration>(clock->SteadyNow() - begin), status);
        }
        return status;
    }
};

ScanSession::ScanSession(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ScanSession::~ScanSession() = default;

Result<std::unique_ptr<ScanSession>> ScanSession::Connect(const ConnectOptions& options,
                                                          const Clock& clock,
                                                          QueryObserver* observer) {
    auto impl = std::make_unique<Impl>();
    impl->clock = &clock;
    impl->observer = observer;
    KESSAI_RETURN_IF_ERROR(impl->Observed("session.connect", [&] { return impl->Open(options); }));
    return std::unique_ptr<ScanSession>(new ScanSession(std::move(impl)));
}

Status ScanSession::ScanRendered(const Query& query, std::span<const Argument> arguments,
                                 const TakeCells& take) {
    Impl& impl = *impl_;
    if (!impl.failure.ok()) return impl.failure;
    impl.sql.clear();
    KESSAI_RETURN_IF_ERROR(Render(query, arguments, impl.sql));
    if (impl.observer != nullptr) impl.observer->OnSelect(query.name, impl.sql);
    return impl.Observed(query.name, [&] { return impl.Run(query, take); });
}

Status ScanSession::ReadTextsRendered(const Query& query, std::span<const Argument> arguments,
                                      const TakeTexts& take) {
    Impl& impl = *impl_;
    if (!impl.failure.ok()) return impl.failure;
    impl.sql.clear();
    KESSAI_RETURN_IF_ERROR(Render(query, arguments, impl.sql));
    if (impl.observer != nullptr) impl.observer->OnSelect(query.name, impl.sql);
    return impl.Observed(query.name, [&] { return impl.RunTexts(query, take); });
}

}  // namespace kessai::mysql
