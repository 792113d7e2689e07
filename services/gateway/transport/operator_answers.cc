#include "transport/operator_answers.h"

#include <utility>

#include "domain/partner_contract.h"
#include "transport/problem.h"

namespace kessai::gateway::transport {

http::Response RefuseOperator(const RequestScope& scope, const Status& why) {
    http::Response response = Problem(why, scope.request.request_id);
    response.subject = scope.caller->subject;
    return response;
}

Status FieldMalformed(std::string why) {
    return {Code::kInvalidArgument, domain::reason::kFieldMalformed, std::move(why)};
}

}  // namespace kessai::gateway::transport
