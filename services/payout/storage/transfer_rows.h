#pragma once

#include "app/merchant_records.h"
#include "app/transfer_records.h"
#include "domain/adjustment.h"
#include "domain/bank_account.h"
#include "domain/invoice_parties.h"
#include "domain/payout_terms.h"
#include "domain/transfer.h"
#include "kessai/mysql/rows.h"

/// How the rows of payouts become values, where more than one query reads them.
namespace kessai::payout::storage {

#define KESSAI_BANK_ACCOUNT_COLUMNS                                                \
    "merchant_id, version, bank_code, branch_code, account_type, account_number, " \
    "holder_kana, bank_kana, branch_kana, put_by, confirmed_by, verification, "    \
    "verification_reason, verification_by"
domain::BankAccount ReadBankAccount(const mysql::Rows& row);

#define KESSAI_TERMS_COLUMNS \
    "merchant_id, version, cycle, weekday, minimum_amount, transfer_fee, on_demand_fee"
/// The columns from `first` on.
domain::PayoutTerms ReadTerms(const mysql::Rows& row, int first = 0);

#define KESSAI_PAYOUT_HOLD_COLUMNS "hold_id, merchant_id, cause, payout_id, note, put_by, lifted_by"
app::PayoutHold ReadPayoutHold(const mysql::Rows& row);

#define KESSAI_PROFILE_COLUMNS "merchant_id, version, invoice_name, put_by"
domain::MerchantProfile ReadProfile(const mysql::Rows& row);

#define KESSAI_ADJUSTMENT_COLUMNS \
    "adjustment_id, merchant_id, request_key, amount, reason, state, requested_by, decided_by"
domain::Adjustment ReadAdjustment(const mysql::Rows& row);

#define KESSAI_PAYOUT_COLUMNS \
    "payout_id, merchant_id, request_key, on_demand, amount, fee, tax, requested_by"
domain::Payout ReadPayout(const mysql::Rows& row);

#define KESSAI_TRANSFER_COLUMNS                                                           \
    "transfer_id, payout_id, attempt, merchant_id, bank_account, transfer_date, amount, " \
    "state, reason, batch_id, requested_by, cancelled_by"
domain::Transfer ReadTransfer(const mysql::Rows& row);

}  // namespace kessai::payout::storage
