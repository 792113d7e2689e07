#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/file_books.h"
#include "app/make_files.h"
#include "domain/merchant_files.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::reconciliation::app {

/// Use cases: put layouts of files, look at them, and say who gets files by them. Thread safe.
class FileTemplates {
 public:
    /// All must outlive it. `schedule_at`: of templates that do not say.
    FileTemplates(FileTransactions& transactions, MerchantDirectory& merchants, FileRows& rows,
                  const Clock& clock, std::chrono::minutes schedule_at)
        : transactions_(transactions),
          merchants_(merchants),
          rows_(rows),
          clock_(clock),
          schedule_at_(schedule_at) {}

    /// Stores those that come with the product, if they are not there as they are now.
    Status PutBuiltIn();

    struct Put {
        std::string name{};
        std::string yaml{};
        std::optional<std::chrono::minutes> schedule_at{};
        std::string put_by{};
    };
    /// A new version, unless it is the latest already. Without a layout only the time is put, of a
    /// template that is there. INVALID_ARGUMENT FIELD_INVALID, TEMPLATE_…; NOT_FOUND
    /// TEMPLATE_UNKNOWN; FAILED_PRECONDITION TEMPLATE_BUILT_IN: of those nothing else may be put.
    Result<domain::FileTemplate> PutTemplate(const Put& put);
    Result<domain::FileTemplate> Find(std::string_view name, std::uint32_t version);
    Result<std::vector<domain::FileTemplate>> List(std::string_view after, int limit);

    struct Preview {
        /// A stored template, or a layout.
        std::string name{};
        std::uint32_t version = 0;
        std::string yaml{};
        BusinessDate business_date{};
        domain::MerchantId merchant{};
        std::size_t rows_max = 10;
    };
    /// NOT_FOUND MERCHANT_UNKNOWN; FAILED_PRECONDITION DAY_NOT_CLOSED; RESOURCE_EXHAUSTED
    /// PREVIEW_TOO_LARGE; UNAVAILABLE; those of templates and rows.
    Result<FilePreview> PreviewFiles(const Preview& preview);

    struct Assign {
        std::string name{};
        /// None: all.
        std::vector<domain::MerchantId> merchants{};
        domain::FileAssignmentMode mode = domain::FileAssignmentMode::kScheduled;
        BusinessDate from_date{};
        std::string put_by{};
    };
    /// Gives what is said now of the merchants. NOT_FOUND TEMPLATE_UNKNOWN, MERCHANT_UNKNOWN;
    /// UNAVAILABLE.
    Result<std::vector<domain::FileAssignment>> AssignTemplate(const Assign& assign);
    Result<std::vector<domain::FileAssignment>> ListAssignments(
        std::string_view name, std::optional<domain::MerchantId> after, int limit);

 private:
    Result<domain::FileTemplate> PutSchedule(const Put& put);
    Result<domain::FileTemplate> Store(const Put& put, bool built_in);

    FileTransactions& transactions_;
    MerchantDirectory& merchants_;
    FileRows& rows_;
    const Clock& clock_;
    const std::chrono::minutes schedule_at_;
};

/// Of stored templates it is what was checked when they were put.
Result<filetemplate::Template> ParseLayout(const domain::FileTemplate& stored);

/// FAILED_PRECONDITION DAY_NOT_CLOSED unless all days are closed that the date's files need.
Status CheckDayClosed(FileBooks& books, const filetemplate::Template& layout, BusinessDate date);

}  // namespace kessai::reconciliation::app
