// A tiny pool for tests: a space with every kind of gene, a task with data, records with consistent figures, and clones
// around a bare repository, made with real git in a temporary folder.
#pragma once

#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "pool/types/candidate.h"
#include "pool/types/record.h"
#include "pool/types/task.h"
#include "tests/eval/support/temp_folder.h"

namespace cultivar {

// Returns the value; fails the test with the error's message if there is none.
template <typename T>
T must(Result<T> result) {
    if (!result) throw std::runtime_error("an error where none was expected: " + result.error().message);
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

// Returns the error; fails the test if there is none.
template <typename T>
Error trouble(const Result<T>& result) {
    if (result) throw std::runtime_error("no error where one was expected");
    return result.error();
}

inline Value whole(std::int64_t value) { return value; }
inline Value word(std::string value) { return value; }

// model.layers (1..32), model.width (multiples of 8), model.heads (levels), model.mlp (choice), model.tied (boolean),
// model.unique (1..32, only with model.tied), optim.lr (log), optim.bias; width is a multiple of 2 heads, unique <=
// layers.
std::vector<Gene> tiny_genes();
std::vector<Constraint> tiny_constraints();
Space tiny_space();
// A task of kind command without a surface, which a test appends.
inline constexpr const char* kCommandTask = R"(format = 2
name = "mine"
created = "2026-11-21T03:40:00Z"
[task]
kind = "command"
metric = "accuracy"
[command]
run = ["sh", "files/run.sh"]
[gene.x]
type = "real"
default = 0.0
range = [-10.0, 10.0]
)";

Task tiny_task();  // with data: 65,536 targets for 160,000 bytes

inline const std::string kTaskId(64, '7');
Candidate candidate_of(const Genes& changes);  // in tiny_space() and kTaskId

// Returns a scored run that passes the record checks; its figures follow from val_loss.
Run scored_run(const Task& task, const std::string& writer, const Genes& changes, double val_loss, int replicate = 0);

// Returns the output of a shell command; throws if it fails.
std::string shell(const std::string& command);
inline std::string git(const std::string& folder, const std::string& words) {
    return shell("git -C '" + folder + "' " + words);
}

}  // namespace cultivar
