#pragma once

#include <cstddef>
#include <map>
#include <span>

#include "app/outside_books.h"
#include "domain/outside_record.h"
#include "kessai/result/result.h"

namespace kessai::reconciliation::app {

/// Use case: events say that money must move outside. Works in the caller's transaction.
///
/// An item is made once for its event's (object, version), however often the event comes. Gives, by
/// position in `items`, those whose event said something else before: ALREADY_EXISTS
/// EFFECT_CONFLICT; nothing is to be kept of the transaction then. ABORTED when another transaction
/// stored one of them since the look-up; ALREADY_EXISTS then if `assumed_new`, without a look-up.
Result<std::map<std::size_t, Status>> NoteExpected(OutsideBooks& books,
                                                   std::span<const domain::ExpectedItem> items,
                                                   bool assumed_new);

}  // namespace kessai::reconciliation::app
