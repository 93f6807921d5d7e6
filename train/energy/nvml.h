// The energy counters of NVIDIA's GPUs, by NVIDIA's management library (NVML), which is loaded at run time where there is
// one. A GPU older than Volta has no counter: its power is read instead, with twice the error.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "train/energy/energy_source.h"
#include "train/energy/visible_gpus.h"

namespace cultivar {

class Nvml {
public:
    // None: there is no such library, or it cannot start; `why` then says so in one line.
    static std::shared_ptr<Nvml> load(const std::string& library, std::string& why);
    Nvml(const Nvml&) = delete;
    Nvml& operator=(const Nvml&) = delete;
    ~Nvml();

    // In the order of NVML, which is that of their PCI addresses.
    std::vector<Gpu> gpus() const;

    std::optional<std::uint64_t> energy_mj(const std::string& uuid) const;
    std::optional<double> watts(const std::string& uuid) const;
    // The processes that compute on it, by the numbers that this machine knows them by. None: it does not tell.
    std::optional<std::vector<pid_t>> users(const std::string& uuid) const;

private:
    struct Functions;
    explicit Nvml(std::unique_ptr<Functions> functions);
    std::unique_ptr<Functions> functions_;
};

std::shared_ptr<EnergySource> nvidia_gpu_source(const std::shared_ptr<Nvml>& nvml, const Gpu& gpu);

}  // namespace cultivar
