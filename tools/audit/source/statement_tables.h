#pragma once

#include "kessai/mysql/session.h"
#include "kessai/result/result.h"
#include "model/statement_rows.h"

// The tables of issued statements, as `Paged` reads them.
namespace kessai::audit {

/// By (cycle, merchant, version).
struct StatementTable {
    using Row = StatementRow;
    Result<mysql::Rows> Fetch(mysql::Session& session, const Row* after, int limit) const;
    void Read(const mysql::Rows& from, Row& row) const;
};

/// By (cycle, merchant, version, format). The server looks at the files' content, which may be
/// large.
struct StatementFileTable {
    using Row = StatementFileRow;
    Result<mysql::Rows> Fetch(mysql::Session& session, const Row* after, int limit) const;
    void Read(const mysql::Rows& from, Row& row) const;
};

/// Whether there is any statement, or a file of one.
Result<bool> HasStatements(mysql::Session& session);

}  // namespace kessai::audit
