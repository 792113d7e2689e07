#include "app/file_rows.h"

#include <deque>

#include "app/row_codec.h"
#include "domain/file_sources.h"
#include "kessai/result/check.h"

namespace kessai::reconciliation::app {
namespace {

const filetemplate::Schema& SchemaOf(const std::string& source) {
    for (const filetemplate::Schema& schema : FileSources()) {
        if (schema.source == source) return schema;
    }
    CheckFailed("a query's source is one of ours", source, __FILE__, __LINE__);
}

class ValueUnpacker final : public RowUnpacker {
 public:
    explicit ValueUnpacker(const FileQuery& query) : codec_(SchemaOf(query.source), query.fields) {}
    Result<filetemplate::Row> Unpack(const PackedRow& row) override {
        return codec_.Read(row.bytes);
    }

 private:
    RowCodec codec_;
};

}  // namespace

Status FileRows::ReadPacked(const FileQuery& query, std::span<const TakePacked> takes) {
    const RowCodec codec(SchemaOf(query.source), query.fields);
    std::deque<std::string> bytes;
    std::vector<Take> packing;
    for (const TakePacked& take : takes) {
        packing.push_back([&codec, &take, &packed = bytes.emplace_back()](const FileRow& row) {
            packed.clear();
            codec.Append(row.values, packed);
            return take({row.merchant, row.accepted_us, row.id, row.step, packed});
        });
    }
    return Read(query, packing);
}

std::unique_ptr<RowUnpacker> FileRows::UnpackerOf(const FileQuery& query) {
    return std::make_unique<ValueUnpacker>(query);
}

}  // namespace kessai::reconciliation::app
