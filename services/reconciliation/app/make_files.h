#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "app/file_rows.h"
#include "domain/ids.h"
#include "kessai/filestore/file_store.h"
#include "kessai/filetemplate/writer.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"

namespace kessai::reconciliation::app {

/// What is to be made: the files of a day by a template, of all merchants or one.
struct FileOrder {
    const filetemplate::Template& file_template;
    BusinessDate date;
    std::optional<domain::MerchantId> merchant = std::nullopt;
};

/// A file that is in the store, whole and checked.
struct MadeFile {
    std::string key;
    filetemplate::WrittenFile written;
};

/// What MakeFiles asks and tells while it works. Called from several threads at once. Made and
/// Refused are called once for each merchant that is wanted; a refusal of either ends the run.
class FileProgress {
 public:
    virtual ~FileProgress() = default;

    /// False: the merchant's rows are dropped (it has another template, or its files are made
    /// already). Asked some times for a merchant; must give the same answer throughout a run.
    virtual bool Wanted(domain::MerchantId merchant) = 0;
    /// Of the files that are made now, from 1.
    virtual std::uint32_t VersionOf(domain::MerchantId merchant) = 0;
    /// The store's key for a file. The same name gives the same key, another merchant or version
    /// another one.
    virtual std::string KeyOf(domain::MerchantId merchant, const std::string& file_name) = 0;
    /// All files of the merchant are stored, in the order of their parts; none where the template
    /// makes none. A run that ends before this was noted makes them again under the same keys.
    virtual Status Made(domain::MerchantId merchant, std::vector<MadeFile> files) = 0;
    /// The merchant's files cannot be made: a value is too wide, a character is lacking, a name
    /// does not work. None of its halves is in the store; the others go on. Parts that were stored
    /// before the refusal stay there, under keys of which nobody is told.
    virtual Status Refused(domain::MerchantId merchant, const Status& why) = 0;
};

struct MakeFilesOptions {
    /// For rows that do not fit the memory; several runs may share it. Files in it have no name, so
    /// that a run that is killed leaves nothing.
    std::string work_folder;
    /// Bytes of rows held in memory, over all threads; at least 4 MiB.
    std::size_t memory_max = std::size_t{256} << 20;
    /// Threads that read, and then as many that print the rows of large files.
    int threads = 2;
    /// Merchants whose files are written at a time, each by a thread and one that sorts ahead of
    /// it: in a store that commits each by itself, they wait for it side by side.
    int merchants_at_once = 32;
    /// Ends the run as CANCELLED STOPPED.
    std::stop_token stop = {};
};

struct FileRunTotals {
    /// Merchants whose files are made, and those that were refused.
    std::uint64_t merchants = 0;
    std::uint64_t refused = 0;
    std::uint64_t files = 0;
    /// Rows of the source (of wanted merchants), rows in files, and bytes as stored.
    std::uint64_t rows_read = 0;
    std::uint64_t rows = 0;
    std::uint64_t bytes = 0;
    /// Sorted runs that went to the work folder.
    std::uint64_t spilled_runs = 0;

    void Add(const FileRunTotals& more);
};

/// Reads the order's rows once, sorts them by merchant, the template's split field and the place of
/// each (FileRow), in bounded memory, and writes each merchant's files to the store. The same rows
/// give the same bytes, in whatever order and parts they are read. Merchants of `also` that have no
/// rows get the template's empty file, if it makes one.
///
/// Ends with the first refusal of `rows`, of the store, of `progress` or of the work folder
/// (RESOURCE_EXHAUSTED DISK_FULL, UNAVAILABLE WORK_FOLDER_FAILED); what was told as made stays, and
/// the next run goes on where `progress` says so. No half of a file is ever in the store. Blocks.
Result<FileRunTotals> MakeFiles(const FileOrder& order, FileRows& rows, filestore::FileStore& store,
                                FileProgress& progress, const MakeFilesOptions& options,
                                std::span<const domain::MerchantId> also = {});

struct PreviewedFile {
    std::string name;
    /// As it would be stored.
    std::string bytes;
    std::uint64_t rows = 0;
};

struct FilePreview {
    std::vector<PreviewedFile> files;
    std::uint64_t rows_read = 0;
    /// Whether there were more rows than asked for: the files are cut short then.
    bool is_cut = false;
};

/// The files of one merchant from at most `rows_max` of its rows, whichever are read first, in
/// memory: for people to look at. Precondition: the order names a merchant. Refusals: those of
/// `rows` and of the template's writer.
Result<FilePreview> PreviewFile(const FileOrder& order, FileRows& rows, std::size_t rows_max,
                                std::uint32_t version = 1);

}  // namespace kessai::reconciliation::app
