#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kessai/auth/key_ring.h"
#include "kessai/auth/token.h"
#include "kessai/payout/v1/transfer_service.pb.h"
#include "kessai/rpc/call.h"
#include "kessai/rpc/channel.h"
#include "kessai/rpc/server.h"
#include "kessai/rpc/worker_pool.h"
#include "tests/payout_fixture.h"
#include "tests/transfer_fixture.h"
#include "transport/transfer_service.h"

namespace kessai::payout {
namespace {

using testing::Refuses;

const BusinessDate kDay = Day(20261122);
const BusinessDate kDue = Day(20261130);

constexpr rpc::Name kTransfers = "kessai.payout.v1.TransferService";
template <rpc::Name method, class Request, class Response>
constexpr auto& Of = rpc::MethodOf<kTransfers, method, Request, Response>;
constexpr auto& PutBankAccount = Of<"PutBankAccount", v1::PutBankAccountRequest, v1::BankAccount>;
constexpr auto& VerifyBankAccount =
    Of<"VerifyBankAccount", v1::VerifyBankAccountRequest, v1::BankAccount>;
constexpr auto& CancelTransfer = Of<"CancelTransfer", v1::CancelTransferRequest, v1::Payout>;
constexpr auto& ConfirmBankAccount =
    Of<"ConfirmBankAccount", v1::ConfirmBankAccountRequest, v1::BankAccount>;
constexpr auto& ListBankAccounts =
    Of<"ListBankAccounts", v1::ListBankAccountsRequest, v1::ListBankAccountsResponse>;
constexpr auto& PutPayoutTerms = Of<"PutPayoutTerms", v1::PayoutTerms, v1::PayoutTerms>;
constexpr auto& GetPayoutTerms = Of<"GetPayoutTerms", v1::GetPayoutTermsRequest, v1::PayoutTerms>;
constexpr auto& PutPayoutHold = Of<"PutPayoutHold", v1::PutPayoutHoldRequest, v1::PayoutHold>;
constexpr auto& LiftPayoutHold = Of<"LiftPayoutHold", v1::LiftPayoutHoldRequest, v1::PayoutHold>;
constexpr auto& ListPayoutHolds =
    Of<"ListPayoutHolds", v1::ListPayoutHoldsRequest, v1::ListPayoutHoldsResponse>;
constexpr auto& CreateTransfers =
    Of<"CreateTransfers", v1::CreateTransfersRequest, v1::TransferRun>;
constexpr auto& RequestPayout = Of<"RequestPayout", v1::RequestPayoutRequest, v1::Payout>;
constexpr auto& ReissuePayout = Of<"ReissuePayout", v1::ReissuePayoutRequest, v1::Payout>;
constexpr auto& GetPayout = Of<"GetPayout", v1::GetPayoutRequest, v1::Payout>;
constexpr auto& ListPayouts = Of<"ListPayouts", v1::ListPayoutsRequest, v1::ListPayoutsResponse>;
constexpr auto& TraceTransfer = Of<"TraceTransfer", v1::TraceTransferRequest, v1::TransferTrace>;
constexpr auto& ListDayAccruals =
    Of<"ListDayAccruals", v1::ListDayAccrualsRequest, v1::ListDayAccrualsResponse>;
constexpr auto& TracePayment = Of<"TracePayment", v1::TracePaymentRequest, v1::PaymentTrace>;
constexpr auto& GatherTransfers =
    Of<"GatherTransfers", v1::GatherTransfersRequest, v1::ListTransferBatchesResponse>;
constexpr auto& GetTransferFile = Of<"GetTransferFile", v1::GetTransferFileRequest, v1::FilePiece>;
constexpr auto& ImportResults = Of<"ImportResults", v1::ImportResultsRequest, v1::ImportedResults>;
constexpr auto& RequestAdjustment =
    Of<"RequestAdjustment", v1::RequestAdjustmentRequest, v1::Adjustment>;
constexpr auto& DecideAdjustment =
    Of<"DecideAdjustment", v1::DecideAdjustmentRequest, v1::Adjustment>;
constexpr auto& ListAdjustments =
    Of<"ListAdjustments", v1::ListAdjustmentsRequest, v1::ListAdjustmentsResponse>;
constexpr auto& GetTrialBalance =
    Of<"GetTrialBalance", v1::GetTrialBalanceRequest, v1::TrialBalance>;
constexpr auto& GetFeeReport = Of<"GetFeeReport", v1::GetFeeReportRequest, v1::FeeReport>;
constexpr auto& RepublishEvents =
    Of<"RepublishEvents", v1::RepublishEventsRequest, v1::RepublishEventsResponse>;
constexpr auto& ListJournal = Of<"ListJournal", v1::ListJournalRequest, v1::JournalEntry>;

/// The service's methods behind a real server, called over a real connection.
class TransferRpcTest : public PayoutTest {
 protected:
    TransferRpcTest()
        : clock_(kDue.At(std::chrono::hours(10))),
          transfers_(payout_->pool, clock_),
          ring_(auth::KeyRing::Parse("key 1 " + std::string(64, 'a') + "\nsign 1\n").value()),
          verifier_(ring_, SystemClock(), {.audience = "payout"}),
          signer_(ring_, SystemClock()),
          fees_({}, transfers_.book_reader, transfers_.store, payout_->release_store,
                payout_->plans, clock_),
          methods_({transfers_.reader, transfers_.bank_accounts, transfers_.terms,
                    transfers_.create, transfers_.request, transfers_.cancel, transfers_.send,
                    transfers_.import, transfers_.adjust, transfers_.trace, transfers_.books, fees_,
                    transfers_.republish}),
          pool_({.name = "test", .threads = 2, .queue_max = 16}),
          server_({}, SystemClock(), verifier_, nullptr) {
        rpc::Service service(transport::kTransferServiceName, transport::TransferPolicy());
        methods_.Register(service, pool_, pool_);
        server_.Add(std::move(service));
        EXPECT_OK(server_.Start());
        rpc::ChannelOptions options;
        options.target = "127.0.0.1:" + std::to_string(server_.port());
        channel_ =
            std::make_unique<rpc::Channel>(rpc::Channel::Create(options, SystemClock()).value());
    }
    void ExpectTraced(std::int64_t amount);

