#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/books.h"
#include "domain/merchant_files.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"
#include "kessai/time/clock.h"

/// The ports to what is kept of merchants' files. As in app/books.h, an implementation is good for
/// one transaction and one thread, and refuses with ABORTED, UNAVAILABLE and INTERNAL beside what
/// is named.
namespace kessai::reconciliation::app {

/// Which files to list: newest day first, and of a day the newest first.
struct FileFilter {
    /// None: of all merchants.
    domain::MerchantId merchant{};
    std::optional<BusinessDate> from{};
    std::optional<BusinessDate> to{};
    /// Empty: of all.
    std::string template_name{};
    bool latest_only = false;
    /// Only those behind this one in the list.
    struct Place {
        BusinessDate business_date{};
        domain::FileId file{};
    };
    std::optional<Place> after{};
    int limit = 100;
};

/// Which runs to list, newest first.
struct FileRunFilter {
    std::string template_name{};
    std::optional<BusinessDate> business_date{};
    /// Only older ones than this; none: from the newest.
    domain::FileRunId before{};
    int limit = 100;
};

class FileBooks {
 public:
    virtual ~FileBooks() = default;

    /// The latest version of each behind `after`, by name, without the layout.
    virtual Result<std::vector<domain::FileTemplate>> ListTemplates(std::string_view after,
                                                                    int limit) = 0;
    /// 0: the latest version. NOT_FOUND TEMPLATE_UNKNOWN.
    virtual Result<domain::FileTemplate> FindTemplate(std::string_view name,
                                                      std::uint32_t version) = 0;
    /// The latest version; nobody else changes the template, its assignments or begins a run of it
    /// until the transaction ends. Nothing if there is none.
    virtual Result<std::optional<domain::FileTemplate>> LockTemplate(std::string_view name) = 0;
    /// The next version of a template that was locked, or the first of a new one (ABORTED when
    /// somebody else stored it meanwhile).
    virtual Status InsertTemplate(const domain::FileTemplate& version) = 0;
    /// schedule_at and scheduled_through. It was locked.
    virtual Status UpdateTemplate(const domain::FileTemplate& latest) = 0;

    virtual Result<domain::FileAssignments> Assignments(std::string_view name) = 0;
    /// The first day of any that is scheduled; none: nobody's are.
    virtual Result<std::optional<BusinessDate>> ScheduledSince(std::string_view name) = 0;
    /// Behind `after` by merchant; without it from the beginning, where `all` is.
    virtual Result<std::vector<domain::FileAssignment>> ListAssignments(
        std::string_view name, std::optional<domain::MerchantId> after, int limit) = 0;
    virtual Result<std::vector<domain::FileAssignment>> FindAssignments(
        std::string_view name, std::span<const domain::MerchantId> merchants) = 0;
    virtual Status PutAssignments(std::string_view name,
                                  std::span<const domain::FileAssignment> assignments) = 0;

    /// Whether payment and payout have closed the day.
    virtual Result<bool> IsDayClosed(BusinessDate date) = 0;
    /// The first day that was.
    virtual Result<std::optional<BusinessDate>> FirstClosedDay() = 0;
    /// Closed days whose merchants were not noted yet, rising.
    virtual Result<std::vector<BusinessDate>> DaysToNote(int limit) = 0;
    virtual Status NoteMerchantsOf(BusinessDate date) = 0;
    /// Merchants that had a change up to the day, rising, of those days that were noted.
    virtual Result<std::vector<domain::MerchantId>> KnownMerchants(BusinessDate through) = 0;

    /// The id of a new one is none: the store gives it, and returns it.
    virtual Result<domain::FileRunId> InsertRun(const domain::FileRun& run) = 0;
    /// NOT_FOUND FILE_RUN_UNKNOWN.
    virtual Result<domain::FileRun> FindRun(domain::FileRunId id) = 0;
    virtual Result<domain::FileRun> LockRun(domain::FileRunId id) = 0;
    /// All but its order. It was locked.
    virtual Status UpdateRun(const domain::FileRun& run) = 0;
    /// Adds to what it has done. Its row is locked by that.
    virtual Status AddProgress(domain::FileRunId id, const domain::FileRunProgress& more) = 0;
    virtual Result<std::vector<domain::FileRun>> ListRuns(const FileRunFilter& filter) = 0;
    /// Of a template and day: the latest run; it is locked.
    virtual Result<std::optional<domain::FileRun>> LockLatestRun(std::string_view name,
                                                                 BusinessDate date) = 0;
    /// Of a template and day: one that has not ended; it is locked.
    virtual Result<std::optional<domain::FileRun>> LockUnfinishedRun(std::string_view name,
                                                                     BusinessDate date) = 0;
    /// Runs that somebody has to work on now, oldest first: those that wait no longer, and those
    /// that run, which may have been left behind.
    virtual Result<std::vector<domain::FileRunId>> ListDueRuns(Instant now, int limit) = 0;
    virtual Result<std::int64_t> CountUnfinishedRuns() = 0;
    /// FAILED_PRECONDITION LEASE_LOST if the right to work on it was taken over; nobody can take it
    /// over until the transaction ends.
    virtual Status Confirm(const RunGrant& grant) = 0;

