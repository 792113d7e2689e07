#include <algorithm>
#include <cstdio>
#include <string>

#include "bench/payments_bench.h"
#include "load/json_line.h"

namespace kessai::bench {

namespace {

using load::JsonLine;

void Line(const std::string& text = {}) {
    std::printf("%s\n", text.c_str());
}

template <class... Values>
std::string Text(const char* format, Values... values) {
    char text[512];
    std::snprintf(text, sizeof(text), format, values...);
    return text;
}

double Ratio(const PaymentsReport& report, const std::optional<std::size_t>& above,
             const std::optional<std::size_t>& below) {
    if (!above || !below) return 0;
    const double divisor = report.steps[*below].completed_per_second;
    return divisor > 0 ? report.steps[*above].completed_per_second / divisor : 0;
}

std::string OrUnknown(const std::map<std::string, std::string>& values, const std::string& name) {
    const auto found = values.find(name);
    return found == values.end() ? "not known" : found->second;
}

/// Kernel threads and daemons use less on an idle machine.
constexpr double kOthersCoresMax = 0.1;

double MostUsedByOthers(const PaymentsReport& report) {
    double most = 0;
    for (const auto& step :
         {report.best, report.best_at_70_percent, report.best_hot, report.best_batch_1}) {
        if (step) most = std::max(most, report.steps[*step].OthersCores());
    }
    return most;
}

void ShowSurroundings(const PaymentsReport& report) {
    const Machine& machine = report.machine;
    Line(Text("machine     %d cores, %s, %.1f GiB, %s", machine.cores, machine.model.c_str(),
              machine.memory_gib, machine.kernel.c_str()));
    Line("commit      " + (report.commit.empty() ? "not known" : report.commit));
    const auto& mysql = report.durability.mysql;
    Line("MariaDB     " + OrUnknown(mysql, "version") +
         ", innodb_flush_log_at_trx_commit=" + OrUnknown(mysql, "innodb_flush_log_at_trx_commit") +
         ", log_bin=" + OrUnknown(mysql, "log_bin") +
         ", sync_binlog=" + OrUnknown(mysql, "sync_binlog") +
         ", innodb_doublewrite=" + OrUnknown(mysql, "innodb_doublewrite"));
    for (const auto& [topic, settings] : report.durability.topics) {
        Line("Kafka       " + topic + ": " + OrUnknown(settings, "partitions") + " partitions, " +
             OrUnknown(settings, "replicas") +
             " replicas, min.insync.replicas=" + OrUnknown(settings, "min.insync.replicas"));
    }
    for (const auto& [service, acks] : report.durability.producer_acks) {
        Line("            producer of " + service +
             ": acks=" + (acks == -1 ? "all" : std::to_string(acks)));
    }
    for (const auto& what : report.durability.not_known) Line("not known   " + what);
}

void ShowStep(const std::string& title, const StepReport& step) {
    Line();
    Line(Text("%s: %.0f payments/s of %.0f offered, over %.0f s", title.c_str(),
              step.completed_per_second, step.facts.rate, step.facts.measured_s));
    Line(Text("  pay         p50 %.1f ms, p95 %.1f ms, p99 %.1f ms, p99.9 %.1f ms, max %.1f ms",
              step.Milliseconds(50), step.Milliseconds(95), step.Milliseconds(99),
              step.Milliseconds(99.9), step.Milliseconds(100)));
    const auto& create = step.facts.load.create_latency;
    const auto& lateness = step.facts.load.lateness;
    const auto ms = [](Duration time) { return static_cast<double>(time.count()) / 1e3; };
    Line(Text("  create      p50 %.1f ms, p99 %.1f ms; the generator was late by p99 %.2f ms",
              ms(create.Percentile(50)), ms(create.Percentile(99)), ms(lateness.Percentile(99))));
    std::string processors;
    double sum = 0;
    for (const auto& [name, micros] : step.MicrosPerPayment()) {
        sum += micros;
        if (micros >= 0.05) processors += Text("%s %.1f, ", name.c_str(), micros);
    }
    Line("  CPU us      " + processors + Text("together %.1f a payment", sum));
    for (const auto& name : step.processors.not_known) {
        Line("              " + name + " ended meanwhile: not known");
    }
    Line(Text("  machine     %.0f %% busy; others used %.2f cores, %.2f were stolen",
              100 * step.processors.busy_share, step.OthersCores(),
              static_cast<double>(step.processors.stolen.count()) / 1e6 / step.facts.measured_s));
    for (const QueueTrend& queue : step.facts.queues) {
        Line(Text(queue.is_outbox ? "  queue       %s: age at most %.2f s, grew by %.2f s"
                                  : "  queue       %s: lag at most %.0f, grew by %.0f messages",
                  queue.name.c_str(), queue.trend.max, queue.trend.growth));
    }
    Line(step.drain_s ? Text("  drained in  %.1f s", *step.drain_s) : "  not drained in time");
    for (const auto& [reason, count] : step.facts.load.pay_failures) {
        Line(Text("  failed      %s %llu", reason.c_str(), static_cast<unsigned long long>(count)));
    }
    for (const auto& [reason, count] : step.facts.load.create_failures) {
        Line(Text("  no code     %s %llu", reason.c_str(), static_cast<unsigned long long>(count)));
    }
    for (const auto& why : step.why_not) Line("  not held    " + why);
}

std::string StepJson(const StepReport& step) {
    JsonLine line;
    line.Text("scenario", step.scenario).Bool("counting", step.counting).Bool("held", step.held);
    line.Bool("closed_loop", step.closed_loop);
    line.Real("offered_per_second", step.facts.rate);
    line.Real("payments_per_second", step.completed_per_second);
    line.Real("measured_s", step.facts.measured_s);
    line.Real("p50_ms", step.Milliseconds(50)).Real("p95_ms", step.Milliseconds(95));
    line.Real("p99_ms", step.Milliseconds(99)).Real("p999_ms", step.Milliseconds(99.9));
    line.Unsigned("failures", step.facts.load.failures());
    if (step.drain_s) {
        line.Real("drain_s", *step.drain_s);
    } else {
        line.Null("drain_s");
    }
    std::string why = "[";
    for (const auto& reason : step.why_not) {
        const std::string object = JsonLine().Text("w", reason).Object();
        why += (why.size() > 1 ? "," : "") + object.substr(5, object.size() - 6);
    }
    line.Raw("why_not", why + "]");
    return line.Object();
}

std::string MicrosJson(const StepReport& step) {
    JsonLine line;
    double sum = 0;
    for (const auto& [name, micros] : step.MicrosPerPayment()) {
        line.Real(name, micros);
        sum += micros;
    }
    line.Real("all", sum);
    return line.Object();
}

void AddRate(JsonLine& line, const char* name, const PaymentsReport& report,
             const std::optional<std::size_t>& step) {
    if (step) {
        line.Real(name, report.steps[*step].completed_per_second);
    } else {
        line.Null(name);
    }
}

void AddRatio(JsonLine& line, const char* name, double ratio) {
    if (ratio > 0) {
        line.Real(name, ratio);
    } else {
        line.Null(name);
    }
}

}  // namespace

void Show(const PaymentsReport& report, const PaymentsOptions& options) {
    Line();
    ShowSurroundings(report);
    Line(
        Text("load        open loop over TLS, %d merchants by Zipf %.2f, %d users, %d connections, "
             "seed %llu, run %s",
             options.merchants, options.zipf_exponent, options.users, options.connections,
             static_cast<unsigned long long>(options.seed), report.run_id.c_str()));
    Line(
        Text("counted     when outboxes and consumers were flat over the last %.0f s%s",
             std::chrono::duration<double>(std::min(options.flat_window, options.measured)).count(),
             options.quick ? " (--quick: too short to rely on)" : ""));
    if (report.best) {
        ShowStep(options.clients > 0 ? "closed loop, no rate that counts" : "top rate",
                 report.steps[*report.best]);
    }
    if (report.best_at_70_percent) {
        ShowStep("at 70 % of it", report.steps[*report.best_at_70_percent]);
    }
    if (report.best_hot) {
        ShowStep(Text("one merchant taking %.0f %%", 100 * options.hot_share),
                 report.steps[*report.best_hot]);
    }
    if (report.best_batch_1) {
        ShowStep(Text("batch size 1, at its best: %d executors", report.batch_1_executors),
                 report.steps[*report.best_batch_1]);
    }
    Line();
    if (const double ratio = Ratio(report, report.best, report.best_batch_1); ratio > 0) {
        Line(Text("over batch size 1      %.2f times", ratio));
    }
    if (const double ratio = Ratio(report, report.best_hot, report.best); ratio > 0) {
        Line(Text("hot over uniform       %.2f", ratio));
    }
    Line(Text("acknowledged           %llu payments, %lld yen; %llu not known",
              static_cast<unsigned long long>(report.acknowledged),
              static_cast<long long>(report.acknowledged_yen),
              static_cast<unsigned long long>(report.unknown)));
    Line(Text("stored by payment      %llu payments, %lld yen",
              static_cast<unsigned long long>(report.stored),
              static_cast<long long>(report.stored_yen)));
    Line(Text("accrued by payout      %llu payments, %lld yen: %s",
              static_cast<unsigned long long>(report.accrued),
              static_cast<long long>(report.accrued_yen),
              report.counts_agree ? "the counts agree" : "THE COUNTS DO NOT AGREE"));
    Line("audit                  " + report.audit);
    for (const auto& note : report.notes) Line("note: " + note);
    if (const double others = MostUsedByOthers(report); others > kOthersCoresMax) {
        Line(
            Text("note: other programs used up to %.2f cores: on a machine of its own it does more",
                 others));
    }
    if (!report.best) Line("No rate was held: nothing was measured.");
}

std::string ToJson(const PaymentsReport& report, const PaymentsOptions& options) {
    JsonLine line;
    line.Text("benchmark", "payments").Bool("valid", report.valid());
    AddRate(line, "payments_per_second", report, report.best);
    if (report.best) {
        const StepReport& best = report.steps[*report.best];
        line.Real("p50_ms", best.Milliseconds(50)).Real("p95_ms", best.Milliseconds(95));
        line.Real("p99_ms", best.Milliseconds(99)).Real("p999_ms", best.Milliseconds(99.9));
        line.Raw("cpu_us_per_payment", MicrosJson(best));
        line.Real("others_cores", MostUsedByOthers(report));
    }
    if (report.best_at_70_percent) {
        const StepReport& step = report.steps[*report.best_at_70_percent];
        line.Real("p99_ms_at_70_percent", step.Milliseconds(99));
        line.Raw("at_70_percent", StepJson(step));
    }
    AddRatio(line, "ratio_to_batch_1", Ratio(report, report.best, report.best_batch_1));
    AddRatio(line, "hot_merchant_ratio", Ratio(report, report.best_hot, report.best));
    AddRate(line, "hot_merchant_payments_per_second", report, report.best_hot);
    AddRate(line, "batch_1_payments_per_second", report, report.best_batch_1);
    line.Integer("batch_1_executors", report.batch_1_executors);
    line.Integer("cores", report.machine.cores).Text("cpu_model", report.machine.model);
    line.Real("memory_gib", report.machine.memory_gib).Text("kernel", report.machine.kernel);
    line.Text("commit", report.commit).Text("run", report.run_id);
    line.Unsigned("seed", options.seed).Bool("quick", options.quick);
    if (options.clients > 0) line.Integer("closed_loop_clients", options.clients);
    line.Real(
        "flat_window_s",
        std::chrono::duration<double>(std::min(options.flat_window, options.measured)).count());
    line.Integer("connections", options.connections).Integer("merchants", options.merchants);
    line.Integer("users", options.users).Real("set_up_s", report.set_up_s);
    JsonLine mysql;
    for (const auto& [name, value] : report.durability.mysql) mysql.Text(name, value);
    line.Raw("mysql", mysql.Object());
    JsonLine topics;
    for (const auto& [topic, settings] : report.durability.topics) {
        JsonLine topic_line;
        for (const auto& [name, value] : settings) topic_line.Text(name, value);
        topics.Raw(topic, topic_line.Object());
    }
    line.Raw("topics", topics.Object());
    JsonLine acks;
    for (const auto& [service, count] : report.durability.producer_acks)
        acks.Integer(service, count);
    line.Raw("producer_acks", acks.Object());
    line.Unsigned("acknowledged", report.acknowledged).Unsigned("unknown", report.unknown);
    line.Unsigned("stored", report.stored).Unsigned("accrued", report.accrued);
    line.Bool("counts_agree", report.counts_agree).Text("audit", report.audit);
    std::string steps = "[";
    for (const StepReport& step : report.steps) {
        steps += (steps.size() > 1 ? "," : "") + StepJson(step);
    }
    line.Raw("steps", steps + "]");
    return line.Object();
}

}  // namespace kessai::bench
