#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

#include "app/create_transfers.h"
#include "app/ledger_store.h"
#include "app/send_transfers.h"

namespace kessai::payout::app {

struct KeepDueDatesOptions {
    /// On every bank business day at this time in Japan; nothing: never by itself.
    std::optional<std::chrono::seconds> at = {};
    /// The same of the day's files for the bank.
    std::optional<std::chrono::seconds> files_at = {};
    Duration poll_every = std::chrono::seconds(5);
};

/// Makes the transfers of due dates by themselves, in the background: of every bank business day
/// when its time has come and all days before it are released, and of those that were missed,
/// oldest first. A due date that somebody ran by hand is done.
///
/// Gathers a bank business day's transfers into files, too, when the time of that has come and no
/// due date waits: once a day, so what is asked for later goes with the next one's files.
///
/// Every replica has one; only that whose `may_run` says so works, and nothing would happen twice
/// if two did. Thread safe.
class KeepDueDates {
 public:
    struct Observer {
        /// What a round was refused with; the next one tries again.
        std::function<void(const Status&)> on_error;
        /// A due date is done, so long after its time.
        std::function<void(const TransferRun&, Duration late)> on_done;
        /// How late the oldest due date is that is not done; zero: none is.
        std::function<void(Duration)> on_late;
        /// A day's files are made: all that it has.
        std::function<void(BusinessDate, const std::vector<TransferBatch>&)> on_files;
    };
    KeepDueDates(KeepDueDatesOptions options, CreateTransfers& create, SendTransfers& send,
                 LedgerStore& store, std::function<bool()> may_run, const Clock& clock,
                 Observer observer);
    ~KeepDueDates();

    void Start();
    void Stop();

    /// One round, for tests.
    Status RunOnce(const std::stop_token& stop = {});

 private:
    void Loop(std::stop_token stop);
    /// The outcome; `waits`: of a due date whose transfers are not made.
    Status RunDueDates(const DueDateFacts& facts, const std::stop_token& stop, bool& waits);
    Status MakeFiles(const DueDateFacts& facts);
    /// Those whose time has come and that are not done, oldest first.
    Result<std::vector<BusinessDate>> DueDates(const DueDateFacts& facts) const;

    const KeepDueDatesOptions options_;
    CreateTransfers& create_;
    SendTransfers& send_;
    LedgerStore& store_;
    const std::function<bool()> may_run_;
    const Clock& clock_;
    const Observer observer_;

    std::mutex mutex_;
    std::condition_variable_any wake_;
    std::jthread thread_;
};

}  // namespace kessai::payout::app
