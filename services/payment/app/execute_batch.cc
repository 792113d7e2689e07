#include "app/execute_batch.h"

#include <algorithm>
#include <utility>

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
                                  const BatchServices& services) {
    std::vector<const domain::Command*> commands;
    commands.reserve(batch.size());
    for (const BatchCommand& one : batch) commands.push_back(one.command);

    domain::WorkingSet rows;
    KESSAI_RETURN_IF_ERROR(transaction.LoadKeys(KeysNeeded(commands), rows));
    KESSAI_RETURN_IF_ERROR(transaction.LoadPayments(PaymentsNeeded(commands, rows), rows));
    KESSAI_RETURN_IF_ERROR(transaction.LoadWallets(WalletsNeeded(commands, rows), rows));
    KESSAI_RETURN_IF_ERROR(LoadMerchants(transaction, commands, services.merchants, rows));

    KESSAI_ASSIGN_OR_RETURN(const auto generator, GeneratorOf(services.ids));
    ObserveEvents(rows, *generator);
    const std::int64_t outbox_row_id = generator->Next();
    Ids ids(*generator);
    const domain::BatchContext context{transaction.gate().now, transaction.gate().business_date,
                                       ids, services.policy};
    BatchOutcome result;
    result.outcomes.reserve(batch.size());
    std::vector<StoredEvent> events;
    for (const BatchCommand& one : batch) {
        const std::size_t journals_before = rows.journals.size();
        result.outcomes.push_back(domain::Apply(*one.command, rows, context));
        for (std::size_t i = journals_before; i < rows.journals.size(); ++i) {
            const domain::Change& change = rows.journals[i].change;
            events.push_back(
                {change.object, services.encoder.Encode(change), std::string(one.traceparent)});
        }
    }
    result.changed = ChangedAnything(rows);
    result.events = events.size();
    if (result.changed) {
        KESSAI_RETURN_IF_ERROR(services.ids.Confirm(*generator));
        KESSAI_RETURN_IF_ERROR(transaction.Store(rows, events, outbox_row_id));
    }
    return result;
}

}  // namespace kessai::payment::app
