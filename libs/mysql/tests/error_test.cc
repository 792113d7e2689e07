#include "kessai/mysql/error.h"

#include <gtest/gtest.h>

#include "kessai/testing/matchers.h"

namespace kessai::mysql {
namespace {

using testing::Refuses;

struct Case {
    int number;
    Code code;
    std::string_view reason;
};

// Goal: every error number that a server or the client library gives is the refusal that its
// callers rely on: what may be run again, what is unknown, what is permanent.
// Method: the whole table, number by number.
TEST(ClassifyErrorTest, EachNumberHasItsRefusal) {
    const Case cases[] = {
        {1213, Code::kAborted, reason::kDeadlock},
        {1205, Code::kAborted, reason::kLockTimeout},
        {3572, Code::kAborted, reason::kLockTimeout},
        {1020, Code::kAborted, reason::kWriteConflict},
        {3101, Code::kAborted, reason::kWriteConflict},
        {8002, Code::kAborted, reason::kWriteConflict},
        {8022, Code::kAborted, reason::kWriteConflict},
        {8028, Code::kAborted, reason::kWriteConflict},
        {9007, Code::kAborted, reason::kWriteConflict},
        {1062, Code::kAlreadyExists, reason::kDuplicateKey},
        {1586, Code::kAlreadyExists, reason::kDuplicateKey},
        {1290, Code::kUnavailable, reason::kReadOnly},
        {1792, Code::kUnavailable, reason::kReadOnly},
        {1836, Code::kUnavailable, reason::kReadOnly},
        {3100, Code::kUnavailable, reason::kReadOnly},
        {1040, Code::kUnavailable, reason::kServerExhausted},
        {1203, Code::kUnavailable, reason::kServerExhausted},
        {1226, Code::kUnavailable, reason::kServerExhausted},
        {1021, Code::kUnavailable, reason::kServerExhausted},
        {1114, Code::kUnavailable, reason::kServerExhausted},
        {1037, Code::kUnavailable, reason::kServerExhausted},
        {1038, Code::kUnavailable, reason::kServerExhausted},
        {1041, Code::kUnavailable, reason::kServerExhausted},
        {1135, Code::kUnavailable, reason::kServerExhausted},
        {1206, Code::kUnavailable, reason::kServerExhausted},
        {8176, Code::kUnavailable, reason::kServerExhausted},
        {9003, Code::kUnavailable, reason::kServerExhausted},
        {1317, Code::kUnavailable, reason::kInterrupted},
        {1969, Code::kUnavailable, reason::kInterrupted},
        {3024, Code::kUnavailable, reason::kInterrupted},
        {1048, Code::kInternal, reason::kConstraintViolated},
        {1216, Code::kInternal, reason::kConstraintViolated},
        {1217, Code::kInternal, reason::kConstraintViolated},
        {1364, Code::kInternal, reason::kConstraintViolated},
        {1451, Code::kInternal, reason::kConstraintViolated},
        {1452, Code::kInternal, reason::kConstraintViolated},
        {3819, Code::kInternal, reason::kConstraintViolated},
        {4025, Code::kInternal, reason::kConstraintViolated},
        {1153, Code::kInvalidArgument, reason::kStatementTooLarge},
        {1301, Code::kInvalidArgument, reason::kStatementTooLarge},
        {2020, Code::kInvalidArgument, reason::kStatementTooLarge},
        {1045, Code::kUnavailable, reason::kLoginRefused},
        {1698, Code::kUnavailable, reason::kLoginRefused},
        {1690, Code::kInternal, reason::kValueOutOfRange},
        {8501, Code::kUnknown, reason::kCommitUnknown},
        {1064, Code::kInternal, reason::kSqlError},
        {1146, Code::kInternal, reason::kSqlError},
        {1264, Code::kInternal, reason::kSqlError},
        {1366, Code::kInternal, reason::kSqlError},
        {1406, Code::kInternal, reason::kSqlError},
        {1142, Code::kInternal, reason::kSqlError},
        {99999, Code::kInternal, reason::kSqlError},
    };
    for (const Case& c : cases) {
        for (const Phase phase : {Phase::kNothingStored, Phase::kCommitting}) {
            EXPECT_THAT(ClassifyError(c.number, "message", phase), Refuses(c.code, c.reason))
                << c.number;
        }
    }
}

// Goal: a lost connection is harmless inside a transaction and of unknown outcome in a commit.
TEST(ClassifyErrorTest, ALossIsUnknownOnlyWhileCommitting) {
    for (const int number :
         {0,    1044, 1047, 1053, 1077, 1079, 1129, 1130, 1152, 1158, 1159, 1160, 1161,
          1184, 1927, 2001, 2002, 2003, 2004, 2005, 2006, 2007, 2009, 2012, 2013, 2014,
          2018, 2026, 2027, 2048, 2055, 3032, 3168, 3169, 4031, 9001, 9002, 9005}) {
        EXPECT_THAT(ClassifyError(number, "gone", Phase::kNothingStored),
                    Refuses(Code::kUnavailable, reason::kConnectionLost))
            << number;
        EXPECT_THAT(ClassifyError(number, "gone", Phase::kCommitting),
                    Refuses(Code::kUnknown, reason::kCommitUnknown))
            << number;
    }
}

// Goal: what is run again is exactly what left nothing behind and may go well the next time.
TEST(ClassifyErrorTest, AbortedAndUnavailableAreRetryable) {
    EXPECT_TRUE(IsRetryable(ClassifyError(1213, "", Phase::kCommitting)));
    EXPECT_TRUE(IsRetryable(ClassifyError(2013, "", Phase::kNothingStored)));
    EXPECT_TRUE(IsRetryable(ClassifyError(1290, "", Phase::kCommitting)));
    EXPECT_FALSE(IsRetryable(ClassifyError(2013, "", Phase::kCommitting)));
    EXPECT_FALSE(IsRetryable(ClassifyError(1062, "", Phase::kNothingStored)));
    EXPECT_FALSE(IsRetryable(ClassifyError(1064, "", Phase::kNothingStored)));
    EXPECT_FALSE(IsRetryable(OkStatus()));
}

TEST(ClassifyErrorTest, TheMessageKeepsTheServersTextAndNumber) {
    EXPECT_EQ(ClassifyError(1213, "Deadlock found", Phase::kNothingStored).message(),
              "Deadlock found (1213)");
}

}  // namespace
}  // namespace kessai::mysql
