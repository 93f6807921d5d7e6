#include "train/energy/nvml.h"

#include <dlfcn.h>

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "pool/types/energy.h"
#include "pool/util/text.h"
#include "train/energy/power_reading.h"
#include "train/energy/rising_counter.h"

namespace cultivar {
namespace {

using NvmlDevice = void*;  // nvmlDevice_t

// nvmlProcessInfo_t of the functions that end in _v3.
struct NvmlProcess {
    unsigned pid = 0;
    unsigned long long used_bytes = 0;
    unsigned gpu_instance = 0, compute_instance = 0;
};

constexpr unsigned kMostGpus = 256, kMostGpuProcesses = 4096;
constexpr double kMillijoule = 1e-3, kMilliwatt = 1e-3, kErrorOfReadings = 0.1;

class NvmlCounter final : public EnergySource {
public:
    NvmlCounter(std::shared_ptr<Nvml> nvml, const Gpu& gpu)
        : EnergySource("nvml:" + gpu.uuid, "gpu", "nvml", error_of("nvml")), nvml_(std::move(nvml)), uuid_(gpu.uuid) {}

    void begin() override { counter_.begin(nvml_->energy_mj(uuid_)); }
    std::optional<double> take(double seconds) override {
        const auto joules = counter_.advance(nvml_->energy_mj(uuid_), seconds);
        joules ? go_well() : fail(fmt::format("the energy counter of GPU {} cannot be read any more", clean(uuid_)));
        return joules;
    }

private:
    std::shared_ptr<Nvml> nvml_;
    std::string uuid_;
    RisingCounter counter_{kMillijoule, 0};
};

class NvmlPower final : public PowerReading {
public:
    NvmlPower(std::shared_ptr<Nvml> nvml, const Gpu& gpu)
        : PowerReading("nvml:" + gpu.uuid, "gpu", "nvml", kErrorOfReadings), nvml_(std::move(nvml)), uuid_(gpu.uuid) {}

private:
    std::optional<double> watts() override {
        const auto now = nvml_->watts(uuid_);
        now ? go_well() : fail(fmt::format("the power of GPU {} cannot be read any more", clean(uuid_)));
        return now;
    }

    std::shared_ptr<Nvml> nvml_;
    std::string uuid_;
};

template <typename Function>
bool find(void* library, const char* name, Function*& function) {
    function = reinterpret_cast<Function*>(::dlsym(library, name));
    return function != nullptr;
}

}  // namespace

// Names and signatures are those of NVML's public interface; 0 means success.
struct Nvml::Functions {
    void* library = nullptr;
    int (*init)() = nullptr;
    int (*shutdown)() = nullptr;
    int (*count)(unsigned*) = nullptr;
    int (*by_index)(unsigned, NvmlDevice*) = nullptr;
    int (*by_uuid)(const char*, NvmlDevice*) = nullptr;
    int (*uuid)(NvmlDevice, char*, unsigned) = nullptr;
    int (*device_name)(NvmlDevice, char*, unsigned) = nullptr;
    int (*energy)(NvmlDevice, unsigned long long*) = nullptr;
    int (*power)(NvmlDevice, unsigned*) = nullptr;
    int (*processes)(NvmlDevice, unsigned*, NvmlProcess*) = nullptr;  // drivers before 510 lack it

    bool find_all() {
        find(library, "nvmlDeviceGetComputeRunningProcesses_v3", processes);
        return find(library, "nvmlInit_v2", init) && find(library, "nvmlShutdown", shutdown) &&
               find(library, "nvmlDeviceGetCount_v2", count) &&
               find(library, "nvmlDeviceGetHandleByIndex_v2", by_index) &&
               find(library, "nvmlDeviceGetHandleByUUID", by_uuid) && find(library, "nvmlDeviceGetUUID", uuid) &&
               find(library, "nvmlDeviceGetName", device_name) &&
               find(library, "nvmlDeviceGetTotalEnergyConsumption", energy) &&
               find(library, "nvmlDeviceGetPowerUsage", power);
    }
};

Nvml::Nvml(std::unique_ptr<Functions> functions) : functions_(std::move(functions)) {}

Nvml::~Nvml() {
    functions_->shutdown();
    ::dlclose(functions_->library);
}

std::shared_ptr<Nvml> Nvml::load(const std::string& library, std::string& why) {
    auto functions = std::make_unique<Functions>();
    functions->library = ::dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!functions->library) return why = fmt::format("there is no '{}'", library), nullptr;
    const bool complete = functions->find_all();
    const int trouble = complete ? functions->init() : 0;
    if (complete && trouble == 0) return std::shared_ptr<Nvml>(new Nvml(std::move(functions)));
    why = complete ? fmt::format("'{}' cannot start (NVML error {})", library, trouble)
                   : fmt::format("'{}' lacks a function that is needed", library);
    ::dlclose(functions->library);
    return nullptr;
}

std::vector<Gpu> Nvml::gpus() const {
    std::vector<Gpu> found;
    unsigned count = 0;
    if (functions_->count(&count) != 0 || count > kMostGpus) return found;
    for (unsigned i = 0; i < count; ++i) {
        NvmlDevice device = nullptr;
        std::array<char, 128> uuid{}, name{};
        if (functions_->by_index(i, &device) != 0) continue;
        if (functions_->uuid(device, uuid.data(), uuid.size() - 1) != 0) continue;
        if (functions_->device_name(device, name.data(), name.size() - 1) != 0) name[0] = '\0';
        found.push_back({static_cast<int>(i), uuid.data(), name.data()});
    }
    return found;
}

std::optional<std::uint64_t> Nvml::energy_mj(const std::string& uuid) const {
    NvmlDevice device = nullptr;
    unsigned long long millijoules = 0;
    const bool known = functions_->by_uuid(uuid.c_str(), &device) == 0 && functions_->energy(device, &millijoules) == 0;
    return known ? std::optional<std::uint64_t>(millijoules) : std::nullopt;
}

std::optional<double> Nvml::watts(const std::string& uuid) const {
    NvmlDevice device = nullptr;
    unsigned milliwatts = 0;
    const bool known = functions_->by_uuid(uuid.c_str(), &device) == 0 && functions_->power(device, &milliwatts) == 0;
    return known ? std::optional(milliwatts * kMilliwatt) : std::nullopt;
}

std::optional<std::vector<pid_t>> Nvml::users(const std::string& uuid) const {
    NvmlDevice device = nullptr;
    unsigned count = kMostGpuProcesses;
    std::vector<NvmlProcess> processes(count);
    const bool known = functions_->processes && functions_->by_uuid(uuid.c_str(), &device) == 0 &&
                       functions_->processes(device, &count, processes.data()) == 0;
    if (!known) return std::nullopt;
    std::vector<pid_t> users;
    for (unsigned i = 0; i < std::min(count, kMostGpuProcesses); ++i)
        users.push_back(static_cast<pid_t>(processes[i].pid));
    return users;
}

std::shared_ptr<EnergySource> nvidia_gpu_source(const std::shared_ptr<Nvml>& nvml, const Gpu& gpu) {
    if (nvml->energy_mj(gpu.uuid)) return std::make_shared<NvmlCounter>(nvml, gpu);
    if (nvml->watts(gpu.uuid)) return std::make_shared<NvmlPower>(nvml, gpu);
    return nullptr;
}

}  // namespace cultivar
