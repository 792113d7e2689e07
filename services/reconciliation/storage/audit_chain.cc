#include "storage/audit_chain.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <utility>

#include "kessai/mysql/query.h"
#include "kessai/mysql/transaction.h"
#include "kessai/result/check.h"
#include "storage/row_mapping.h"

namespace kessai::reconciliation::storage {

namespace {

using domain::ChainHash;
using domain::Discrepancy;

constexpr int kOlderSlot = 0;
constexpr int kDiscrepanciesPerTransaction = 200;

constexpr mysql::Query kLockHead{"audit_head.lock",
                                 "SELECT number, hash FROM audit_head WHERE slot = ? FOR UPDATE"};
constexpr mysql::Query kSetHead{"audit_head.set",
                                "UPDATE audit_head SET number = ?, hash = ? WHERE slot = ?"};
constexpr mysql::Query kInsertAnchor{"audit_anchor.insert", R"sql(
    INSERT INTO audit_anchor (slot, number, at_us, steps, hash) VALUES (?, ?, ?, ?, ?))sql"};

constexpr mysql::Query kLiveAnchors{
    "audit_head.live", "SELECT COUNT(*) FROM audit_head WHERE slot > 0 AND number > 0"};
constexpr mysql::Query kLastOlderAnchor{"audit_anchor.last_older", R"sql(
    SELECT LENGTH(steps) FROM audit_anchor WHERE slot = 0 ORDER BY number DESC LIMIT 1)sql"};
constexpr mysql::Query kOlderDiscrepancies{"discrepancy.unchained", R"sql(
    SELECT d.discrepancy_id, d.business_date, d.kind, d.payment_id, d.version, d.book, d.bucket,
           d.held_merchant, d.found_at_us, d.evidence
    FROM discrepancy AS d FORCE INDEX (PRIMARY)
    WHERE d.discrepancy_id > ? ORDER BY d.discrepancy_id LIMIT ?)sql"};
constexpr mysql::Query kOlderSteps{"discrepancy_step.unchained", R"sql(
    SELECT number, state, actor, note, at_us, event_id, merchant_id, currency, payment_gross,
           payout_gross, chain_hash
    FROM discrepancy_step WHERE discrepancy_id = ? ORDER BY number FOR UPDATE)sql"};
constexpr mysql::Query kChainStep{"discrepancy_step.chain", R"sql(
    UPDATE discrepancy_step SET evidence_hash = ?, chain_hash = ?
    WHERE discrepancy_id = ? AND number = ?)sql"};

int HexDigit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/// What is hashed, field by field.
class Fields {
 public:
    explicit Fields(std::string_view what) { Text(what); }

    Fields& Number(std::int64_t number) {
        AppendBigEndian(bytes_, static_cast<std::uint64_t>(number), 8);
        return *this;
    }
    Fields& Text(std::string_view text) {
        Number(static_cast<std::int64_t>(text.size()));
        bytes_.append(text);
        return *this;
    }
    Fields& Optional(const std::optional<std::int64_t>& number) {
        bytes_.push_back(number ? '\1' : '\0');
        if (number) Number(*number);
        return *this;
    }
    Fields& Hash(const ChainHash& hash) {
        bytes_.append(reinterpret_cast<const char*>(hash.data()), hash.size());
        return *this;
    }
    std::string_view bytes() const { return bytes_; }

    static void AppendBigEndian(std::string& bytes, std::uint64_t number, int width) {
        for (int shift = 8 * (width - 1); shift >= 0; shift -= 8) {
            bytes.push_back(static_cast<char>(number >> shift & 0xFF));
        }
    }

 private:
    std::string bytes_;
};

}  // namespace

Result<AuditChain> AuditChain::FromHex(std::string_view text) {
    Key key{};
    bool good = text.size() == key.size() * 2;
    for (std::size_t i = 0; good && i < key.size(); ++i) {
        const int high = HexDigit(text[2 * i]);
        const int low = HexDigit(text[2 * i + 1]);
        good = high >= 0 && low >= 0;
        key[i] = static_cast<std::uint8_t>(high * 16 + low);
    }
    if (!good) {
        return Status(Code::kInvalidArgument, "AUDIT_KEY_INVALID",
                      "the key of the audit trail is 64 hexadecimal digits");
    }
    return AuditChain(key);
}

ChainHash AuditChain::Sign(std::string_view bytes) const {
    static EVP_MAC* const hmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    EVP_MAC_CTX* const context = EVP_MAC_CTX_new(hmac);
    KESSAI_CHECK(context != nullptr, "OpenSSL has HMAC");
    std::array<char, 7> name{'S', 'H', 'A', '2', '5', '6', '\0'};
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name.data(), 0),
        OSSL_PARAM_construct_end()};
    ChainHash hash{};
    std::size_t size = 0;
    const bool done = EVP_MAC_init(context, key_.data(), key_.size(), parameters) == 1 &&
                      EVP_MAC_update(context, reinterpret_cast<const unsigned char*>(bytes.data()),
                                     bytes.size()) == 1 &&
                      EVP_MAC_final(context, hash.data(), &size, hash.size()) == 1;
    EVP_MAC_CTX_free(context);
    KESSAI_CHECK(done && size == hash.size(), "HMAC-SHA256 works");
    return hash;
}

