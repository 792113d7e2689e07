// write_random_files SEED COUNT DIRECTORY: files of random templates, and in expected.json how they
// are to be read and what is in them; for read_random_files.py.
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <string>

#include "kessai/filetemplate/writer.h"
#include "orders.h"
#include "random_template.h"

namespace kessai::filetemplate {
namespace {

std::string Hex(const std::array<std::uint8_t, 32>& bytes) {
    std::string text;
    for (const std::uint8_t byte : bytes) {
        text += "0123456789abcdef"[byte >> 4];
        text += "0123456789abcdef"[byte & 0xF];
    }
    return text;
}

nlohmann::json Write(const RandomTemplate& made, const std::string& directory, int round) {
    const auto parsed = Template::Parse(made.yaml, {{Orders()}});
    KESSAI_CHECK(parsed.ok(), parsed.status().ToString() + "\n" + made.yaml);
    KeepingSink sink;
    Writer writer(*parsed, SomeContext(), sink);
    for (const auto& row : made.rows) {
        const Status status = writer.Append(row);
        KESSAI_CHECK(status.ok(), status.ToString() + "\n" + made.yaml);
    }
    const Status status = writer.Finish();
    KESSAI_CHECK(status.ok(), status.ToString());
    nlohmann::json files = nlohmann::json::array();
    for (const KeepingSink::Kept& file : sink.files) {
        const std::string path = directory + "/" + std::to_string(round) + "_" + file.name;
        std::ofstream(path, std::ios::binary) << file.bytes;
        files.push_back({{"path", path},
                         {"name", file.name},
                         {"rows", file.file.rows},
                         {"text_bytes", file.file.text_bytes},
                         {"sha256", Hex(file.file.sha256)}});
    }
    return {{"template", made.yaml},
            {"encoding", made.encoding},
            {"delimiter", made.delimiter},
            {"has_quotes", made.has_quotes},
            {"line_end", made.line_end},
            {"compression", made.compression},
            {"widths", made.widths},
            {"names", made.has_names ? made.names : std::vector<std::string>()},
            {"has_trailer", made.has_trailer},
            {"rows", made.expected},
            {"amounts", made.amounts},
            {"files", files}};
}

}  // namespace
}  // namespace kessai::filetemplate

int main(int argc, char** argv) {
    using namespace kessai::filetemplate;  // NOLINT
    if (argc != 4) return 2;
    std::mt19937 random(static_cast<unsigned>(std::strtoul(argv[1], nullptr, 10)));
    const std::string directory = argv[3];
    nlohmann::json all = nlohmann::json::array();
    for (int round = 0; round < std::atoi(argv[2]); ++round) {
        all.push_back(Write(MakeRandomTemplate(random), directory, round));
    }
    std::ofstream(directory + "/expected.json") << all.dump();
    return 0;
}
