#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/known_rows.h"
#include "app/ledger_store.h"
#include "app/merchant_cache.h"
#include "domain/apply.h"
#include "kessai/ids/id_generator.h"
#include "kessai/result/result.h"

namespace kessai::payment::app {

/// Makes the event of a change: a pure function of it. Thread safe.
class EventEncoder {
 public:
    virtual ~EventEncoder() = default;
    virtual std::string Encode(const domain::Change& change) const = 0;
};

/// Where ids come from: a generator whose worker number this process holds. Thread safe.
class IdLease {
 public:
    virtual ~IdLease() = default;
    /// Null while no number is held. To be taken anew for each transaction.
    virtual std::shared_ptr<IdGenerator> Current() = 0;
    /// Ok if all that `generator` made so far may be committed; else UNAVAILABLE. Called after the
    /// transaction's last id was made and before its commit.
    virtual Status Confirm(const IdGenerator& generator) = 0;
};

/// The generator, or UNAVAILABLE WORKER_NUMBER_NOT_HELD.
Result<std::shared_ptr<IdGenerator>> GeneratorOf(IdLease& lease);

/// What every batch needs; thread safe, and outlives the executors.
struct BatchServices {
    MerchantCache& merchants;
    IdLease& ids;
    const EventEncoder& encoder;
    const domain::Policy& policy;
};

struct BatchCommand {
    const domain::Command* command = nullptr;
    /// W3C traceparent of whoever gave it; travels with its events.
    std::string_view traceparent;
};

struct BatchOutcome {
    /// One a command, in their order.
    std::vector<Result<domain::Outcome>> outcomes;
    /// Whether anything was stored: if not, there is nothing to commit.
    bool changed = false;
    std::size_t events = 0;
    /// Rows that did not have to be read.
    std::size_t recalled = 0;
    /// As they are once this is committed: for KnownRows::Keep.
    domain::WorkingSet rows;
};

/// Which rows a batch reads.
enum class Reading {
    /// All that its commands name.
    kAll,
    /// Those that KnownRows does not know. New keys are taken to be free, and their insert tells.
    /// Where a guess was wrong, Store or Commit refuses with some error that is neither UNAVAILABLE
    /// nor UNKNOWN, nothing is stored, and the batch has to run again with kAll.
    kUnknown,
};

/// Loads what the commands name, applies them in their order and stores the result in
/// `transaction`, which is the caller's to commit. A refused command changes nothing and costs the
/// others nothing; it is refused for what was read, never for what was only recalled. Refusals of
/// the whole are those of LedgerTransaction.
///
/// What `known` has of the batch's rows is taken out of it; Keep gives it back after the commit.
Result<BatchOutcome> ExecuteBatch(LedgerTransaction& transaction,
                                  std::span<const BatchCommand> commands,
                                  const BatchServices& services, KnownRows& known, Reading reading);

}  // namespace kessai::payment::app
