#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string_view>

#include "kessai/result/result.h"

namespace kessai {

// Found by GoogleTest, so that a failed expectation shows the refusal.
inline void PrintTo(const Status& status, std::ostream* out) {
    *out << status.ToString();
}
template <class T>
void PrintTo(const Result<T>& result, std::ostream* out) {
    if (!result.ok()) {
        *out << result.status().ToString();
    } else {
        *out << "OK with " << ::testing::PrintToString(*result);
    }
}

namespace testing {

inline const Status& StatusOf(const Status& status) {
    return status;
}
template <class T>
const Status& StatusOf(const Result<T>& result) {
    return result.status();
}

/// EXPECT_THAT(Execute(command), IsOk()): of a Status or a Result.
MATCHER(IsOk, negation ? "is refused" : "is ok") {
    const Status& status = StatusOf(arg);
    if (!status.ok()) *result_listener << "it is " << status.ToString();
    return status.ok();
}

/// EXPECT_THAT(Parse("x"), Refuses(Code::kInvalidArgument, "DATE_MALFORMED")).
MATCHER_P2(Refuses, code, reason,
           std::string(negation ? "does not refuse with " : "refuses with ") +
               std::string(CodeName(code)) + " " + std::string(reason)) {
    const Status& status = StatusOf(arg);
    *result_listener << "it is " << status.ToString();
    return status.code() == code && status.reason() == std::string_view(reason);
}

/// EXPECT_THAT(Load(id), IsOkAnd(Field(&Row::amount, 7))).
MATCHER_P(IsOkAnd, value_matcher, negation ? "is not ok with the value" : "is ok with the value") {
    if (!arg.ok()) {
        *result_listener << "it is " << arg.status().ToString();
        return false;
    }
    return ::testing::ExplainMatchResult(value_matcher, arg.value(), result_listener);
}

}  // namespace testing
}  // namespace kessai

#define KESSAI_TESTING_CONCAT_INNER(a, b) a##b
#define KESSAI_TESTING_CONCAT(a, b) KESSAI_TESTING_CONCAT_INNER(a, b)

#define EXPECT_OK(expression) EXPECT_THAT((expression), ::kessai::testing::IsOk())
#define ASSERT_OK(expression) ASSERT_THAT((expression), ::kessai::testing::IsOk())
/// ASSERT_OK_AND_ASSIGN(auto rows, session.Select(kQuery)): ends the test on a refusal.
#define ASSERT_OK_AND_ASSIGN(target, expression) \
    ASSERT_OK_AND_ASSIGN_INNER(KESSAI_TESTING_CONCAT(kessai_outcome_, __LINE__), target, expression)
#define ASSERT_OK_AND_ASSIGN_INNER(name, target, expression) \
    auto name = (expression);                                \
    ASSERT_THAT(name, ::kessai::testing::IsOk());            \
    target = std::move(name).value()
