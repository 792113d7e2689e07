#include "audit.h"

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "checks/arrival.h"
#include "checks/backlog.h"
#include "checks/change_join.h"
#include "checks/history_pass.h"
#include "checks/hold_pass.h"
#include "checks/ledger_days_pass.h"
#include "checks/merchant_day_pass.h"
#include "checks/merchant_ledger_pass.h"
#include "checks/payment_books.h"
#include "checks/payout_books.h"
#include "checks/release_check.h"
#include "checks/statement_pass.h"
#include "checks/transfer_events_check.h"
#include "kessai/kafka/topic_reader.h"
#include "rules/accrual_rules.h"
#include "rules/digest_rules.h"
#include "rules/event_rules.h"
#include "rules/expected_event.h"
#include "source/digest_table.h"
#include "source/inbox_tables.h"
#include "source/reconciliation_tables.h"
#include "source/snapshot.h"
#include "source/statement_tables.h"
#include "source/topic_contents.h"
#include "spill/spill_space.h"

namespace kessai::audit {
namespace {

using enum Invariant;

constexpr Duration kBrokerTimeout = std::chrono::seconds(10);
constexpr int kDiscrepanciesMax = 10'000;

/// One audit. What cannot be reached stays null, and its invariants are reported as not checked;
/// the others go on.
class Audit {
 public:
    Audit(const AuditOptions& options, const Clock& clock, AuditObserver& observer, Report& report)
        : options_(options),
          clock_(clock),
          observer_(observer),
          report_(report),
          space_(options.work_directory, options.sorter_memory_bytes),
          matched_digests_(options.hasher) {}

    AuditTimes Run() {
        const SteadyInstant begin = clock_.SteadyNow();
        Note({kM1, kM2, kM3, kM4, kM5, kM6, kM7, kM8, kM9}, ReadPayment());
        OpenTopics();
        OpenSessions();
        Wait();
        CheckBacklogs();
        TakeSnapshots();
        ReadTopics();
        Note({kM7, kM8, kM9}, ReadPayout());
        Note({kM1, kM2, kM3, kM4, kM6}, ReadMerchantLedger());
        Note({kM2}, ReadHolds());
        Note({kM6, kM7, kM8}, Join());
        Note({kM7, kM8, kM9}, CheckDays());
        Note({kM2, kM4, kM9}, CheckStatements());
        Note({kM8}, CheckReconciliation());
        Note({kM9}, CheckAuditTrail());
        Note({kM6, kM8}, CheckAgainstNow());
        times_.took = std::chrono::duration_cast<Duration>(clock_.SteadyNow() - begin);
        return times_;
    }

 private:
    void Note(std::initializer_list<Invariant> invariants, const Status& status) {
        if (status.ok()) return;
        for (const Invariant invariant : invariants) {
            report_.CouldNotCheck(invariant, status.ToString());
        }
    }

    /// Everything within the payment schema, in one snapshot that is closed afterwards.
    Status ReadPayment() {
        observer_.OnStep("reading the payment schema");
        KESSAI_ASSIGN_OR_RETURN(const Snapshot snapshot, Snapshot::Open(options_.payment, clock_));
        times_.snapshot_at = snapshot.taken_at();
        KESSAI_ASSIGN_OR_RETURN(PaymentBooks books, CheckPaymentBooks(snapshot.session(), space_,
                                                                      options_.hasher, report_));
        payment_.emplace(std::move(books));
        return OkStatus();
    }

    // --- waiting ---

