#include <limits>

#include "domain/code_id.h"
#include "domain_fixture.h"

namespace kessai::payment::domain {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::SizeIs;

TEST(CodeIdTest, RoundTripsAndRefusesEverythingElse) {
    for (const CodeId code : {CodeId{PaymentId(1), 0}, CodeId{PaymentId(1), 0xFFFFFFFF},
                              CodeId{PaymentId(std::numeric_limits<std::int64_t>::max()), 7}}) {
        const std::string text = FormatCodeId(code);
        EXPECT_EQ(text.size(), 19u);
        EXPECT_EQ(ParseCodeId(text).value(), code) << text;
    }
    for (const char* text :
         {"", "04-", "04-zzzzzzzzzzzzzzzz", "05-0000000000000001", "04-000000000000000",
          "04-00000000000000001", "04-00000000000000!1", "04-0000000000000000"}) {
        EXPECT_EQ(ParseCodeId(text).status().reason(), "CODE_UNKNOWN") << text;
    }
}

// Goal: one payment moves the money once and leaves a journal that sums to zero.
TEST_F(DomainTest, PayingACodeMovesTheMoney) {
    GivenBalance(1'000);
    const Payment created = RunForPayment(Order("order-1", 300));
    EXPECT_EQ(created.status, PaymentStatus::kCreated);
    EXPECT_EQ(created.code_expires_at, now_ + policy_.code_lifetime);

    const auto outcome = std::get<PaymentOutcome>(Run(Pay(created)).value());
    EXPECT_EQ(outcome.payment.status, PaymentStatus::kCompleted);
    EXPECT_EQ(outcome.payment.user, kUser);
    EXPECT_EQ(outcome.payment.business_date, date_);
    EXPECT_EQ(outcome.balance, Yen(700));
    EXPECT_EQ(outcome.merchant_name, "Kissa");

    const Journal& journal = rows_.journals.back();
    EXPECT_EQ(journal.change.object, created.id.value());
    EXPECT_EQ(journal.change.version, 1u);
    EXPECT_EQ(MerchantGross(journal.change), 300);
    ASSERT_THAT(journal.postings, SizeIs(2));
    EXPECT_EQ(journal.postings[0], (Posting{AccountKind::kUserMoney, kUser.value(), -300, 700}));
    EXPECT_EQ(journal.postings[1],
              (Posting{AccountKind::kMerchantPayable, kMerchant.value(), 300, 0}));
}

// Goal: a payer who lost our reply can retry; nobody else gets the outcome.
TEST_F(DomainTest, PayingAgainGivesTheFirstOutcomeToTheSameUserOnly) {
    GivenBalance(1'000);
    const Payment created = RunForPayment(Order("order-1", 300));
    const Payment paid = RunForPayment(Pay(created));
    Advance(hours(48));
    EXPECT_EQ(RunForPayment(Pay(created)), paid);
    EXPECT_EQ(ReasonOf(PayCode{kUser, CodeOf(created), Yen(299)}), "AMOUNT_CHANGED");
    EXPECT_EQ(Balance(), 700);

    const UserId other{43};
    Run(OpenWallet{other}).value();
    EXPECT_EQ(ReasonOf(Pay(created, other)), "CODE_ALREADY_PAID");
}

// Goal: each thing that is wrong with a payment has its own refusal, and none moves money.
TEST_F(DomainTest, RefusalsOfPaying) {
    GivenBalance(100);
    const Payment code = RunForPayment(Order("order-1", 100));
    const auto journals = rows_.journals.size();

    EXPECT_EQ(ReasonOf(Pay(code, UserId(99))), "WALLET_UNKNOWN");
    EXPECT_EQ(ReasonOf(PayCode{kUser, {code.id, code.code_salt + 1}, code.amount}), "CODE_UNKNOWN");
    EXPECT_EQ(ReasonOf(PayCode{kUser, {PaymentId(5), 1}, code.amount}), "CODE_UNKNOWN");
    EXPECT_EQ(ReasonOf(PayCode{kUser, CodeOf(code), Yen(99)}), "AMOUNT_CHANGED");
    EXPECT_EQ(ReasonOf(PayCode{kUser, CodeOf(code), Yen(-100)}), "AMOUNT_OUT_OF_RANGE");
    EXPECT_EQ(ReasonOf(Pay(RunForPayment(Order("order-2", 101)))), "INSUFFICIENT_FUNDS");
    const Payment deleted = RunForPayment(Order("order-3", 10));
    RunForPayment(DeleteCode{kMerchant, CodeOf(deleted)});
    EXPECT_EQ(ReasonOf(Pay(deleted)), "CODE_DELETED");
    rows_.merchants.Change(kMerchant).suspended = true;
    EXPECT_EQ(ReasonOf(Pay(code)), "MERCHANT_SUSPENDED");
    rows_.merchants.Change(kMerchant).suspended = false;
    Advance(policy_.code_lifetime);
    EXPECT_EQ(ReasonOf(Pay(code)), "CODE_EXPIRED");

    EXPECT_EQ(rows_.journals.size(), journals);
    EXPECT_EQ(Balance(), 100);
}

// Goal: a code may be paid until the microsecond before its expiry.
TEST_F(DomainTest, ACodeIsGoodUntilItsExpiry) {
    GivenBalance(100);
    const Payment code = RunForPayment(Order("order-1", 100));
    now_ = code.code_expires_at - Duration(1);
    EXPECT_EQ(ReasonOf(Pay(code)), "");
}

// Goal: one live code or payment a merchantPaymentId; a retry of the very create is told apart.
TEST_F(DomainTest, ASecondCreateIsRefusedWhileTheFirstLives) {
    const Payment first = RunForPayment(Order("order-1", 300, 11));
    EXPECT_EQ(RunForPayment(Order("order-1", 300, 11)), first);
    EXPECT_EQ(ReasonOf(Order("order-1", 300, 12)), "DUPLICATE_CODE");

    Advance(policy_.code_lifetime);
    const Payment second = RunForPayment(Order("order-1", 300, 12));
    EXPECT_NE(second.id, first.id);
    RunForPayment(DeleteCode{kMerchant, CodeOf(second)});
    const Payment third = RunForPayment(Order("order-1", 300, 13));
    GivenBalance(300);
    RunForPayment(Pay(third));
    Advance(hours(1));
    EXPECT_EQ(ReasonOf(Order("order-1", 300, 14)), "DUPLICATE_CODE");
}

TEST_F(DomainTest, RefusalsOfCreating) {
    EXPECT_EQ(ReasonOf(Order("", 1)), "FIELD_INVALID");
    EXPECT_EQ(ReasonOf(Order("bad id", 1)), "FIELD_INVALID");
    EXPECT_EQ(ReasonOf(Order("x'; DROP TABLE payment; --", 1)), "FIELD_INVALID");
    EXPECT_EQ(ReasonOf(Order(std::string(65, 'a'), 1)), "FIELD_INVALID");
    EXPECT_EQ(ReasonOf(Order("a", 0)), "AMOUNT_OUT_OF_RANGE");
    EXPECT_EQ(ReasonOf(Order("a", -1)), "AMOUNT_OUT_OF_RANGE");
    EXPECT_EQ(ReasonOf(Order("a", policy_.payment_amount_max + 1)), "AMOUNT_OUT_OF_RANGE");
    CreateCode unknown_merchant = Order("a", 1);
    unknown_merchant.merchant = MerchantId(8);
    EXPECT_EQ(ReasonOf(unknown_merchant), "MERCHANT_UNKNOWN");
    CreateCode past = Order("a", 1);
    past.expires_at = now_;
    EXPECT_EQ(ReasonOf(past), "EXPIRY_OUT_OF_RANGE");
    past.expires_at = now_ + policy_.code_lifetime_max + Duration(1);
    EXPECT_EQ(ReasonOf(past), "EXPIRY_OUT_OF_RANGE");
    CreateCode bad_text = Order("a", 1);
    for (const char* text :
         {"\xC0\xAF", "\xED\xA0\x80", "\xF5\x80\x80\x80", "abc\xE3\x81", "\x01"}) {
        bad_text.details.order_description = text;
        EXPECT_EQ(ReasonOf(bad_text), "FIELD_INVALID");
    }
    bad_text.details.order_description = std::string(256, 'x');
    EXPECT_EQ(ReasonOf(bad_text), "FIELD_INVALID");
    std::string kanji;
    for (int i = 0; i < 255; ++i) kanji += "決";
    bad_text.details.order_description = kanji;
    EXPECT_EQ(ReasonOf(bad_text), "");
}

// Goal: cancelling gives the money back until 00:14:59 of the next day in Japan, and not after.
TEST_F(DomainTest, CancelWindowEndsAtAQuarterPastMidnightInJapan) {
    const Payment payment = GivenPaid("order-1", 500);
    now_ = date_.Next().At(minutes(14) + seconds(59)) + seconds(1) - Duration(1);
    const auto outcome = std::get<CancelOutcome>(Run(Cancel("order-1")).value());
    EXPECT_EQ(outcome.payment->status, PaymentStatus::kFailed);
    EXPECT_EQ(outcome.payment->canceled_at, now_);
    EXPECT_EQ(Balance(), 500);
    EXPECT_EQ(MerchantGross(rows_.journals.back().change), -500);
    EXPECT_EQ(rows_.journals.back().change.version, 2u);
    EXPECT_EQ(ReasonOf(Cancel("order-1")), "");  // Again changes nothing.
    EXPECT_EQ(Balance(), 500);
    EXPECT_EQ(ReasonOf(Order("order-1", 500, 99)), "PAYMENT_CANCELED");
    EXPECT_EQ(ReasonOf(RefundOf(payment, "r", 1)), "NOT_REFUNDABLE");

    now_ = date_.At(hours(13));
    GivenPaid("order-2", 500);
    now_ = date_.Next().At(minutes(15));
    EXPECT_EQ(ReasonOf(Cancel("order-2")), "NOT_REVERSIBLE");
}

// Goal: cancel before create leaves a tombstone that bars the late create, twice if need be.
TEST_F(DomainTest, CancelBeforeCreateBarsTheCreate) {
    EXPECT_FALSE(std::get<CancelOutcome>(Run(Cancel("late")).value()).payment.has_value());
    EXPECT_FALSE(std::get<CancelOutcome>(Run(Cancel("late")).value()).payment.has_value());
    EXPECT_EQ(ReasonOf(Order("late", 10)), "PAYMENT_CANCELED");
}

TEST_F(DomainTest, CancellingAnOpenCodeMakesItUnpayable) {
    GivenBalance(10);
    const Payment code = RunForPayment(Order("order-1", 10));
    EXPECT_EQ(ReasonOf(Cancel("order-1")), "");
    EXPECT_EQ(ReasonOf(Pay(code)), "PAYMENT_CANCELED");
    EXPECT_EQ(ReasonOf(DeleteCode{kMerchant, CodeOf(code)}), "CODE_ALREADY_PAID");
    EXPECT_EQ(Balance(), 10);
}

TEST_F(DomainTest, RefundsReturnAtMostWhatWasPaid) {
    rows_.merchants.Change(kMerchant).multiple_refunds = true;
    const Payment payment = GivenPaid("order-1", 500);
    const auto first = std::get<Refund>(Run(RefundOf(payment, "r-1", 200)).value());
    EXPECT_EQ(Balance(), 200);
    EXPECT_EQ(rows_.payments.Find(payment.id)->status, PaymentStatus::kRefunded);
    EXPECT_EQ(std::get<Refund>(Run(RefundOf(payment, "r-1", 200)).value()), first);
    EXPECT_EQ(Balance(), 200);
    EXPECT_EQ(ReasonOf(RefundOf(payment, "r-1", 201)), "KEY_REUSED");
    EXPECT_EQ(ReasonOf(RefundOf(payment, "r-2", 301)), "REFUND_EXCEEDS_PAYMENT");
    EXPECT_EQ(ReasonOf(RefundOf(payment, "r-2", 300)), "");
    EXPECT_EQ(rows_.journals.back().change.refunded_before, 200);
    EXPECT_EQ(ReasonOf(RefundOf(payment, "r-3", 1)), "REFUND_EXCEEDS_PAYMENT");
    EXPECT_EQ(ReasonOf(Cancel("order-1")), "NOT_REVERSIBLE");
    EXPECT_EQ(Balance(), 500);
}

TEST_F(DomainTest, RefusalsOfRefunding) {
    const Payment payment = GivenPaid("order-1", 500);
    RefundPayment foreign = RefundOf(payment, "r", 1);
    foreign.merchant = MerchantId(8);
    EXPECT_EQ(ReasonOf(foreign), "PAYMENT_UNKNOWN");
    EXPECT_EQ(ReasonOf(RefundOf(payment, "r", 0)), "AMOUNT_OUT_OF_RANGE");
    EXPECT_EQ(ReasonOf(RefundOf(RunForPayment(Order("order-2", 5)), "r", 5)), "NOT_REFUNDABLE");
    EXPECT_EQ(ReasonOf(RefundOf(payment, "r-1", 1)), "");
    EXPECT_EQ(ReasonOf(RefundOf(payment, "r-2", 1)), "MULTIPLE_REFUNDS_NOT_ALLOWED");
    rows_.merchants.Change(kMerchant).multiple_refunds = true;
    policy_.refunds_max = 1;
    EXPECT_EQ(ReasonOf(RefundOf(payment, "r-2", 1)), "REFUND_LIMIT_EXCEEDED");
    now_ = date_.PlusDays(366).StartsAt();
    EXPECT_EQ(ReasonOf(RefundOf(payment, "r-2", 1)), "REFUND_WINDOW_PASSED");
}

TEST_F(DomainTest, TopUpsAreKeyedByUserAndKey) {
    const TopUpWallet command{kUser, "k-1", Yen(700), "development"};
    const auto first = std::get<TopUp>(Run(command).value());
    EXPECT_EQ(first.balance_after, Yen(700));
    EXPECT_EQ(std::get<TopUp>(Run(command).value()), first);
    EXPECT_EQ(Balance(), 700);
    EXPECT_EQ(ReasonOf(TopUpWallet{kUser, "k-1", Yen(701), "development"}), "KEY_REUSED");
    EXPECT_EQ(ReasonOf(TopUpWallet{kUser, "k-2", Yen(1), "bank"}), "SOURCE_UNKNOWN");
    EXPECT_EQ(ReasonOf(TopUpWallet{UserId(5), "k-2", Yen(1), "development"}), "WALLET_UNKNOWN");
    policy_.balance_max = 700;
    EXPECT_EQ(ReasonOf(TopUpWallet{kUser, "k-2", Yen(1), "development"}), "BALANCE_LIMIT");
    policy_.development_funding = false;
    EXPECT_EQ(ReasonOf(TopUpWallet{kUser, "k-2", Yen(1), "development"}), "SOURCE_UNKNOWN");
}

TEST_F(DomainTest, AReleaseIsClearedOnce) {
    const ClearRelease command{date_.Previous(), 0, Yen(12'345)};
    EXPECT_EQ(ReasonOf(command), "");
    EXPECT_EQ(ReasonOf(command), "");
    ASSERT_THAT(rows_.journals, SizeIs(1));
    EXPECT_EQ(rows_.journals[0].change.object, 20261121);
    EXPECT_EQ(rows_.journals[0].change.version, 1u);
    EXPECT_EQ(rows_.journals[0].postings[0].amount, -12'345);
    EXPECT_EQ(ReasonOf(ClearRelease{date_.Previous(), 1, Yen(5)}), "");
    EXPECT_THAT(rows_.journals, SizeIs(2));
}

}  // namespace
}  // namespace kessai::payment::domain
