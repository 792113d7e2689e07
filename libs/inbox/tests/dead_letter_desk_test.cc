// Goal: an operator sees a service's dead letters and what waits behind them, replays and discards
// them through the service's own handler, and who did what and why is kept; nobody else can.
// Method: the desk over a real database and topic, called through a gRPC server with internal
// tokens of several callers.
#include "kessai/inbox/dead_letter_desk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "inbox_fixture.h"
#include "kessai/auth/token.h"
#include "kessai/rpc/call.h"
#include "kessai/rpc/channel.h"
#include "kessai/rpc/server.h"

namespace kessai::inbox {
namespace {

using ::testing::IsEmpty;
using testing::Refuses;
using ::testing::SizeIs;

constexpr std::string_view kKeys =
    "key 1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\nsign 1\n";

constexpr rpc::Name kDesk = "kessai.inbox.v1.DeadLetterService";
constexpr auto& ListMethod = rpc::MethodOf<kDesk, "ListDeadLetters", v1::ListDeadLettersRequest,
                                           v1::ListDeadLettersResponse>;
constexpr auto& GetMethod =
    rpc::MethodOf<kDesk, "GetDeadLetter", v1::GetDeadLetterRequest, v1::DeadLetterDetails>;
constexpr auto& ReplayMethod =
    rpc::MethodOf<kDesk, "ReplayDeadLetter", v1::SettleDeadLetterRequest, v1::SettleOutcome>;
constexpr auto& DiscardMethod =
    rpc::MethodOf<kDesk, "DiscardDeadLetter", v1::SettleDeadLetterRequest, v1::SettleOutcome>;

class DeadLetterDeskTest : public InboxTest {
 protected:
    DeadLetterDeskTest() {
        desk_.Add(Options(), handler_);
        server_.Add(desk_.MakeService(workers_));
        EXPECT_THAT(server_.Start(), testing::IsOk());
        auto channel = rpc::Channel::Create(
            {.target = "127.0.0.1:" + std::to_string(server_.port())}, SystemClock());
        EXPECT_THAT(channel, testing::IsOk());
        channel_.emplace(*channel);
    }
    ~DeadLetterDeskTest() override { server_.Stop(std::chrono::seconds(5)); }

    // Calls as an operator with these scopes.
    template <class Request, class Response>
    Result<Response> Call(const rpc::Method<Request, Response>& method, const Request& request,
                          std::vector<std::string> scopes = {"dlq:read", "dlq:write"}) {
        const auto token = signer_.Mint(
            {.role = auth::Role::kOperator, .subject = "aiko", .scopes = std::move(scopes)},
            "test");
        EXPECT_THAT(token, testing::IsOk());
        return rpc::Call(*channel_, method, request, {.token = *token, .wait_for_ready = true});
    }
    static v1::SettleDeadLetterRequest About(const v1::DeadLetter& letter, std::string note) {
        v1::SettleDeadLetterRequest request;
        request.set_dead_letter(letter.dead_letter());
        request.set_note(std::move(note));
        return request;
    }
    std::vector<v1::DeadLetter> Listed(const v1::ListDeadLettersRequest& request = {}) {
        auto listed = Call(ListMethod(), request);
        EXPECT_THAT(listed, testing::IsOk());
        if (!listed.ok()) return {};
        return {listed->dead_letters().begin(), listed->dead_letters().end()};
    }
    v1::DeadLetterDetails Details(const v1::DeadLetter& letter) {
        v1::GetDeadLetterRequest request;
        request.set_dead_letter(letter.dead_letter());
        auto details = Call(GetMethod(), request);
        EXPECT_THAT(details, testing::IsOk());
        return details.ok() ? *details : v1::DeadLetterDetails();
    }
    // Object 1 has a rejected version 2, with versions 3 and 4 parked behind it.
    v1::DeadLetter Break() {
        handler_.rejected = {"bad"};
        Publish({{1, 1}, {1, 2, "bad"}, {1, 3}, {1, 4}});
        consumer_ = StartConsumer();
        EXPECT_EVENTUALLY(Count("parked_event") == 2);
        const auto letters = Listed();
        EXPECT_THAT(letters, SizeIs(1));
        return letters.empty() ? v1::DeadLetter() : letters.front();
    }
    void Repair() {
        const std::lock_guard lock(handler_.mutex);
        handler_.rejected.clear();
    }

