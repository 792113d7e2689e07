#include "bench/release/contender.h"

#include <vector>

#include "kessai/mysql/query.h"

namespace kessai::bench {
namespace {

/// One number for a row; CRC-32 overlooks one difference of four thousand million.
std::string HashOf(const std::string& columns) {
    return "SUM(CRC32(CONCAT_WS(',', " + columns + ")))";
}

/// Count, sums and a sum of hashes, as texts.
Result<std::vector<std::string>> Fingerprint(mysql::Session& session, const std::string& table,
                                             BusinessDate day) {
    const std::vector<std::string> columns{
        "COUNT(*)",
        "SUM(gross)",
        "SUM(fee)",
        "SUM(tax)",
        "SUM(net)",
        "SUM(item_count)",
        HashOf("merchant_id, tax_class, currency, gross, fee, tax, net, round, item_count")};
    std::string list;
    for (const std::string& column : columns) list += (list.empty() ? "" : ", ") + column;
    const std::string sql =
        "SELECT " + list + " FROM " + table + " WHERE business_date = '" + day.ToString() + "'";
    KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(mysql::Query{"bench.fingerprint", sql}));
    std::vector<std::string> texts;
    if (!rows.Next()) return texts;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        texts.push_back(rows.OptionalText(static_cast<int>(i)).value_or("none"));
    }
    return texts;
}

}  // namespace

Status RunSql(mysql::Session& session, const std::string& sql) {
    return internal::TakeStatus(session.Execute(mysql::Query{"bench.run", sql}));
}

Result<std::int64_t> NumberOf(mysql::Session& session, const std::string& sql) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(mysql::Query{"bench.number", sql}));
    return rows.Next() && !rows.IsNull(0) ? rows.Int(0) : 0;
}

Status MakeScratchTable(mysql::Session& session, const std::string& name, const std::string& like) {
    KESSAI_RETURN_IF_ERROR(RunSql(session, "DROP TABLE IF EXISTS " + name));
    return RunSql(session, "CREATE TABLE " + name + " LIKE " + like);
}

Result<bool> HoldTheSame(mysql::Session& session, BusinessDate day, const std::string& releases) {
    KESSAI_ASSIGN_OR_RETURN(const auto real, Fingerprint(session, "merchant_release", day));
    KESSAI_ASSIGN_OR_RETURN(const auto theirs, Fingerprint(session, releases, day));
    return real == theirs;
}

}  // namespace kessai::bench
