#pragma once

#include <memory>

#include "app/file_books.h"
#include "kessai/lease/leased_ids.h"
#include "kessai/mysql/pool.h"
#include "kessai/mysql/session.h"
#include "kessai/time/clock.h"

namespace kessai::reconciliation::storage {

/// What is kept of merchants' files in MySQL, and their events in the outbox, in the transaction
/// that is open on `session`. Where ids are given also UNAVAILABLE WORKER_NUMBER_NOT_HELD.
class MysqlFileBooks final : public app::FileBooks {
 public:
    /// `ids` must outlive it.
    MysqlFileBooks(mysql::Session& session, const lease::LeasedIds& ids)
        : session_(session), ids_(ids) {}

    Result<std::vector<domain::FileTemplate>> ListTemplates(std::string_view after,
                                                            int limit) override;
    Result<domain::FileTemplate> FindTemplate(std::string_view name,
                                              std::uint32_t version) override;
    Result<std::optional<domain::FileTemplate>> LockTemplate(std::string_view name) override;
    Status InsertTemplate(const domain::FileTemplate& version) override;
    Status UpdateTemplate(const domain::FileTemplate& latest) override;

    Result<domain::FileAssignments> Assignments(std::string_view name) override;
    Result<std::optional<BusinessDate>> ScheduledSince(std::string_view name) override;
    Result<std::vector<domain::FileAssignment>> ListAssignments(
        std::string_view name, std::optional<domain::MerchantId> after, int limit) override;
    Result<std::vector<domain::FileAssignment>> FindAssignments(
        std::string_view name, std::span<const domain::MerchantId> merchants) override;
    Status PutAssignments(std::string_view name,
                          std::span<const domain::FileAssignment> assignments) override;

    Result<bool> IsDayClosed(BusinessDate date) override;
    Result<std::optional<BusinessDate>> FirstClosedDay() override;
    Result<std::vector<BusinessDate>> DaysToNote(int limit) override;
    Status NoteMerchantsOf(BusinessDate date) override;
    Result<std::vector<domain::MerchantId>> KnownMerchants(BusinessDate through) override;

    Result<domain::FileRunId> InsertRun(const domain::FileRun& run) override;
    Result<domain::FileRun> FindRun(domain::FileRunId id) override;
    Result<domain::FileRun> LockRun(domain::FileRunId id) override;
    Status UpdateRun(const domain::FileRun& run) override;
    Status AddProgress(domain::FileRunId id, const domain::FileRunProgress& more) override;
    Result<std::vector<domain::FileRun>> ListRuns(const app::FileRunFilter& filter) override;
    Result<std::optional<domain::FileRun>> LockLatestRun(std::string_view name,
                                                         BusinessDate date) override;
    Result<std::optional<domain::FileRun>> LockUnfinishedRun(std::string_view name,
                                                             BusinessDate date) override;
    Result<std::vector<domain::FileRunId>> ListDueRuns(Instant now, int limit) override;
    Result<std::int64_t> CountUnfinishedRuns() override;
    Status Confirm(const app::RunGrant& grant) override;

    Result<std::vector<domain::MerchantId>> MerchantsDone(domain::FileRunId id) override;
    Result<bool> IsNoted(domain::FileRunId id, domain::MerchantId merchant) override;
    Result<std::vector<domain::RunMerchant>> RefusedMerchants(domain::FileRunId id,
                                                              int limit) override;
    Status InsertMerchants(domain::FileRunId id,
                           std::span<const domain::RunMerchant> merchants) override;
    Status NoteToSweep(domain::FileRunId id) override;
    Result<std::vector<domain::FileRun>> ListToSweep(int limit) override;
    Status ForgetToSweep(domain::FileRunId id) override;
    Result<std::set<std::string>> KeysOf(const domain::FileRun& run,
                                         std::span<const domain::MerchantId> merchants) override;
    Result<std::uint64_t> ForgetMerchants(domain::FileRunId id, int limit) override;

    Result<std::map<domain::MerchantId, domain::LatestFiles>> LatestVersions(
        std::string_view name, BusinessDate date, domain::MerchantId merchant) override;
    Status InsertFiles(std::span<const domain::MerchantFile> files) override;
    Result<domain::MerchantFile> FindFile(domain::FileId id) override;
    Result<std::vector<domain::MerchantFile>> ListFiles(const app::FileFilter& filter) override;
    Result<domain::MerchantFile> Announce(domain::FileId id, std::string_view by,
                                          Instant now) override;
    Result<std::vector<domain::MerchantFile>> ListExpired(Instant now, int limit) override;
    Status MarkRemoved(std::span<const domain::FileId> ids, Instant now) override;
    Result<std::uint64_t> ForgetFiles(BusinessDate date, int limit) override;

 private:
    mysql::Session& session_;
    const lease::LeasedIds& ids_;
};

/// Transactions of their own, on sessions of a pool. Thread safe.
class MysqlFileTransactions final : public app::FileTransactions {
 public:
    /// Both must outlive it.
    MysqlFileTransactions(mysql::Pool& pool, const lease::LeasedIds& ids)
        : pool_(pool), ids_(ids) {}

    Status Run(const std::function<Status(app::FileBooks&)>& work) override;

 private:
    mysql::Pool& pool_;
    const lease::LeasedIds& ids_;
};

/// The right to work on a run as a lease "file_run/<id>", each with a thread that prolongs it.
/// Thread safe.
class MysqlFileRunLeases final : public app::FileRunLeases {
 public:
    /// Both must outlive it and its leases.
    MysqlFileRunLeases(mysql::Pool& pool, const Clock& clock) : pool_(pool), clock_(clock) {}

    Result<std::unique_ptr<app::FileRunLease>> TryAcquire(domain::FileRunId run) override;

 private:
    mysql::Pool& pool_;
    const Clock& clock_;
};

}  // namespace kessai::reconciliation::storage
