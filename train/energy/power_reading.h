// Energy from readings of watts: between two readings the mean of both is taken.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "train/energy/energy_source.h"

namespace cultivar {

class PowerReading : public EnergySource {
public:
    using EnergySource::EnergySource;

    void begin() final { last_watts_ = watts(); }
    std::optional<double> take(double seconds) final {
        const std::optional<double> before = std::exchange(last_watts_, watts());
        if (!before || !last_watts_) return std::nullopt;
        return (*before + *last_watts_) / 2 * seconds;
    }

protected:
    virtual std::optional<double> watts() = 0;

private:
    std::optional<double> last_watts_;
};

// The batteries of the machine (power_now, or current_now x voltage_now) while they discharge. On mains they tell nothing.
// Batteries of devices, such as a mouse, are none.
std::vector<std::string> battery_folders(const std::string& power_supply);
std::shared_ptr<EnergySource> battery_source(const std::vector<std::string>& folders);

// AMD's GPUs in the order of their PCI addresses: the folders of hwmon that have a power reading (power1_average or
// power1_input).
std::vector<std::string> amd_gpu_folders(const std::string& hwmon);
std::shared_ptr<EnergySource> amd_gpu_source(const std::string& folder);

}  // namespace cultivar
