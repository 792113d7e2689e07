// Goal: an answer is taken as an acknowledgement only when it says so, as a refusal only when
// nothing was done, and otherwise as unknown. Method: answers of both interfaces, and broken ones.

#include "load/outcomes.h"

#include <gtest/gtest.h>

namespace kessai::load {
namespace {

class OutcomesTest : public ::testing::Test {
 protected:
    Answer Answered(int status, std::string body) {
        body_ = std::move(body);
        const std::size_t size = body_.size();
        body_.resize(size + Answer::kPaddingBytes);
        Answer answer;
        answer.fate = Answer::Fate::kAnswered;
        answer.status = status;
        answer.body = std::string_view(body_).substr(0, size);
        return answer;
    }
    static Answer Lost(Answer::Fate fate, std::string_view reason) {
        Answer answer;
        answer.fate = fate;
        answer.reason = reason;
        return answer;
    }
    Outcome Paid(int status, std::string body) {
        return ReadPaidCode(Answered(status, std::move(body)), paid_);
    }
    Outcome Created(int status, std::string body) {
        return ReadCreatedCode(Answered(status, std::move(body)), code_id_);
    }

    std::string body_;
    std::string code_id_;
    PaidCode paid_;
};

TEST_F(OutcomesTest, ReadsACreatedCode) {
    // Both parts of the envelope have a codeId; the code's is in data.
    const auto outcome =
        Created(201, R"({"resultInfo":{"code":"SUCCESS","message":"Success","codeId":"08100001"},)"
                     R"("data":{"codeId":"04-DXod9mVD0nFX5dyp","url":"https://localhost"}})");
    EXPECT_EQ(outcome.verdict, Verdict::kAcknowledged);
    EXPECT_EQ(outcome.reason, "");
    EXPECT_EQ(code_id_, "04-DXod9mVD0nFX5dyp");
}

TEST_F(OutcomesTest, ReadsRefusalsOfPartners) {
    const auto refused =
        Created(400, R"({"resultInfo":{"code":"DUPLICATE_DYNAMIC_QR_REQUEST","message":"m",)"
                     R"("codeId":"01652073"},"data":null})");
    EXPECT_EQ(refused.verdict, Verdict::kRefused);
    EXPECT_EQ(refused.reason, "DUPLICATE_DYNAMIC_QR_REQUEST");
    const auto limited =
        Created(429, R"({"resultInfo":{"code":"RATE_LIMIT","codeId":"08100998"},"data":null})");
    EXPECT_EQ(limited.verdict, Verdict::kNotDone);
    EXPECT_EQ(limited.reason, "RATE_LIMIT");
    const auto broken = Created(
        500, R"({"resultInfo":{"code":"INTERNAL_SERVER_ERROR","codeId":"08101000"},"data":null})");
    EXPECT_EQ(broken.verdict, Verdict::kUnknown);
    EXPECT_EQ(broken.reason, "INTERNAL_SERVER_ERROR");
}

TEST_F(OutcomesTest, ReadsAPayment) {
    const auto outcome =
        Paid(201, R"({"paymentId":"2046001234567890123","codeId":"04-x","status":"COMPLETED",)"
                  R"("amount":{"amount":1200,"currency":"JPY"},"canceledAt":null})");
    EXPECT_EQ(outcome.verdict, Verdict::kAcknowledged) << outcome.reason;
    EXPECT_EQ(paid_.payment_id, 2046001234567890123);
    EXPECT_EQ(paid_.amount, 1200);
}

TEST_F(OutcomesTest, ReadsRefusalsOfTheApp) {
    const auto refused = Paid(409, R"({"type":"urn:kessai:problem:CODE_EXPIRED","status":409,)"
                                   R"("code":"CODE_EXPIRED","requestId":"OPA1"})");
    EXPECT_EQ(refused.verdict, Verdict::kRefused);
    EXPECT_EQ(refused.reason, "CODE_EXPIRED");
    const auto down = Paid(503, R"({"status":503,"code":"UNAVAILABLE"})");
    EXPECT_EQ(down.verdict, Verdict::kNotDone);
    EXPECT_EQ(down.reason, "UNAVAILABLE");
    const auto unknown = Paid(504, R"({"code":"OUTCOME_UNKNOWN","outcomeUnknown":true})");
    EXPECT_EQ(unknown.verdict, Verdict::kUnknown);
    EXPECT_EQ(unknown.reason, "OUTCOME_UNKNOWN");
    // What it says counts, whatever the status.
    EXPECT_EQ(Paid(503, R"({"outcomeUnknown":true,"code":"UNAVAILABLE"})").verdict,
              Verdict::kUnknown);
}

TEST_F(OutcomesTest, TakesNoOtherSuccessForAnAcknowledgement) {
    for (const char* body :
         {"", "{}", "null", "[]", "not json", R"({"paymentId":"12","status":"OPEN"})",
          R"({"paymentId":null,"status":"COMPLETED","amount":{"amount":1}})",
          R"({"paymentId":"12","status":"COMPLETED"})",
          R"({"paymentId":"x12","status":"COMPLETED","amount":{"amount":1}})",
          R"({"paymentId":"12","status":"COMPLETED","amount":{"amount":1)"}) {
        const auto outcome = Paid(201, body);
        EXPECT_EQ(outcome.verdict, Verdict::kUnknown) << body;
        EXPECT_EQ(outcome.reason, "ANSWER_UNEXPECTED") << body;
    }
    EXPECT_EQ(Created(201, R"({"data":{"codeId":""}})").verdict, Verdict::kUnknown);
    EXPECT_EQ(Created(200, R"({"data":{"codeId":"04-x"}})").verdict, Verdict::kUnknown);
}

TEST_F(OutcomesTest, NamesTheStatusWhenTheBodySaysNothing) {
    EXPECT_EQ(Paid(502, "<html>").reason, "HTTP_502");
    EXPECT_EQ(Paid(502, "").verdict, Verdict::kUnknown);
    EXPECT_EQ(Paid(404, "").reason, "HTTP_404");
}

TEST_F(OutcomesTest, KeepsTheClientsReasons) {
    const auto lost = ReadPaidCode(Lost(Answer::Fate::kUnknown, "TIMED_OUT"), paid_);
    EXPECT_EQ(lost.verdict, Verdict::kUnknown);
    EXPECT_EQ(lost.reason, "TIMED_OUT");
    const auto unsent = ReadPaidCode(Lost(Answer::Fate::kNotSent, "CONNECT_FAILED"), paid_);
    EXPECT_EQ(unsent.verdict, Verdict::kNotDone);
    EXPECT_EQ(unsent.reason, "CONNECT_FAILED");
}

TEST_F(OutcomesTest, ReadsWhatBecameOfACode) {
    CodePayment payment;
    const auto open = ReadCodePayment(
        Answered(200, R"({"resultInfo":{"code":"SUCCESS"},"data":{"paymentId":null,)"
                      R"("status":"CREATED","amount":{"amount":5,"currency":"JPY"}}})"),
        payment);
    EXPECT_EQ(open.verdict, Verdict::kAcknowledged) << open.reason;
    EXPECT_EQ(payment.status, "CREATED");
    EXPECT_EQ(payment.payment_id, 0);
    EXPECT_EQ(payment.amount, 5);
    const auto paid = ReadCodePayment(
        Answered(200, R"({"resultInfo":{"code":"SUCCESS"},"data":{"paymentId":"77",)"
                      R"("status":"COMPLETED","refunds":null,"amount":{"amount":5}}})"),
        payment);
    EXPECT_EQ(paid.verdict, Verdict::kAcknowledged);
    EXPECT_EQ(payment.payment_id, 77);
}

TEST(TextAt, FindsTextsAndNumbers) {
    const std::string json = R"({"data":{"apiKey":"k","ids":[5,6],"on":true},"none":null})";
    EXPECT_EQ(TextAt(json, "data/apiKey"), "k");
    EXPECT_EQ(TextAt(json, "data/ids/1"), "6");
    EXPECT_EQ(TextAt(json, "data/on"), "true");
    EXPECT_EQ(TextAt(json, "none"), "");
    EXPECT_EQ(TextAt(json, "data/missing"), "");
    EXPECT_EQ(TextAt("not json", "data"), "");
}

}  // namespace
}  // namespace kessai::load
