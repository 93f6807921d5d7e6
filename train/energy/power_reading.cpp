#include "train/energy/power_reading.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "pool/types/energy.h"
#include "train/energy/system_file.h"

namespace cultivar {
namespace {

constexpr double kMicro = 1e-6;

// Current is below 0 while some batteries discharge.
std::optional<double> size_of_reading(const std::string& path) {
    const SystemFile file = read_system_file(path);
    const std::string text = file.text.substr(file.text.compare(0, 1, "-") == 0 ? 1 : 0);
    const bool is_number =
        !text.empty() && text.size() < 16 && text.find_first_not_of("0123456789") == std::string::npos;
    return is_number ? std::optional(std::stod(text)) : std::nullopt;
}

std::optional<double> battery_watts(const std::string& folder) {
    if (const auto microwatts = size_of_reading(folder + "/power_now")) return *microwatts * kMicro;
    const auto microamperes = size_of_reading(folder + "/current_now");
    const auto microvolts = size_of_reading(folder + "/voltage_now");
    if (!microamperes || !microvolts) return std::nullopt;
    return *microamperes * kMicro * *microvolts * kMicro;
}

class BatterySource final : public PowerReading {
public:
    explicit BatterySource(std::vector<std::string> folders)
        : PowerReading("battery", "machine", "battery", error_of("battery")), folders_(std::move(folders)) {}

private:
    std::optional<double> watts() override {
        std::optional<double> sum;
        for (const std::string& folder : folders_) {
            if (read_system_file(folder + "/status").text != "Discharging") continue;
            if (const auto one = battery_watts(folder)) sum = sum.value_or(0) + *one;
        }
        return sum;
    }

    std::vector<std::string> folders_;
};

std::string gpu_power_file(const std::string& folder) {
    for (const char* name : {"/power1_average", "/power1_input"}) {
        if (system_number(folder + name)) return folder + name;
    }
    return {};
}

// The address of its PCI device, which does not change as the number of a hwmon folder may.
std::string pci_address(const std::string& folder) {
    std::error_code error;
    const auto device = std::filesystem::canonical(folder + "/device", error);
    return error ? folder.substr(folder.rfind('/') + 1) : device.filename().string();
}

class AmdGpuSource final : public PowerReading {
public:
    explicit AmdGpuSource(const std::string& folder)
        : PowerReading("hwmon:" + pci_address(folder), "gpu", "hwmon", error_of("hwmon")),
          path_(gpu_power_file(folder)) {}

private:
    std::optional<double> watts() override {
        const auto microwatts = system_number(path_);
        microwatts ? go_well() : fail(fmt::format("'{}' cannot be read any more", path_));
        return microwatts ? std::optional(static_cast<double>(*microwatts) * kMicro) : std::nullopt;
    }

    std::string path_;
};

}  // namespace

std::vector<std::string> battery_folders(const std::string& power_supply) {
    std::vector<std::string> folders;
    for (const std::string& name : names_in(power_supply)) {
        const std::string folder = power_supply + "/" + name;
        const bool of_device = read_system_file(folder + "/scope").text == "Device";
        const bool is_battery = read_system_file(folder + "/type").text == "Battery" && !of_device;
        if (is_battery && battery_watts(folder)) folders.push_back(folder);
    }
    return folders;
}

std::shared_ptr<EnergySource> battery_source(const std::vector<std::string>& folders) {
    return std::make_shared<BatterySource>(folders);
}

std::vector<std::string> amd_gpu_folders(const std::string& hwmon) {
    std::vector<std::string> folders;
    for (const std::string& name : names_in(hwmon)) {
        const std::string folder = hwmon + "/" + name;
        if (read_system_file(folder + "/name").text == "amdgpu" && !gpu_power_file(folder).empty())
            folders.push_back(folder);
    }
    std::ranges::sort(folders, {}, pci_address);
    return folders;
}

std::shared_ptr<EnergySource> amd_gpu_source(const std::string& folder) {
    return std::make_shared<AmdGpuSource>(folder);
}

}  // namespace cultivar
