#include "app/run_files.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "app/file_templates.h"
#include "kessai/faults/fault_point.h"

namespace kessai::reconciliation::app {

namespace {

using domain::MerchantId;
using domain::MerchantOutcome;

constexpr int kForgottenAtOnce = 5'000;
constexpr int kSweptRunsPerRound = 100;
constexpr std::size_t kSweptKeysAtOnce = 500;

/// Text for a column, cut between characters.
std::string Cut(std::string_view text, std::size_t bytes_max) {
    std::size_t size = std::min(text.size(), bytes_max);
    while (size > 0 && size < text.size() &&
           (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) {
        --size;
    }
    return std::string(text.substr(0, size));
}

}  // namespace

/// What MakeFiles asks and tells: who is wanted, and what was made, which is gathered and noted.
class RunFiles::Progress final : public FileProgress {
 public:
    Progress(RunFiles& files, const domain::FileRun& run, const FileRunLease& lease)
        : files_(files), run_(run), lease_(lease), noted_at_(files.clock_.SteadyNow()) {}

    /// Reads who is assigned, who has files and whom an earlier attempt was done with. `also`: who
    /// gets files though it has no rows.
    Status Load(const filetemplate::Template& layout) {
        return files_.transactions_.Run([&](FileBooks& books) -> Status {
            const domain::FileRunOrder& order = run_.order;
            KESSAI_ASSIGN_OR_RETURN(assigned_, books.Assignments(order.template_name));
            KESSAI_ASSIGN_OR_RETURN(
                latest_,
                books.LatestVersions(order.template_name, order.business_date, order.merchant));
            KESSAI_ASSIGN_OR_RETURN(const auto done, books.MerchantsDone(run_.id));
            done_ = std::set<MerchantId>(done.begin(), done.end());
            also_.clear();
            if (!layout.makes_empty_files()) return OkStatus();
            std::set<MerchantId> also;
            if (!order.merchant.is_none()) {
                also.insert(order.merchant);
            } else {
                const auto named = assigned_.Named(order.business_date, order.scheduled);
                also.insert(named.begin(), named.end());
                KESSAI_ASSIGN_OR_RETURN(const auto known,
                                        books.KnownMerchants(order.business_date));
                also.insert(known.begin(), known.end());
            }
            for (const MerchantId merchant : also) {
                if (Wanted(merchant)) also_.push_back(merchant);
            }
            return OkStatus();
        });
    }
    const std::vector<MerchantId>& also() const { return also_; }

    bool Wanted(MerchantId merchant) override {
        const domain::FileRunOrder& order = run_.order;
        if (!order.merchant.is_none() && merchant != order.merchant) return false;
        if (done_.contains(merchant)) return false;
        const bool has_files = latest_.contains(merchant);
        if (has_files && !order.again()) return false;
        // Files that are there may be corrected though nobody assigns them any more.
        return assigned_.Covers(merchant, order.business_date, order.scheduled) ||
               (has_files && !order.merchant.is_none());
    }

    std::uint32_t VersionOf(MerchantId merchant) override {
        const auto latest = latest_.find(merchant);
        return latest == latest_.end() ? 1 : latest->second.version + 1;
    }

    std::string KeyOf(MerchantId merchant, const std::string& file_name) override {
        std::string key = domain::FileKey(run_, merchant, VersionOf(merchant), file_name);
        std::lock_guard lock(mutex_);
        auto& keys = keys_[merchant];
        if (std::ranges::find(keys, key) == keys.end()) keys.push_back(key);
        return key;
    }