    void OpenTopics() {
        const auto open = [&](const std::string& topic) {
            auto reader = kafka::TopicReader::Open(options_.kafka, topic, kBrokerTimeout);
            Note({kM6}, reader.ok() ? OkStatus() : reader.status().WithContext(topic));
            return reader.ok() ? std::move(reader).value() : nullptr;
        };
        payment_reader_ = open(options_.payment_topic);
        payout_reader_ = open(options_.payout_topic);
    }
    void OpenSessions() {
        const auto open = [&](const mysql::ConnectOptions& options,
                              std::initializer_list<Invariant> needed_for) {
            auto session = Connect(options, clock_);
            if (!session.ok()) Note(needed_for, session.status());
            return session.ok() ? std::move(session).value() : nullptr;
        };
        // That the payment schema cannot be reached is told already.
        payment_session_ = open(options_.payment, {kBacklog});
        payout_session_ = open(options_.payout, {kM1, kM2, kM3, kM4, kM6, kM7, kM8, kM9, kBacklog});
        reconciliation_session_ = open(options_.reconciliation, {kM8, kM9, kBacklog});
        gateway_session_ = open(options_.gateway, {kBacklog});
    }
    void Wait() {
        observer_.OnStep("waiting for changes to arrive");
        static const PaymentDays kNoDays;
        const ArrivalPlaces places{payment_session_.get(),        payout_session_.get(),
                                   reconciliation_session_.get(), gateway_session_.get(),
                                   payment_reader_.get(),         payout_reader_.get(),
                                   options_.payment_topic,        options_.payout_topic};
        arrival_ = WaitForArrival(places, times_.snapshot_at,
                                  payment_.has_value() ? payment_->days : kNoDays, options_.wait,
                                  clock_, report_);
        times_.waited = arrival_.waited;
    }
    void CheckBacklogs() {
        const auto check = [&](std::string_view service, mysql::Session* session) {
            if (session == nullptr) return Backlog();
            auto backlog = CheckBacklog(service, *session, options_.wait, report_);
            Note({kBacklog}, backlog.status());
            if (!backlog.ok()) return Backlog();
            settled_.insert(backlog->settled.begin(), backlog->settled.end());
            return std::move(backlog).value();
        };
        check("payment", payment_session_.get());
        hints_.waiting_in_payout = check("payout", payout_session_.get()).waiting;
        hints_.waiting_in_reconciliation =
            check("reconciliation", reconciliation_session_.get()).waiting;
        check("gateway", gateway_session_.get());
    }

    // --- reading what has arrived ---

    /// After the topics' ends were asked for: so whatever stands before them is in the snapshots.
    void TakeSnapshots() {
        const auto take = [&](const mysql::ConnectOptions& options, bool reachable,
                              std::initializer_list<Invariant> needed_for) {
            std::optional<Snapshot> taken;
            if (!reachable) return taken;
            auto snapshot = Snapshot::Open(options, clock_);
            if (snapshot.ok()) {
                taken.emplace(std::move(snapshot).value());
            } else {
                Note(needed_for, snapshot.status());
            }
            return taken;
        };
        payout_snapshot_ = take(options_.payout, payout_session_ != nullptr,
                                {kM1, kM2, kM3, kM4, kM6, kM7, kM8, kM9});
        reconciliation_snapshot_ =
            take(options_.reconciliation, reconciliation_session_ != nullptr, {kM8, kM9});
    }
    void ReadTopics() {
        const auto read = [&](kafka::TopicReader* reader, const std::string& topic,
                              const std::optional<std::vector<kafka::OffsetRange>>& ranges,
                              const auto& see) {
            std::optional<TopicContents> contents;
            if (reader == nullptr || !ranges.has_value()) return contents;
            observer_.OnStep("reading " + topic);
            auto content = ReadTopic(*reader, topic, *ranges, space_, see);
            if (content.ok()) {
                contents.emplace(std::move(content).value());
                CheckUnreadable(*contents, settled_, report_);
            } else {
                Note({kM6}, content.status());
            }
            return contents;
        };
        using See = std::function<void(const event::Envelope&, const MessageId&)>;
        payment_topic_ =
            read(payment_reader_.get(), options_.payment_topic, arrival_.payment_ranges, See());
        payout_topic_ = read(payout_reader_.get(), options_.payout_topic, arrival_.payout_ranges,
                             See([&](const event::Envelope& event, const MessageId& id) {
                                 if (event.type == "kessai.payout.v1.DayReleased") {
                                     release_events_.push_back({id, event});
                                 }
                             }));
    }
    Status ReadPayout() {
        if (!payout_snapshot_.has_value()) return OkStatus();
        observer_.OnStep("reading the payout schema");
        // Without the topic their number is not known, and totals are not of the right slots.
        if (payment_reader_ == nullptr) {
            return Status(Code::kUnavailable, "TOPIC_UNREACHABLE",
                          "the number of partitions is not known");
        }
        KESSAI_ASSIGN_OR_RETURN(
            PayoutBooks books, ReadPayoutBooks(payout_snapshot_->session(), space_, options_.hasher,
                                               payment_reader_->partitions(), report_));
        payout_.emplace(std::move(books));
        return OkStatus();
    }

