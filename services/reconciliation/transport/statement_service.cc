#include "transport/statement_service.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "transport/outside_messages.h"
#include "transport/proto_mapping.h"

namespace kessai::reconciliation::transport {
namespace {

constexpr std::uint32_t kPageSizeDefault = 100;
constexpr std::uint32_t kPageSizeMax = 1'000;
constexpr std::size_t kNameMax = 64;
constexpr std::size_t kNoteMax = 1'000;
constexpr std::size_t kYamlMax = std::size_t{256} << 10;

Status Invalid(std::string message) {
    return Status(Code::kInvalidArgument, "FIELD_INVALID", std::move(message));
}

Result<std::uint32_t> PageSizeOf(std::uint32_t asked) {
    if (asked > kPageSizeMax) {
        return Status(Code::kInvalidArgument, "PAGE_SIZE_OUT_OF_RANGE",
                      "page_size: 1 to " + std::to_string(kPageSizeMax));
    }
    return asked == 0 ? kPageSizeDefault : asked;
}

template <class Id>
Result<Id> PageTokenOf(std::string_view token) {
    // Of any list by id.
    KESSAI_ASSIGN_OR_RETURN(const auto before, PageTokenFrom(token));
    return Id(before.value());
}

Status CheckName(std::string_view field, std::string_view name) {
    if (!name.empty() && name.size() <= kNameMax) return OkStatus();
    return Invalid(std::string(field) + ": 1 to " + std::to_string(kNameMax) + " bytes");
}

Status CheckYaml(std::string_view yaml) {
    if (!yaml.empty() && yaml.size() <= kYamlMax) return OkStatus();
    return Invalid("yaml: 1 to " + std::to_string(kYamlMax) + " bytes");
}

Result<BusinessDate> DayOr(std::int32_t date, BusinessDate otherwise) {
    if (date == 0) return otherwise;
    return DateFrom(date);
}

}  // namespace

auth::MethodPolicy StatementPolicy() {
    return {{"PutTemplate", {auth::Operator("recon:write")}},
            {"GetTemplate", {auth::Operator("recon:read")}},
            {"PutRules", {auth::Operator("recon:write")}},
            {"GetRules", {auth::Operator("recon:read")}},
            {"ImportStatement", {auth::Operator("recon:write")}},
            {"GetImport", {auth::Operator("recon:read")}},
            {"ListImports", {auth::Operator("recon:read")}},
            {"RunMatching", {auth::Operator("recon:write")}},
            {"ListOutsideMatches", {auth::Operator("recon:read")}},
            {"GetOutsideMatch", {auth::Operator("recon:read")}},
            {"DecideOutsideMatch", {auth::Operator("recon:write")}},
            {"MatchItems", {auth::Operator("recon:write")}},
            {"ListUnmatched", {auth::Operator("recon:read")}},
            {"GetOutsideSummary", {auth::Operator("recon:read")}}};
}

void StatementService::Register(rpc::Service& service, rpc::WorkerPool& quick,
                                rpc::WorkerPool& slow) {
    service.Blocking("PutTemplate", quick, *this, &StatementService::PutTemplate);
    service.Blocking("GetTemplate", quick, *this, &StatementService::GetTemplate);
    service.Blocking("PutRules", quick, *this, &StatementService::PutRules);
    service.Blocking("GetRules", quick, *this, &StatementService::GetRules);
    service.Blocking("ImportStatement", slow, *this, &StatementService::ImportStatement);
    service.Blocking("GetImport", quick, *this, &StatementService::GetImport);
    service.Blocking("ListImports", quick, *this, &StatementService::ListImports);
    service.Blocking("RunMatching", slow, *this, &StatementService::RunMatching);
    service.Blocking("ListOutsideMatches", quick, *this, &StatementService::ListOutsideMatches);
    service.Blocking("GetOutsideMatch", quick, *this, &StatementService::GetOutsideMatch);
    service.Blocking("DecideOutsideMatch", quick, *this, &StatementService::DecideOutsideMatch);
    service.Blocking("MatchItems", quick, *this, &StatementService::MatchItems);
    service.Blocking("ListUnmatched", quick, *this, &StatementService::ListUnmatched);
    service.Blocking("GetOutsideSummary", quick, *this, &StatementService::GetOutsideSummary);
}

BusinessDate StatementService::Today() const {
    return BusinessDate::OfJst(services_.clock.Now());
}

Result<v1::OutsideText> StatementService::PutTemplate(const rpc::CallContext& context,
                                                      const v1::PutTemplateRequest& request) {
    KESSAI_RETURN_IF_ERROR(CheckName("name", request.name()));
    KESSAI_RETURN_IF_ERROR(CheckYaml(request.yaml()));
    KESSAI_ASSIGN_OR_RETURN(const auto text,
                            services_.enquiries.PutTemplate(request.name(), request.yaml(),
                                                            context.principal().subject));
    return ToProto(text);
}

Result<v1::OutsideText> StatementService::GetTemplate(const rpc::CallContext&,
                                                      const v1::GetTemplateRequest& request) {
    KESSAI_RETURN_IF_ERROR(CheckName("name", request.name()));
    KESSAI_ASSIGN_OR_RETURN(const auto text, services_.enquiries.FindTemplate(request.name()));
    return ToProto(text);
}

Result<v1::OutsideText> StatementService::PutRules(const rpc::CallContext& context,
                                                   const v1::PutRulesRequest& request) {
    KESSAI_RETURN_IF_ERROR(CheckYaml(request.yaml()));
    KESSAI_ASSIGN_OR_RETURN(const auto text,
                            services_.enquiries.PutRules(request.account(), request.yaml(),
                                                         context.principal().subject));
    return ToProto(text);
}

Result<v1::OutsideText> StatementService::GetRules(const rpc::CallContext&,
                                                   const v1::GetRulesRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const auto text, services_.enquiries.FindRules(request.account()));
    return ToProto(text);
}

