#pragma once

#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>

#include <memory>
#include <string>
#include <vector>

#include "kessai/rpc/tls.h"

namespace kessai::rpc {

/// gRPC's side of TlsFiles. They keep watching the files as long as they live.
std::shared_ptr<grpc::ServerCredentials> ServerTls(const TlsFiles& files,
                                                   std::vector<std::string> allowed_peers);
std::shared_ptr<grpc::ChannelCredentials> ClientTls(const TlsFiles& files);

}  // namespace kessai::rpc
