#include "storage/mysql_books.h"

#include <string>
#include <utility>

#include "kessai/lease/lease_table.h"
#include "kessai/mysql/transaction.h"
#include "kessai/time/business_date.h"

namespace kessai::reconciliation::storage {

namespace {

/// A run renews its lease at every bucket. Should a bucket take longer, the run goes on unless
/// another replica has taken it over meanwhile; after a kill another replica waits so long.
constexpr Duration kRunLease = std::chrono::seconds(30);
constexpr Duration kAcquireTimeout = std::chrono::seconds(2);

class MysqlRunLease final : public app::RunLease {
 public:
    MysqlRunLease(mysql::Pool& pool, const Clock& clock, lease::Grant grant)
        : pool_(pool), clock_(clock), grant_(std::move(grant)) {}

    ~MysqlRunLease() override {
        // If it cannot be given back it ends by itself.
        if (auto session = pool_.Acquire(kAcquireTimeout); session.ok()) {
            (void)lease::Release(**session, grant_);
        }
    }

    app::RunGrant grant() const override { return {grant_.name, grant_.owner, grant_.fence}; }

    Status Renew() override {
        KESSAI_ASSIGN_OR_RETURN(const auto session, pool_.Acquire(kAcquireTimeout));
        return lease::Renew(*session, grant_, kRunLease, clock_);
    }

 private:
    mysql::Pool& pool_;
    const Clock& clock_;
    lease::Grant grant_;
};

}  // namespace

Status MysqlTransactions::Run(const std::function<Status(app::Books&)>& work) {
    mysql::RetryPolicy policy;
    policy.rerun_unknown = true;
    return mysql::InTransaction(pool_, policy, [&](mysql::Session& session) {
        MysqlBooks books(session, ids_, clock_, chain_);
        return work(books.books());
    });
}

Result<std::unique_ptr<app::RunLease>> MysqlRunLeases::TryAcquire(BusinessDate business_date) {
    KESSAI_ASSIGN_OR_RETURN(const auto session, pool_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(auto grant,
                            lease::TryAcquire(*session, "day_run/" + business_date.ToString(),
                                              lease::NewOwner(), kRunLease, clock_));
    if (!grant) return std::unique_ptr<app::RunLease>();
    return std::unique_ptr<app::RunLease>(
        std::make_unique<MysqlRunLease>(pool_, clock_, std::move(*grant)));
}

Status StoreDeadLetters(mysql::Session& session, std::span<const outbox::Entry> entries,
                        const lease::LeasedIds& ids, const Clock& clock) {
    KESSAI_ASSIGN_OR_RETURN(const auto generator, ids.Current());
    outbox::BatchWriter writer;
    for (const auto& entry : entries) KESSAI_RETURN_IF_ERROR(writer.Add(entry));
    // Dead letters belong to no day of ours; today's is as good as any.
    KESSAI_RETURN_IF_ERROR(
        writer.Store(session, generator->Next(), BusinessDate::OfJst(clock.Now())));
    return ids.Confirm(*generator);
}

}  // namespace kessai::reconciliation::storage