    Status ReadMerchantLedger() {
        if (!payout_snapshot_.has_value()) return OkStatus();
        observer_.OnStep("reading the merchants' ledger");
        std::optional<TransferEventsCheck> events;
        if (payout_topic_.has_value()) {
            events.emplace(*payout_topic_, arrival_.payout_unsent, ToMicros(times_.snapshot_at),
                           report_);
        }
        mysql::Session& session = payout_snapshot_->session();
        KESSAI_ASSIGN_OR_RETURN(const bool any, HasStatements(session));
        if (any) months_.emplace(space_);
        KESSAI_RETURN_IF_ERROR(PassOverMerchantLedger(session, space_,
                                                      events.has_value() ? &*events : nullptr,
                                                      any ? &*months_ : nullptr, report_));
        ledger_is_read_ = true;
        return OkStatus();
    }

    Status ReadHolds() {
        if (!payout_snapshot_.has_value()) return OkStatus();
        observer_.OnStep("reading merchants held back, and kept days");
        mysql::Session& session = payout_snapshot_->session();
        Note({kM6, kM8}, CheckHolds(session));
        return PassOverLedgerDays(session, report_);
    }
    Status CheckHolds(mysql::Session& session) {
        const std::int64_t began_at_us = ToMicros(times_.snapshot_at);
        std::optional<HeldDiscrepanciesCheck> discrepancies;
        if (reconciliation_snapshot_.has_value()) {
            mysql::Session& reconciliation = reconciliation_snapshot_->session();
            KESSAI_ASSIGN_OR_RETURN(auto passed,
                                    ReadOffsets(reconciliation, options_.payout_topic));
            discrepancies.emplace(reconciliation, std::move(passed), *payout_session_, space_,
                                  began_at_us, report_);
        }
        return PassOverHolds(session, payout_topic_.has_value() ? &*payout_topic_ : nullptr,
                             arrival_.payout_unsent, began_at_us,
                             discrepancies.has_value() ? &*discrepancies : nullptr, report_);
    }

    // --- joining ---

    /// In the snapshots whose effects are looked for.
    Result<ChangeProgress> ReadProgress() {
        ChangeProgress progress;
        progress.payment_unsent = arrival_.payment_unsent;
        progress.payout_unsent = arrival_.payout_unsent;
        progress.began_at_us = ToMicros(times_.snapshot_at);
        if (payout_snapshot_.has_value()) {
            KESSAI_ASSIGN_OR_RETURN(
                progress.payout_of_payment,
                ReadOffsets(payout_snapshot_->session(), options_.payment_topic));
        }
        if (reconciliation_snapshot_.has_value()) {
            mysql::Session& session = reconciliation_snapshot_->session();
            KESSAI_ASSIGN_OR_RETURN(progress.reconciliation_of_payment,
                                    ReadOffsets(session, options_.payment_topic));
            KESSAI_ASSIGN_OR_RETURN(progress.reconciliation_of_payout,
                                    ReadOffsets(session, options_.payout_topic));
        }
        return progress;
    }

    Status Join() {
        if (!payment_.has_value()) return OkStatus();
        observer_.OnStep("joining changes, events, accruals and matches");
        hints_.explain_event = [this](const EventRecord& event) { return ExplainEvent(event); };
        hints_.explain_payout_event = [this](const EventRecord& event, const AccrualRow& accrual) {
            return ExplainPayoutEvent(event, accrual);
        };
        KESSAI_ASSIGN_OR_RETURN(const ChangeProgress progress, ReadProgress());
        ChangeSources sources{payment_->changes, progress};
        if (payment_topic_.has_value()) sources.payment_topic = &*payment_topic_;
        if (payout_.has_value()) sources.payout = &*payout_;
        if (payout_topic_.has_value()) sources.payout_topic = &*payout_topic_;
        if (reconciliation_snapshot_.has_value()) {
            sources.reconciliation = &reconciliation_snapshot_->session();
        }
        Sorter<LateRecord> late(space_);
        Aggregator<MerchantDaySum> matched(space_);
        KESSAI_RETURN_IF_ERROR(
            JoinChanges(sources, hints_, {late, matched, matched_digests_}, report_));
        KESSAI_ASSIGN_OR_RETURN(auto sorted_late, late.Finish());
        late_.emplace(std::move(sorted_late));
        if (sources.reconciliation == nullptr) return OkStatus();
        KESSAI_ASSIGN_OR_RETURN(auto sums, matched.Finish());
        matched_.emplace(std::move(sums));
        return OkStatus();
    }

