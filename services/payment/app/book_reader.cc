#include "app/book_reader.h"

namespace kessai::payment::app {

Result<domain::TrialBalance> MovedBy(const std::vector<KindSum>& sums) {
    domain::TrialBalance moved;
    for (const KindSum& sum : sums) {
        domain::Change together;
        together.kind = sum.kind;
        together.amount = Yen(sum.amount);
        KESSAI_RETURN_IF_ERROR(moved.Add(domain::PostingsOf(together)));
    }
    return moved;
}

}  // namespace kessai::payment::app
