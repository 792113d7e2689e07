#include "transport/operator_answers.h"

#include <utility>

#include "domain/partner_contract.h"
#include "kessai/log/log.h"
#include "transport/operator_api.h"
#include "transport/problem.h"

namespace kessai::gateway::transport {

http::Response RefuseOperator(const RequestScope& scope, const Status& why) {
    http::Response response = OperatorProblem(why, scope.request.request_id);
    response.subject = scope.caller->subject;
    return response;
}

http::Response NoteOperator(const RequestScope& scope, std::string_view action,
                            std::string_view object, http::Response answer, std::string_view why) {
    log::Context context;
    context.SetRequestId(scope.request.request_id);
    log::Info(context, "operator.action",
              {{"action", action},
               {"operator", scope.caller->subject},
               {"object", object},
               {"why", why},
               {"outcome", answer.reason.empty() ? "DONE" : answer.reason},
               {"cause", answer.cause}});
    return answer;
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
