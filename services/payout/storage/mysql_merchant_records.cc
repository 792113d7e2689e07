#include "storage/mysql_merchant_records.h"

#include "domain/day_total.h"
#include "kessai/mysql/query.h"
#include "storage/row_mapping.h"
#include "storage/transfer_rows.h"

namespace kessai::payout::storage {
namespace {

constexpr std::size_t kTextMax = 255;
constexpr std::size_t kWordMax = 64;
constexpr std::size_t kRowsPerStatement = 1'000;

constexpr mysql::Query kBankAccounts{"bank_account.of_merchant",
                                     "SELECT " KESSAI_BANK_ACCOUNT_COLUMNS R"sql(
    FROM bank_account WHERE merchant_id = ? ORDER BY version)sql"};
constexpr mysql::Query kInsertBankAccount{"bank_account.insert", R"sql(
    INSERT INTO bank_account (merchant_id, version, bank_code, branch_code, account_type,
                              account_number, holder_kana, bank_kana, branch_kana, put_by,
                              put_at_us) VALUES {rows})sql"};
constexpr mysql::Query kSetConfirmed{"bank_account.set_confirmed", R"sql(
    UPDATE bank_account SET confirmed_by = ?, confirmed_at_us = ?
    WHERE merchant_id = ? AND version = ?)sql"};
constexpr mysql::Query kSetVerification{"bank_account.set_verification", R"sql(
    UPDATE bank_account SET verification = ?, verification_reason = ?, verification_by = ?,
        verification_at_us = ?
    WHERE merchant_id = ? AND version = ?)sql"};
constexpr mysql::Query kFindTerms{"payout_terms.find", "SELECT " KESSAI_TERMS_COLUMNS R"sql(
    FROM payout_terms WHERE merchant_id = ? AND version = ?)sql"};
constexpr mysql::Query kCommonTerms{"payout_terms.common", "SELECT " KESSAI_TERMS_COLUMNS R"sql(
    FROM payout_terms WHERE merchant_id = 0 ORDER BY version DESC LIMIT 1)sql"};
constexpr mysql::Query kInsertTerms{"payout_terms.insert",
                                    "INSERT INTO payout_terms (" KESSAI_TERMS_COLUMNS R"sql(,
                                   put_by, put_at_us) VALUES {rows})sql"};
constexpr mysql::Query kFindHold{"payout_hold.find", "SELECT " KESSAI_PAYOUT_HOLD_COLUMNS R"sql(
    FROM payout_hold WHERE hold_id = ?)sql"};
constexpr mysql::Query kOpenHolds{"payout_hold.open", "SELECT " KESSAI_PAYOUT_HOLD_COLUMNS R"sql(
    FROM payout_hold WHERE merchant_id = ? AND lifted_by IS NULL ORDER BY hold_id)sql"};
constexpr mysql::Query kInsertHold{"payout_hold.insert", R"sql(
    INSERT INTO payout_hold (hold_id, merchant_id, cause, payout_id, note, put_by, put_at_us)
    VALUES {rows})sql"};
constexpr mysql::Query kSetLifted{"payout_hold.set_lifted", R"sql(
    UPDATE payout_hold SET lifted_by = ?, lifted_at_us = ? WHERE hold_id = ?)sql"};
constexpr mysql::Query kFindProfile{"merchant_profile.find", "SELECT " KESSAI_PROFILE_COLUMNS R"sql(
    FROM merchant_profile WHERE merchant_id = ? ORDER BY version DESC LIMIT 1)sql"};
constexpr mysql::Query kInsertProfile{"merchant_profile.insert",
                                      "INSERT INTO merchant_profile (" KESSAI_PROFILE_COLUMNS
                                      R"sql(,
    put_at_us) VALUES {rows})sql"};
constexpr mysql::Query kFindAdjustment{"adjustment.find", "SELECT " KESSAI_ADJUSTMENT_COLUMNS R"sql(
    FROM adjustment WHERE adjustment_id = ?)sql"};
constexpr mysql::Query kFindAdjustmentByKey{"adjustment.find_by_key",
                                            "SELECT " KESSAI_ADJUSTMENT_COLUMNS R"sql(
    FROM adjustment WHERE merchant_id = ? AND request_key = ?)sql"};
constexpr mysql::Query kInsertAdjustment{"adjustment.insert", R"sql(
    INSERT INTO adjustment (adjustment_id, merchant_id, request_key, currency, amount, reason,
                            state, requested_by, requested_at_us) VALUES {rows})sql"};
constexpr mysql::Query kSetDecided{"adjustment.set_decided", R"sql(
    UPDATE adjustment SET state = ?, decided_by = ?, decided_at_us = ?
    WHERE adjustment_id = ?)sql"};

}  // namespace

Result<std::vector<domain::BankAccount>> MysqlMerchantRecords::BankAccounts(
    domain::MerchantId merchant) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kBankAccounts, merchant));
    std::vector<domain::BankAccount> accounts;
    while (rows.Next()) accounts.push_back(ReadBankAccount(rows));
    return accounts;
}

Status MysqlMerchantRecords::Insert(const domain::BankAccount& account) {
    mysql::RowList rows;
    rows.Add(account.merchant, account.version, account.bank_code, account.branch_code,
             static_cast<int>(account.type), account.number, account.holder_kana, account.bank_kana,
             account.branch_kana, CutText(account.put_by, kTextMax), at_);
    return internal::TakeStatus(session_.Execute(kInsertBankAccount, rows));
}

