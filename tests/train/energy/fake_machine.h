// Folders like those of /sys, with counters that a test sets.
#pragma once

#include <filesystem>
#include <string>

#include "tests/eval/support/temp_folder.h"
#include "train/energy/energy_plan.h"

namespace cultivar {

class FakeMachine {
public:
    FakeMachine() {
        for (const char* name : {"powercap", "hwmon", "power_supply"}) std::filesystem::create_directory(path(name));
        idle_ticks(0, 0);
    }

    EnergyPlaces places() const {
        EnergyPlaces places;
        places.powercap = path("powercap"), places.hwmon = path("hwmon");
        places.power_supply = path("power_supply"), places.proc_stat = path("stat");
        places.nvml = path("no-nvml.so"), places.state_folder = path("state");
        return places;
    }
    std::string path(const std::string& name) const { return folder_.file(name); }

    // A zone of powercap with its range, both in microjoules.
    void add_zone(const std::string& zone, const std::string& name, const std::string& range = "1000000000") {
        std::filesystem::create_directories(path("powercap/" + zone));
        folder_.write("powercap/" + zone + "/name", name + "\n");
        folder_.write("powercap/" + zone + "/max_energy_range_uj", range + "\n");
        set_zone(zone, "0");
    }
    void set_zone(const std::string& zone, const std::string& microjoules) {
        folder_.write("powercap/" + zone + "/energy_uj", microjoules + "\n");
    }
    void remove_zone(const std::string& zone) { std::filesystem::remove(path("powercap/" + zone + "/energy_uj")); }

    void set(const std::string& file, const std::string& text) {
        std::filesystem::create_directories(std::filesystem::path(path(file)).parent_path());
        folder_.write(file, text + "\n");
    }
    // The ticks of all processors since they started.
    void idle_ticks(int busy, int idle) {
        folder_.write("stat", "cpu " + std::to_string(busy) + " 0 0 " + std::to_string(idle) + " 0 0 0 0 0 0\n");
    }

private:
    TempFolder folder_;
};

}  // namespace cultivar
