// Stands in for NVIDIA's management library: two Volta or later GPUs and an older one, with figures from the file that
// CULTIVAR_FAKE_NVML_STATE names: three millijoules and three milliwatts, or "dead" for a driver that does not start.
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

namespace {

constexpr unsigned kGpus = 3;
constexpr int kNotFound = 6, kNotSupported = 3, kNoDriver = 9;
const char* const kUuids[kGpus] = {"GPU-aaaa1111", "GPU-bbbb2222", "GPU-cccc3333"};
int gpus[kGpus] = {0, 1, 2};

struct FakeProcess {
    unsigned pid;
    unsigned long long used_bytes;
    unsigned gpu_instance, compute_instance;
};

std::string state_path() {
    const char* path = std::getenv("CULTIVAR_FAKE_NVML_STATE");
    return path ? path : "";
}

unsigned long long figure(unsigned place) {
    std::ifstream file(state_path());
    unsigned long long value = 0;
    for (unsigned i = 0; i <= place; ++i) file >> value;
    return file ? value : 0;
}

unsigned index_of(void* device) { return static_cast<unsigned>(*static_cast<int*>(device)); }

void put(const char* text, char* into, unsigned length) { std::strncpy(into, text, length); }

}  // namespace

extern "C" {

int nvmlInit_v2() {
    std::string word;
    std::ifstream(state_path()) >> word;
    return word == "dead" ? kNoDriver : 0;
}
int nvmlShutdown() { return 0; }
int nvmlDeviceGetCount_v2(unsigned* count) { return *count = kGpus, 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void** device) {
    if (index >= kGpus) return kNotFound;
    return *device = &gpus[index], 0;
}
int nvmlDeviceGetHandleByUUID(const char* uuid, void** device) {
    for (unsigned i = 0; i < kGpus; ++i) {
        if (std::strcmp(uuid, kUuids[i]) == 0) return *device = &gpus[i], 0;
    }
    return kNotFound;
}
int nvmlDeviceGetUUID(void* device, char* into, unsigned length) {
    return put(kUuids[index_of(device)], into, length), 0;
}
int nvmlDeviceGetName(void*, char* into, unsigned length) { return put("Fake GPU", into, length), 0; }
int nvmlDeviceGetTotalEnergyConsumption(void* device, unsigned long long* millijoules) {
    if (index_of(device) == 2) return kNotSupported;
    return *millijoules = figure(index_of(device)), 0;
}
int nvmlDeviceGetPowerUsage(void* device, unsigned* milliwatts) {
    return *milliwatts = static_cast<unsigned>(figure(kGpus + index_of(device))), 0;
}
// The last figures of the file are the processes on the second GPU.
int nvmlDeviceGetComputeRunningProcesses_v3(void* device, unsigned* count, FakeProcess* into) {
    const unsigned room = *count;
    *count = 0;
    for (unsigned place = 2 * kGpus; index_of(device) == 1 && figure(place) > 0 && *count < room; ++place)
        into[(*count)++].pid = static_cast<unsigned>(figure(place));
    return 0;
}
}
