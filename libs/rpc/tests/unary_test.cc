// Goal: every call gets deadline, token, rule, trace, refusals and accounts from the library, and
// handlers see none of it.
// Method: a real server of the payment contract on loopback, whose handlers the tests decide,
// called through the library's client.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <latch>
#include <limits>
#include <stdexcept>
#include <thread>

#include "kessai/rpc/status.h"
#include "raw_call.h"
#include "test_service.h"

namespace kessai::rpc {
namespace {

class UnaryTest : public ::testing::Test {
 protected:
    CallOptions AsMerchant(Duration timeout = seconds(5)) {
        token_ = tokens_.Merchant();
        return {.timeout = timeout, .token = token_};
    }

    TestTokens tokens_;
    std::string token_;
};

pb::GetPaymentRequest RequestFor(const std::string& id) {
    pb::GetPaymentRequest request;
    request.set_merchant_payment_id(id);
    return request;
}

Result<pb::Payment> Echo(const CallContext& call, const pb::GetPaymentRequest& request) {
    pb::Payment payment;
    payment.set_merchant_id(call.principal().merchant_id);
    payment.set_merchant_payment_id(request.merchant_payment_id());
    return payment;
}

TEST_F(UnaryTest, HandlerGetsWhoCallsAndAnswers) {
    RecordingObserver observer;
    TestServer server(
        tokens_,
        {.get_payment = [](const CallContext& call,
                           const pb::GetPaymentRequest& request) -> Result<pb::Payment> {
            EXPECT_EQ(call.method(), "GetPayment");
            EXPECT_EQ(call.traceparent(), "child-of-00-abc");
            EXPECT_FALSE(call.cancelled());
            EXPECT_TRUE(RecordingObserver::InCall());
            const auto left = call.deadline() - SystemClock().SteadyNow();
            EXPECT_GT(left, seconds(1));
            // gRPC rounds a time-out up on the wire.
            EXPECT_LE(left, milliseconds(2'100));
            return Echo(call, request);
        }},
        {}, &observer);
    const Channel channel = ChannelTo(server.address());
    CallOptions options = AsMerchant(seconds(2));
    options.traceparent = "00-abc";

    const auto payment = Call(channel, GetPaymentMethod(), RequestFor("order-1"), options);

    ASSERT_TRUE(payment.ok()) << payment.status().ToString();
    EXPECT_EQ(payment->merchant_id(), 7);
    EXPECT_EQ(payment->merchant_payment_id(), "order-1");
    const auto seen = observer.seen();
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_EQ(observer.started(), 1U);
    EXPECT_EQ(seen[0].method, "GetPayment");
    EXPECT_EQ(seen[0].code, Code::kOk);
    EXPECT_EQ(seen[0].subject, "key-7");
    EXPECT_EQ(seen[0].parent, "00-abc");
}

TEST_F(UnaryTest, RefusalsKeepCodeReasonAndMessage) {
    TestServer server(tokens_,
                      {.get_payment = [](const CallContext&,
                                         const pb::GetPaymentRequest&) -> Result<pb::Payment> {
                          return Status(Code::kNotFound, "PAYMENT_UNKNOWN", "no payment 決済-1");
                      }});
    const Channel channel = ChannelTo(server.address());
    const auto payment = Call(channel, GetPaymentMethod(), RequestFor("x"), AsMerchant());
    EXPECT_EQ(payment.status().code(), Code::kNotFound);
    EXPECT_EQ(payment.status().reason(), "PAYMENT_UNKNOWN");
    EXPECT_EQ(payment.status().message(), "no payment 決済-1");
    EXPECT_FALSE(OutcomeUnknown(payment.status()));
}

TEST_F(UnaryTest, CallersWithoutTheRightTokenAreRefusedBeforeTheHandler) {
    std::atomic<int> handled = 0;
    RecordingObserver observer;
    TestServer server(
        tokens_,
        {.get_payment =
             [&](const CallContext& call, const pb::GetPaymentRequest& request) {
                 ++handled;
                 return Echo(call, request);
             },
         .list_day_rows =
             [&](const CallContext&, const pb::ListDayRowsRequest&, StreamWriter<pb::DayRowPage>&) {
                 ++handled;
                 return Status();
             }},
        {}, &observer);
    const Channel channel = ChannelTo(server.address());
    const auto reason_for = [&](std::string_view token) {
        return std::string(
            Call(channel, GetPaymentMethod(), RequestFor("x"), {.token = token}).status().reason());
    };
    EXPECT_EQ(reason_for(""), auth::reason::kTokenInvalid);
    EXPECT_EQ(reason_for("\x01 not a token"), auth::reason::kTokenInvalid);
    EXPECT_EQ(reason_for(tokens_.User()), auth::reason::kRoleNotAllowed);
    EXPECT_EQ(reason_for(tokens_.Operator("day:read")), auth::reason::kRoleNotAllowed);
    const auto list = [&](const std::string& token) {
        return CallStreaming(channel, ListDayRowsMethod(), pb::ListDayRowsRequest(),
                             {.token = token}, [](const pb::DayRowPage&) { return Status(); });
    };
    EXPECT_EQ(list(tokens_.Operator("day:close")).reason(), auth::reason::kRoleNotAllowed);
    EXPECT_EQ(list("").reason(), auth::reason::kTokenInvalid);
    EXPECT_EQ(handled, 0);
    EXPECT_TRUE(list(tokens_.Operator("day:read")).ok());
    EXPECT_EQ(handled, 1);
    EXPECT_EQ(observer.seen().size(), 7U);
}

TEST_F(UnaryTest, DeadlinesHaveADefaultAndALongest) {
    std::atomic<Duration::rep> left_us = 0;
    ServerOptions options;
    options.deadline_default = seconds(3);
    options.deadline_max = seconds(10);
    TestServer server(tokens_,
                      {.get_payment =
                           [&](const CallContext& call, const pb::GetPaymentRequest& request) {
                               left_us = std::chrono::duration_cast<Duration>(
                                             call.deadline() - SystemClock().SteadyNow())
                                             .count();
                               return Echo(call, request);
                           }},
                      options);
    const Channel channel = ChannelTo(server.address());
    ASSERT_TRUE(
        Call(channel, GetPaymentMethod(), RequestFor("x"), AsMerchant(std::chrono::hours(1))).ok());
    EXPECT_LE(Duration(left_us), seconds(10));
    EXPECT_GT(Duration(left_us), seconds(9));
    // A client that sets none, which ours never does.
    EXPECT_TRUE(CallWithoutDeadline(channel, tokens_.Merchant()).ok());
    EXPECT_LE(Duration(left_us), seconds(3));
    EXPECT_GT(Duration(left_us), seconds(2));
}

// Goal: no stream outlives the server's own bounds, whatever deadline its caller gave.
// Method: a handler that writes without an end; one caller gives no deadline and reads nothing, the
// other gives a long one and reads all.
TEST_F(UnaryTest, StreamsEndWithTheServersBounds) {
    std::promise<void> unread_ended;
    std::atomic<int> ended = 0;
    ServerOptions options;
    options.deadline_default = seconds(1);
    options.deadline_max = seconds(2);
    TestServer server(
        tokens_,
        {.list_day_rows =
             [&](const CallContext&, const pb::ListDayRowsRequest&,
                 StreamWriter<pb::DayRowPage>& rows) {
                 pb::DayRowPage page;
                 page.add_rows()->set_object_id(std::numeric_limits<std::int64_t>::max());
                 while (rows.Write(page)) {
                 }
                 if (++ended == 1) unread_ended.set_value();
                 return Status(Code::kCancelled, "GONE", "");
             }},
        options);
    const Channel channel = ChannelTo(server.address());
    {
        const UnreadStream unread(channel, tokens_.Operator("day:read"));
        EXPECT_EQ(unread_ended.get_future().wait_for(seconds(10)), std::future_status::ready);
    }
    const std::string token = tokens_.Operator("day:read");
    const SteadyInstant begun = SystemClock().SteadyNow();
    EXPECT_FALSE(CallStreaming(channel, ListDayRowsMethod(), pb::ListDayRowsRequest(),
                               {.timeout = seconds(20), .token = token},
                               [](const pb::DayRowPage&) { return Status(); })
                     .ok());
    EXPECT_LT(SystemClock().SteadyNow() - begun, seconds(15));
}

TEST_F(UnaryTest, CallerStopsWaitingAtItsDeadlineAndTheHandlerHears) {
    std::latch cancelled(1);
    TestServer server(tokens_, {.get_code = [&](const CallContext& call, const pb::GetCodeRequest&,
                                                Answer<pb::Payment> answer) {
                          std::thread([&cancelled, &call, answer = std::move(answer)]() mutable {
                              EXPECT_TRUE(Eventually([&] { return call.cancelled(); }));
                              answer(pb::Payment());
                              cancelled.count_down();
                          }).detach();
                      }});
    const Channel channel = ChannelTo(server.address());
    const auto outcome =
        Call(channel, GetCodeMethod(), pb::GetCodeRequest(), AsMerchant(milliseconds(50)));
    EXPECT_EQ(outcome.status().code(), Code::kDeadlineExceeded);
    EXPECT_EQ(outcome.status().reason(), reason::kOutcomeUnknown);
    EXPECT_TRUE(OutcomeUnknown(outcome.status()));
    cancelled.wait();
}

TEST_F(UnaryTest, CallThatHasNoTimeLeftIsNotSent) {
    std::atomic<int> handled = 0;
    TestServer server(tokens_, {.get_payment = [&](const CallContext& call,
                                                   const pb::GetPaymentRequest& request) {
                          ++handled;
                          return Echo(call, request);
                      }});
    const Channel channel = ChannelTo(server.address());
    CallOptions options = AsMerchant();
    options.deadline = SystemClock().SteadyNow() - milliseconds(1);
    const auto outcome = Call(channel, GetPaymentMethod(), RequestFor("x"), options);
    EXPECT_EQ(outcome.status().code(), Code::kDeadlineExceeded);
    EXPECT_EQ(outcome.status().reason(), reason::kNotSent);
    EXPECT_FALSE(OutcomeUnknown(outcome.status()));

    std::promise<Status> done;
    CallAsync<pb::GetPaymentRequest, pb::Payment>(
        channel, GetPaymentMethod(), RequestFor("x"), options,
        [&](Result<pb::Payment> result) { done.set_value(result.status()); });
    EXPECT_EQ(done.get_future().get().reason(), reason::kNotSent);
    EXPECT_EQ(handled, 0);
}

// The pool and its queue are full: the next call is refused at once, while those before are fine.
TEST_F(UnaryTest, FullQueueRefusesAtOnce) {
    std::mutex mutex;
    std::condition_variable wake;
    bool open = false;
    std::atomic<int> inside = 0;
    TestServer server(tokens_,
                      {.get_payment =
                           [&](const CallContext& call, const pb::GetPaymentRequest& request) {
                               ++inside;
                               std::unique_lock lock(mutex);
                               wake.wait(lock, [&] { return open; });
                               return Echo(call, request);
                           },
                       .threads = 2,
                       .queue_max = 3});
    const Channel channel = ChannelTo(server.address());
    std::atomic<int> answered = 0;
    const std::string token = tokens_.Merchant();
    const auto start = [&] {
        CallAsync<pb::GetPaymentRequest, pb::Payment>(channel, GetPaymentMethod(), RequestFor("x"),
                                                      {.timeout = seconds(30), .token = token},
                                                      [&](Result<pb::Payment> result) {
                                                          if (result.ok()) ++answered;
                                                      });
    };
    for (int i = 0; i < 2; ++i) start();
    ASSERT_TRUE(Eventually([&] { return inside == 2; }));
    for (int i = 0; i < 3; ++i) start();
    ASSERT_TRUE(Eventually([&] { return server.pool().counts().queued == 3; }));

    const auto refused = Call(channel, GetPaymentMethod(), RequestFor("x"), AsMerchant());
    EXPECT_EQ(refused.status().code(), Code::kResourceExhausted);
    EXPECT_EQ(refused.status().reason(), reason::kQueueFull);
    EXPECT_EQ(server.pool().counts().refused, 1U);

    {
        const std::lock_guard lock(mutex);
        open = true;
    }
    wake.notify_all();
    EXPECT_TRUE(Eventually([&] { return answered == 5; }));
}

// What queued past its deadline is not begun: its caller has gone.
TEST_F(UnaryTest, CallWhoseDeadlinePassedInTheQueueIsDropped) {
    std::mutex mutex;
    std::condition_variable wake;
    bool open = false;
    std::atomic<int> begun = 0;
    TestServer server(tokens_,
                      {.get_payment =
                           [&](const CallContext& call, const pb::GetPaymentRequest& request) {
                               ++begun;
                               std::unique_lock lock(mutex);
                               wake.wait(lock, [&] { return open; });
                               return Echo(call, request);
                           },
                       .threads = 1});
    const Channel channel = ChannelTo(server.address());
    std::promise<Status> first;
    const std::string token = tokens_.Merchant();
    CallAsync<pb::GetPaymentRequest, pb::Payment>(
        channel, GetPaymentMethod(), RequestFor("x"), {.timeout = seconds(30), .token = token},
        [&](Result<pb::Payment> result) { first.set_value(result.status()); });
    ASSERT_TRUE(Eventually([&] { return begun == 1; }));
    EXPECT_EQ(Call(channel, GetPaymentMethod(), RequestFor("x"), AsMerchant(milliseconds(40)))
                  .status()
                  .code(),
              Code::kDeadlineExceeded);
    // The server's own deadline is some milliseconds later: gRPC rounds time-outs up.
    const SteadyInstant passed = SystemClock().SteadyNow() + milliseconds(250);
    ASSERT_TRUE(Eventually([&] { return SystemClock().SteadyNow() >= passed; }));
    {
        const std::lock_guard lock(mutex);
        open = true;
    }
    wake.notify_all();
    EXPECT_TRUE(first.get_future().get().ok());
    EXPECT_TRUE(Eventually([&] { return server.pool().counts().queued == 0; }));
    EXPECT_TRUE(server.server().Stop(seconds(10)));
    EXPECT_EQ(begun, 1);
}

TEST_F(UnaryTest, MalformedBytesAreRefusedByName) {
    std::atomic<int> handled = 0;
    TestServer server(tokens_, {.get_payment = [&](const CallContext& call,
                                                   const pb::GetPaymentRequest& request) {
                          ++handled;
                          return Echo(call, request);
                      }});
    const Channel channel = ChannelTo(server.address());
    for (const std::string& bytes : {std::string("\xff\xff\xff"),
                                     std::string("\x0a\x7f"
                                                 "abc"),
                                     std::string("\x0a\x03\xff\xfe\xfd")}) {
        const Status refused = CallWithBytes(channel, "GetPayment", bytes, tokens_.Merchant());
        EXPECT_EQ(refused.code(), Code::kInvalidArgument);
        EXPECT_EQ(refused.reason(), reason::kMessageMalformed);
    }
    EXPECT_EQ(handled, 0);
    // Fields from a later version of the contract are let through.
    EXPECT_TRUE(
        CallWithBytes(channel, "GetPayment", "\x0a\x01x\xf8\x07\x01", tokens_.Merchant()).ok());
    EXPECT_EQ(handled, 1);
}

TEST_F(UnaryTest, MessagesAreBounded) {
    ServerOptions options;
    options.receive_bytes_max = 10'000;
    TestServer server(tokens_, {.get_payment = Echo}, options);
    const Channel channel = ChannelTo(server.address());
    EXPECT_TRUE(
        Call(channel, GetPaymentMethod(), RequestFor(std::string(9'000, 'x')), AsMerchant()).ok());
    const auto refused =
        Call(channel, GetPaymentMethod(), RequestFor(std::string(11'000, 'x')), AsMerchant());
    EXPECT_EQ(refused.status().code(), Code::kResourceExhausted);
}

TEST_F(UnaryTest, DroppedAnswersAndExceptionsAreRefusals) {
    TestServer server(tokens_, {.get_payment = [](const CallContext&, const pb::GetPaymentRequest&)
                                    -> Result<pb::Payment> { throw std::runtime_error("boom"); },
                                .get_code = [](const CallContext&, const pb::GetCodeRequest&,
                                               Answer<pb::Payment>) {}});
    const Channel channel = ChannelTo(server.address());
    const auto thrown = Call(channel, GetPaymentMethod(), RequestFor("x"), AsMerchant());
    EXPECT_EQ(thrown.status().code(), Code::kInternal);
    EXPECT_EQ(thrown.status().reason(), reason::kHandlerFailed);
    EXPECT_EQ(thrown.status().message(), "the handler threw an exception");
    const auto dropped = Call(channel, GetCodeMethod(), pb::GetCodeRequest(), AsMerchant());
    EXPECT_EQ(dropped.status().reason(), reason::kHandlerFailed);
}

TEST_F(UnaryTest, MethodThatIsLeftOutIsUnimplemented) {
    TestServer server(tokens_, {});
    const Channel channel = ChannelTo(server.address());
    const auto outcome = Call(channel, GetWalletMethod(), pb::GetWalletRequest(), AsMerchant());
    EXPECT_EQ(outcome.status().code(), Code::kUnimplemented);
    EXPECT_FALSE(OutcomeUnknown(outcome.status()));
}

TEST_F(UnaryTest, NoServerIsUnavailable) {
    const Channel channel = ChannelTo("127.0.0.1:1");
    EXPECT_EQ(Call(channel, GetPaymentMethod(), RequestFor("x"), AsMerchant()).status().code(),
              Code::kUnavailable);
    EXPECT_EQ(channel.WaitReady(milliseconds(50)).reason(), reason::kNotSent);
}

TEST_F(UnaryTest, PortInUseIsSaid) {
    TestServer server(tokens_, {});
    ServerOptions options;
    options.listen_address = server.address();
    Server second(options, SystemClock(), tokens_.verifier, nullptr);
    second.Add(MinimalService());
    const Status refused = second.Start();
    EXPECT_EQ(refused.reason(), reason::kListenFailed);
    EXPECT_THAT(std::string(refused.message()), ::testing::HasSubstr(server.address()));
}

TEST_F(UnaryTest, StreamsOfAnswersComeInOrderAndEndWithTheHandlersStatus) {
    TestServer server(
        tokens_, {.list_day_rows = [](const CallContext&, const pb::ListDayRowsRequest& request,
                                      StreamWriter<pb::DayRowPage>& rows) -> Status {
            for (std::uint32_t i = 0; i < request.bucket(); ++i) {
                pb::DayRowPage page;
                page.add_rows()->set_version(i);
                if (!rows.Write(page))
                    return Status(Code::kCancelled, "GONE", "the caller has gone");
            }
            if (request.business_date() == 1)
                return Status(Code::kFailedPrecondition, "DAY_OPEN", "");
            return {};
        }});
    const Channel channel = ChannelTo(server.address());
    const std::string token = tokens_.Operator("day:read");
    const auto list = [&](std::uint32_t count, int date, auto on_row) {
        pb::ListDayRowsRequest request;
        request.set_bucket(count);
        request.set_business_date(date);
        return CallStreaming(channel, ListDayRowsMethod(), request,
                             {.timeout = seconds(20), .token = token}, on_row);
    };
    std::uint32_t next = 0;
    EXPECT_TRUE(list(20'000, 0, [&](const pb::DayRowPage& page) {
                    EXPECT_EQ(page.rows(0).version(), next++);
                    return Status();
                }).ok());
    EXPECT_EQ(next, 20'000U);
    EXPECT_EQ(list(3, 1, [](const pb::DayRowPage&) { return Status(); }).reason(), "DAY_OPEN");
    // A reader that has seen enough; the handler comes to its end too.
    EXPECT_EQ(list(1'000'000, 0,
                   [](const pb::DayRowPage& page) {
                       return page.rows(0).version() < 10 ? Status()
                                                          : Status(Code::kAborted, "ENOUGH", "");
                   })
                  .reason(),
              "ENOUGH");
    EXPECT_TRUE(server.server().Stop(seconds(10)));
}

// A slow reader holds the handler, not the server's memory, and not past its deadline.
TEST_F(UnaryTest, StreamNobodyReadsEndsWithItsDeadline) {
    std::latch ended(1);
    TestServer server(tokens_,
                      {.list_day_rows = [&](const CallContext&, const pb::ListDayRowsRequest&,
                                            StreamWriter<pb::DayRowPage>& rows) -> Status {
                          pb::DayRowPage page;
                          page.add_rows()->set_amount(1);
                          while (rows.Write(page)) {
                          }
                          ended.count_down();
                          return {};
                      }});
    const Channel channel = ChannelTo(server.address());
    const std::string token = tokens_.Operator("day:read");
    const Status outcome =
        CallStreaming(channel, ListDayRowsMethod(), pb::ListDayRowsRequest(),
                      {.timeout = milliseconds(200), .token = token}, [&](const pb::DayRowPage&) {
                          ended.wait();
                          return Status();
                      });
    EXPECT_EQ(outcome.code(), Code::kDeadlineExceeded);
}

// Stop answers what was accepted and refuses what comes after.
TEST_F(UnaryTest, StopFinishesWhatWasAccepted) {
    std::atomic<int> begun = 0;
    std::latch release(1);
    TestServer server(tokens_, {.get_payment = [&](const CallContext& call,
                                                   const pb::GetPaymentRequest& request) {
                          ++begun;
                          release.wait();
                          return Echo(call, request);
                      }});
    const Channel channel = ChannelTo(server.address());
    const std::string token = tokens_.Merchant();
    std::atomic<int> answered = 0;
    for (int i = 0; i < 4; ++i) {
        CallAsync<pb::GetPaymentRequest, pb::Payment>(channel, GetPaymentMethod(), RequestFor("x"),
                                                      {.timeout = seconds(30), .token = token},
                                                      [&](Result<pb::Payment> result) {
                                                          if (result.ok()) ++answered;
                                                      });
    }
    ASSERT_TRUE(Eventually([&] { return begun == 4; }));
    std::thread stop([&] { EXPECT_TRUE(server.server().Stop(seconds(20))); });
    const Channel late = ChannelTo(server.address());
    EXPECT_TRUE(Eventually([&] {
        return Call(late, GetPaymentMethod(), RequestFor("x"),
                    {.timeout = milliseconds(100), .token = token})
                   .status()
                   .code() == Code::kUnavailable;
    }));
    release.count_down();
    stop.join();
    EXPECT_TRUE(Eventually([&] { return answered == 4; }));
}

TEST_F(UnaryTest, StopKeepsToItsBound) {
    std::latch release(1);
    std::atomic<int> begun = 0;
    TestServer server(tokens_, {.get_payment = [&](const CallContext& call,
                                                   const pb::GetPaymentRequest& request) {
                          ++begun;
                          // Lets go once it was cancelled.
                          EXPECT_TRUE(Eventually([&] { return call.cancelled(); }));
                          return Echo(call, request);
                      }});
    const Channel channel = ChannelTo(server.address());
    std::promise<Status> outcome;
    const std::string token = tokens_.Merchant();
    CallAsync<pb::GetPaymentRequest, pb::Payment>(
        channel, GetPaymentMethod(), RequestFor("x"), {.timeout = seconds(30), .token = token},
        [&](Result<pb::Payment> result) { outcome.set_value(result.status()); });
    ASSERT_TRUE(Eventually([&] { return begun == 1; }));
    const auto before = SystemClock().SteadyNow();
    EXPECT_FALSE(server.server().Stop(milliseconds(200)));
    EXPECT_LT(SystemClock().SteadyNow() - before, seconds(5));
    EXPECT_TRUE(OutcomeUnknown(outcome.get_future().get()));
}

// Two servers behind one name: both get calls; when one goes, its calls go to the other, and those
// that may be sent again are, so that nobody sees it.
TEST_F(UnaryTest, CallsGoRoundAndIdempotentOnesAreSentAgain) {
    std::atomic<int> first_handled = 0;
    std::atomic<int> second_handled = 0;
    const auto counting = [](std::atomic<int>& count) {
        return TestServer::Handlers{
            .get_payment = [&count](const CallContext& call, const pb::GetPaymentRequest& request) {
                ++count;
                return Echo(call, request);
            }};
    };
    auto first = std::make_unique<TestServer>(tokens_, counting(first_handled));
    TestServer second(tokens_, counting(second_handled));
    const auto channel =
        Channel::Create({.target = "ipv4:" + first->address() + "," + second.address(),
                         .retried_methods = {"/kessai.payment.v1.PaymentService/GetPayment"},
                         .tries_max = 4},
                        SystemClock())
            .value();
    ASSERT_TRUE(Eventually([&] {
        EXPECT_TRUE(Call(channel, GetPaymentMethod(), RequestFor("x"), AsMerchant()).ok());
        return first_handled > 5 && second_handled > 5;
    }));
    std::atomic<bool> stop = false;
    std::atomic<int> failed = 0;
    std::thread load([&] {
        const std::string token = tokens_.Merchant();
        while (!stop) {
            const auto outcome = Call(channel, GetPaymentMethod(), RequestFor("x"),
                                      {.timeout = seconds(20), .token = token});
            if (!outcome.ok()) {
                ++failed;
                ADD_FAILURE() << outcome.status().ToString();
            }
        }
    });
    first->server().Stop(seconds(5));
    const int before = second_handled;
    EXPECT_TRUE(Eventually([&] { return second_handled > before + 50; }));
    stop = true;
    load.join();
    EXPECT_EQ(failed, 0);
}

// The last holder of all that gRPC has may be a callback on one of gRPC's own threads.
TEST_F(UnaryTest, ChannelMayBeDroppedInACallback) {
    for (int i = 0; i < 20; ++i) {
        std::promise<Status> done;
        auto channel = std::make_shared<Channel>(ChannelTo("127.0.0.1:1"));
        Channel& started = *channel;
        CallAsync<pb::GetPaymentRequest, pb::Payment>(
            started, GetPaymentMethod(), RequestFor("x"), {},
            [&done, channel = std::move(channel)](Result<pb::Payment> result) mutable {
                channel.reset();
                done.set_value(result.status());
            });
        EXPECT_EQ(done.get_future().get().code(), Code::kUnavailable);
    }
}

}  // namespace
}  // namespace kessai::rpc
