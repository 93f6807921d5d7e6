#include "train/launch/confinement.h"

#include <array>
#include <cmath>
#include <filesystem>
#include <sstream>

#include "pool/process/environment.h"

namespace cultivar {
namespace {

constexpr std::int64_t kMaxFile_bytes = std::int64_t{8} << 30, kMaxFolder_bytes = std::int64_t{16} << 30;
constexpr std::int64_t kMoreProcessor_s = 60;

// Facts about the machine that interpreters and compilers look up. None of them is a secret.
constexpr std::array kFacts = {"/etc/passwd",          "/etc/group",        "/etc/nsswitch.conf", "/etc/mime.types",
                               "/etc/python3",         "/etc/java",         "/etc/fonts",         "/etc/ssl/certs",
                               "/etc/ssl/openssl.cnf", "/etc/locale.alias", "/etc/magic",         "/etc/os-release",
                               "/etc/debian_version",  "/etc/OpenCL",       "/etc/vulkan"};
constexpr std::array kNetworkFacts = {"/etc/hosts",    "/etc/resolv.conf", "/etc/gai.conf",       "/etc/host.conf",
                                      "/etc/services", "/etc/protocols",   "/run/systemd/resolve"};

std::vector<std::string> device_files() {
    std::vector<std::string> files;
    std::error_code ec;
    auto at = std::filesystem::directory_iterator("/dev", ec);
    for (; !ec && at != std::filesystem::directory_iterator(); at.increment(ec)) {
        const std::string name = at->path().filename().string();
        if (name.starts_with("nvidia") || name == "dri" || name == "kfd") files.push_back(at->path().string());
    }
    return files;
}

void set_limits(LaunchOptions& options, SandboxRules& rules, const Specification& specification) {
    options.limits.file_bytes = kMaxFile_bytes;
    options.limits.processor_s =
        static_cast<std::int64_t>(std::ceil(options.wall_limit_s * specification.threads)) + kMoreProcessor_s;
    if (specification.device == "cpu") {
        options.limits.memory_bytes = machine_memory_bytes();
        return;
    }
    for (std::string& file : device_files()) rules.write.push_back(std::move(file));
    rules.read.insert(rules.read.end(), {"/proc/driver/nvidia", "/proc/modules", "/proc/devices", "/sys"});
}

// Is it the file of one of NVIDIA's devices, such as nvidia0?
bool is_numbered(const std::string& name) {
    return name.size() > 6 && name.starts_with("nvidia") &&
           name.find_first_not_of("0123456789", 6) == std::string::npos;
}

std::vector<std::string> names_in(const char* visible) {
    std::vector<std::string> names;
    std::istringstream list(visible ? visible : "");
    for (std::string name; std::getline(list, name, ',');) names.push_back(name);
    return names;
}

// Folders such as /etc/java-17-openjdk.
void allow_by_prefix(SandboxRules& rules, const std::string& folder, const std::string& prefix) {
    std::error_code ec;
    for (std::filesystem::directory_iterator at(folder, ec), end; !ec && at != end; at.increment(ec)) {
        if (at->path().filename().string().starts_with(prefix)) rules.read.push_back(at->path().string());
    }
}

}  // namespace

bool has_device(const std::string& device, const std::string& devices) {
    if (device == "cpu") return true;
#if defined(__APPLE__)
    if (device == "mps") return true;
#endif
    if (device != "cuda") return false;
    std::error_code ec;
    for (std::filesystem::directory_iterator at(devices, ec), end; !ec && at != end; at.increment(ec)) {
        const std::string name = at->path().filename().string();
        if (is_numbered(name) || name == "kfd" || name == "dxg") return true;  // NVIDIA's; AMD's; either within Windows
    }
    return false;
}

bool has_device_number(const std::string& number, const char* visible, const std::string& devices) {
    if (number.empty()) return true;
    std::size_t count = names_in(visible).size();
    std::error_code ec;
    for (std::filesystem::directory_iterator at(devices, ec), end; !visible && !ec && at != end; at.increment(ec))
        count += is_numbered(at->path().filename().string()) ? 1 : 0;
    const bool nobody_counts = !visible && count == 0;
    return nobody_counts || std::stoul(number) < count;
}

std::vector<std::string> device_variables(const Specification& specification, const char* visible) {
    if (specification.device_number.empty()) return {};
    const std::vector<std::string> names = names_in(visible);
    const std::size_t number = std::stoul(specification.device_number);
    return {"CUDA_VISIBLE_DEVICES=" + (number < names.size() ? names[number] : specification.device_number)};
}

void confine(LaunchOptions& options, const Specification& specification) {
    SandboxRules rules;
    rules.variables = device_variables(specification);
    rules.read = specification.train_shards;
    for (const std::string& path : {specification.val_shard, specification.byte_table, options.spec_path}) {
        if (!path.empty()) rules.read.push_back(path);
    }
    if (specification.mode == Specification::Mode::score) rules.read.push_back(specification.artifact);
    if (specification.mode != Specification::Mode::score && !specification.work_dir.empty()) {
        rules.write.push_back(specification.work_dir);
        options.work_dir = specification.work_dir;
        options.work_dir_bytes = kMaxFolder_bytes;
    }
    set_limits(options, rules, specification);
    options.sandbox = std::move(rules);
}

void move_home(SandboxRules& rules, const std::string& from, const std::string& to) {
    for (std::string& variable : rules.variables) {
        const std::size_t value = variable.find('=') + 1;
        if (variable.substr(value) == from) variable.replace(value, std::string::npos, to);
    }
    rules.write.push_back(to);
}

void allow_network(SandboxRules& rules) {
    rules.network = true;
    rules.read.insert(rules.read.end(), kNetworkFacts.begin(), kNetworkFacts.end());
}

void confine_command(LaunchOptions& options, const Specification& specification, std::vector<std::string> read) {
    SandboxRules rules;
    rules.command = rules.programs = true;
    rules.read = std::move(read);
    rules.read.insert(rules.read.end(), kFacts.begin(), kFacts.end());
    allow_by_prefix(rules, "/etc", "java-");
    allow_by_prefix(rules, "/etc", "python3");
    rules.write = {specification.work_dir};
    rules.variables = options.place.variables;
    rules.variables.emplace_back("GIT_CONFIG_NOSYSTEM=1");  // that file is closed, which would be an error
    for (const char* name : {"HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"}) {
        const std::string variable = std::string(name) + "=";
        if (!has_name_of(rules.variables, variable)) rules.variables.push_back(variable + specification.work_dir);
    }
    options.work_dir = specification.work_dir;
    options.work_dir_bytes = kMaxFolder_bytes;
    set_limits(options, rules, specification);
    options.sandbox = std::move(rules);
}

}  // namespace cultivar
