// Goal: every answer of our servers is found whole, wherever its bytes are cut, and what could be
// read in two ways is refused, so that one answer is never taken for another's.
// Method: texts fed byte by byte and at once.

#include "load/answer_parser.h"

#include <gtest/gtest.h>

#include <string>

namespace kessai::load {
namespace {

using Found = AnswerParser::Found;

const char kCreated[] =
    "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nX-REQUEST-ID: OPA1\r\n"
    "content-LENGTH: 13\r\n\r\n{\"codeId\":\"\"}";

TEST(AnswerParser, ReadsAnAnswer) {
    AnswerParser parser;
    ASSERT_EQ(parser.Look(kCreated), Found::kAnswer);
    EXPECT_EQ(parser.status(), 201);
    EXPECT_EQ(parser.BodyIn(kCreated), R"({"codeId":""})");
    EXPECT_EQ(parser.size(), sizeof(kCreated) - 1);
    EXPECT_TRUE(parser.keep_alive());
}

TEST(AnswerParser, ReadsItWhereverItIsCut) {
    const std::string text = std::string("HTTP/1.1 100 Continue\r\n\r\n") + kCreated;
    for (std::size_t first = 1; first < text.size(); ++first) {
        AnswerParser parser;
        ASSERT_EQ(parser.Look(std::string_view(text).substr(0, first)), Found::kMore) << first;
        ASSERT_EQ(parser.Look(text), Found::kAnswer) << first;
        EXPECT_EQ(parser.status(), 201);
        EXPECT_EQ(parser.BodyIn(text), R"({"codeId":""})");
    }
    AnswerParser parser;
    for (std::size_t size = 1; size < text.size(); ++size) {
        ASSERT_EQ(parser.Look(std::string_view(text).substr(0, size)), Found::kMore) << size;
    }
    EXPECT_EQ(parser.Look(text), Found::kAnswer);
}

TEST(AnswerParser, ReadsOneAfterAnother) {
    AnswerParser parser;
    const std::string two = std::string(kCreated) + kCreated;
    ASSERT_EQ(parser.Look(two), Found::kAnswer);
    EXPECT_EQ(parser.size(), sizeof(kCreated) - 1);
    parser.Reset();
    EXPECT_EQ(parser.Look(std::string_view(two).substr(sizeof(kCreated) - 1)), Found::kAnswer);
}

TEST(AnswerParser, TellsWhetherTheConnectionStays) {
    const auto keeps = [](const char* text) {
        AnswerParser parser;
        EXPECT_EQ(parser.Look(text), Found::kAnswer) << text;
        return parser.keep_alive();
    };
    EXPECT_TRUE(keeps("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n"));
    EXPECT_FALSE(keeps("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
    EXPECT_FALSE(keeps("HTTP/1.1 503 Busy\r\nCONNECTION:Close\r\nContent-Length:0\r\n\r\n"));
    EXPECT_FALSE(keeps("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"));
    EXPECT_TRUE(keeps("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n"));
    EXPECT_TRUE(keeps("HTTP/1.1 204 No Content\r\n\r\n"));
}

TEST(AnswerParser, RefusesWhatHasNoCertainEnd) {
    for (const char* text : {
             "HTTP/1.1 200 OK\r\n\r\n",
             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
             "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
             "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
             "HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\n",
             "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
             "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n",
             "HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n",
             "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
             "HTTP/1.1 101 Switching Protocols\r\n\r\n",
             "HTTP/2 200\r\n\r\n",
             "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
             "HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n",
             "HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n",
             "SSH-2.0-OpenSSH_9.2\r\n\r\n",
             "\r\n\r\n",
         }) {
        AnswerParser parser;
        EXPECT_EQ(parser.Look(text), Found::kMalformed) << text;
    }
}

TEST(AnswerParser, BoundsTheHeader) {
    AnswerParser parser;
    std::string text = "HTTP/1.1 200 OK\r\nX: ";
    text.append(AnswerParser::kHeaderBytesMax, 'x');
    EXPECT_EQ(parser.Look(text), Found::kMalformed);
    AnswerParser whole;
    EXPECT_EQ(whole.Look(text + "\r\nContent-Length: 0\r\n\r\n"), Found::kMalformed);
}

}  // namespace
}  // namespace kessai::load
