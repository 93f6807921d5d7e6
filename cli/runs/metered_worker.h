// A worker that is watched by a meter: it is polled while a job runs, and follows its processes.
#pragma once

#include "cli/runs/worker.h"
#include "train/energy/energy_meter.h"

namespace cultivar {

class MeteredWorker final : public Worker {
public:
    // It must outlive this. Without a meter the worker is as it was.
    explicit MeteredWorker(Worker& worker, EnergyMeter* meter = nullptr) : worker_(worker), meter_(meter) {}

    void use(EnergyMeter* meter) { meter_ = meter; }

    Result<std::vector<std::string>> check() const override { return worker_.check(); }
    Result<void> require_device(const std::string& device) const override { return worker_.require_device(device); }
    Result<std::string> digest() const override { return worker_.digest(); }
    Result<Outcome> run(const WorkerJob& job, const Listener& listener,
                        const std::function<bool()>& should_stop) override {
        WorkerJob watched = job;
        if (meter_) watched.began = [this](pid_t group) { meter_->follow(group); };
        return worker_.run(watched, listener, [&] {
            if (meter_) meter_->poll();
            return should_stop();
        });
    }

private:
    Worker& worker_;
    EnergyMeter* meter_;
};

}  // namespace cultivar