    Status Made(MerchantId merchant, std::vector<MadeFile> made) override {
        KESSAI_FAULT_POINT("reconciliation.file_stored");
        const auto latest = latest_.find(merchant);
        const bool same =
            !run_.order.force && latest != latest_.end() && !latest->second.is_removed &&
            std::ranges::equal(latest->second.sha256, made, {}, {},
                               [](const MadeFile& file) { return file.written.sha256; });
        // Nobody will refer to them. What stays of them all the same, Sweep removes.
        if (same) {
            for (const MadeFile& file : made) (void)files_.store_.Remove(file.key);
        }
        std::lock_guard lock(mutex_);
        keys_.erase(merchant);
        if (same) {
            merchants_.push_back({.merchant = merchant, .outcome = MerchantOutcome::kUnchanged});
            ++more_.merchants_unchanged;
        } else {
            const Instant now = files_.clock_.Now();
            for (MadeFile& file : made) {
                more_.files += 1;
                more_.rows += file.written.rows;
                more_.bytes += file.written.bytes;
                made_.push_back(NewFile(merchant, std::move(file), now));
            }
            merchants_.push_back({.merchant = merchant, .outcome = MerchantOutcome::kMade});
            ++more_.merchants_done;
        }
        return NoteIfMany();
    }

    Status Refused(MerchantId merchant, const Status& why) override {
        // Parts that were stored before the one that could not be.
        for (const std::string& key : TakeKeys(merchant)) (void)files_.store_.Remove(key);
        std::lock_guard lock(mutex_);
        merchants_.push_back({.merchant = merchant,
                              .outcome = MerchantOutcome::kRefused,
                              .reason = std::string(why.reason()),
                              .message = Cut(why.message(), domain::kRunMessageBytesMax)});
        ++more_.merchants_refused;
        return NoteIfMany();
    }

    /// Notes what was gathered.
    Status Note() {
        std::lock_guard lock(mutex_);
        return NoteGathered();
    }

 private:
    domain::MerchantFile NewFile(MerchantId merchant, MadeFile file, Instant now) {
        return {.run = run_.id,
                .merchant = merchant,
                .template_name = run_.order.template_name,
                .template_version = run_.template_version,
                .business_date = run_.order.business_date,
                .version = VersionOf(merchant),
                .part = file.written.part,
                .name = std::move(file.written.name),
                .key = std::move(file.key),
                .bytes = file.written.bytes,
                .sha256 = file.written.sha256,
                .rows = file.written.rows,
                .totals = std::move(file.written.totals),
                .made_at = now,
                .expires_at = now + files_.options_.keep};
    }

    std::vector<std::string> TakeKeys(MerchantId merchant) {
        std::lock_guard lock(mutex_);
        auto keys = keys_.extract(merchant);
        return keys.empty() ? std::vector<std::string>() : std::move(keys.mapped());
    }

    // The mutex is held in both. Others wait meanwhile: the database has its say in how fast files
    // are made.
    Status NoteIfMany() {
        if (merchants_.size() < files_.options_.note_merchants_max &&
            files_.clock_.SteadyNow() < noted_at_ + files_.options_.note_every) {
            return OkStatus();
        }
        return NoteGathered();
    }

    Status NoteGathered() {
        noted_at_ = files_.clock_.SteadyNow();
        if (merchants_.empty()) return OkStatus();
        KESSAI_RETURN_IF_ERROR(files_.transactions_.Run([&](FileBooks& books) -> Status {
            KESSAI_RETURN_IF_ERROR(books.Confirm(lease_.grant()));
            KESSAI_ASSIGN_OR_RETURN(const domain::FileRun now, books.LockRun(run_.id));
            if (now.state == domain::FileRunState::kCancelled) {
                return Status(Code::kAborted, "FILE_RUN_CANCELLED", now.message);
            }
            // A commit whose reply was lost: all of it is there.
            KESSAI_ASSIGN_OR_RETURN(const bool noted,
                                    books.IsNoted(run_.id, merchants_.front().merchant));
            if (noted) return OkStatus();
            KESSAI_RETURN_IF_ERROR(books.AddProgress(run_.id, more_));
            KESSAI_RETURN_IF_ERROR(books.InsertMerchants(run_.id, merchants_));
            return books.InsertFiles(made_);
        }));
        KESSAI_FAULT_POINT("reconciliation.files_noted");
        made_.clear();
        merchants_.clear();
        more_ = {};
        return OkStatus();
    }

    RunFiles& files_;
    const domain::FileRun& run_;
    const FileRunLease& lease_;
    // Set by Load.
    domain::FileAssignments assigned_;
    std::map<MerchantId, domain::LatestFiles> latest_;
    std::set<MerchantId> done_;
    std::vector<MerchantId> also_;