    ~TransferRpcTest() override {
        channel_ = nullptr;
        (void)server_.Stop(std::chrono::seconds(5));
        pool_.Stop();
    }

    std::string Token(auth::Role role, const std::string& subject, std::vector<std::string> scopes,
                      std::int64_t merchant = 0) {
        auth::Principal principal;
        principal.role = role;
        principal.subject = subject;
        principal.scopes = std::move(scopes);
        principal.merchant_id = merchant;
        return signer_.Mint(principal, "payout").value();
    }
    std::string Operator(const std::string& scope, const std::string& subject = "aiko") {
        return Token(auth::Role::kOperator, subject, {scope});
    }
    std::string Merchant(std::int64_t merchant) {
        return Token(auth::Role::kMerchant, "shop", {}, merchant);
    }
    rpc::CallOptions Options(const std::string& token) {
        rpc::CallOptions options;
        options.timeout = std::chrono::seconds(20);
        options.token = token;
        options.wait_for_ready = true;
        return options;
    }
    template <class Request, class Response>
    Result<Response> Call(const rpc::Method<Request, Response>& method, const Request& request,
                          const std::string& token) {
        return rpc::Call(*channel_, method, request, Options(token));
    }
    template <class Request, class Item>
    Result<std::vector<Item>> List(const rpc::Method<Request, Item>& method, const Request& request,
                                   const std::string& token) {
        std::vector<Item> items;
        KESSAI_RETURN_IF_ERROR(
            rpc::CallStreaming(*channel_, method, request, Options(token), [&](const Item& item) {
                items.push_back(item);
                return OkStatus();
            }));
        return items;
    }

    static v1::PutBankAccountRequest AccountOf(std::int64_t merchant) {
        v1::PutBankAccountRequest account;
        account.set_merchant_id(merchant);
        account.set_bank_code("0001");
        account.set_branch_code("004");
        account.set_account_type(1);
        account.set_account_number("1234567");
        account.set_account_holder("カ）ミセ");
        return account;
    }

