#include "kessai/filestore/options.h"

namespace kessai::filestore {

void Describe(config::Schema& schema, Options& options) {
    schema.Choice(
        "kind", &options.kind,
        {{"directory", Options::Kind::kDirectory}, {"s3", Options::Kind::kS3}},
        {.description = "Where files are kept: in a folder, or in a bucket of S3 or of what "
                        "speaks as it does"});
    schema.Section("directory", options.directory);
    schema.Section("s3", options.s3);
    schema.Check([&options]() -> Status {
        if (options.kind == Options::Kind::kS3) return Validate(options.s3).WithContext("s3");
        if (options.directory.path.empty()) {
            return {Code::kInvalidArgument, config::kConfigInvalid, "directory.path is missing"};
        }
        return {};
    });
}

std::unique_ptr<FileStore> OpenStore(const Options& options, const Clock& clock) {
    return options.kind == Options::Kind::kS3 ? OpenS3Store(options.s3, clock)
                                              : OpenDirectoryStore(options.directory, clock);
}

}  // namespace kessai::filestore