ChainHash AuditChain::OfEvidence(std::string_view evidence) {
    ChainHash hash{};
    std::size_t size = 0;
    const int done = EVP_Q_digest(nullptr, "SHA256", nullptr, evidence.data(), evidence.size(),
                                  hash.data(), &size);
    KESSAI_CHECK(done == 1 && size == hash.size(), "SHA-256 works");
    return hash;
}

ChainHash AuditChain::OfRepair(const domain::Repair& repair) const {
    Fields fields("repair");
    fields.Number(repair.discrepancy.value())
        .Number(repair.number)
        .Number(static_cast<int>(repair.kind))
        .Number(static_cast<int>(repair.state))
        .Text(repair.requested_by)
        .Text(repair.decided_by)
        .Text(repair.reason)
        .Text(repair.outcome)
        .Number(repair.leg.merchant.value())
        .Number(repair.leg.amount)
        .Number(repair.other_leg.merchant.value())
        .Number(repair.other_leg.amount)
        .Number(ToMicros(repair.requested_at))
        .Number(ToMicros(repair.decided_at))
        .Number(ToMicros(repair.carried_out_at))
        .Number(ToMicros(repair.ended_at));
    return Sign(fields.bytes());
}

ChainHash AuditChain::OfStep(const ChainHash& before, const Discrepancy& discrepancy,
                             const ChainHash& repair, const ChainHash& evidence) const {
    const domain::Finding& finding = discrepancy.finding;
    const domain::Subject& subject = finding.subject;
    const domain::Step& step = discrepancy.latest;
    Fields fields("step");
    fields.Hash(before)
        .Number(discrepancy.id.value())
        .Number(step.number)
        .Number(subject.business_date.ToNumber())
        .Number(static_cast<int>(subject.kind))
        .Number(subject.change.payment.value())
        .Number(subject.change.version)
        .Number(subject.book ? static_cast<int>(*subject.book) : 0)
        .Number(subject.bucket)
        .Number(HeldObject(subject))
        .Number(ToMicros(discrepancy.found_at))
        .Number(static_cast<int>(step.state))
        .Text(step.actor)
        .Text(step.note)
        .Number(ToMicros(step.at))
        .Number(discrepancy.last_event.value())
        .Number(finding.merchant.value())
        .Text(finding.currency.code())
        .Optional(finding.payment_gross)
        .Optional(finding.payout_gross)
        .Text(discrepancy.owner)
        .Number(step.repair)
        .Hash(repair)
        .Hash(evidence);
    return Sign(fields.bytes());
}

ChainHash AuditChain::OfAnchor(const ChainHash& before, int slot, std::uint64_t number, Instant at,
                               std::string_view steps) const {
    Fields fields("anchor");
    fields.Hash(before)
        .Number(slot)
        .Number(static_cast<std::int64_t>(number))
        .Number(ToMicros(at))
        .Text(steps);
    return Sign(fields.bytes());
}

void AnchoredSteps::Add(domain::DiscrepancyId discrepancy, std::uint32_t number,
                        const ChainHash& hash) {
    Fields::AppendBigEndian(bytes_, static_cast<std::uint64_t>(discrepancy.value()), 8);
    Fields::AppendBigEndian(bytes_, number, 4);
    bytes_.append(reinterpret_cast<const char*>(hash.data()), hash.size());
}

mysql::Bytes BytesOf(const ChainHash& hash) {
    return {{reinterpret_cast<const char*>(hash.data()), hash.size()}};
}

ChainHash ReadChainHash(const mysql::Rows& row, int column) {
    const std::string bytes = row.Bytes(column);
    ChainHash hash{};
    KESSAI_CHECK(bytes.size() == hash.size(), "the column is BINARY(32)");
    std::ranges::copy(bytes, hash.begin());
    return hash;
}

Status AddAnchor(mysql::Session& session, const AuditChain& chain, int slot, Instant at,
                 const AnchoredSteps& steps) {
    KESSAI_ASSIGN_OR_RETURN(auto head, session.Select(kLockHead, slot));
    if (!head.Next()) {
        return Status(Code::kInternal, "AUDIT_HEAD_MISSING",
                      "slot " + std::to_string(slot) + " of the audit trail has no end");
    }
    const std::uint64_t number = head.Uint(0) + 1;
    const ChainHash hash = chain.OfAnchor(ReadChainHash(head, 1), slot, number, at, steps.bytes());
    KESSAI_RETURN_IF_ERROR(session.Execute(kInsertAnchor, slot, number, at,
                                           mysql::Bytes{steps.bytes()}, BytesOf(hash)));
    return session.Execute(kSetHead, number, BytesOf(hash), slot).status();
}

