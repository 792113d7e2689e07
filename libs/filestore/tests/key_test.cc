// Goal: a key can name nothing outside the store, and nothing that a store can't keep.
// Method: each rule with a key that breaks it alone, at its bound.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "kessai/filestore/file_store.h"
#include "kessai/testing/matchers.h"

namespace kessai::filestore {
namespace {

using testing::IsOk;
using testing::Refuses;

TEST(KeyTest, NamesOfFilesAreKeys) {
    for (const std::string& key :
         {std::string("a"), std::string("2026-11-30/123/transaction_123_v2.csv"),
          std::string("売上/二月 (訂正)+100%&x=1.csv"), std::string("a..b/c."),
          std::string(255, 'x') + "/" + std::string(255, 'y') + "/" + std::string(255, 'z') + "/" +
              std::string(132, 'w')}) {
        EXPECT_THAT(CheckKey(key), IsOk()) << key;
    }
}

TEST(KeyTest, WhatIsNoKeyIsRefused) {
    for (const std::string& key :
         {std::string(), std::string("/a"), std::string("a/"), std::string("a//b"),
          std::string("../a"), std::string("a/../b"), std::string("."), std::string(".new/x"),
          std::string("a/.hidden"), std::string("a\nb"), std::string("a\0b", 3),
          std::string("a\x7F"), std::string("a\xC2\x80"), std::string("a\\b"), std::string("a\xFF"),
          std::string("a\xE3\x81"), std::string(256, 'x'),
          std::string(255, 'x') + "/" + std::string(255, 'y') + "/" + std::string(255, 'z') + "/" +
              std::string(133, 'w')}) {
        EXPECT_THAT(CheckKey(key), Refuses(Code::kInvalidArgument, reason::kKeyInvalid)) << key;
    }
}

}  // namespace
}  // namespace kessai::filestore
