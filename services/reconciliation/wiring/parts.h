#pragma once

#include "app/books.h"
#include "app/order_repair.h"
#include "domain/outside_record.h"
#include "kessai/auth/key_ring.h"
#include "kessai/auth/token.h"
#include "kessai/digest/row_hash.h"
#include "kessai/inbox/dead_letter_desk.h"
#include "kessai/lease/leased_ids.h"
#include "kessai/mysql/pool.h"
#include "kessai/result/result.h"
#include "kessai/rpc/channel.h"
#include "kessai/rpc/worker_pool.h"
#include "kessai/runtime/main.h"
#include "options.h"
#include "storage/audit_chain.h"
#include "transport/day_run_worker.h"
#include "transport/file_service.h"
#include "transport/reconciliation_metrics.h"
#include "transport/statement_service.h"

/// What the service is made of, a file a group; main.cc puts it together. The context owns what is
/// built, starts it in the order in which it was built, and stops it in the other.
namespace kessai::reconciliation {

/// What both sides' consumers and the runs share.
struct Core {
    mysql::Pool& pool;
    lease::LeasedIds& ids;
    const digest::RowHasher& hasher;
    const storage::AuditChain& chain;
    app::Transactions& transactions;
    transport::ReconciliationMetrics& metrics;
    inbox::DeadLetterDesk& dead_letters;
};

Result<Core> BuildCore(const Options& options, runtime::Context& context);

/// The other services, and what is shown to them.
struct Peers {
    auth::TokenSigner& signer;
    rpc::Channel to_payment;
    rpc::Channel to_payout;
};

Result<Peers> BuildPeers(const Options& options, runtime::Context& context,
                         const auth::KeyRingSource& keys);

/// Accounts outside: what is expected of them, taken in and matched.
struct Outside {
    const domain::OutsideAccounts& accounts;
    transport::StatementService& service;
};

Result<Outside> BuildOutside(const Options& options, runtime::Context& context, const Core& core);

/// What compares and repairs days.
struct Days {
    transport::DayRunWorker& runs;
    app::OrderRepair& repairs;
};

Days BuildDays(const Options& options, runtime::Context& context, const Core& core,
               const Peers& peers);

/// Merchants' files: what makes and keeps them, and what serves them.
struct Files {
    transport::FileService& service;
    rpc::WorkerPool& slow;
};

Files BuildFiles(const Options& options, runtime::Context& context, const Core& core,
                 const Peers& peers);

/// What publishes our events and dead letters.
void BuildRelay(const Options& options, runtime::Context& context, const Core& core);

/// What hears payment's and payout's events.
void BuildConsumers(const Options& options, runtime::Context& context, const Core& core,
                    const Outside& outside);

/// What answers calls, of all groups.
void BuildServer(const Options& options, runtime::Context& context, const Core& core,
                 const auth::KeyRingSource& keys, const Days& days, const Outside& outside,
                 const Files& files);

}  // namespace kessai::reconciliation
