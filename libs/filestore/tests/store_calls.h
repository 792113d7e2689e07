#pragma once

#include <gmock/gmock.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "kessai/filestore/file_store.h"
#include "sha256_sum.h"

namespace kessai::filestore {

/// Bytes without a pattern, the same for the same seed.
inline std::string Noise(std::size_t bytes, unsigned seed = 1) {
    std::mt19937 random(seed);
    std::string noise(bytes, '\0');
    for (char& byte : noise) byte = static_cast<char>(random());
    return noise;
}

/// The whole way of a file into a store, in pieces of `piece` bytes.
inline Status Put(FileStore& store, const std::string& key, std::string_view content,
                  std::size_t piece = 1'000'003) {
    KESSAI_ASSIGN_OR_RETURN(const auto writer, store.Create(key));
    for (std::size_t at = 0; at < content.size(); at += piece) {
        KESSAI_RETURN_IF_ERROR(writer->Write(content.substr(at, piece)));
    }
    return writer->Commit(Sha256Sum::Of(content), content.size());
}

/// And out of it again.
inline Result<std::string> Get(FileStore& store, const std::string& key, std::uint64_t offset = 0,
                               std::size_t piece = 77'777) {
    KESSAI_ASSIGN_OR_RETURN(const auto reader, store.Open(key, offset));
    std::string content, buffer(piece, '\0');
    while (true) {
        KESSAI_ASSIGN_OR_RETURN(const std::size_t count, reader->Read(buffer));
        if (count == 0) return content;
        content.append(buffer, 0, count);
    }
}

/// The keys of all files below `folder`, sorted.
inline Result<std::vector<std::string>> KeysBelow(FileStore& store, const std::string& folder) {
    std::vector<std::string> keys;
    KESSAI_RETURN_IF_ERROR(store.List(folder, [&](const FileInfo& file) -> Status {
        keys.push_back(file.key);
        return OkStatus();
    }));
    std::sort(keys.begin(), keys.end());
    return keys;
}

/// Of what Get gave. Shows no content: that would be a screenful.
MATCHER_P(Gives, content, "gives the content that was put") {
    const Result<std::string>& got = arg;
    if (!got.ok()) {
        *result_listener << "it is " << got.status().ToString();
        return false;
    }
    *result_listener << "it is " << got->size() << " bytes";
    return *got == content;
}

}  // namespace kessai::filestore
