#pragma once

#include <google/protobuf/message_lite.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/proto_buffer_reader.h>
#include <grpcpp/support/slice.h>

#include <string>
#include <vector>

namespace kessai::rpc {

inline grpc::ByteBuffer ToBytes(const google::protobuf::MessageLite& message) {
    grpc::Slice slice(message.ByteSizeLong());
    message.SerializeWithCachedSizesToArray(const_cast<std::uint8_t*>(slice.begin()));
    return grpc::ByteBuffer(&slice, 1);
}

inline bool FromBytes(grpc::ByteBuffer& bytes, google::protobuf::MessageLite& message) {
    if (!bytes.Valid()) return false;
    grpc::ProtoBufferReader reader(&bytes);
    return reader.status().ok() && message.ParseFromZeroCopyStream(&reader);
}

/// One buffer of several strings, which it takes over without copying them.
inline grpc::ByteBuffer ToBytes(std::vector<std::string> parts) {
    std::vector<grpc::Slice> slices;
    slices.reserve(parts.size());
    for (std::string& part : parts) {
        auto* owned = new std::string(std::move(part));
        slices.emplace_back(
            owned->data(), owned->size(),
            [](void* string) { delete static_cast<std::string*>(string); }, owned);
    }
    return grpc::ByteBuffer(slices.data(), slices.size());
}

}  // namespace kessai::rpc
