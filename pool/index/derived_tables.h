// Tables that follow from other tables: standings, retired candidates, original runs, totals.
#pragma once

#include "pool/index/index_database.h"

namespace cultivar {

// Derives standings anew for the candidates that something new concerns (table `dirty`, which it empties), and updates
// retirements and totals, so that a query costs the same in a pool of any size. Errors: io, busy.
Result<void> derive_tables(IndexDatabase& database);
// Records were taken back: the next derive_tables() counts all that are left.
Result<void> recount_totals(IndexDatabase& database);

}  // namespace cultivar