Result<v1::ImportOutcome> StatementService::ImportStatement(
    const rpc::CallContext& context, const v1::ImportStatementRequest& request) {
    app::StatementFile file{.template_name = request.template_name(),
                            .years = request.western_years() ? zengin::StatementYears::kWestern
                                                             : zengin::StatementYears::kReiwa,
                            .account = request.account(),
                            .content = request.content()};
    switch (request.format()) {
        case v1::StatementImport::CSV:
            file.format = app::StatementFormat::kCsv;
            KESSAI_RETURN_IF_ERROR(CheckName("template_name", request.template_name()));
            break;
        case v1::StatementImport::ZENGIN:
            file.format = app::StatementFormat::kZengin;
            break;
        case v1::StatementImport::CAMT053:
            file.format = app::StatementFormat::kCamt053;
            break;
        default:
            return Invalid("format: must be CSV, ZENGIN or CAMT053");
    }
    if (file.format != app::StatementFormat::kCsv && !request.template_name().empty()) {
        return Invalid("template_name: only files of separated values have one");
    }
    if (request.content().empty()) return Invalid("content: the file is empty");
    const std::string& actor = context.principal().subject;
    KESSAI_ASSIGN_OR_RETURN(const auto done, services_.import.Run(file, actor));
    if (!done.repeated) services_.metrics.OnImport(done.import);
    v1::ImportOutcome outcome;
    *outcome.mutable_imported() = ToProto(done.import);
    outcome.set_repeated_file(done.repeated);
    RunDue(done.import, actor, outcome);
    return outcome;
}

