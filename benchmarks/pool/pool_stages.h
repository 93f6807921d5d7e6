// The measurements of pool_bench at one size: a synthetic pool behind `git daemon`, met by the real programs in fresh
// processes.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "benchmarks/pool/figures.h"
#include "benchmarks/pool/hosting.h"
#include "benchmarks/synthetic/pool.h"

namespace cultivar {

struct StageOptions {
    std::string cultivar;  // the program
    std::string folder;    // empty; everything is made here
    bool peer = false;     // Optuna's journal storage too
    double limit_s = 600;  // for each command
};

class PoolStages {
public:
    PoolStages(StageOptions options, const PoolShape& shape) : options_(std::move(options)), shape_(shape) {}

    // Errors: whatever keeps the pool from being made or served; a command that fails is a figure with a problem.
    Result<SizeReport> run();

private:
    using Words = std::vector<std::string>;
    // `times` samples of a command; before each, `prepare` if given, off the clock.
    void repeat(const std::string& name, int times, const std::function<Words(int)>& command,
                const std::function<Result<void>(int)>& prepare = {});
    TimedSample sample(const Words& words);
    Words cultivar(Words words) const;
    Words git_fetch() const;
    Words own_step(Words words) const;  // benchmarks/pool/bench_steps.h
    Result<void> forget_index() const;
    bool went_well() const { return !report_.figures.back().good().empty(); }

    Result<void> make_pool();
    void first_meeting();
    void later_meetings();
    void look();
    void work();
    Result<void> cross();
    void optuna();

    StageOptions options_;
    PoolShape shape_;
    std::string hub_, clone_, plain_;
    std::unique_ptr<Hosting> hosting_;
    SizeReport report_;
};

}  // namespace cultivar
