#include "app/file_templates.h"

#include <algorithm>
#include <utility>

#include "domain/file_sources.h"

namespace kessai::reconciliation::app {

namespace {

constexpr std::size_t kPreviewBytesMax = std::size_t{1} << 20;
/// The author of what comes with the product.
constexpr std::string_view kProduct = "kessai";

struct BuiltIn {
    std::string_view name;
    std::string_view yaml;
};
std::vector<BuiltIn> BuiltIns() {
    return {{"capture_later", CaptureLaterTemplate()}, {"instant", InstantTemplate()}};
}

Status Unknown(std::string_view name) {
    return Status(Code::kNotFound, "TEMPLATE_UNKNOWN", "no template '" + std::string(name) + "'");
}

}  // namespace

Result<filetemplate::Template> ParseLayout(const domain::FileTemplate& stored) {
    auto layout = filetemplate::Template::Parse(stored.yaml, FileSources());
    if (layout.ok()) return layout;
    // The sources have changed under it.
    return Status(Code::kFailedPrecondition, layout.status().reason(),
                  "version " + std::to_string(stored.version) + " of template '" + stored.name +
                      "' does not fit what files are made of any more: " +
                      std::string(layout.status().message()) +
                      "; put a version that does, cancel this one's run, and make the files anew");
}

Status CheckDayClosed(FileBooks& books, const filetemplate::Template& layout, BusinessDate date) {
    const BusinessDate needed = domain::LastDayNeeded(layout, date);
    KESSAI_ASSIGN_OR_RETURN(const bool closed, books.IsDayClosed(needed));
    if (closed) return OkStatus();
    return Status(Code::kFailedPrecondition, "DAY_NOT_CLOSED",
                  "files of " + date.ToString() + " need " + needed.ToString() +
                      ", which payment and payout have not closed");
}

Status FileTemplates::PutBuiltIn() {
    for (const BuiltIn& built_in : BuiltIns()) {
        KESSAI_RETURN_IF_ERROR(Store({.name = std::string(built_in.name),
                                      .yaml = std::string(built_in.yaml),
                                      .put_by = std::string(kProduct)},
                                     /*built_in=*/true)
                                   .status());
    }
    return OkStatus();
}

Result<domain::FileTemplate> FileTemplates::PutTemplate(const Put& put) {
    if (!domain::IsFileTemplateName(put.name)) {
        return Status(Code::kInvalidArgument, "FIELD_INVALID",
                      "name: 1 to 64 of a-z, 0-9, _ and -, beginning with a letter");
    }
    if (put.yaml.empty()) return PutSchedule(put);
    const auto built_in = BuiltIns();
    const auto same = std::ranges::find(built_in, put.name, &BuiltIn::name);
    if (same != built_in.end() && put.yaml != same->yaml) {
        return Status(
            Code::kFailedPrecondition, "TEMPLATE_BUILT_IN",
            "'" + put.name + "' comes with the product: put the layout under another name");
    }
    return Store(put, same != built_in.end());
}

Result<domain::FileTemplate> FileTemplates::PutSchedule(const Put& put) {
    domain::FileTemplate stored;
    KESSAI_RETURN_IF_ERROR(transactions_.Run([&](FileBooks& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(const auto latest, books.LockTemplate(put.name));
        if (!latest) return Unknown(put.name);
        stored = *latest;
        if (put.schedule_at) stored.schedule_at = *put.schedule_at;
        return books.UpdateTemplate(stored);
    }));
    return stored;
}

Result<domain::FileTemplate> FileTemplates::Store(const Put& put, bool built_in) {
    KESSAI_ASSIGN_OR_RETURN(const auto layout,
                            filetemplate::Template::Parse(put.yaml, FileSources()));
    domain::FileTemplate stored;
    KESSAI_RETURN_IF_ERROR(transactions_.Run([&](FileBooks& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(const auto latest, books.LockTemplate(put.name));
        stored = latest.value_or(domain::FileTemplate{
            .name = put.name, .built_in = built_in, .schedule_at = schedule_at_});
        if (put.schedule_at) stored.schedule_at = *put.schedule_at;
        if (latest && latest->yaml == put.yaml) {
            return stored.schedule_at == latest->schedule_at ? OkStatus()
                                                             : books.UpdateTemplate(stored);
        }
        stored.version += 1;
        stored.yaml = put.yaml;
        stored.source = layout.source();
        stored.description = layout.description();
        stored.put_by = put.put_by;
        stored.put_at = clock_.Now();
        return books.InsertTemplate(stored);
    }));
    return stored;
}

Result<domain::FileTemplate> FileTemplates::Find(std::string_view name, std::uint32_t version) {
    domain::FileTemplate found;
    KESSAI_RETURN_IF_ERROR(transactions_.Run([&](FileBooks& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(found, books.FindTemplate(name, version));
        return OkStatus();
    }));
    return found;
}

Result<std::vector<domain::FileTemplate>> FileTemplates::List(std::string_view after, int limit) {
    std::vector<domain::FileTemplate> found;
    KESSAI_RETURN_IF_ERROR(transactions_.Run([&](FileBooks& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(found, books.ListTemplates(after, limit));
        return OkStatus();
    }));
    return found;
}

Result<FilePreview> FileTemplates::PreviewFiles(const Preview& preview) {
    std::string yaml = preview.yaml;
    if (!preview.name.empty()) {
        KESSAI_ASSIGN_OR_RETURN(yaml, [&]() -> Result<std::string> {
            KESSAI_ASSIGN_OR_RETURN(auto found, Find(preview.name, preview.version));
            return std::move(found.yaml);
        }());
    }
    KESSAI_ASSIGN_OR_RETURN(const auto layout, filetemplate::Template::Parse(yaml, FileSources()));
    KESSAI_RETURN_IF_ERROR(transactions_.Run(
        [&](FileBooks& books) { return CheckDayClosed(books, layout, preview.business_date); }));
    KESSAI_RETURN_IF_ERROR(merchants_.Check(preview.merchant));
    KESSAI_ASSIGN_OR_RETURN(auto made, PreviewFile({.file_template = layout,
                                                    .date = preview.business_date,
                                                    .merchant = preview.merchant},
                                                   rows_, preview.rows_max));
    std::size_t bytes = 0;
    for (const PreviewedFile& file : made.files) bytes += file.bytes.size();
    if (bytes > kPreviewBytesMax) {
        return Status(Code::kResourceExhausted, "PREVIEW_TOO_LARGE",
                      std::to_string(bytes) + " bytes: look at fewer rows");
    }
    return made;
}

Result<std::vector<domain::FileAssignment>> FileTemplates::AssignTemplate(const Assign& assign) {
    for (const domain::MerchantId merchant : assign.merchants) {
        KESSAI_RETURN_IF_ERROR(merchants_.Check(merchant));
    }
    std::vector<domain::MerchantId> merchants = assign.merchants;
    if (merchants.empty()) merchants.emplace_back();
    std::ranges::sort(merchants);
    merchants.erase(std::unique(merchants.begin(), merchants.end()), merchants.end());

    std::vector<domain::FileAssignment> now;
    KESSAI_RETURN_IF_ERROR(transactions_.Run([&](FileBooks& books) -> Status {
        now.clear();
        KESSAI_ASSIGN_OR_RETURN(auto latest, books.LockTemplate(assign.name));
        if (!latest) return Unknown(assign.name);
        KESSAI_ASSIGN_OR_RETURN(const auto before, books.FindAssignments(assign.name, merchants));
        std::vector<domain::FileAssignment> changed;
        for (const domain::MerchantId merchant : merchants) {
            const domain::FileAssignment wanted{.merchant = merchant,
                                                .mode = assign.mode,
                                                .from_date = assign.from_date,
                                                .put_by = assign.put_by,
                                                .put_at = clock_.Now()};
            const auto found =
                std::ranges::find(before, merchant, &domain::FileAssignment::merchant);
            const bool same = found != before.end() && found->SaysTheSame(wanted);
            now.push_back(same ? *found : wanted);
            if (!same) changed.push_back(wanted);
        }
        if (changed.empty()) return OkStatus();
        KESSAI_RETURN_IF_ERROR(books.PutAssignments(assign.name, changed));
        // Days that were scheduled for others already are looked at again for these.
        if (assign.mode == domain::FileAssignmentMode::kScheduled && latest->scheduled_through &&
            assign.from_date <= *latest->scheduled_through) {
            latest->scheduled_through = assign.from_date.Previous();
            KESSAI_RETURN_IF_ERROR(books.UpdateTemplate(*latest));
        }
        return OkStatus();
    }));
    return now;
}

Result<std::vector<domain::FileAssignment>> FileTemplates::ListAssignments(
    std::string_view name, std::optional<domain::MerchantId> after, int limit) {
    std::vector<domain::FileAssignment> found;
    KESSAI_RETURN_IF_ERROR(transactions_.Run([&](FileBooks& books) -> Status {
        KESSAI_RETURN_IF_ERROR(books.FindTemplate(name, 0).status());
        KESSAI_ASSIGN_OR_RETURN(found, books.ListAssignments(name, after, limit));
        return OkStatus();
    }));
    return found;
}

}  // namespace kessai::reconciliation::app
