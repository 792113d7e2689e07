#include <optional>

#include "kessai/mysql/error.h"
#include "kessai/mysql/session.h"
#include "kessai/result/check.h"
#include "memory_file.h"
#include "session_impl.h"

namespace kessai::mysql {
namespace {

void RenderLoad(const BulkTarget& target, const BulkRows& rows, const std::string& path,
                std::string& sql) {
    sql = "LOAD DATA LOCAL INFILE '" + path + "' INTO TABLE ";
    sql += target.table;
    // Bytes as they are; without it the schema's character set decides.
    sql += " CHARACTER SET binary (";
    sql += target.columns;
    sql += ')';
    if (rows.common_settings().empty()) return;
    sql += " SET ";
    sql += rows.common_settings();
}

void RenderInsert(const BulkTarget& target, const BulkRows& rows, std::string& sql) {
    sql = "INSERT INTO ";
    sql += target.table;
    sql += " (";
    sql += target.columns;
    sql += rows.common_columns();
    sql += ") VALUES ";
    sql += rows.text();
}

std::string NumberOf(std::uint64_t number, std::string_view what) {
    return std::to_string(number) + " " + std::string(what);
}

}  // namespace

BulkRows Session::NewBulkRows() const {
    return BulkRows(impl_->loads_files ? BulkRows::Form::kFile : BulkRows::Form::kStatement);
}

Status Session::StoreBulk(const BulkTarget& target, const BulkRows& rows) {
    Impl& impl = *impl_;
    KESSAI_CHECK(impl.in_transaction, "rows that were refused half-way are rolled back");
    if (rows.empty()) return {};
    const std::string name(target.name);
    if (!rows.text_is_utf8()) {
        return Status(Code::kInvalidArgument, reason::kTextNotUtf8, name + ": a text is not UTF-8");
    }
    KESSAI_RETURN_IF_ERROR(impl.Prepare());
    std::string& sql = *impl.buffer.operator->();
    std::optional<MemoryFile> file;
    if (rows.form() == BulkRows::Form::kFile) {
        file.emplace();
        if (!file->Write(rows.text())) {
            return Status(Code::kUnavailable, reason::kServerExhausted,
                          name + ": no memory for the file of " + NumberOf(rows.size(), "rows"));
        }
        RenderLoad(target, rows, file->path(), sql);
    } else {
        RenderInsert(target, rows, sql);
        KESSAI_RETURN_IF_ERROR(impl.CheckSize(target.name, sql.size()));
    }

    std::uint64_t affected = 0;
    std::string warning;
    KESSAI_RETURN_IF_ERROR(impl.Run(target.name, Phase::kNothingStored, [&] {
        impl.statement->execute(impl.buffer);
        affected = impl.statement->getUpdateCount();
        // A statement is strict. A file from the client is not: a key that is there is skipped, and
        // a value that does not fit is made to, with a warning each.
        if (!file) return;
        const std::unique_ptr<sql::ResultSet> warnings(
            impl.statement->executeQuery("SHOW WARNINGS LIMIT 1"));
        if (warnings->next()) warning = *warnings->getString(3).operator->();
    }));
    if (affected < rows.size()) {
        return Status(Code::kAlreadyExists, reason::kDuplicateKey,
                      name + ": of " + NumberOf(rows.size(), "rows ") +
                          NumberOf(affected, "were stored: ") + warning);
    }
    if (!warning.empty()) {
        return Status(Code::kInternal, reason::kValueChanged, name + ": " + warning);
    }
    return {};
}

}  // namespace kessai::mysql
