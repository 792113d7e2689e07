#include "kessai/tracing/trace_context.h"

#include <gtest/gtest.h>

#include <random>

namespace kessai::tracing {
namespace {

constexpr std::string_view kExample = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

// Goal: the example of the W3C text is read and written unchanged.
TEST(TraceContextTest, RoundTrips) {
    const auto context = ParseTraceparent(kExample);
    ASSERT_TRUE(context.has_value());
    EXPECT_TRUE(context->sampled);
    EXPECT_EQ(TraceIdOf(*context), "4bf92f3577b34da6a3ce929d0e0e4736");
    EXPECT_EQ(SpanIdOf(*context), "00f067aa0ba902b7");
    EXPECT_EQ(FormatTraceparent(*context), kExample);
    const auto quiet = ParseTraceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-fe");
    ASSERT_TRUE(quiet.has_value());
    EXPECT_FALSE(quiet->sampled);
    EXPECT_TRUE(FormatTraceparent(*quiet).ends_with("-00"));
    EXPECT_EQ(FormatTraceparent(SpanContext{}), "");
}

// Goal: a later version's header is read as far as this one's reaches.
TEST(TraceContextTest, ReadsLaterVersions) {
    EXPECT_TRUE(ParseTraceparent("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
    EXPECT_TRUE(ParseTraceparent("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what"));
    EXPECT_FALSE(ParseTraceparent("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.what"));
}

// Goal: what is not a traceparent starts a new trace instead of spreading.
TEST(TraceContextTest, RefusesWhatIsMalformed) {
    for (const std::string_view text :
         {"", "00", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
          "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-extra",
          "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-011",
          "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
          "0x-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
          "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
          "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
          "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
          "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g",
          "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
          "00-4bf92f3577b34da6a3ce929d0e0e473600-f067aa0ba902b7-01"}) {
        EXPECT_FALSE(ParseTraceparent(text)) << text;
    }
}

// Goal: one changed byte gives nothing or another valid context, never something else.
// Method: change every byte of the example to every value.
TEST(TraceContextTest, EveryChangedByteIsHandled) {
    for (std::size_t i = 0; i < kExample.size(); ++i) {
        for (int value = 0; value < 256; ++value) {
            std::string text(kExample);
            text[i] = static_cast<char>(value);
            const auto context = ParseTraceparent(text);
            if (!context) continue;
            EXPECT_EQ(FormatTraceparent(*context).substr(3, 49), text.substr(3, 49));
        }
    }
}

TEST(TraceContextTest, LogLinesCarryTheIds) {
    const auto lines = LogContextOf(*ParseTraceparent(kExample), "r-1");
    EXPECT_EQ(std::string(lines.trace_id.data(), 32), "4bf92f3577b34da6a3ce929d0e0e4736");
    EXPECT_EQ(std::string(lines.span_id.data(), 16), "00f067aa0ba902b7");
    EXPECT_EQ(std::string(lines.request_id.data()), "r-1");
    EXPECT_EQ(LogContextOf(SpanContext{}).trace_id[0], '\0');
}

}  // namespace
}  // namespace kessai::tracing
