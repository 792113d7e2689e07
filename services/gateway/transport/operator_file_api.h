#pragma once

#include "kessai/auth/token.h"
#include "kessai/http/message.h"
#include "kessai/rpc/channel.h"
#include "transport/operator_ledger_api.h"
#include "transport/partner_files_api.h"
#include "transport/request_scope.h"

namespace kessai::gateway::transport {

/// The operator interface over merchants' reconciliation files: templates, who gets files by them,
/// runs that make them, and the files. What reconciliation answers is shown as it is
/// (proto_json.h).
class OperatorFileApi {
 public:
    /// `downloads` send the content of files; all must outlive it.
    OperatorFileApi(ChannelOf reconciliation, auth::TokenSigner& signer,
                    const PartnerFilesApi& downloads, const Clock& clock);

    net::Task<http::Response> PutTemplate(const RequestScope& scope) const;
    net::Task<http::Response> ListTemplates(const RequestScope& scope) const;
    /// `version` of the query: the latest if it is not there.
    net::Task<http::Response> GetTemplate(const RequestScope& scope) const;
    net::Task<http::Response> Preview(const RequestScope& scope) const;
    net::Task<http::Response> Assign(const RequestScope& scope) const;
    net::Task<http::Response> ListAssignments(const RequestScope& scope) const;

    /// Answers when the run has ended, or with the run as it stands when that takes long.
    net::Task<http::Response> Make(const RequestScope& scope) const;
    net::Task<http::Response> ListRuns(const RequestScope& scope) const;
    net::Task<http::Response> GetRun(const RequestScope& scope) const;
    net::Task<http::Response> CancelRun(const RequestScope& scope) const;

    net::Task<http::Response> List(const RequestScope& scope) const;
    net::Task<http::Response> Get(const RequestScope& scope) const;
    /// As PartnerFilesApi::Send, of any merchant's.
    net::Task<http::Response> GetContent(const RequestScope& scope) const;
    net::Task<http::Response> Announce(const RequestScope& scope) const;

 private:
    template <class Request, class Response>
    net::Task<http::Response> Forward(const RequestScope& scope,
                                      const rpc::Method<Request, Response>& method,
                                      Request request) const;

    const ChannelOf reconciliation_;
    auth::TokenSigner& signer_;
    const PartnerFilesApi& downloads_;
    const Clock& clock_;
};

}  // namespace kessai::gateway::transport
