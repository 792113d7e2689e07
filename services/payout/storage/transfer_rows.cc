#include "storage/transfer_rows.h"

namespace kessai::payout::storage {

domain::BankAccount ReadBankAccount(const mysql::Rows& row) {
    domain::BankAccount account;
    account.merchant = domain::MerchantId(row.Int(0));
    account.version = static_cast<int>(row.Int(1));
    account.bank_code = row.Text(2);
    account.branch_code = row.Text(3);
    account.type = static_cast<domain::AccountType>(row.Int(4));
    account.number = row.Text(5);
    account.holder_kana = row.Text(6);
    account.bank_kana = row.Text(7);
    account.branch_kana = row.Text(8);
    account.put_by = row.Text(9);
    account.confirmed_by = row.OptionalText(10);
    account.verification = {.state = static_cast<domain::VerificationState>(row.Int(11)),
                            .reason = row.Text(12),
                            .asked_by = row.Text(13)};
    return account;
}

domain::PayoutTerms ReadTerms(const mysql::Rows& row, int first) {
    domain::PayoutTerms terms;
    terms.merchant = domain::MerchantId(row.Int(first));
    terms.version = static_cast<int>(row.Int(first + 1));
    terms.cycle = static_cast<domain::PayoutCycle>(row.Int(first + 2));
    terms.weekday = static_cast<int>(row.Int(first + 3));
    terms.minimum_amount = row.Int(first + 4);
    terms.transfer_fee = row.Int(first + 5);
    terms.on_demand_fee = row.Int(first + 6);
    return terms;
}

app::PayoutHold ReadPayoutHold(const mysql::Rows& row) {
    app::PayoutHold hold;
    hold.id = domain::PayoutHoldId(row.Int(0));
    hold.merchant = domain::MerchantId(row.Int(1));
    hold.cause = static_cast<app::HoldCause>(row.Int(2));
    hold.payout = domain::PayoutId(row.Int(3));
    hold.note = row.Text(4);
    hold.put_by = row.Text(5);
    hold.lifted_by = row.OptionalText(6);
    return hold;
}

domain::MerchantProfile ReadProfile(const mysql::Rows& row) {
    domain::MerchantProfile profile;
    profile.merchant = domain::MerchantId(row.Int(0));
    profile.version = static_cast<int>(row.Int(1));
    profile.invoice_name = row.Text(2);
    profile.put_by = row.Text(3);
    return profile;
}

domain::Adjustment ReadAdjustment(const mysql::Rows& row) {
    domain::Adjustment adjustment;
    adjustment.id = domain::AdjustmentId(row.Int(0));
    adjustment.merchant = domain::MerchantId(row.Int(1));
    adjustment.request_key = row.Text(2);
    adjustment.amount = row.Int(3);
    adjustment.reason = row.Text(4);
    adjustment.state = static_cast<domain::AdjustmentState>(row.Int(5));
    adjustment.requested_by = row.Text(6);
    adjustment.decided_by = row.OptionalText(7);
    return adjustment;
}

domain::Payout ReadPayout(const mysql::Rows& row) {
    domain::Payout payout;
    payout.id = domain::PayoutId(row.Int(0));
    payout.merchant = domain::MerchantId(row.Int(1));
    payout.request_key = row.Text(2);
    payout.on_demand = row.Bool(3);
    payout.amounts = {row.Int(4), row.Int(5), row.Int(6)};
    payout.requested_by = row.Text(7);
    return payout;
}

domain::Transfer ReadTransfer(const mysql::Rows& row) {
    domain::Transfer transfer;
    transfer.id = domain::TransferId(row.Int(0));
    transfer.payout = domain::PayoutId(row.Int(1));
    transfer.attempt = static_cast<int>(row.Int(2));
    transfer.merchant = domain::MerchantId(row.Int(3));
    transfer.bank_account = static_cast<int>(row.Int(4));
    transfer.transfer_date = row.Date(5);
    transfer.amount = row.Int(6);
    transfer.state = static_cast<domain::TransferState>(row.Int(7));
    transfer.reason = row.Text(8);
    transfer.batch = domain::BatchId(row.Int(9));
    transfer.requested_by = row.Text(10);
    transfer.cancelled_by = row.Text(11);
    return transfer;
}

}  // namespace kessai::payout::storage
