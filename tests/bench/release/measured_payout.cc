#include "bench/release/measured_payout.h"

#include "kessai/digest/store.h"
#include "kessai/inbox/consumer.h"
#include "kessai/lease/lease_table.h"
#include "kessai/outbox/outbox_table.h"
#include "storage/migrations.h"

namespace kessai::bench {
namespace {

double Seconds(Duration duration) {
    return std::chrono::duration<double>(duration).count();
}

payout::app::CloseDayOptions CloseOptions() {
    payout::app::CloseDayOptions options;
    options.payment_partitions = kPartitions;
    options.payout_partitions = kPartitions;
    return options;
}

payout::app::ReleaseDayOptions ReleaseOptions(int threads) {
    payout::app::ReleaseDayOptions options;
    // As the service has it: one more than cores, so that somebody works while another waits for a
    // commit to be synced.
    options.threads = threads + 1;
    options.recount.threads = threads;
    return options;
}

const payout::storage::InboxName kInbox{"payout", "payment.events.v1"};

}  // namespace

std::vector<mysql::MigrationSet> PayoutMigrations() {
    return {lease::Migrations(), outbox::Migrations(), inbox::Migrations(), digest::Migrations(),
            payout::storage::Migrations()};
}

MeasuredPayout::MeasuredPayout(mysql::Pool& pool, int threads)
    : events_(payout::domain::TaxTable::Japan(), kPartitions),
      days_(pool, kInbox, {}),
      releases_(pool, kInbox, SystemClock(), {}),
      close_day_(CloseOptions(), days_, events_, SystemClock()),
      release_day_(
          ReleaseOptions(threads), releases_, plans_, payout::domain::TaxTable::Japan(), events_,
          SystemClock(),
          {.on_recount =
               [this](const payout::app::ReleaseRound&, Duration took, std::int64_t rows) {
                   times_.recount_seconds = Seconds(took);
                   times_.rows = rows;
               },
           .on_held_back = {},
           .on_finished = [this](const payout::app::ReleaseRound&,
                                 Duration took) { times_.write_seconds = Seconds(took); },
           .on_released_fault =
               [this](const payout::app::ReleaseRound&, payout::domain::MerchantId merchant,
                      const std::string& fault) { released_faults_[merchant] = fault; }}) {}

}  // namespace kessai::bench
