#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "kessai/filetemplate/schema.h"

namespace kessai::filetemplate {

/// A template, rows, and what a reader has to find in its files: made at random, with a slow
/// interpreter of its own beside each expression.
struct RandomTemplate {
    std::string yaml;
    // How it is to be read:
    std::string encoding;  // utf-8, utf-8-bom, shift_jis
    std::string delimiter;
    bool has_quotes = true;
    std::string line_end;
    std::string compression;
    /// Of fixed length, by column; empty otherwise.
    std::vector<std::size_t> widths;
    bool has_names = false;
    bool has_trailer = false;

    std::vector<std::string> names;
    /// Texts that rows point to, and rows.
    std::vector<std::vector<Value>> rows;
    /// Of the rows that the filter lets through, each value as it is to be read.
    std::vector<std::vector<std::string>> expected;
    /// Of `amount` over these rows.
    std::vector<std::int64_t> amounts;
    std::vector<std::unique_ptr<std::string>> texts;
};

RandomTemplate MakeRandomTemplate(std::mt19937& random);

}  // namespace kessai::filetemplate
