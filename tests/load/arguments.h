#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kessai/result/result.h"

namespace kessai::load {

/// A program's command line: `--name value`, `--name=value`, and words. Each is taken by name, with
/// its default; what nobody took is refused at the end, by name.
class Arguments {
 public:
    Arguments(int count, const char* const* values);
    explicit Arguments(std::vector<std::string> values) : values_(std::move(values)) {}

    bool Flag(std::string_view name);
    std::string Text(std::string_view name, std::string_view otherwise = {});
    /// Every value of an option that may be given several times.
    std::vector<std::string> Texts(std::string_view name);
    std::int64_t Integer(std::string_view name, std::int64_t otherwise, std::int64_t min,
                         std::int64_t max);
    double Real(std::string_view name, double otherwise, double min, double max);
    /// Comma separated.
    std::vector<double> Reals(std::string_view name, double min, double max);
    /// The first word that is no option; empty when there is none.
    std::string Word();

    /// INVALID_ARGUMENT ARGUMENT_INVALID: the first thing that was wrong, or was not taken.
    Status Finish() const;

 private:
    bool Take(std::string_view name, std::string& value);
    double ParseReal(std::string_view name, std::string_view text, double min, double max);
    void Refuse(const std::string& why);

    std::vector<std::string> values_;
    Status status_;
};

}  // namespace kessai::load
