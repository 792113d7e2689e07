#include <cstdio>
#include <string>

#include "bench/release/release_bench.h"
#include "load/json_line.h"

namespace kessai::bench {
namespace {

template <class... Values>
std::string Line(const char* format, Values... values) {
    char text[512];
    std::snprintf(text, sizeof(text), format, values...);
    return std::string(text) + "\n";
}

std::string OrUnknown(const std::map<std::string, std::string>& values, const std::string& name) {
    const auto found = values.find(name);
    return found == values.end() ? "not known" : found->second;
}

long long Number(std::int64_t number) {
    return number;
}

std::string Surroundings(const ReleaseReport& report) {
    const Machine& machine = report.machine;
    const auto& mysql = report.mysql;
    const std::string pool = OrUnknown(mysql, "innodb_buffer_pool_size");
    std::string text =
        Line("machine     %d cores, %s, %.1f GiB, %s", machine.cores, machine.model.c_str(),
             machine.memory_gib, machine.kernel.c_str()) +
        Line(
            "MariaDB     %s, innodb_flush_log_at_trx_commit=%s, innodb_doublewrite=%s, "
            "log_bin=%s, innodb_flush_method=%s, local_infile=%s",
            OrUnknown(mysql, "version").c_str(),
            OrUnknown(mysql, "innodb_flush_log_at_trx_commit").c_str(),
            OrUnknown(mysql, "innodb_doublewrite").c_str(), OrUnknown(mysql, "log_bin").c_str(),
            OrUnknown(mysql, "innodb_flush_method").c_str(),
            OrUnknown(mysql, "local_infile").c_str());
    if (report.damage) return text;
    return text + Line("buffer pool %s bytes, %s: the release read %lld pages of 16 KiB from disk",
                       pool.c_str(), report.buffer_pool_warm ? "warm" : "not warm",
                       Number(report.pages_read));
}

std::string Row(const char* what, double seconds, double release, const std::string& note) {
    return Line("%-50s %9.2f s %8.2f x   %s", what, seconds, release > 0 ? seconds / release : 0,
                note.c_str());
}

std::string DamageLines(const DamageProof& proof) {
    std::string text;
    for (const DamageProof::Kind& kind : proof.kinds) {
        text += Line("damaged     %5lld times: %s%s", Number(kind.planted),
                     std::string(NameOf(kind.kind)).c_str(),
                     SumsHide(kind.kind) ? ", which the sums hide" : "");
    }
    text += Line("held back   %lld merchants, of %lld whose sums differ, in a release of %.1f s",
                 Number(proof.held_back), Number(proof.visible), proof.release_seconds);
    text += Line("            such as %s", proof.held_example.c_str());
    text += Line("released    %lld merchants, all others", Number(proof.released));
    text += Line("found deep  %lld merchants, of %lld whose sums hide it, in a run of %.1f s",
                 Number(proof.found_deep), Number(proof.hidden), proof.deep_seconds);
    text += Line("            such as %s", proof.found_example.c_str());
    text += Line("put back    and %lld merchants released in a further round",
                 Number(proof.released_later));
    return text;
}

std::string KillLines(const KillProof& proof) {
    std::string text =
        Line("killed      %d times of %d asked: %d times while recounting, %d times while writing",
             proof.in_recount + proof.in_writing, proof.asked, proof.in_recount, proof.in_writing);
    text += "            with";
    for (const std::int64_t done : proof.done_at_kill) text += " " + std::to_string(done);
    text += " of " + std::to_string(proof.chunks) + " chunks done\n";
    text +=
        Line("resumed     to its end, %.1f s in all; its rows %s those of the release untouched",
             proof.seconds, proof.equal ? "are" : "are NOT");
    return text;
}

std::string AuditLines(const PayoutAudit& audit) {
    std::string text = Line("audited     payout alone, in %.1f s:", audit.seconds);
    text.pop_back();
    for (const std::string& what : audit.looked_at) text += " " + what + ",";
    return text + " " + std::to_string(audit.found.size()) + " kinds of findings\n";
}

std::string ContenderLines(const ReleaseReport& report) {
    const double release = report.release_seconds;
    std::string text =
        Row("release, from the closed day to all rows written", release, release, "");
    text += Row("  of it the recount of every accrual", report.times.recount_seconds, release, "");
    text += Row("  of it comparing and writing", report.times.write_seconds, release, "");
    for (const Contender& contender : report.contenders) {
        text += Row(contender.what.c_str(), contender.seconds, release,
                    (contender.extrapolated ? "extrapolated: " : "") + contender.note);
    }
    return text;
}

/// A figure, or null where it was not measured.
void Measured(load::JsonLine& line, const std::string& name, double value, bool measured) {
    if (measured) {
        line.Real(name, value);
    } else {
        line.Null(name);
    }
}

std::string Checked(const ReleaseReport& report) {
    std::string text;
    for (const std::string& wrong : report.wrong) text += "WRONG       " + wrong + "\n";
    if (!report.wrong.empty()) return text;
    if (report.damage) return "checked     exactly they, and every yen of the others\n";
    return "checked     released = accrued to the yen, every merchant once, and every contender's "
           "rows are the same\n";
}

}  // namespace

std::string ToText(const ReleaseReport& report) {
    const DayFacts& facts = report.facts;
    std::string text = Surroundings(report);
    text += Line(
        "day         %lld accruals (%lld MiB) of %lld merchants, %s, seed %llu; the largest "
        "has %lld",
        Number(facts.accruals), Number(report.accrual_mib), Number(facts.merchants),
        std::string(NameOf(report.recipe.skew)).c_str(),
        static_cast<unsigned long long>(report.recipe.seed), Number(facts.largest));
    if (report.bulk) {
        text += Line("made        straight in the tables, in %.1f s", report.load_seconds);
    } else {
        text += Line("ingested    in %.1f s, %.0f events/s from Kafka into the tables",
                     report.ingest_seconds,
                     static_cast<double>(facts.accruals) / report.ingest_seconds);
        text +=
            Line("            processor %.1f s here, %.1f s in MariaDB",
                 report.ingest_client_cpu_seconds, report.ingest_server_cpu_seconds.value_or(0));
    }
    if (report.later_day) {
        text += Line("balances    of the cycle there before, for every merchant");
    }
    text += Line("closed      in %.2f s: every total read, sealed and kept", report.close_seconds);
    if (report.damage) {
        text += DamageLines(*report.damage);
    } else {
        text += Line("processor   %.1f s here, %.1f s in MariaDB, %.1f s of all on this machine",
                     report.client_cpu_seconds, report.server_cpu_seconds.value_or(0),
                     report.machine_busy_seconds);
        text += Line("memory      %lld MiB at most", Number(report.peak_rss_mib));
        text += "\n" + ContenderLines(report);
    }
    if (report.kills) text += "\n" + KillLines(*report.kills);
    if (report.audit) text += AuditLines(*report.audit);
    return text + "\n" + Checked(report);
}

std::string ToJson(const ReleaseReport& report) {
    load::JsonLine line;
    line.Text("bench", "release")
        .Integer("accruals", report.facts.accruals)
        .Integer("merchants", report.facts.merchants)
        .Integer("largest_merchant_accruals", report.facts.largest)
        .Text("skew", NameOf(report.recipe.skew))
        .Unsigned("seed", report.recipe.seed)
        .Bool("bulk", report.bulk)
        .Bool("later_day", report.later_day)
        .Integer("cores", report.machine.cores)
        .Integer("threads", report.threads)
        .Real("release_seconds", report.release_seconds);
    // Of a release that was watched for what it finds, nothing else was measured.
    const bool measured = !report.damage;
    Measured(line, "recount_seconds", report.times.recount_seconds, measured);
    Measured(line, "write_seconds", report.times.write_seconds, measured);
    line.Real("close_seconds", report.close_seconds).Real("load_seconds", report.load_seconds);
    if (report.bulk) {
        line.Null("ingested_events_per_second");
    } else {
        line.Real("ingested_events_per_second",
                  static_cast<double>(report.facts.accruals) / report.ingest_seconds);
    }
    for (const Contender& contender : report.contenders) {
        line.Real(contender.name + "_seconds", contender.seconds)
            .Real(contender.name + "_ratio", contender.seconds / report.release_seconds)
            .Bool(contender.name + "_extrapolated", contender.extrapolated);
        for (const auto& [part, seconds] : contender.also) {
            line.Real(contender.name + "_" + part + "_seconds", seconds);
        }
    }
    if (measured) {
        line.Integer("peak_rss_mib", report.peak_rss_mib)
            .Bool("buffer_pool_warm", report.buffer_pool_warm)
            .Integer("pages_read", report.pages_read);
    } else {
        line.Null("peak_rss_mib").Null("buffer_pool_warm").Null("pages_read");
    }
    Measured(line, "client_cpu_seconds", report.client_cpu_seconds, measured);
    Measured(line, "server_cpu_seconds", report.server_cpu_seconds.value_or(0),
             report.server_cpu_seconds.has_value());
    Measured(line, "machine_busy_seconds", report.machine_busy_seconds, measured);
    line.Text("innodb_flush_log_at_trx_commit",
              OrUnknown(report.mysql, "innodb_flush_log_at_trx_commit"))
        .Text("innodb_buffer_pool_size", OrUnknown(report.mysql, "innodb_buffer_pool_size"))
        .Bool("correct", report.wrong.empty());
    if (report.damage) {
        line.Integer("damaged_visible_merchants", report.damage->visible)
            .Integer("held_back_merchants", report.damage->held_back)
            .Integer("damaged_hidden_merchants", report.damage->hidden)
            .Integer("found_deep_merchants", report.damage->found_deep);
    }
    if (report.kills) {
        line.Integer("kills", report.kills->in_recount + report.kills->in_writing)
            .Integer("kills_in_writing", report.kills->in_writing)
            .Bool("equal_to_untouched", report.kills->equal);
    }
    if (report.audit) {
        line.Integer("audit_findings", static_cast<std::int64_t>(report.audit->found.size()));
    }
    return line.Object();
}

}  // namespace kessai::bench
