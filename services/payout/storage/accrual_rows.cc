#include "storage/accrual_rows.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "kessai/event/bucket.h"
#include "storage/row_mapping.h"

namespace kessai::payout::storage {
namespace {

constexpr mysql::Query kInsertUsual{"accrual.insert_usual", R"sql(
    INSERT INTO accrual (business_date, bucket, payment_id, version, merchant_id, kind, tax_class,
                         currency, gross, fee, plan_id, plan_version, event_id, recorded_at_us,
                         content_hash)
    VALUES {rows})sql"};
constexpr mysql::Query kInsertOthers{
    "accrual.insert", "INSERT INTO accrual (" KESSAI_ACCRUAL_COLUMNS ") VALUES {rows}"};
// Without what all rows of a file have in common.
constexpr mysql::BulkTarget kLoadUsual{
    "accrual.load_usual", "accrual",
    "bucket, payment_id, version, merchant_id, kind, tax_class, gross, fee, plan_id, plan_version, "
    "event_id, content_hash"};

/// What an accrual says of its payment, where it is not the default.
struct OfThePayment {
    std::optional<std::int64_t> captured_total;
    std::optional<std::int64_t> refunded_before;
    std::optional<BusinessDate> payment_date;

    explicit OfThePayment(const domain::Accrual& accrual) {
        if (accrual.captured_total != Magnitude(accrual.gross)) {
            captured_total = accrual.captured_total;
        }
        if (accrual.refunded_before != 0) refunded_before = accrual.refunded_before;
        if (accrual.payment_date != accrual.business_date) payment_date = accrual.payment_date;
    }
    bool is_default() const { return !captured_total && !refunded_before && !payment_date; }
};

template <class... OfPayment>
void AddLiterals(mysql::RowList& rows, const domain::Accrual& accrual, Instant recorded_at,
                 const OfPayment&... of_the_payment) {
    rows.Add(accrual.business_date, event::BucketOf(accrual.key.payment.value()),
             accrual.key.payment, accrual.key.version, accrual.merchant,
             static_cast<int>(accrual.kind), static_cast<int>(accrual.tax_class),
             accrual.currency.code(), accrual.gross, accrual.fee, of_the_payment..., accrual.plan,
             accrual.plan_version, accrual.event, recorded_at, AsBytes(accrual.content_hash));
}

bool AreAlike(const domain::Accrual& a, const domain::Accrual& b) {
    return a.business_date == b.business_date && a.currency == b.currency;
}

// From so many rows on a file costs the server less than literals and fewer round trips do.
constexpr std::size_t kFileRowsMin = 200;

}  // namespace

Status AccrualRows::StoreFile(Accruals accruals) {
    const domain::Accrual& first = *accruals.front();
    mysql::BulkRows rows = session_.NewBulkRows();
    rows.SetCommon("business_date", first.business_date);
    rows.SetCommon("currency", first.currency.code());
    rows.SetCommon("recorded_at_us", recorded_at_);
    for (const domain::Accrual* accrual : accruals) {
        rows.Add(event::BucketOf(accrual->key.payment.value()), accrual->key.payment,
                 accrual->key.version, accrual->merchant, static_cast<int>(accrual->kind),
                 static_cast<int>(accrual->tax_class), accrual->gross, accrual->fee, accrual->plan,
                 accrual->plan_version, accrual->event, AsBytes(accrual->content_hash));
    }
    return session_.StoreBulk(kLoadUsual, rows);
}

Status AccrualRows::Store(Accruals accruals, mysql::StatementBatch& statements) {
    mysql::RowList others;
    std::vector<const domain::Accrual*> usual;
    usual.reserve(accruals.size());
    for (const domain::Accrual* accrual : accruals) {
        const OfThePayment of_the_payment(*accrual);
        if (of_the_payment.is_default()) {
            usual.push_back(accrual);
        } else {
            AddLiterals(others, *accrual, recorded_at_, of_the_payment.captured_total,
                        of_the_payment.refunded_before, of_the_payment.payment_date);
        }
    }
    const bool takes_files = session_.NewBulkRows().form() == mysql::BulkRows::Form::kFile;
    mysql::RowList literals;
    for (Accruals rest = usual; !rest.empty();) {
        const auto end = std::ranges::find_if(rest, [&](const domain::Accrual* accrual) {
            return !AreAlike(*accrual, *rest.front());
        });
        const Accruals alike = rest.first(static_cast<std::size_t>(end - rest.begin()));
        rest = rest.subspan(alike.size());
        if (takes_files && alike.size() >= kFileRowsMin) {
            KESSAI_RETURN_IF_ERROR(StoreFile(alike));
            continue;
        }
        for (const domain::Accrual* accrual : alike) {
            AddLiterals(literals, *accrual, recorded_at_);
        }
    }
    if (!literals.empty()) KESSAI_RETURN_IF_ERROR(statements.Add(kInsertUsual, literals));
    if (!others.empty()) KESSAI_RETURN_IF_ERROR(statements.Add(kInsertOthers, others));
    return OkStatus();
}

}  // namespace kessai::payout::storage
