#include "domain/merchant_files.h"

#include <algorithm>
#include <charconv>
#include <string>

namespace kessai::reconciliation::domain {

namespace {

constexpr std::size_t kTemplateNameBytesMax = 64;

}  // namespace

bool IsFileTemplateName(std::string_view name) {
    const auto letter = [](char c) { return c >= 'a' && c <= 'z'; };
    if (name.empty() || name.size() > kTemplateNameBytesMax || !letter(name.front())) return false;
    return std::ranges::all_of(
        name, [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-'; });
}

Result<std::chrono::minutes> ParseTimeOfDay(std::string_view text) {
    const auto number = [&](std::size_t at, int& value) {
        const char* const end = text.data() + at + 2;
        const auto [read, error] = std::from_chars(text.data() + at, end, value);
        return error == std::errc() && read == end && value >= 0;
    };
    int hour = 0;
    int minute = 0;
    if (text.size() != 5 || text[2] != ':' || !number(0, hour) || !number(3, minute) || hour > 23 ||
        minute > 59) {
        return Status(Code::kInvalidArgument, "FIELD_INVALID",
                      "'" + std::string(text) + "' is no time of day like 01:30");
    }
    return std::chrono::minutes(hour * 60 + minute);
}

std::string FormatTimeOfDay(std::chrono::minutes since_midnight) {
    const auto digits = [](std::int64_t number) {
        return std::string(number < 10 ? "0" : "") + std::to_string(number);
    };
    return digits(since_midnight.count() / 60) + ":" + digits(since_midnight.count() % 60);
}

BusinessDate LastDayNeeded(const filetemplate::Template& layout, BusinessDate date) {
    if (layout.follows_business_date()) return date;
    return BusinessDate::OfJst(layout.PeriodOf(date).to - Duration(1));
}

Instant ScheduledAt(const filetemplate::Template& layout, BusinessDate date,
                    std::chrono::minutes schedule_at) {
    return LastDayNeeded(layout, date).Next().At(schedule_at);
}

FileAssignments::FileAssignments(const std::vector<FileAssignment>& assignments) {
    for (const FileAssignment& assignment : assignments) {
        if (assignment.merchant.is_none()) {
            all_ = assignment;
        } else {
            named_.insert_or_assign(assignment.merchant, assignment);
        }
    }
}

bool FileAssignments::Holds(const FileAssignment& assignment, BusinessDate date, bool scheduled) {
    if (date < assignment.from_date) return false;
    return assignment.mode == FileAssignmentMode::kScheduled ||
           (assignment.mode == FileAssignmentMode::kOnDemand && !scheduled);
}

bool FileAssignments::Covers(MerchantId merchant, BusinessDate date, bool scheduled) const {
    const auto named = named_.find(merchant);
    if (named != named_.end() && named->second.from_date <= date) {
        return Holds(named->second, date, scheduled);
    }
    return CoverOthers(date, scheduled);
}

bool FileAssignments::CoverAnybody(BusinessDate date, bool scheduled) const {
    return CoverOthers(date, scheduled) || std::ranges::any_of(named_, [&](const auto& named) {
               return Holds(named.second, date, scheduled);
           });
}

bool FileAssignments::CoverOthers(BusinessDate date, bool scheduled) const {
    return all_ && Holds(*all_, date, scheduled);
}

std::vector<MerchantId> FileAssignments::Named(BusinessDate date, bool scheduled) const {
    std::vector<MerchantId> merchants;
    for (const auto& [merchant, assignment] : named_) {
        if (Covers(merchant, date, scheduled)) merchants.push_back(merchant);
    }
    return merchants;
}

std::string_view FileRunStateName(FileRunState state) {
    switch (state) {
        case FileRunState::kWaiting:
            return "WAITING";
        case FileRunState::kRunning:
            return "RUNNING";
        case FileRunState::kDone:
            return "DONE";
        case FileRunState::kFailed:
            return "FAILED";
        case FileRunState::kCancelled:
            return "CANCELLED";
    }
    return "UNKNOWN";
}

Duration WaitAfter(std::uint32_t attempts, Duration first, Duration max) {
    Duration wait = first;
    for (std::uint32_t attempt = 1; attempt < attempts && wait < max; ++attempt) wait *= 2;
    return std::min(wait, max);
}

BusinessDate FirstDayKept(Instant now, std::chrono::hours keep) {
    return BusinessDate::OfJst(now - keep);
}

std::string FileRunFolder(const FileRun& run) {
    return run.order.business_date.ToString() + "/" + run.order.template_name + "-" +
           run.id.ToString();
}

std::string FileKey(const FileRun& run, MerchantId merchant, std::uint32_t version,
                    std::string_view file_name) {
    return FileRunFolder(run) + "/" + merchant.ToString() + "-" + std::to_string(version) + "-" +
           std::to_string(run.attempts) + "/" + std::string(file_name);
}

std::optional<MerchantId> MerchantOfKey(const FileRun& run, std::string_view key) {
    const std::string folder = FileRunFolder(run) + "/";
    if (!key.starts_with(folder)) return std::nullopt;
    key.remove_prefix(folder.size());
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), number);
    const bool is_ours = error == std::errc() && end != key.data() + key.size() && *end == '-';
    return is_ours ? std::optional(MerchantId(number)) : std::nullopt;
}

}  // namespace kessai::reconciliation::domain
