// A category: a group of runs with scores that compare. Its name is its identity, and pools may use names of their own.
// The names that this program gives tell the device, the budget and the floor of the machine's speed: "cpu-600s-e11",
// "cuda-20s-e12.5"; "cpu-600s" in a pool of kind "command". Where several runs shared a machine, they tell the threads of
// each: "cpu-600s-e10.5-t4", "cpu-600s-t4".
#pragma once

#include <optional>
#include <string>

namespace cultivar {

struct Category {
    std::string name{};
    std::string device{};                  // "cpu", "cuda", "mps"; "": the name does not tell
    std::optional<double> budget_s{};      // none: the name does not tell
    std::optional<double> speed_decade{};  // log10 of FLOP/s, floored to half a decade; none: the name does not tell
    std::optional<int> threads{};          // of a run that shared its machine; none: the name does not tell
};

// Any text is a category's name; a name of another form has no further fields.
Category category_named(const std::string& name);

// Does the name tell a budget, a speed or threads in another spelling than this program's ("cpu-1.0s-e10" for "cpu-1s-e10")? Such
// a name would be a second category of the same meaning.
bool is_misspelt(const Category& category);

// The budget that its runs have: the one that the name tells, else the pool's.
double budget_of(const Category& category, double pool_budget_s);

// Was it measured on another kind of device than `device`? A category that does not tell its device may be of any.
bool is_of_another_device(const Category& category, const std::string& device);

}  // namespace cultivar
