#include "train/energy/rapl.h"

#include <fmt/format.h>

#include "pool/types/energy.h"
#include "train/energy/rising_counter.h"
#include "train/energy/system_file.h"

namespace cultivar {
namespace {

constexpr double kMicrojoule = 1e-6;

class RaplSource final : public EnergySource {
public:
    RaplSource(const RaplZone& zone, const std::string& domain, std::uint64_t range)
        : EnergySource("rapl:" + zone.name + "@" + zone.folder.substr(zone.folder.rfind('/') + 1), domain, "rapl",
                       error_of("rapl")),
          path_(zone.folder + "/energy_uj"),
          counter_(kMicrojoule, range) {}

    void begin() override { counter_.begin(system_number(path_)); }
    std::optional<double> take(double seconds) override {
        const auto joules = counter_.advance(system_number(path_), seconds);
        joules ? go_well() : fail(fmt::format("'{}' cannot be read any more", path_));
        return joules;
    }

private:
    std::string path_;
    RisingCounter counter_;
};

}  // namespace

std::vector<RaplZone> rapl_zones(const std::string& powercap) {
    std::vector<RaplZone> zones;
    for (const std::string& name : names_in(powercap)) {
        if (!name.starts_with("intel-rapl:")) continue;
        RaplZone zone{powercap + "/" + name, read_system_file(powercap + "/" + name + "/name").text};
        if (!zone.name.starts_with("package") && zone.name != "dram") continue;
        zone.forbidden = read_system_file(zone.folder + "/energy_uj").state == SystemFile::State::forbidden;
        zones.push_back(std::move(zone));
    }
    return zones;
}

std::vector<std::shared_ptr<EnergySource>> rapl_sources(const std::vector<RaplZone>& zones) {
    std::vector<std::shared_ptr<EnergySource>> sources;
    for (const RaplZone& zone : zones) {
        const auto range = system_number(zone.folder + "/max_energy_range_uj");
        if (!range || !system_number(zone.folder + "/energy_uj")) continue;
        sources.push_back(std::make_shared<RaplSource>(zone, zone.name == "dram" ? "dram" : "cpu", *range));
    }
    return sources;
}

}  // namespace cultivar
