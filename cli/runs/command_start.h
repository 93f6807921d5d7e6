// How a pool's own command starts: its words, environment, templates and files for one specification.
#pragma once

#include <string>
#include <vector>

#include "pool/types/placeholders.h"
#include "pool/types/trainer_command.h"
#include "train/protocol/protocol.h"

namespace cultivar {

struct CommandStart {
    std::vector<std::string> run, checks;  // the program by its path if it is a file of the pool; checks may be empty
    std::vector<std::string> variables;    // "NAME=value"
};

// The text of every placeholder. `files`: where files/ of the run lies, with a trailing '/'; the other folders of the task
// lie beside it.
Placeholders placeholders_of(const Specification& specification, const std::string& spec_path,
                             const std::string& files);

// Of format 2: fills words and environment in, and writes the templates into the specification's work folder, in which
// `files` and the folders of the surface become links to the run's files, unless they lie there. Errors: corrupt (a template that main lacks), io.
Result<CommandStart> prepare_command(const PoolCommand& command, const Specification& specification,
                                     const std::string& spec_path, const std::string& files);

// The evaluator's words, its program by its path if it is a file of the pool. {hold_out} is the specification's val_shard,
// or the validation file without one. Its folder gets the link `files` too. Errors: io.
Result<std::vector<std::string>> prepare_evaluator(const Evaluator& evaluator, const Specification& specification,
                                                   const std::string& spec_path, const std::string& files);

}  // namespace cultivar
