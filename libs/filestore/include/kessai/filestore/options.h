#pragma once

#include <memory>

#include "kessai/config/schema.h"
#include "kessai/filestore/directory_store.h"
#include "kessai/filestore/file_store.h"
#include "kessai/filestore/s3_store.h"

namespace kessai::filestore {

/// The section of a service's configuration that says where its files are kept.
struct Options {
    enum class Kind { kDirectory, kS3 };

    Kind kind = Kind::kDirectory;
    DirectoryOptions directory = {};
    S3Options s3 = {};
};
/// Checks too that the store that is chosen has what it needs.
void Describe(config::Schema& schema, Options& options);

/// The store that `options` choose. Touches neither disk nor network.
std::unique_ptr<FileStore> OpenStore(const Options& options, const Clock& clock = SystemClock());

}  // namespace kessai::filestore
