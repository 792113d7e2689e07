#include "transport/operator_answers.h"

#include <utility>

#include "domain/partner_contract.h"
#include "kessai/log/log.h"
#include "transport/operator_api.h"
#include "transport/problem.h"

namespace kessai::gateway::transport {

http::Response RefuseOperator(const RequestScope& scope, const Status& why) {
    http::Response response = Problem(why, scope.request.request_id);
    response.subject = scope.caller->subject;
    return response;
}

void NoteOperator(const RequestScope& scope, std::string_view action, std::string_view object) {
    log::Info("operator.action", {{"action", action},
                                  {"operator", scope.caller->subject},
                                  {"object", object},
                                  {"request_id", scope.request.request_id}});
}

Result<std::int32_t> NamedDate(const http::Request& request) {
    KESSAI_ASSIGN_OR_RETURN(const std::int32_t date, PathDate(request));
    if (date == 0) return FieldMalformed("name a date, like 2026-11-22");
    return date;
}

Status FieldMalformed(std::string why) {
    return {Code::kInvalidArgument, domain::reason::kFieldMalformed, std::move(why)};
}

}  // namespace kessai::gateway::transport