    auth::FixedKeyRing keys_{*auth::KeyRing::Parse(kKeys)};
    auth::TokenSigner signer_{keys_, SystemClock()};
    auth::TokenVerifier verifier_{keys_, SystemClock(), {.audience = "test"}};
    rpc::WorkerPool workers_{{.name = "desk", .threads = 2}};
    DeadLetterDesk desk_{*pool_, SystemClock()};
    rpc::Server server_{{}, SystemClock(), verifier_, nullptr};
    std::optional<rpc::Channel> channel_;
    std::unique_ptr<Consumer> consumer_;
};

TEST_F(DeadLetterDeskTest, ShowsADeadLetterWithWhatWaitsBehindIt) {
    const v1::DeadLetter letter = Break();
    EXPECT_EQ(letter.state(), v1::DeadLetter::OPEN);
    EXPECT_EQ(letter.topic(), topic_);
    EXPECT_EQ(letter.object_id(), 1);
    EXPECT_EQ(letter.version(), 2u);
    EXPECT_EQ(letter.code(), "FAILED_PRECONDITION");
    EXPECT_EQ(letter.reason(), "TEST_REJECTED");
    EXPECT_EQ(letter.parked(), 2);
    const auto details = Details(letter);
    EXPECT_EQ(details.value(), Sealed({1, 2, "bad"}));
    EXPECT_EQ(details.value_bytes(), details.value().size());
    ASSERT_THAT(details.parked(), SizeIs(2));
    EXPECT_EQ(details.parked(0).version(), 3u);
    EXPECT_EQ(details.parked(1).version(), 4u);
    EXPECT_GT(details.parked(0).parked_at_us(), 0);
    EXPECT_THAT(details.history(), IsEmpty());
}

// Goal: a replay that fails, the repair, and the replay that succeeds are all in the history.
TEST_F(DeadLetterDeskTest, ReplaysThroughTheHandlerAndKeepsWhoDidWhat) {
    const v1::DeadLetter letter = Break();
    auto outcome = Call(ReplayMethod(), About(letter, "first try"));
    ASSERT_OK(outcome);
    ASSERT_TRUE(outcome->has_stopped_by());
    EXPECT_EQ(outcome->stopped_by().reason(), "TEST_REJECTED");
    EXPECT_EQ(outcome->applied(), 0u);
    EXPECT_EQ(VersionsOf(1), "1");

    Repair();
    outcome = Call(ReplayMethod(), About(letter, "the handler is repaired"));
    ASSERT_OK(outcome);
    EXPECT_FALSE(outcome->has_stopped_by());
    EXPECT_EQ(outcome->applied(), 3u);
    EXPECT_EQ(VersionsOf(1), "1,2,3,4");

    EXPECT_THAT(Listed(), IsEmpty());
    const auto details = Details(letter);
    EXPECT_EQ(details.dead_letter().state(), v1::DeadLetter::REPLAYED);
    EXPECT_EQ(details.dead_letter().settled_by(), "aiko");
    ASSERT_THAT(details.history(), SizeIs(2));
    EXPECT_EQ(details.history(0).kind(), v1::DeadLetterAction::REPLAY);
    EXPECT_EQ(details.history(0).refusal(), "TEST_REJECTED");
    EXPECT_EQ(details.history(0).parked(), 2);
    EXPECT_EQ(details.history(1).operator_(), "aiko");
    EXPECT_EQ(details.history(1).note(), "the handler is repaired");
    EXPECT_EQ(details.history(1).applied(), 3u);
    EXPECT_EQ(details.history(1).refusal(), "");
    EXPECT_GE(details.history(1).at_us(), details.history(0).at_us());
    EXPECT_THAT(Call(ReplayMethod(), About(letter, "again")),
                Refuses(Code::kFailedPrecondition, reason::kDeadLetterSettled));
}

TEST_F(DeadLetterDeskTest, DiscardsOnlyWithANote) {
    const v1::DeadLetter letter = Break();
    EXPECT_THAT(Call(DiscardMethod(), About(letter, "")),
                Refuses(Code::kInvalidArgument, reason::kDeadLetterNoteMissing));
    EXPECT_THAT(Call(DiscardMethod(), About(letter, std::string(1'001, 'x'))),
                Refuses(Code::kInvalidArgument, reason::kNoteTooLong));
    const auto outcome = Call(DiscardMethod(), About(letter, "sent twice by mistake"));
    ASSERT_OK(outcome);
    EXPECT_EQ(outcome->applied(), 2u);
    EXPECT_EQ(VersionsOf(1), "1,3,4");
    const auto details = Details(letter);
    EXPECT_EQ(details.dead_letter().state(), v1::DeadLetter::DISCARDED);
    ASSERT_THAT(details.history(), SizeIs(1));
    EXPECT_EQ(details.history(0).kind(), v1::DeadLetterAction::DISCARD);
    EXPECT_EQ(details.history(0).note(), "sent twice by mistake");
}

TEST_F(DeadLetterDeskTest, ListsPageByPage) {
    handler_.rejected = {"bad"};
    std::vector<Put> events;
    for (std::int64_t object = 1; object <= 7; ++object) events.push_back({object, 1, "bad"});
    Publish(events);
    consumer_ = StartConsumer();
    ASSERT_EVENTUALLY(Count("dead_letter") == 7);

    std::set<std::string> seen;
    v1::ListDeadLettersRequest request;
    request.set_page_size(3);
    int pages = 0;
    do {
        const auto page = Call(ListMethod(), request);
        ASSERT_OK(page);
        for (const auto& letter : page->dead_letters()) seen.insert(letter.dead_letter());
        request.set_page_token(page->next_page_token());
        ASSERT_LE(++pages, 3);
    } while (!request.page_token().empty());
    EXPECT_EQ(pages, 3);
    EXPECT_THAT(seen, SizeIs(7));

    v1::ListDeadLettersRequest of_one;
    of_one.set_object_id(5);
    EXPECT_THAT(Listed(of_one), SizeIs(1));
    v1::ListDeadLettersRequest discarded;
    discarded.set_state(v1::DeadLetter::DISCARDED);
    EXPECT_THAT(Listed(discarded), IsEmpty());
}

// Goal: what makes no sense is refused by name, and looking does not allow changing.
TEST_F(DeadLetterDeskTest, RefusesByName) {
    v1::DeadLetter unknown;
    unknown.set_dead_letter("elsewhere.v1/0/1");
    EXPECT_THAT(Call(ReplayMethod(), About(unknown, "x")),
                Refuses(Code::kNotFound, reason::kTopicNotConsumed));
    unknown.set_dead_letter(topic_ + "/0/1");
    EXPECT_THAT(Call(ReplayMethod(), About(unknown, "x")),
                Refuses(Code::kNotFound, reason::kDeadLetterUnknown));
    unknown.set_dead_letter("what?");
    EXPECT_THAT(Call(ReplayMethod(), About(unknown, "x")),
                Refuses(Code::kInvalidArgument, reason::kDeadLetterIdMalformed));
    v1::GetDeadLetterRequest get;
    get.set_dead_letter(topic_ + "/0/1");
    EXPECT_THAT(Call(GetMethod(), get), Refuses(Code::kNotFound, reason::kDeadLetterUnknown));
    v1::ListDeadLettersRequest list;
    list.set_page_size(201);
    EXPECT_THAT(Call(ListMethod(), list),
                Refuses(Code::kInvalidArgument, reason::kPageSizeOutOfRange));
    list.set_page_size(1);
    list.set_page_token("none of ours");
    EXPECT_THAT(Call(ListMethod(), list),
                Refuses(Code::kInvalidArgument, reason::kPageTokenInvalid));

    unknown.set_dead_letter(topic_ + "/0/1");
    for (const auto* method : {&ReplayMethod(), &DiscardMethod()}) {
        EXPECT_THAT(Call(*method, About(unknown, "x"), {"dlq:read"}),
                    Refuses(Code::kPermissionDenied, auth::reason::kRoleNotAllowed));
    }
    EXPECT_THAT(Call(ListMethod(), {}, {"payout:read"}),
                Refuses(Code::kPermissionDenied, auth::reason::kRoleNotAllowed));
}

}  // namespace
}  // namespace kessai::inbox
