#include "world.h"

#include <openssl/sha.h>

#include <algorithm>

#include "kessai/digest/store.h"
#include "kessai/event/bucket.h"
#include "kessai/event/envelope.h"
#include "kessai/event/mark.h"
#include "kessai/inbox/consumer.h"
#include "kessai/lease/lease_table.h"
#include "kessai/mysql/migration.h"
#include "kessai/mysql/query.h"
#include "kessai/outbox/outbox_table.h"
#include "kessai/payment/v1/payment_event.pb.h"
#include "kessai/payout/v1/payout_event.pb.h"
#include "migrations_under_test.h"
#include "rules/history_chain.h"

namespace kessai::audit::testing {
namespace {

constexpr const char* kYen = "JPY";
constexpr int kTaxClass10 = 2;
constexpr std::size_t kRowsPerStatement = 1'000;

std::string Sha256(const std::string& bytes) {
    unsigned char hash[SHA256_DIGEST_LENGTH];
    SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), hash);
    return {reinterpret_cast<const char*>(hash), sizeof hash};
}

std::string Little(std::int64_t number) {
    std::string bytes;
    for (int i = 0; i < 8; ++i) bytes.push_back(static_cast<char>(number >> (8 * i) & 255));
    return bytes;
}

std::string Big(std::int64_t number) {
    std::string bytes = Little(number);
    std::reverse(bytes.begin(), bytes.end());
    return bytes;
}

Hash16 KeyHash(const std::string& bytes) {
    return Hash16Of(Sha256(bytes).substr(0, 16));
}

mysql::Bytes BytesOf(const Hash16& hash) {
    return {{reinterpret_cast<const char*>(hash.data()), hash.size()}};
}

BusinessDate DateOf(DayNumber day) {
    return BusinessDate::FromNumber(day).value();
}

/// Statements of a bounded number of rows.
class Inserter {
 public:
    Inserter(mysql::Session& session, mysql::Query query) : session_(session), query_(query) {}
    template <class... Values>
    void Add(const Values&... values) {
        rows_.Add(values...);
        if (rows_.size() >= kRowsPerStatement) Send();
    }
    Status End() {
        Send();
        return status_;
    }

 private:
    void Send() {
        if (rows_.empty()) return;
        if (auto done = session_.Execute(query_, rows_); !done.ok() && status_.ok()) {
            status_ = done.status();
        }
        rows_.Clear();
    }
    mysql::Session& session_;
    mysql::Query query_;
    mysql::RowList rows_;
    Status status_;
};

int SignOf(const Change& change) {
    return change.kind == kCompleted ? 1 : -1;
}

}  // namespace

