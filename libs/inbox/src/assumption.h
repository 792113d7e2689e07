#pragma once

#include <algorithm>

namespace kessai::inbox {

/// Whether the next batch of a partition may take its events for new without looking
/// (Handler::RefusesRepeats). A batch that could not costs a second run; so that a topic which is
/// read from far behind, or whose events are often known, does not run everything twice, some
/// batches look up first after that: twice as many each time, half as many when one was all new.
class Assumption {
 public:
    static constexpr int kLookUpsFirst = 4;
    static constexpr int kLookUpsMax = 256;

    bool Holds() const { return look_ups_left_ == 0; }

    /// A batch that was taken for new was refused, which may be because it was not.
    void OnRefused() {
        look_ups_left_ = look_ups_next_;
        look_ups_next_ = std::min(2 * look_ups_next_, kLookUpsMax);
    }
    /// Its transaction failed, which says nothing of its events. It looks up when it comes again.
    void OnInterrupted() { look_ups_left_ = 1; }
    /// A batch was committed that had been taken for new, or not.
    void OnCommitted(bool assumed_new) {
        if (assumed_new) {
            look_ups_next_ = std::max(look_ups_next_ / 2, kLookUpsFirst);
        } else if (look_ups_left_ > 0) {
            --look_ups_left_;
        }
    }

 private:
    int look_ups_left_ = 0;
    int look_ups_next_ = kLookUpsFirst;
};

}  // namespace kessai::inbox
