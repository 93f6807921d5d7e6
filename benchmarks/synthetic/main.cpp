// synthetic_pool writes a synthetic pool into a folder (benchmarks/synthetic/pool.h).
#include <cstdio>

#include <fmt/format.h>

#include "benchmarks/synthetic/options.h"
#include "benchmarks/synthetic/pool.h"
#include "pool/util/clock.h"

namespace {

constexpr const char* kUsage =
    "usage: synthetic_pool [--runs N] [--contributors N] [--crossover SHARE] [--seed N] DIR\n"
    "\n"
    "Writes a bare repository with a pool of N runs (1000) that never took place; contributors: one for each 100 "
    "runs,\n"
    "at least 10; SHARE of the kept candidates are crosses (0.2). The same options give the same repository.\n";

}  // namespace

int main(int argc, char** argv) {
    using namespace cultivar;
    PoolShape shape;
    auto rest = read_shape({argv + 1, argv + argc}, shape);
    if (!rest || rest->size() != 1 || rest->front().starts_with("-")) {
        std::fputs(kUsage, stderr);
        return 129;
    }
    const SystemClock clock;
    const double began_s = clock.now_s();
    auto made = make_synthetic_pool(rest->front(), shape);
    if (!made) {
        fmt::print(stderr, "synthetic_pool: {}\n", made.error().message);
        return 128;
    }
    fmt::print("{}\n", summary_json(shape, *made, clock.now_s() - began_s));
    return 0;
}