Status MysqlMerchantRecords::SetConfirmed(const domain::BankAccount& account) {
    return internal::TakeStatus(session_.Execute(kSetConfirmed, account.confirmed_by, at_,
                                                 account.merchant, account.version));
}

Status MysqlMerchantRecords::SetVerification(const domain::BankAccount& account) {
    const domain::Verification& said = account.verification;
    return internal::TakeStatus(session_.Execute(
        kSetVerification, static_cast<int>(said.state), CutText(said.reason, kWordMax),
        CutText(said.asked_by, kTextMax), at_, account.merchant, account.version));
}

Result<std::optional<domain::PayoutTerms>> MysqlMerchantRecords::FindTerms(
    domain::MerchantId merchant, int version) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kFindTerms, merchant, version));
    if (!rows.Next()) return std::optional<domain::PayoutTerms>();
    return std::optional(ReadTerms(rows));
}

Result<domain::PayoutTerms> MysqlMerchantRecords::CommonTerms() {
    return LoadCommonTerms(session_);
}

Status MysqlMerchantRecords::Insert(const domain::PayoutTerms& terms, std::string_view put_by) {
    mysql::RowList rows;
    rows.Add(terms.merchant, terms.version, static_cast<int>(terms.cycle), terms.weekday,
             terms.minimum_amount, terms.transfer_fee, terms.on_demand_fee,
             CutText(put_by, kTextMax), at_);
    return internal::TakeStatus(session_.Execute(kInsertTerms, rows));
}

Result<std::optional<app::PayoutHold>> MysqlMerchantRecords::FindHold(domain::PayoutHoldId hold) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kFindHold, hold));
    if (!rows.Next()) return std::optional<app::PayoutHold>();
    return std::optional(ReadPayoutHold(rows));
}

Result<std::vector<app::PayoutHold>> MysqlMerchantRecords::OpenHolds(domain::MerchantId merchant) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kOpenHolds, merchant));
    std::vector<app::PayoutHold> holds;
    while (rows.Next()) holds.push_back(ReadPayoutHold(rows));
    return holds;
}

Status MysqlMerchantRecords::Insert(std::span<const app::PayoutHold> holds) {
    mysql::RowList rows;
    for (std::size_t i = 0; i < holds.size(); ++i) {
        const app::PayoutHold& hold = holds[i];
        rows.Add(hold.id, hold.merchant, static_cast<int>(hold.cause), hold.payout,
                 CutText(hold.note, kTextMax), CutText(hold.put_by, kTextMax), at_);
        if (rows.size() < kRowsPerStatement && i + 1 < holds.size()) continue;
        KESSAI_RETURN_IF_ERROR(session_.Execute(kInsertHold, rows));
        rows.Clear();
    }
    return OkStatus();
}

Status MysqlMerchantRecords::SetLifted(domain::PayoutHoldId hold, std::string_view lifted_by) {
    return internal::TakeStatus(
        session_.Execute(kSetLifted, CutText(lifted_by, kTextMax), at_, hold));
}

Result<std::optional<domain::MerchantProfile>> MysqlMerchantRecords::FindProfile(
    domain::MerchantId merchant) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kFindProfile, merchant));
    if (!rows.Next()) return std::optional<domain::MerchantProfile>();
    return std::optional(ReadProfile(rows));
}

Status MysqlMerchantRecords::Insert(const domain::MerchantProfile& profile) {
    mysql::RowList rows;
    rows.Add(profile.merchant, profile.version, profile.invoice_name,
             CutText(profile.put_by, kTextMax), at_);
    return internal::TakeStatus(session_.Execute(kInsertProfile, rows));
}

Result<std::optional<domain::Adjustment>> MysqlMerchantRecords::FindAdjustment(
    domain::AdjustmentId id) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kFindAdjustment, id));
    if (!rows.Next()) return std::optional<domain::Adjustment>();
    return std::optional(ReadAdjustment(rows));
}

Result<std::optional<domain::Adjustment>> MysqlMerchantRecords::FindAdjustment(
    domain::MerchantId merchant, std::string_view key) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kFindAdjustmentByKey, merchant, key));
    if (!rows.Next()) return std::optional<domain::Adjustment>();
    return std::optional(ReadAdjustment(rows));
}

Status MysqlMerchantRecords::Insert(const domain::Adjustment& adjustment) {
    mysql::RowList rows;
    rows.Add(adjustment.id, adjustment.merchant, adjustment.request_key,
             domain::kBookCurrency.code(), adjustment.amount, adjustment.reason,
             static_cast<int>(adjustment.state), CutText(adjustment.requested_by, kTextMax), at_);
    return internal::TakeStatus(session_.Execute(kInsertAdjustment, rows));
}

Status MysqlMerchantRecords::SetDecided(const domain::Adjustment& adjustment) {
    return internal::TakeStatus(session_.Execute(kSetDecided, static_cast<int>(adjustment.state),
                                                 adjustment.decided_by, at_, adjustment.id));
}

Result<domain::PayoutTerms> LoadCommonTerms(mysql::Session& session) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kCommonTerms));
    if (rows.Next()) return ReadTerms(rows);
    return Status(Code::kInternal, "TERMS_MISSING", "there are no common payout terms");
}

}  // namespace kessai::payout::storage
