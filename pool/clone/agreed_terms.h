// The terms on which this clone trains and verifies: the budget of a run, the share of verification, the noise and the
// rule for records. Maintainers may change them on main; a clone works by the new ones once its user agreed. They are
// kept in <state>/terms. A clone that agreed before a term was kept there agrees to that one as it finds it.
#pragma once

#include <string>
#include <vector>

#include "pool/clone/clone.h"

namespace cultivar {

// The changes since the user last agreed, a sentence each; none where nobody was asked yet: a new clone agrees to what it
// finds. Errors: io.
Result<std::vector<std::string>> terms_to_agree(const Clone& clone);
// Agrees to the terms as they stand on main. Errors: io.
Result<void> agree_to_terms(const Clone& clone);
enum class RunBudget { of_pool, own };
// Fails while there is something to agree to. Whoever changed main in this clone agrees by that, and whoever names a budget
// of his own needs not agree to the pool's. Errors: not_found (hint: cultivar trust), io.
Result<void> check_terms(const Clone& clone, RunBudget budget = RunBudget::of_pool);
// Agrees if nothing was agreed to yet: from now on, changes are noticed. Errors: io.
Result<void> note_terms(const Clone& clone);

}  // namespace cultivar
