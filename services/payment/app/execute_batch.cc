#include "app/execute_batch.h"

#include <algorithm>
#include <iterator>
#include <unordered_map>
#include <utility>
#include <variant>

#include "app/load_plan.h"

namespace kessai::payment::app {
namespace {

class Ids final : public domain::IdSource {
 public:
    explicit Ids(IdGenerator& generator) : generator_(generator) {}
    std::int64_t Next() override { return generator_.Next(); }

 private:
    IdGenerator& generator_;
};

/// The next ids exceed every event of the rows that the batch may change, whoever made those: so
/// events, and the outbox rows that carry them, keep their order per object.
void ObserveEvents(const domain::WorkingSet& rows, IdGenerator& ids) {
    std::int64_t highest = 0;
    for (const auto& [id, tracked] : rows.payments.all()) {
        highest = std::max(highest, tracked.row.last_event.value());
    }
    for (const auto& [id, tracked] : rows.wallets.all()) {
        highest = std::max(highest, tracked.row.last_event.value());
    }
    if (highest > 0) ids.Observe(highest);
}

template <class Rows>
bool AnyDirty(const Rows& rows) {
    return std::any_of(rows.all().begin(), rows.all().end(),
                       [](const auto& entry) { return entry.second.dirty; });
}

bool ChangedAnything(const domain::WorkingSet& rows) {
    return !rows.journals.empty() || AnyDirty(rows.orders) || AnyDirty(rows.payments) ||
           AnyDirty(rows.wallets);
}

Status LoadMerchants(LedgerTransaction& transaction,
                     std::span<const domain::Command* const> commands, MerchantCache& cache,
                     domain::WorkingSet& rows) {
    std::vector<domain::MerchantId> unknown;
    for (const domain::MerchantId id : MerchantsNeeded(commands, rows)) {
        if (auto known = cache.Find(id)) {
            rows.merchants.Load(id, *std::move(known));
        } else {
            unknown.push_back(id);
        }
    }
    if (unknown.empty()) return OkStatus();
    KESSAI_ASSIGN_OR_RETURN(const auto found, transaction.ReadMerchants(unknown));
    for (const domain::Merchant& merchant : found) {
        cache.Put(merchant);
        rows.merchants.Load(merchant.id, merchant);
    }
    return OkStatus();
}

/// The two that nearly all commands are, and that need no row but those which this process made or
/// changed last.
bool CanRecall(const domain::Command& command) {
    return std::holds_alternative<domain::CreateCode>(command) ||
           std::holds_alternative<domain::PayCode>(command);
}

/// Whether a command that ran on recalled rows has to run on rows that were read: what it changed
/// is proven when it is stored, but nothing is stored of what was refused or found done already.
bool InDoubt(const domain::Command& command, const Result<domain::Outcome>& outcome,
             bool changed_money) {
    if (!outcome.ok()) return true;
    return std::holds_alternative<domain::PayCode>(command) && !changed_money;
}

constexpr int kRoundsRecalling = 2;

struct Commands {
    std::vector<const domain::Command*> all;
    std::vector<const domain::Command*> reading;
    std::vector<const domain::Command*> recalling;
};

Commands Split(std::span<const BatchCommand> batch, const std::vector<bool>& reads) {
    Commands commands;
    commands.all.reserve(batch.size());
    for (std::size_t i = 0; i < batch.size(); ++i) {
        commands.all.push_back(batch[i].command);
        (reads[i] ? commands.reading : commands.recalling).push_back(batch[i].command);
    }
    return commands;
}

/// `wanted` without what is in `read`; both sorted.
template <class Id>
std::vector<Id> Without(const std::vector<Id>& wanted, const std::vector<Id>& read) {
    std::vector<Id> left;
    std::set_difference(wanted.begin(), wanted.end(), read.begin(), read.end(),
                        std::back_inserter(left));
    return left;
}

/// Recalls what `taken` has of `wanted`, and adds the rest to `to_read`, which stays sorted.
template <class Id, class Row, class Rows>
void RecallOrRead(const std::vector<Id>& wanted, const std::unordered_map<Id, Row>& taken,
                  Rows& rows, std::vector<Id>& to_read) {
    const auto middle = static_cast<std::ptrdiff_t>(to_read.size());
    for (const Id id : wanted) {
        const auto found = taken.find(id);
        if (found == taken.end()) {
            to_read.push_back(id);
        } else {
            rows.Recall(id, found->second, found->second.last_event);
        }
    }
    std::inplace_merge(to_read.begin(), to_read.begin() + middle, to_read.end());
}

/// In the order in which rows are locked: keys, payments, wallets.
Status LoadRows(LedgerTransaction& transaction, const Commands& commands, MerchantCache& merchants,
                KnownRows& known, KnownRows::Taken& taken, domain::WorkingSet& rows) {
    KESSAI_RETURN_IF_ERROR(transaction.LoadKeys(KeysNeeded(commands.reading), rows));

    std::vector<domain::PaymentId> payments = PaymentsNeeded(commands.reading, rows);
    const auto codes = Without(PaymentsNeeded(commands.recalling, rows), payments);
    known.Forget(payments, {});
    known.Take(codes, {}, taken);
    RecallOrRead(codes, taken.codes, rows.payments, payments);
    KESSAI_RETURN_IF_ERROR(transaction.LoadPayments(payments, rows));

    std::vector<domain::UserId> users = WalletsNeeded(commands.reading, rows);
    const auto payers = Without(WalletsNeeded(commands.recalling, rows), users);
    known.Forget({}, users);
    known.Take({}, payers, taken);
    RecallOrRead(payers, taken.wallets, rows.wallets, users);
    KESSAI_RETURN_IF_ERROR(transaction.LoadWallets(users, rows));

    return LoadMerchants(transaction, commands.all, merchants, rows);
}

template <class Rows>
std::size_t CountRecalled(const Rows& rows) {
    return static_cast<std::size_t>(
        std::count_if(rows.all().begin(), rows.all().end(),
                      [](const auto& entry) { return entry.second.recalled.has_value(); }));
}

}  // namespace

Result<std::shared_ptr<IdGenerator>> GeneratorOf(IdLease& lease) {
    auto generator = lease.Current();
    if (generator == nullptr) {
        return Status(Code::kUnavailable, "WORKER_NUMBER_NOT_HELD",
                      "this process has no worker number to make ids with yet");
    }
    return generator;
}

Result<BatchOutcome> ExecuteBatch(LedgerTransaction& transaction,
                                  std::span<const BatchCommand> batch,
                                  const BatchServices& services, KnownRows& known,
                                  Reading reading) {
    KESSAI_ASSIGN_OR_RETURN(const auto generator, GeneratorOf(services.ids));
    KnownRows::Taken taken;
    // Whose rows are read, known or not.
    std::vector<bool> reads(batch.size());
    for (std::size_t i = 0; i < batch.size(); ++i) {
        reads[i] = reading == Reading::kAll || !CanRecall(*batch[i].command);
    }
    for (int round = 1;; ++round) {
        domain::WorkingSet rows;
        KESSAI_RETURN_IF_ERROR(
            LoadRows(transaction, Split(batch, reads), services.merchants, known, taken, rows));
        ObserveEvents(rows, *generator);
        const std::int64_t outbox_row_id = generator->Next();
        Ids ids(*generator);
        const domain::BatchContext context{transaction.gate().now, transaction.gate().business_date,
                                           ids, services.policy};
        BatchOutcome result;
        result.outcomes.reserve(batch.size());
        std::vector<StoredEvent> events;
        bool in_doubt = false;
        for (std::size_t i = 0; i < batch.size(); ++i) {
            const BatchCommand& one = batch[i];
            const std::size_t journals_before = rows.journals.size();
            result.outcomes.push_back(domain::Apply(*one.command, rows, context));
            for (std::size_t j = journals_before; j < rows.journals.size(); ++j) {
                const domain::Change& change = rows.journals[j].change;
                events.push_back(
                    {change.object, services.encoder.Encode(change), std::string(one.traceparent)});
            }
            if (!reads[i] && InDoubt(*one.command, result.outcomes.back(),
                                     rows.journals.size() > journals_before)) {
                reads[i] = true;
                in_doubt = true;
            }
        }
        if (in_doubt) {
            // What is read now may leave others in doubt; that does not have to go on for long.
            if (round == kRoundsRecalling) reads.assign(reads.size(), true);
            continue;
        }

        result.changed = ChangedAnything(rows);
        result.events = events.size();
        result.recalled = CountRecalled(rows.payments) + CountRecalled(rows.wallets);
        if (result.changed) {
            KESSAI_RETURN_IF_ERROR(services.ids.Confirm(*generator));
            KESSAI_RETURN_IF_ERROR(transaction.Store(rows, events, outbox_row_id));
        }
        result.rows = std::move(rows);
        return result;
    }
}

}  // namespace kessai::payment::app