namespace {

/// A discrepancy without its history, and its evidence's hash.
struct Older {
    Discrepancy discrepancy;
    ChainHash evidence{};
};

Older ReadOlder(const mysql::Rows& row) {
    Older older;
    Discrepancy& discrepancy = older.discrepancy;
    discrepancy.id = domain::DiscrepancyId(row.Int(0));
    domain::Subject& subject = discrepancy.finding.subject;
    subject.business_date = row.Date(1);
    subject.kind = static_cast<domain::DiscrepancyKind>(row.Int(2));
    subject.change = {domain::PaymentId(row.Int(3)), static_cast<std::uint32_t>(row.Uint(4))};
    if (row.Int(5) != 0) subject.book = static_cast<domain::Book>(row.Int(5));
    subject.bucket = static_cast<std::uint32_t>(row.Uint(6));
    if (domain::IsAboutTransfer(subject.kind)) {
        subject.transfer = domain::TransferId(row.Int(7));
    } else {
        subject.held_merchant = domain::MerchantId(row.Int(7));
    }
    discrepancy.found_at = row.At(8);
    older.evidence = AuditChain::OfEvidence(row.Text(9));
    return older;
}

Status ChainHistory(mysql::Session& session, const AuditChain& chain, Older older,
                    AnchoredSteps& anchored) {
    Discrepancy& discrepancy = older.discrepancy;
    KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kOlderSteps, discrepancy.id));
    const std::size_t count = rows.size();
    mysql::StatementBatch updates("discrepancy_step.chain_older");
    for (std::size_t i = 0; rows.Next(); ++i) {
        if (ReadChainHash(rows, 10) != ChainHash{}) return OkStatus();  // Before it was killed.
        discrepancy.latest = {.number = static_cast<std::uint32_t>(rows.Uint(0)),
                              .state = static_cast<domain::DiscrepancyState>(rows.Int(1)),
                              .actor = rows.Text(2),
                              .note = rows.Text(3),
                              .at = rows.At(4)};
        discrepancy.last_event = domain::EventId(rows.Int(5));
        discrepancy.finding.merchant = domain::MerchantId(rows.Int(6));
        KESSAI_ASSIGN_OR_RETURN(discrepancy.finding.currency, Currency::Parse(rows.Text(7)));
        discrepancy.finding.payment_gross = rows.OptionalInt(8);
        discrepancy.finding.payout_gross = rows.OptionalInt(9);
        // What an earlier step found is no longer known.
        const ChainHash evidence = i + 1 == count ? older.evidence : ChainHash{};
        discrepancy.last_hash =
            chain.OfStep(discrepancy.last_hash, discrepancy, ChainHash{}, evidence);
        KESSAI_RETURN_IF_ERROR(updates.Add(kChainStep, BytesOf(evidence),
                                           BytesOf(discrepancy.last_hash), discrepancy.id,
                                           discrepancy.latest.number));
        anchored.Add(discrepancy.id, discrepancy.latest.number, discrepancy.last_hash);
    }
    return updates.empty() ? OkStatus() : session.ExecuteMany(updates);
}

/// Chains some discrepancies behind `after`, and moves it; false: there were none.
Result<bool> ChainSome(mysql::Session& session, const AuditChain& chain, const Clock& clock,
                       domain::DiscrepancyId& after) {
    KESSAI_ASSIGN_OR_RETURN(auto transaction, mysql::Transaction::Begin(session));
    KESSAI_ASSIGN_OR_RETURN(
        auto rows, session.Select(kOlderDiscrepancies, after, kDiscrepanciesPerTransaction));
    std::vector<Older> some;
    while (rows.Next()) some.push_back(ReadOlder(rows));
    if (some.empty()) return false;
    const domain::DiscrepancyId last = some.back().discrepancy.id;
    AnchoredSteps anchored;
    for (Older& one : some) {
        KESSAI_RETURN_IF_ERROR(ChainHistory(session, chain, std::move(one), anchored));
    }
    if (!anchored.empty()) {
        KESSAI_RETURN_IF_ERROR(AddAnchor(session, chain, kOlderSlot, clock.Now(), anchored));
    }
    KESSAI_RETURN_IF_ERROR(transaction.Commit());
    after = last;
    return true;
}

}  // namespace

Status ChainOlderSteps(mysql::Session& session, const AuditChain& chain, const Clock& clock) {
    {
        KESSAI_ASSIGN_OR_RETURN(auto last, session.Select(kLastOlderAnchor));
        // The last one is of no steps: it says that all are chained.
        if (last.Next() && last.Int(0) == 0) return OkStatus();
        KESSAI_ASSIGN_OR_RETURN(auto live, session.Select(kLiveAnchors));
        if (live.Next() && live.Int(0) > 0) {
            return Status(Code::kFailedPrecondition, "AUDIT_TRAIL_BROKEN",
                          "the audit trail does not say that older steps were chained, though the "
                          "service has chained its own: rows of audit_anchor are gone");
        }
    }
    domain::DiscrepancyId after;
    bool more = true;
    while (more) {
        KESSAI_ASSIGN_OR_RETURN(more, ChainSome(session, chain, clock, after));
    }
    KESSAI_ASSIGN_OR_RETURN(auto transaction, mysql::Transaction::Begin(session));
    KESSAI_RETURN_IF_ERROR(AddAnchor(session, chain, kOlderSlot, clock.Now(), AnchoredSteps()));
    return transaction.Commit();
}

}  // namespace kessai::reconciliation::storage