/// A file that is taken in stays so, whatever becomes of the runs: the worker tries them again.
void StatementService::RunDue(const app::StatementImport& import, const std::string& actor,
                              v1::ImportOutcome& outcome) {
    const auto tell = [&](const std::string& account, const Status& why) {
        v1::ImportOutcome::NotMatched& entry = *outcome.add_not_matched();
        entry.set_account(account);
        entry.set_reason(std::string(why.reason()));
        entry.set_message(std::string(why.message()));
    };
    const auto due = services_.enquiries.DueAccounts();
    for (const std::string& account : import.accounts) {
        if (!due.ok()) {
            tell(account, due.status());
            continue;
        }
        if (std::ranges::find(*due, account) == due->end()) continue;
        const auto run = services_.match.Run(account, app::DayRange::All(), actor);
        if (run.ok()) {
            services_.metrics.OnRun(*run);
            *outcome.add_runs() = ToProto(*run);
        } else {
            tell(account, run.status());
        }
    }
}

Result<v1::StatementImport> StatementService::GetImport(const rpc::CallContext&,
                                                        const v1::GetImportRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const auto import, services_.enquiries.FindImport(
                                                   domain::StatementImportId(request.import_id())));
    return ToProto(import);
}

Result<v1::ListImportsResponse> StatementService::ListImports(
    const rpc::CallContext&, const v1::ListImportsRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const std::uint32_t size, PageSizeOf(request.page_size()));
    KESSAI_ASSIGN_OR_RETURN(const auto before,
                            PageTokenOf<domain::StatementImportId>(request.page_token()));
    // One more, to know whether there is a next page.
    KESSAI_ASSIGN_OR_RETURN(auto imports,
                            services_.enquiries.ListImports(before, static_cast<int>(size) + 1));
    v1::ListImportsResponse response;
    if (imports.size() > size) {
        imports.resize(size);
        response.set_next_page_token(imports.back().id.ToString());
    }
    for (const auto& import : imports) *response.add_imports() = ToProto(import);
    return response;
}

Result<v1::MatchingRun> StatementService::RunMatching(const rpc::CallContext& context,
                                                      const v1::RunMatchingRequest& request) {
    const app::DayRange all = app::DayRange::All();
    app::DayRange days;
    KESSAI_ASSIGN_OR_RETURN(days.first, DayOr(request.first_date(), all.first));
    KESSAI_ASSIGN_OR_RETURN(days.last, DayOr(request.last_date(), all.last));
    if (days.last < days.first) return Invalid("last_date: is before first_date");
    KESSAI_ASSIGN_OR_RETURN(
        const auto run, services_.match.Run(request.account(), days, context.principal().subject));
    services_.metrics.OnRun(run);
    return ToProto(run);
}

Result<v1::ListOutsideMatchesResponse> StatementService::ListOutsideMatches(
    const rpc::CallContext&, const v1::ListOutsideMatchesRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const std::uint32_t size, PageSizeOf(request.page_size()));
    app::MatchFilter filter{.account = request.account(), .limit = static_cast<int>(size) + 1};
    if (request.state() != v1::OutsideMatch::STATE_UNSPECIFIED) {
        if (!v1::OutsideMatch::State_IsValid(request.state())) return Invalid("state: is no state");
        filter.state = static_cast<domain::OutsideMatchState>(request.state());
    }
    KESSAI_ASSIGN_OR_RETURN(filter.before,
                            PageTokenOf<domain::OutsideMatchId>(request.page_token()));
    KESSAI_ASSIGN_OR_RETURN(auto matches, services_.enquiries.ListMatches(filter));
    v1::ListOutsideMatchesResponse response;
    if (matches.size() > size) {
        matches.resize(size);
        response.set_next_page_token(matches.back().record.id.ToString());
    }
    for (const auto& match : matches) {
        *response.add_matches() = ToProto(match, Today(), services_.accounts);
    }
    return response;
}

Result<v1::OutsideMatch> StatementService::GetOutsideMatch(
    const rpc::CallContext&, const v1::GetOutsideMatchRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const auto details, services_.enquiries.FindMatch(
                                                    domain::OutsideMatchId(request.match_id())));
    return ToProto(details, Today(), services_.accounts);
}