    /// Merchants that the run is done with, rising.
    virtual Result<std::vector<domain::MerchantId>> MerchantsDone(domain::FileRunId id) = 0;
    virtual Result<bool> IsNoted(domain::FileRunId id, domain::MerchantId merchant) = 0;
    virtual Result<std::vector<domain::RunMerchant>> RefusedMerchants(domain::FileRunId id,
                                                                      int limit) = 0;
    virtual Status InsertMerchants(domain::FileRunId id,
                                   std::span<const domain::RunMerchant> merchants) = 0;
    /// Notes that the store may have something of the run that no file refers to.
    virtual Status NoteToSweep(domain::FileRunId id) = 0;
    /// Runs that have ended and were noted so.
    virtual Result<std::vector<domain::FileRun>> ListToSweep(int limit) = 0;
    virtual Status ForgetToSweep(domain::FileRunId id) = 0;
    /// Keys in the store of the files that the run made for the merchants.
    virtual Result<std::set<std::string>> KeysOf(const domain::FileRun& run,
                                                 std::span<const domain::MerchantId> merchants) = 0;
    /// Of a run that has ended: removes at most `limit` of its merchants that were not refused, and
    /// says of how many. Their files tell what became of them.
    virtual Result<std::uint64_t> ForgetMerchants(domain::FileRunId id, int limit) = 0;

    /// Of a template's day: the latest version of each merchant that has files, or of the one.
    virtual Result<std::map<domain::MerchantId, domain::LatestFiles>> LatestVersions(
        std::string_view name, BusinessDate date, domain::MerchantId merchant) = 0;
    /// Stores the files and announces each. The ids are the store's to give. ALREADY_EXISTS when a
    /// merchant has the version already.
    virtual Status InsertFiles(std::span<const domain::MerchantFile> files) = 0;
    /// NOT_FOUND FILE_UNKNOWN.
    virtual Result<domain::MerchantFile> FindFile(domain::FileId id) = 0;
    virtual Result<std::vector<domain::MerchantFile>> ListFiles(const FileFilter& filter) = 0;
    /// Publishes FileCreated of it once more. NOT_FOUND FILE_UNKNOWN.
    virtual Result<domain::MerchantFile> Announce(domain::FileId id, std::string_view by,
                                                  Instant now) = 0;
    /// Files whose content is to be removed.
    virtual Result<std::vector<domain::MerchantFile>> ListExpired(Instant now, int limit) = 0;
    virtual Status MarkRemoved(std::span<const domain::FileId> ids, Instant now) = 0;
    /// Removes the records of at most `limit` files of days before `date`, of those whose content
    /// was removed, and says of how many.
    virtual Result<std::uint64_t> ForgetFiles(BusinessDate date, int limit) = 0;
};

class FileTransactions {
 public:
    virtual ~FileTransactions() = default;
    /// As Transactions::Run.
    virtual Status Run(const std::function<Status(FileBooks&)>& work) = 0;
};

/// The right to work on a run of files, prolonged by itself; released when destroyed.
class FileRunLease {
 public:
    virtual ~FileRunLease() = default;
    virtual RunGrant grant() const = 0;
    /// Called once when it could not be prolonged in time, from another thread, or at once.
    virtual void OnLost(std::function<void()> lost) = 0;
};

class FileRunLeases {
 public:
    virtual ~FileRunLeases() = default;
    /// Null while another replica holds it.
    virtual Result<std::unique_ptr<FileRunLease>> TryAcquire(domain::FileRunId run) = 0;
};

/// Which merchants there are.
class MerchantDirectory {
 public:
    virtual ~MerchantDirectory() = default;
    /// NOT_FOUND MERCHANT_UNKNOWN; UNAVAILABLE.
    virtual Status Check(domain::MerchantId merchant) = 0;
};

}  // namespace kessai::reconciliation::app