    ManualClock clock_;
    Transfers transfers_;
    auth::FixedKeyRing ring_;
    auth::TokenVerifier verifier_;
    auth::TokenSigner signer_;
    app::ReportFees fees_;
    transport::TransferService methods_;
    rpc::WorkerPool pool_;
    rpc::Server server_;
    std::unique_ptr<rpc::Channel> channel_;
};

// Goal: the merchant's one transfer is traced to payment 1 and back, over the wire.
void TransferRpcTest::ExpectTraced(std::int64_t amount) {
    const std::string read = Operator("payout:read");
    v1::TracePaymentRequest payment;
    payment.set_payment_id(1);
    ASSERT_OK_AND_ASSIGN(const auto back, Call(TracePayment(), payment, read));
    EXPECT_EQ(back.merchant_id(), 7);
    ASSERT_EQ(back.accruals_size(), 1);
    ASSERT_EQ(back.days_size(), 1);
    EXPECT_EQ(back.days(0).business_date(), kDay.ToNumber());
    EXPECT_TRUE(back.days(0).released());
    EXPECT_EQ(back.days(0).net(), amount + 110);
    EXPECT_EQ(back.days(0).left(), 0);
    ASSERT_EQ(back.days(0).paid_size(), 1);
    EXPECT_EQ(back.days(0).paid(0).transfer().amount(), amount);

    v1::TraceTransferRequest transfer;
    transfer.set_transfer_id(back.days(0).paid(0).transfer().transfer_id());
    ASSERT_OK_AND_ASSIGN(const auto trace, Call(TraceTransfer(), transfer, read));
    EXPECT_EQ(trace.payout_id(), back.days(0).paid(0).payout_id());
    ASSERT_EQ(trace.parts_size(), 2);
    EXPECT_EQ(trace.parts(0).kind(), v1::FundsPart::RELEASE);
    EXPECT_EQ(trace.parts(0).business_date(), kDay.ToNumber());
    EXPECT_EQ(trace.parts(0).gross(), 10'000);
    EXPECT_EQ(trace.parts(0).accrual_count(), 1);
    EXPECT_EQ(trace.parts(1).kind(), v1::FundsPart::PRICE);
    EXPECT_EQ(trace.parts(1).object_id(), transfer.transfer_id());
    EXPECT_EQ(trace.parts(0).amount() + trace.parts(1).amount(), amount);

    v1::ListDayAccrualsRequest day;
    day.set_merchant_id(7);
    day.set_business_date(kDay.ToNumber());
    day.set_page_size(1);
    std::int64_t gross = 0;
    do {
        ASSERT_OK_AND_ASSIGN(const auto page, Call(ListDayAccruals(), day, read));
        for (const auto& accrual : page.accruals()) gross += accrual.gross();
        day.set_page_token(page.next_page_token());
    } while (!day.page_token().empty());
    EXPECT_EQ(gross, 10'000);

    const auto not_allowed = Refuses(Code::kPermissionDenied, "ROLE_NOT_ALLOWED");
    EXPECT_THAT(Call(TraceTransfer(), transfer, Operator("transfer:write")), not_allowed);
    EXPECT_THAT(Call(TracePayment(), payment, Merchant(7)), not_allowed);
    EXPECT_THAT(Call(ListDayAccruals(), day, Merchant(7)), not_allowed);
    for (const char* token :
         {"x", "1", "1.2", "1.2.3.4", "-1.0.0", "1.-2.0", "2000.0.0", "1.2.x", "1.2.99999999999"}) {
        day.set_page_token(token);
        EXPECT_THAT(Call(ListDayAccruals(), day, read),
                    Refuses(Code::kInvalidArgument, "FIELD_INVALID"))
            << token;
    }
    transfer.set_transfer_id(99'999);
    EXPECT_THAT(Call(TraceTransfer(), transfer, read),
                Refuses(Code::kNotFound, "TRANSFER_UNKNOWN"));
    payment.set_payment_id(99'999);
    EXPECT_THAT(Call(TracePayment(), payment, read), Refuses(Code::kNotFound, "ACCRUAL_UNKNOWN"));
}

// Goal: everything that an operator does for a payout, over the wire.
TEST_F(TransferRpcTest, APayoutOverTheWire) {
    ASSERT_TRUE(payout_->Deliver({Sale(1, 7, kDay, 10'000)}).empty());
    payout_->Close(kDay);
    ASSERT_OK(payout_->release_day.Run(kDay, false).status());
    const std::string write = Operator("transfer:write");
    const std::string read = Operator("payout:read");

    ASSERT_OK_AND_ASSIGN(const auto proposed, Call(PutBankAccount(), AccountOf(7), write));
    EXPECT_EQ(proposed.version(), 1);
    EXPECT_EQ(proposed.account_holder(), "ｶ)ﾐｾ");
    EXPECT_EQ(proposed.confirmed_by(), "");
    v1::ConfirmBankAccountRequest confirm;
    confirm.set_merchant_id(7);
    confirm.set_version(1);
    EXPECT_THAT(Call(ConfirmBankAccount(), confirm, Operator("transfer:approve", "aiko")),
                Refuses(Code::kPermissionDenied, "SAME_OPERATOR"));
    ASSERT_OK(Call(ConfirmBankAccount(), confirm, Operator("transfer:approve", "ken")).status());
    v1::ListBankAccountsRequest accounts;
    accounts.set_merchant_id(7);
    ASSERT_OK_AND_ASSIGN(const auto listed, Call(ListBankAccounts(), accounts, read));
    ASSERT_EQ(listed.accounts_size(), 1);
    EXPECT_EQ(listed.accounts(0).confirmed_by(), "ken");

    v1::PayoutTerms terms;
    terms.set_merchant_id(7);
    terms.set_cycle(v1::PayoutTerms::MONTH_END);
    terms.set_minimum_amount(1);
    terms.set_transfer_fee(110);
    ASSERT_OK(Call(PutPayoutTerms(), terms, write).status());
    v1::GetPayoutTermsRequest of_merchant;
    of_merchant.set_merchant_id(7);
    ASSERT_OK_AND_ASSIGN(const auto in_force, Call(GetPayoutTerms(), of_merchant, read));
    EXPECT_EQ(in_force.transfer_fee(), 110);

    v1::PutPayoutHoldRequest hold;
    hold.set_merchant_id(7);
    hold.set_note("looked at");
    ASSERT_OK_AND_ASSIGN(const auto held, Call(PutPayoutHold(), hold, write));
    v1::ListPayoutHoldsRequest holds;
    holds.set_merchant_id(7);
    ASSERT_OK_AND_ASSIGN(const auto open, Call(ListPayoutHolds(), holds, read));
    ASSERT_EQ(open.holds_size(), 1);
    // Of whoever is held, page by page.
    hold.set_merchant_id(8);
    ASSERT_OK(Call(PutPayoutHold(), hold, write).status());
    holds.set_merchant_id(0);
    holds.set_page_size(1);
    ASSERT_OK_AND_ASSIGN(const auto newest, Call(ListPayoutHolds(), holds, read));
    ASSERT_EQ(newest.holds_size(), 1);
    EXPECT_EQ(newest.holds(0).merchant_id(), 8);
    holds.set_page_token(newest.next_page_token());
    ASSERT_OK_AND_ASSIGN(const auto older, Call(ListPayoutHolds(), holds, read));
    ASSERT_EQ(older.holds_size(), 1);
    EXPECT_EQ(older.holds(0).hold_id(), held.hold_id());
    holds.set_page_token(older.next_page_token());
    ASSERT_OK_AND_ASSIGN(const auto none, Call(ListPayoutHolds(), holds, read));
    EXPECT_EQ(none.holds_size(), 0);
    EXPECT_EQ(none.next_page_token(), "");
    v1::LiftPayoutHoldRequest lift;
    lift.set_hold_id(held.hold_id());
    ASSERT_OK_AND_ASSIGN(const auto lifted, Call(LiftPayoutHold(), lift, write));
    EXPECT_EQ(lifted.lifted_by(), "aiko");
    holds.set_page_token("");
    ASSERT_OK_AND_ASSIGN(const auto left, Call(ListPayoutHolds(), holds, read));
    ASSERT_EQ(left.holds_size(), 1);
    EXPECT_EQ(left.holds(0).merchant_id(), 8);

    v1::CreateTransfersRequest create;
    create.set_due_date(kDue.ToNumber());
    ASSERT_OK_AND_ASSIGN(const auto run, Call(CreateTransfers(), create, write));
    const std::int64_t amount = 10'000 - 198 - 19 - 110;
    EXPECT_EQ(run.transfer_count(), 1);
    EXPECT_EQ(run.amount(), amount);
    ExpectTraced(amount);
    v1::GatherTransfersRequest gather;
    gather.set_transfer_date(run.transfer_date());
    ASSERT_OK_AND_ASSIGN(const auto batches, Call(GatherTransfers(), gather, write));
    ASSERT_EQ(batches.batches_size(), 1);
    v1::GetTransferFileRequest file;
    file.set_batch_id(batches.batches(0).batch_id());
    ASSERT_OK_AND_ASSIGN(const auto pieces, List(GetTransferFile(), file, write));
    std::string bytes;
    for (const auto& piece : pieces) bytes += piece.content();
    ASSERT_OK_AND_ASSIGN(const auto parsed, zengin::ReadTransferFile(bytes));
    EXPECT_EQ(parsed.totals.amount, Yen(amount));
    EXPECT_THAT(List(GetTransferFile(), file, write),
                Refuses(Code::kFailedPrecondition, "TRANSFER_FILE_TAKEN"));
    file.set_again(true);
    ASSERT_OK_AND_ASSIGN(const auto same, List(GetTransferFile(), file, write));
    ASSERT_EQ(same.size(), pieces.size());
    EXPECT_EQ(same[0].content(), pieces[0].content());

    v1::ListPayoutsRequest payouts;
    ASSERT_OK_AND_ASSIGN(const auto own, Call(ListPayouts(), payouts, Merchant(7)));
    ASSERT_EQ(own.payouts_size(), 1);
    ASSERT_EQ(own.payouts(0).transfers_size(), 1);
    const std::int64_t transfer = own.payouts(0).transfers(0).transfer_id();
    v1::ImportResultsRequest results;
    results.set_format("csv");
    results.set_content(
        ResultFileText().Add(domain::TransferId(transfer), "FAILED", amount, "CLOSED").Text());
    ASSERT_OK_AND_ASSIGN(const auto imported, Call(ImportResults(), results, write));
    EXPECT_EQ(imported.failed().amount(), amount);
    v1::ReissuePayoutRequest reissue;
    reissue.set_payout_id(own.payouts(0).payout_id());
    reissue.set_attempt(2);
    ASSERT_OK_AND_ASSIGN(const auto again, Call(ReissuePayout(), reissue, write));
    ASSERT_EQ(again.transfers_size(), 2);
    EXPECT_EQ(again.transfers(0).state(), v1::Transfer::FAILED);
    EXPECT_EQ(again.transfers(0).reason(), "CLOSED");
    EXPECT_EQ(again.transfers(1).state(), v1::Transfer::IN_TRANSIT);

    v1::GetTrialBalanceRequest trial;
    trial.set_business_date(kDue.ToNumber());
    ASSERT_OK_AND_ASSIGN(auto balance, Call(GetTrialBalance(), trial, read));
    std::int64_t total = 0;
    for (const auto& line : balance.lines()) total += line.amount();
    EXPECT_EQ(balance.lines_size(), 8);
    EXPECT_EQ(total, 0);
    EXPECT_FALSE(balance.journals_final());
    clock_.Set(Day(20261201).At(std::chrono::hours(1)));
    ASSERT_OK_AND_ASSIGN(balance, Call(GetTrialBalance(), trial, read));
    EXPECT_TRUE(balance.journals_final());
    // What the day of the release closed with is what this one opened with.
    trial.set_business_date(kDue.Previous().ToNumber());
    ASSERT_OK_AND_ASSIGN(const auto before, Call(GetTrialBalance(), trial, read));
    for (int i = 0; i < balance.lines_size(); ++i) {
        EXPECT_EQ(balance.lines(i).opening(), before.lines(i).closing());
        EXPECT_EQ(balance.lines(i).closing(),
                  balance.lines(i).opening() + balance.lines(i).amount());
    }
    EXPECT_EQ(balance.lines(2).account(), "AVAILABLE");
    EXPECT_GT(balance.lines(2).opening(), 0);

    v1::ListJournalRequest journal;
    journal.set_business_date(kDue.ToNumber());
    ASSERT_OK_AND_ASSIGN(const auto entries, List(ListJournal(), journal, read));
    ASSERT_EQ(entries.size(), 3u);
    EXPECT_EQ(entries[0].kind(), v1::JournalEntry::TRANSFER_CREATED);
    EXPECT_EQ(entries[1].kind(), v1::JournalEntry::TRANSFER_FAILED);
    EXPECT_EQ(entries[0].postings_size(), 4);
    journal.set_after(entries[1].position());
    ASSERT_OK_AND_ASSIGN(const auto rest, List(ListJournal(), journal, read));
    ASSERT_EQ(rest.size(), 1u);
    EXPECT_EQ(rest[0].journal_id(), entries[2].journal_id());
    // From each line of the release's day, what follows it.
    journal.set_business_date(kDay.ToNumber());
    for (const auto& [after, count] :
         std::map<std::string, std::size_t>{{"", 2}, {"a6", 2}, {"a7", 1}, {"r7", 0}, {"j0", 0}}) {
        journal.set_after(after);
        ASSERT_OK_AND_ASSIGN(const auto lines, List(ListJournal(), journal, read));
        EXPECT_EQ(lines.size(), count) << after;
    }
    for (const char* after : {"x1", "a", "a-1", "a1x"}) {
        journal.set_after(after);
        EXPECT_THAT(List(ListJournal(), journal, read),
                    Refuses(Code::kInvalidArgument, "FIELD_INVALID"));
    }
}

TEST_F(TransferRpcTest, AdjustmentsOverTheWire) {
    v1::PutPayoutHoldRequest hold;
    hold.set_merchant_id(7);
    hold.set_note("new");
    ASSERT_OK(Call(PutPayoutHold(), hold, Operator("transfer:write")).status());
    v1::RequestAdjustmentRequest wish;
    wish.set_merchant_id(7);
    wish.set_request_key("c-1");
    wish.set_amount(300);
    wish.set_reason("campaign");
    ASSERT_OK_AND_ASSIGN(const auto asked,
                         Call(RequestAdjustment(), wish, Operator("adjustment:write", "aiko")));
    v1::DecideAdjustmentRequest decide;
    decide.set_adjustment_id(asked.adjustment_id());
    decide.set_approve(true);
    EXPECT_THAT(Call(DecideAdjustment(), decide, Operator("adjustment:approve", "aiko")),
                Refuses(Code::kPermissionDenied, "SAME_OPERATOR"));
    ASSERT_OK_AND_ASSIGN(const auto approved,
                         Call(DecideAdjustment(), decide, Operator("adjustment:approve", "ken")));
    EXPECT_EQ(approved.state(), v1::Adjustment::APPROVED);
    v1::ListAdjustmentsRequest list;
    ASSERT_OK_AND_ASSIGN(const auto all, Call(ListAdjustments(), list, Operator("payout:read")));
    ASSERT_EQ(all.adjustments_size(), 1);
    EXPECT_EQ(all.next_page_token(), "");
    list.set_page_size(1);
    ASSERT_OK_AND_ASSIGN(const auto page, Call(ListAdjustments(), list, Operator("payout:read")));
    list.set_page_token(page.next_page_token());
    ASSERT_OK_AND_ASSIGN(const auto rest, Call(ListAdjustments(), list, Operator("payout:read")));
    EXPECT_EQ(rest.adjustments_size(), 0);
    list.set_page_token("x");
    EXPECT_THAT(Call(ListAdjustments(), list, Operator("payout:read")),
                Refuses(Code::kInvalidArgument, "FIELD_INVALID"));
    EXPECT_EQ(all.adjustments(0).decided_by(), "ken");
    ASSERT_OK_AND_ASSIGN(const auto balance, payout_->reader.FindBalance(domain::MerchantId(7)));
    EXPECT_EQ(balance.available, 300);
}

// Goal: a bank asked, and a transfer taken back, over the wire.
TEST_F(TransferRpcTest, VerifiedAndCancelledOverTheWire) {
    ASSERT_TRUE(payout_->Deliver({Sale(1, 7, kDay, 10'000)}).empty());
    payout_->Close(kDay);
    ASSERT_OK(payout_->release_day.Run(kDay, false).status());
    const std::string write = Operator("transfer:write");
    ASSERT_OK_AND_ASSIGN(const auto proposed, Call(PutBankAccount(), AccountOf(7), write));
    EXPECT_EQ(proposed.verification(), v1::BankAccount::UNVERIFIED);
    v1::VerifyBankAccountRequest verify;
    verify.set_merchant_id(7);
    verify.set_version(1);
    EXPECT_THAT(Call(VerifyBankAccount(), verify, write),
                Refuses(Code::kFailedPrecondition, "VERIFIER_MISSING"));
    EXPECT_THAT(Call(VerifyBankAccount(), verify, Operator("transfer:approve")),
                Refuses(Code::kPermissionDenied, "ROLE_NOT_ALLOWED"));
    v1::ConfirmBankAccountRequest confirm;
    confirm.set_merchant_id(7);
    confirm.set_version(1);
    ASSERT_OK(Call(ConfirmBankAccount(), confirm, Operator("transfer:approve", "ken")).status());

    v1::RequestPayoutRequest ask;
    ask.set_request_key("k");
    ASSERT_OK_AND_ASSIGN(const auto asked, Call(RequestPayout(), ask, Merchant(7)));
    v1::CancelTransferRequest cancel;
    cancel.set_transfer_id(asked.transfers(0).transfer_id());
    EXPECT_THAT(Call(CancelTransfer(), cancel, write),
                Refuses(Code::kInvalidArgument, "FIELD_INVALID"));
    cancel.set_reason("typed twice");
    EXPECT_THAT(Call(CancelTransfer(), cancel, Merchant(7)),
                Refuses(Code::kPermissionDenied, "ROLE_NOT_ALLOWED"));
    ASSERT_OK_AND_ASSIGN(const auto cancelled, Call(CancelTransfer(), cancel, write));
    EXPECT_TRUE(cancelled.cancelled());
    EXPECT_EQ(cancelled.transfers(0).state(), v1::Transfer::CANCELLED);
    EXPECT_EQ(cancelled.transfers(0).reason(), "typed twice");
    EXPECT_EQ(cancelled.transfers(0).cancelled_by(), "aiko");
    v1::ListJournalRequest journal;
    journal.set_business_date(kDue.ToNumber());
    ASSERT_OK_AND_ASSIGN(const auto entries, List(ListJournal(), journal, Operator("payout:read")));
    ASSERT_EQ(entries.size(), 2u);
    EXPECT_EQ(entries[1].kind(), v1::JournalEntry::TRANSFER_CANCELLED);
    // Its making and its end are told once more; what never happened is not.
    v1::RepublishEventsRequest again;
    for (const std::uint32_t version : {2, 1, 2}) {
        auto* event = again.add_events();
        event->set_object_id((std::int64_t{1} << 40) + cancel.transfer_id());
        event->set_version(version);
    }
    EXPECT_THAT(Call(RepublishEvents(), again, write),
                Refuses(Code::kPermissionDenied, "ROLE_NOT_ALLOWED"));
    ASSERT_OK_AND_ASSIGN(const auto told,
                         Call(RepublishEvents(), again, Operator("event:republish")));
    EXPECT_EQ(told.published(), 2u);
    again.mutable_events(0)->set_version(3);
    EXPECT_THAT(Call(RepublishEvents(), again, Operator("event:republish")),
                Refuses(Code::kNotFound, "EVENT_UNKNOWN"));
    v1::TraceTransferRequest trace;
    trace.set_transfer_id(cancel.transfer_id());
    ASSERT_OK_AND_ASSIGN(const auto traced, Call(TraceTransfer(), trace, Operator("payout:read")));
    EXPECT_EQ(traced.transfer().state(), v1::Transfer::CANCELLED);
    v1::TracePaymentRequest payment;
    payment.set_payment_id(1);
    ASSERT_OK_AND_ASSIGN(const auto back, Call(TracePayment(), payment, Operator("payout:read")));
    EXPECT_EQ(back.days(0).left(), back.days(0).net());
}

// Goal: bad input is refused by name, and nobody does or sees what is not theirs.
TEST_F(TransferRpcTest, WhatMayNotBeIsRefused) {
    const std::string write = Operator("transfer:write");
    const auto invalid = Refuses(Code::kInvalidArgument, "FIELD_INVALID");
    EXPECT_THAT(Call(PutBankAccount(), v1::PutBankAccountRequest(), write), invalid);
    EXPECT_THAT(Call(PutPayoutHold(), v1::PutPayoutHoldRequest(), write), invalid);
    EXPECT_THAT(Call(CreateTransfers(), v1::CreateTransfersRequest(), write), invalid);
    v1::PayoutTerms terms;
    terms.set_minimum_amount(1);
    for (const int cycle : {0, 6, 257, -1}) {
        terms.set_cycle(static_cast<v1::PayoutTerms::Cycle>(cycle));
        EXPECT_THAT(Call(PutPayoutTerms(), terms, write),
                    Refuses(Code::kInvalidArgument, "TERMS_INVALID"));
    }
    v1::LiftPayoutHoldRequest lift;
    lift.set_hold_id(77);
    EXPECT_THAT(Call(LiftPayoutHold(), lift, write), Refuses(Code::kNotFound, "HOLD_UNKNOWN"));
    v1::GetTransferFileRequest file;
    file.set_batch_id(77);
    EXPECT_THAT(List(GetTransferFile(), file, write), Refuses(Code::kNotFound, "BATCH_UNKNOWN"));

    const auto not_allowed = Refuses(Code::kPermissionDenied, "ROLE_NOT_ALLOWED");
    EXPECT_THAT(Call(PutBankAccount(), AccountOf(7), Operator("payout:read")), not_allowed);
    EXPECT_THAT(Call(PutBankAccount(), AccountOf(7), Merchant(7)), not_allowed);
    EXPECT_THAT(Call(ConfirmBankAccount(), v1::ConfirmBankAccountRequest(), write), not_allowed);
    EXPECT_THAT(
        Call(DecideAdjustment(), v1::DecideAdjustmentRequest(), Operator("adjustment:write")),
        not_allowed);
    // A merchant asks for its own money only, and sees its own payouts only.
    v1::RequestPayoutRequest ask;
    ask.set_merchant_id(7);
    ask.set_request_key("k");
    EXPECT_THAT(Call(RequestPayout(), ask, Merchant(8)),
                Refuses(Code::kNotFound, "MERCHANT_UNKNOWN"));
    EXPECT_THAT(Call(RequestPayout(), ask, Merchant(7)),
                Refuses(Code::kFailedPrecondition, "BANK_ACCOUNT_MISSING"));
    payout_->Run(
        "INSERT INTO payout VALUES (5, 7, 'due:2026-11-30', 0, 'JPY', 10, 0, 0, 'aiko', 0)");
    v1::GetPayoutRequest payout;
    payout.set_payout_id(5);
    EXPECT_THAT(Call(GetPayout(), payout, Merchant(8)), Refuses(Code::kNotFound, "PAYOUT_UNKNOWN"));
    EXPECT_OK(Call(GetPayout(), payout, Merchant(7)).status());
}

}  // namespace
}  // namespace kessai::payout
