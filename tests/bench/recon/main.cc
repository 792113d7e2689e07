// kessai-recon-books: makes the books of a day that are then compared. See README.md.
//
// It finds the schemas in its environment, as mysql://user:password@host:port/schema:
// KESSAI_BOOKS_PAYMENT, KESSAI_BOOKS_PAYOUT and KESSAI_BOOKS_RECONCILIATION, and the key of the
// digests in KESSAI_BOOKS_DIGEST_KEY; for `path` a schema of its own in KESSAI_BOOKS_PATH, and
// Kafka's address in KESSAI_BOOKS_BROKERS.

#include <cstdio>
#include <cstdlib>
#include <string>

#include "bench/recon/bulk_books.h"
#include "bench/recon/digest_cost.h"
#include "bench/recon/live_books.h"
#include "bench/recon/upkeep.h"
#include "kessai/mysql/session.h"
#include "load/arguments.h"

namespace kessai::bench {
namespace {

constexpr char kUsage[] =
    "kessai-recon-books bulk --day YYYY-MM-DD: a closed day, straight into the tables\n"
    "    --payments N --merchants M    (10000000, 100000)\n"
    "    --threads N --seed N          (2, 1)\n"
    "kessai-recon-books live --first-merchant ID: trade of the open day, by payment's executor\n"
    "    --payments N --merchants M    (200000, 20)\n"
    "    --seed N                      (1)\n"
    "kessai-recon-books upkeep: what its writers do to the digest of a day, alone\n"
    "    --rows N --batch N            (1000000, 1000)\n"
    "    --writers N                   that share the buckets out (12)\n"
    "kessai-recon-books path --digests yes|no: payment's path to its topic, with its digest or "
    "without\n"
    "    --payments N --merchants M    (100000, 1000)\n"
    "    --topic NAME --partitions N   that nobody reads\n"
    "    --seed N                      (1); another one each time\n";

int Fail(const Status& status) {
    std::fprintf(stderr, "kessai-recon-books: %s\n", status.ToString().c_str());
    return status.reason() == "ARGUMENT_INVALID" ? 2 : 1;
}

Status Refused(const std::string& what) {
    return Status(Code::kInvalidArgument, "ARGUMENT_INVALID", what);
}

Result<std::string> Variable(const std::string& name) {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return Refused(name + " is not set");
    return std::string(value);
}

Result<mysql::ConnectOptions> SchemaOf(const std::string& service) {
    KESSAI_ASSIGN_OR_RETURN(const std::string url, Variable("KESSAI_BOOKS_" + service));
    return mysql::ConnectOptions::Parse(url);
}

Result<BooksFacts> Bulk(load::Arguments& arguments) {
    BooksRecipe recipe;
    const std::string day = arguments.Text("--day");
    recipe.payments = arguments.Integer("--payments", recipe.payments, 1, 1'000'000'000);
    recipe.merchants = arguments.Integer("--merchants", recipe.merchants, 1, 500'000'000);
    recipe.seed = static_cast<std::uint64_t>(arguments.Integer("--seed", 1, 0, 1'000'000'000));
    const auto threads = static_cast<int>(arguments.Integer("--threads", 2, 1, 64));
    KESSAI_RETURN_IF_ERROR(arguments.Finish());
    KESSAI_ASSIGN_OR_RETURN(recipe.day, BusinessDate::Parse(day));
    BookSchemas schemas;
    KESSAI_ASSIGN_OR_RETURN(schemas.payment, SchemaOf("PAYMENT"));
    KESSAI_ASSIGN_OR_RETURN(schemas.payout, SchemaOf("PAYOUT"));
    KESSAI_ASSIGN_OR_RETURN(schemas.reconciliation, SchemaOf("RECONCILIATION"));
    KESSAI_ASSIGN_OR_RETURN(const std::string key, Variable("KESSAI_BOOKS_DIGEST_KEY"));
    KESSAI_ASSIGN_OR_RETURN(const auto hasher, digest::RowHasher::FromHex(key));
    return LoadBooks(schemas, recipe, hasher, threads);
}

Result<TradeFacts> Live(load::Arguments& arguments) {
    TradeRecipe recipe;
    recipe.payments = arguments.Integer("--payments", recipe.payments, 1, 100'000'000);
    recipe.first_merchant = arguments.Integer("--first-merchant", 0, 1, 1'000'000'000'000);
    recipe.merchants = arguments.Integer("--merchants", recipe.merchants, 1, 1'000'000);
    recipe.seed = static_cast<std::uint64_t>(arguments.Integer("--seed", 1, 0, 1'000'000));
    KESSAI_RETURN_IF_ERROR(arguments.Finish());
    if (recipe.first_merchant == 0) return Refused("--first-merchant: say whose payments");
    KESSAI_ASSIGN_OR_RETURN(const auto payment, SchemaOf("PAYMENT"));
    return Trade(payment, recipe);
}

Result<Upkeep> KeepThem(load::Arguments& arguments) {
    UpkeepRecipe recipe;
    recipe.rows = arguments.Integer("--rows", recipe.rows, 1, 1'000'000'000);
    recipe.batch = arguments.Integer("--batch", recipe.batch, 1, 100'000);
    recipe.writers = static_cast<int>(arguments.Integer("--writers", recipe.writers, 1, 1'024));
    KESSAI_RETURN_IF_ERROR(arguments.Finish());
    KESSAI_ASSIGN_OR_RETURN(const auto connect, SchemaOf("RECONCILIATION"));
    KESSAI_ASSIGN_OR_RETURN(const std::string key, Variable("KESSAI_BOOKS_DIGEST_KEY"));
    KESSAI_ASSIGN_OR_RETURN(const auto hasher, digest::RowHasher::FromHex(key));
    return KeepDigests(connect, recipe, hasher);
}

Result<DigestCost> Path(load::Arguments& arguments) {
    DigestCostRecipe recipe;
    const std::string digests = arguments.Text("--digests");
    recipe.payments = arguments.Integer("--payments", recipe.payments, 1, 100'000'000);
    recipe.merchants = arguments.Integer("--merchants", recipe.merchants, 1, 1'000'000);
    recipe.seed = static_cast<std::uint64_t>(arguments.Integer("--seed", 1, 0, 1'000'000));
    recipe.topic = arguments.Text("--topic");
    recipe.partitions = static_cast<int>(arguments.Integer("--partitions", 0, 1, 1'000));
    KESSAI_RETURN_IF_ERROR(arguments.Finish());
    if (digests != "yes" && digests != "no") return Refused("--digests: yes or no");
    recipe.keeps_digests = digests == "yes";
    KESSAI_ASSIGN_OR_RETURN(const auto connect, SchemaOf("PATH"));
    KESSAI_ASSIGN_OR_RETURN(recipe.brokers, Variable("KESSAI_BOOKS_BROKERS"));
    KESSAI_ASSIGN_OR_RETURN(const std::string key, Variable("KESSAI_BOOKS_DIGEST_KEY"));
    KESSAI_ASSIGN_OR_RETURN(const auto hasher, digest::RowHasher::FromHex(key));
    return TradeAndPublish(connect, recipe, hasher);
}

int Main(int count, char** values) {
    load::Arguments arguments(count, values);
    if (arguments.Flag("--help")) {
        std::fputs(kUsage, stdout);
        return 0;
    }
    const std::string word = arguments.Word();
    if (word == "live") {
        const auto facts = Live(arguments);
        if (!facts.ok()) return Fail(facts.status());
        std::printf("%lld payments, %lld cancelled, %lld refunded\n",
                    static_cast<long long>(facts->payments),
                    static_cast<long long>(facts->canceled),
                    static_cast<long long>(facts->refunded));
        return 0;
    }
    if (word == "upkeep") {
        const auto upkeep = KeepThem(arguments);
        if (!upkeep.ok()) return Fail(upkeep.status());
        std::printf("%lld rows, %.6f s of processor time here\n",
                    static_cast<long long>(upkeep->rows), upkeep->client_cpu_seconds);
        return 0;
    }
    if (word == "path") {
        const auto cost = Path(arguments);
        if (!cost.ok()) return Fail(cost.status());
        std::printf("%lld changes, %.6f s, %.6f s of processor time here\n",
                    static_cast<long long>(cost->changes), cost->seconds, cost->cpu_seconds);
        return 0;
    }
    if (word != "bulk") return Fail(Refused("say what to make; --help tells"));
    const auto facts = Bulk(arguments);
    if (!facts.ok()) return Fail(facts.status());
    std::printf("%lld changes\n", static_cast<long long>(facts->changes));
    return 0;
}

}  // namespace
}  // namespace kessai::bench

int main(int count, char** values) {
    return kessai::bench::Main(count, values);
}
