// A machine and a grid that tests set: folders like /sys, /proc and /dev, an energy.toml with its series, and a clock.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "cli/schedule/run_gate.h"
#include "pool/util/utc_time.h"
#include "tests/eval/support/temp_folder.h"
#include "tests/train/support/fake_clock.h"

namespace cultivar {

inline constexpr std::int64_t kNewYear_s = 1'767'225'600;  // 2026-01-01T00:00:00Z

class WaitingMachine {
public:
    WaitingMachine() {
        clock.time_s = static_cast<double>(kNewYear_s);
        for (const char* name : {"supply", "hwmon", "thermal", "proc", "dev/pts", "sessions"})
            std::filesystem::create_directories(folder.file(name));
        ticks(0, 0);
    }

    MachinePlaces places() const {
        MachinePlaces places;
        places.power_supply = folder.file("supply"), places.hwmon = folder.file("hwmon");
        places.thermal = folder.file("thermal"), places.proc = folder.file("proc");
        places.dev = folder.file("dev"), places.sessions = folder.file("sessions");
        places.nvml = folder.file("no-nvml.so");
        places.idle_hint = [this](const std::string& session) -> std::optional<std::string> {
            const std::string answer = folder.read("hint-" + session);
            return answer.empty() ? std::nullopt : std::optional(answer);
        };
        places.self = 100;
        return places;
    }
    void set(const std::string& file, const std::string& text) const {
        std::filesystem::create_directories(std::filesystem::path(folder.file(file)).parent_path());
        folder.write(file, text + "\n");
    }
    // Somebody typed at this terminal so long ago.
    void typed(const std::string& terminal, std::int64_t ago_s) const {
        set("dev/" + terminal, "");
        const timespec at{clock.unix_s() - ago_s, 0};
        const timespec times[2] = {at, at};
        ::utimensat(AT_FDCWD, folder.file("dev/" + terminal).c_str(), times, 0);
    }
    void supply(const std::string& name, const std::string& type, const std::string& file,
                const std::string& text) const {
        set("supply/" + name + "/type", type);
        set("supply/" + name + "/" + file, text);
    }
    void ticks(int busy, int idle) const { set("proc/stat", fmt::format("cpu  {} 0 0 {} 0 0 0 0 0 0", busy, idle)); }
    void process(int pid, int parent, int ticks, const std::string& name = "sh") const {
        set(fmt::format("proc/{}/stat", pid),
            fmt::format("{} ({}) S {} 0 0 0 0 0 0 0 0 0 {} 0 0 0 20", pid, name, parent, ticks));
    }
    // Hours of carbon from the new year on, for zone DE; a negative one is a gap.
    void carbon(const std::vector<double>& hours) const {
        std::string entries;
        for (std::size_t i = 0; i < hours.size(); ++i) {
            const std::int64_t start_s = kNewYear_s + static_cast<std::int64_t>(i) * 3600;
            if (hours[i] >= 0)
                entries += fmt::format("{}{{\"start\":\"{}\",\"end\":\"{}\",\"value\":{}}}", entries.empty() ? "" : ",",
                                       utc_text(start_s), utc_text(start_s + 3600), hours[i]);
        }
        folder.write("de.json", "[" + entries + "]");
        folder.write("energy.toml",
                     "[[factor]]\nquantity = \"carbon\"\ngrid = \"average\"\nzone = \"DE\"\n"
                     "unit = \"g/kWh\"\nfile = \"de.json\"\nsource = \"a test\"\n");
    }
    std::string factor_file() const { return folder.file("energy.toml"); }

    TempFolder folder;
    FakeClock clock;
};

}  // namespace cultivar