Result<v1::OutsideMatch> StatementService::DecideOutsideMatch(
    const rpc::CallContext& context, const v1::DecideOutsideMatchRequest& request) {
    app::MatchDecision decision = app::MatchDecision::kConfirm;
    switch (request.decision()) {
        case v1::DecideOutsideMatchRequest::CONFIRM:
            break;
        case v1::DecideOutsideMatchRequest::REJECT:
            decision = app::MatchDecision::kReject;
            break;
        case v1::DecideOutsideMatchRequest::UNMATCH:
            decision = app::MatchDecision::kTakeApart;
            break;
        default:
            return Invalid("decision: must be CONFIRM, REJECT or UNMATCH");
    }
    if (request.note().size() > kNoteMax ||
        (request.note().empty() && decision != app::MatchDecision::kConfirm)) {
        return Invalid("note: 1 to " + std::to_string(kNoteMax) + " bytes");
    }
    const domain::OutsideMatchId id(request.match_id());
    KESSAI_RETURN_IF_ERROR(
        services_.decide.Run(id, decision, context.principal().subject, request.note()).status());
    KESSAI_ASSIGN_OR_RETURN(const auto details, services_.enquiries.FindMatch(id));
    return ToProto(details, Today(), services_.accounts);
}

Result<v1::OutsideMatch> StatementService::MatchItems(const rpc::CallContext& context,
                                                      const v1::MatchItemsRequest& request) {
    const auto count = static_cast<std::size_t>(request.item_ids_size());
    if (count == 0 || count > app::DecideMatch::kItemsMax) {
        return Invalid("item_ids: 1 to " + std::to_string(app::DecideMatch::kItemsMax));
    }
    if (request.note().empty() || request.note().size() > kNoteMax) {
        return Invalid("note: 1 to " + std::to_string(kNoteMax) + " bytes");
    }
    std::vector<domain::OutsideItemId> items;
    for (const std::int64_t id : request.item_ids()) items.emplace_back(id);
    KESSAI_ASSIGN_OR_RETURN(
        const auto matched,
        services_.decide.MatchItems(items, context.principal().subject, request.note()));
    KESSAI_ASSIGN_OR_RETURN(const auto details, services_.enquiries.FindMatch(matched.id));
    return ToProto(details, Today(), services_.accounts);
}

Result<v1::ListUnmatchedResponse> StatementService::ListUnmatched(
    const rpc::CallContext&, const v1::ListUnmatchedRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const std::uint32_t size, PageSizeOf(request.page_size()));
    app::UnmatchedFilter filter{.account = request.account(), .limit = static_cast<int>(size) + 1};
    if (request.side() != v1::OutsideItem::EXPECTED && request.side() != v1::OutsideItem::BOOKED) {
        return Invalid("side: must be EXPECTED or BOOKED");
    }
    filter.side = static_cast<domain::OutsideSide>(request.side());
    KESSAI_RETURN_IF_ERROR(ReadPageToken(request.page_token(), filter));
    KESSAI_ASSIGN_OR_RETURN(auto items, services_.enquiries.ListUnmatched(filter));
    v1::ListUnmatchedResponse response;
    if (items.size() > size) {
        items.resize(size);
        response.set_next_page_token(transport::PageTokenOf(items.back()));
    }
    for (const auto& item : items) {
        *response.add_items() = ToProto(item, Today(), services_.accounts.Find(item.account));
    }
    return response;
}

Result<v1::OutsideSummary> StatementService::GetOutsideSummary(
    const rpc::CallContext&, const v1::GetOutsideSummaryRequest&) {
    KESSAI_ASSIGN_OR_RETURN(const auto summaries, services_.enquiries.Summaries());
    v1::OutsideSummary response;
    for (const auto& summary : summaries) *response.add_accounts() = ToProto(summary);
    return response;
}

}  // namespace kessai::reconciliation::transport
