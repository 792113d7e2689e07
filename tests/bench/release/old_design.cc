#include "bench/release/old_design.h"

#include <algorithm>
#include <cstdio>
#include <vector>

#include "app/parallel.h"
#include "bench/release/measured_payout.h"
#include "domain/release.h"
#include "kessai/mysql/transaction.h"

namespace kessai::bench {
namespace {

using payout::domain::MerchantId;
using payout::domain::MerchantSums;

constexpr std::string_view kReleases = "bench_old_design_release";
constexpr int kPageRows = 1'000;

constexpr mysql::Query kPage{"bench.old_design_page", R"sql(
    SELECT payment_id, version, tax_class, gross, fee
    FROM accrual FORCE INDEX (bench_by_merchant)
    WHERE business_date = ? AND merchant_id = ?
        AND (payment_id > ? OR (payment_id = ? AND version > ?))
    ORDER BY payment_id, version LIMIT ?)sql"};
constexpr mysql::Query kRelease{"bench.old_design_release", R"sql(
    INSERT INTO bench_old_design_release (business_date, merchant_id, tax_class, round, currency,
                                          gross, fee, tax, net, item_count) VALUES {rows})sql"};
constexpr mysql::Query kDifferent{"bench.old_design_different", R"sql(
    SELECT COUNT(*) FROM bench_old_design_release s LEFT JOIN merchant_release r
        ON r.business_date = s.business_date AND r.merchant_id = s.merchant_id
        AND r.tax_class = s.tax_class AND r.round = s.round AND r.gross = s.gross
        AND r.fee = s.fee AND r.tax = s.tax AND r.net = s.net AND r.item_count = s.item_count
    WHERE r.merchant_id IS NULL)sql"};

double SecondsSince(SteadyInstant start) {
    return std::chrono::duration<double>(SystemClock().SteadyNow() - start).count();
}

/// Reads one merchant page by page. Gives its sums by tax class.
Result<std::vector<MerchantSums>> ReadMerchant(mysql::Session& session, BusinessDate day,
                                               MerchantId merchant) {
    std::vector<MerchantSums> sums;
    std::int64_t payment = 0;
    std::int64_t version = 0;
    for (int rows_read = kPageRows; rows_read == kPageRows;) {
        KESSAI_ASSIGN_OR_RETURN(
            auto rows, session.Select(kPage, day, merchant, payment, payment, version, kPageRows));
        rows_read = 0;
        while (rows.Next()) {
            payment = rows.Int(0);
            version = rows.Int(1);
            const auto tax_class = static_cast<payout::domain::TaxClass>(rows.Int(2));
            auto known = std::find_if(sums.begin(), sums.end(), [&](const MerchantSums& part) {
                return part.tax_class == tax_class;
            });
            if (known == sums.end())
                known = sums.insert(sums.end(), MerchantSums{merchant, tax_class, {}});
            known->sums = known->sums + payout::domain::Sums{rows.Int(3), rows.Int(4), 1};
            ++rows_read;
        }
    }
    return sums;
}

Status ReleaseMerchant(mysql::Session& session, BusinessDate day, MerchantId merchant) {
    KESSAI_ASSIGN_OR_RETURN(const auto parts, ReadMerchant(session, day, merchant));
    mysql::RowList releases;
    for (const MerchantSums& part : parts) {
        KESSAI_ASSIGN_OR_RETURN(const auto line,
                                payout::domain::MakeReleaseLine(part, /*fees_before=*/0,
                                                                payout::domain::TaxTable::Japan()));
        const auto currency = payout::domain::kBookCurrency.code();
        releases.Add(day, merchant, static_cast<int>(line.tax_class), 0, currency, line.sums.gross,
                     line.sums.fee, line.tax, line.net, line.sums.item_count);
    }
    if (releases.empty()) return OkStatus();
    return internal::TakeStatus(session.Execute(kRelease, releases));
}

/// Merchants of even popularity ranks, but for the first.
std::vector<MerchantId> SampleOf(const GeneratedDay& day, std::int64_t size) {
    std::vector<MerchantId> merchants;
    const std::int64_t others = day.recipe().merchants - 1;
    size = std::min(size, others);
    for (std::int64_t i = 0; i < size; ++i) {
        merchants.push_back(day.MerchantAt(1 + i * others / size));
    }
    return merchants;
}

}  // namespace

double ExtrapolateOldDesign(const OldDesignSample& sample, std::int64_t accruals,
                            std::int64_t merchants, int workers) {
    const double per_accrual = sample.largest_seconds / static_cast<double>(std::max<std::int64_t>(
                                                            1, sample.largest_accruals));
    const double of_merchants =
        sample.seconds - per_accrual * static_cast<double>(sample.accruals) / workers;
    const double per_merchant = std::max(0.0, of_merchants) /
                                static_cast<double>(std::max<std::int64_t>(1, sample.merchants));
    const double all = per_merchant * static_cast<double>(merchants) +
                       per_accrual * static_cast<double>(accruals) / workers;
    return std::max(all, sample.largest_seconds);
}

Result<Contender> OldDesign::Run(const Contest& contest) {
    KESSAI_ASSIGN_OR_RETURN(auto session, contest.pool.Acquire(kSessionWithin));
    KESSAI_RETURN_IF_ERROR(MakeScratchTable(*session, std::string(kReleases), "merchant_release"));
    KESSAI_RETURN_IF_ERROR(
        RunSql(*session,
               "ALTER TABLE accrual ADD INDEX bench_by_merchant (business_date, merchant_id, "
               "payment_id, version)"));

    OldDesignSample sample;
    const auto release = [&](MerchantId merchant) {
        return mysql::InTransaction(contest.pool, {}, [&](mysql::Session& own) {
            return ReleaseMerchant(own, contest.day, merchant);
        });
    };
    const auto count = [&]() {
        return NumberOf(*session, "SELECT SUM(item_count) FROM " + std::string(kReleases));
    };
    SteadyInstant start = SystemClock().SteadyNow();
    KESSAI_RETURN_IF_ERROR(release(day_.MerchantAt(0)));
    sample.largest_seconds = SecondsSince(start);
    KESSAI_ASSIGN_OR_RETURN(sample.largest_accruals, count());

    const std::vector<MerchantId> merchants = SampleOf(day_, sample_);
    start = SystemClock().SteadyNow();
    KESSAI_RETURN_IF_ERROR(payout::app::RunInParallel(
        static_cast<int>(merchants.size()), contest.threads,
        [&](int i, int) -> Status { return release(merchants[static_cast<std::size_t>(i)]); }));
    sample.seconds = SecondsSince(start);
    sample.merchants = static_cast<std::int64_t>(merchants.size());
    KESSAI_ASSIGN_OR_RETURN(sample.accruals, count());
    sample.accruals -= sample.largest_accruals;

    Contender result{.name = std::string(name()),
                     .what = "merchant-keyed paging workers (the old design)",
                     .extrapolated = true};
    result.seconds =
        ExtrapolateOldDesign(sample, contest.accruals, contest.merchants, contest.threads);
    char note[256];
    std::snprintf(
        note, sizeof(note),
        "%lld merchants with %lld accruals took %.2f s, the largest with %lld took %.2f s",
        static_cast<long long>(sample.merchants), static_cast<long long>(sample.accruals),
        sample.seconds, static_cast<long long>(sample.largest_accruals), sample.largest_seconds);
    result.note = note;
    KESSAI_ASSIGN_OR_RETURN(auto different, session->Select(kDifferent));
    result.equal = different.Next() && different.Int(0) == 0;
    KESSAI_RETURN_IF_ERROR(RunSql(*session, "ALTER TABLE accrual DROP INDEX bench_by_merchant"));
    KESSAI_RETURN_IF_ERROR(RunSql(*session, "DROP TABLE " + std::string(kReleases)));
    return result;
}

}  // namespace kessai::bench
