#pragma once

#include <memory>
#include <string>

#include "kessai/config/schema.h"
#include "kessai/filestore/file_store.h"
#include "kessai/time/clock.h"

namespace kessai::filestore {

struct DirectoryOptions {
    /// An existing folder. It is never made: a volume that is not mounted must be seen.
    std::string path = {};
};
void Describe(config::Schema& schema, DirectoryOptions& options);

/// Files in a folder, for one machine or a shared volume: each under its key. Half files are in
/// `.new`, which is of the same file system, and move to their key by rename(2); a file and the
/// folders above it are flushed before Commit is ok. Looks at the folder at each call only, so it
/// may be absent when the process starts.
///
/// Sweep spares a half whose writer lives on this machine, however old it is.
std::unique_ptr<FileStore> OpenDirectoryStore(DirectoryOptions options,
                                              const Clock& clock = SystemClock());

}  // namespace kessai::filestore