World::World()
    : date_(BusinessDate::Parse("2026-11-20").value()),
      now_us_(ToMicros(date_.StartsAt()) + 3'600'000'000),
      hasher_(digest::RowHasher::FromHex(kDigestKey).value()),
      digests_(hasher_) {
    plans_.push_back({1, 1, 0, 198, 0, 0, 0, 20200101, {}});
}

void World::OpenWallet(std::int64_t user) {
    Tick();
    accounts_[user] = {kUserMoney, user, CurrencyCode(kYen), 0, 0};
}

std::int64_t World::TopUp(std::int64_t user, std::int64_t amount) {
    const std::int64_t now = Tick();
    const std::int64_t id = NextId();
    Change change;
    change.key = {id, 1};
    change.event_id = NextId();
    change.kind = kToppedUp;
    change.business_date = today();
    change.occurred_at_us = now;
    change.user_id = user;
    change.currency = CurrencyCode(kYen);
    change.amount = amount;
    change.payment_date = kNoDay;
    change.source = "development";
    Append(change, amount);

    TopUpRow row;
    row.top_up_id = id;
    row.user_id = user;
    row.idempotency_key = "top-up-" + std::to_string(id);
    row.top_up_key = KeyHash(Little(user) + row.idempotency_key);
    row.currency = change.currency;
    row.amount = amount;
    row.source = change.source;
    row.balance_after = accounts_.at(user).balance;
    row.accepted_at_us = now;
    top_ups_.push_back(row);
    return id;
}

std::int64_t World::Create(std::int64_t merchant, const std::string& merchant_payment_id,
                           std::int64_t amount) {
    Tick();
    PaymentRow payment;
    payment.payment_id = NextId();
    payment.merchant_id = merchant;
    payment.merchant_payment_id = merchant_payment_id;
    payment.currency = CurrencyCode(kYen);
    payment.amount = amount;
    payment.store_id = "店-1";
    payment.terminal_id = "terminal-1";
    payment.order_receipt_number = "r-" + merchant_payment_id;
    payment.status = kStatusCreated;
    payment.business_date = kNoDay;
    payments_[payment.payment_id] = payment;
    orders_[{merchant, merchant_payment_id}] = {KeyHash(Little(merchant) + merchant_payment_id),
                                                merchant, merchant_payment_id, payment.payment_id,
                                                0};
    return payment.payment_id;
}

void World::DeleteCode(std::int64_t payment) {
    Tick();
    payments_.at(payment).status = kStatusCodeDeleted;
}

Change World::NextChange(ChangeKind kind, std::int64_t amount, const PaymentRow& payment) {
    Change change;
    change.key = {payment.payment_id, payment.version + 1};
    change.event_id = NextId();
    change.kind = kind;
    change.business_date = today();
    change.occurred_at_us = now_us_;
    change.merchant_id = payment.merchant_id;
    change.user_id = payment.user_id;
    change.currency = payment.currency;
    change.amount = amount;
    change.merchant_payment_id = payment.merchant_payment_id;
    change.store_id = payment.store_id;
    change.terminal_id = payment.terminal_id;
    change.order_receipt_number = payment.order_receipt_number;
    change.order_amount = payment.amount;
    change.captured_total = payment.captured;
    change.refunded_before = payment.refunded;
    change.payment_date = payment.business_date;
    change.payment_accepted_at_us = payment.accepted_at_us;
    return change;
}

void World::Pay(std::int64_t id, std::int64_t user) {
    PaymentRow& payment = payments_.at(id);
    payment.accepted_at_us = Tick();
    payment.status = kStatusCompleted;
    payment.user_id = user;
    payment.business_date = today();
    payment.captured = payment.amount;
    const Change change = NextChange(kCompleted, payment.amount, payment);
    payment.version = change.key.version;
    payment.last_event_id = change.event_id;
    Append(change, -payment.amount);
}

void World::Cancel(std::int64_t merchant, const std::string& merchant_payment_id) {
    const std::int64_t now = Tick();
    const auto found = orders_.find({merchant, merchant_payment_id});
    if (found == orders_.end()) {
        orders_[{merchant, merchant_payment_id}] = {KeyHash(Little(merchant) + merchant_payment_id),
                                                    merchant, merchant_payment_id, 0, now};
        return;
    }
    found->second.canceled_at_us = now;
    PaymentRow& payment = payments_.at(found->second.payment_id);
    payment.canceled_at_us = now;
    const bool paid = payment.status == kStatusCompleted;
    payment.status = kStatusFailed;
    if (!paid) return;
    const Change change = NextChange(kCanceled, payment.amount, payment);
    payment.version = change.key.version;
    payment.last_event_id = change.event_id;
    Append(change, payment.amount);
}

std::int64_t World::Refund(std::int64_t id, std::int64_t amount) {
    PaymentRow& payment = payments_.at(id);
    const std::int64_t now = Tick();
    RefundRow refund;
    refund.refund_id = NextId();
    refund.payment_id = id;
    refund.merchant_id = payment.merchant_id;
    refund.merchant_refund_id = "refund-" + std::to_string(payment.refund_count + 1);
    refund.refund_key =
        KeyHash(Little(payment.merchant_id) + Little(id) + refund.merchant_refund_id);
    refund.currency = payment.currency;
    refund.amount = amount;
    refund.accepted_at_us = now;
    Change change = NextChange(kRefunded, amount, payment);
    change.refund_id = refund.refund_id;
    change.merchant_refund_id = refund.merchant_refund_id;
    payment.status = kStatusRefunded;
    payment.refunded += amount;
    ++payment.refund_count;
    payment.version = change.key.version;
    payment.last_event_id = change.event_id;
    Append(change, amount);
    refunds_.push_back(refund);
    return refund.refund_id;
}

void World::PutPlan(std::int64_t merchant, int basis_points, std::int64_t fixed,
                    std::int64_t minimum, std::int64_t maximum, DayNumber from) {
    int id = 0;
    int version = 1;
    for (const Plan& plan : plans_) {
        if (plan.merchant == merchant) {
            id = plan.id;
            version = plan.version + 1;
        }
    }
    if (id == 0) id = static_cast<int>(plans_.size()) + 1;
    plans_.push_back({id, version, merchant, basis_points, fixed, minimum, maximum, from, {}});
}

int World::PutSharedPlan(const SharedPlan& terms, DayNumber from) {
    const int id = static_cast<int>(plans_.size()) + 1;
    plans_.push_back({id, 1, -1, terms.basis_points, 0, 0, 0, from, terms});
    return id;
}

void World::Assign(std::int64_t merchant, int plan, DayNumber from) {
    assignments_.push_back({merchant, plan, from});
}

void World::FixVolume(std::int64_t merchant, DayNumber month, DayNumber from) {
    volumes_.push_back({merchant, month, from});
}

void World::Append(const Change& given, std::int64_t user_gains) {
    Change change = given;
    change.bucket = event::BucketOf(change.key.object);
    PostingRow posting;
    posting.event_id = change.event_id;
    posting.key = change.key;
    posting.business_date = change.business_date;
    posting.currency = change.currency;
    if (change.kind == kReleaseCleared) {
        posting.kind = kPayableReleased;
        posting.amount = -change.amount;
        postings_.push_back(posting);
        posting.kind = kPayoutClearing;
        posting.amount = change.amount;
        postings_.push_back(posting);
    } else {
        AccountRow& account = accounts_.at(change.user_id);
        account.balance += user_gains;
        account.last_event_id = change.event_id;
        posting.kind = kUserMoney;
        posting.owner_id = change.user_id;
        posting.amount = user_gains;
        posting.balance_after = account.balance;
        postings_.push_back(posting);
        posting.kind = change.kind == kToppedUp ? kDevelopmentFunding : kMerchantPayable;
        posting.owner_id = change.merchant_id;
        posting.amount = -user_gains;
        posting.balance_after = 0;
        postings_.push_back(posting);
    }

    std::string type;
    std::string payload;
    if (change.kind == kToppedUp) {
        payment::v1::WalletChanged message;
        message.set_kind(payment::v1::WalletChanged::TOPPED_UP);
        message.set_user_id(change.user_id);
        message.set_currency(kYen);
        message.set_amount(change.amount);
        message.set_source(change.source);
        type = "kessai.payment.v1.WalletChanged";
        payload = message.SerializeAsString();
    } else if (change.kind == kReleaseCleared) {
        payment::v1::ReleaseCleared message;
        message.set_released_date(static_cast<int>(change.key.object));
        message.set_currency(kYen);
        message.set_gross(change.amount);
        type = "kessai.payment.v1.ReleaseCleared";
        payload = message.SerializeAsString();
    } else {
        payment::v1::PaymentChanged message;
        message.set_kind(static_cast<payment::v1::PaymentChanged::Kind>(change.kind));
        message.set_payment_id(change.key.object);
        message.set_merchant_id(change.merchant_id);
        message.set_user_id(change.user_id);
        message.set_merchant_payment_id(change.merchant_payment_id);
        message.set_store_id(change.store_id);
        message.set_terminal_id(change.terminal_id);
        message.set_order_receipt_number(change.order_receipt_number);
        message.set_currency(kYen);
        message.set_amount(change.amount);
        auto* method = message.add_methods();
        method->set_method(payment::v1::MethodAmount::WALLET);
        method->set_amount(change.amount);
        message.set_captured_total(change.captured_total);
        message.set_refunded_before(change.refunded_before);
        message.set_payment_business_date(change.payment_date);
        message.set_payment_accepted_at_us(change.payment_accepted_at_us);
        message.set_refund_id(change.refund_id);
        message.set_merchant_refund_id(change.merchant_refund_id);
        message.set_order_amount(change.order_amount);
        type = "kessai.payment.v1.PaymentChanged";
        payload = message.SerializeAsString();
    }
    const event::Fields fields{type,
                               change.key.object,
                               change.key.version,
                               change.event_id,
                               DateOf(change.business_date),
                               FromMicros(change.occurred_at_us),
                               payload};
    Publish(false, change.key.object, event::Seal(fields).value());
    changes_.push_back(change);
    if (change.kind != kToppedUp && change.kind != kReleaseCleared) {
        const event::ContentHash hash = event::HashOf(fields);
        Accrue(change, {reinterpret_cast<const char*>(hash.data()), hash.size()});
    }
}

void World::Publish(bool of_payout, std::int64_t object, std::string envelope) {
    events_.push_back({of_payout, event::PartitionOf(object, kPartitions), std::to_string(object),
                       std::move(envelope)});
}

const World::Plan& World::PlanOf(std::int64_t merchant, DayNumber day) const {
    const Plan* found = nullptr;
    for (const Assignment& assignment : assignments_) {
        if (assignment.merchant != merchant || assignment.from > day) continue;
        for (const Plan& plan : plans_) {
            if (plan.id == assignment.plan) return plan;
        }
    }
    for (const std::int64_t of : {merchant, std::int64_t{0}}) {
        for (const Plan& plan : plans_) {
            if (plan.merchant == of && plan.from <= day) found = &plan;
        }
        if (found != nullptr) break;
    }
    return *found;
}

std::int64_t World::FeeOf(const Plan& plan, const std::string& store, std::int64_t amount) const {
    if (amount == 0) return 0;
    // Volumes are nothing here, so no tier is ever reached.
    const bool of_store = !plan.shared.store.empty() && plan.shared.store == store;
    const int basis_points = of_store ? plan.shared.store_basis_points : plan.basis_points;
    std::int64_t fee = amount * basis_points / 10'000 + plan.fixed;
    fee = std::max(fee, plan.minimum);
    return plan.maximum > 0 ? std::min(fee, plan.maximum) : fee;
}

void World::Accrue(const Change& change, const std::string& content_hash) {
    const Plan& plan = PlanOf(change.merchant_id, change.payment_date);
    const std::int64_t whole = FeeOf(plan, change.store_id, change.captured_total);
    Accrual accrual;
    accrual.change = change;
    accrual.gross = SignOf(change) * change.amount;
    accrual.fee = SignOf(change) > 0 ? whole
                                     : whole * change.refunded_before / change.captured_total -
                                           whole * (change.refunded_before + change.amount) /
                                               change.captured_total;
    accrual.plan = plan.id;
    accrual.plan_version = plan.version;
    if (!plan.shared.store.empty()) accrual.store = change.store_id;
    accrual.recorded_at_us = change.occurred_at_us + 20'000;
    accrual.payment_hash = content_hash;

    payout::v1::AccrualRecorded message;
    message.set_merchant_id(change.merchant_id);
    message.set_currency(kYen);
    message.set_gross(accrual.gross);
    message.set_fee(accrual.fee);
    message.set_tax_class("standard_10");
    message.set_plan_id(plan.id);
    message.set_plan_version(static_cast<std::uint32_t>(plan.version));
    message.set_payment_event_id(change.event_id);
    message.set_payment_content_hash(content_hash);
    const std::string payload = message.SerializeAsString();
    const event::Fields fields{"kessai.payout.v1.AccrualRecorded",
                               change.key.object,
                               change.key.version,
                               change.event_id,
                               DateOf(change.business_date),
                               FromMicros(accrual.recorded_at_us),
                               payload};
    Publish(true, change.key.object, event::Seal(fields).value());
    const event::ContentHash hash = event::HashOf(fields);
    accrual.payout_hash.assign(reinterpret_cast<const char*>(hash.data()), hash.size());

    Sums& total = totals_[{change.business_date, change.merchant_id,
                           event::PartitionOf(change.key.object, kPartitions)}];
    total.gross += accrual.gross;
    total.fee += accrual.fee;
    ++total.count;
    if (SignOf(change) < 0) {
        // Merchant 12's were summed when the table was made, over all slots.
        const int slot =
            change.merchant_id == 12 ? -1 : event::PartitionOf(change.key.object, kPartitions);
        auto& [part, first, last] =
            returns_
                .try_emplace({change.business_date, change.merchant_id, slot}, Sums{},
                             change.payment_date, change.payment_date)
                .first->second;
        part.gross += accrual.gross;
        part.fee += accrual.fee;
        ++part.count;
        first = std::min(first, change.payment_date);
        last = std::max(last, change.payment_date);
    }
    digests_.Add({change.key.object, change.key.version, DateOf(change.business_date),
                  change.merchant_id, accrual.gross});
    accruals_.push_back(std::move(accrual));
}

void World::PublishMarks(bool of_payout, DayNumber day) {
    const std::string mark =
        event::SealMark({DateOf(day), kPartitions, of_payout ? "payout" : "payment"},
                        of_payout ? day : NextId(), FromMicros(now_us_))
            .value();
    for (int partition = 0; partition < kPartitions; ++partition) {
        events_.push_back({of_payout, partition, "", mark});
    }
}

// One chunk of all merchants, in order of (merchant, slot).
void World::Seal(DayNumber day, Day& state) {
    std::string totals = Big(day);
    std::set<std::int64_t> merchants;
    for (const auto& [key, sums] : totals_) {
        const auto& [of_day, merchant, slot] = key;
        if (of_day != day) continue;
        merchants.insert(merchant);
        totals += Big(merchant) + Big(slot) + Big(kTaxClass10) + Big(sums.gross) + Big(sums.fee) +
                  Big(sums.count);
    }
    state.merchants = static_cast<std::int64_t>(merchants.size());
    state.chunk_seal = Sha256(totals);
    state.seal = Sha256(Big(day) + Big(INT64_MIN) + Big(INT64_MAX) + Big(state.merchants) +
                        state.chunk_seal);
}

void World::CloseDay() {
    const DayNumber day = today();
    Day& state = days_[day];
    state.closing_at_us = Tick();
    date_ = date_.Next();
    now_us_ = std::max(now_us_, ToMicros(date_.StartsAt()));
    PublishMarks(false, day);
    Seal(day, state);
    PublishMarks(true, day);
}

void World::Release(DayNumber day) {
    Day& state = days_.at(day);
    state.released_at_us = Tick();
    std::map<std::int64_t, Sums> by_merchant;
    for (const auto& [key, sums] : totals_) {
        if (std::get<0>(key) != day) continue;
        Sums& sum = by_merchant[std::get<1>(key)];
        sum.gross += sums.gross;
        sum.fee += sums.fee;
        sum.count += sums.count;
    }
    for (const auto& [merchant, sums] : by_merchant) {
        auto& [cycle, cycle_tax] = cycles_[{day / 100 * 100 + 1, merchant}];
        const std::int64_t tax = (cycle.fee + sums.fee) / 10 - cycle.fee / 10;
        cycle.gross += sums.gross;
        cycle.fee += sums.fee;
        cycle_tax += tax;
        releases_.push_back({day, merchant, sums, tax});
        state.released.gross += sums.gross;
        state.released.fee += sums.fee;
        state.released.count += 1;
        state.tax += tax;
    }
    payout::v1::DayReleased message;
    message.set_business_date(day);
    message.set_currency(kYen);
    message.set_merchant_count(state.released.count);
    message.set_held_back_count(0);
    message.set_gross(state.released.gross);
    message.set_fee(state.released.fee);
    message.set_tax(state.tax);
    message.set_net(state.released.gross - state.released.fee - state.tax);
    message.set_round(0);
    const std::string payload = message.SerializeAsString();
    const event::Fields fields{"kessai.payout.v1.DayReleased",   day,    1, 1, date_,
                               FromMicros(state.released_at_us), payload};
    Publish(true, day, event::Seal(fields).value());
    state.rounds = 1;

    Tick();
    Change change;
    change.key = {day, 1};
    change.event_id = NextId();
    change.kind = kReleaseCleared;
    change.business_date = today();
    change.occurred_at_us = now_us_;
    change.currency = CurrencyCode(kYen);
    change.amount = state.released.gross;
    change.payment_date = kNoDay;
    Append(change, 0);
    const event::ContentHash hash = event::HashOf(fields);
    clearings_.push_back({change.key, hash});
}

Status World::Flush(const Schemas& schemas) {
    if (schemas.payment != nullptr) KESSAI_RETURN_IF_ERROR(FlushPayment(*schemas.payment));
    if (schemas.payout != nullptr) KESSAI_RETURN_IF_ERROR(FlushPayout(*schemas.payout));
    if (schemas.reconciliation != nullptr) {
        KESSAI_RETURN_IF_ERROR(FlushReconciliation(*schemas.reconciliation));
    }
    payments_.clear();
    orders_.clear();
    refunds_.clear();
    top_ups_.clear();
    changes_.clear();
    postings_.clear();
    clearings_.clear();
    accruals_.clear();
    return OkStatus();
}

Status World::FlushPayment(mysql::Session& session) {
    Inserter orders(session, {"world.orders", R"sql(
        INSERT INTO payment_order (order_key, merchant_id, merchant_payment_id, payment_id,
                                   canceled_at_us) VALUES {rows})sql"});
    std::vector<const OrderRow*> by_key;
    for (const auto& [name, row] : orders_) by_key.push_back(&row);
    std::sort(by_key.begin(), by_key.end(),
              [](const OrderRow* a, const OrderRow* b) { return a->order_key < b->order_key; });
    for (const OrderRow* row : by_key) {
        orders.Add(BytesOf(row->order_key), row->merchant_id, row->merchant_payment_id,
                   row->payment_id, row->canceled_at_us);
    }
    KESSAI_RETURN_IF_ERROR(orders.End());

    Inserter payments(session, {"world.payments", R"sql(
        INSERT INTO payment (payment_id, merchant_id, merchant_payment_id, currency, amount,
                             store_id, terminal_id, order_receipt_number, status, user_id,
                             accepted_at_us, business_date, canceled_at_us, captured, refunded,
                             refund_count, version, last_event_id) VALUES {rows})sql"});
    for (const auto& [id, row] : payments_) {
        payments.Add(id, row.merchant_id, row.merchant_payment_id, kYen, row.amount, row.store_id,
                     row.terminal_id, row.order_receipt_number, row.status, row.user_id,
                     row.accepted_at_us, DateOf(row.business_date), row.canceled_at_us,
                     row.captured, row.refunded, row.refund_count, row.version, row.last_event_id);
    }
    KESSAI_RETURN_IF_ERROR(payments.End());

    Inserter refunds(session, {"world.refunds", R"sql(
        INSERT INTO refund (refund_key, refund_id, payment_id, merchant_id, merchant_refund_id,
                            currency, amount, accepted_at_us, requested_at_s, reason)
        VALUES {rows})sql"});
    for (const RefundRow& row : refunds_) {
        refunds.Add(BytesOf(row.refund_key), row.refund_id, row.payment_id, row.merchant_id,
                    row.merchant_refund_id, kYen, row.amount, row.accepted_at_us, 0, "");
    }
    KESSAI_RETURN_IF_ERROR(refunds.End());

    Inserter top_ups(session, {"world.top_ups", R"sql(
        INSERT INTO top_up (top_up_key, top_up_id, user_id, idempotency_key, currency, amount,
                            source, balance_after, accepted_at_us) VALUES {rows})sql"});
    for (const TopUpRow& row : top_ups_) {
        top_ups.Add(BytesOf(row.top_up_key), row.top_up_id, row.user_id, row.idempotency_key, kYen,
                    row.amount, row.source, row.balance_after, row.accepted_at_us);
    }
    KESSAI_RETURN_IF_ERROR(top_ups.End());

    Inserter journals(session, {"world.journals", R"sql(
        INSERT INTO journal (object_id, version, event_id, kind, business_date, occurred_at_us,
                             merchant_id, user_id, currency, amount, merchant_payment_id, store_id,
                             terminal_id, order_receipt_number, order_amount, captured_total,
                             refunded_before, payment_date, payment_accepted_at_us, refund_id,
                             merchant_refund_id, source, bucket) VALUES {rows})sql"});
    for (const Change& row : changes_) {
        journals.Add(row.key.object, row.key.version, row.event_id, row.kind,
                     DateOf(row.business_date), row.occurred_at_us, row.merchant_id, row.user_id,
                     kYen, row.amount, row.merchant_payment_id, row.store_id, row.terminal_id,
                     row.order_receipt_number, row.order_amount, row.captured_total,
                     row.refunded_before, DateOf(row.payment_date), row.payment_accepted_at_us,
                     row.refund_id, row.merchant_refund_id, row.source, row.bucket);
    }
    KESSAI_RETURN_IF_ERROR(journals.End());

    Inserter postings(session, {"world.postings", R"sql(
        INSERT INTO posting (kind, owner_id, event_id, object_id, version, business_date, currency,
                             amount, balance_after) VALUES {rows})sql"});
    std::sort(postings_.begin(), postings_.end(), [](const PostingRow& a, const PostingRow& b) {
        return std::tuple(a.owner_id, a.kind, a.event_id) <
               std::tuple(b.owner_id, b.kind, b.event_id);
    });
    for (const PostingRow& row : postings_) {
        postings.Add(row.kind, row.owner_id, row.event_id, row.key.object, row.key.version,
                     DateOf(row.business_date), kYen, row.amount, row.balance_after);
    }
    KESSAI_RETURN_IF_ERROR(postings.End());

    Inserter clearings(session, {"world.clearings", R"sql(
        INSERT INTO release_clearing (object_id, version, content_hash) VALUES {rows})sql"});
    for (const ClearingRow& row : clearings_) {
        clearings.Add(row.key.object, row.key.version, BytesOf(row.content_hash));
    }
    return clearings.End();
}

Status World::FinishPayment(mysql::Session& session) {
    Inserter accounts(session, {"world.accounts", R"sql(
        INSERT INTO account (kind, owner_id, currency, balance, last_event_id, opened_at_us)
        VALUES {rows})sql"});
    for (const auto& [user, row] : accounts_) {
        accounts.Add(row.kind, user, kYen, row.balance, row.last_event_id, 0);
    }
    KESSAI_RETURN_IF_ERROR(accounts.End());
    constexpr mysql::Query kGates{"world.gates", "UPDATE gate SET business_date = ?"};
    KESSAI_RETURN_IF_ERROR(session.Execute(kGates, date_));
    Inserter days(session, {"world.days", R"sql(
        INSERT INTO business_day (business_date, state, closing_at_us, mark_row_id, closed_at_us)
        VALUES {rows})sql"});
    for (const auto& [day, state] : days_) {
        days.Add(DateOf(day), int{kDayClosed}, state.closing_at_us, 1, state.closing_at_us + 1);
    }
    KESSAI_RETURN_IF_ERROR(days.End());
    KESSAI_RETURN_IF_ERROR(StoreKeptDayOfCustomers(session));
    return digest::AddToDay(session, digests_, 0);
}

// Of the first day, which has ended; an account that did not move has its row too.
Status World::StoreKeptDayOfCustomers(mysql::Session& session) {
    if (days_.empty()) return OkStatus();
    return internal::TakeStatus(session.Execute(mysql::Query{"world.kept_day_of_customers", R"sql(
        INSERT INTO ledger_day (business_date, account, amount, kept_at_us)
        SELECT ?, a.account,
               (SELECT COALESCE(SUM(p.amount), 0) FROM posting p
                WHERE p.business_date = ? AND p.kind = a.account), 1
        FROM (SELECT 1 AS account UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5)
             a)sql"},
                                                DateOf(days_.begin()->first),
                                                DateOf(days_.begin()->first)));
}

Status World::FlushPayout(mysql::Session& session) {
    Inserter accruals(session, {"world.accruals", R"sql(
        INSERT INTO accrual (business_date, bucket, payment_id, version, merchant_id, kind,
                             tax_class, currency, gross, fee, captured_total, refunded_before,
                             payment_date, plan_id, plan_version, event_id, recorded_at_us,
                             content_hash) VALUES {rows})sql"});
    for (const Accrual& accrual : accruals_) {
        const Change& change = accrual.change;
        std::optional<std::int64_t> captured;
        if (change.captured_total != change.amount) captured = change.captured_total;
        std::optional<std::int64_t> refunded;
        if (change.refunded_before != 0) refunded = change.refunded_before;
        std::optional<BusinessDate> date;
        if (change.payment_date != change.business_date) date = DateOf(change.payment_date);
        accruals.Add(DateOf(change.business_date), change.bucket, change.key.object,
                     change.key.version, change.merchant_id, change.kind, kTaxClass10, kYen,
                     accrual.gross, accrual.fee, captured, refunded, date, accrual.plan,
                     accrual.plan_version, change.event_id, accrual.recorded_at_us,
                     mysql::Bytes{accrual.payment_hash});
    }
    KESSAI_RETURN_IF_ERROR(accruals.End());
    Inserter details(session, {"world.accrual_details", R"sql(
        INSERT INTO accrual_detail (business_date, bucket, payment_id, version, captured_methods,
                                    methods, store_id) VALUES {rows})sql"});
    for (const Accrual& accrual : accruals_) {
        if (accrual.store.empty()) continue;
        const Change& change = accrual.change;
        details.Add(DateOf(change.business_date), change.bucket, change.key.object,
                    change.key.version, "", "", accrual.store);
    }
    return details.End();
}

Status World::FinishPayout(mysql::Session& session) {
    Inserter plans(session, {"world.plans", R"sql(
        REPLACE INTO fee_plan (plan_id, version, merchant_id, currency, rate_basis_points,
                               fixed_fee, minimum_fee, maximum_fee, effective_from, effective_to,
                               revision, put_at_us, put_by) VALUES {rows})sql"});
    int revision = 0;
    for (const Plan& plan : plans_) {
        plans.Add(plan.id, plan.version, plan.merchant, kYen, plan.basis_points, plan.fixed,
                  plan.minimum, plan.maximum, DateOf(plan.from), std::nullopt, ++revision, 0, "");
    }
    KESSAI_RETURN_IF_ERROR(plans.End());
    Inserter rules(session, {"world.plan_rules", R"sql(
        INSERT INTO fee_plan_rule (plan_id, version, rule, volume_from, store_id, method, date_from,
                                   date_to, first_days, rate_basis_points, fixed_fee, minimum_fee,
                                   maximum_fee) VALUES {rows})sql"});
    for (const Plan& plan : plans_) {
        if (plan.merchant != -1) continue;
        rules.Add(plan.id, plan.version, 0, plan.shared.tier_from, "", 0, std::nullopt,
                  std::nullopt, 0, plan.shared.tier_basis_points, 0, 0, 0);
        rules.Add(plan.id, plan.version, 1, 0, plan.shared.store, 0, std::nullopt, std::nullopt, 0,
                  plan.shared.store_basis_points, 0, 0, 0);
    }
    KESSAI_RETURN_IF_ERROR(rules.End());
    Inserter assignments(session, {"world.plan_assignments", R"sql(
        INSERT INTO plan_assignment (merchant_id, revision, plan_id, effective_from, effective_to,
                                     put_at_us, put_by) VALUES {rows})sql"});
    for (const Assignment& assignment : assignments_) {
        assignments.Add(assignment.merchant, ++revision, assignment.plan, DateOf(assignment.from),
                        std::nullopt, 0, "");
    }
    KESSAI_RETURN_IF_ERROR(assignments.End());
    Inserter volumes(session, {"world.volumes", R"sql(
        INSERT INTO merchant_volume (merchant_id, month_start, volume, effective_from, revision,
                                     fixed_at_us) VALUES {rows})sql"});
    for (const FixedVolume& volume : volumes_) {
        volumes.Add(volume.merchant, DateOf(volume.month), 0, DateOf(volume.from), ++revision, 0);
    }
    KESSAI_RETURN_IF_ERROR(volumes.End());

    Inserter totals(session, {"world.totals", R"sql(
        INSERT INTO merchant_day_total (business_date, merchant_id, slot, tax_class, currency,
                                        gross, fee, item_count) VALUES {rows})sql"});
    for (const auto& [key, sums] : totals_) {
        const auto& [day, merchant, slot] = key;
        totals.Add(DateOf(day), merchant, slot, kTaxClass10, kYen, sums.gross, sums.fee,
                   sums.count);
    }
    KESSAI_RETURN_IF_ERROR(totals.End());
    KESSAI_RETURN_IF_ERROR(StoreParts(session));

    Inserter days(session, {"world.payout_days", R"sql(
        INSERT INTO payout_day (business_date, state, seal, merchant_count, rounds, closed_at_us,
                                marked_at_us) VALUES {rows})sql"});
    Inserter chunks(session, {"world.chunks", R"sql(
        INSERT INTO day_chunk (business_date, chunk, merchant_first, merchant_last, merchant_count,
                               seal) VALUES {rows})sql"});
    Inserter rounds(session, {"world.rounds", R"sql(
        INSERT INTO release_round (business_date, round, deep, started_at_us, finished_at_us,
                                   merchant_count, held_back_count, gross, fee, tax, net)
        VALUES {rows})sql"});
    for (const auto& [day, state] : days_) {
        days.Add(DateOf(day), state.rounds > 0 ? 4 : 2, mysql::Bytes{state.seal}, state.merchants,
                 state.rounds, state.closing_at_us, state.closing_at_us);
        chunks.Add(DateOf(day), 0, INT64_MIN, INT64_MAX, state.merchants,
                   mysql::Bytes{state.chunk_seal});
        if (state.rounds > 0) {
            rounds.Add(DateOf(day), 0, 0, state.released_at_us, state.released_at_us,
                       state.released.count, 0, state.released.gross, state.released.fee, state.tax,
                       state.released.gross - state.released.fee - state.tax);
        }
    }
    days.Add(date_, 1, std::nullopt, 0, 0, std::nullopt, std::nullopt);
    KESSAI_RETURN_IF_ERROR(days.End());
    KESSAI_RETURN_IF_ERROR(chunks.End());
    KESSAI_RETURN_IF_ERROR(rounds.End());

    Inserter releases(session, {"world.releases", R"sql(
        INSERT INTO merchant_release (business_date, merchant_id, tax_class, round, currency, gross,
                                      fee, tax, net, item_count) VALUES {rows})sql"});
    for (const Release_& row : releases_) {
        releases.Add(DateOf(row.day), row.merchant, kTaxClass10, 0, kYen, row.sums.gross,
                     row.sums.fee, row.tax, row.sums.gross - row.sums.fee - row.tax,
                     row.sums.count);
    }
    KESSAI_RETURN_IF_ERROR(releases.End());
    KESSAI_RETURN_IF_ERROR(StoreBalances(session));
    KESSAI_RETURN_IF_ERROR(StoreMerchantLedger(session));
    KESSAI_RETURN_IF_ERROR(StoreStatements(session));
    KESSAI_RETURN_IF_ERROR(StoreHolds(session));
    KESSAI_RETURN_IF_ERROR(StoreKeptDay(session));
    return digest::AddToDay(session, digests_, 3);
}

Status World::StoreParts(mysql::Session& session) {
    constexpr int kReturns = 1;
    Inserter parts(session, {"world.parts", R"sql(
        INSERT INTO merchant_day_part (business_date, merchant_id, slot, tax_class, part, gross,
                                       fee, item_count, payment_first, payment_last)
        VALUES {rows})sql"});
    for (const auto& [key, part] : returns_) {
        const auto& [day, merchant, slot] = key;
        const auto& [sums, first, last] = part;
        parts.Add(DateOf(day), merchant, slot, kTaxClass10, kReturns, sums.gross, sums.fee,
                  sums.count, DateOf(first), DateOf(last));
    }
    return parts.End();
}

Status World::StoreBalances(mysql::Session& session) {
    struct Balance {
        DayNumber cycle = 0;
        std::int64_t fee = 0;
        std::int64_t released = 0;
    };
    std::map<std::int64_t, Balance> balances;
    // By cycle, so the latest stays.
    for (const auto& [key, cycle] : cycles_) {
        const auto& [sums, tax] = cycle;
        Balance& balance = balances[key.second];
        balance.cycle = key.first;
        balance.fee = sums.fee;
        balance.released += sums.gross - sums.fee - tax;
    }
    DayNumber last_released = 0;
    for (const auto& [day, state] : days_) {
        if (state.rounds > 0) last_released = day;
    }
    if (last_released == 0) return OkStatus();
    const auto number = [](std::uint64_t rest, std::string& bytes) {
        for (; rest > 127; rest /= 128) bytes.push_back(static_cast<char>(rest % 128 + 128));
        bytes.push_back(static_cast<char>(rest));
    };
    const auto signed_number = [&](std::int64_t value, std::string& bytes) {
        number(value < 0 ? static_cast<std::uint64_t>(-(value + 1)) * 2 + 1
                         : static_cast<std::uint64_t>(value) * 2,
               bytes);
    };
    // A piece for each merchant, the last one's to the end.
    Inserter pieces(session, {"world.balances", R"sql(
        INSERT INTO running_balance (business_date, merchant_first, merchant_last, balances)
        VALUES {rows})sql"});
    std::int64_t first = INT64_MIN;
    for (auto at = balances.begin(); at != balances.end(); ++at) {
        const auto& [merchant, balance] = *at;
        std::string bytes;
        signed_number(merchant, bytes);
        number(kTaxClass10, bytes);
        signed_number(balance.cycle / 10'000 * 12 + balance.cycle / 100 % 100 - 1, bytes);
        signed_number(balance.fee, bytes);
        signed_number(balance.released, bytes);
        const bool is_last = std::next(at) == balances.end();
        pieces.Add(DateOf(last_released), first, is_last ? INT64_MAX : merchant,
                   mysql::Bytes{bytes});
        first = merchant + 1;
    }
    KESSAI_RETURN_IF_ERROR(pieces.End());
    return internal::TakeStatus(session.Execute(
        mysql::Query{"world.turn", "UPDATE payout_gate SET balances_date = ? WHERE id = 1"},
        DateOf(last_released)));
}

void World::TellOfTransfer(std::int64_t transfer, std::uint32_t version, DayNumber day,
                           const google::protobuf::Message& message) {
    const std::int64_t object = (std::int64_t{1} << 40) + transfer;
    const std::string payload = message.SerializeAsString();
    Publish(true, object,
            event::Seal({.type = message.GetDescriptor()->full_name(),
                         .object_id = object,
                         .version = version,
                         .event_id = object * 8 + version,
                         .business_date = DateOf(day),
                         .occurred_at = FromMicros(1),
                         .payload = payload})
                .value());
}

void World::TellOfTransfers() {
    const auto begin = [](auto message, std::int64_t merchant, std::int64_t payout,
                          std::uint32_t attempt, std::int64_t amount) {
        message.set_merchant_id(merchant);
        message.set_payout_id(payout);
        message.set_attempt(attempt);
        message.set_currency(kYen);
        message.set_amount(amount);
        return message;
    };
    const auto tell = [&](std::int64_t transfer, std::int64_t merchant, std::int64_t payout,
                          std::uint32_t attempt, std::int64_t amount, std::uint32_t account,
                          std::int64_t fee, std::int64_t tax) {
        auto created = begin(payout::v1::TransferCreated(), merchant, payout, attempt, amount);
        created.set_fee(fee);
        created.set_tax(tax);
        created.set_bank_account_version(account);
        TellOfTransfer(transfer, 1, 20261120, created);
        if (attempt == 2) return;
        auto sent = begin(payout::v1::TransferSent(), merchant, payout, attempt, amount);
        sent.set_batch_id(11);
        sent.set_transfer_date(20261120);
        TellOfTransfer(transfer, 2, 19700101, sent);
    };
    tell(2, 11, 1, 1, 500, 1, 100, 10);
    TellOfTransfer(2, 3, 20261120, begin(payout::v1::TransferSettled(), 11, 1, 1, 500));
    tell(4, 12, 3, 1, 300, 1, 0, 0);
    auto failed = begin(payout::v1::TransferFailed(), 12, 3, 1, 300);
    failed.set_reason("E1");
    TellOfTransfer(4, 3, 20261120, failed);
    tell(5, 12, 3, 2, 300, 2, 0, 0);
    tell(7, 13, 6, 1, 200, 1, 0, 0);
    TellOfTransfer(7, 3, 20261120, begin(payout::v1::TransferSettled(), 13, 6, 1, 200));
    auto returned = begin(payout::v1::TransferReturned(), 13, 6, 1, 200);
    returned.set_reason("R1");
    TellOfTransfer(7, 4, 20261120, returned);
    auto created = begin(payout::v1::TransferCreated(), 11, 14, 1, 50);
    created.set_fee(100);
    created.set_tax(10);
    created.set_bank_account_version(1);
    TellOfTransfer(15, 1, 20261120, created);
    auto cancelled = begin(payout::v1::TransferCancelled(), 11, 14, 1, 50);
    cancelled.set_fee(100);
    cancelled.set_tax(10);
    cancelled.set_reason("typed twice");
    TellOfTransfer(15, 2, 20261120, cancelled);
}

void World::TellOfHold(std::int64_t number, std::uint32_t version, DayNumber day,
                       const google::protobuf::Message& message) {
    const std::int64_t object = (std::int64_t{1} << 41) + number;
    const std::string payload = message.SerializeAsString();
    Publish(true, object,
            event::Seal({.type = message.GetDescriptor()->full_name(),
                         .object_id = object,
                         .version = version,
                         .event_id = object * 65'536 + version,
                         .business_date = DateOf(day),
                         .occurred_at = FromMicros(version),
                         .payload = payload})
                .value());
}

// 99: held back for an event, then for other sums, and released when the event was settled. 98:
// held back still.
Status World::StoreHolds(mysql::Session& session) {
    Inserter holds(session, {"world.merchant_holds", R"sql(
        INSERT INTO merchant_hold (business_date, merchant_id, reason, open_at_close, total_gross,
                                   total_fee, total_count, recount_gross, recount_fee,
                                   recount_count, note, held_at_us, released_round)
        VALUES {rows})sql"});
    holds.Add(DateOf(20261120), 99, 2, 0, 0, 0, 0, 7, 1, 1, "rows differ", 1, 1);
    holds.Add(DateOf(20261121), 98, 1, 0, 0, 0, 0, 0, 0, 0, "an event waits", 1, std::nullopt);
    KESSAI_RETURN_IF_ERROR(holds.End());
    Inserter steps(session, {"world.merchant_hold_steps", R"sql(
        INSERT INTO merchant_hold_step (business_date, merchant_id, version, hold_number, reason,
                                        total_gross, total_fee, total_count, recount_gross,
                                        recount_fee, recount_count, note, released_round, at_us)
        VALUES {rows})sql"});
    const auto tell = [&](DayNumber day, std::int64_t merchant, std::int64_t number,
                          std::uint32_t version, int reason, std::int64_t recounted,
                          const std::string& note) {
        steps.Add(DateOf(day), merchant, version, number, reason, 0, 0, 0, recounted, recounted / 7,
                  recounted / 7, note, std::nullopt, version);
        payout::v1::MerchantHeldBack message;
        message.set_merchant_id(merchant);
        message.set_currency(kYen);
        message.set_reason(reason == 1 ? "EVENT_PARKED" : "RECOUNT_DIFFERS");
        message.mutable_totals();
        message.mutable_recounted()->set_gross(recounted);
        message.mutable_recounted()->set_fee(recounted / 7);
        message.mutable_recounted()->set_item_count(recounted / 7);
        message.set_note(note);
        TellOfHold(number, version, day, message);
    };
    tell(20261120, 99, 512, 1, 1, 0, "an event waits");
    tell(20261120, 99, 512, 2, 2, 7, "rows differ");
    steps.Add(DateOf(20261120), 99, 3, 512, 0, 0, 0, 0, 0, 0, 0, "", 1, 3);
    payout::v1::MerchantReleased released;
    released.set_merchant_id(99);
    released.set_round(1);
    TellOfHold(512, 3, 20261120, released);
    tell(20261121, 98, 513, 1, 1, 0, "an event waits");
    return steps.End();
}

// Of the day of all its journals: what these move is added up by hand.
Status World::StoreKeptDay(mysql::Session& session) {
    return internal::TakeStatus(session.Execute(mysql::Query{"world.ledger_day", R"sql(
        INSERT INTO ledger_day (business_date, account, amount, kept_at_us)
        SELECT '2026-11-20', a.account,
               CASE a.account WHEN 0 THEN -t.gross WHEN 1 THEN t.gross - t.fee - (r.gross - r.fee)
                              WHEN 2 THEN r.net - 950 WHEN 3 THEN 300 WHEN 4 THEN t.fee + 100
                              WHEN 5 THEN r.tax + 10 WHEN 6 THEN 500 ELSE 40 END, 1
        FROM (SELECT 0 AS account UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4
              UNION SELECT 5 UNION SELECT 6 UNION SELECT 7) a,
             (SELECT SUM(gross) AS gross, SUM(fee) AS fee FROM merchant_day_total
              WHERE business_date = '2026-11-20') t,
             (SELECT SUM(gross) AS gross, SUM(fee) AS fee, SUM(tax) AS tax, SUM(net) AS net
              FROM merchant_release WHERE business_date = '2026-11-20') r)sql"}));
}

Status World::StoreMerchantLedger(mysql::Session& session) {
    // 1: paid. 3: failed, and on its way again. 6: paid and returned. 14: cancelled.
    Inserter payouts(session, {"world.payouts", R"sql(
        INSERT INTO payout (payout_id, merchant_id, request_key, on_demand, currency, amount, fee,
                            tax, requested_by, created_at_us) VALUES {rows})sql"});
    payouts.Add(1, 11, "due:2026-11-20", 0, kYen, 500, 100, 10, "aiko", 1);
    payouts.Add(3, 12, "due:2026-11-20", 0, kYen, 300, 0, 0, "aiko", 1);
    payouts.Add(6, 13, "ask:now", 1, kYen, 200, 0, 0, "shop", 1);
    payouts.Add(14, 11, "ask:twice", 1, kYen, 50, 100, 10, "shop", 1);
    KESSAI_RETURN_IF_ERROR(payouts.End());
    Inserter transfers(session, {"world.transfers", R"sql(
        INSERT INTO transfer (transfer_id, payout_id, attempt, merchant_id, bank_account,
                              transfer_date, amount, state, reason, batch_id, requested_by,
                              created_at_us, changed_at_us, cancelled_by) VALUES {rows})sql"});
    const BusinessDate day = DateOf(20261120);
    transfers.Add(2, 1, 1, 11, 1, day, 500, 2, "", 11, "aiko", 1, 1, "");
    transfers.Add(4, 3, 1, 12, 1, day, 300, 3, "E1", 11, "aiko", 1, 1, "");
    transfers.Add(5, 3, 2, 12, 2, day, 300, 1, "", 0, "ken", 1, 1, "");
    transfers.Add(7, 6, 1, 13, 1, day, 200, 4, "R1", 11, "shop", 1, 1, "");
    transfers.Add(15, 14, 1, 11, 1, day, 50, 5, "typed twice", 0, "shop", 1, 1, "ken");
    KESSAI_RETURN_IF_ERROR(transfers.End());
    Inserter batches(session, {"world.batches", R"sql(
        INSERT INTO transfer_batch (batch_id, transfer_date, transfer_count, amount, created_by,
                                    created_at_us) VALUES {rows})sql"});
    batches.Add(11, day, 3, 1'000, "aiko", 1);
    KESSAI_RETURN_IF_ERROR(batches.End());
    TellOfTransfers();
    Inserter adjustments(session, {"world.adjustments", R"sql(
        INSERT INTO adjustment (adjustment_id, merchant_id, request_key, currency, amount, reason,
                                state, requested_by, requested_at_us, decided_by, decided_at_us)
        VALUES {rows})sql"});
    adjustments.Add(8, 11, "a", kYen, -40, "r", 2, "aiko", 1, "ken", 1);
    adjustments.Add(9, 12, "b", kYen, 70, "r", 1, "aiko", 1, std::nullopt, std::nullopt);
    adjustments.Add(10, 12, "c", kYen, 80, "r", 3, "aiko", 1, "aiko", 1);
    KESSAI_RETURN_IF_ERROR(adjustments.End());
    Inserter journals(session, {"world.merchant_journals", R"sql(
        INSERT INTO merchant_journal (journal_id, business_date, merchant_id, kind, object_id,
                                      currency, amount, fee, tax, recorded_at_us, released)
        VALUES {rows})sql"});
    journals.Add(1, day, 11, 1, 2, kYen, 500, 100, 10, 1, 700);
    journals.Add(2, day, 11, 2, 2, kYen, 500, 0, 0, 1, 700);
    journals.Add(3, day, 12, 1, 4, kYen, 300, 0, 0, 1, 300);
    journals.Add(4, day, 12, 3, 4, kYen, 300, 0, 0, 1, 300);
    journals.Add(5, day, 12, 1, 5, kYen, 300, 0, 0, 1, 300);
    journals.Add(6, day, 13, 1, 7, kYen, 200, 0, 0, 1, 200);
    journals.Add(7, day, 13, 2, 7, kYen, 200, 0, 0, 1, 200);
    journals.Add(8, day, 13, 4, 7, kYen, 200, 0, 0, 1, 200);
    journals.Add(9, day, 11, 1, 15, kYen, 50, 100, 10, 1, 800);
    journals.Add(10, day, 11, 8, 15, kYen, 50, 100, 10, 1, 800);
    journals.Add(11, day, 11, 5, 8, kYen, -40, 0, 0, 1, 800);
    KESSAI_RETURN_IF_ERROR(journals.End());
    Inserter accounts(session, {"world.merchant_accounts", R"sql(
        INSERT INTO merchant_account (merchant_id, moved_available, in_transit, bank_account,
                                      open_holds) VALUES {rows})sql"});
    accounts.Add(11, -500 - 110 - 40, 0, 1, 0);
    accounts.Add(12, -300, 300, 2, 0);
    accounts.Add(13, 0, 0, 1, 1);
    KESSAI_RETURN_IF_ERROR(accounts.End());
    Inserter banks(session, {"world.bank_accounts", R"sql(
        INSERT INTO bank_account (merchant_id, version, bank_code, branch_code, account_type,
                                  account_number, holder_kana, bank_kana, branch_kana, put_by,
                                  put_at_us, confirmed_by, confirmed_at_us) VALUES {rows})sql"});
    const auto bank = [&](int merchant, int version, std::optional<std::string_view> confirmed_by) {
        banks.Add(merchant, version, "0001", "001", 1, "1234567", "A", "B", "C", "aiko", 1,
                  confirmed_by, 1);
    };
    bank(11, 1, "ken");
    bank(11, 2, std::nullopt);  // proposed
    bank(12, 1, "ken");
    bank(12, 2, "ken");
    bank(13, 1, "ken");
    KESSAI_RETURN_IF_ERROR(banks.End());
    Inserter holds(session, {"world.payout_holds", R"sql(
        INSERT INTO payout_hold (hold_id, merchant_id, cause, payout_id, note, put_by, put_at_us,
                                 lifted_by, lifted_at_us) VALUES {rows})sql"});
    holds.Add(12, 12, 2, 3, "transfer 4 FAILED E1", "aiko", 1, "ken", 1);
    holds.Add(13, 13, 2, 6, "transfer 7 RETURNED R1", "aiko", 1, std::nullopt, std::nullopt);
    KESSAI_RETURN_IF_ERROR(holds.End());
    Inserter results(session, {"world.bank_result_files", R"sql(
        INSERT INTO bank_result_file (file_hash, format, settled_count, settled_amount,
                                      failed_count, failed_amount, returned_count,
                                      returned_amount, repeated_count, imported_by,
                                      imported_at_us) VALUES {rows})sql"});
    results.Add(mysql::Bytes{std::string(32, 'a')}, "csv", 2, 700, 1, 300, 0, 0, 0, "aiko", 1);
    results.Add(mysql::Bytes{std::string(32, 'b')}, "csv", 0, 0, 0, 0, 1, 200, 1, "aiko", 1);
    KESSAI_RETURN_IF_ERROR(results.End());
    return internal::TakeStatus(session.Execute(
        mysql::Query{"world.ledger_gate",
                     "UPDATE ledger_gate SET last_journal = 11, last_object = 15 WHERE id = 1"}));
}

Status World::StoreStatements(mysql::Session& session) {
    Inserter profiles(session, {"world.profiles", R"sql(
        INSERT INTO merchant_profile (merchant_id, version, invoice_name, put_by, put_at_us)
        VALUES {rows})sql"});
    profiles.Add(11, 1, "A", "aiko", 1);
    profiles.Add(11, 2, "B", "aiko", 1);
    profiles.Add(12, 1, "C", "aiko", 1);
    KESSAI_RETURN_IF_ERROR(profiles.End());
    Inserter statements(session, {"world.statements", R"sql(
        INSERT INTO merchant_statement (cycle_start, merchant_id, version, profile, issued_on,
                                        opening, closing, issued_by, issued_at_us,
                                        correction_reason) VALUES {rows})sql"});
    Inserter files(session, {"world.statement_files", R"sql(
        INSERT INTO merchant_statement_file (cycle_start, merchant_id, version, format, file_hash,
                                             content) VALUES {rows})sql"});
    const auto issue = [&](DayNumber cycle, std::int64_t merchant, int version, DayNumber day,
                           std::int64_t closing, const std::string& number,
                           const std::string& corrects) {
        statements.Add(DateOf(cycle), merchant, version, version, DateOf(day), 0, closing, "aiko",
                       1, corrects.empty() ? "" : "another name");
        const std::string pdf = "%PDF " + number;
        std::string csv = "文書,番号,,,,,,,,,,,,,," + number + "\r\n";
        if (!corrects.empty()) csv += "文書,修正対象,,,,,,,,,,,,,," + corrects + "\r\n";
        files.Add(DateOf(cycle), merchant, version, "csv", mysql::Bytes{Sha256(csv)},
                  mysql::Bytes{csv});
        files.Add(DateOf(cycle), merchant, version, "pdf", mysql::Bytes{Sha256(pdf)},
                  mysql::Bytes{pdf});
    };
    const auto released = [&](std::int64_t merchant) {
        const auto& [sums, tax] = cycles_[{20261101, merchant}];
        return sums.gross - sums.fee - tax;
    };
    issue(20261001, 11, 1, 20261101, 0, "202610-11", "");
    issue(20261101, 11, 1, 20261201, released(11) - 650, "202611-11", "");
    issue(20261101, 11, 2, 20261203, released(11) - 650, "202611-11-2",
          "202611-11（発行日 2026-12-01）");
    issue(20261101, 12, 1, 20261201, released(12) - 300, "202611-12", "");
    KESSAI_RETURN_IF_ERROR(statements.End());
    return files.End();
}

// Of what StoreHolds told.
Status World::StoreHeldDiscrepancies(mysql::Session& session) {
    constexpr std::int64_t kObjects = std::int64_t{1} << 41;
    Inserter noted(session, {"world.noted_holds", R"sql(
        INSERT INTO noted_hold (object_id, version, content_hash) VALUES {rows})sql"});
    for (const int version : {1, 2, 3}) {
        noted.Add(kObjects + 512, version, mysql::Bytes{std::string(16, 'h')});
    }
    noted.Add(kObjects + 513, 1, mysql::Bytes{std::string(16, 'h')});
    KESSAI_RETURN_IF_ERROR(noted.End());
    Inserter discrepancies(session, {"world.held_discrepancies", R"sql(
        INSERT INTO discrepancy (discrepancy_id, business_date, kind, payment_id, version, book,
                                 bucket, merchant_id, currency, evidence, state, step_count,
                                 last_event_id, found_at_us, found_by_run, found_by_deep_run,
                                 held_merchant) VALUES {rows})sql"});
    const auto add = [&](std::int64_t id, DayNumber day, std::int64_t merchant, int state) {
        discrepancies.Add(id, DateOf(day), 12, 0, 0, 0, 0, merchant, kYen, "", state, 1, 1, 1, 0, 0,
                          merchant);
    };
    add(21, 20261120, 99, 4);
    add(22, 20261121, 98, 1);
    // One that an operator had repaired in two steps, and accepted then.
    discrepancies.Add(23, DateOf(20261120), 8, 77, 1, 0, 0, 11, kYen, "payment lost it", 5, 3, 3, 1,
                      1, 0, 0);
    KESSAI_RETURN_IF_ERROR(discrepancies.End());
    return StoreHistory(session);
}

// Of the discrepancies above, in two slots of the audit trail.
Status World::StoreHistory(mysql::Session& session) {
    const HistoryChain chain = HistoryChain::FromHex(kAuditKey).value();
    Inserter steps(session, {"world.discrepancy_steps", R"sql(
        INSERT INTO discrepancy_step (discrepancy_id, number, state, actor, note, at_us, event_id,
                                      merchant_id, currency, owner, repair_number, repair_hash,
                                      evidence_hash, chain_hash) VALUES {rows})sql"});
    Inserter anchors(session, {"world.audit_anchors", R"sql(
        INSERT INTO audit_anchor (slot, number, at_us, steps, hash) VALUES {rows})sql"});
    Inserter heads(session, {"world.audit_heads", R"sql(
        INSERT INTO audit_head (slot, number, hash) VALUES {rows}
        ON DUPLICATE KEY UPDATE number = VALUES(number), hash = VALUES(hash))sql"});
    const auto bytes = [](const Hash32& hash) {
        return std::string(reinterpret_cast<const char*>(hash.data()), hash.size());
    };
    std::map<std::int64_t, Hash32> last;
    std::map<int, AuditHeadRow> ends;
    const auto step = [&](int slot, const DiscrepancyRow& discrepancy, std::uint32_t number,
                          int state, const std::string& actor, const std::string& note,
                          const std::string& evidence, const RepairRow* repair) {
        HistoryStepRow row;
        row.discrepancy_id = discrepancy.discrepancy_id;
        row.number = number;
        row.state = state;
        row.actor = actor;
        row.note = note;
        row.at_us = number;
        row.event_id = number;
        row.merchant_id = discrepancy.merchant_id;
        row.currency = kYen;
        row.evidence_hash = Hash32Of(Sha256(evidence));
        if (repair != nullptr) {
            row.repair_number = repair->number;
            row.repair_hash = chain.OfRepair(*repair);
        }
        row.chain_hash = chain.OfStep(last[row.discrepancy_id], discrepancy, row);
        last[row.discrepancy_id] = row.chain_hash;
        steps.Add(row.discrepancy_id, row.number, row.state, row.actor, row.note, row.at_us,
                  row.event_id, row.merchant_id, row.currency, row.owner, row.repair_number,
                  mysql::Bytes{bytes(row.repair_hash)}, mysql::Bytes{bytes(row.evidence_hash)},
                  mysql::Bytes{bytes(row.chain_hash)});
        AnchorRow anchor;
        anchor.slot = slot;
        anchor.number = ends[slot].number + 1;
        anchor.at_us = number;
        for (int shift = 56; shift >= 0; shift -= 8) {
            anchor.steps.push_back(static_cast<char>(row.discrepancy_id >> shift & 0xFF));
        }
        for (int shift = 24; shift >= 0; shift -= 8) {
            anchor.steps.push_back(static_cast<char>(number >> shift & 0xFF));
        }
        anchor.steps += bytes(row.chain_hash);
        anchor.hash = chain.OfAnchor(ends[slot].hash, anchor);
        ends[slot] = {slot, anchor.number, anchor.hash};
        anchors.Add(anchor.slot, anchor.number, anchor.at_us, mysql::Bytes{anchor.steps},
                    mysql::Bytes{bytes(anchor.hash)});
    };
    const auto discrepancy = [](std::int64_t id, DayNumber day, int kind, std::int64_t merchant) {
        DiscrepancyRow row;
        row.discrepancy_id = id;
        row.business_date = day;
        row.kind = kind;
        row.found_at_us = 1;
        row.merchant_id = merchant;
        if (kind == 12) row.held_merchant = merchant;
        return row;
    };
    step(3, discrepancy(21, 20261120, 12, 99), 1, 4, "reconciliation", "released", "", nullptr);
    step(7, discrepancy(22, 20261121, 12, 98), 1, 1, "reconciliation", "held", "", nullptr);
    DiscrepancyRow repaired = discrepancy(23, 20261120, 8, 11);
    repaired.payment_id = 77;
    repaired.version = 1;
    const std::string evidence = "payment lost it";
    RepairRow repair{.discrepancy_id = 23,
                     .number = 1,
                     .kind = 1,
                     .state = 3,
                     .requested_by = "aiko",
                     .decided_by = {},
                     .reason = "a disk",
                     .outcome = {},
                     .requested_at_us = 2};
    step(3, repaired, 1, 1, "reconciliation", evidence, evidence, nullptr);
    step(3, repaired, 2, 3, "aiko", "repair 1", evidence, &repair);
    repair.state = 7;
    repair.outcome = "refused";
    repair.ended_at_us = 3;
    step(7, repaired, 3, 5, "ken", "known", evidence, &repair);
    KESSAI_RETURN_IF_ERROR(steps.End());
    KESSAI_RETURN_IF_ERROR(anchors.End());
    for (const auto& [slot, end] : ends) {
        heads.Add(slot, end.number, mysql::Bytes{bytes(end.hash)});
    }
    KESSAI_RETURN_IF_ERROR(heads.End());
    Inserter repairs(session, {"world.repairs", R"sql(
        INSERT INTO repair (discrepancy_id, number, kind, state, requested_by, decided_by, reason,
                            outcome, merchant_id, amount, other_merchant_id, other_amount,
                            requested_at_us, decided_at_us, carried_out_at_us, ended_at_us)
        VALUES {rows})sql"});
    repairs.Add(repair.discrepancy_id, repair.number, repair.kind, repair.state,
                repair.requested_by, repair.decided_by, repair.reason, repair.outcome, 0, 0, 0, 0,
                repair.requested_at_us, 0, 0, repair.ended_at_us);
    return repairs.End();
}

Status World::FlushReconciliation(mysql::Session& session) {
    Inserter matches(session, {"world.matches", R"sql(
        INSERT INTO change_match (payment_id, version, state, differences, overdue, bucket,
                                  business_date, currency, merchant_id, gross, payment_event_id,
                                  payment_content, payout_event_id, payout_content, matched_at_us)
        VALUES {rows})sql"});
    for (const Accrual& accrual : accruals_) {
        const Change& change = accrual.change;
        matches.Add(change.key.object, change.key.version, 3, 0, 0, change.bucket,
                    DateOf(change.business_date), kYen, change.merchant_id, accrual.gross,
                    change.event_id, mysql::Bytes{accrual.payment_hash}, change.event_id,
                    mysql::Bytes{accrual.payout_hash}, accrual.recorded_at_us + 1);
    }
    return matches.End();
}

Status World::FinishReconciliation(mysql::Session& session) {
    KESSAI_RETURN_IF_ERROR(StoreHeldDiscrepancies(session));
    Inserter totals(session, {"world.matched", R"sql(
        INSERT INTO matched_day_total (business_date, merchant_id, currency, slot, gross,
                                       item_count) VALUES {rows})sql"});
    for (const auto& [key, sums] : totals_) {
        const auto& [day, merchant, slot] = key;
        totals.Add(DateOf(day), merchant, kYen, slot * 2, sums.gross, sums.count);
    }
    KESSAI_RETURN_IF_ERROR(totals.End());
    return digest::AddToDay(session, digests_, 1);
}

Status World::Finish(const Schemas& schemas) {
    KESSAI_RETURN_IF_ERROR(Flush(schemas));
    if (schemas.payment != nullptr) KESSAI_RETURN_IF_ERROR(FinishPayment(*schemas.payment));
    if (schemas.payout != nullptr) KESSAI_RETURN_IF_ERROR(FinishPayout(*schemas.payout));
    if (schemas.reconciliation != nullptr) {
        KESSAI_RETURN_IF_ERROR(FinishReconciliation(*schemas.reconciliation));
    }
    return OkStatus();
}

Status World::StoreOffsets(const Schemas& schemas, const std::string& payment_topic,
                           const std::vector<std::int64_t>& payment_ends,
                           const std::string& payout_topic,
                           const std::vector<std::int64_t>& payout_ends) {
    const auto store = [](mysql::Session& session, const std::string& group,
                          const std::string& topic,
                          const std::vector<std::int64_t>& ends) -> Status {
        Inserter offsets(session, {"world.offsets", R"sql(
            REPLACE INTO consumer_offset (consumer_group, topic, partition_no, next_offset)
            VALUES {rows})sql"});
        for (std::size_t i = 0; i < ends.size(); ++i) offsets.Add(group, topic, i, ends[i]);
        return offsets.End();
    };
    KESSAI_RETURN_IF_ERROR(store(*schemas.payment, "payment", payout_topic, payout_ends));
    KESSAI_RETURN_IF_ERROR(store(*schemas.payout, "payout", payment_topic, payment_ends));
    KESSAI_RETURN_IF_ERROR(
        store(*schemas.reconciliation, "reconciliation", payment_topic, payment_ends));
    return store(*schemas.reconciliation, "reconciliation", payout_topic, payout_ends);
}

Status MigratePayment(mysql::Session& session) {
    const mysql::MigrationSet sets[] = {lease::Migrations(), outbox::Migrations(),
                                        inbox::Migrations(), digest::Migrations(),
                                        payment_schema::Migrations()};
    return mysql::Migrate(session, sets);
}

Status MigratePayout(mysql::Session& session) {
    const mysql::MigrationSet sets[] = {lease::Migrations(), outbox::Migrations(),
                                        inbox::Migrations(), digest::Migrations(),
                                        payout_schema::Migrations()};
    return mysql::Migrate(session, sets);
}

Status MigrateReconciliation(mysql::Session& session) {
    const mysql::MigrationSet sets[] = {lease::Migrations(), outbox::Migrations(),
                                        inbox::Migrations(), digest::Migrations(),
                                        reconciliation_schema::Migrations()};
    return mysql::Migrate(session, sets);
}

}  // namespace kessai::audit::testing
