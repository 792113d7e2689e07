// Goal: a refusal means the same on both sides of a connection, and a caller is never told that
// nothing was done when something may have been.
// Method: every code there and back; statuses as gRPC itself makes them; hostile details.
#include "kessai/rpc/status.h"

#include <grpcpp/support/status.h>
#include <gtest/gtest.h>

#include "kessai/type/v1/refusal.pb.h"

namespace kessai::rpc {
namespace {

TEST(StatusTest, EveryCodeComesBackAsItWent) {
    EXPECT_TRUE(FromGrpc(ToGrpc(Status())).ok());
    for (int code = 1; code <= 16; ++code) {
        const Status status(static_cast<Code>(code), "SOME_REASON", "for people");
        const grpc::Status wire = ToGrpc(status);
        EXPECT_EQ(wire.error_code(), code);
        EXPECT_EQ(wire.error_message(), "for people");
        const Status back = FromGrpc(wire);
        EXPECT_EQ(back, status);
        EXPECT_EQ(back.message(), "for people");
        // What the service decided on is known, but for a lost commit.
        EXPECT_EQ(OutcomeUnknown(back), back.code() == Code::kUnknown);

        kessai::type::v1::Refusal refusal;
        ToProto(status, &refusal);
        EXPECT_EQ(FromProto(refusal), status);
    }
}

TEST(StatusTest, WhatGrpcMadeLeavesTheOutcomeOpenWhereTheCallMayHaveRun) {
    const auto outcome_unknown = [](grpc::StatusCode code) {
        return OutcomeUnknown(FromGrpc(grpc::Status(code, "by gRPC")));
    };
    for (const auto code : {grpc::UNAVAILABLE, grpc::DEADLINE_EXCEEDED, grpc::CANCELLED,
                            grpc::UNKNOWN, grpc::INTERNAL}) {
        EXPECT_TRUE(outcome_unknown(code)) << code;
    }
    for (const auto code : {grpc::UNIMPLEMENTED, grpc::RESOURCE_EXHAUSTED, grpc::UNAUTHENTICATED}) {
        EXPECT_FALSE(outcome_unknown(code)) << code;
    }
    EXPECT_EQ(FromGrpc(grpc::Status(grpc::UNIMPLEMENTED, "")).reason(), reason::kTransport);
}

TEST(StatusTest, DetailsThatDoNotFitAreNotBelieved) {
    EXPECT_EQ(FromGrpc(grpc::Status(grpc::NOT_FOUND, "m", "\xff\xff garbage")).reason(),
              reason::kTransport);
    // Details of another code than the status has.
    kessai::type::v1::Refusal other;
    other.set_code(9);
    other.set_reason("X");
    EXPECT_EQ(FromGrpc(grpc::Status(grpc::NOT_FOUND, "m", other.SerializeAsString())).reason(),
              reason::kTransport);
    other.set_code(99);
    EXPECT_EQ(FromProto(other).code(), Code::kUnknown);
    other.set_code(0);
    EXPECT_EQ(FromProto(other).code(), Code::kUnknown);
}

TEST(StatusTest, LongMessagesAreCutBetweenCharacters) {
    std::string text = "x";
    while (text.size() < 3'000) text += "決";
    const Status back = FromGrpc(ToGrpc(Status(Code::kInternal, "R", text)));
    EXPECT_EQ(back.reason(), "R");
    EXPECT_LE(back.message().size(), 1'024U);
    EXPECT_GT(back.message().size(), 1'020U);
    EXPECT_EQ(back.message().size() % 3, 1U);
}

}  // namespace
}  // namespace kessai::rpc