    std::mutex mutex_;
    std::map<MerchantId, std::vector<std::string>> keys_;
    std::vector<domain::MerchantFile> made_;
    std::vector<domain::RunMerchant> merchants_;
    domain::FileRunProgress more_;
    SteadyInstant noted_at_;
};

Result<domain::FileRun> RunFiles::Run(domain::FileRunId id, std::stop_token stop) {
    KESSAI_ASSIGN_OR_RETURN(const auto lease, leases_.TryAcquire(id));
    if (lease == nullptr) {
        return Status(Code::kAborted, "FILE_RUN_RUNNING",
                      "another replica works on run " + id.ToString());
    }
    KESSAI_ASSIGN_OR_RETURN(domain::FileRun run, Begin(id, *lease));
    if (run.Ended()) return run;

    std::stop_source ends;
    const std::stop_callback when_stopped(stop, [&] { ends.request_stop(); });
    lease->OnLost([ends]() mutable { ends.request_stop(); });
    const Status outcome = Make(run, *lease, ends.get_token());
    lease->OnLost({});
    const auto ended = End(run, *lease, outcome, stop.stop_requested());
    if (!ended.ok()) {
        // Somebody else works on it, and may be done before what was stored here last.
        NoteToSweep(id);
        return ended.status();
    }
    if (ended->Ended()) Forget(id);
    return ended;
}

void RunFiles::NoteToSweep(domain::FileRunId id) {
    // A database that is away now lets nobody else end the run either, who will sweep.
    (void)transactions_.Run([&](FileBooks& books) { return books.NoteToSweep(id); });
}

Result<int> RunFiles::Sweep(const std::stop_token& stop) {
    std::vector<domain::FileRun> runs;
    int removed = 0;
    do {
        KESSAI_RETURN_IF_ERROR(transactions_.Run([&](FileBooks& books) -> Status {
            KESSAI_ASSIGN_OR_RETURN(runs, books.ListToSweep(kSweptRunsPerRound));
            return OkStatus();
        }));
        for (const domain::FileRun& run : runs) {
            KESSAI_ASSIGN_OR_RETURN(const int swept, SweepRun(run, stop));
            removed += swept;
            if (stop.stop_requested()) return removed;
            KESSAI_RETURN_IF_ERROR(
                transactions_.Run([&](FileBooks& books) { return books.ForgetToSweep(run.id); }));
        }
    } while (static_cast<int>(runs.size()) == kSweptRunsPerRound);
    return removed;
}

Result<int> RunFiles::SweepRun(const domain::FileRun& run, const std::stop_token& stop) {
    std::vector<std::pair<MerchantId, std::string>> found;
    int removed = 0;
    const auto remove = [&]() -> Status {
        std::vector<MerchantId> merchants;
        for (const auto& [merchant, key] : found) merchants.push_back(merchant);
        std::ranges::sort(merchants);
        merchants.erase(std::unique(merchants.begin(), merchants.end()), merchants.end());
        std::set<std::string> kept;
        KESSAI_RETURN_IF_ERROR(transactions_.Run([&](FileBooks& books) -> Status {
            KESSAI_ASSIGN_OR_RETURN(kept, books.KeysOf(run, merchants));
            return OkStatus();
        }));
        for (const auto& [merchant, key] : found) {
            if (kept.contains(key)) continue;
            KESSAI_RETURN_IF_ERROR(store_.Remove(key));
            ++removed;
        }
        found.clear();
        return OkStatus();
    };
    KESSAI_RETURN_IF_ERROR(
        store_.List(domain::FileRunFolder(run), [&](const filestore::FileInfo& file) -> Status {
            if (stop.stop_requested()) return Status(Code::kCancelled, "STOPPED", "told to stop");
            // What somebody else put there is not ours to remove.
            const auto merchant = domain::MerchantOfKey(run, file.key);
            if (merchant) found.emplace_back(*merchant, file.key);
            return found.size() < kSweptKeysAtOnce ? OkStatus() : remove();
        }));
    KESSAI_RETURN_IF_ERROR(remove());
    return removed;
}

void RunFiles::Forget(domain::FileRunId id) {
    std::uint64_t forgotten = 0;
    do {
        // What cannot be removed is in nobody's way.
        const Status status = transactions_.Run([&](FileBooks& books) -> Status {
            KESSAI_ASSIGN_OR_RETURN(forgotten, books.ForgetMerchants(id, kForgottenAtOnce));
            return OkStatus();
        });
        if (!status.ok()) return;
    } while (forgotten == static_cast<std::uint64_t>(kForgottenAtOnce));
}

Result<domain::FileRun> RunFiles::Begin(domain::FileRunId id, const FileRunLease& lease) {
    domain::FileRun run;
    KESSAI_RETURN_IF_ERROR(transactions_.Run([&](FileBooks& books) -> Status {
        KESSAI_RETURN_IF_ERROR(books.Confirm(lease.grant()));
        KESSAI_ASSIGN_OR_RETURN(run, books.LockRun(id));
        if (run.Ended()) return OkStatus();
        run.state = domain::FileRunState::kRunning;
        run.attempts += 1;
        // The attempts before may have stored what they did not come to note.
        if (run.attempts > 1) KESSAI_RETURN_IF_ERROR(books.NoteToSweep(id));
        run.started_at = clock_.Now();
        run.finished_at = {};
        run.reason.clear();
        run.message.clear();
        return books.UpdateRun(run);
    }));
    return run;
}

Status RunFiles::Make(const domain::FileRun& run, const FileRunLease& lease, std::stop_token stop) {
    domain::FileTemplate stored;
    KESSAI_RETURN_IF_ERROR(transactions_.Run([&](FileBooks& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(stored,
                                books.FindTemplate(run.order.template_name, run.template_version));
        return OkStatus();
    }));
    KESSAI_ASSIGN_OR_RETURN(const auto layout, ParseLayout(stored));
    Progress progress(*this, run, lease);
    KESSAI_RETURN_IF_ERROR(progress.Load(layout));
    MakeFilesOptions options = options_.make;
    options.stop = std::move(stop);
    FileOrder order{.file_template = layout, .date = run.order.business_date};
    if (!run.order.merchant.is_none()) order.merchant = run.order.merchant;
    const auto made = MakeFiles(order, rows_, store_, progress, options, progress.also());
    // What was made before a refusal stays.
    const Status noted = progress.Note();
    KESSAI_RETURN_IF_ERROR(made.status());
    return noted;
}

Result<domain::FileRun> RunFiles::End(domain::FileRun run, const FileRunLease& lease,
                                      const Status& outcome, bool stopped) {
    KESSAI_FAULT_POINT("reconciliation.before_file_run_ended");
    KESSAI_RETURN_IF_ERROR(transactions_.Run([&](FileBooks& books) -> Status {
        KESSAI_RETURN_IF_ERROR(books.Confirm(lease.grant()));
        KESSAI_ASSIGN_OR_RETURN(run, books.LockRun(run.id));
        // Cancelled meanwhile; what was stored since then may have been missed by who swept.
        if (run.Ended()) return books.NoteToSweep(run.id);
        const Instant now = std::max(clock_.Now(), run.started_at);
        if (outcome.ok()) {
            run.state = domain::FileRunState::kDone;
            run.finished_at = now;
            const auto& done = run.progress;
            if (done.merchants_unchanged + done.merchants_refused > 0) {
                KESSAI_RETURN_IF_ERROR(books.NoteToSweep(run.id));
            }
        } else if (stopped) {
            run.state = domain::FileRunState::kWaiting;
            run.retry_at = now;
        } else {
            run.state = domain::FileRunState::kFailed;
            run.finished_at = now;
            run.reason = Cut(outcome.reason(), 64);
            run.message = Cut(outcome.message(), domain::kRunMessageBytesMax);
            run.retry_at =
                now + domain::WaitAfter(run.attempts, options_.retry_first, options_.retry_max);
        }
        return books.UpdateRun(run);
    }));
    return run;
}

}  // namespace kessai::reconciliation::app