    std::string ExplainEvent(const EventRecord& event) {
        if (payment_session_ == nullptr) return "it cannot be looked at";
        const auto message = ReadMessage(*payment_reader_, event.partition, event.offset);
        if (!message.ok()) return message.status().ToString();
        const auto changes = ChangesOf(*payment_session_, {event.key.object});
        if (!changes.ok()) return changes.status().ToString();
        for (const Change& change : *changes) {
            if (change.key != event.key) continue;
            const auto expected = ExpectedEventOf(change);
            if (!expected.has_value()) return "no event can tell of this row";
            return DescribeDifference(
                {expected->type, change.key.object, change.key.version, change.event_id,
                 BusinessDate::FromNumber(change.business_date).value(),
                 FromMicros(change.occurred_at_us), expected->payload},
                message->fields());
        }
        return "the row is not there any more";
    }
    std::string ExplainPayoutEvent(const EventRecord& event, const AccrualRow& accrual) {
        const auto message = ReadMessage(*payout_reader_, event.partition, event.offset);
        if (!message.ok()) return message.status().ToString();
        const std::string payload = AccrualPayload(accrual);
        const auto expected = AccrualEventOf(accrual, payload);
        if (!expected.has_value()) return "no event can tell of this row";
        return DescribeDifference(*expected, message->fields());
    }

    // --- days ---

    Status CheckDays() {
        if (!payout_.has_value()) return OkStatus();
        observer_.OnStep("comparing days");
        mysql::Session& session = payout_snapshot_->session();
        KESSAI_ASSIGN_OR_RETURN(const KeptDigests kept, ReadKeptDigests(session));
        CheckKeptDigests(
            "payout's kept digest", kept, payout_->digests, [](DayNumber) { return true; },
            report_);
        if (payment_.has_value()) CompareDayDigests();

        MerchantDaySources sources{session, *payout_};
        if (payment_.has_value()) {
            sources.payable = &payment_->payable;
            sources.payment_days = &payment_->days;
        }
        if (matched_.has_value()) {
            sources.reconciliation = &reconciliation_snapshot_->session();
            sources.matched = &*matched_;
            sources.reconciliation_is_up = arrival_.reconciliation_is_up;
        }
        if (months_.has_value()) sources.months = &*months_;
        KESSAI_RETURN_IF_ERROR(PassOverMerchantDays(sources, space_, report_));
        releases_are_read_ = true;
        return OkStatus();
    }
    Status CheckStatements() {
        if (!months_.has_value()) return OkStatus();
        observer_.OnStep("checking statements");
        return PassOverStatements(payout_snapshot_->session(), space_,
                                  ledger_is_read_ && releases_are_read_ ? &*months_ : nullptr,
                                  report_);
    }
    void CompareDayDigests() {
        std::uint64_t days = 0;
        for (const auto& [day, state] : payment_->days.ended) {
            const auto found = payout_->days.find(day);
            const bool closed = state.state == kDayClosed && found != payout_->days.end() &&
                                found->second.state >= kPayoutClosed;
            if (!closed) continue;
            ++days;
            CompareDigests("payout's digest beside payment's", day, payment_->digests.Of(day),
                           payout_->digests.Of(day), report_);
        }
        report_.LookedAt(kM8, "closed days", days);
    }

