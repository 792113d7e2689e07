#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "domain/ids.h"
#include "kessai/filetemplate/template.h"
#include "kessai/filetemplate/writer.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"
#include "kessai/time/clock.h"

/// Merchants' reconciliation files: layouts, who gets them, what is made when. Pure.
namespace kessai::reconciliation::domain {

/// 1 to 64 of a-z, 0-9, _ and -, beginning with a letter.
bool IsFileTemplateName(std::string_view name);

/// Minutes since midnight in Japan. INVALID_ARGUMENT FIELD_INVALID for what is not "HH:MM".
Result<std::chrono::minutes> ParseTimeOfDay(std::string_view text);
std::string FormatTimeOfDay(std::chrono::minutes since_midnight);

/// A version of a template, and what is known of the template beside its versions.
struct FileTemplate {
    std::string name{};
    /// 1, 2, 3, …; never changed once stored.
    std::uint32_t version = 0;
    std::string yaml{};
    std::string source{};
    std::string description{};
    std::string put_by{};
    Instant put_at{};
    /// Of all versions: it comes with the product, when a day's files are made, and the last day
    /// for which scheduled runs were made.
    bool built_in = false;
    std::chrono::minutes schedule_at{};
    std::optional<BusinessDate> scheduled_through{};
};

/// The last date of the books that has to be closed before a day's files by the template are final.
BusinessDate LastDayNeeded(const filetemplate::Template& layout, BusinessDate date);
/// When a day's files are made on schedule, at the earliest.
Instant ScheduledAt(const filetemplate::Template& layout, BusinessDate date,
                    std::chrono::minutes schedule_at);

/// Numbers are stored and sent (kessai.reconciliation.v1.FileAssignment): they never change.
enum class FileAssignmentMode : std::uint8_t {
    kScheduled = 1,
    kOnDemand = 2,
    /// Though all are assigned.
    kNotAssigned = 3,
};

/// Whether a merchant, or all, get files by a template.
struct FileAssignment {
    /// None: all.
    MerchantId merchant{};
    FileAssignmentMode mode = FileAssignmentMode::kScheduled;
    /// The first day it holds for; the epoch: all days.
    BusinessDate from_date{};
    std::string put_by{};
    Instant put_at{};

    bool SaysTheSame(const FileAssignment& other) const {
        return merchant == other.merchant && mode == other.mode && from_date == other.from_date;
    }
};

/// All of a template's. What is said of one merchant goes before what is said of all.
class FileAssignments {
 public:
    FileAssignments() = default;
    explicit FileAssignments(const std::vector<FileAssignment>& assignments);

    /// Whether the merchant gets files of the date; `scheduled`: by themselves.
    bool Covers(MerchantId merchant, BusinessDate date, bool scheduled) const;
    /// Whether anybody may.
    bool CoverAnybody(BusinessDate date, bool scheduled) const;
    /// Whether those of whom nothing is said do.
    bool CoverOthers(BusinessDate date, bool scheduled) const;
    /// The merchants that are named and get files, rising.
    std::vector<MerchantId> Named(BusinessDate date, bool scheduled) const;

 private:
    static bool Holds(const FileAssignment& assignment, BusinessDate date, bool scheduled);

    std::optional<FileAssignment> all_;
    std::map<MerchantId, FileAssignment> named_;
};

/// Numbers are stored and sent (kessai.reconciliation.v1.FileRun): they never change.
enum class FileRunState : std::uint8_t {
    kWaiting = 1,
    kRunning = 2,
    kDone = 3,
    /// To be tried again.
    kFailed = 4,
    /// Somebody gave it up; what it made stays.
    kCancelled = 5,
};
std::string_view FileRunStateName(FileRunState state);

inline constexpr std::size_t kAgainReasonBytesMax = 255;

/// What makes a run: what it is asked for.
struct FileRunOrder {
    std::string template_name{};
    BusinessDate business_date{};
    /// None: all that are assigned.
    MerchantId merchant{};
    bool scheduled = false;
    /// Not empty: files that are there are made anew, for this reason.
    std::string again_reason{};
    /// A new version even where the bytes are the same.
    bool force = false;
    std::string requested_by{};

