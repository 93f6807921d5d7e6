// Genes and the search space: the values that a candidate may have, and their meaning.
//
// A gene is one named, typed entry of the search space. Within a pool a gene's name, type and default never change; its
// range may widen, and a new gene may come with the old behaviour as its default. Everything here is a value: no I/O.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pool/types/assignment.h"
#include "pool/util/result.h"

namespace cultivar {

class Surface;  // pool/types/surface.h

// Limits on a space that is read: those who only look at a pool pay for its size too.
inline constexpr std::size_t kMaxGenes = 500, kMaxConstraints = 500;
inline constexpr std::size_t kMaxGeneValues = 1000;   // choices, levels, or values of a condition
inline constexpr std::size_t kMaxChoice_bytes = 256;  // of one choice
inline constexpr std::size_t kMaxConditions = 16;     // each on a gene that has one itself

enum class GeneType { integer, real, boolean, choice };
std::string_view name(GeneType type);

struct Condition {
    std::string gene;           // an earlier gene that is itself always or conditionally active
    std::vector<Value> values;  // active when that gene is active and has one of these
};

struct Gene {
    std::string name;  // [a-z0-9_]+(\.[a-z0-9_]+)*, at most 64 bytes; not below another gene's name, nor below `files`
    GeneType type = GeneType::real;
    Value default_value;
    double low = 0, high = 0;          // included; integer and real only
    bool log_scale = false;            // searched in log space; low > 0
    std::int64_t multiple_of = 1;      // integer only: values are multiples of this
    std::vector<std::int64_t> levels;  // integer only: if not empty, the only values allowed, ascending
    std::vector<std::string> choices;  // choice only, in order of declaration
    std::optional<Condition> when;     // absent: always active
    std::string help;                  // one line
    std::string unit;                  // "steps": steps of the run; "" for a pure number
    std::int64_t since = 0;            // 0: there at `init`; else the number of the widening that brought it
    bool structural = false;           // changes the model's shape: `switch` moves it rather than `tune`

    // The value as this gene has it (an integer for a real gene becomes real), or a usage error that names the gene
    // and its range.
    Result<Value> accept(const Value& value) const;
    // "1..32", "8..512 in steps of 8 (log)", "64..4096 doubling", "4, 5, 6, 8", "0.0001..1.0 (log)", "relu2, gelu".
    std::string range_text() const;
};

// left = factor * right * whole number ("multiple"), or left <= right ("at_most"). Checked when both genes are active;
// an inactive gene never violates anything.
struct Constraint {
    enum class Kind { multiple, at_most } kind = Kind::multiple;
    std::string left, right;
    std::int64_t factor = 1;
};

class Space {
public:
    // Checks names, defaults, conditions and constraints. Errors: usage.
    static Result<Space> make(std::vector<Gene> genes, std::vector<Constraint> constraints);

    const std::vector<Gene>& genes() const { return genes_; }  // in order of declaration; conditions point back
    const std::vector<Constraint>& constraints() const { return constraints_; }
    const Gene* find(std::string_view name) const;  // null: no such gene

    const Genes& defaults() const { return defaults_; }
    // That there is no such gene, with the nearest names.
    Error unknown(std::string_view name) const;
    // Every gene with its value: `changes` over the defaults. Unknown genes and values out of range are usage errors.
    Result<Genes> complete(const Genes& changes) const;
    // Is this gene active in a complete assignment?
    bool active(const Gene& gene, const Genes& complete) const;
    // The content of a candidate file: active genes that differ from their defaults.
    Genes minimal(const Genes& complete) const;
    const Constraint* violated(const Genes& complete) const;  // the first that does not hold, or null
    // Errors: usage, naming the first constraint that does not hold.
    Result<void> check(const Genes& complete) const;

    // Which source files a candidate may bring besides; null: none.
    const Surface* surface() const { return surface_.get(); }
    void set_surface(std::shared_ptr<const Surface> surface) { surface_ = std::move(surface); }

private:
    std::vector<Gene> genes_;
    std::vector<Constraint> constraints_;
    std::map<std::string, std::size_t, std::less<>> by_name_;
    Genes defaults_;
    std::shared_ptr<const Surface> surface_;
};

}  // namespace cultivar
