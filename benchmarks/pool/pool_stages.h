// The measurements of pool_bench at one size: the real programs work on a synthetic pool behind `git daemon`, in fresh
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
    std::string cultivar;  // path of the program
    std::string folder;    // must be empty; everything is made here
    bool peer = false;     // measures Optuna's journal storage too
    double limit_s = 600;  // per command
};

class PoolStages {
public:
    PoolStages(StageOptions options, const PoolShape& shape) : options_(std::move(options)), shape_(shape) {}

    // Errors: the pool could not be made or served. A failing command gives a figure with a problem instead.
    Result<SizeReport> run();

private:
    using Words = std::vector<std::string>;
    // Takes `times` samples of a command. Before each it runs `prepare`, if given, without measuring it.
    void repeat(const std::string& name, int times, const std::function<Words(int)>& command,
                const std::function<Result<void>(int)>& prepare = {});
    TimedSample sample(const Words& words);
    Words cultivar(Words words) const;
    Words git_fetch() const;
    Words own_step(Words words) const;  // a step of benchmarks/pool/bench_steps.h
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