    Status CheckReconciliation() {
        if (!matched_.has_value()) return OkStatus();
        mysql::Session& session = reconciliation_snapshot_->session();
        KESSAI_ASSIGN_OR_RETURN(const KeptDigests kept, ReadKeptDigests(session));
        CheckKeptDigests(
            "reconciliation's kept digest", kept, matched_digests_, [](DayNumber) { return true; },
            report_);
        KESSAI_ASSIGN_OR_RETURN(const auto open, ReadOpenDiscrepancies(session, kDiscrepanciesMax));
        for (const OpenDiscrepancyRow& row : open) {
            report_.Found(kM8, "unsettled discrepancy", [&] {
                return Finding{
                    {{"discrepancy", row.discrepancy_id},
                     {"day", DayText(row.business_date)},
                     {"payment", row.payment_id},
                     {"version", row.version}},
                    "repaired or accepted",
                    "kind " + std::to_string(row.kind) + ", state " + std::to_string(row.state)};
            });
        }
        return OkStatus();
    }

    Status CheckAuditTrail() {
        // That the schema cannot be read is told already.
        if (!reconciliation_snapshot_.has_value()) return OkStatus();
        if (!options_.history_chain.has_value()) {
            report_.CouldNotCheck(kM9, "the history of discrepancies: its key is not known");
            return OkStatus();
        }
        observer_.OnStep("reading the history of discrepancies");
        TrailEnds earlier;
        const std::string& file = options_.trail_ends_file;
        if (!file.empty()) {
            KESSAI_ASSIGN_OR_RETURN(earlier, ReadTrailEnds(file));
        }
        KESSAI_ASSIGN_OR_RETURN(
            const TrailEnds ends,
            CheckHistory(reconciliation_snapshot_->session(), *options_.history_chain, space_,
                         earlier, report_));
        return file.empty() ? OkStatus() : WriteTrailEnds(file, ends);
    }

    // --- what came after the snapshot ---

    Status CheckAgainstNow() {
        if (payment_session_ == nullptr) return OkStatus();
        if (late_.has_value()) {
            KESSAI_RETURN_IF_ERROR(CheckLate(*payment_session_, *std::move(late_),
                                             options_.payment_topic, settled_, report_));
        }
        if (!payout_.has_value() || !payment_.has_value()) return OkStatus();
        KESSAI_ASSIGN_OR_RETURN(const auto cleared, ReadClearedReleases(*payment_session_));
        KESSAI_ASSIGN_OR_RETURN(const auto clearings, ReadClearings(*payment_session_));
        CheckReleases({payout_->rounds, payout_topic_.has_value() ? &*payout_topic_ : nullptr,
                       release_events_, &cleared, &clearings, ToMicros(times_.snapshot_at),
                       arrival_.payout_unsent, arrival_.payment_is_up},
                      report_);
        return OkStatus();
    }

    const AuditOptions& options_;
    const Clock& clock_;
    AuditObserver& observer_;
    Report& report_;
    const SpillSpace space_;
    AuditTimes times_;

    std::unique_ptr<kafka::TopicReader> payment_reader_;
    std::unique_ptr<kafka::TopicReader> payout_reader_;
    // For what is committed now.
    std::unique_ptr<mysql::Session> payment_session_;
    std::unique_ptr<mysql::Session> payout_session_;
    std::unique_ptr<mysql::Session> reconciliation_session_;
    std::unique_ptr<mysql::Session> gateway_session_;
    std::optional<Snapshot> payout_snapshot_;
    std::optional<Snapshot> reconciliation_snapshot_;

    Arrival arrival_;
    std::set<MessageId> settled_;
    ChangeHints hints_;
    std::optional<PaymentBooks> payment_;
    std::optional<TopicContents> payment_topic_;
    std::optional<TopicContents> payout_topic_;
    std::vector<ReleaseEvent> release_events_;
    std::optional<PayoutBooks> payout_;
    /// For statements, where there are any: what months moved, once both were read.
    std::optional<Aggregator<MerchantMonth>> months_;
    bool ledger_is_read_ = false;
    bool releases_are_read_ = false;
    std::optional<Sorted<LateRecord>> late_;
    std::optional<Aggregated<MerchantDaySum>> matched_;
    DayDigests matched_digests_;
};

}  // namespace

AuditTimes RunAudit(const AuditOptions& options, const Clock& clock, AuditObserver& observer,
                    Report& report) {
    return Audit(options, clock, observer, report).Run();
}

}  // namespace kessai::audit
