// A search space in words: as a table, one gene in full, as the source of the manual page cultivar-genes(7).
// All from the same genes; no name of a gene stands in the code here.
#pragma once

#include <string>
#include <vector>

#include "cli/app/terminal.h"
#include "cli/format/space_json.h"
#include "pool/types/search_space.h"

namespace cultivar {

// The part of the trainer that a gene belongs to: its name up to the first dot.
std::string part_of(const Gene& gene);

// When a gene is active: "model.sharing != none", "optim.method = muon"; "" for always.
std::string condition_text(const Space& space, const Gene& gene);

// "model.width is a multiple of 2 x model.heads".
std::string constraint_text(const Constraint& constraint);

// A table for each part, in order of declaration, then the constraints that hold among `genes`.
std::string space_table(const Ui& ui, const Space& space, const std::vector<const Gene*>& genes);

// Everything that is known about one gene, one line for each thing.
std::string gene_in_full(const Ui& ui, const Space& space, const Gene& gene);

// The page's source in scdoc's format.
std::string genes_page(const Space& space);

}  // namespace cultivar