    bool again() const { return !again_reason.empty(); }
    /// Whether the files that one asks for are those that the other does.
    bool AsksTheSame(const FileRunOrder& other) const {
        return template_name == other.template_name && business_date == other.business_date &&
               merchant == other.merchant && again_reason == other.again_reason &&
               force == other.force;
    }
};

/// What a run has done so far, over its attempts.
struct FileRunProgress {
    std::uint64_t merchants_done = 0;
    std::uint64_t merchants_refused = 0;
    std::uint64_t merchants_unchanged = 0;
    std::uint64_t files = 0;
    std::uint64_t rows = 0;
    std::uint64_t bytes = 0;

    bool operator==(const FileRunProgress&) const = default;
};

struct FileRun {
    FileRunId id{};
    FileRunOrder order{};
    std::uint32_t template_version = 0;
    FileRunState state = FileRunState::kWaiting;
    FileRunProgress progress{};
    Instant created_at{};
    /// Of the latest attempt; the epoch before the first.
    Instant started_at{};
    /// The epoch while it is not at an end.
    Instant finished_at{};
    std::uint32_t attempts = 0;
    /// Of the latest attempt, if it failed.
    std::string reason{};
    std::string message{};
    /// Not before; of those that wait or failed.
    Instant retry_at{};

    bool Ended() const { return state == FileRunState::kDone || state == FileRunState::kCancelled; }
};

inline constexpr std::size_t kRunMessageBytesMax = 1'000;
inline constexpr std::size_t kCancelReasonBytesMax = 255;

/// How long a run that failed `attempts` times waits: `first` doubled up to `max`.
Duration WaitAfter(std::uint32_t attempts, Duration first, Duration max);

/// What a run did for a merchant. Numbers are stored.
enum class MerchantOutcome : std::uint8_t {
    /// Its files are there; or it has none, as the template says.
    kMade = 1,
    kRefused = 2,
    /// Its files are the same bytes as the latest version.
    kUnchanged = 3,
};
struct RunMerchant {
    MerchantId merchant{};
    MerchantOutcome outcome = MerchantOutcome::kMade;
    std::string reason{};
    std::string message{};
};

/// A file that can be read, or could.
struct MerchantFile {
    FileId id{};
    FileRunId run{};
    MerchantId merchant{};
    std::string template_name{};
    std::uint32_t template_version = 0;
    BusinessDate business_date{};
    /// Of all parts of the merchant's day.
    std::uint32_t version = 1;
    std::uint32_t part = 1;
    std::string name{};
    /// In the store.
    std::string key{};
    std::uint64_t bytes = 0;
    std::array<std::uint8_t, 32> sha256{};
    std::uint64_t rows = 0;
    std::vector<filetemplate::ColumnTotal> totals{};
    Instant made_at{};
    Instant expires_at{};
    /// When its content was removed; the epoch: it is there.
    Instant removed_at{};
    /// How often it was announced, and the latest time's event.
    std::uint32_t announcements = 0;
    EventId last_event{};
};

/// A merchant's latest version of a day's files.
struct LatestFiles {
    std::uint32_t version = 0;
    /// Content of it was removed.
    bool is_removed = false;
    /// In order of the parts.
    std::vector<std::array<std::uint8_t, 32>> sha256{};
};

/// The first day of which there may still be records at `now`, if they are kept for `keep`: files
/// of earlier ones are not made, for nobody would know of those that were.
BusinessDate FirstDayKept(Instant now, std::chrono::hours keep);

/// Where in the store all that a run stores is, and nothing else.
std::string FileRunFolder(const FileRun& run);
/// Where the run's present attempt stores a file of a merchant: an attempt stores a name once, and
/// no other attempt or run there. So what somebody stores who was taken for dead is in nobody's
/// way.
std::string FileKey(const FileRun& run, MerchantId merchant, std::uint32_t version,
                    std::string_view file_name);
/// Whose file is stored there by the run; nothing if no run stores there.
std::optional<MerchantId> MerchantOfKey(const FileRun& run, std::string_view key);

}  // namespace kessai::reconciliation::domain
